from odoo import api, fields, models


class CrmClaimDecisionLine(models.TransientModel):
    """How much of one claimed item is granted."""

    _name = "crm.claim.decision.line"
    _description = "Granted Item"

    wizard_id = fields.Many2one("crm.claim.decision", required=True, ondelete="cascade")
    claim_line_id = fields.Many2one("crm.claim.line", "Item", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    quantity = fields.Float(related="claim_line_id.quantity", related_sudo=False, string="Claimed")
    price_unit = fields.Monetary(related="claim_line_id.price_unit", related_sudo=False)
    quantity_granted = fields.Float("Granted", digits="Product Unit")
    amount = fields.Monetary(compute="_compute_amount")

    @api.depends("quantity_granted", "price_unit")
    def _compute_amount(self):
        for line in self:
            line.amount = line.quantity_granted * line.price_unit
