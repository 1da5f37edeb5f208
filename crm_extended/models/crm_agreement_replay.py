from dateutil.relativedelta import relativedelta
from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount, format_date

from ..tools.agreement_replay import ReplayLine, chart_bars, summarise, weighted_days
from ..tools.agreement_terms import net_price
from .product_pricelist import AgreedPriceRules

ORDER_LIMIT = 2000


class CrmAgreement(models.Model):
    """*Replay*: what the proposed terms would have made of the orders of the last twelve months.

    The confirmed orders of the client (of the members of the segment, of all clients without
    individual terms) are priced again by the proposed terms: once at the agreed prices, once with
    every largest discount given away. Prices are those of the agreed price list today, so that a
    list that rose meanwhile shows as well. Margin counts lines whose product has a cost, at the
    cost of today. The delay of payment compares the payment terms, weighted by amount. An order
    would have been held back when it was sold below the lowest price, was too small, was promised
    too late, or the client's debt of that day was past its limit or too late. Debt of the past is
    read from the journal items and the dates of their reconciliation.

    Nothing is written. Orders are those that the user may read; the latest 2,000 are looked at.
    """

    _inherit = "crm.agreement"

    def action_replay(self):
        """Open the replay of the last twelve months under these terms."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Replay of %s", self.display_name),
            "res_model": "crm.agreement.replay",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_agreement_id": self.id, "dialog_size": "extra-large"},
        }

    def _get_replay_domain(self, today):
        """Orders that are replayed.

        :param date today: the last day
        """
        self.ensure_one()
        domain = (
            Domain("company_id", "=", self.company_id.id)
            & Domain("state", "=", "sale")
            & Domain("date_order", ">=", today - relativedelta(months=12))
        )
        if self.kind == "individual":
            return domain & Domain(
                "partner_id.commercial_partner_id", "=", self.commercial_partner_id.id
            )
        if self.segment_id:
            members = self.segment_id._get_partner_domain()
            return domain & Domain("partner_id", "any", members)
        return domain & Domain("agreement_id.kind", "!=", "individual")

    def _replay(self, today=None):
        """Figures of the replay.

        :param date today: the last day, by default that of the user
        :return: what :func:`summarise` returns, with `orders`, `truncated`, `days_actual`,
            `days_agreed` and `held`: mapping of an order to the reasons, in words
        :rtype: dict
        """
        self.ensure_one()
        today = today or fields.Date.context_today(self)
        found = self.env["sale.order"].search(
            self._get_replay_domain(today), order="date_order desc", limit=ORDER_LIMIT + 1
        )
        orders = found[:ORDER_LIMIT]
        figures = summarise(self._get_replay_lines(orders))
        held = {}
        below = orders.browse(figures.pop("below"))
        for order in below:
            held.setdefault(order, []).append(self.env._("sold below the lowest price"))
        for order, reason in self._get_replay_reasons(orders):
            held.setdefault(order, []).append(reason)
        days_actual, days_agreed = self._get_replay_days(orders)
        return {
            **figures,
            "sees_cost": self.env["crm.secrecy.rule"]._sees_margin(self),
            "orders": orders,
            "truncated": len(found) > ORDER_LIMIT,
            "days_actual": days_actual,
            "days_agreed": days_agreed,
            "held": {order: held[order] for order in orders if order in held},
        }

    def _get_replay_lines(self, orders):
        lines = orders.order_line.filtered(
            lambda line: not line.display_type and not line.is_downpayment
        )
        moment = fields.Datetime.now()
        agreement_sudo = self.sudo()
        prices = agreement_sudo._get_fixed_prices()
        discounts = agreement_sudo._get_discount_lines()
        rules = AgreedPriceRules(lines.product_id)
        with_cost = self.env["crm.secrecy.rule"]._sees_margin(self)
        # sudo: the agreed price is told, the price list and cost behind it are not
        for line in lines.sudo().with_context(crm_agreement_price_rules=rules):
            order = line.order_id
            rate = order.currency_rate or 1.0
            actual = line.price_subtotal / rate
            agreed = lowest = actual
            net = net_price(line.price_unit, line.discount)
            terms = (
                line._get_agreed_terms(agreement_sudo, moment, prices, discounts)
                if line.product_id and line.product_uom_qty > 0
                else None
            )
            if terms:
                price, maximum = terms
                quantity = line.product_uom_qty / rate
                agreed = actual * price / net if net > 0 else price * quantity
                lowest = net_price(agreed, maximum)
            quantity = (
                line.product_uom_id._compute_quantity(line.product_uom_qty, line.product_id.uom_id)
                if line.product_id and line.product_uom_id
                else 0.0
            )
            yield ReplayLine(
                order_id=order.id,
                month=order.date_order.date().replace(day=1),
                actual=actual,
                agreed=agreed,
                lowest=lowest,
                cost=line.product_id.with_company(line.company_id).standard_price * quantity
                if with_cost
                else 0.0,
                governed=bool(terms),
            )

    def _get_replay_days(self, orders):
        """Average days until payment by the terms on the orders and by the proposed ones."""
        term_sudo = self.sudo().payment_term_id
        actual = agreed = total = 0.0
        for order in orders.sudo():
            amount = order._get_amount_in_company_currency()
            days = self._get_term_days(order.payment_term_id, order)
            actual += days * amount
            agreed += (self._get_term_days(term_sudo, order) if term_sudo else days) * amount
            total += amount
        return (actual / total, agreed / total) if total else (0.0, 0.0)

    def _get_term_days(self, term, order):
        """Average days of payment terms for an order, counted from its date."""
        start = order.date_order.date()
        if not term:
            return 0.0
        currency = order.company_id.currency_id
        computed = term._compute_terms(
            date_ref=start,
            currency=currency,
            company=order.company_id,
            tax_amount=0.0,
            tax_amount_currency=0.0,
            sign=1,
            untaxed_amount=order.amount_total or 1.0,
            untaxed_amount_currency=order.amount_total or 1.0,
        )
        return weighted_days(
            [(line["date"], line["company_amount"]) for line in computed["line_ids"]], start
        )

    def _get_replay_reasons(self, orders):
        """Why orders would have been held back, prices aside.

        :return: iterable of ``(order, reason in words)``
        """
        company = self.company_id
        currency = company.currency_id
        minimum = self.currency_id._convert(
            self.minimum_amount, currency, company, fields.Date.context_today(self)
        )
        for order in orders:
            untaxed = order.amount_untaxed / (order.currency_rate or 1.0)
            if currency.compare_amounts(untaxed, minimum) < 0:
                yield order, self.env._("smaller than the minimum")
            if self.delivery_days and order.commitment_date:
                days = (order.commitment_date.date() - order.date_order.date()).days
                if days > self.delivery_days:
                    yield order, self.env._("delivery promised in %s days", days)
        if not orders or not (self.credit_limit or self.overdue_control):
            return
        for order_id, owed, overdue in self._get_replay_debt(orders):
            order = orders.browse(order_id)
            exposure = owed + order._get_amount_in_company_currency()
            if self.credit_limit and currency.compare_amounts(exposure, self.credit_limit) > 0:
                yield (
                    order,
                    self.env._(
                        "over the credit limit: %s", format_amount(self.env, exposure, currency)
                    ),
                )
            if self.overdue_control and currency.compare_amounts(overdue, 0.0) > 0:
                yield (
                    order,
                    self.env._("overdue debt: %s", format_amount(self.env, overdue, currency)),
                )

    def _get_replay_debt(self, orders):
        """What each client owed on the day of each order, and how much of it was too late.

        A journal item is open on a day as far as no reconciliation of that day or earlier settled
        it.

        :return: list of ``(order id, owed, overdue)`` in company currency
        """
        self.env["account.move.line"].flush_model()
        self.env["account.partial.reconcile"].flush_model()
        orders.flush_recordset(["date_order", "partner_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT so.id, COALESCE(SUM(item.open), 0),
                       COALESCE(SUM(item.open) FILTER (
                           WHERE item.open > 0
                             AND item.due < so.date_order::date - %(tolerated)s
                       ), 0)
                  FROM sale_order so
                  JOIN res_partner contact ON contact.id = so.partner_id
             LEFT JOIN LATERAL (
                        SELECT line.date_maturity AS due,
                               line.balance
                               - COALESCE((SELECT SUM(amount) FROM account_partial_reconcile
                                            WHERE debit_move_id = line.id
                                              AND max_date <= so.date_order::date), 0)
                               + COALESCE((SELECT SUM(amount) FROM account_partial_reconcile
                                            WHERE credit_move_id = line.id
                                              AND max_date <= so.date_order::date), 0) AS open
                          FROM account_move_line line
                          JOIN account_account account ON account.id = line.account_id
                          JOIN res_partner entity ON entity.id = line.partner_id
                         WHERE entity.commercial_partner_id = contact.commercial_partner_id
                           AND line.company_id = so.company_id
                           AND line.parent_state = 'posted'
                           AND line.date <= so.date_order::date
                           AND account.account_type = 'asset_receivable'
                       ) item ON TRUE
                 WHERE so.id = ANY(%(orders)s)
              GROUP BY so.id
                """,
                tolerated=self.overdue_days,
                orders=orders.ids,
            )
        )
        return [(order_id, float(owed), float(overdue)) for order_id, owed, overdue in rows]

    # ------------------------------------------------------------------
    # The page
    # ------------------------------------------------------------------

    def _render_replay(self, figures):
        """The replay as one page."""
        self.ensure_one()
        currency = self.company_id.currency_id

        def money(value):
            return format_amount(self.env, value, currency, trailing_zeroes=False)

        def change(new, old):
            if not old:
                return ""
            return self.env._("%(percent)+.1f %%", percent=(new - old) / abs(old) * 100.0)

        return self.env["ir.qweb"]._render(
            "crm_extended.crm_agreement_replay_page",
            {
                "figures": figures,
                "money": money,
                "change": change,
                "bars": chart_bars(figures["months"]),
                "format_month": lambda day: format_date(self.env, day, date_format="LLL yy"),
                "format_day": lambda moment: format_date(self.env, moment),
                "governs_prices": self._governs_prices(),
                "held": list(figures["held"].items())[:20],
            },
        )
