from datetime import datetime, timedelta

import pytz
from odoo import api, fields, models
from odoo.tools import format_date, format_time

LOOK_AHEAD_DAYS = 15
SLOT_MINUTES = 30
NOTICE_MINUTES = 60


class ResUsers(models.Model):
    """A personal manager as his customers see him: his clock, his hours, when he is free.

    His hours are those of his employee's working calendar, without leave and public holidays; a
    colleague without an employee works by the calendar of the company. He is free when he works
    and neither his calendar nor a planned contact holds the time.
    """

    _inherit = "res.users"

    def _portal_get_zone(self):
        """Time zone of the colleague (pytz)."""
        self.ensure_one()
        name = self.tz or self.company_id.resource_calendar_id.tz or "UTC"
        return pytz.timezone(name if name in pytz.all_timezones_set else "UTC")

    def _portal_get_working_hours(self, start, end):
        """When the colleague works.

        :param datetime start: naive, UTC
        :param datetime end: naive, UTC
        :return: list of (start, end), naive in UTC, in order
        """
        self.ensure_one()
        start, end = pytz.utc.localize(start), pytz.utc.localize(end)
        # that of his employee here, else of whichever company he works for
        resource = self.employee_id.resource_id or self.resource_ids[:1]
        calendar = resource.calendar_id or self.company_id.resource_calendar_id
        if not calendar:
            return []
        intervals = calendar._work_intervals_batch(
            start, end, resources=resource or None, tz=self._portal_get_zone()
        )[resource.id]
        return [
            (begin.astimezone(pytz.utc).replace(tzinfo=None),
             finish.astimezone(pytz.utc).replace(tzinfo=None))
            for begin, finish, _records in intervals
        ]  # fmt: skip

    def _portal_get_hours(self, now=None):
        """The colleague's local time, and whether or when he is there.

        :param datetime now: naive, UTC
        :return: ``time`` (formatted, by his clock), ``is_there``, ``text`` (until when, or when
            he is back), ``sentence`` (both), ``zone``
        :rtype: dict
        """
        values = self._portal_compute_hours(now)
        values["sentence"] = self.env._(
            "Local time %(time)s, %(text)s", time=values["time"], text=values["text"]
        )
        return values

    def _portal_compute_hours(self, now=None):
        self.ensure_one()
        now = now or fields.Datetime.now()
        zone = self._portal_get_zone()
        hours = self._portal_get_working_hours(now, now + timedelta(days=LOOK_AHEAD_DAYS))
        local = pytz.utc.localize(now).astimezone(zone)
        values = {
            "time": self._portal_format_time(local),
            "zone": zone.zone.replace("_", " "),
            "is_there": False,
            "text": "",
        }
        if not hours:
            values["text"] = self.env._("away at the moment")
            return values
        begin, end = (pytz.utc.localize(moment).astimezone(zone) for moment in hours[0])
        if hours[0][0] <= now:
            values["is_there"] = True
            values["text"] = self.env._(
                "available until %(time)s", time=self._portal_format_time(end)
            )
            return values
        days = (begin.date() - local.date()).days
        time = self._portal_format_time(begin)
        if days == 0:
            values["text"] = self.env._("back today at %(time)s", time=time)
        elif days == 1:
            values["text"] = self.env._("back tomorrow at %(time)s", time=time)
        else:
            values["text"] = self.env._(
                "back on %(day)s at %(time)s",
                day=format_date(self.env, begin.date(), date_format="EEEE, d MMMM"),
                time=time,
            )
        return values

    @api.model
    def _portal_format_time(self, moment):
        """18:40 or 6:40 PM, by the language of the reader; ``moment`` is local."""
        return format_time(self.env, moment.replace(tzinfo=None).time(), time_format="short")

    # ------------------------------------------------------------
    # Free time
    # ------------------------------------------------------------

    def _portal_get_busy_hours(self, start, end):
        """When the colleague has something to do already.

        :return: list of (start, end), naive in UTC
        """
        self.ensure_one()
        events = self.env["calendar.event"].sudo().search(
            [
                ("partner_ids", "in", self.partner_id.ids),
                ("start", "<", end),
                ("stop", ">", start),
                ("show_as", "=", "busy"),
            ]
        )  # fmt: skip
        declined = events.attendee_ids.filtered(
            lambda attendee: attendee.partner_id == self.partner_id and attendee.state == "declined"
        ).event_id
        zone = self._portal_get_zone()
        busy = []
        for event in events - declined:
            if event.allday:
                begin = zone.localize(datetime.combine(event.start_date, datetime.min.time()))
                finish = zone.localize(
                    datetime.combine(event.stop_date + timedelta(days=1), datetime.min.time())
                )
                busy.append(
                    tuple(m.astimezone(pytz.utc).replace(tzinfo=None) for m in (begin, finish))
                )
            else:
                busy.append((event.start, event.stop))
        contacts = self.env["crm.interaction"].sudo().search(
            [
                ("user_id", "=", self.id),
                ("state", "in", ("planned", "postponed")),
                ("kind", "in", ("call", "meeting")),
                ("calendar_event_id", "=", False),
                ("date_deadline", "<", end),
                ("date_deadline", ">", start - timedelta(hours=8)),
            ]
        )  # fmt: skip
        busy += [
            (
                contact.date_deadline,
                contact.date_deadline + timedelta(minutes=contact.duration or SLOT_MINUTES),
            )
            for contact in contacts
        ]
        return busy

    def _portal_get_slots(self, start, end, minutes=SLOT_MINUTES, now=None):
        """Moments at which a contact of some length can begin.

        :param datetime start: naive, UTC
        :param datetime end: naive, UTC
        :param int minutes: length of the contact
        :param datetime now: naive, UTC; what is nearer than an hour is not offered
        :return: list of naive datetimes in UTC, on half hours of the colleague's clock
        """
        self.ensure_one()
        earliest = (now or fields.Datetime.now()) + timedelta(minutes=NOTICE_MINUTES)
        start = max(start, earliest)
        if start >= end:
            return []
        busy = self._portal_get_busy_hours(start, end + timedelta(minutes=minutes))
        length, step = timedelta(minutes=minutes), timedelta(minutes=SLOT_MINUTES)
        slots = []
        for begin, finish in self._portal_get_working_hours(start, end):
            slot = begin.replace(second=0, microsecond=0)
            late = slot.minute % SLOT_MINUTES
            if late or slot < begin:
                slot += timedelta(minutes=SLOT_MINUTES - late)
            while slot + length <= finish:
                if not any(slot < until and since < slot + length for since, until in busy):
                    slots.append(slot)
                slot += step
        return slots
