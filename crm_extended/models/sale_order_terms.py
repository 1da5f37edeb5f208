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
        by_kind = {deviation.kind: deviation for deviation in deviations if not deviation.line}
        rows = []
        for kind, label, agreed, actual in self._get_plain_terms(agreement_sudo):
            if kind not in by_kind:
                rows.append(
                    {
                        "label": label,
                        "agreed": agreed,
                        "actual": actual,
                        "difference": "",
                        "ok": True,
                    }
                )
        for deviation in deviations:
            rows.append(
                {
                    "label": deviation.description,
                    "agreed": deviation.expected,
                    "actual": deviation.actual,
                    "difference": deviation.difference,
                    "ok": False,
                    "handling": self._get_handling(deviation),
                }
            )
        return rows

    def _get_plain_terms(self, agreement_sudo):
        """Agreed terms that the panel also shows when the order keeps them."""
        if not agreement_sudo:
            return []
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
                    self.pricelist_id.sudo().display_name or "",
                )
            )
        if agreement_sudo.payment_term_id:
            terms.append(
                (
                    "payment_term",
                    self.env._("Payment terms"),
                    agreement_sudo.payment_term_id.display_name,
                    self.payment_term_id.sudo().display_name or "",
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
        return terms
