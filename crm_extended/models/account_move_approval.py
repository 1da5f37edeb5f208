from odoo import api, fields, models
from odoo.exceptions import UserError

from .account_move_posted import TERM_FIELDS


class AccountMove(models.Model):
    """What is done about the deviations of an invoice (found in `account_move_terms.py`).

    What deviates is refused when the invoice is posted, needs an approval or is recorded, as the
    agreement says for that kind. Approval is asked for on the invoice. It is given on the order
    where the invoice bills one, like all others of that order, and on the invoice itself where it
    was entered by hand.
    """

    _name = "account.move"
    _inherit = ["account.move", "crm.agreement.held.mixin"]

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
        "partner_id",
        "company_id",
        "currency_id",
        "fiscal_position_id",
        "invoice_payment_term_id",
        "invoice_line_ids.product_id",
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
        drafts = self.filtered(lambda move: move.state == "draft")
        applicable = drafts._get_hand_agreements()
        for move in self:
            deviations = move._get_deviations(applicable) if move in drafts else []
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
                document._can_be_decided_by(self.env.user, rows_sudo)
                for document in rows_sudo.order_id or move
            )

    # ------------------------------------------------------------------
    # Control
    # ------------------------------------------------------------------

    def write(self, vals):
        # every road to a posted invoice writes the state; a remote call may write nothing else
        if vals.get("state") == "posted":
            self._check_agreed_terms()
        if vals.keys().isdisjoint(TERM_FIELDS):
            return super().write(vals)
        with self._keep_posted_terms(posting=vals.get("state") == "posted"):
            return super().write(vals)

    def _check_agreed_terms(self):
        """Refuse to post invoices past their agreement; record what only warns.

        :raise UserError: lists each deviation and what to do about it
        """
        drafts = self.filtered(lambda move: move.state == "draft")
        applicable = drafts._get_hand_agreements()
        for move in drafts:
            deviations = move._get_deviations(applicable)
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
            remedy = self.env._("Bring the invoice back to the agreed terms to post it.")
        elif any(way == "approve" for _deviation, way in handled):
            remedy = self.env._(
                "Ask for an approval (button Request Approval) or return to the agreed terms."
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

    def _prepare_deviation_row_values(self, deviation):
        return super()._prepare_deviation_row_values(deviation) | {
            "order_id": deviation.figures[0],
            "move_id": self.id,
        }

    def _keep_deviations(self, deviations, **values):
        """Keep deviations of this invoice as rows, also of the order that it bills.

        :return: the new rows, under sudo
        """
        self.ensure_one()
        # sudo: nobody has write access on deviations, only these methods keep them
        Deviations_sudo = self.env["crm.agreement.deviation"].sudo()
        return Deviations_sudo.create(
            [self._prepare_deviation_row_values(deviation) | values for deviation in deviations]
        )

    def action_request_deviation_approval(self):
        """Open the dialog in which an approval is asked for."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_agreement_deviation_request_action"
        ) | {"context": {"default_move_id": self.id}}

    def action_decide_deviations(self):
        """Open the approver's decision, on the order that this invoice bills if there is one."""
        self.ensure_one()
        requested = self.deviation_ids.filtered(lambda row: row.state == "requested")
        if not requested:
            raise UserError(self.env._("Nothing on this invoice waits for a decision."))
        if requested.order_id:
            return requested.order_id[:1].action_decide_deviations()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_agreement_deviation_decision_action"
        ) | {"context": {"default_move_id": self.id}}

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
            order_sudo._ask_deviation_approvers(
                self.env._("Approval requested for the invoice:"),
                self.env._("Invoice of %s deviates from its agreement", order_sudo.name),
                rows_sudo.filtered(lambda row, order=order_sudo: row.order_id == order),
                reason,
            )
        if by_hand_sudo := rows_sudo.filtered(lambda row: not row.order_id):
            self._ask_deviation_approvers(
                self.env._("Approval requested:"),
                self.env._(
                    "Invoice to %s deviates from the agreement", self.partner_id.display_name
                ),
                by_hand_sudo,
                reason,
            )
        return rows_sudo

    def _get_deviation_seller(self):
        return self.invoice_user_id

    def _check_decision_access(self):
        # approvers read invoices and post none of them; only the decision is theirs
        self.check_access("read")

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
