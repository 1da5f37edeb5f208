from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..tools.agreement_terms import exceeds, net_price
from .sale_order_deviation import Deviation


class AccountMove(models.Model):
    """An invoice is held to the agreement of the orders it bills, when it is posted.

    The order was checked when it was confirmed; the invoice may not go past what the order says or
    what was approved on it: not below its prices, not with a discount that the order does not have,
    not with other payment terms or another currency. What deviates is refused, needs an approval or
    is recorded, as the agreement says for that kind. Debt, delivery and minimum are matters of the
    order alone: goods that were delivered have to be invoiced.

    Approval is asked for on the invoice and given where all others are given: on the order.
    """

    _inherit = "account.move"

    deviation_ids = fields.One2many(
        "crm.agreement.deviation",
        "move_id",
        "Deviations",
        readonly=True,
        copy=False,
        groups="sales_team.group_sale_salesman,account.group_account_invoice,"
        "account.group_account_readonly",
    )
    agreement_check = fields.Selection(
        [
            ("ok", "Within the agreement"),
            ("warn", "Deviates, with a warning"),
            ("approve", "Needs approval"),
            ("requested", "Waits for approval"),
            ("approved", "Deviations approved"),
            ("block", "Cannot be posted"),
        ],
        compute="_compute_agreement_check",
        string="Agreement Check",
    )
    agreement_terms_html = fields.Html(
        "Terms", compute="_compute_agreement_check", sanitize=False, exportable=False
    )

    can_decide_deviations = fields.Boolean(compute="_compute_can_decide_deviations")

    @api.depends(
        "state",
        "currency_id",
        "invoice_payment_term_id",
        "invoice_line_ids.price_unit",
        "invoice_line_ids.discount",
        "invoice_line_ids.quantity",
        "invoice_line_ids.product_uom_id",
        "invoice_line_ids.sale_line_ids",
        "deviation_ids.state",
    )
    def _compute_agreement_check(self):
        if self.env.user.share and not self.env.su:
            # how far an invoice may go is not the customer's business
            self.agreement_check = False
            self.agreement_terms_html = False
            return
        for move in self:
            deviations = move._get_deviations() if move.state == "draft" else []
            handling = {move._get_handling(deviation) for deviation in deviations}
            values = ("block", "approve", "requested", "warn", "approved")
            move.agreement_check = next((value for value in values if value in handling), False)
            move.agreement_terms_html = (
                self.env["ir.qweb"]._render(
                    "crm_extended.sale_order_terms",
                    {
                        "rows": [
                            {
                                "label": deviation.description,
                                "agreed": deviation.expected,
                                "actual": deviation.actual,
                                "difference": deviation.difference,
                                "ok": False,
                                "handling": move._get_handling(deviation),
                            }
                            for deviation in deviations
                        ],
                        "agreement": True,
                        "on_invoice": True,
                    },
                )
                if deviations
                else False
            )

    @api.depends("deviation_ids.state")
    @api.depends_context("uid")
    def _compute_can_decide_deviations(self):
        for move in self:
            # sudo: whoever opens the invoice is told; who may decide is asked of the order
            rows_sudo = move.sudo().deviation_ids.filtered(lambda row: row.state == "requested")
            move.can_decide_deviations = bool(rows_sudo) and all(
                order_sudo._can_be_decided_by(self.env.user, rows_sudo)
                for order_sudo in rows_sudo.order_id
            )

    # ------------------------------------------------------------------
    # Control
    # ------------------------------------------------------------------

    def write(self, vals):
        # every road to a posted invoice writes the state; a remote call may write nothing else
        if vals.get("state") == "posted":
            self._check_agreed_terms()
        return super().write(vals)

    def _check_agreed_terms(self):
        """Refuse to post invoices past their agreement; record what only warns.

        :raise UserError: lists each deviation and what to do about it
        """
        for move in self.filtered(lambda move: move.state == "draft"):
            deviations = move._get_deviations()
            if not deviations:
                continue
            handled = [(deviation, move._get_handling(deviation)) for deviation in deviations]
            refused = [pair for pair in handled if pair[1] not in ("approved", "warn")]
            if refused:
                raise UserError(move._get_refusal_message(refused))
            move._keep_deviations([d for d, way in handled if way == "warn"], state="recorded")

    def _get_refusal_message(self, handled):
        self.ensure_one()
        lines = [
            self.env._(
                "- %(what)s: agreed %(expected)s, on the invoice %(actual)s",
                what=deviation.description,
                expected=deviation.expected,
                actual=deviation.actual,
            )
            for deviation, _way in handled
        ]
        if any(way == "block" for _deviation, way in handled):
            remedy = self.env._("Bring the invoice back to the terms of the order to post it.")
        elif any(way == "approve" for _deviation, way in handled):
            remedy = self.env._(
                "Ask for an approval (button Request Approval) or return to the terms of the order."
            )
        else:
            remedy = self.env._("An approver still has to decide on it.")
        return self.env._(
            "The invoice to %(partner)s cannot be posted past agreement %(agreement)s:\n%(list)s"
            "\n\n%(remedy)s",
            partner=self.partner_id.display_name,
            agreement=", ".join(dict.fromkeys(pair[0].agreement.name for pair in handled)),
            list="\n".join(lines),
            remedy=remedy,
        )

    # ------------------------------------------------------------------
    # Finding deviations
    # ------------------------------------------------------------------

    def _get_deviations(self):
        """Points in which this invoice goes past the orders it bills and their agreements.

        :rtype: list[Deviation]
        """
        self.ensure_one()
        if self.move_type not in ("out_invoice", "out_receipt"):
            return []
        move_sudo = self.sudo()  # sudo: the terms bind whoever posts, also who cannot see them
        lines_sudo = move_sudo.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        )
        sale_lines_sudo = lines_sudo.sale_line_ids.filtered("order_id.agreement_id")
        if not sale_lines_sudo:
            return []
        deviations = []
        for order_sudo in sale_lines_sudo.order_id:
            deviations += move_sudo._get_header_deviations(order_sudo)
        for line_sudo in lines_sudo:
            deviations += move_sudo._get_line_deviations(line_sudo)
        return deviations + move_sudo._get_extra_discount_deviations(
            lines_sudo, sale_lines_sudo.order_id[:1]
        )

    def _prepare_deviation(self, kind, order_sudo, figures, **values):
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
            kind=kind,
            agreement=order_sudo.agreement_id,
            figures=(order_sudo.id, *figures),
            **{**defaults, **values},
        )

    def _get_header_deviations(self, order_sudo):
        deviations = []
        agreement_sudo = order_sudo.agreement_id
        agreed_sudo = order_sudo._get_agreed_payment_term(agreement_sudo)
        term_sudo = self.invoice_payment_term_id
        if agreed_sudo and term_sudo not in (agreed_sudo, order_sudo.payment_term_id):
            deviations.append(
                self._prepare_deviation(
                    "payment_term",
                    order_sudo,
                    [term_sudo.id],
                    expected=agreed_sudo.display_name,
                    actual=term_sudo.display_name or self.env._("none"),
                )
            )
        if self.currency_id != order_sudo.currency_id:
            deviations.append(
                self._prepare_deviation(
                    "currency",
                    order_sudo,
                    [self.currency_id.id],
                    expected=order_sudo.currency_id.name,
                    actual=self.currency_id.name,
                )
            )
        return deviations

    def _get_line_deviations(self, line):
        """Whether a line bills its order line below the price on the order."""
        deviations = []
        net = net_price(line.price_unit, line.discount)
        for sale_line_sudo in line.sale_line_ids:
            order_sudo = sale_line_sudo.order_id
            if not order_sudo.agreement_id or sale_line_sudo.is_downpayment:
                continue
            agreed = net_price(sale_line_sudo.price_unit, sale_line_sudo.discount)
            if order_sudo.currency_id != self.currency_id:
                agreed = order_sudo.currency_id._convert(
                    agreed,
                    self.currency_id,
                    self.company_id,
                    self.invoice_date or fields.Date.context_today(self),
                    round=False,
                )
            unit = line.product_uom_id
            if unit and sale_line_sudo.product_uom_id and unit != sale_line_sudo.product_uom_id:
                agreed = sale_line_sudo.product_uom_id._compute_price(agreed, unit)
            base = abs(agreed)
            if not base and net >= 0:
                continue
            lowered = (agreed - net) / base * 100.0 if base else 100.0
            if not exceeds(lowered, 0.0):
                continue
            name = line.product_id.display_name or line.name or ""
            deviations.append(
                self._prepare_deviation(
                    "price",
                    order_sudo,
                    [line.product_id.id, round(net, 4), line.quantity],
                    line=sale_line_sudo,
                    description=self.env._("Price below the order: %s", name),
                    expected=format_amount(self.env, agreed, self.currency_id),
                    actual=format_amount(self.env, net, self.currency_id),
                    difference=format_amount(self.env, net - agreed, self.currency_id),
                    severity=lowered,
                    amount=(agreed - net) * abs(line.quantity),
                )
            )
        return deviations

    def _get_extra_discount_deviations(self, lines, order_sudo):
        """Amounts taken off the invoice in lines that come from no order."""
        extra = sum(
            line.price_subtotal
            for line in lines
            if not line.sale_line_ids and line.price_subtotal < 0
        )
        if self.currency_id.compare_amounts(extra, 0.0) >= 0:
            return []
        return [
            self._prepare_deviation(
                "discount",
                order_sudo,
                [round(extra, 2)],
                description=self.env._("Discount that is not on the order"),
                expected=format_amount(self.env, 0.0, self.currency_id),
                actual=format_amount(self.env, extra, self.currency_id),
                difference=format_amount(self.env, extra, self.currency_id),
                severity=-extra,
                amount=-extra,
            )
        ]

    # ------------------------------------------------------------------
    # Handling, request
    # ------------------------------------------------------------------

    def _get_handling(self, deviation):
        """How one live deviation is handled now: `block`, `approve`, `requested`, `approved`,
        `warn`.
        """
        enforcement = deviation.agreement._get_enforcement(deviation.kind)
        if enforcement != "approve":
            return enforcement
        fingerprint = self._get_fingerprint(deviation)
        # sudo: whoever posts is told how it stands, whether or not he reads deviations
        rows_sudo = self._origin.sudo().deviation_ids.filtered(
            lambda row: row.fingerprint == fingerprint
        )
        for state in ("approved", "requested"):
            if state in rows_sudo.mapped("state"):
                return state
        return "approve"

    def _get_fingerprint(self, deviation):
        return self.env["sale.order"]._get_fingerprint(deviation)

    def _keep_deviations(self, deviations, **values):
        """Keep deviations of this invoice as rows of the orders they belong to.

        :return: the new rows, under sudo
        """
        self.ensure_one()
        # sudo: nobody has write access on deviations, only these methods keep them
        Deviations_sudo = self.env["crm.agreement.deviation"].sudo()
        return Deviations_sudo.create(
            [
                {
                    "order_id": deviation.figures[0],
                    "move_id": self.id,
                    "order_line_id": deviation.line.id,
                    "agreement_id": deviation.agreement.id,
                    "kind": deviation.kind,
                    "description": deviation.description,
                    "expected": deviation.expected,
                    "actual": deviation.actual,
                    "difference": deviation.difference,
                    "amount": deviation.amount,
                    "severity": deviation.severity,
                    "fingerprint": self._get_fingerprint(deviation),
                    "requested_by_id": self.env.user.id,
                    **values,
                }
                for deviation in deviations
            ]
        )

    def action_request_deviation_approval(self):
        """Open the dialog in which an approval is asked for."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_agreement_deviation_request_action"
        ) | {"context": {"default_move_id": self.id}}

    def action_decide_deviations(self):
        """Open the approver's decision on the order that this invoice bills."""
        self.ensure_one()
        requested = self.deviation_ids.filtered(lambda row: row.state == "requested")
        if not requested:
            raise UserError(self.env._("Nothing on this invoice waits for a decision."))
        return requested.order_id[:1].action_decide_deviations()

    def _request_deviation_approval(self, reason):
        """Ask the approvers, once, for everything on this invoice that needs their approval.

        :param str reason: why the client should get it
        :return: the new rows, under sudo
        :raise UserError: when nothing needs approval or something can never be approved
        """
        self.ensure_one()
        self.check_access("write")
        handled = [
            (deviation, self._get_handling(deviation)) for deviation in self._get_deviations()
        ]
        blocked = [pair for pair in handled if pair[1] == "block"]
        if blocked:
            raise UserError(self._get_refusal_message(blocked))
        wanted = [deviation for deviation, way in handled if way == "approve"]
        if self.state != "draft" or not wanted:
            raise UserError(self.env._("Nothing on this invoice waits to be asked for."))
        self._void_changed_deviations()
        rows_sudo = self._keep_deviations(wanted, state="requested", request_reason=reason)
        for order_sudo in rows_sudo.order_id:
            order_rows_sudo = rows_sudo.filtered(lambda row, o=order_sudo: row.order_id == o)
            order_sudo._log_deviations(
                self.env._("Approval requested for the invoice:"), order_rows_sudo, reason
            )
            for user in order_sudo._get_deviation_approvers(order_rows_sudo):
                order_sudo.activity_schedule(
                    "crm_extended.mail_activity_agreement_approval",
                    user_id=user.id,
                    summary=self.env._(
                        "Invoice of %s deviates from its agreement", order_sudo.name
                    ),
                )
        return rows_sudo

    def _void_changed_deviations(self):
        """Void requests and approvals whose figures the invoice no longer has."""
        for move in self:
            # sudo: see _keep_deviations
            rows_sudo = move.sudo().deviation_ids.filtered(
                lambda row: row.state in ("requested", "approved")
            )
            if not rows_sudo or move.state != "draft":
                continue
            present = {move._get_fingerprint(deviation) for deviation in move._get_deviations()}
            rows_sudo.filtered(lambda row, present=present: row.fingerprint not in present).write(
                {"state": "void"}
            )
