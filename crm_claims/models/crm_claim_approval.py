from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command


class CrmClaimApproval(models.Model):
    """A decision above the team's limit that waits for somebody who may make it.

    The handler proposes text and remedies; the leader of the team or a claims administrator
    approves (the claim is decided as proposed, in one step) or refuses with a reason. Nobody
    approves a request of his own. Any other move of the claim withdraws the request. Rows are
    written by the dialog and the buttons only.
    """

    _name = "crm.claim.approval"
    _description = "Approval of a Claim Decision"
    _order = "id desc"
    _check_company_auto = True

    claim_id = fields.Many2one("crm.claim", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="claim_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    team_id = fields.Many2one("crm.claim.team", required=True, index=True)
    state = fields.Selection(
        [
            ("requested", "To Approve"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("withdrawn", "Withdrawn"),
        ],
        required=True,
        default="requested",
        readonly=True,
        index=True,
    )
    user_id = fields.Many2one("res.users", "Asked By", required=True, readonly=True)
    approver_id = fields.Many2one("res.users", "Decided By", readonly=True)
    date_approved = fields.Datetime("Decided On", readonly=True)
    decision = fields.Selection(
        [("satisfied", "Satisfied"), ("partly", "Partly Satisfied"), ("rejected", "Rejected")],
        required=True,
        readonly=True,
    )
    cause_id = fields.Many2one("crm.claim.cause", readonly=True)
    decision_text = fields.Html("Text to the Client", readonly=True)
    recourse = fields.Html(readonly=True)
    send_mail = fields.Boolean(readonly=True)
    remedy_ids = fields.One2many("crm.claim.remedy", "approval_id", "Remedies", readonly=True)
    amount = fields.Monetary("Granted in All", readonly=True)
    limit_amount = fields.Monetary("Limit of the Team", readonly=True)
    reason = fields.Text("Reason of Refusal", readonly=True)
    can_approve = fields.Boolean(compute="_compute_can_approve")

    _one_request = models.UniqueIndex(
        "(claim_id) WHERE state = 'requested'",
        "A decision on this claim waits for approval already.",
    )

    @api.depends("claim_id", "amount")
    def _compute_display_name(self):
        for approval in self:
            approval.display_name = self.env._(
                "Decision on %(claim)s", claim=approval.claim_id.display_name
            )

    @api.depends("state", "user_id")
    @api.depends_context("uid")
    def _compute_can_approve(self):
        for approval in self:
            approval.can_approve = approval.state == "requested" and approval._may_decide(
                self.env.user
            )

    def _may_decide(self, user):
        self.ensure_one()
        return user != self.user_id and self.claim_id._is_approver(user)

    # ------------------------------------------------------------------
    # Request
    # ------------------------------------------------------------------

    @api.model
    def _request(self, claim, values, remedies, send_mail, amount):
        """Ask for approval of a decision on ``claim`` (see ``crm.claim._apply_decision``)."""
        claim.check_access("write")
        claim._lock_for_transition()
        claim.approval_ids.sudo()._withdraw_undecided()
        team_sudo = claim._get_limit_team()
        # sudo: rows are written by methods only; the claim was proved to be the user's to change
        approval_sudo = self.sudo().create(
            {
                **values,
                "claim_id": claim.id,
                "team_id": team_sudo.id,
                "user_id": self.env.uid,
                "send_mail": send_mail,
                "amount": amount,
                "limit_amount": team_sudo.approval_limit,
                "remedy_ids": [
                    Command.create({**row, "claim_id": claim.id, "is_proposed": True})
                    for row in remedies
                ],
            }
        )
        for user in approval_sudo._get_approvers()[:1]:
            claim.activity_schedule(
                "crm_claims.mail_activity_type_approval",
                summary=self.env._("Approve %(amount)s", amount=claim._format_claim_money(amount)),
                user_id=user.id,
            )
        return approval_sudo.sudo(False)

    def _get_approvers(self):
        """Users who may decide on this request, the leader of the team first."""
        self.ensure_one()
        managers_sudo = self.env.ref("crm_claims.crm_claims_group_manager").sudo().all_user_ids
        users = self.team_id.user_id | managers_sudo.filtered(
            lambda user: self.company_id in user.company_ids and user.id > 1
        )
        return users.filtered(
            lambda user: user.active
            and self._may_decide(user)
            and self.claim_id.sudo(False).with_user(user).has_access("read")
        )

    def _withdraw_undecided(self):
        """Requests that were overtaken: the claim moved on, or another was made."""
        waiting = self.filtered(lambda approval: approval.state == "requested")
        waiting.write({"state": "withdrawn"})
        waiting.remedy_ids.write({"is_cancelled": True, "is_proposed": False})
        waiting._clear_activities()

    def _clear_activities(self):
        self.claim_id.activity_unlink(["crm_claims.mail_activity_type_approval"])

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def _check_approver(self):
        self.ensure_one()
        self.check_access("read")
        # of two approvers at once, the second meets the lock, or the new state
        self.claim_id._lock_for_transition()
        if self.state != "requested":
            raise UserError(
                self.env._(
                    "This request is no longer open: %(state)s.",
                    state=dict(self._fields["state"]._description_selection(self.env))[self.state],
                )
            )
        if not self._may_decide(self.env.user):
            raise AccessError(
                self.env._(
                    "The leader of team %(team)s or a claims administrator decides on this, and "
                    "never on a request of his own.",
                    team=self.team_id.display_name,
                )
            )

    def action_approve(self):
        """Decide the claim as proposed."""
        self._check_approver()
        approval_sudo = self.sudo()  # sudo: rows are written by methods only
        remedies = approval_sudo.remedy_ids
        approval_sudo.write(self._prepare_verdict_values("approved"))
        approval_sudo._clear_activities()
        # sudo: the leader need not handle the claim himself to approve of it
        approval_sudo.claim_id._apply_decision(
            {
                "decision": self.decision,
                "cause_id": self.cause_id.id,
                "decision_text": self.decision_text,
                "recourse": self.recourse,
            },
            remedies,
            self.send_mail,
        )
        self._notify_requester(self.env._("The decision was approved and announced."))
        return True

    def action_refuse(self):
        """Ask for the reason first."""
        self._check_approver()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim.approval.refuse",
            "view_mode": "form",
            "target": "new",
            "name": self.env._("Refuse"),
            "context": {"default_approval_id": self.id},
        }

    def _refuse(self, reason):
        self._check_approver()
        if not (reason or "").strip():
            raise UserError(self.env._("Say why; the handler has to decide anew."))
        approval_sudo = self.sudo()  # sudo: rows are written by methods only
        approval_sudo.write({**self._prepare_verdict_values("refused"), "reason": reason})
        approval_sudo.remedy_ids.write({"is_cancelled": True, "is_proposed": False})
        approval_sudo._clear_activities()
        self._notify_requester(
            self.env._("The decision was not approved: %(reason)s", reason=reason)
        )

    def action_withdraw(self):
        """Take the request back: who made it, or anybody who may change the claim."""
        self.ensure_one()
        self.claim_id.check_access("write")
        self.claim_id._lock_for_transition()
        self.sudo()._withdraw_undecided()

    def _prepare_verdict_values(self, state):
        return {
            "state": state,
            "approver_id": self.env.uid,
            "date_approved": fields.Datetime.now(),
        }

    def _notify_requester(self, text):
        # sudo: the leader need not be a claims user to answer
        claim_sudo = self.sudo().claim_id
        claim_sudo.message_post(
            body=text,
            partner_ids=self.user_id.partner_id.ids,
            author_id=self.env.user.partner_id.id,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
        )
