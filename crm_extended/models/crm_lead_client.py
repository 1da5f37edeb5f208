from odoo import api, models


class CrmLead(models.Model):
    """Deals are told when something happens to their client that they may be judged by."""

    _inherit = "crm.lead"

    @api.model
    def _note_client_change(self, source, clients):
        """Something about clients has changed. To be extended by what depends on it.

        :param str source: name of the model whose records have changed, ``crm.claim`` for example
        :param clients: ``res.partner`` records
        """
