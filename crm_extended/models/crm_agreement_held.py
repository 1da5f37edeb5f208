import json
from collections import namedtuple

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

APPROVER_GROUP = "crm_extended.crm_agreements_group_approver"

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
        "amount",  # what it costs in the document's currency, 0.0 when not a matter of money
        "figures",  # JSON values that were decided on
    ],
)


class CrmAgreementHeldMixin(models.AbstractModel):
    """A document that is held to an agreement: an order, an invoice.

    Its deviations are computed live; rows (`crm.agreement.deviation`) are kept when somebody asks
    for them, decides on them or is warned. Here is what both documents have in common: who decides,
    and the decision. Approvers decide once about everything that is requested; neither who asked
    nor who sells is one of them, unless the company allows it.
    """

    _name = "crm.agreement.held.mixin"
    _description = "Document Held to an Agreement"

    @api.model
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

    @api.model
    def _get_fingerprint(self, deviation):
        return json.dumps(
            [deviation.kind, deviation.agreement.id, deviation.line._origin.id, *deviation.figures]
        )

    def _prepare_deviation_row_values(self, deviation):
        """Values of the row that keeps a live deviation of this document."""
        return {
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
        }

    def _log_deviations(self, title, deviations, note=""):
        """Post deviations (live ones or rows) in the chatter of the document."""
        self.message_post(
            body=self.env["ir.qweb"]._render(
                "crm_extended.sale_order_deviation_log",
                {"title": title, "deviations": deviations, "note": note},
            ),
            subtype_xmlid="mail.mt_note",
        )

    # ------------------------------------------------------------------
    # Who decides
    # ------------------------------------------------------------------

    def _get_deviation_seller(self):
        """The user who sells with this document."""
        raise NotImplementedError

    def _can_be_decided_by(self, user, rows):
        """Whether `user` is an approver who neither asked for it nor sells this document."""
        self.ensure_one()
        if not user.has_group(APPROVER_GROUP):
            return False
        if self.company_id.sudo().agreement_self_approval:
            return True
        rows_sudo = rows.sudo()
        # of an invoice of an order both sellers, whichever document the decision is taken on
        sellers = rows_sudo.order_id.user_id | rows_sudo.move_id.invoice_user_id
        return user not in (rows_sudo.requested_by_id | sellers | self._get_deviation_seller())

    def _get_deviation_approvers(self, rows):
        group_sudo = self.env.ref(APPROVER_GROUP).sudo()  # groups are not readable by everybody
        users = group_sudo.all_user_ids.filtered(
            lambda user: not user.share and user.active and self.company_id in user.company_ids
        )
        return users.filtered(lambda user: self._can_be_decided_by(user, rows)).with_env(self.env)

    def _ask_deviation_approvers(self, title, summary, rows, reason):
        """Tell the approvers what is asked for on this document, in its chatter and to-do list."""
        self._log_deviations(title, rows, reason)
        for user in self._get_deviation_approvers(rows):
            self.activity_schedule(
                "crm_extended.mail_activity_agreement_approval", user_id=user.id, summary=summary
            )

    # ------------------------------------------------------------------
    # The decision
    # ------------------------------------------------------------------

    def _check_decision_access(self):
        """:raise AccessError: when an approver has no business with this document"""
        self.check_access("write")

    def _void_changed_deviations(self):
        """Void requests and approvals whose figures the document no longer has."""
        raise NotImplementedError

    def _decide_deviations(self, approved, reason):
        """Record the approver's decision on everything that is requested.

        :param bool approved: True to let the document pass, False to refuse
        :param str reason: kept with the rows and shown in the chatter
        :raise AccessError: when the user is not an approver
        :raise UserError: on one's own request, without a reason, or when nothing is requested
        """
        self.ensure_one()
        if not self.env.user.has_group(APPROVER_GROUP):
            raise AccessError(self.env._("Only an agreement approver decides on deviations."))
        self._check_decision_access()
        self._void_changed_deviations()
        self.sudo().deviation_ids.move_id._void_changed_deviations()
        rows_sudo = self.sudo().deviation_ids.filtered(lambda row: row.state == "requested")
        if not rows_sudo:
            raise UserError(
                self.env._(
                    "Nothing on %s waits for a decision: it may have changed since approval was "
                    "asked for.",
                    self.display_name,
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
        # sudo: an approver takes the request off the lists of the other approvers as well
        self.sudo().activity_unlink(["crm_extended.mail_activity_agreement_approval"])
        return rows_sudo
