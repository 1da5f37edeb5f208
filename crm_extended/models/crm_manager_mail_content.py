from odoo import api, models
from odoo.tools import file_path, format_date

from ..tools.chart_png import draw_bars
from ..tools.metric_period import add_months, get_month_end, get_previous, get_year_before

_FONTS = tuple(
    f"web/static/fonts/google/Open_Sans/Open_Sans-{weight}.ttf" for weight in ("Regular", "Bold")
)
CHART_MONTHS = 13


class CrmManagerMail(models.Model):
    """What each of the three mails tells. Figures are metrics: other add-ons add theirs by code."""

    _inherit = "crm.manager.mail"

    @api.model
    def _get_daily_codes(self):
        """Metrics of the morning mail, in the order of its columns."""
        return ["orders", "orders_amount", "calls", "overdue_work"]

    @api.model
    def _get_weekly_codes(self):
        """Metrics of the Monday mail, in the order of its rows."""
        return [
            "deals_new", "deals_won", "win_rate", "orders", "orders_amount", "average_cheque",
            "clients_new", "calls", "reached_share", "meetings", "answer_hours", "overdue_work",
        ]  # fmt: skip

    @api.model
    def _get_monthly_codes(self):
        """Metrics of the mail of the 1st, in the order of its rows."""
        return [
            "orders_amount", "orders", "average_cheque", "orders_margin", "discount",
            "deals_new", "deals_won", "deals_lost", "win_rate", "cycle_days",
            "clients_served", "clients_new", "clients_returned", "calls", "meetings",
            "answer_hours", "deviations_amount",
        ]  # fmt: skip

    @api.model
    def _get_metrics(self, codes):
        """The metrics that the recipient can be told, in the order of their codes."""
        metrics = self.env["crm.metric"].search([("code", "in", codes)])
        told = metrics.filtered(lambda metric: not metric.problem)
        return told.sorted(lambda metric: codes.index(metric.code))

    # ------------------------------------------------------------
    # Every morning
    # ------------------------------------------------------------

    @api.model
    def _build_daily_mail(self, period):
        audience = self.env["crm.metric"]._get_audience()
        if audience["kind"] == "self":
            return {"skipped": self.env._("The recipient leads no team.")}
        metrics = self._get_metrics(self._get_daily_codes())
        figures = metrics._get_figures([period], "user")
        told = [value for metric in metrics for value in figures[metric.id][0].values()]
        if not any(told):
            return {"skipped": self.env._("Nothing happened.")}
        plan = self._get_metrics(["orders_amount"])
        month = (period[0].replace(day=1), get_month_end(period[0]))
        progress = plan._get_progress(month, "user") if plan else {}
        has_plan = any(one["plan"] for one in progress.values())
        columns = [self.env._("Employee"), *metrics.mapped("name")]
        if has_plan:
            columns.append(self.env._("Month's plan"))
        Performance = self.env["crm.manager.performance"]
        filters = {"user_ids": [], "team_ids": [], "segment_ids": []}
        people = Performance._get_rows(metrics, figures, "user", filters)
        rows = []
        for key, name in [*people, (None, self.env._("Total"))]:
            cells = [{"text": name}]
            for metric in metrics:
                value = figures[metric.id][0].get(key)
                if value is None and metric._is_additive():
                    value = 0
                cells.append(
                    {
                        "text": metric._format_value(value),
                        "mood": "bad" if value and metric.timing == "now" else None,
                    }
                )
            if has_plan:
                cells.append(self._get_plan_cell(progress.get(key)))
            if key is None or any(figures[m.id][0].get(key) for m in metrics) or progress.get(key):
                rows.append({"cells": cells, "total": key is None})
        title = self.env._("Yesterday, %(day)s", day=self._format_days(period))
        note = self.env._(
            "Month's plan: what the turnover of this month has reached so far, and in brackets "
            "where it leads at the present rate."
        )
        return {
            "subject": title,
            "title": title,
            "sections": [
                {
                    "title": self.env._("By employee"),
                    "columns": columns,
                    "rows": rows,
                    "note": note if has_plan else "",
                }
            ],
        }

    @api.model
    def _get_plan_cell(self, progress):
        if not progress or progress["percent"] is None:
            return {"text": "\N{EN DASH}", "mood": None}
        mood = {"cheer": "good", "warning": "bad"}.get(progress["mood"])
        text = f"{progress['percent']:.0f}\N{NO-BREAK SPACE}%"
        if progress["forecast_percent"] is not None:
            text += f" ({progress['forecast_percent']:.0f}\N{NO-BREAK SPACE}%)"
        return {"text": text, "mood": mood}

    # ------------------------------------------------------------
    # Every Monday
    # ------------------------------------------------------------

    @api.model
    def _build_weekly_mail(self, period):
        metrics = self._get_metrics(self._get_weekly_codes())
        weeks = [period]
        for _week in range(4):
            weeks.append(get_previous(weeks[-1]))
        figures = metrics._get_figures(weeks, None, {"user_ids": self.env.user.ids})
        own = {metric.id: [figure.get(None) for figure in figures[metric.id]] for metric in metrics}
        if not any(value for values in own.values() for value in values[:2]):
            return {"skipped": self.env._("Nothing happened in these two weeks.")}
        averages = metrics._get_peer_averages([period])
        compare = self.env["crm.manager.performance"]._build_cell
        rows = []
        for metric in metrics:
            now, before, *earlier = own[metric.id]
            cell = compare(metric, now, before if metric.timing != "now" else None)
            past = [value for value in (before, *earlier) if value is not None]
            usual = sum(past) / len(past) if past and metric.timing != "now" else None
            rows.append(
                {
                    "cells": [
                        {"text": metric.name},
                        {"text": cell["text"]},
                        {
                            "text": cell["change_text"] or "\N{EN DASH}",
                            "mood": cell["mood"],
                        },
                        {"text": metric._format_value(usual)},
                        {"text": metric._format_value(averages[metric.id][0])},
                    ]
                }
            )
        title = self.env._("Your week, %(days)s", days=self._format_days(period))
        return {
            "subject": title,
            "title": title,
            "intro": self._get_week_words(metrics, own),
            "sections": [
                {
                    "title": self.env._("Your figures beside your own past"),
                    "columns": [
                        "",
                        self.env._("Week"),
                        self.env._("Difference"),
                        self.env._("Four weeks, average"),
                        self.env._("Team, average"),
                    ],
                    "rows": rows,
                    "note": "",
                }
            ],
        }

    @api.model
    def _get_week_words(self, metrics, own):
        """The sentence above the table: what went best beside the four weeks before."""
        best, most = None, 10
        for metric in metrics:
            now, *earlier = own[metric.id]
            past = [value for value in earlier if value is not None]
            usual = sum(past) / len(past) if past else 0
            if not now or not usual or metric.better == "none" or metric.timing == "now":
                continue
            gain = 100 * (now - usual) / usual * (1 if metric.better == "up" else -1)
            if gain > most:
                best, most = metric, gain
        if not best:
            return self.env._("A week like the others.")
        return self.env._(
            "Best of all: %(metric)s, %(percent)s %% better than your last four weeks.",
            metric=best.name,
            percent=round(most),
        )

    # ------------------------------------------------------------
    # On the 1st
    # ------------------------------------------------------------

    @api.model
    def _build_monthly_mail(self, period):
        if self.env["crm.metric"]._get_audience()["kind"] != "all":
            return {"skipped": self.env._("The recipient is no sales administrator.")}
        metrics = self._get_metrics(self._get_monthly_codes())
        periods = [period, get_previous(period), get_year_before(period)]
        figures = metrics._get_figures(periods)
        if not any(figures[metric.id][index].get(None) for metric in metrics for index in (0, 1)):
            return {"skipped": self.env._("Nothing happened in these two months.")}
        compare = self.env["crm.manager.performance"]._build_cell
        rows = []
        for metric in metrics:
            now, before, year = (figure.get(None) for figure in figures[metric.id])
            plan = metric._get_plans([period])[0].get(None)
            cells = [{"text": metric.name}, {"text": metric._format_value(now)}]
            for other in (before, year):
                cell = compare(metric, now, other)
                cells.append({"text": cell["change_text"] or "\N{EN DASH}", "mood": cell["mood"]})
            reached = 100 * (now or 0) / plan if plan else None
            cells.append({"text": f"{reached:.0f}\N{NO-BREAK SPACE}%" if plan else "\N{EN DASH}"})
            rows.append({"cells": cells})
        name = format_date(self.env, period[0], date_format="LLLL y")
        title = self.env._("%(company)s: %(month)s", company=self.env.company.name, month=name)
        return {
            "subject": title,
            "title": title,
            "sections": [
                {
                    "title": self.env._("The company"),
                    "columns": [
                        "",
                        self.env._("Month"),
                        self.env._("Month before"),
                        self.env._("Year before"),
                        self.env._("Plan reached"),
                    ],
                    "rows": rows,
                    "note": "",
                }
            ],
            "charts": self._draw_monthly_charts(period),
            "files": [self._get_workbook(metrics, period)],
        }

    @api.model
    def _get_workbook(self, metrics, period):
        options = {
            "metric_ids": metrics.ids,
            "group": "user",
            "period": "custom",
            "date_from": str(period[0]),
            "date_to": str(period[1]),
            "comparison": "previous",
        }
        content = self.env["crm.manager.performance"]._export_report(options)
        mimetype = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return (f"{period[0]:%Y-%m}.xlsx", content, mimetype)

    @api.model
    def _draw_monthly_charts(self, period):
        """Turnover by month beside its plan, and by team beside the month before."""
        metric = self._get_metrics(["orders_amount"])
        if not metric:
            return []
        fonts = tuple(file_path(path) for path in _FONTS)
        months = [add_months(period[0], -back) for back in reversed(range(CHART_MONTHS))]
        periods = [(month, get_month_end(month)) for month in months]
        facts = [figure.get(None) or 0 for figure in metric._get_figures(periods)[metric.id]]
        plans = [plan.get(None) for plan in metric._get_plans(periods)]
        series = [(metric.name, facts)]
        if any(plans):
            series.append((self.env._("Plan"), plans))
        by_month = draw_bars(
            self.env._("%(metric)s by month", metric=metric.name),
            [format_date(self.env, month, date_format="LLL y") for month in months],
            series,
            fonts,
            text=metric._format_value,
        )
        figures = metric._get_figures([period, get_previous(period)], "team")[metric.id]
        teams = self.env["crm.team"].browse({key for figure in figures for key in figure if key})
        names = [(team.id, team.name) for team in teams.exists().sorted("name")]
        if any(figure.get(0) for figure in figures):
            names.append((0, self.env._("Nobody")))
        by_team = draw_bars(
            self.env._("%(metric)s by team", metric=metric.name),
            [name for _key, name in names],
            [
                (self._format_days(period), [figures[0].get(key, 0) for key, _name in names]),
                (self.env._("Month before"), [figures[1].get(key, 0) for key, _name in names]),
            ],
            fonts,
            text=metric._format_value,
        )
        charts = [("months", by_month, metric.name), ("teams", by_team, metric.name)]
        return [
            {"cid": f"{name}.{period[0]:%Y%m}@crm", "png": png, "title": title}
            for name, png, title in charts
            if png
        ]
