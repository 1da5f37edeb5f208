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

    def action_register_claim(self):
        """Open a new claim of the customer of this invoice, about its order if it has just one."""
        self.ensure_one()
        self.env["crm.claim"].check_access("create")
        # sudo: handlers do not read all that hangs on an invoice; only ids leave this method
        orders_sudo = self.sudo().invoice_line_ids.sale_line_ids.order_id
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim",
            "name": self.env._("Register Claim"),
            "view_mode": "form",
            "context": {
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
                "default_order_id": orders_sudo.id if len(orders_sudo) == 1 else False,
            },
        }
