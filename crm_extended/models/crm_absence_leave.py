from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

FOLLOWED = frozenset({"date_from", "date_to", "resource_id", "time_type", "calendar_id"})


class CrmAbsence(models.Model):
    """Absences that follow time off.

    Odoo keeps an approved time off as an entry of the working schedule of its employee, and
    removes it when the time off is refused or cancelled. So there is one source: entries of a
    schedule for one person who is a user of the CRM. Such an absence follows its entry, and is
    cancelled with it.
    """

    _inherit = "crm.absence"

    @api.model
    def _get_leave_domain(self, now):
        """Domain of entries of working schedules that make somebody absent."""
        group = self.env.ref("crm_extended.crm_interactions_group_user")
        domain = (
            Domain("date_to", ">", now)
            & Domain("time_type", "=", "leave")
            & Domain("resource_id.user_id.active", "=", True)
            & Domain("resource_id.user_id.share", "=", False)
            & Domain("resource_id.user_id.all_group_ids", "in", group.ids)
        )
        if "holiday_id" in self.env["resource.calendar.leaves"]._fields:
            domain &= Domain("holiday_id", "=", False) | Domain("holiday_id.state", "=", "validate")
        return domain

    @api.model
    def _import_leaves(self, now, limit=500):
        """Enter absences for time off that has none yet: from before this add-on, or for somebody
        who became a user later."""
        Leave_sudo = self.env["resource.calendar.leaves"].sudo()
        known = self.sudo()._search([("leave_id", "!=", False)])
        leaves_sudo = Leave_sudo.search(
            self._get_leave_domain(now) & Domain("id", "not in", known.subselect("leave_id")),
            order="id",
            limit=limit,
        )
        self._follow_leaves(leaves_sudo, now)

    @api.model
    def _follow_leaves(self, leaves, now):
        """Bring the absences of these entries in line with them."""
        # sudo: time off is approved by people who need not know the CRM
        leaves_sudo = leaves.sudo()
        absences_sudo = self.sudo().search([("leave_id", "in", leaves.ids)])
        by_leave = {absence.leave_id: absence for absence in absences_sudo}
        valid_sudo = leaves_sudo.search(
            self._get_leave_domain(now) & Domain("id", "in", leaves.ids)
        )
        for leave in leaves_sudo:
            absence = by_leave.get(leave)
            if leave not in valid_sudo:
                if absence and absence.state in ("planned", "away"):
                    absence.write({"is_cancelled": True})
                continue
            values = self._prepare_leave_values(leave)
            if not values:
                continue
            if not absence:
                self._create_from_leave(values)
            elif not absence.is_cut_short:
                changed = {
                    name: value
                    for name, value in values.items()
                    if name != "reason"
                    and absence._fields[name].convert_to_write(absence[name], absence) != value
                }
                if changed:
                    self._write_from_leave(absence, {**changed, "is_cancelled": False})

    @api.model
    def _prepare_leave_values(self, leave):
        """Values of the absence of an entry; empty if it concerns no company of the user."""
        user = leave.resource_id.user_id
        company = leave.resource_id.company_id or leave.company_id or user.company_id
        if company not in user.company_ids:
            return {}
        is_time_off = "holiday_id" in leave._fields and leave.holiday_id
        return {
            "user_id": user.id,
            "company_id": company.id,
            "date_from": leave.date_from,
            "date_to": leave.date_to,
            "source": "leave" if is_time_off else "calendar",
            "leave_id": leave.id,
            "reason": "other",
        }

    @api.model
    def _create_from_leave(self, values):
        """Enter the absence; a substitute who would close a circle is left out."""
        try:
            with self.env.cr.savepoint():
                return self.sudo().create(values)
        except ValidationError:
            return self.sudo().create({**values, "substitute_id": False})

    @api.model
    def _write_from_leave(self, absence, values):
        try:
            with self.env.cr.savepoint():
                absence.write(values)
        except ValidationError:
            absence.write({**values, "substitute_id": False})


class ResourceCalendarLeaves(models.Model):
    """Time off of a user of the CRM is an absence there."""

    _inherit = "resource.calendar.leaves"

    @api.model_create_multi
    def create(self, vals_list):
        leaves = super().create(vals_list)
        personal = leaves.filtered("resource_id")
        if personal:
            self.env["crm.absence"]._follow_leaves(personal, fields.Datetime.now())
        return leaves

    def write(self, vals):
        res = super().write(vals)
        if "resource_id" in vals:
            # Odoo has asked before the change: nobody sends a colleague away, to stand in for him
            self.check_access("write")
        if not FOLLOWED.isdisjoint(vals):
            self.env["crm.absence"]._follow_leaves(self, fields.Datetime.now())
        return res

    def unlink(self):
        # sudo: whoever may remove the time off ends the absence
        absences_sudo = self.env["crm.absence"].sudo().search([("leave_id", "in", self.ids)])
        res = super().unlink()
        now = fields.Datetime.now()
        absences_sudo.filtered(lambda row: not row.is_cancelled and row.date_to > now).write(
            {"is_cancelled": True}
        )
        return res
