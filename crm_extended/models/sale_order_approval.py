from odoo import models
from odoo.exceptions import UserError

from ..tools.agreement_terms import exceeds
from .sale_order import CONFIRMED_STATES, OPEN_STATES
from .sale_order_deviation import _JUDGED_NOW


class SaleOrder(models.Model):
    """What is done about deviations: refuse, ask, keep (deciding: `crm_agreement_held.py`).

    A request and its decision hold for the figures they were made on; when these change, both are
    void. Rows are kept by these methods only, nobody writes them directly.
    """

    _inherit = "sale.order"

    # ------------------------------------------------------------------
    # Control
    # ------------------------------------------------------------------

    def _check_confirmation_terms(self):
        """Refuse the confirmation of orders outside their agreement; record what only warns.

        :raise UserError: lists each deviation and what to do about it
        """
        self._lock_client_credit()
        for order in self.with_context(crm_agreement_judged_now=_JUDGED_NOW):
            deviations = order._get_deviations()
            handled = {deviation: order._get_handling(deviation) for deviation in deviations}
            refused = [d for d in deviations if handled[d] not in ("approved", "warn")]
            if refused:
                raise UserError(order._get_refusal_message(refused))
            order._record_deviations([d for d in deviations if handled[d] == "warn"])

    def _get_refusal_message(self, deviations, sending=False):
        """What is refused, each deviation, and the way to go on.

        :param bool sending: the quotation was to be sent, not confirmed
        """
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
            remedy = self.env._("Bring the order back to the agreed terms.")
        elif "approve" in handling:
            remedy = self.env._(
                "Ask for an approval (button Request Approval) or return to the agreed terms."
            )
        else:
            remedy = self.env._("An approver still has to decide on it.")
        agreement = ", ".join(dict.fromkeys(d.agreement.name for d in deviations))
        title = (
            self.env._(
                "Quotation %(order)s cannot be sent past agreement %(agreement)s:",
                order=self.name,
                agreement=agreement,
            )
            if sending
            else self.env._(
                "Order %(order)s cannot be confirmed past agreement %(agreement)s:",
                order=self.name,
                agreement=agreement,
            )
        )
        return "\n".join([title, *lines, "", remedy])

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
        return super()._prepare_deviation_row_values(deviation) | {"order_id": self.id}

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
        self._ask_deviation_approvers(
            self.env._("Approval requested:"),
            self.env._("Order %s deviates from its agreement", self.name),
            rows_sudo,
            reason,
        )
        return rows_sudo

    def _get_deviation_seller(self):
        return self.user_id

    def _void_changed_deviations(self):
        """Void requests and approvals whose figures the order no longer has."""
        # sudo: see _record_deviations
        for order_sudo in self.sudo():
            rows_sudo = order_sudo.deviation_ids.filtered(
                lambda row: not row.move_id and row.state in ("requested", "approved")
            )
            if not rows_sudo or order_sudo.state not in OPEN_STATES:
                continue
            present = order_sudo._get_deviations()
            stale_sudo = rows_sudo.filtered(
                lambda row, present=present: not any(self._is_covered(d, row) for d in present)
            )
            if not stale_sudo:
                continue
            stale_sudo.write({"state": "void"})
            order_sudo._log_deviations(
                self.env._("The order changed; these approvals are void:"), stale_sudo
            )
            if not (rows_sudo - stale_sudo).filtered(lambda row: row.state == "requested"):
                order_sudo.activity_unlink(["crm_extended.mail_activity_agreement_approval"])
