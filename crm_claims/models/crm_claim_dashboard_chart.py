from collections import defaultdict
from datetime import timedelta

from odoo import api, models
from odoo.addons.crm_claims.models.crm_claim_dashboard import AGES, MONTHS, TOP
from odoo.addons.crm_extended.tools.metric_period import add_months, get_moments, get_month_end
from odoo.fields import Domain
from odoo.tools import format_date, formatLang

DECISION_COLORS = {"satisfied": "#28a745", "partly": "#ffac00", "rejected": "#dc3545"}


class CrmDashboard(models.AbstractModel):
    """Charts of the dashboard of claims, and the matrix of departments and causes."""

    _inherit = "crm.dashboard"

    @api.model
    def _build_claim_chart(self, key, title, kind, rows, wide=False, names=None):
        """A chart of one series, or of several.

        :param rows: list of (label, value or list of values, domain or list of domains)
        :param names: names of the series, if several
        """
        series = [{"name": name, "data": []} for name in names or [title]]
        actions = []
        for label, values, domains in rows:
            several = isinstance(values, list)
            for one, value in zip(series, values if several else [values], strict=True):
                one["data"].append(value)
            found = [
                self._get_claim_action(
                    f"{one['name']}: {label}", domain, past=not key.startswith("open_")
                )
                for one, domain in zip(series, domains if several else [domains], strict=True)
            ]
            actions.append(found if several else found[0])
        return {
            "key": key,
            "title": title,
            "kind": kind,
            "wide": wide,
            "labels": [row[0] for row in rows],
            "series": series,
            "actions": actions,
        }

    # ------------------------------------------------------------------
    # Now
    # ------------------------------------------------------------------

    @api.model
    def _build_claim_states(self, scope):
        is_open = scope & Domain("is_open", "=", True)
        claims = self.env["crm.claim"]
        counts = dict(claims._read_group(is_open, ["state"], ["__count"]))
        labels = claims._fields["state"]._description_selection(self.env)
        rows = [
            (label, counts[state], is_open & Domain("state", "=", state))
            for state, label in labels
            if state in counts
        ]
        title = self.env._("Open claims by status")
        return self._build_claim_chart("open_state", title, "doughnut", rows)

    @api.model
    def _build_claim_ages(self, scope):
        is_open = scope & Domain("is_open", "=", True)
        today = self._get_claim_today()
        zone = self._get_claim_zone()
        by_day = [
            (max((today - day.date()).days, 0), count)
            for day, count in self.env["crm.claim"]._read_group(
                is_open, ["date_registered:day"], ["__count"]
            )
        ]
        rows = []
        for first, last in AGES:
            domain = is_open
            if first:
                end = today - timedelta(days=first)
                domain &= Domain("date_registered", "<", get_moments((end, end), zone)[1])
            if last is not None:
                start = today - timedelta(days=last)
                domain &= Domain("date_registered", ">=", get_moments((start, start), zone)[0])
            label = f"> {first - 1}" if last is None else f"{first}\N{EN DASH}{last}"
            count = sum(
                number for age, number in by_day if age >= first and (last is None or age <= last)
            )
            rows.append((label, count, domain))
        title = self.env._("Open claims by age, days")
        return self._build_claim_chart("open_age", title, "bar", rows)

    # ------------------------------------------------------------------
    # The period
    # ------------------------------------------------------------------

    @api.model
    def _build_claim_trend(self, scope, period):
        """Claims registered and handled in the twelve months up to the end of the period."""
        last = period[1].replace(day=1)
        months = [add_months(last, -back) for back in reversed(range(MONTHS))]
        whole = (months[0], get_month_end(last))
        dates = ("date_registered", "date_decided")
        counts = [
            {
                month.date(): count
                for month, count in self._get_past_claims()._read_group(
                    scope & self._get_claim_between(date, whole), [f"{date}:month"], ["__count"]
                )
            }
            for date in dates
        ]
        rows = [
            (
                format_date(self.env, month, date_format="LLL yy"),
                [by_month.get(month, 0) for by_month in counts],
                [
                    scope & self._get_claim_between(date, (month, get_month_end(month)))
                    for date in dates
                ],
            )
            for month in months
        ]
        names = [self.env._("Registered"), self.env._("Handled")]
        title = self.env._("Registered and handled by month")
        return self._build_claim_chart("trend", title, "bar", rows, wide=True, names=names)

    @api.model
    def _build_claim_pareto(self, scope, period):
        """Causes, the most frequent first, with the part of all claims that they add up to."""
        domain = scope & self._get_claim_between("date_registered", period)
        groups = self._get_past_claims()._read_group(
            domain, ["cause_id"], ["__count"], order="__count desc, cause_id"
        )
        rows = [
            (
                cause.complete_name or self.env._("Not found yet"),
                count,
                domain & Domain("cause_id", "=", cause.id),
            )
            for cause, count in groups[:TOP]
        ]
        title = self.env._("Causes, the most frequent first (Pareto)")
        chart = self._build_claim_chart("cause", title, "bar", rows, wide=True)
        chart["series"][0]["name"] = self.env._("Claims")
        total = sum(count for _cause, count in groups)
        reached, parts = 0, []
        for row in rows:
            reached += row[1]
            parts.append(round(100 * reached / total, 1))
        chart["series"].append(
            {"name": self.env._("Cumulated (%)"), "data": parts, "percent": True}
        )
        return chart

    @api.model
    def _build_claim_decisions(self, scope, period):
        domain = scope & self._get_claim_between("date_decided", period)
        claims = self._get_past_claims()
        counts = dict(claims._read_group(domain, ["decision"], ["__count"]))
        rows = [
            (label, counts[decision], domain & Domain("decision", "=", decision))
            for decision, label in claims._fields["decision"]._description_selection(self.env)
            if counts.get(decision)
        ]
        chart = self._build_claim_chart("decision", self.env._("Decisions"), "doughnut", rows)
        chart["series"][0]["colors"] = [
            color for decision, color in DECISION_COLORS.items() if counts.get(decision)
        ]
        return chart

    @api.model
    def _build_claim_people(self, scope, period):
        domain = scope & self._get_claim_between("date_decided", period)
        groups = self._get_past_claims()._read_group(
            domain, ["user_id"], ["__count"], order="__count desc, user_id", limit=TOP
        )
        rows = [
            # sudo: names of colleagues
            (
                user.sudo().name or self.env._("Nobody"),
                count,
                domain & Domain("user_id", "=", user.id),
            )
            for user, count in groups
        ]
        title = self.env._("Claims handled by responsible")
        return self._build_claim_chart("people", title, "hbar", rows)

    # ------------------------------------------------------------------
    # Structure
    # ------------------------------------------------------------------

    @api.model
    def _build_claim_structure(self, scope, period):
        """Claims of the period by guilty department and cause, counted by the shares of guilt."""
        within = self._get_claim_between("date_registered", period)
        claims = self._get_past_claims()._search(scope & within)
        cells = defaultdict(float)
        for department, cause, value in self.env["crm.claim.report"]._read_group(
            [("claim_id", "in", claims)], ["department_id", "cause_id"], ["registered:sum"]
        ):
            cells[department, cause] += value
        total = sum(cells.values())
        departments = self._rank_claim_keys(cells, 0)
        causes = self._rank_claim_keys(cells, 1)
        shown = causes[:TOP]

        def domain(department=None, cause=None):
            wanted = scope & within
            if department is not None:
                guilty = [("department_id", "=", department.id)]
                wanted &= (
                    Domain("fault_ids", "any", guilty)
                    if department
                    else Domain("fault_ids", "=", False)
                    | Domain("fault_ids", "any", [("department_id", "=", False)])
                )
            return wanted if cause is None else wanted & Domain("cause_id", "=", cause.id)

        nobody = self.env._("Not found yet")
        rows = []
        for department in [*departments[: 2 * TOP], None]:
            name = (department.display_name or nobody) if department is not None else None
            own = {
                cause: sum(
                    value
                    for (one, other), value in cells.items()
                    if other == cause and department in (None, one)
                )
                for cause in causes
            }
            row = [{"text": name or self.env._("Total"), "action": None}]
            for cause in shown:
                label = f"{name or ''}, {cause.complete_name or nobody}".strip(", ")
                row.append(
                    self._build_claim_cell(own[cause], total, label, domain(department, cause))
                )
            if len(causes) > len(shown):
                rest = sum(own[cause] for cause in causes[TOP:])
                row.append({"text": self._format_claim_number(rest), "action": None})
            whole = sum(own.values())
            row.append(self._build_claim_cell(whole, 0, name or "", domain(department)))
            part = formatLang(self.env, 100 * whole / total if total else 0, digits=1)
            row.append({"text": f"{part}\N{NO-BREAK SPACE}%", "action": None})
            rows.append(row)
        heads = [cause.complete_name or nobody for cause in shown]
        if len(causes) > len(shown):
            heads.append(self.env._("Other causes"))
        return {
            "key": "structure",
            "title": self.env._("Claims by Guilty Department and Cause"),
            "columns": [
                self.env._("Guilty Department"), *heads, self.env._("Total"),
                self.env._("Share (%)"),
            ],
            "rows": rows if total else [],
        }  # fmt: skip

    @api.model
    def _rank_claim_keys(self, cells, index):
        """Departments or causes of the cells, those with most claims first."""
        sums = defaultdict(float)
        for key, value in cells.items():
            sums[key[index]] += value
        return sorted(sums, key=lambda record: (-sums[record], record.id or 0))

    @api.model
    def _format_claim_number(self, value):
        """A number of claims by shares, empty for none."""
        digits = 0 if abs(value - round(value)) < 0.05 else 1
        return formatLang(self.env, value, digits=digits) if value else ""

    @api.model
    def _build_claim_cell(self, value, total, label, domain):
        return {
            "text": self._format_claim_number(value),
            "heat": round(value / total, 3) if total else 0,
            "action": self._get_claim_action(label, domain) if value else None,
        }
