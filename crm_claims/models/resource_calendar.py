from odoo import api, models
from odoo.fields import Domain

CALENDAR_FIELDS = {"attendance_ids", "leave_ids", "global_leave_ids", "tz", "two_weeks_calendar",
                   "flexible_hours", "hours_per_day", "schedule_type"}  # fmt: skip


class ResourceCalendar(models.Model):
    """Deadlines of claims follow the working schedule on which they are counted."""

    _inherit = "resource.calendar"

    def write(self, vals):
        result = super().write(vals)
        if CALENDAR_FIELDS & vals.keys():
            self._refresh_claim_deadlines()
        return result

    def _refresh_claim_deadlines(self):
        """Have the open deadlines counted on these schedules (of all, if none) counted anew."""
        self.env.registry.clear_cache()
        domain = Domain("date_done", "=", False)
        if self:
            domain &= Domain("calendar_id", "in", self.ids)
        # sudo: a schedule concerns the claims of everybody
        statuses = self.env["crm.claim.sla.status"].sudo()._search(domain)
        self.env["crm.claim"]._mark_deadlines_stale([("id", "in", statuses.subselect("claim_id"))])


class ResourceCalendarAttendance(models.Model):
    _inherit = "resource.calendar.attendance"

    @api.model_create_multi
    def create(self, vals_list):
        attendances = super().create(vals_list)
        if attendances.calendar_id:
            attendances.calendar_id._refresh_claim_deadlines()
        return attendances

    def write(self, vals):
        calendars = self.calendar_id
        result = super().write(vals)
        if calendars | self.calendar_id:
            (calendars | self.calendar_id)._refresh_claim_deadlines()
        return result

    @api.ondelete(at_uninstall=False)
    def _refresh_claim_deadlines_of_deleted(self):
        if self.calendar_id:
            self.calendar_id._refresh_claim_deadlines()


class ResourceCalendarLeaves(models.Model):
    _inherit = "resource.calendar.leaves"

    @api.model_create_multi
    def create(self, vals_list):
        leaves = super().create(vals_list)
        leaves._refresh_claim_deadlines()
        return leaves

    def write(self, vals):
        self._refresh_claim_deadlines()
        result = super().write(vals)
        self._refresh_claim_deadlines()
        return result

    def unlink(self):
        # after the fact, because the deletion itself tells nobody
        public = self.filtered(lambda leave: not leave.resource_id)
        calendars, of_all = public.calendar_id, public.filtered(lambda leave: not leave.calendar_id)
        result = super().unlink()
        if of_all:
            self.env["resource.calendar"]._refresh_claim_deadlines()
        elif calendars:
            calendars._refresh_claim_deadlines()
        return result

    def _refresh_claim_deadlines(self):
        """Public holidays only: a colleague's time off moves no deadline."""
        public = self.filtered(lambda leave: not leave.resource_id)
        if public.filtered(lambda leave: not leave.calendar_id):
            self.env["resource.calendar"]._refresh_claim_deadlines()
        elif public:
            public.calendar_id._refresh_claim_deadlines()
