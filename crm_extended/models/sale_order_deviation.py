from odoo import api, fields, models
from odoo.tools import format_amount, format_date
from odoo.tools.misc import formatLang

from ..tools.agreement_terms import exceeds, given_discount, net_price, order_concession
from .product_pricelist import AgreedPriceRules
from .sale_order import CONFIRMED_STATES, OPEN_STATES

# Identity of this object marks the check of a confirmation; no client can send it.
_JUDGED_NOW = object()

# Kinds whose size follows the client's debt and not what is written on the order.
GROWING_KINDS = ("overdue", "credit")


class SaleOrder(models.Model):
    """What deviates, what is done about it, and who let it pass.

    Each deviation is handled as its agreement says: *block* refuses the order with the list of what
    differs; *approve* refuses it until an approver has accepted exactly these figures; *warn* lets
    it pass and keeps a record. Prices are compared with the agreed price list, whose own discounts
    are part of the agreed price; the agreement's largest discount is counted from there. A discount
    counts however it is given: as a percentage, a lower unit price or a line of its own.
    """

    _inherit = "sale.order"

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends(
        "agreement_id",
        "partner_id",
        "company_id",
        "date_order",
        "state",
        "pricelist_id",
        "currency_id",
        "payment_term_id",
        "require_payment",
        "prepayment_percent",
        "commitment_date",
        "agreement_contract_id",
        "amount_untaxed",
        "amount_total",
        "order_line.product_id",
        "order_line.product_uom_qty",
        "order_line.product_uom_id",
        "order_line.price_unit",
        "order_line.discount",
        "order_line.customer_lead",
        "deviation_ids.state",
    )
    @api.depends_context("uid")
    def _compute_agreement_check(self):
        if self.env.user.share and not self.env.su:
            # how far an order may go is not the customer's business
            self.agreement_check = False
            self.agreement_terms_html = False
            return
        for order in self:
            agreement_sudo = order.agreement_id.sudo()
            deviations = order._get_deviations() if order.state in OPEN_STATES else []
            order.agreement_check = order._get_agreement_check(deviations)
            order.agreement_terms_html = (
                self.env["ir.qweb"]._render(
                    "crm_extended.sale_order_terms",
                    {
                        "order": order,
                        "agreement": agreement_sudo,
                        "rows": order._get_term_rows(deviations),
                        "check": order.agreement_check,
                    },
                )
                if order.state in OPEN_STATES and (agreement_sudo or deviations)
                else False
            )

    @api.depends("deviation_ids.state")
    @api.depends_context("uid")
    def _compute_can_decide_deviations(self):
        if self.env.user.share and not self.env.su:
            self.deviation_count = 0
            self.can_decide_deviations = False
            return
        for order in self:
            # sudo: people who only deliver or invoice open orders as well
            rows_sudo = order.sudo().deviation_ids
            requested_sudo = rows_sudo.filtered(lambda row: row.state == "requested")
            order.deviation_count = len(rows_sudo)
            order.can_decide_deviations = bool(requested_sudo) and order._can_be_decided_by(
                self.env.user, requested_sudo
            )

    def _get_agreement_check(self, deviations):
        """Value of `agreement_check` for the given live deviations."""
        self.ensure_one()
        if not deviations:
            return "ok" if self.agreement_id else "none"
        handling = {self._get_handling(deviation) for deviation in deviations}
        for value in ("block", "approve", "requested", "warn"):
            if value in handling:
                return value
        return "approved"

    def _get_handling(self, deviation):
        """How one live deviation is handled now.

        :return: `block`, `approve` (not yet asked), `requested`, `approved` or `warn`
        """
        enforcement = deviation.agreement._get_enforcement(deviation.kind)
        if enforcement != "approve":
            return enforcement
        rows_sudo = self._get_covering_rows(deviation)
        for state in ("approved", "requested"):
            if state in rows_sudo.mapped("state"):
                return state
        return "approve"

    def _get_covering_rows(self, deviation):
        """Stored rows (under sudo) that were decided on exactly these figures.

        Debt changes by itself from day to day: what was let pass covers a smaller debt as well.
        """
        rows_sudo = self._origin.sudo().deviation_ids
        return rows_sudo.filtered(lambda row: self._is_covered(deviation, row))

    @api.model
    def _is_covered(self, deviation, row):
        if row.fingerprint != self._get_fingerprint(deviation):
            return False
        return deviation.kind not in GROWING_KINDS or not exceeds(deviation.severity, row.severity)

    # ------------------------------------------------------------------
    # Finding deviations
    # ------------------------------------------------------------------

    def _get_agreement_check_date(self):
        """Confirming is judged by the terms of the day on which it happens."""
        return fields.Date.context_today(self)

    def _get_agreed_price_moment(self):
        """Moment whose price list holds: now until the order is confirmed, then its own date."""
        self.ensure_one()
        now = fields.Datetime.now()
        if (
            self.state not in CONFIRMED_STATES
            or self.env.context.get("crm_agreement_judged_now") is _JUDGED_NOW
        ):
            return now
        # an order cannot be older than its record, whatever date is written on it
        return max(self.date_order or now, self._origin.create_date or now)

    def _get_deviations(self):
        """Points in which this order differs from its agreement at this moment.

        :rtype: list[Deviation]
        """
        self.ensure_one()
        if not self.partner_id or not self.company_id:
            return []
        order_sudo = self.sudo()  # sudo: the terms bind whoever confirms, also who cannot see them
        agreement_sudo = order_sudo.agreement_id
        deviations = order_sudo._get_precedence_deviations(agreement_sudo)
        if agreement_sudo:
            deviations += order_sudo._get_header_deviations(agreement_sudo)
            deviations += order_sudo._get_price_deviations(agreement_sudo)
            deviations += order_sudo._get_minimum_deviations(agreement_sudo)
            deviations += order_sudo._get_condition_deviations(agreement_sudo)
            deviations += order_sudo._get_debt_deviations(agreement_sudo)
        return deviations

    def _get_precedence_deviations(self, agreement_sudo):
        """An order may not leave the agreement that applies for a weaker one or for none.

        Any individual agreement of the client that is in force will do; a standard agreement only
        when it is the one that applies.
        """
        date = self._get_agreement_check_date()
        applicable_sudo = self._get_applicable_agreements(date)[self].sudo()
        if not applicable_sudo or applicable_sudo == agreement_sudo:
            return []
        if agreement_sudo.kind == "individual" and agreement_sudo._is_in_force(date):
            return []
        return [
            self._prepare_deviation(
                "agreement",
                applicable_sudo,
                expected=applicable_sudo.display_name,
                actual=agreement_sudo.display_name or self.env._("no agreement"),
                figures=[agreement_sudo.id],
            )
        ]

    def _get_header_deviations(self, agreement_sudo):
        deviations = []
        date = self._get_agreement_check_date()
        if not agreement_sudo._is_in_force(date):
            deviations.append(
                self._prepare_deviation(
                    "validity",
                    agreement_sudo,
                    expected=self._get_validity_text(agreement_sudo),
                    actual=format_date(self.env, date),
                    figures=[agreement_sudo.state, fields.Date.to_string(agreement_sudo.date_end)],
                )
            )
        pricelist_sudo = agreement_sudo.pricelist_id
        if pricelist_sudo and self.pricelist_id.sudo()._origin != pricelist_sudo:
            deviations.append(
                self._prepare_deviation(
                    "pricelist",
                    agreement_sudo,
                    expected=pricelist_sudo.display_name,
                    actual=self.pricelist_id.sudo().display_name or self.env._("none"),
                    figures=[self.pricelist_id._origin.id],
                )
            )
        if self.currency_id and self.currency_id._origin != agreement_sudo.currency_id:
            deviations.append(
                self._prepare_deviation(
                    "currency",
                    agreement_sudo,
                    expected=agreement_sudo.currency_id.name,
                    actual=self.currency_id.name,
                    figures=[self.currency_id._origin.id],
                )
            )
        term_sudo = self._get_agreed_payment_term(agreement_sudo)
        if term_sudo and self.payment_term_id.sudo()._origin != term_sudo:
            deviations.append(
                self._prepare_deviation(
                    "payment_term",
                    agreement_sudo,
                    expected=term_sudo.display_name,
                    actual=self.payment_term_id.sudo().display_name or self.env._("none"),
                    figures=[self.payment_term_id._origin.id],
                )
            )
        return deviations

    def _get_validity_text(self, agreement_sudo):
        states = dict(agreement_sudo._fields["state"]._description_selection(self.env))
        if agreement_sudo.state != "active":
            return states[agreement_sudo.state]
        return self.env._(
            "%(start)s to %(end)s",
            start=format_date(self.env, agreement_sudo.date_start),
            end=format_date(self.env, agreement_sudo.date_end) if agreement_sudo.date_end else "…",
        )

    def _get_price_deviations(self, agreement_sudo):
        """Lines below their agreed price, and what the order gives away as a whole.

        Everything that lines are compared with is read once, so that a long order takes no more
        queries than a short one.
        """
        if not agreement_sudo._governs_prices():
            return []
        deviations = []
        sums = []
        excess = 0.0
        moment = self._get_agreed_price_moment()
        prices = agreement_sudo._get_fixed_prices()
        discounts = agreement_sudo._get_discount_lines()
        rules = AgreedPriceRules(self.order_line.product_id._origin)
        for line in self.order_line.with_context(crm_agreement_price_rules=rules):
            terms = line._get_agreed_terms(agreement_sudo, moment, prices, discounts)
            if not terms:
                continue
            agreed, maximum = terms
            net = net_price(line.price_unit, line.discount)
            sums.append((agreed, net, line.product_uom_qty, maximum))
            given = given_discount(agreed, line.price_unit, line.discount)
            # lines without a quantity count as well: they can still be delivered and invoiced
            if line.product_uom_qty >= 0 and exceeds(given, maximum):
                deviation = self._prepare_line_deviation(
                    agreement_sudo, line, agreed, maximum, given, net
                )
                excess += deviation.amount
                deviations.append(deviation)
        given, allowed, base = order_concession(sums)
        # Lines already named explain their own part; what is left is given away by the whole order.
        over = given - allowed - excess
        if base and exceeds(over / base * 100.0, 0.0):
            deviations.append(
                self._prepare_deviation(
                    "discount",
                    agreement_sudo,
                    description=self.env._("Discount on the whole order"),
                    expected=self.env._("at most %s", self._format_money(allowed)),
                    actual=self._format_money(given),
                    difference=self._format_money(-(given - allowed)),
                    severity=given - allowed,
                    amount=given - allowed,
                    figures=[round(given, 2), round(allowed, 2)],
                )
            )
        return deviations

    def _prepare_line_deviation(self, agreement_sudo, line, agreed, maximum, given, net):
        floor = agreed * (1.0 - maximum / 100.0)
        product_name = line.product_id.display_name
        lowered = exceeds(given_discount(agreed, line.price_unit, 0.0), maximum)
        return self._prepare_deviation(
            "price" if lowered else "discount",
            agreement_sudo,
            line=line,
            description=self.env._("Price below agreed: %s", product_name)
            if lowered
            else self.env._("Discount above agreed: %s", product_name),
            expected=self.env._(
                "at most %(discount)s %% off %(price)s",
                discount=self._format_percent(maximum),
                price=self._format_money(agreed),
            ),
            actual=self.env._(
                "%(discount)s %%: %(price)s",
                discount=self._format_percent(given),
                price=self._format_money(net),
            ),
            difference=self._format_money(net - floor),
            severity=given,
            amount=(floor - net) * line.product_uom_qty,
            figures=[
                line.product_id._origin.id,
                line.product_uom_id._origin.id,
                line.product_uom_qty,
                round(net, 4),
                round(floor, 4),
            ],
        )

    def _get_minimum_deviations(self, agreement_sudo):
        if not agreement_sudo.minimum_amount or not self.currency_id:
            return []
        minimum = agreement_sudo.currency_id._convert(
            agreement_sudo.minimum_amount,
            self.currency_id,
            self.company_id,
            self._get_order_day(),
        )
        if self.currency_id.compare_amounts(self.amount_untaxed, minimum) >= 0:
            return []
        return [
            self._prepare_deviation(
                "minimum",
                agreement_sudo,
                expected=self.env._("at least %s", self._format_money(minimum)),
                actual=self._format_money(self.amount_untaxed),
                difference=self._format_money(self.amount_untaxed - minimum),
                severity=minimum - self.amount_untaxed,
                amount=minimum - self.amount_untaxed,
                figures=[round(minimum, 2), round(self.amount_untaxed, 2)],
            )
        ]

    def _format_money(self, amount):
        return format_amount(self.env, amount, self.currency_id or self.company_id.currency_id)

    def _format_percent(self, value):
        return formatLang(self.env, value, digits=2).rstrip("0").rstrip(".,")
