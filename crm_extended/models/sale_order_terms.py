from odoo import models
from odoo.tools import format_amount, format_date


class SaleOrder(models.Model):
    """The panel on which the seller reads the agreed terms beside those of the order."""

    _inherit = "sale.order"

    # ------------------------------------------------------------------
    # The terms panel
    # ------------------------------------------------------------------

    def _get_term_rows(self, deviations):
        """Rows of the terms panel: what was agreed, what the order says, and the difference.

        :return: list of dicts with `label`, `agreed`, `actual`, `difference`, `ok`, `handling`
        """
        self.ensure_one()
        agreement_sudo = self.agreement_id.sudo()
        of_order = {deviation.kind: deviation for deviation in deviations if not deviation.line}
        rows = []
        shown = []
        for kind, label, agreed, actual in self._get_plain_terms(agreement_sudo):
            deviation = of_order.get(kind)
            if deviation:
                shown.append(deviation)
                rows.append(self._prepare_term_row(deviation, label))
            else:
                rows.append(
                    {
                        "label": label,
                        "agreed": agreed,
                        "actual": actual,
                        "difference": "",
                        "ok": True,
                    }
                )
        if agreement_sudo and agreement_sudo._governs_prices():
            count = len(self.order_line.filtered(lambda line: not line.display_type))
            if count and not any(d.kind in ("price", "discount") for d in deviations):
                rows.append(
                    {
                        "label": self.env._("Prices and discounts"),
                        "agreed": agreement_sudo._get_condition_text("price_rule"),
                        "actual": self.env._("as agreed on %s lines", count),
                        "difference": "",
                        "ok": True,
                    }
                )
        rows += [self._prepare_term_row(d, d.description) for d in deviations if d not in shown]
        return rows

    def _prepare_term_row(self, deviation, label):
        return {
            "label": label,
            "agreed": deviation.expected,
            "actual": deviation.actual,
            "difference": deviation.difference,
            "ok": False,
            "handling": self._get_handling(deviation),
        }

    def _get_plain_terms(self, agreement_sudo):
        """Agreed terms that the panel also shows when the order keeps them.

        :return: list of ``(kind of deviation, label, agreed, on the order)``
        """
        if not agreement_sudo:
            return []
        none = self.env._("none")
        today = format_date(self.env, self._get_agreement_check_date())
        terms = [
            ("validity", self.env._("In force"), self._get_validity_text(agreement_sudo), today)
        ]
        if agreement_sudo.pricelist_id:
            terms.append(
                (
                    "pricelist",
                    self.env._("Price list"),
                    agreement_sudo.pricelist_id.display_name,
                    self.pricelist_id.sudo().display_name or none,
                )
            )
        if self.currency_id and self.currency_id != self.company_id.currency_id:
            terms.append(
                (
                    "currency",
                    self.env._("Currency"),
                    agreement_sudo.currency_id.name,
                    self.currency_id.name,
                )
            )
        term_sudo = self._get_agreed_payment_term(agreement_sudo)
        if term_sudo:
            terms.append(
                (
                    "payment_term",
                    self.env._("Payment terms"),
                    term_sudo.display_name,
                    self.payment_term_id.sudo().display_name or none,
                )
            )
        if agreement_sudo.prepayment_percent:
            terms.append(
                (
                    "prepayment",
                    self.env._("Prepayment"),
                    self._get_percent_text(agreement_sudo.prepayment_percent),
                    self._get_percent_text(self.prepayment_percent),
                )
            )
        if agreement_sudo.minimum_amount:
            minimum = format_amount(
                self.env, agreement_sudo.minimum_amount, agreement_sudo.currency_id
            )
            terms.append(
                (
                    "minimum",
                    self.env._("Minimum order"),
                    self.env._("at least %s", minimum),
                    self._format_money(self.amount_untaxed),
                )
            )
        return terms + self._get_plain_conditions(agreement_sudo)

    def _get_plain_conditions(self, agreement_sudo):
        """The same for delivery, contract and debt."""
        terms = []
        agreed_day = self._get_agreed_delivery_date(agreement_sudo)
        if agreed_day:
            promised = self._get_promised_delivery_date()
            terms.append(
                (
                    "delivery",
                    self.env._("Delivery"),
                    self.env._("by %s", format_date(self.env, agreed_day)),
                    format_date(self.env, promised) if promised else self.env._("not promised"),
                )
            )
        for kind, agreed_sudo, name in (
            ("incoterm", agreement_sudo.incoterm_id, "incoterm"),
            ("warehouse", agreement_sudo.warehouse_ref, "warehouse_id"),
        ):
            if agreed_sudo and name in self._fields:
                label = agreement_sudo._fields[
                    "incoterm_id" if kind == "incoterm" else "warehouse_ref"
                ]._description_string(self.env)
                terms.append((kind, label, agreed_sudo.display_name, self[name].display_name or ""))
        if agreement_sudo.contract_required:
            terms.append(
                (
                    "contract",
                    self.env._("Contract"),
                    self.env._("a signed contract in force"),
                    self.agreement_contract_id.sudo().display_name or "",
                )
            )
        if agreement_sudo.overdue_control:
            terms.append(
                (
                    "overdue",
                    self.env._("Overdue debt"),
                    self.env._("at most %s days late", agreement_sudo.overdue_days)
                    if agreement_sudo.overdue_days
                    else self.env._("no overdue debt"),
                    self.env._("none"),
                )
            )
        if agreement_sudo.credit_limit:
            currency = self.company_id.currency_id
            limit = format_amount(self.env, agreement_sudo.credit_limit, currency)
            terms.append(
                (
                    "credit",
                    self.env._("Credit limit"),
                    self.env._("at most %s", limit),
                    self.env._("within the limit"),
                )
            )
        return terms
