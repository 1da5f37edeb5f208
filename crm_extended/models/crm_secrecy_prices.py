from odoo import api, models
from odoo.exceptions import AccessError


class ProductPricelist(models.Model):
    """Selling by a price list that is secret for its salesperson.

    His order is told its prices, the list is not his to open. So a price by a secret list is told
    only to somebody with an order by that list in the database, which he got because the list is
    the client's (`sale.order`); asking about any other list is refused rather than answered by
    the price without it.
    """

    _inherit = "product.pricelist"

    def _is_secret(self):
        """Whether this price list is closed to the user; never for those with all rights."""
        return not self.env.su and bool(self.env["crm.secrecy.rule"]._filter_hidden(self))

    def _compute_price_rule(self, products, quantity, **kwargs):
        secret = bool(self) and self._is_secret()
        if secret:
            self._check_sold_by_user()
        if secret or self.env["crm.secrecy.rule"]._has_secret_prices():
            # sudo: the price is told, the list and the rule it is made by are not; see above
            return super(ProductPricelist, self.sudo())._compute_price_rule(
                products, quantity, **kwargs
            )
        return super()._compute_price_rule(products, quantity, **kwargs)

    def _check_sold_by_user(self):
        Order = self.env["sale.order"]
        used = Order.has_access("read") and (
            Order.search([("user_id", "=", self.env.uid), ("pricelist_id", "=", self.id)], limit=1)
            or Order.search([("pricelist_id", "=", self.id)], limit=1)
        )
        if not used:
            raise AccessError(
                self.env._(
                    "This price list is confidential. Save the quotation of a client who has it,"
                    " then its prices are computed."
                )
            )

    @api.model
    def _get_partner_pricelist_multi(self, partner_ids):
        if self.env.su or not self.env["crm.secrecy.rule"]._get_user_rules("pricelist"):
            return super()._get_partner_pricelist_multi(partner_ids)
        # sudo: a client keeps his price list, whoever looks at him
        found = super(ProductPricelist, self.sudo())._get_partner_pricelist_multi(partner_ids)
        for partner_id in partner_ids:
            found[partner_id] = found[partner_id].with_env(self.env)
        return found


class ProductPricelistItem(models.Model):
    """Whoever may not see the cost makes no price of it: a markup of nothing would tell it."""

    _inherit = "product.pricelist.item"

    @api.model_create_multi
    def create(self, vals_list):
        self._check_secret_base(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_secret_base([vals])
        return super().write(vals)

    def _check_secret_base(self, vals_list):
        """Say why; the record rule would only refuse."""
        if self.env.su or self.env["crm.secrecy.rule"]._sees_cost():
            return
        if any(vals.get("base") == "standard_price" for vals in vals_list):
            raise AccessError(
                self.env._("The cost is confidential: base this price on something else.")
            )


class CrmAgreement(models.Model):
    """A markup on the cost is agreed by somebody who sees the cost, for the same reason.

    An individual agreement takes it over from its standard one, whoever derives it.
    """

    _inherit = "crm.agreement"

    @api.model_create_multi
    def create(self, vals_list):
        agreements = super().create(vals_list)
        agreements._check_secret_markup()
        return agreements

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"price_rule", "markup_percent", "parent_id"}:
            self._check_secret_markup()
        return result

    def _check_secret_markup(self):
        if self.env.su or self.env["crm.secrecy.rule"]._sees_cost():
            return
        for agreement in self.filtered(lambda agreement: agreement.price_rule == "markup"):
            source_sudo = (agreement.parent_id | agreement.renewed_from_id).sudo()
            if (agreement.price_rule, agreement.markup_percent) not in [
                (source.price_rule, source.markup_percent) for source in source_sudo
            ]:
                raise AccessError(
                    self.env._(
                        "The cost is confidential: the markup of agreement %s is set by somebody "
                        "who sees it.",
                        agreement.name,
                    )
                )


class ProductPricelistReport(models.AbstractModel):
    """The printed or exported price list is the list itself."""

    _inherit = "report.product.report_pricelist"

    def _get_report_data(self, data, *args, **kwargs):
        result = super()._get_report_data(data, *args, **kwargs)
        result["pricelist"].check_access("read")
        return result


class ProductLabelLayout(models.TransientModel):
    _inherit = "product.label.layout"

    @api.constrains("pricelist_id")
    def _check_secret_pricelist(self):
        # constraints run as superuser
        self.sudo(False).pricelist_id.check_access("read")


