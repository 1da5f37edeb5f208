from odoo import models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    """A recommended product goes on the quotation with one click."""

    _inherit = "sale.order"

    def add_recommended_product(self, product_id):
        """Put one unit of a recommended product on the quotation.

        :param int product_id: of a product that may be sold
        :raise UserError: the order is confirmed or cancelled, or the product is not for sale
        """
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("draft", "sent"):
            raise UserError(
                self.env._(
                    "“%(order)s” is no quotation any more: nothing is added.", order=self.name
                )
            )
        product = self.env["product.product"].browse(product_id).exists()
        if not product or not product.active or not product.sale_ok:
            raise UserError(self.env._("This product is not for sale any more."))
        line = self.env["sale.order.line"].create({"order_id": self.id, "product_id": product.id})
        self.env["crm.product.offer"]._mark_added(
            self.company_id, self.partner_id.commercial_partner_id, product
        )
        return line.id
