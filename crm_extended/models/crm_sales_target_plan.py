from collections import defaultdict

from odoo import api, fields, models

from ..tools.metric_forecast import forecast_run_rate
from ..tools.metric_period import get_moments, get_month_share, get_months


class CrmMetric(models.Model):
    """A metric against its targets: the plan of a period, how much is reached, where it leads."""

    _inherit = "crm.metric"

    def _get_plans(self, periods, group=None, filters=None):
        """The plans of a metric, as far as the user may read them.

        Months that a period touches in part count by their days. What is no sum (a share, an
        average, a number at the end) is averaged over the months instead of added up.

        :return: list, one for each period, of dicts: id of the person or team (None: all
            together) → plan; who has none is missing
        """
        self.ensure_one()
        months = {month for period in periods for month in get_months(period)}
        targets = self.env["crm.sales.target"].search(
            [
                ("metric_id", "=", self.id),
                ("month", "in", sorted(months)),
                ("company_id", "in", self.env.companies.ids),
            ]
        )
        return [self._get_plan(targets, period, group, filters or {}) for period in periods]

    def _get_plan(self, targets, period, group, filters):
        people, teams, companies = (defaultdict(list) for _scope in range(3))
        for target in targets:
            share = get_month_share(target.month, period)
            if not share:
                continue
            value = self._get_target_amount(target)
            if target.user_id:
                people[target.user_id.id].append((share, value))
            elif target.team_id:
                teams[target.team_id.id].append((share, value))
            else:
                companies[target.company_id.id].append((share, value))
        people, teams, companies = (
            {key: self._weigh(values) for key, values in found.items()}
            for found in (people, teams, companies)
        )
        if filters.get("user_ids"):
            people = {key: value for key, value in people.items() if key in filters["user_ids"]}
        return self._spread_plan(targets, people, teams, companies, group, filters)

    def _spread_plan(self, targets, people, teams, companies, group, filters):
        """Plans of whom they are asked for, from those that were set."""
        additive = self._is_additive()
        # sudo: the team of a colleague is no secret
        team_of = {user.id: user.sudo().sale_team_id.id for user in targets.user_id}
        if additive:
            for user_id, value in people.items():
                team_id = team_of[user_id]
                if team_id and team_id not in self._get_own_teams(targets):
                    teams[team_id] = teams.get(team_id, 0) + value
        if filters.get("team_ids"):
            wanted = filters["team_ids"]
            teams = {key: value for key, value in teams.items() if key in wanted}
            people = {key: value for key, value in people.items() if team_of[key] in wanted}
        plan = dict({"user": people, "team": teams}.get(group, {}))
        if filters.get("user_ids"):
            total = sum(people.values()) if people and additive else None
        elif filters.get("team_ids"):
            total = sum(teams.values()) if teams and additive else None
        elif companies:
            values = list(companies.values())
            total = sum(values) if additive else sum(values) / len(values)
        else:
            loose = [value for key, value in people.items() if not team_of[key]]
            total = sum([*teams.values(), *loose]) if additive and (teams or loose) else None
        if total is not None:
            plan[None] = total
        return plan

    @staticmethod
    def _get_own_teams(targets):
        return {target.team_id.id for target in targets if target.team_id}

    def _get_target_amount(self, target):
        """Value of a target; money in the currency of the user's company."""
        own, wanted = target.company_id.sudo().currency_id, self.env.company.currency_id
        if self.unit != "money" or own == wanted:
            return target.value
        return own._convert(target.value, wanted, target.company_id, target.month, round=False)

    def _weigh(self, values):
        """:param list values: (share of the month in the period, value of the month)"""
        total = sum(share * value for share, value in values)
        return total if self._is_flow() else total / sum(share for share, _value in values)

    def _get_fulfilments(self, facts, periods, group=None, filters=None):
        """Percent of the plan that is reached; None without a plan.

        :param list facts: figures of the metric behind the plan, as ``_get_figures`` has them
        """
        self.ensure_one()
        plans = self.numerator_id._get_plans(periods, group, filters)
        return [
            {
                key: 100 * (fact.get(key) or 0) / plan[key] if plan.get(key) else None
                for key in fact.keys() | plan.keys()
            }
            for fact, plan in zip(facts, plans, strict=True)
        ]

    def _get_progress(self, period, group=None, filters=None):
        """How far the plan of a period is, and where it leads.

        The forecast carries on at the rate of the working days that are gone, today included; a
        period that is over, and what does not grow with time, is its own forecast.

        :return: dict id (None: all together) → dict of ``fact``, ``plan``, ``percent``,
            ``forecast``, ``forecast_percent`` (None where there is none) and ``mood``: "cheer"
            (reached), "warning" (the forecast falls short), False
        """
        self.ensure_one()
        facts = self._get_figures([period], group, filters)[self.id][0]
        plan = self._get_plans([period], group, filters)[0]
        gone, days = self._get_working_days(period)
        company = self.env.company
        progress = {}
        for key in facts.keys() | plan.keys():
            fact, target = facts.get(key), plan.get(key)
            forecast = forecast_run_rate(fact, gone, days) if self._is_flow() else fact
            percent = 100 * (fact or 0) / target if target else None
            ahead = 100 * (forecast or 0) / target if target else None
            progress[key] = {
                "fact": fact,
                "plan": target,
                "percent": percent,
                "forecast": forecast,
                "forecast_percent": ahead,
                "mood": self._get_mood(percent, ahead, company),
            }
        return progress

    def _get_mood(self, percent, ahead, company):
        if percent is None:
            return False
        if self.better == "down":
            return "warning" if percent > 100 else False
        if percent >= company.crm_target_cheer_percent:
            return "cheer"
        return "warning" if ahead < company.crm_target_warning_percent else False

    @api.model
    def _get_working_days(self, period):
        """Working days of the company in a period: (gone by the end of today, all).

        Public holidays of the company's schedule are no working days. A company without a
        schedule works every day.
        """
        today = fields.Date.context_today(self)
        # sudo: the schedule of one's own company
        working_time = self.env.company.sudo().resource_calendar_id
        zone = working_time.tz or self._get_zone()

        def count(first, last):
            if last < first:
                return 0.0
            if not working_time:
                return float((last - first).days + 1)
            start, end = get_moments((first, last), zone)
            return working_time.get_work_duration_data(start, end)["days"]

        return count(period[0], min(today, period[1])), count(*period)
