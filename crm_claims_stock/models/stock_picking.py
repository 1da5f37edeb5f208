from odoo import fields, models


class StockPicking(models.Model):
    """Claims about a delivery, and the door to register one."""

    _inherit = "stock.picking"

    claim_ids = fields.One2many(
        "crm.claim", "picking_id", string="Claims", groups="crm_claims.crm_claims_group_user"
    )
    claim_count = fields.Integer(
        compute="_compute_claim_count", groups="crm_claims.crm_claims_group_user"
    )

    def _compute_claim_count(self):
        counts = dict(
            self.env["crm.claim"]._read_group(
                [("picking_id", "in", self.ids)], ["picking_id"], ["__count"]
            )
        )
        for picking in self:
            picking.claim_count = counts.get(picking, 0)

    def action_view_claims(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_claims.crm_claim_action")
        return action | {
            "domain": [("picking_id", "=", self.id)],
            "context": {"default_picking_id": self.id},
        }

    def action_register_claim(self):
        """Ask which of the delivered items are claimed, then open the new claim."""
        self.ensure_one()
        self.env["crm.claim"].check_access("create")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Register Claim"),
            "res_model": "crm.claim.delivery",
            "view_mode": "form",
            "target": "new",
            "context": {"default_picking_id": self.id},
        }

    def _get_delivered_items(self):
        """What was delivered, by order line, product and lot.

        :return: list of ``(order line, product, name of the lot or False, quantity)``; the
            quantity is in the unit of the order line, else of the product
        """
        self.ensure_one()
        delivered = {}
        for line in self.move_line_ids.filtered(lambda line: line.state == "done"):
            sold = line.move_id.sale_line_id
            key = sold, line.product_id, line.lot_id.name or line.lot_name or False
            unit = line.product_id.uom_id
            # a kit is sold as another product than its parts: they stay in their own units
            if sold.product_id == line.product_id:
                unit = sold.product_uom_id
            quantity = line.product_uom_id._compute_quantity(
                line.quantity, unit, rounding_method="HALF-UP"
            )
            delivered[key] = delivered.get(key, 0.0) + quantity
        return [(*key, quantity) for key, quantity in delivered.items() if quantity > 0]
