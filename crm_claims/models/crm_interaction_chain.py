from odoo import fields, models


class CrmInteractionChain(models.Model):
    """A conversation about a confidential claim is as confidential as the claim."""

    _inherit = "crm.interaction.chain"

    confidential = fields.Boolean(readonly=True, copy=False)
