from datetime import timedelta

import pytz
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.calling_window import CallingWindow
from .res_partner_duplicate import UNASKED, UNASKED_KEY

# how far ahead public holidays are looked up for planning calls: the longest delay of a ladder
# and a year in which to find an open day
HOLIDAYS_AHEAD = timedelta(days=2 * 370)


class ResCompany(models.Model):
    """Each company sets the hours in which its clients may be called, in the clients' time.

    Open days are those of the company's working schedule, its public holidays excepted.
    """

    _inherit = "res.company"

    agreement_self_approval = fields.Boolean(
        "Approvers May Approve Their Own Requests",
        help="Otherwise an agreement or an order that deviates is decided on by an approver who "
        "neither asked for it nor is responsible for it.",
    )
    crm_duplicate_mode = fields.Selection(
        [("off", "Do not check"), ("warn", "Warn"), ("block", "Block")],
        "Duplicates of Clients",
        required=True,
        default="warn",
        help="What happens when somebody enters a client who seems to be known already.",
    )
    agreement_reminder_days = fields.Integer(
        "Remind Before an Agreement Ends",
        default=30,
        help="Days before the last day of an agreement or contract. Zero: no reminder.",
    )
    crm_calling_hour_from = fields.Float(string="Calls From", default=9.0)
    crm_calling_hour_to = fields.Float(string="Calls Until", default=18.0)

    _check_crm_calling_hours = models.Constraint(
        "CHECK (crm_calling_hour_from >= 0 AND crm_calling_hour_to <= 24 "
        "AND crm_calling_hour_from < 24 AND crm_calling_hour_to > 0 "
        "AND crm_calling_hour_from != crm_calling_hour_to)",
        "The calling hours must lie between 0:00 and 24:00 and end at another hour than they "
        "begin. Hours that end before they begin go over midnight.",
    )

    def _get_calling_window(self, now=None):
        """When clients of this company may be called.

        :param datetime now: naive, UTC; public holidays are looked up from then on
        :return: CallingWindow
        """
        self.ensure_one()
        now = now or fields.Datetime.now()
        # sudo: whoever calls clients need not manage working schedules
        calendar_sudo = self.sudo().resource_calendar_id
        attendances_sudo = calendar_sudo.attendance_ids.filtered(
            lambda attendance: not attendance.display_type and attendance.day_period != "lunch"
        )
        weekdays = frozenset(int(day) for day in attendances_sudo.mapped("dayofweek"))
        zone = pytz.timezone(calendar_sudo.tz or self.partner_id.tz or "UTC")
        # a window over midnight may have opened yesterday
        now -= timedelta(days=1)
        holidays = set()
        leaves_sudo = (
            self.env["resource.calendar.leaves"]
            .sudo()
            .search(
                [
                    ("resource_id", "=", False),
                    ("calendar_id", "in", (False, calendar_sudo.id)),
                    ("company_id", "in", (False, self.id)),
                    ("date_to", ">=", now),
                    ("date_from", "<=", now + HOLIDAYS_AHEAD),
                ]
            )
        )
        for leave in leaves_sudo:
            day, last = (
                pytz.utc.localize(moment).astimezone(zone).date()
                for moment in (leave.date_from, leave.date_to - timedelta(seconds=1))
            )
            while day <= last:
                holidays.add(day)
                day += timedelta(days=1)
        try:
            return CallingWindow(
                hour_from=self.crm_calling_hour_from,
                hour_to=self.crm_calling_hour_to,
                weekdays=weekdays or frozenset(range(5)),
                holidays=frozenset(holidays),
            )
        except ValueError as error:
            raise ValidationError(
                self.env._(
                    "Correct the calling hours of %(company)s in the CRM settings: they must "
                    "lie between 0:00 and 24:00 and end at another hour than they begin.",
                    company=self.name,
                )
            ) from error

    @api.model_create_multi
    def create(self, vals_list):
        """The partner of a company of ours is no client: nobody is asked about duplicates."""
        return super(ResCompany, self.with_context(**{UNASKED_KEY: UNASKED})).create(vals_list)
