from odoo import api, fields, models

ACTIVITY = "crm_claims.mail_activity_type_deadline"


class CrmClaim(models.Model):
    """Warnings before a deadline, and reports of missed ones: once each, by the scheduled job.

    - Warned is the responsible, else the leader of the team. A missed deadline is reported to him
      and to his manager: of the employee, else of his department, else the leader of the team.
      Only people who may read the claim are told.
    - Each of them gets an activity on the claim, and one mail about all of his claims that have
      become due since the last run. The activities go when the claim is in time again.
    - That a deadline was missed stays on the claim and its deadline, whatever is done later.
    """

    _inherit = "crm.claim"

    waiting_reminded = fields.Boolean(readonly=True, copy=False)

    @api.model
    def _cron_deadlines(self, batch_size=1000):
        """Count changed deadlines anew, mark what is over, warn and report."""
        cron = self.env["ir.cron"]
        while stale := self.sudo().search(
            [("deadlines_stale", "=", True)], order="id", limit=batch_size
        ):
            stale._apply_deadlines()
            stale.filtered("deadlines_stale").write({"deadlines_stale": False})
            self.env.flush_all()
            self.env.invalidate_all()
            cron._commit_progress(len(stale))
        now = fields.Datetime.now()
        self.env["crm.claim.sla.status"]._mark_failed(now)
        cron._commit_progress(0)
        for is_failed in (True, False):
            while statuses := self.env["crm.claim.sla.status"]._get_due(is_failed, now, batch_size):
                statuses._report(is_failed, now)
                self.env.flush_all()
                self.env.invalidate_all()
                cron._commit_progress(len(statuses))
        self._remind_of_waiting()
        cron._commit_progress(remaining=0)

    def _remind_of_waiting(self):
        """Tell the responsible that a client has not answered by the day we waited until."""
        late = self.sudo().search(
            [
                ("state", "=", "waiting_client"),
                ("waiting_until", "<", fields.Date.context_today(self)),
                ("waiting_reminded", "=", False),
            ]
        )
        for claim in late:
            user = claim._get_alarm_user()
            if user:
                claim.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.env._("The client has not answered our question"),
                    note=claim.waiting_question,
                    user_id=user.id,
                )
        late.write({"waiting_reminded": True})

    def _get_alarm_user(self):
        """Who has to act on this claim: its responsible, else the leader of its team."""
        self.ensure_one()
        users = self.user_id or self.team_id.user_id
        return users.filtered("active")[:1]

    def _get_alarm_managers(self, user):
        """Who may be told that ``user`` has missed a deadline, the nearest first."""
        self.ensure_one()
        employee = user.with_company(self.company_id).employee_id
        candidates = (
            employee.parent_id.user_id,
            employee.department_id.manager_id.user_id,
            self.team_id.user_id,
        )
        return [manager for manager in candidates if manager and manager != user and manager.active]
