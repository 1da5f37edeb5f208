from odoo import api, models

from ..tools.agreement_terms import net_price
from .sale_order import CONFIRMED_STATES


class SaleOrderLine(models.Model):
    """Lines of an order take the agreed prices and are held to the agreement wherever they change.

    Fixed prices, a markup on cost and discounts that are always given come with the agreement in
    Odoo's own way: they are part of the price and discount that a line computes, and may be edited.
    """

    _inherit = "sale.order.line"

    # ------------------------------------------------------------------
    # The control
    # ------------------------------------------------------------------

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
            "customer_lead",
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
        opened = orders - confirmed
        opened._touch_for_confirmation()
        opened._void_changed_deviations()
        return result

    # ------------------------------------------------------------------
    # The agreed price comes with the agreement
    # ------------------------------------------------------------------

    def _get_display_price_ignore_combo(self):
        agreement_sudo = self.order_id.agreement_id.sudo()
        own = self._get_own_agreed_price(agreement_sudo, self._get_order_date())
        price = super()._get_display_price_ignore_combo() if own is None else own
        percent = self._get_fixed_discount(agreement_sudo)
        if percent < 0 or (percent and not self._shows_agreed_discount()):
            price = net_price(price, percent)
        return price

    @api.depends("product_id", "product_uom_id", "product_uom_qty")
    def _compute_discount(self):
        super()._compute_discount()
        if not self.env["product.pricelist.item"]._is_discount_feature_enabled():
            return
        for line in self:
            agreement_sudo = line.order_id.agreement_id.sudo()
            if line.display_type or not line.product_id or line.combo_item_id or not agreement_sudo:
                continue
            if line._get_own_agreed_price(agreement_sudo, line._get_order_date()) is not None:
                line.discount = 0.0
            percent = line._get_fixed_discount(agreement_sudo)
            if percent > 0 and line._shows_agreed_discount():
                line.discount = 100.0 - net_price(net_price(100.0, line.discount), percent)

    def _shows_agreed_discount(self):
        """Whether an agreed discount is shown as one on the line; else it lowers the price."""
        return bool(
            self.order_id.pricelist_id
            and self.env["product.pricelist.item"]._is_discount_feature_enabled()
        )

    def _get_fixed_discount(self, agreement_sudo):
        """Discount in percent that the agreement always gives; negative for a markup."""
        line_sudo = agreement_sudo and agreement_sudo._get_discount_line(self.product_id)
        return line_sudo.max_discount if line_sudo and line_sudo.mode == "fixed" else 0.0

    def _get_own_agreed_price(self, agreement_sudo, moment, prices=None):
        """Price of one unit that the agreement sets past its price list; without taxes.

        :param agreement_sudo: agreement under sudo, may be empty
        :param datetime moment: of the exchange rate
        :param dict prices: fixed prices by product id, when many lines are looked up
        :return: amount in the currency of the order; None when the price list holds
        :rtype: float | None
        """
        self.ensure_one()
        product = self.product_id
        currency = self.currency_id or self.company_id.currency_id
        if not agreement_sudo or not product or agreement_sudo.price_rule == "list":
            return None
        company = self.company_id or self.env.company
        if agreement_sudo.price_rule == "markup":
            # sudo: the agreed price is told, the cost behind it is not
            cost_sudo = product.sudo().with_company(company)
            cost = cost_sudo._price_compute(
                "standard_price",
                uom=self.product_uom_id,
                currency=currency,
                company=company,
                date=moment,
            )[product.id]
            return cost * (1.0 + agreement_sudo.markup_percent / 100.0)
        if prices is None:
            prices = agreement_sudo._get_fixed_prices()
        price = prices.get(product._origin.id)
        if price is None:
            return None
        price = agreement_sudo.currency_id._convert(price, currency, company, moment, round=False)
        unit = self.product_uom_id or product.uom_id
        return product.uom_id._compute_price(price, unit) if unit != product.uom_id else price

    # ------------------------------------------------------------------
    # What it is compared with
    # ------------------------------------------------------------------

    def _get_agreed_terms(self, agreement_sudo, moment, prices=None, discounts=None):
        """Agreed price of one unit on this line, and the largest discount on it.

        The price comes from the agreement: its fixed price or markup, or its price list, or the
        client's own list when it names none, for the product, quantity, unit and currency of this
        line, with taxes included or not as on the line; less the discount that is always given.

        :param agreement_sudo: agreement under sudo
        :param datetime moment: whose price list and exchange rates hold
        :param dict prices: fixed prices by product id
        :param dict discounts: discount lines by what they are about
        :return: ``(price in the order's currency, percentage)``; None when the agreement does not
            govern this line
        :rtype: tuple[float, float] | None
        """
        self.ensure_one()
        if self.display_type or not agreement_sudo._governs_prices() or self._is_priced_elsewhere():
            return None
        if not self.product_id or self.product_type == "combo":
            return 0.0, 0.0  # worth nothing by itself, so that a negative price is a discount
        line_sudo = agreement_sudo._get_discount_line(self.product_id, discounts)
        line = self.with_company(self.company_id)
        if line.combo_item_id:
            price = line._get_combo_item_display_price()
        else:
            price = line._get_own_agreed_price(agreement_sudo, moment, prices)
            if price is None:
                price = line._get_agreed_list_price(agreement_sudo, moment)
        if line_sudo.mode == "fixed":
            price = net_price(price, line_sudo.max_discount)
        taxes = line.product_id.sudo().taxes_id._filter_taxes_by_company(line.company_id)
        agreed = line.product_id._get_tax_included_unit_price_from_price(
            price, product_taxes=taxes, fiscal_position=line.order_id.fiscal_position_id
        )
        return agreed, line_sudo.max_discount if line_sudo.mode == "max" else 0.0

    def _get_agreed_list_price(self, agreement_sudo, moment):
        self.ensure_one()
        order = self.order_id
        pricelist_sudo = (
            agreement_sudo.pricelist_id
            or order.partner_id.with_company(order.company_id).sudo().property_product_pricelist
        )
        # not the date on the order: dating it back does not bring back the prices of that day
        kwargs = self._get_pricelist_kwargs() | {"date": moment}
        rules = self.env.context.get("crm_agreement_price_rules")
        rule_sudo = (
            pricelist_sudo.with_context(crm_agreement_price_rules=rules)._get_product_rule(
                product=self.product_id, **kwargs
            )
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
