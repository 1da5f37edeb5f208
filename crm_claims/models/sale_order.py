from odoo import fields, models


class SaleOrder(models.Model):
    """Claims about an order, and the door to register one."""

    _inherit = "sale.order"

    claim_ids = fields.One2many(
        "crm.claim", "order_id", string="Claims", groups="crm_claims.crm_claims_group_user"
    )
    claim_count = fields.Integer(
        compute="_compute_claim_count", groups="crm_claims.crm_claims_group_user"
    )

    def _compute_claim_count(self):
        counts = dict(
            self.env["crm.claim"]._read_group(
                [("order_id", "in", self.ids)], ["order_id"], ["__count"]
            )
        )
        for order in self:
            order.claim_count = counts.get(order, 0)

    def action_view_claims(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_claims.crm_claim_action")
        return action | {
            "domain": [("order_id", "=", self.id)],
            "context": {"default_order_id": self.id},
        }

    def action_register_claim(self):
        """Open a new claim of this order's customer."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim",
            "name": self.env._("Register Claim"),
            "view_mode": "form",
            "context": {
                "default_order_id": self.id,
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
            },
        }
