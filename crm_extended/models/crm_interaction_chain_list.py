from odoo import api, models

from .crm_interaction_list import fetch_specification


class CrmInteractionChain(models.Model):
    """The list of conversations reads only the names of clients and colleagues."""

    _inherit = "crm.interaction.chain"

    @api.readonly
    def web_read(self, specification):
        fetch_specification(self, specification)
        return super().web_read(specification)
