from odoo import fields, models


class AccountMove(models.Model):
    """The claim for which a credit note was made, and claims about an invoice's orders."""

    _inherit = "account.move"

    claim_id = fields.Many2one(
        "crm.claim",
        "Claim",
        index="btree_not_null",
        copy=False,
        readonly=True,
        check_company=True,
        help="Claim whose decision granted this credit note.",
    )
    claim_count = fields.Integer(compute="_compute_claim_count")

    def _get_claims(self):
        """Readable claims of a move: the one that a credit note was granted for, else those
        about the orders on the invoice."""
        self.ensure_one()
        claims = self.env["crm.claim"]
        if not claims.has_access("read"):
            return claims
        # sudo: what the move belongs to; the claims are searched with the user's rights
        move_sudo = self.sudo()
        if move_sudo.claim_id:
            return claims.search([("id", "=", move_sudo.claim_id.id)])
        orders_sudo = move_sudo.invoice_line_ids.sale_line_ids.order_id
        return claims.search([("order_id", "in", orders_sudo.ids)])

    def _compute_claim_count(self):
        for move in self:
            move.claim_count = len(move._get_claims()) if move.is_sale_document() else 0

    def action_view_claims(self):
        self.ensure_one()
        claims = self._get_claims()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_claims.crm_claim_action")
        action |= {"domain": [("id", "in", claims.ids)], "context": {}}
        if len(claims) == 1:
            action |= {"views": [(False, "form")], "res_id": claims.id}
        return action
