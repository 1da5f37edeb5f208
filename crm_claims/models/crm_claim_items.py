from odoo import api, fields, models


class CrmClaim(models.Model):
    """What is claimed: an order, its items, and the amount that they add up to."""

    _inherit = "crm.claim"

    order_id = fields.Many2one(
        "sale.order",
        "Sales Order",
        index="btree_not_null",
        tracking=True,
        check_company=True,
        domain="[('state', '=', 'sale'), ('company_id', '=', company_id)]",
    )
    line_ids = fields.One2many("crm.claim.line", "claim_id", string="Claimed Items", copy=True)
    invoice_ids = fields.Many2many(
        "account.move",
        string="Invoices",
        compute="_compute_invoice_ids",
        compute_sudo=True,
        help="Posted invoices of the claimed order.",
    )
    amount_claimed = fields.Monetary(
        compute="_compute_amount_claimed", store=True, readonly=False, tracking=True
    )

    @api.depends("order_id")
    def _compute_invoice_ids(self):
        for claim in self:
            claim.invoice_ids = claim.order_id.invoice_ids.filtered(
                lambda move: move.move_type == "out_invoice" and move.state == "posted"
            )

    @api.depends("line_ids.amount")
    def _compute_amount_claimed(self):
        for claim in self:
            claim.amount_claimed = (
                sum(claim.line_ids.mapped("amount")) if claim.line_ids else claim.amount_claimed
            )
