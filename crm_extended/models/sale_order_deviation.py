import json
from collections import namedtuple

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_amount, format_date
from odoo.tools.misc import formatLang

from ..tools.agreement_terms import exceeds, given_discount, net_price, order_concession
from .crm_agreement import APPROVER_GROUP
from .sale_order import CONFIRMED_STATES, OPEN_STATES

# Identity of this object marks the check of a confirmation; no client can send it.
_JUDGED_NOW = object()

Deviation = namedtuple(
    "Deviation",
    [
        "kind",  # one of DEVIATION_KINDS
        "agreement",  # the agreement deviated from, under sudo
        "line",  # order line, or an empty recordset
        "description",
        "expected",  # text
        "actual",  # text
        "difference",  # text
        "severity",  # number that grows as the deviation gets worse
        "amount",  # what it costs in the order's currency, 0.0 when not a matter of money
        "figures",  # JSON values that were decided on
    ],
)


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
        "amount_untaxed",
        "order_line.product_id",
        "order_line.product_uom_qty",
        "order_line.product_uom_id",
        "order_line.price_unit",
        "order_line.discount",
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
        enforcement = deviation.agreement.enforcement
        if enforcement != "approve":
            return enforcement
        rows_sudo = self._get_covering_rows(deviation)
        for state in ("approved", "requested"):
            if state in rows_sudo.mapped("state"):
                return state
        return "approve"

    def _get_covering_rows(self, deviation):
        """Stored rows (under sudo) that were decided on exactly these figures."""
        fingerprint = self._get_fingerprint(deviation)
        return self._origin.sudo().deviation_ids.filtered(
            lambda row: row.fingerprint == fingerprint
        )

    @api.model
    def _get_fingerprint(self, deviation):
        return json.dumps(
            [deviation.kind, deviation.agreement.id, deviation.line._origin.id, *deviation.figures]
        )

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
        return deviations

    def _prepare_deviation(self, kind, agreement, figures, **values):
        labels = dict(
            self.env["crm.agreement.deviation"]._fields["kind"]._description_selection(self.env)
        )
        defaults = {
            "line": self.env["sale.order.line"],
            "description": labels[kind],
            "difference": "",
            "severity": 1.0,
            "amount": 0.0,
        }
        return Deviation(
            kind=kind, agreement=agreement, figures=tuple(figures), **{**defaults, **values}
        )

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
        term_sudo = agreement_sudo.payment_term_id
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
        deviations = []
        sums = []
        excess = 0.0
        for line in self.order_line:
            terms = line._get_agreed_terms(agreement_sudo)
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

    # ------------------------------------------------------------------
    # Control
    # ------------------------------------------------------------------

    def _check_confirmation_terms(self):
        """Refuse the confirmation of orders outside their agreement; record what only warns.

        :raise UserError: lists each deviation and what to do about it
        """
        for order in self.with_context(crm_agreement_judged_now=_JUDGED_NOW):
            deviations = order._get_deviations()
            handled = {deviation: order._get_handling(deviation) for deviation in deviations}
            refused = [d for d in deviations if handled[d] not in ("approved", "warn")]
            if refused:
                raise UserError(order._get_refusal_message(refused))
            order._record_deviations([d for d in deviations if handled[d] == "warn"])

    def _get_refusal_message(self, deviations):
        self.ensure_one()
        lines = [
            self.env._(
                "- %(what)s: agreed %(expected)s, on the order %(actual)s",
                what=deviation.description,
                expected=deviation.expected,
                actual=deviation.actual,
            )
            for deviation in deviations
        ]
        handling = {self._get_handling(deviation) for deviation in deviations}
        if "block" in handling:
            remedy = self.env._("Bring the order back to the agreed terms to confirm it.")
        elif "approve" in handling:
            remedy = self.env._(
                "Ask for an approval (button Request Approval) or return to the agreed terms."
            )
        else:
            remedy = self.env._("An approver still has to decide on it.")
        return self.env._(
            "Order %(order)s cannot be confirmed past agreement %(agreement)s:\n%(list)s\n\n"
            "%(remedy)s",
            order=self.name,
            agreement=", ".join(dict.fromkeys(d.agreement.name for d in deviations)),
            list="\n".join(lines),
            remedy=remedy,
        )

    def _get_deviation_snapshot(self):
        """Severity of each present deviation of confirmed orders, before a change.

        :return: mapping of order to ``{(kind, line id): severity}``
        """
        return {
            order: {
                (deviation.kind, deviation.line.id): deviation.severity
                for deviation in order._get_deviations()
            }
            for order in self
        }

    def _check_no_new_deviation(self, known):
        """Refuse a change of a confirmed order that adds a deviation or makes one worse.

        :param dict known: the snapshot taken before the change
        :raise UserError: unless the agreement only warns
        """
        for order in self:
            if order.state not in CONFIRMED_STATES:
                continue
            before = known.get(order, {})
            worse = [
                deviation
                for deviation in order._get_deviations()
                if exceeds(deviation.severity, before.get((deviation.kind, deviation.line.id), 0.0))
            ]
            refused = [d for d in worse if order._get_handling(d) not in ("approved", "warn")]
            if refused:
                raise UserError(
                    self.env._(
                        "%(message)s\n\nThe order is already confirmed. To change it past the "
                        "agreement, cancel it, set it back to quotation and ask for an approval.",
                        message=order._get_refusal_message(refused),
                    )
                )
            order._record_deviations([d for d in worse if order._get_handling(d) == "warn"])

    def _is_confirmation_refused(self):
        """Whether confirming this order now would be refused for its terms."""
        self.ensure_one()
        return any(
            self._get_handling(deviation) not in ("approved", "warn")
            for deviation in self._get_deviations()
        )

    def _is_held_by_agreement(self):
        """Whether a quotation cannot be signed or paid online before its terms are settled."""
        self.ensure_one()
        return self.state in OPEN_STATES and self._is_confirmation_refused()

    def _has_to_be_signed(self):
        return super()._has_to_be_signed() and not self._is_held_by_agreement()

    def _has_to_be_paid(self):
        return super()._has_to_be_paid() and not self._is_held_by_agreement()

    # ------------------------------------------------------------------
    # Request and decision
    # ------------------------------------------------------------------

    def _prepare_deviation_row_values(self, deviation):
        return {
            "order_id": self.id,
            "order_line_id": deviation.line.id,
            "agreement_id": deviation.agreement.id,
            "kind": deviation.kind,
            "description": deviation.description,
            "expected": deviation.expected,
            "actual": deviation.actual,
            "difference": deviation.difference,
            "amount": deviation.amount,
            "fingerprint": self._get_fingerprint(deviation),
            "requested_by_id": self.env.user.id,
        }

    def _record_deviations(self, deviations):
        """Keep deviations that an agreement lets pass with a warning."""
        if not deviations:
            return
        self.ensure_one()
        # sudo: nobody has write access on deviations, only these methods keep them
        self.env["crm.agreement.deviation"].sudo().create(
            [self._prepare_deviation_row_values(d) | {"state": "recorded"} for d in deviations]
        )
        self._log_deviations(
            self.env._("Confirmed with deviations from the agreement:"), deviations
        )

    def _log_deviations(self, title, deviations, note=""):
        """Post deviations (live ones or rows) in the chatter of the order."""
        self.message_post(
            body=self.env["ir.qweb"]._render(
                "crm_extended.sale_order_deviation_log",
                {"title": title, "deviations": deviations, "note": note},
            ),
            subtype_xmlid="mail.mt_note",
        )

    def action_request_deviation_approval(self):
        """Open the dialog in which the salesperson asks for an approval."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_agreement_deviation_request_action"
        ) | {"context": {"default_order_id": self.id}}

    def action_decide_deviations(self):
        """Open the dialog in which the approver decides."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_agreement_deviation_decision_action"
        ) | {"context": {"default_order_id": self.id}}

    def _request_deviation_approval(self, reason):
        """Ask the approvers, once, for everything that needs their approval.

        :param str reason: why the client should get it
        :return: the new rows, under sudo
        :raise UserError: when nothing needs approval or something can never be approved
        """
        self.ensure_one()
        self.check_access("write")
        if self.state not in OPEN_STATES:
            raise UserError(self.env._("Order %s is not a quotation.", self.name))
        deviations = self._get_deviations()
        blocked = [d for d in deviations if self._get_handling(d) == "block"]
        if blocked:
            raise UserError(self._get_refusal_message(blocked))
        wanted = [d for d in deviations if self._get_handling(d) == "approve"]
        if not wanted:
            raise UserError(self.env._("Nothing on order %s waits to be asked for.", self.name))
        self._void_changed_deviations()
        rows_sudo = (
            self.env["crm.agreement.deviation"]
            .sudo()
            .create(
                [
                    self._prepare_deviation_row_values(d)
                    | {"state": "requested", "request_reason": reason}
                    for d in wanted
                ]
            )
        )
        self._log_deviations(self.env._("Approval requested:"), wanted, reason)
        for user in self._get_deviation_approvers(rows_sudo):
            self.activity_schedule(
                "crm_extended.mail_activity_agreement_approval",
                user_id=user.id,
                summary=self.env._("Order %s deviates from its agreement", self.name),
            )
        return rows_sudo

    def _can_be_decided_by(self, user, rows):
        """Whether `user` is an approver who neither asked for it nor sells this order."""
        self.ensure_one()
        if not user.has_group(APPROVER_GROUP):
            return False
        if self.company_id.sudo().agreement_self_approval:
            return True
        return user not in (rows.sudo().requested_by_id | self.user_id)

    def _get_deviation_approvers(self, rows):
        group_sudo = self.env.ref(APPROVER_GROUP).sudo()  # groups are not readable by everybody
        users = group_sudo.all_user_ids.filtered(
            lambda user: not user.share and user.active and self.company_id in user.company_ids
        )
        return users.filtered(lambda user: self._can_be_decided_by(user, rows)).with_env(self.env)

    def _decide_deviations(self, approved, reason):
        """Record the approver's decision on everything that is requested.

        :param bool approved: True to let the order pass, False to refuse
        :param str reason: kept with the rows and shown in the chatter
        :raise AccessError: when the user is not an approver
        :raise UserError: on one's own request, without a reason, or when nothing is requested
        """
        self.ensure_one()
        if not self.env.user.has_group(APPROVER_GROUP):
            raise AccessError(self.env._("Only an agreement approver decides on deviations."))
        self.check_access("write")
        self._void_changed_deviations()
        rows_sudo = self.sudo().deviation_ids.filtered(lambda row: row.state == "requested")
        if not rows_sudo:
            raise UserError(
                self.env._(
                    "Nothing on order %s waits for a decision: the order may have changed since "
                    "approval was asked for.",
                    self.name,
                )
            )
        if not self._can_be_decided_by(self.env.user, rows_sudo):
            raise UserError(
                self.env._(
                    "You asked for this approval or sell this order: another approver has to "
                    "decide."
                )
            )
        if not (reason or "").strip():
            raise UserError(self.env._("Give the reason of your decision."))
        rows_sudo.write(
            {
                "state": "approved" if approved else "refused",
                "approver_id": self.env.user.id,
                "decided_on": fields.Datetime.now(),
                "reason": reason,
            }
        )
        title = (
            self.env._("Deviations approved:") if approved else self.env._("Deviations refused:")
        )
        self._log_deviations(title, rows_sudo, reason)
        self.activity_unlink(["crm_extended.mail_activity_agreement_approval"])
        return rows_sudo

    def _void_changed_deviations(self):
        """Void requests and approvals whose figures the order no longer has."""
        # sudo: see _record_deviations
        for order_sudo in self.sudo():
            rows_sudo = order_sudo.deviation_ids.filtered(
                lambda row: row.state in ("requested", "approved")
            )
            if not rows_sudo or order_sudo.state not in OPEN_STATES:
                continue
            present = [order_sudo._get_fingerprint(d) for d in order_sudo._get_deviations()]
            stale_sudo = rows_sudo - rows_sudo.filtered_domain([("fingerprint", "in", present)])
            if not stale_sudo:
                continue
            stale_sudo.write({"state": "void"})
            order_sudo._log_deviations(
                self.env._("The order changed; these approvals are void:"), stale_sudo
            )
            if not (rows_sudo - stale_sudo).filtered(lambda row: row.state == "requested"):
                order_sudo.activity_unlink(["crm_extended.mail_activity_agreement_approval"])
