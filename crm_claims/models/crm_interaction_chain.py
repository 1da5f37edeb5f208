from odoo import api, fields, models


class CrmInteractionChain(models.Model):
    """A conversation about a confidential claim is as confidential as the claim."""

    _inherit = "crm.interaction.chain"

    confidential = fields.Boolean(readonly=True, copy=False)

    @api.model
    def _get_controlled_fields(self):
        return super()._get_controlled_fields() | {"confidential"}
