from odoo import api, fields, models


class CrmInteraction(models.Model):
    """An interaction is as confidential as its conversation.

    This is kept on the interaction, because the record rules ask it of every row of a list.
    """

    _inherit = "crm.interaction"

    confidential = fields.Boolean(related="chain_id.confidential", store=True, precompute=True)

    @api.model
    def _get_controlled_fields(self):
        return super()._get_controlled_fields() | {"confidential"}

    @api.model
    def _get_access_fields(self):
        return [*super()._get_access_fields(), "confidential"]