class SaleOrderLine(models.Model):
    """Prices and discounts come from the list of the order, also where it is secret."""

    _inherit = "sale.order.line"

    def _with_secret_prices(self):
        """These lines, with all rights if the user may not read the price list of their order."""
        if not self.env["crm.secrecy.rule"]._has_secret_prices():
            return self
        # sudo: the price is told, the list is not; which lists an order may have, it checks itself
        return self.sudo()

    def _compute_pricelist_item_id(self):
        return super(SaleOrderLine, self._with_secret_prices())._compute_pricelist_item_id()

    def _compute_price_unit(self):
        return super(SaleOrderLine, self._with_secret_prices())._compute_price_unit()

    def _compute_discount(self):
        return super(SaleOrderLine, self._with_secret_prices())._compute_discount()


class SaleOrder(models.Model):
    """An order gets a secret price list or agreement only because it is the client's.

    Chosen by hand, it would tell its prices to anybody who can write a quotation.
    """

    _inherit = "sale.order"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self.browse()._check_secret_agreement(vals)
        orders = super().create(vals_list)
        for order, vals in zip(orders, vals_list, strict=True):
            order._check_secret_pricelist(vals)
        return orders

    def write(self, vals):
        checked = vals.keys() & {"pricelist_id", "agreement_id"}
        before = {order: order.pricelist_id for order in self} if checked else {}
        for order in before:
            order._check_secret_agreement(vals)
        result = super().write(vals)
        for order, pricelist in before.items():
            if vals.get("pricelist_id") != pricelist.id:
                order._check_secret_pricelist(vals)
        return result

    def onchange(self, values, field_names, fields_spec):
        known = self.browse(self._origin.ids)
        given = {
            name: values[name]
            for name in ("pricelist_id", "agreement_id")
            if values.get(name) and values[name] != known[name].id
        }
        if given:
            given["partner_id"] = values.get("partner_id")
            known._check_secret_agreement(given)
            known._check_secret_pricelist(given)
        return super().onchange(values, field_names, fields_spec)

    def _check_secret_agreement(self, vals):
        """Refuse a secret agreement in `vals` that is not the client's.

        :param dict vals: values of this order, or of one that is still to be created
        """
        chosen = self.env["crm.agreement"].browse(vals.get("agreement_id") or [])
        if self.env.su or not chosen or chosen == self.agreement_id:
            return
        if self.env["crm.secrecy.rule"]._filter_hidden(chosen) and not self._is_agreement_of(
            chosen, self._get_secret_client(vals)
        ):
            raise AccessError(self.env._("This agreement is confidential and not this client's."))

    def _check_secret_pricelist(self, vals):
        """Refuse a secret price list in `vals` that is neither the client's nor his agreement's."""
        chosen = self.env["product.pricelist"].browse(vals.get("pricelist_id") or [])
        if self.env.su or not self.env["crm.secrecy.rule"]._filter_hidden(chosen):
            return
        partner_sudo = self._get_secret_client(vals)
        agreement = self.agreement_id.browse(vals.get("agreement_id") or self.agreement_id.id)
        lists_sudo = partner_sudo.property_product_pricelist
        if self._is_agreement_of(agreement, partner_sudo):
            lists_sudo |= agreement.sudo().pricelist_id
        if chosen not in lists_sudo:
            raise AccessError(self.env._("This price list is confidential and not this client's."))

    def _get_secret_client(self, vals):
        # sudo: which terms are the client's does not depend on who may read them
        company = self.company_id or self.env.company
        partner_sudo = self.env["res.partner"].sudo().with_company(company)
        return partner_sudo.browse(vals.get("partner_id") or self.sudo().partner_id.id)

    def _is_agreement_of(self, agreement, partner_sudo):
        """Whether an agreement is made with a client, or for all or some that he is one of."""
        agreement_sudo = agreement.sudo()
        if not agreement_sudo or agreement_sudo.kind == "individual":
            return agreement_sudo.commercial_partner_id == partner_sudo.commercial_partner_id
        segment = agreement_sudo.segment_id
        return not segment or segment in partner_sudo._get_segments(agreement_sudo.company_id).get(
            partner_sudo, ()
        )

    def _get_product_catalog_order_data(self, products, **kwargs):
        if not self.env["crm.secrecy.rule"]._has_secret_prices():
            return super()._get_product_catalog_order_data(products, **kwargs)
        self.check_access("read")
        # sudo: the price is told, the list is not
        return super(SaleOrder, self.sudo())._get_product_catalog_order_data(products, **kwargs)
