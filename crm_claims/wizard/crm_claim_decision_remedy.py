from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim import REMEDIES


class CrmClaimDecisionRemedy(models.TransientModel):
    """One remedy of a decision that is being written."""

    _name = "crm.claim.decision.remedy"
    _description = "Remedy of a Decision"

    wizard_id = fields.Many2one("crm.claim.decision", required=True, ondelete="cascade")
    claim_id = fields.Many2one(related="wizard_id.claim_id", related_sudo=False)
    company_id = fields.Many2one(related="wizard_id.company_id", related_sudo=False)
    currency_id = fields.Many2one(related="wizard_id.currency_id", related_sudo=False)
    kind = fields.Selection(REMEDIES, required=True, default="refund")
    claim_line_id = fields.Many2one(
        "crm.claim.line", "Item", ondelete="cascade", domain="[('claim_id', '=', claim_id)]"
    )
    quantity = fields.Float(
        digits="Product Unit", compute="_compute_quantity", store=True, readonly=False
    )
    amount = fields.Monetary(compute="_compute_amount", store=True, readonly=False)
    name = fields.Char("Note")
    user_id = fields.Many2one(
        "res.users", "Carried Out By", domain="[('share', '=', False)]", ondelete="cascade"
    )
    date_deadline = fields.Date("Due")

    @api.depends("claim_line_id", "kind")
    def _compute_quantity(self):
        for row in self:
            if row.kind not in ("refund", "replacement", "repair") or not row.claim_line_id:
                row.quantity = 0.0
            elif not row.quantity:
                row.quantity = row.claim_line_id.quantity

    @api.depends("claim_line_id", "quantity", "kind")
    def _compute_amount(self):
        """The value of the goods; a refund of less than the price is entered by hand."""
        for row in self:
            if row.kind in ("refund", "replacement") and row.claim_line_id:
                row.amount = row.quantity * row.claim_line_id.price_unit
            else:
                row.amount = row.amount or 0.0

    def _prepare_remedy_values(self):
        """Values of a ``crm.claim.remedy``. Goods are worth their price, whatever was entered; a
        refund of an item without an amount gives back all of its price."""
        self.ensure_one()
        amount = self.amount
        if self.claim_line_id and (
            self.kind == "replacement" or (self.kind == "refund" and not amount)
        ):
            amount = self.quantity * self.claim_line_id.price_unit
        return {
            "kind": self.kind,
            "claim_line_id": self.claim_line_id.id,
            "quantity": self.quantity,
            "amount": amount,
            "name": self.name,
            "user_id": self.user_id.id,
            "date_deadline": self.date_deadline,
        }
