from odoo import api, models
from odoo.exceptions import UserError

from ..tools.metric_forecast import get_season, spread
from ..tools.metric_period import add_months, get_fiscal_year, get_month_end

#: years before, whose months tell the seasons
SEASON_YEARS = 2


class CrmSalesTarget(models.Model):
    """A year of targets on one sheet: a row for each bearer, a column for each month.

    Whatever the sheet writes passes the rights of the user and the constraints of targets. Years
    are those of the company's books, in whole months.
    """

    _inherit = "crm.sales.target"

    @api.model
    @api.readonly
    def get_sheet(self, metric_id=None, year=None):
        """The sheet of a metric for a year.

        :param int metric_id: None: the first metric that has targets, or else turnover
        :param int year: year in which the year of the books begins; None: the present one
        :return: dict of ``metrics`` (to choose from), ``metric`` (id, name, unit, additive),
            ``year``, ``months`` (first days), ``rows`` (``key``, ``name``, ``kind``,
            ``editable``, ``values``: twelve targets or None, ``last``: facts of the year before)
        """
        self.check_access("read")
        Metric = self.env["crm.metric"]
        metrics = Metric.search([("kind", "!=", "plan")]).filtered(lambda m: not m.problem)
        metric = Metric.browse(metric_id).exists() or self._get_first_metric(metrics)
        months = self._get_sheet_months(year)
        return {
            "metrics": [{"id": m.id, "name": m.name} for m in metrics],
            "metric": metric.read(["name", "unit", "better"])[0]
            | {"additive": metric._is_additive()},
            "currency_id": self.env.company.currency_id.id,
            "year": months[0].year,
            "months": months,
            "rows": self._get_sheet_rows(metric, months),
        }

    @api.model
    def _get_first_metric(self, metrics):
        if not metrics:
            raise UserError(self.env._("There is no metric that you may read."))
        used = self.search([("metric_id", "in", metrics.ids)], limit=1).metric_id
        return used or metrics.filtered(lambda m: m.code == "orders_amount") or metrics[0]

    @api.model
    def _get_sheet_months(self, year):
        """First days of the twelve months of a year of the books."""
        company = self.env.company.sudo()
        today = self.env["crm.metric"]._get_today()
        first, _last = get_fiscal_year(
            today, company.fiscalyear_last_day, int(company.fiscalyear_last_month)
        )
        first = first.replace(day=1)
        first = first.replace(year=int(year)) if year else first
        return [add_months(first, number) for number in range(12)]

    @api.model
    def _get_sheet_rows(self, metric, months):
        bearers = self._get_bearers()
        targets = self.search(
            [
                ("metric_id", "=", metric.id),
                ("month", "in", months),
                ("company_id", "=", self.env.company.id),
            ]
        )
        known = {(kind, record.id) for kind, record, _editable in bearers}
        extra = [
            ("user", user, False)
            for user in targets.user_id
            if ("user", user.id) not in known  # who has left keeps his past targets
        ]
        values = {}
        for target in targets:
            key = ("user", target.user_id.id) if target.user_id else ("team", target.team_id.id)
            key = key if key[1] else ("company", self.env.company.id)
            values.setdefault(key, {})[target.month] = target.value
        facts = self._get_sheet_facts(metric, [add_months(month, -12) for month in months])
        return [
            {
                "key": f"{kind},{record.id}",
                "kind": kind,
                "name": record.sudo().name,
                "editable": editable,
                # people of no team are expected of the company, not of the team above them
                "loose": kind == "user" and not record.sudo().sale_team_id,
                "values": [values.get((kind, record.id), {}).get(month) for month in months],
                "last": facts.get((kind, record.id), [None] * 12),
            }
            for kind, record, editable in [*bearers, *extra]
        ]

    @api.model
    def _get_bearers(self):
        """For whom the user may see targets: (kind, record, whether he may set them)."""
        audience = self.env["crm.metric"]._get_audience()
        company = self.env.company
        Team = self.env["crm.team"].sudo()
        own_company = [("company_id", "in", (False, company.id))]
        if audience["kind"] == "all":
            teams = Team.search(own_company)
        elif audience["kind"] == "head":
            teams = Team.browse(audience["team_ids"]).filtered("active")
        else:
            user = self.env.user.sudo()
            return [
                *[("team", team, False) for team in user.sale_team_id],
                ("user", user, False),
            ]
        # sudo: who belongs to the teams; what is written is checked by the rules of targets
        members = teams.crm_team_member_ids.user_id.filtered("active")
        bearers = [("company", company, True)] if audience["kind"] == "all" else []
        for team in teams:
            bearers.append(("team", team, True))
            bearers += [("user", user, True) for user in members if user.sale_team_id == team]
        if audience["kind"] == "all":
            users, _teams = self.env["crm.manager.performance"]._get_people()
            loose = users.filtered(lambda user: user.active and not user.sale_team_id)
            bearers += [("user", user, True) for user in loose]
        return bearers

    @api.model
    def _get_sheet_facts(self, metric, months):
        """What was reached in each of twelve months, by bearer."""
        periods = [(month, get_month_end(month)) for month in months]
        found = {}
        for group in ("user", "team"):
            figures = metric._get_figures(periods, group)[metric.id]
            keys = {key for figure in figures for key in figure if key}
            for key in keys:
                found[group, key] = [figure.get(key) for figure in figures]
            found["company", self.env.company.id] = [figure.get(None) for figure in figures]
        return found

    # ------------------------------------------------------------
    # Entering
    # ------------------------------------------------------------

    @api.model
    def set_sheet(self, metric_id, changes):
        """Write cells of the sheet.

        :param list changes: dicts of ``key`` ("user,7", "team,2" or "company,1"), ``month``
            (first day) and ``value``; no value removes the target
        :raises UserError: for a bearer or a value that is none
        """
        wanted = {}
        for change in changes:
            wanted[change["key"], str(change["month"])] = self._parse_value(change["value"])
        found = {
            (target._get_sheet_key(), str(target.month)): target
            for target in self.search(
                [
                    ("metric_id", "=", metric_id),
                    ("company_id", "=", self.env.company.id),
                    ("month", "in", [month for _key, month in wanted]),
                ]
            )
        }
        vals_list, gone = [], self.browse()
        for (key, month), value in wanted.items():
            target = found.get((key, month))
            if value is None:
                gone |= target or self.browse()
            elif target:
                target.value = value
            else:
                vals_list.append(
                    {
                        "metric_id": metric_id,
                        "month": month,
                        "value": value,
                        "company_id": self.env.company.id,
                        **self._parse_bearer(key),
                    }
                )
        gone.unlink()
        self.create(vals_list)
        return True

    def _get_sheet_key(self):
        self.ensure_one()
        if self.user_id:
            return f"user,{self.user_id.id}"
        return f"team,{self.team_id.id}" if self.team_id else f"company,{self.company_id.id}"

    @api.model
    def _parse_bearer(self, key):
        kind, _sep, record_id = str(key).partition(",")
        if kind not in ("user", "team", "company") or not record_id.isdigit():
            raise UserError(self.env._("“%(key)s” is nobody a target can be set for.", key=key))
        return {} if kind == "company" else {f"{kind}_id": int(record_id)}

    @api.model
    def _parse_value(self, value):
        if value is None or value is False or value == "":
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if not 0 <= number < 1e15:
            raise UserError(
                self.env._("“%(value)s” is no target: enter a number, zero or more.", value=value)
            )
        return number

    @api.model
    def copy_last_year(self, metric_id, year, growth=0.0, keys=None):
        """Targets of a year from those of the year before, with growth.

        A month without a target then takes what was reached in it.

        :param float growth: percent to add; negative to take off
        :param list keys: rows of the sheet; None for all that may be edited
        :return: number of targets written
        """
        metric = self.env["crm.metric"].browse(metric_id)
        months = self._get_sheet_months(year)
        before = [add_months(month, -12) for month in months]
        plans = {row["key"]: row["values"] for row in self._get_sheet_rows(metric, before)}
        changes = []
        for row in self._get_sheet_rows(metric, months):
            if not row["editable"] or (keys and row["key"] not in keys):
                continue
            planned = plans.get(row["key"], [None] * 12)
            for month, plan, fact in zip(months, planned, row["last"], strict=True):
                value = fact if plan is None else plan
                if value:
                    value = round(value * (1 + float(growth) / 100), self._get_digits(metric))
                    changes.append({"key": row["key"], "month": month, "value": max(value, 0)})
        self.set_sheet(metric_id, changes)
        return len(changes)

    @api.model
    def spread_year(self, metric_id, year, key, total):
        """Divide a yearly figure into the months of a row, by the seasons of the past.

        The seasons are those of the bearer in the last two years, or of the company where he has
        no full year, or none.

        :param str key: row of the sheet
        :param float total: figure of the year
        """
        total = self._parse_value(total)
        if total is None:
            raise UserError(self.env._("Enter the figure of the year."))
        metric = self.env["crm.metric"].browse(metric_id)
        months = self._get_sheet_months(year)
        if metric._is_flow():
            values = spread(total, self._get_shares(metric, months, key), self._get_digits(metric))
        else:
            values = [total] * 12  # a share or a level is the same in every month
        return self.set_sheet(
            metric_id,
            [
                {"key": key, "month": month, "value": value}
                for month, value in zip(months, values, strict=True)
            ],
        )

    @api.model
    def _get_shares(self, metric, months, key):
        kind, _sep, record_id = key.partition(",")
        own, company = [], []
        for years in range(1, SEASON_YEARS + 1):
            facts = self._get_sheet_facts(metric, [add_months(m, -12 * years) for m in months])
            company.append(facts.get(("company", self.env.company.id), [None] * 12))
            own.append(facts.get((kind, int(record_id)), [None] * 12))
        today = self.env["crm.metric"]._get_today()
        full = months[-1] <= add_months(today, 12)  # the year before is over, or nearly so
        seasons = [year for index, year in enumerate(own) if index or full]
        if any(all(value for value in year) for year in seasons):
            return get_season([year for year in seasons if all(value for value in year)])
        return get_season([year for index, year in enumerate(company) if index or full])

    @api.model
    def _get_digits(self, metric):
        return 0 if metric.unit in ("number", "money") else 1
