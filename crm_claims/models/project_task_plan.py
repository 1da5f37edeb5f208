from datetime import timedelta

from odoo import api, fields, models


class ProjectTask(models.Model):
    """Steps of an investigation that move, push what depends on them, and finish measures."""

    _inherit = "project.task"

    claim_escalated = fields.Boolean("Late Step Reported", copy=False, readonly=True)
    claim_measure_ids = fields.One2many("crm.claim.measure", "task_id", string="Measures")
    claim_proof = fields.Char(related="claim_step_id.proof", string="Expected Proof")
    claim_title = fields.Char("Step", compute="_compute_claim_title")

    @api.depends("name", "claim_step_id")
    def _compute_claim_title(self):
        """Short name within its plan: of the step or the measure, without the investigation's."""
        for task in self:
            # sudo: short names of a task that the user reads
            task_sudo = task.sudo()
            task.claim_title = (
                task_sudo.claim_step_id.display_name
                or task_sudo.claim_measure_ids[:1].name
                or task.name
            )

    def write(self, vals):
        if "claim_escalated" not in vals and vals.get("date_deadline"):
            # a new deadline is a new chance
            deadline = fields.Datetime.to_datetime(vals["date_deadline"])
            if deadline > fields.Datetime.now():
                vals = {**vals, "claim_escalated": False}
        result = super().write(vals)
        if "date_deadline" in vals:
            self.filtered("claim_step_id")._push_dependents()
        if "state" in vals:
            # sudo: owners of a measure need not read the investigation
            self.sudo().claim_measure_ids._follow_task()
        return result

    def _get_claim_end(self):
        """Day on which the step ends: when it was closed, else its deadline, in local time."""
        self.ensure_one()
        moment = (self.is_closed and self.date_end) or self.date_deadline
        if not moment:
            return self.claim_date_start
        zone = self.claim_investigation_id.company_id._get_claim_timezone()
        return fields.Datetime.context_timestamp(self.with_context(tz=zone.zone), moment).date()

    def _get_next_working_day(self, day):
        company = self.claim_investigation_id.company_id
        return company._get_claim_working_date(company._get_claim_day_end(day), 1)

    def _push_dependents(self):
        """Move open steps that would start before ``self`` ends."""
        # sudo: an assignee who needs longer moves the steps of others along
        for task_sudo in self.sudo():
            end = task_sudo._get_claim_end()
            if not end:
                continue
            for dependent in task_sudo.dependent_ids:
                same_plan = dependent.claim_investigation_id == task_sudo.claim_investigation_id
                if not same_plan or dependent.is_closed or not dependent.claim_date_start:
                    continue
                start = task_sudo._get_next_working_day(end)
                if dependent.claim_date_start < start:
                    dependent._move_claim_dates(start)

    def _move_claim_dates(self, start):
        """Give an open step its first day; it keeps its number of working days."""
        self.ensure_one()
        if not self.claim_step_id:
            return
        company = self.claim_investigation_id.company_id
        eve = company._get_claim_day_end(start) - timedelta(days=1)
        days = max(self._get_claim_days(), 1)
        deadline = company._get_claim_day_end(company._get_claim_working_date(eve, days))
        if (self.claim_date_start, self.date_deadline) != (start, deadline):
            self.write({"claim_date_start": start, "date_deadline": deadline})

    def _get_claim_days(self):
        """Working days that the step takes: as its dates say, else as its template says."""
        self.ensure_one()
        if not (self.claim_date_start and self.date_deadline):
            return self.claim_step_id.duration_days
        company = self.claim_investigation_id.company_id
        end = self._get_claim_end()
        eve = company._get_claim_day_end(self.claim_date_start) - timedelta(days=1)
        days = 1
        while days < 250 and company._get_claim_working_date(eve, days) < end:
            days += 1
        return days
