from datetime import date, datetime, timedelta

import pytz
from odoo import models
from odoo.addons.crm_claims.tools import deadline
from odoo.tools import ormcache

#: how many years a clock is built for, until a deadline lies within it
HORIZONS = (1, 5, 40)


class ResCompany(models.Model):
    """The clocks on which a company counts the deadlines of its claims."""

    _inherit = "res.company"

    def write(self, vals):
        result = super().write(vals)
        if "resource_calendar_id" in vals:
            for company in self:
                self.env["crm.claim"]._mark_deadlines_stale([("company_id", "=", company.id)])
        return result

    def _get_claim_zone(self, calendar):
        return pytz.timezone(calendar.tz or self.resource_calendar_id.tz or "UTC")

    def _get_claim_count_start(self, calendar, unit, start):
        return deadline.get_count_start(start, unit, self._get_claim_zone(calendar))

    def _get_claim_deadline(self, calendar, unit, amount, start, pauses=()):
        """When an amount of time that begins with ``start`` is over.

        :param calendar: ``resource.calendar``, may be empty
        :param str unit: hours, working_days or calendar_days
        :param amount: number above zero
        :param datetime start: naive, in UTC
        :param pauses: ``(since, until or None)``, naive in UTC
        :return: naive in UTC; ``None`` while a pause is open
        """
        self.ensure_one()
        counted = self._get_claim_count_start(calendar, unit, start)
        budget = deadline.Fraction(amount).limit_denominator(10_000)
        longest = max((until or since for since, until in pauses), default=counted)
        for horizon in HORIZONS:
            clock = self._get_claim_clock(
                unit, calendar.id, counted.year - 1, max(counted, longest).year + horizon
            )
            try:
                return deadline.get_deadline(clock, counted, budget, pauses)
            except deadline.BeyondHorizonError:
                continue
        return None

    def _get_claim_deadline_date(self, calendar, moment):
        """Local date to which a deadline belongs."""
        return deadline.get_deadline_date(moment, self._get_claim_zone(calendar))

    @ormcache("self.id", "unit", "calendar_id", "first", "last", cache="default")
    def _get_claim_clock(self, unit, calendar_id, first, last):
        """Clock of whole years; kept until a schedule or a public holiday changes.

        A schedule without any working time counts every hour of every day.

        :param int first: first year; :param int last: last year
        """
        # sudo: the working time of a company is no secret, its schedules are
        calendar_sudo = self.env["resource.calendar"].sudo().browse(calendar_id or False)
        zone = self._get_claim_zone(calendar_sudo)
        start, end = date(first, 1, 1), date(last, 12, 31)
        intervals = []
        if unit != deadline.CALENDAR_DAYS and calendar_sudo:
            intervals = self._get_claim_working_intervals(calendar_sudo, zone, start, end)
        if intervals and unit == deadline.WORKING_DAYS:
            return deadline.build_working_days(intervals, zone)
        if unit == deadline.HOURS:
            always = [(deadline.get_midnight(start, zone), deadline.get_midnight(end, zone))]
            return deadline.build_hours(intervals or always)
        return deadline.build_calendar_days(start, end, zone)

    def _get_claim_working_intervals(self, calendar, zone, first, last):
        """Working time of a schedule, less lunch and public holidays, naive in UTC."""
        moments = [
            zone.localize(datetime.combine(day, datetime.min.time()))
            for day in (first, last + timedelta(days=1))
        ]
        domain = [
            ("time_type", "=", "leave"),
            ("resource_id", "=", False),
            ("company_id", "in", [self.id, False]),
        ]
        found = calendar._work_intervals_batch(*moments, domain=domain, tz=zone)[False]
        return [
            (self._to_claim_second(start), self._to_claim_second(end)) for start, end, __ in found
        ]

    def _to_claim_second(self, moment):
        """Naive in UTC; the last microsecond of a day is the first of the next one."""
        moment = moment.astimezone(pytz.utc).replace(tzinfo=None)
        if moment.microsecond:
            moment = moment.replace(microsecond=0) + timedelta(seconds=1)
        return moment
