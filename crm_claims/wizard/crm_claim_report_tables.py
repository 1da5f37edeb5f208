from collections import defaultdict

from dateutil.relativedelta import relativedelta
from odoo import models
from odoo.tools import format_date


class CrmClaimReportExport(models.TransientModel):
    """The tables of the workbook, each read from a report by the user's own rights."""

    _inherit = "crm.claim.report.export"

    def _get_tables(self):
        """Tables in the order of the sheets (see `tools/claims_xlsx.py`)."""
        tables = [
            self._get_comparison_table(),
            self._get_month_table(),
            self._get_department_month_table(),
            self._get_satisfaction_table(),
            self._get_structure_table(),
            self._get_pareto_table(),
            self._get_deadline_table(),
            self._get_recurrence_table(),
            self._get_cost_table(),
            self._get_work_table(),
        ]
        note = self.env._(
            "%(company)s, %(start)s to %(end)s",
            company=self.company_id.name,
            start=format_date(self.env, self.date_from),
            end=format_date(self.env, self.date_to),
        )
        return [{"note": note, **table} for table in tables]

    def _read(self, model, groupby, aggregates, domain=None):
        return self.env[model]._read_group(domain or self._get_domain(), groupby, aggregates)

    def _get_nobody(self):
        return self.env._("Not found yet")

    # ------------------------------------------------------------------
    # Dynamics
    # ------------------------------------------------------------------

    def _get_period_figures(self, period):
        """Claims registered, handled, and unhandled at the end of a period."""
        outcome = self.env["crm.claim.outcome"]
        until = [("company_id", "=", self.company_id.id), ("date", "<=", period[1])]
        return (
            outcome.search_count(self._get_domain(period)),
            outcome.search_count(self._get_domain(period, "date_handled")),
            outcome.search_count(
                [*until, "|", ("date_handled", "=", False), ("date_handled", ">", period[1])]
            ),
        )

    def _get_comparison_table(self):
        periods = self._get_periods()
        now, previous, last_year = (self._get_period_figures(period) for period in periods.values())
        labels = (
            self.env._("Registered"),
            self.env._("Handled"),
            self.env._("Unhandled at the End"),
        )
        return {
            "name": self.env._("Dynamics"),
            "title": self.env._("Claims Compared With the Past"),
            "columns": [
                (self.env._("Figure"), "text"),
                (self.env._("Period"), "integer"),
                (self.env._("Previous Period"), "integer"),
                (self.env._("Change (%)"), "percent"),
                (self.env._("Last Year"), "integer"),
                (self.env._("Change (%)"), "percent"),
            ],
            "rows": [
                (label, value, before, _change(value, before), year, _change(value, year))
                for label, value, before, year in zip(labels, now, previous, last_year, strict=True)
            ],
            "charts": [
                {
                    "type": "column",
                    "title": self.env._("Claims Compared With the Past"),
                    "columns": [1, 2, 4],
                }
            ],
        }

    def _get_months(self):
        months = []
        month = self.date_from.replace(day=1)
        while month <= self.date_to:
            months.append(month)
            month += relativedelta(months=1)
        return months

    def _get_month_domain(self):
        """Whole months that the period touches: a stock belongs to the end of its month."""
        months = self._get_months()
        return self._get_domain((months[0], months[-1] + relativedelta(months=1, days=-1)))

    def _get_month_table(self):
        names = [
            f"{figure}{suffix}"
            for figure in ("registered", "handled", "unhandled")
            for suffix in ("", "_previous", "_last_year")
        ]
        known = {
            month: figures
            for month, *figures in self._read(
                "crm.claim.dynamics",
                ["date:month"],
                [f"{name}:sum" for name in names],
                self._get_month_domain(),
            )
        }
        fields = self.env["crm.claim.dynamics"]._fields
        return {
            "name": self.env._("By Month"),
            "title": self.env._("Claims by Month, Beside the Month Before and Last Year"),
            "columns": [
                (self.env._("Month"), "text"),
                *((fields[name]._description_string(self.env), "number") for name in names),
            ],
            "rows": [
                (month.strftime("%Y-%m"), *known.get(month, [0.0] * len(names)))
                for month in self._get_months()
            ],
            "charts": [
                {
                    "type": "line",
                    "title": self.env._("Registered, Handled, Unhandled"),
                    "columns": [1, 4, 7],
                },
                {
                    "type": "column",
                    "title": self.env._("Registered, This Year and Last Year"),
                    "columns": [1, 3],
                },
            ],
        }

    def _get_department_month_table(self):
        figures = ["registered:sum", "handled:sum", "unhandled:sum"]
        rows = []
        for month, department, *values in self._read(
            "crm.claim.dynamics", ["date:month", "department_id"], figures, self._get_month_domain()
        ):
            if any(values):
                rows.append((month.strftime("%Y-%m"), department.display_name or "", *values))
        nobody = self._get_nobody()
        rows = [(month, name or nobody, *values) for month, name, *values in sorted(rows)]
        return {
            "name": self.env._("By Department"),
            "title": self.env._("Claims by Month and Guilty Department"),
            "columns": [
                (self.env._("Month"), "text"),
                (self.env._("Guilty Department"), "text"),
                (self.env._("Registered"), "number"),
                (self.env._("Handled"), "number"),
                (self.env._("Unhandled at Month End"), "number"),
            ],
            "rows": rows,
            # a stock does not add up over months
            "total": (
                self.env._("Total"),
                None,
                sum(row[2] for row in rows),
                sum(row[3] for row in rows),
                None,
            ),
        }

    # ------------------------------------------------------------------
    # Satisfaction
    # ------------------------------------------------------------------

    def _get_satisfaction_table(self):
        """Outcome by cause; a cause counts the claims of its detailed causes, too."""
        sums = defaultdict(_Outcome)
        for cause, decision, count, rated, rating, decided, days in self._read(
            "crm.claim.outcome",
            ["cause_id", "decision"],
            [
                "__count",
                "rating:array_agg",
                "rating:sum",
                "decided_count:sum",
                "days_to_decide:array_agg",
            ],
        ):
            # sudo: names of the tree above a cause, which everybody may read
            path = [int(part) for part in (cause.sudo().parent_path or "").split("/") if part]
            for node in [*path, "all"] if path else [0, "all"]:
                sums[node].add(decision, count, rated, rating, decided, days)
        tree = self.env["crm.claim.cause"].with_context(active_test=False)
        causes = tree.browse(node for node in sums if isinstance(node, int) and node)
        rows = [
            ((cause.name, cause.parent_path.count("/") - 1), *sums[cause.id].get_figures())
            for cause in causes.sorted("complete_name")
        ]
        if 0 in sums:
            rows.append(((self._get_nobody(), 0), *sums[0].get_figures()))
        return {
            "name": self.env._("Satisfaction"),
            "title": self.env._("Outcome by Cause, Detailed Causes Included"),
            "columns": [
                (self.env._("Cause"), "text"),
                (self.env._("Claims"), "integer"),
                (self.env._("With a Decision"), "integer"),
                (self.env._("Satisfied (%)"), "percent"),
                (self.env._("Partly Satisfied (%)"), "percent"),
                (self.env._("Rejected (%)"), "percent"),
                (self.env._("Mean Rating (1-5)"), "number"),
                (self.env._("Mean Days to Decide"), "number"),
            ],
            "rows": rows,
            "total": (self.env._("Total"), *sums["all"].get_figures()),
            "charts": [
                {
                    "type": "bar",
                    "title": self.env._("Satisfied, Partly, Rejected"),
                    "columns": [3, 4, 5],
                }
            ],
        }

    # ------------------------------------------------------------------
    # Structure
    # ------------------------------------------------------------------

    def _get_structure_table(self):
        nobody = self._get_nobody()
        cells = defaultdict(float)
        for department, cause, value in self._read(
            "crm.claim.report", ["department_id", "cause_id"], ["registered:sum"]
        ):
            key = department.display_name or nobody, cause.complete_name or nobody
            cells[key] += value
        departments = sorted({key[0] for key in cells}, key=lambda name: (name == nobody, name))
        causes = sorted({key[1] for key in cells}, key=lambda name: (name == nobody, name))
        total = sum(cells.values())
        rows = []
        for department in departments:
            values = [cells.get((department, cause), 0.0) for cause in causes]
            rows.append((department, *values, sum(values), _percent(sum(values), total)))
        sums = [sum(cells.get((name, cause), 0.0) for name in departments) for cause in causes]
        return {
            "name": self.env._("Structure"),
            "title": self.env._("Claims by Guilty Department and Cause"),
            "columns": [
                (self.env._("Guilty Department"), "text"),
                *((cause, "number") for cause in causes),
                (self.env._("Total"), "number"),
                (self.env._("Share (%)"), "percent"),
            ],
            "rows": rows,
            "total": (self.env._("Total"), *sums, total, 100.0 if total else 0.0),
            "charts": [
                {
                    "type": "stacked",
                    "title": self.env._("Claims by Guilty Department and Cause"),
                    "columns": list(range(1, len(causes) + 1)),
                }
            ]
            if causes
            else [],
        }

    def _get_pareto_table(self):
        nobody = self._get_nobody()
        counts = [
            (cause.complete_name or nobody, count)
            for cause, count in self._read("crm.claim.outcome", ["cause_id"], ["__count"])
        ]
        total = sum(count for __, count in counts)
        rows = []
        cumulated = 0
        for name, count in sorted(counts, key=lambda item: (-item[1], item[0])):
            cumulated += count
            rows.append((name, count, _percent(count, total), _percent(cumulated, total)))
        return {
            "name": self.env._("Causes"),
            "title": self.env._("Pareto of Causes"),
            "columns": [
                (self.env._("Cause"), "text"),
                (self.env._("Claims"), "integer"),
                (self.env._("Share (%)"), "percent"),
                (self.env._("Cumulated (%)"), "percent"),
            ],
            "rows": rows,
            "total": (self.env._("Total"), total, None, None),
            "rows_in_chart": 20,
            "charts": [
                {"type": "pareto", "title": self.env._("Pareto of Causes"), "columns": [1, 3]}
            ],
        }


class _Outcome:
    """Sums over claims from which the figures of a cause are made."""

    def __init__(self):
        self.claims = 0
        self.decided = 0
        self.decisions = defaultdict(int)
        self.ratings = [0, 0.0]
        self.days = [0, 0.0]

    def add(self, decision, count, ratings, rating, decided, days):
        self.claims += count
        self.decided += decided
        self.decisions[decision] += decided
        self.ratings[0] += sum(1 for value in ratings if value)
        self.ratings[1] += rating or 0.0
        known = [value for value in days if value is not None]
        self.days[0] += len(known)
        self.days[1] += float(sum(known))

    def get_figures(self):
        """Claims, decided, shares of the decisions in %, mean rating, mean days."""
        shares = (
            100.0 * self.decisions[decision] / self.decided if self.decided else None
            for decision in ("satisfied", "partly", "rejected")
        )
        rating = self.ratings[1] / self.ratings[0] if self.ratings[0] else None
        days = self.days[1] / self.days[0] if self.days[0] else None
        return (self.claims, self.decided, *shares, rating, days)


def _percent(part, whole):
    return 100.0 * part / whole if whole else 0.0


def _change(value, before):
    """Change against ``before`` in %, None when there was nothing."""
    return 100.0 * (value - before) / before if before else None
