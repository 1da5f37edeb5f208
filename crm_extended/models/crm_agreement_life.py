from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from .crm_agreement_held import APPROVER_GROUP


class CrmAgreement(models.Model):
    """The life of an agreement: who may move it where, what is locked meanwhile, and its buttons.

    Transitions are data and are checked in ``write`` (`crm_agreement.py`), so that no button,
    import or remote call walks round them.
    """

    _inherit = "crm.agreement"

    # ------------------------------------------------------------------
    # State machine
    # ------------------------------------------------------------------

    @api.model
    def _get_transitions(self):
        """Map each state to the states reachable from it; other add-ons extend it."""
        return {
            "draft": {"to_approve"},
            "to_approve": {"draft", "active"},
            "active": {"suspended", "expired", "closed"},
            "suspended": {"active", "expired", "closed"},
            "expired": {"closed"},
            "closed": set(),
        }

    @api.model
    def _get_approver_transitions(self):
        """Target states that only an approver may set."""
        return {"active", "suspended", "expired", "closed"}

    @api.model
    def _get_controlled_fields(self):
        """Fields that only the transitions themselves write."""
        return {
            "requested_by_id",
            "requested_on",
            "approved_by_id",
            "approved_on",
            "approval_comment",
        }

    @api.model
    def _get_derived_fields(self):
        """Stored fields that follow from others and are never entered."""
        return {"commercial_partner_id"}

    @api.model
    def _get_locked_fields(self):
        """Fields that cannot change once the agreement was submitted."""
        return {
            "name",
            "kind",
            "sequence",
            "partner_id",
            "parent_id",
            "company_id",
            "date_start",
            "date_end",
            *self._get_term_fields(),
        }

    def _check_controlled_fields(self, vals):
        derived = self._get_derived_fields() & vals.keys()
        if derived and not self.env.su:
            raise AccessError(
                self.env._(
                    "These fields of an agreement follow from its client and cannot be "
                    "entered: %s.",
                    ", ".join(
                        str(self._fields[name]._description_string(self.env))
                        for name in sorted(derived)
                    ),
                )
            )
        forged = self._get_controlled_fields() & vals.keys()
        if forged and not self.env.su:
            raise AccessError(
                self.env._(
                    "Who submitted and approved an agreement, and when, is recorded by the buttons "
                    "of the agreement and cannot be entered: %s.",
                    ", ".join(self._fields[name].string for name in sorted(forged)),
                )
            )

    def _check_terms_unlocked(self, vals):
        """Refuse a change of agreed terms outside a draft.

        :raise UserError: naming the fields and the way to go on
        """
        self._check_responsible_unlocked(vals)
        locked = self._get_locked_fields() & vals.keys()
        agreements = self.filtered(lambda agreement: agreement.state != "draft")
        if locked and agreements:
            raise UserError(
                self.env._(
                    "Agreed terms are locked outside drafts (%(agreements)s: %(fields)s). What is "
                    "not yet approved can be returned to draft; what is in force needs a new "
                    "version that is approved in its turn.",
                    agreements=", ".join(agreements.mapped("name")),
                    fields=", ".join(
                        str(self._fields[name]._description_string(self.env))
                        for name in sorted(locked)
                    ),
                )
            )

    def _check_responsible_unlocked(self, vals):
        """Whoever is responsible may not approve: he does not pass it on while approvers look.

        :raise UserError: naming the agreements
        """
        asked = self.filtered(
            lambda agreement: agreement.state == "to_approve"
            and "user_id" in vals
            and agreement.user_id.id != vals["user_id"]
        )
        if asked and not self.env.su:
            raise UserError(
                self.env._(
                    "Agreements that wait for approval keep their responsible: %s. Return them to "
                    "draft to change it.",
                    ", ".join(asked.mapped("name")),
                )
            )

    def _check_term_lines_unlocked(self):
        locked = self.filtered(lambda agreement: agreement.state != "draft")
        if locked:
            raise UserError(
                self.env._(
                    "The terms of %s are locked: make a new version of the agreement to change "
                    "them.",
                    ", ".join(locked.mapped("name")),
                )
            )
        # a change that is begun before the agreement is submitted and ends after it was approved
        # fails to serialise: nobody approves terms that he has not seen
        self.env.cr.execute(
            SQL("UPDATE crm_agreement SET write_date = write_date WHERE id = ANY(%s)", self.ids)
        )

    def _check_transition(self, target):
        """Check that every agreement of `self` may move to `target`, and by this user.

        :raise UserError: for a move that does not exist or an approval of one's own request
        :raise AccessError: when the user lacks the approver's right
        """
        labels = dict(self._fields["state"]._description_selection(self.env))
        if target not in labels:
            raise UserError(self.env._("Agreements have no status “%s”.", target))
        for agreement in self:
            if target not in self._get_transitions().get(agreement.state, set()):
                raise UserError(
                    self.env._(
                        "Agreement %(name)s cannot go from %(current)s to %(target)s.",
                        name=agreement.name,
                        current=labels[agreement.state],
                        target=labels[target],
                    )
                )
            if target in self._get_approver_transitions():
                agreement._check_approver()
            if target == "active" and agreement.state == "to_approve":
                agreement._check_not_own_request()
            if target == "active" and agreement._is_over():
                raise UserError(
                    self.env._(
                        "Agreement %(name)s ended on %(date)s and cannot come into force: "
                        "renew it.",
                        name=agreement.name,
                        date=format_date(self.env, agreement.date_end),
                    )
                )

    def _check_approver(self):
        if self.env.uid == SUPERUSER_ID:
            return  # scheduled jobs
        if not self.env.user.has_group(APPROVER_GROUP):
            raise AccessError(
                self.env._("Only an agreement approver may do this; ask for the approval.")
            )

    def _check_not_own_request(self):
        self.ensure_one()
        if not self._can_be_decided_by(self.env.user):
            raise UserError(
                self.env._(
                    "You submitted %s or are responsible for it: another approver has to decide. "
                    "(CRM settings: Approvers may approve their own requests.)",
                    self.name,
                )
            )

    def _can_be_decided_by(self, user):
        """Whether `user` is an approver and not a party to this request."""
        self.ensure_one()
        if not user.has_group(APPROVER_GROUP):
            return False
        return bool(
            self.company_id.sudo().agreement_self_approval
            or user not in (self.requested_by_id | self.user_id)
        )

    def _is_over(self):
        self.ensure_one()
        return bool(self.date_end and self.date_end < fields.Date.context_today(self))

    def _after_transition(self, target):
        """Record who did it, and keep the approvers' to-do list in step."""
        if not self:
            return
        # sudo: these fields are written by the transition alone, never by a user
        agreements_sudo = self.sudo()
        if target == "to_approve":
            agreements_sudo.write(
                {
                    "requested_by_id": self.env.user.id,
                    "requested_on": fields.Datetime.now(),
                    "approved_by_id": False,
                    "approved_on": False,
                }
            )
            self._schedule_approval()
            return
        if target == "active":
            fresh_sudo = agreements_sudo.filtered(lambda agreement: not agreement.approved_by_id)
            fresh_sudo.write(
                {"approved_by_id": self.env.user.id, "approved_on": fields.Datetime.now()}
            )
        agreements_sudo.activity_unlink(["crm_extended.mail_activity_agreement_approval"])

    def _schedule_approval(self):
        for agreement in self:
            for user in agreement._get_approvers():
                agreement.activity_schedule(
                    "crm_extended.mail_activity_agreement_approval",
                    user_id=user.id,
                    summary=self.env._("Agreement %s waits for approval", agreement.name),
                )

    def _get_approvers(self):
        """Users to be asked: approvers of this company who may decide on this request."""
        self.ensure_one()
        group_sudo = self.env.ref(APPROVER_GROUP).sudo()  # groups are not readable by everybody
        users = group_sudo.all_user_ids.filtered(
            lambda user: not user.share and user.active and self.company_id in user.company_ids
        )
        return users.filtered(self._can_be_decided_by).with_env(self.env)

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_submit(self):
        """Hand the draft to the approvers."""
        self.write({"state": "to_approve"})

    def action_approve(self):
        """Put the agreement in force."""
        self.write({"state": "active"})

    def action_decide(self):
        """Open the page on which the approver decides, with a comment."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_agreement_decision_action"
        ) | {"context": {"default_agreement_id": self.id}}

    def _approve(self, comment):
        """Put the agreement in force and keep what the approver says about it."""
        self.ensure_one()
        self.action_approve()
        self._keep_comment(self.env._("Approved"), comment)

    def _send_back(self, comment):
        """Refuse the request, with the reason."""
        self.ensure_one()
        if self.state != "to_approve":
            raise UserError(self.env._("Agreement %s does not wait for approval.", self.name))
        self._check_approver()
        self.action_return_to_draft()
        self._keep_comment(self.env._("Sent back"), comment)

    def _keep_comment(self, title, comment):
        comment = (comment or "").strip()
        # sudo: written by the decision alone
        self.sudo().approval_comment = comment
        if comment:
            self.message_post(body=f"{title}: {comment}", subtype_xmlid="mail.mt_note")

    def action_return_to_draft(self):
        """Withdraw or refuse the request; the terms become editable again."""
        self.write({"state": "draft"})

    def action_suspend(self):
        """Take the agreement out of force for a while."""
        self.write({"state": "suspended"})

    def action_resume(self):
        """Put a suspended agreement back in force."""
        self.write({"state": "active"})

    def action_close(self):
        """End the agreement for good."""
        self.write({"state": "closed"})

    def action_renew(self):
        """Prepare a draft of the same terms and length that follows this agreement."""
        self.ensure_one()
        return self._renew()._get_records_action(name=self.env._("Renewed Agreement"))

    def action_derive(self):
        """Open a new individual agreement that starts from this standard one."""
        self.ensure_one()
        if self.kind != "standard":
            raise UserError(self.env._("Only a standard agreement has individual ones."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.agreement",
            "name": self.env._("New Individual Agreement"),
            "views": [(False, "form")],
            "context": {
                "default_kind": "individual",
                "default_parent_id": self.id,
                "default_company_id": self.company_id.id,
                "default_date_start": fields.Date.to_string(fields.Date.context_today(self)),
                "default_date_end": fields.Date.to_string(self.date_end)
                if self.date_end
                else False,
            },
        }

    def action_view_orders(self):
        """Open the orders under this agreement."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("sale.action_quotations")
        return action | {
            "name": self.env._("Orders of %s", self.name),
            "domain": [("agreement_id", "=", self.id)],
            "context": {"create": False},
        }

    def action_view_children(self):
        """Open the individual agreements derived from this one."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_extended.crm_agreement_action")
        return action | {"domain": [("parent_id", "=", self.id)], "context": {}}

    def action_view_deviations(self):
        """Open the deviations of orders from this agreement."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_agreement_deviation_action"
        )
        return action | {"domain": [("agreement_id", "=", self.id)], "context": {}}

    # ------------------------------------------------------------------
    # Scheduled
    # ------------------------------------------------------------------

    def _get_over_domain(self):
        return Domain("state", "in", ("active", "suspended")) & Domain(
            "date_end", "<", fields.Date.context_today(self)
        )

    def _cron_expire(self, batch_size=200):
        """Expire the agreements whose last day is over."""
        cron = self.env["ir.cron"]
        domain = self._get_over_domain()
        agreements = self.search(domain, order="id", limit=batch_size).try_lock_for_update()
        if not agreements:
            cron._commit_progress(remaining=0)
            return
        agreements.write({"state": "expired"})
        cron._commit_progress(len(agreements), remaining=self.search_count(domain))
