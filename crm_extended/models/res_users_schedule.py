from collections import defaultdict
from datetime import timedelta

import pytz
from odoo import api, fields, models
from odoo.tools import format_datetime, format_time


class ResUsers(models.Model):
    """The working schedule of users: whether they are there, and when so many hours have passed.

    - *Away*: in an absence, or in time off of the working schedule. *Off hours*: the schedule says
      so. *Present*: everything else; who has no schedule of his own has that of the company.
    - Asked for many users at once, it costs a constant number of queries.
    """

    _inherit = "res.users"

    @api.model
    def get_work_status(self, user_ids):
        """Whether users are there now, in words, for screens on which work is assigned.

        :param list user_ids: ids; those of customers and unknown ones are left out
        :return: dict id (as string) → dict with `state` (present, away, off) and `text`
        """
        ids = [user_id for user_id in user_ids[:500] if isinstance(user_id, int)]
        if not self.env.user._is_internal():
            return {}
        # sudo: whether a colleague is there is nobody's secret; why he is not, stays unsaid
        users_sudo = self.sudo().search([("id", "in", ids), ("share", "=", False)])
        now = fields.Datetime.now()
        return {
            str(user.id): {"state": state, "text": users_sudo._get_status_text(user, state, moment)}
            for user, (state, moment) in users_sudo._get_status(now).items()
        }

    def _get_status(self, now, company=None):
        """State of these users, under sudo.

        :param datetime now: naive, UTC
        :return: dict user → (present, away or off; for away the Cover, else None)
        """
        company = company or self.env.company
        cover = self.env["crm.absence"]._get_cover(now)
        working = self._get_working(now, company)
        status = {}
        for user in self:
            found = cover.get((company.id, user.id))
            if found:
                status[user] = "away", found
            else:
                status[user] = "present" if working[user] else "off", None
        return status

    def _get_working(self, now, company):
        """Which of these users work at this moment, by their working schedules.

        :return: dict user → bool
        """
        resources = self._get_work_resources(company)
        calendar = company.sudo().resource_calendar_id
        start = pytz.utc.localize(now)
        by_resource, by_calendar = (
            self.env["resource.resource"]
            .sudo()
            .browse({resource.id for resource in resources.values()})
            ._get_valid_work_intervals(start, start + timedelta(minutes=1), calendars=calendar)
        )
        general = bool(by_calendar[calendar.id]) if calendar else True
        return {
            user: bool(by_resource[resources[user].id]) if user in resources else general
            for user in self
        }

    def _get_work_resources(self, company):
        """The resources that carry the schedules of these users in a company.

        :return: dict user → resource.resource, under sudo; users without one are not in it
        """
        # sudo: working schedules are nobody's secret, though not everybody may read them
        resources_sudo = (
            self.env["resource.resource"]
            .sudo()
            .search([("user_id", "in", self.ids), ("company_id", "=", company.id)], order="id desc")
        )
        return {resource.user_id.with_env(self.env): resource for resource in resources_sudo}

    def _get_status_text(self, user, state, found):
        zone = user.tz or "UTC"
        if state == "away":
            until = format_datetime(self.env, found.until, dt_format="short")
            if found.holder and found.holder != user.id:
                return self.env._(
                    "Away until %(until)s; %(substitute)s stands in",
                    until=until,
                    substitute=self.browse(found.holder).name,
                )
            return self.env._("Away until %(until)s; nobody stands in", until=until)
        clock = format_time(self.env, fields.Datetime.now(), tz=zone, time_format="short")
        if state == "off":
            return self.env._("Off hours; it is %(time)s there (%(zone)s)", time=clock, zone=zone)
        return self.env._("Present; it is %(time)s there (%(zone)s)", time=clock, zone=zone)

    def _plan_working_hours(self, hours, moment, company):
        """The moment so many working hours after (or, negative, before) another one.

        :param float hours: working hours of each user's schedule
        :param datetime moment: naive, UTC
        :return: dict user → naive datetime in UTC; by the clock where a schedule leaves no hours
        """
        resources = self._get_work_resources(company)
        calendar = company.sudo().resource_calendar_id
        groups = defaultdict(self.browse)
        for user in self:
            resource = resources.get(user)
            # people with the same schedule and no schedule of their own share one calculation
            groups[resource or calendar] |= user
        planned = {}
        start = pytz.utc.localize(moment)
        for owner, users in groups.items():
            is_resource = owner._name == "resource.resource"
            schedule = owner.calendar_id if is_resource else owner
            end = schedule and schedule.plan_hours(
                hours, start, compute_leaves=True, resource=owner if is_resource else None
            )
            end = end.astimezone(pytz.utc).replace(tzinfo=None) if end else None
            planned |= dict.fromkeys(users, end or moment + timedelta(hours=hours))
        return planned
