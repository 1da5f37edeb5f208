from odoo import models
from odoo.tools import float_compare


class SaleOrder(models.Model):
    """What of an order its customer can still complain about."""

    _inherit = "sale.order"

    def _portal_get_claimable_domain(self, partner):
        """Confirmed orders of the customer's whole company.

        :param partner: res.partner, the customer or one of his contacts
        """
        return [
            ("partner_id", "child_of", partner.commercial_partner_id.ids),
            ("state", "=", "sale"),
        ]

    def _portal_get_claimable_lines(self):
        """Products of one order with the quantity not yet claimed.

        Call it on an order that the customer is known to be entitled to: order lines and claims
        are read as superuser, because claims of colleagues count too.

        :return: one dict per product line: ``line`` (sale.order.line, sudo), ``sold``, ``claimed``
            and ``available`` quantities in the unit of the order line
        :rtype: list[dict]
        """
        self.ensure_one()
        lines_sudo = self.sudo().order_line.filtered(
            lambda line: not line.display_type
            and line.product_id
            and not line.is_downpayment
            and line.product_uom_qty > 0
        )
        claimed = lines_sudo._portal_get_claimed_quantities()
        return [
            {
                "line": line,
                "sold": line.product_uom_qty,
                "claimed": claimed.get(line.id, 0.0),
                "available": max(line.product_uom_qty - claimed.get(line.id, 0.0), 0.0),
            }
            for line in lines_sudo
        ]


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _portal_get_claimed_quantities(self):
        """Quantities under claims that were neither withdrawn nor declined, by order line id."""
        groups = (
            self.env["crm.claim.line"]
            .sudo()
            ._read_group(
                [
                    ("order_line_id", "in", self.ids),
                    ("claim_id.state", "not in", ("rejected", "cancelled")),
                ],
                ["order_line_id"],
                ["quantity:sum"],
            )
        )
        return {line.id: quantity for line, quantity in groups}

    def _portal_is_quantity_claimable(self, quantity, available):
        """Compare in the precision of the line's unit of measure."""
        self.ensure_one()
        return (
            float_compare(quantity, available, precision_rounding=self.product_uom_id.rounding) <= 0
        )
