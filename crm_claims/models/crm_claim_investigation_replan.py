from datetime import timedelta

from odoo import api, fields, models


class CrmClaimInvestigation(models.Model):
    """Keeping the plan true: moved starts, late steps, dependents that move along.

    - A new start of a running plan moves its open steps; finished ones stay.
    - A step that ends later pushes the open steps that depend on it, and those that depend on
      them, each keeping its own number of working days.
    - A step that is late is reported once: an activity for the lead, a notice to the leader of the
      team. A new deadline gives it a new chance.
    """

    _inherit = "crm.claim.investigation"

    file_count = fields.Integer(compute="_compute_file_count")

    def _compute_file_count(self):
        for investigation in self:
            investigation.file_count = self.env["ir.attachment"].search_count(
                investigation._get_file_domain()
            )

    def _get_file_domain(self):
        return [("res_model", "=", "project.task"), ("res_id", "in", self.task_ids.ids)]

    def action_view_files(self):
        """Files of the steps, as far as the user reads the steps."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "ir.attachment",
            "name": self.env._("Files of %(name)s", name=self.name),
            "view_mode": "kanban,list,form",
            "domain": self._get_file_domain(),
            "context": {"create": False},
        }

    def write(self, vals):
        moved = self.filtered(
            lambda record: "date_start" in vals
            and record.state == "running"
            and record.date_start != fields.Date.to_date(vals["date_start"])
        )
        result = super().write(vals)
        if moved:
            moved._replan()
        return result

    def action_replan(self):
        """Plan the open steps anew: from the start, from what is finished, from today."""
        self.check_access("write")
        self._replan()

    def _replan(self):
        for investigation in self.filtered(lambda record: record.state == "running"):
            # sudo: the lead plans for all assignees
            tasks_sudo = investigation.sudo().task_ids.filtered("claim_step_id")
            company = investigation.company_id
            eve = company._get_claim_day_end(investigation.date_start) - timedelta(days=1)
            pending = tasks_sudo.sorted(lambda task: (task.sequence, task.id))
            ended = {}
            while pending:
                ready = pending.filtered(lambda t, p=pending: not (t.depend_on_ids & p))
                for task in ready or pending[:1]:
                    if task.is_closed:
                        ended[task] = task._get_claim_end()
                        continue
                    start = company._get_claim_working_date(eve, task.claim_step_id.offset_days + 1)
                    after = [ended[need] for need in task.depend_on_ids if ended.get(need)]
                    if after:
                        start = max(start, task._get_next_working_day(max(after)))
                    today = fields.Date.context_today(investigation)
                    if start < today:
                        start = company._get_claim_working_date(
                            company._get_claim_day_end(today) - timedelta(days=1), 1
                        )
                    task._move_claim_dates(start)
                    ended[task] = task._get_claim_end()
                pending -= ready or pending[:1]

    # ------------------------------------------------------------------
    # Jobs
    # ------------------------------------------------------------------

    @api.model
    def _get_late_step_domain(self):
        return [
            ("claim_investigation_id.state", "=", "running"),
            ("state", "not in", ("1_done", "1_canceled")),
            ("date_deadline", "<", fields.Datetime.now()),
            ("claim_escalated", "=", False),
        ]

    @api.model
    def _cron_escalate_steps(self, batch_size=100):
        """Report late steps, once each."""
        cron = self.env["ir.cron"]
        tasks = self.env["project.task"].search(
            self._get_late_step_domain(), order="id", limit=batch_size
        )
        tasks = tasks.try_lock_for_update()
        for investigation, late in tasks.grouped("claim_investigation_id").items():
            investigation._escalate(late)
        tasks.claim_escalated = True
        remaining = (
            self.env["project.task"].search_count(self._get_late_step_domain()) if tasks else 0
        )
        cron._commit_progress(len(tasks), remaining=remaining)

    def _escalate(self, tasks):
        """Tell the lead and the leader of the team that ``tasks`` are late."""
        self.ensure_one()
        steps = ", ".join(tasks.mapped(lambda t: t.claim_step_id.display_name or t.name))
        text = self.env._("Late: %(steps)s", steps=steps)
        self.activity_schedule(
            "mail.mail_activity_data_todo", summary=text, user_id=self.user_id.id
        )
        leader = self.team_id.user_id - self.user_id
        if leader:
            self.message_notify(
                partner_ids=leader.partner_id.ids,
                subject=self.env._("%(name)s: steps are late", name=self.name),
                body=text,
            )
