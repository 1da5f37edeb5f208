from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_date


class SaleOrder(models.Model):
    """Prepayment, delivery, incoterm and warehouse: taken from the agreement, then compared."""

    _inherit = "sale.order"

    # ------------------------------------------------------------------
    # Taken from the agreement
    # ------------------------------------------------------------------

    @api.depends("agreement_id")
    def _compute_require_payment(self):
        orders = self._keep_settled_terms("require_payment")
        super(SaleOrder, orders)._compute_require_payment()
        for order in orders:
            if order.agreement_id.sudo().prepayment_percent:
                order.require_payment = True

    @api.depends("agreement_id")
    def _compute_prepayment_percent(self):
        orders = self._keep_settled_terms("prepayment_percent")
        super(SaleOrder, orders)._compute_prepayment_percent()
        for order in orders:
            agreed = order.agreement_id.sudo().prepayment_percent
            if agreed:
                order.prepayment_percent = agreed

    @api.depends("agreement_id")
    def _compute_currency_id(self):
        orders = self._keep_settled_terms("currency_id")
        super(SaleOrder, orders)._compute_currency_id()
        for order in orders:
            agreement_sudo = order.agreement_id.sudo()
            if agreement_sudo and not order.pricelist_id:
                order.currency_id = agreement_sudo.currency_id.sudo(self.env.su)

    @api.onchange("agreement_id")
    def _onchange_agreement_id(self):
        """Take the delivery terms, and offer to recompute prices of lines that are there."""
        self._apply_agreed_logistics()
        if self.order_line and self.agreement_id:
            self.show_update_pricelist = True

    def _apply_agreed_logistics(self):
        """Take incoterm and warehouse, where the inventory application gives orders such fields."""
        for order in self:
            agreement_sudo = order.agreement_id.sudo()
            if agreement_sudo.incoterm_id and "incoterm" in order._fields:
                order.incoterm = agreement_sudo.incoterm_id
            if agreement_sudo.warehouse_ref and "warehouse_id" in order._fields:
                order.warehouse_id = agreement_sudo.warehouse_ref.sudo(self.env.su)

    def action_apply_agreement(self):
        """Bring quotations to the terms that apply to them today: agreement, terms and prices."""
        for order in self.filtered(lambda order: order.state in ("draft", "sent")):
            order.date_order = fields.Datetime.now()
            order._compute_agreement_id()
            order._compute_agreement_contract_id()
            agreement_sudo = order.agreement_id.sudo()
            if agreement_sudo.pricelist_id:
                order.pricelist_id = agreement_sudo.pricelist_id.sudo(self.env.su)
            order._compute_payment_term_id()
            order._compute_require_payment()
            order._compute_prepayment_percent()
            order._apply_agreed_logistics()
            order._recompute_prices()

    # ------------------------------------------------------------------
    # Compared
    # ------------------------------------------------------------------

    def _get_condition_deviations(self, agreement_sudo):
        return [
            *self._get_prepayment_deviations(agreement_sudo),
            *self._get_delivery_deviations(agreement_sudo),
            *self._get_logistics_deviations(agreement_sudo),
            *self._get_contract_deviations(agreement_sudo),
        ]

    def _get_prepayment_deviations(self, agreement_sudo):
        agreed = agreement_sudo.prepayment_percent
        actual = self.prepayment_percent if self.require_payment else 0.0
        if not agreed or actual >= agreed - 0.00005:
            return []
        return [
            self._prepare_deviation(
                "prepayment",
                agreement_sudo,
                expected=self._get_percent_text(agreed),
                actual=self._get_percent_text(actual) if actual else self.env._("none"),
                difference=self._get_percent_text(actual - agreed),
                severity=(agreed - actual) * 100.0,
                figures=[round(actual, 4)],
            )
        ]

    def _get_percent_text(self, share):
        return self.env._("%(percent)s %%", percent=self._format_percent(share * 100.0))

    def _get_agreed_delivery_date(self, agreement_sudo):
        """Last day on which the agreement lets the order be delivered; None when not agreed.

        Counted from the order, for a quotation from the day it is looked at.
        """
        if not agreement_sudo.delivery_days:
            return None
        confirmed = self.state == "sale" and self.date_order
        start = self._get_order_day() if confirmed else self._get_agreement_check_date()
        return start + timedelta(days=agreement_sudo.delivery_days)

    def _get_promised_delivery_date(self):
        """Day on which this order is promised: the date on it, else the lead time of its goods."""
        if self.commitment_date:
            return fields.Datetime.context_timestamp(self, self.commitment_date).date()
        goods = self.order_line.filtered(
            lambda line: line.product_id.type == "consu" and not line.display_type
        )
        if not goods:
            return None
        confirmed = self.state == "sale" and self.date_order
        start = self._get_order_day() if confirmed else self._get_agreement_check_date()
        return start + timedelta(days=max(goods.mapped("customer_lead")))

    def _get_delivery_deviations(self, agreement_sudo):
        agreed = self._get_agreed_delivery_date(agreement_sudo)
        promised = agreed and self._get_promised_delivery_date()
        if not promised or promised <= agreed:
            return []
        late = (promised - agreed).days
        return [
            self._prepare_deviation(
                "delivery",
                agreement_sudo,
                expected=self.env._("by %s", format_date(self.env, agreed)),
                actual=format_date(self.env, promised),
                difference=self.env._("%s days later", late),
                severity=float(late),
                figures=[fields.Date.to_string(promised)],
            )
        ]

    def _get_logistics_deviations(self, agreement_sudo):
        deviations = []
        for kind, agreed_sudo, name in (
            ("incoterm", agreement_sudo.incoterm_id, "incoterm"),
            ("warehouse", agreement_sudo.warehouse_ref, "warehouse_id"),
        ):
            if not agreed_sudo or name not in self._fields:
                continue
            actual_sudo = self[name].sudo()
            if actual_sudo._origin.id != agreed_sudo.id:
                deviations.append(
                    self._prepare_deviation(
                        kind,
                        agreement_sudo,
                        expected=agreed_sudo.display_name,
                        actual=actual_sudo.display_name or self.env._("none"),
                        figures=[actual_sudo._origin.id],
                    )
                )
        return deviations
