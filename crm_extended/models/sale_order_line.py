from odoo import api, models

from .sale_order import CONFIRMED_STATES


class SaleOrderLine(models.Model):
    """Lines of an order are held to its agreement wherever they are changed from."""

    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        # the order may also come from a default of the client
        default = self.default_get(["order_id"]).get("order_id")
        orders = self.env["sale.order"].browse(
            {vals.get("order_id", default) for vals in vals_list} - {None, False}
        )
        return self._run_checked(
            orders, lambda lines: super(SaleOrderLine, lines).create(vals_list)
        )

    def write(self, vals):
        if not self._get_agreement_trigger_fields() & vals.keys():
            return super().write(vals)
        orders = self.order_id
        if vals.get("order_id"):
            orders |= orders.browse(vals["order_id"])
        return self._run_checked(orders, lambda lines: super(SaleOrderLine, lines).write(vals))

    def unlink(self):
        return self._run_checked(self.order_id, lambda lines: super(SaleOrderLine, lines).unlink())

    @api.model
    def _get_agreement_trigger_fields(self):
        """Fields whose change may bring an order outside its agreement."""
        return {
            "product_id",
            "product_uom_qty",
            "product_uom_id",
            "price_unit",
            "discount",
            "order_id",
        }

    def _run_checked(self, orders, operation):
        """Run a change of lines, then hold their orders to the agreement.

        :param orders: the orders as they are before the change
        :param operation: function of the line recordset that makes the change
        """
        if orders._is_agreement_check_deferred():
            return operation(self)
        confirmed = orders.filtered(lambda order: order.state in CONFIRMED_STATES)
        known = confirmed._get_deviation_snapshot()
        result = operation(self)
        confirmed._check_no_new_deviation(known)
        (orders - confirmed)._void_changed_deviations()
        return result

    def _get_agreed_terms(self, agreement_sudo):
        """Agreed price of one unit on this line, and the largest discount on it.

        The price comes from the agreement's price list, or from the client's own one when the
        agreement names none, for the product, quantity, unit, date and currency of this line, with
        taxes included or not as on the line.

        :param agreement_sudo: agreement under sudo
        :return: ``(price in the order's currency, percentage)``; None when the agreement does not
            govern this line
        :rtype: tuple[float, float] | None
        """
        self.ensure_one()
        if self.display_type or not agreement_sudo._governs_prices() or self._is_priced_elsewhere():
            return None
        if not self.product_id or self.product_type == "combo":
            return 0.0, 0.0  # worth nothing by itself, so that a negative price is a discount
        maximum = agreement_sudo._get_max_discount(self.product_id)
        line = self.with_company(self.company_id)
        price = (
            line._get_combo_item_display_price()
            if line.combo_item_id
            else line._get_agreed_list_price(agreement_sudo)
        )
        taxes = line.product_id.sudo().taxes_id._filter_taxes_by_company(line.company_id)
        agreed = line.product_id._get_tax_included_unit_price_from_price(
            price, product_taxes=taxes, fiscal_position=line.order_id.fiscal_position_id
        )
        return agreed, maximum

    def _get_agreed_list_price(self, agreement_sudo):
        self.ensure_one()
        order = self.order_id
        pricelist_sudo = (
            agreement_sudo.pricelist_id
            or order.partner_id.with_company(order.company_id).sudo().property_product_pricelist
        )
        # not the date on the order: dating it back does not bring back the prices of that day
        kwargs = self._get_pricelist_kwargs() | {"date": order._get_agreed_price_moment()}
        rule_sudo = (
            pricelist_sudo._get_product_rule(product=self.product_id, **kwargs)
            if pricelist_sudo
            else False
        )
        return (
            self.env["product.pricelist.item"]
            .sudo()
            .browse(rule_sudo)
            ._compute_price(
                product=self.product_id.with_context(**self._get_product_price_context()),
                **kwargs,
            )
        )

    def _is_priced_elsewhere(self):
        """Lines whose price no price list sets: delivery costs and re-invoiced expenses.

        A negative amount is a discount whatever the line is called.
        """
        self.ensure_one()
        if self.price_unit < 0 or self.product_uom_qty < 0:
            return False
        is_delivery = self.product_type == "service" and self._is_delivery()
        is_expense = self.is_expense and self.product_id.expense_policy in ("cost", "sales_price")
        return is_delivery or is_expense
