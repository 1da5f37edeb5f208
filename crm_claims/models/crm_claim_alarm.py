from odoo import api, fields, models
from odoo.addons.crm_extended.tools.apart import run_apart
from odoo.tools import plaintext2html

ACTIVITY = "crm_claims.mail_activity_type_deadline"


class CrmClaim(models.Model):
    """Warnings before a deadline, and reports of missed ones: once each, by the scheduled job.

    - Warned is the responsible, else the leader of the team. A missed deadline is reported to him
      and to his manager: of the employee, else of his department, else the leader of the team.
      Only people who may read the claim are told.
    - Each of them gets an activity on the claim, and one mail about all of his claims that have
      become due since the last run. The activities go when the claim is in time again.
    - A claim that cannot be counted or reported is logged and tried again by the next run; it does
      not stop the others.
    - That a deadline was missed stays on the claim and its deadline, whatever is done later.
    """

    _inherit = "crm.claim"

    waiting_reminded = fields.Boolean(readonly=True, copy=False)

    @api.model
    def _cron_deadlines(self, batch_size=1000):
        """Count changed deadlines anew, mark what is over, warn and report."""
        cron = self.env["ir.cron"]
        failed = set()
        while stale := self.sudo().search(
            [("deadlines_stale", "=", True), ("id", "not in", list(failed))],
            order="id",
            limit=batch_size,
        ):
            errors = run_apart(stale, type(self)._refresh_deadlines, "Deadlines of claims")
            failed.update(claim.id for claim, __ in errors)
            self.env.flush_all()
            self.env.invalidate_all()
            cron._commit_progress(len(stale))
        now = fields.Datetime.now()
        self.env["crm.claim.sla.status"]._mark_failed(now)
        cron._commit_progress(0)
        for is_failed in (True, False):
            failed = set()
            while statuses := self.env["crm.claim.sla.status"]._get_due(
                is_failed, now, batch_size, failed
            ):
                errors = run_apart(
                    statuses,
                    lambda some, is_failed=is_failed: some._report(is_failed, now),
                    "Alarms of claims",
                )
                failed.update(status.id for status, __ in errors)
                self.env.flush_all()
                self.env.invalidate_all()
                cron._commit_progress(len(statuses))
        self._remind_of_waiting()
        cron._commit_progress(remaining=0)

    def _refresh_deadlines(self):
        self._apply_deadlines()
        self.filtered("deadlines_stale").write({"deadlines_stale": False})

    def _remind_of_waiting(self):
        """Tell the responsible that a client has not answered by the day we waited until."""
        late = self.sudo().search(
            [
                ("state", "=", "waiting_client"),
                ("waiting_until", "<", fields.Date.context_today(self)),
                ("waiting_reminded", "=", False),
            ]
        )
        run_apart(late, type(self)._remind_responsible, "Reminders of waiting claims")

    def _remind_responsible(self):
        for claim in self:
            user = claim._get_alarm_user()
            if user:
                claim.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.env._("The client has not answered our question"),
                    note=plaintext2html(claim.waiting_question or ""),
                    user_id=user.id,
                )
        self.write({"waiting_reminded": True})

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
