from odoo import api, fields, models


class CrmClaimDeliveryLine(models.TransientModel):
    """One delivered item: how much of it is claimed, in the unit in which it was sold."""

    _name = "crm.claim.delivery.line"
    _description = "Claimed Item of a Delivery"

    wizard_id = fields.Many2one("crm.claim.delivery", required=True, index=True, ondelete="cascade")
    order_line_id = fields.Many2one("sale.order.line", readonly=True)
    product_id = fields.Many2one("product.product", required=True, readonly=True)
    product_uom_id = fields.Many2one("uom.uom", "Unit", compute="_compute_product_uom_id")
    lot_name = fields.Char("Lot / Serial", readonly=True)
    quantity_delivered = fields.Float("Delivered", digits="Product Unit", readonly=True)
    quantity = fields.Float("Claimed", digits="Product Unit")

    @api.depends("order_line_id", "product_id")
    def _compute_product_uom_id(self):
        for line in self:
            # sudo: handlers need not read orders of other salespeople
            sold_sudo = line.order_line_id.sudo()
            same = sold_sudo.product_id == line.product_id
            unit = sold_sudo.product_uom_id if same else line.product_id.uom_id
            line.product_uom_id = unit.sudo(False)

    def _prepare_claim_line_values(self):
        """Values of the claim's item. A part of a kit is claimed as a product of its own."""
        self.ensure_one()
        # sudo: handlers need not read orders of other salespeople
        same = self.order_line_id.sudo().product_id == self.product_id
        return {
            "order_line_id": self.order_line_id.id if same else False,
            "product_id": self.product_id.id,
            "lot_name": self.lot_name,
            "quantity": self.quantity,
        }
