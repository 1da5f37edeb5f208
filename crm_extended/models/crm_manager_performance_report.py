from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..tools.managers_xlsx import build_managers_workbook
from ..tools.metric_period import cut, get_period, get_previous, get_year_before

#: more rows than this are no comparison
MOST_ROWS = 200


class CrmManagerPerformance(models.Model):
    """The comparison itself: figures of people or teams beside what they are compared with.

    - A period that still runs is compared with the same days of the other one; with the plan of
      its days so far.
    - The arrow tells the change in percent, of percentages in points; it is green when it goes
      the way that is better for the metric.
    - Who has left and has figures in the period is shown; so is *Nobody*, to administrators.
    """

    _inherit = "crm.manager.performance"

    @api.model
    @api.readonly
    def get_report(self, options):
        """Figures of the screen.

        :param dict options: ``metric_ids``, ``group`` ("user" or "team"), ``period`` (or
            "custom" with ``date_from`` and ``date_to``), ``comparison``, and ``user_ids``,
            ``team_ids``, ``segment_ids``
        :return: dict of ``period``, ``other`` (their days in words), ``metrics``, ``rows``,
            ``total``, ``average``; a row has ``key``, ``name`` and ``cells``, one for each
            metric: ``value``, ``text``, ``other``, ``other_text``, ``change``, ``change_text``,
            ``mood`` ("good", "bad" or None)
        :raises UserError: for options that make no sense
        """
        self.check_access("read")
        metrics, group, filters, period, comparison = self._parse_options(options)
        today = metrics._get_today()
        other = self._get_other_period(period, comparison, today)
        periods = [period, other] if other else [period]
        figures = metrics._get_figures(periods, group, filters)
        others = self._get_others(metrics, figures, comparison, period, group, filters, today)
        rows = self._get_rows(metrics, figures, group, filters)
        report = {
            "group": group,
            "period": self._format_period(period),
            "other": self._format_period(other) if other else "",
            "comparison": comparison,
            "metrics": [self._describe_metric(metric) for metric in metrics],
            "rows": [
                {
                    "key": key,
                    "name": name,
                    "cells": [
                        self._build_cell(
                            metric, figures[metric.id][0].get(key), others[metric.id].get(key)
                        )
                        for metric in metrics
                    ],
                }
                for key, name in rows
            ],
        }
        report["total"] = [
            self._build_cell(
                metric,
                figures[metric.id][0].get(None),
                others[metric.id].get(None) if comparison != "average" else None,
            )
            for metric in metrics
        ]
        averages = self._get_averages(metrics, figures, rows, period, filters)
        report["average"] = [self._build_cell(m, averages[m.id], None) for m in metrics]
        return report

    @api.model
    def _describe_metric(self, metric):
        return {
            "id": metric.id,
            "name": metric.name,
            "description": metric.description or "",
            "unit": metric.unit,
            "better": metric.better,
            "problem": metric.problem or "",
        }

    # ------------------------------------------------------------
    # Options
    # ------------------------------------------------------------

    @api.model
    def _parse_options(self, options):
        """What was chosen, checked: (metrics, group, filters, period, comparison)."""
        metrics = self.env["crm.metric"].search(
            [("id", "in", self._parse_ids(options, "metric_ids"))]
        )
        if not metrics:
            raise UserError(self.env._("Choose at least one metric."))
        group = options.get("group") or "user"
        comparison = options.get("comparison") or "none"
        if group not in ("user", "team") or comparison not in dict(
            self._fields["comparison"].selection
        ):
            raise UserError(self.env._("There is no such comparison."))
        filters = {
            name: self._parse_ids(options, name) for name in ("user_ids", "team_ids", "segment_ids")
        }
        return metrics, group, filters, self._get_days(options), comparison

    @api.model
    def _parse_ids(self, options, name):
        ids = options.get(name) or []
        if not isinstance(ids, list) or not all(type(item) is int for item in ids):
            raise UserError(self.env._("“%(name)s” is no list of records.", name=name))
        return ids

    @api.model
    def _get_days(self, options):
        """(first, last) day of the period that was chosen."""
        key = options.get("period") or "this_month"
        if key == "custom":
            try:
                first, last = (
                    fields.Date.to_date(options.get(name)) for name in ("date_from", "date_to")
                )
            except (ValueError, TypeError):
                first = last = None
            if not first or not last or first > last:
                raise UserError(
                    self.env._("Other days need a first and a last day, in this order.")
                )
            return first, last
        company = self.env.company.sudo()
        try:
            return get_period(
                key,
                self.env["crm.metric"]._get_today(),
                company.fiscalyear_last_day,
                int(company.fiscalyear_last_month),
            )
        except KeyError:
            raise UserError(self.env._("There is no period “%(key)s”.", key=key)) from None

    @api.model
    def _get_other_period(self, period, comparison, today):
        if comparison not in ("previous", "year"):
            return None
        get_other = {"previous": get_previous, "year": get_year_before}[comparison]
        return cut(period, get_other(period), today)

    @api.model
    def _format_period(self, period):
        first, last = (format_date(self.env, day) for day in period)
        return first if first == last else f"{first} \N{EN DASH} {last}"

    # ------------------------------------------------------------
    # Rows
    # ------------------------------------------------------------

    @api.model
    def _get_rows(self, metrics, figures, group, filters):
        """Who is shown: (id, name), people with figures and the members of the teams chosen."""
        users, teams = self._get_people()
        shown = set((users if group == "user" else teams).ids)
        chosen = filters["user_ids" if group == "user" else "team_ids"]
        if chosen:
            shown &= set(chosen)
        elif filters["team_ids"]:
            # sudo: members of the teams that may be chosen
            allowed = teams.filtered(lambda team: team.id in filters["team_ids"])
            shown &= set(allowed.crm_team_member_ids.user_id.ids)
        told = {
            key
            for metric in metrics
            for figure in figures[metric.id]
            for key, value in figure.items()
            if key is not None and value
        }
        # who has nothing to do with sales is shown when he has figures only
        model = "res.users" if group == "user" else "crm.team"
        # sudo: names
        records = self.env[model].sudo().with_context(active_test=False)
        records = records.browse(sorted((shown | told) - {0})).exists().sorted("name")
        rows = [(record.id, record.name) for record in records[:MOST_ROWS]]
        return [*rows, (0, self.env._("Nobody"))] if 0 in told else rows

    @api.model
    def _get_others(self, metrics, figures, comparison, period, group, filters, today):
        """What each figure is compared with: dict metric id → dict id → figure."""
        if comparison in ("previous", "year"):
            return {metric.id: figures[metric.id][1] for metric in metrics}
        if comparison == "plan":
            so_far = (period[0], min(period[1], max(today, period[0])))
            return {
                metric.id: metric._get_plans([so_far], group, filters)[0]
                if metric.kind != "plan"
                else dict.fromkeys(figures[metric.id][0], 100.0)
                for metric in metrics
            }
        if comparison == "average":
            rows = self._get_rows(metrics, figures, group, filters)
            averages = self._get_averages(metrics, figures, rows, period, filters)
            return {
                metric.id: dict.fromkeys((key for key, _name in rows), averages[metric.id])
                for metric in metrics
            }
        return {metric.id: {} for metric in metrics}

    @api.model
    def _get_averages(self, metrics, figures, rows, period, filters):
        """Average of the rows; of his team for whoever sees himself only."""
        if metrics._get_audience()["kind"] == "self":
            averages = metrics._get_peer_averages([period], filters)
            return {metric.id: averages[metric.id][0] for metric in metrics}
        people = len([key for key, _name in rows if key])
        return {
            metric.id: metric._get_average(
                sum(value or 0 for key, value in figures[metric.id][0].items() if key)
                if metric._is_additive()
                else figures[metric.id][0].get(None),
                people,
            )
            for metric in metrics
        }

    @api.model
    def _build_cell(self, metric, value, other):
        cell = {
            "value": value,
            "text": metric._format_value(value),
            "other": other,
            "other_text": metric._format_value(other) if other is not None else "",
            "change": None,
            "change_text": "",
            "mood": None,
        }
        if other is None or (value is None and not metric._is_additive()):
            return cell
        difference = (value or 0) - other
        if metric.unit == "percent":
            cell["change"] = difference
        elif other:
            cell["change"] = 100 * difference / abs(other)
        else:
            cell["change"] = 100.0 if difference > 0 else -100.0 if difference else 0.0
        points = self.env._("pp") if metric.unit == "percent" else "%"
        rounded = round(cell["change"])
        if not other and difference:
            cell["change_text"] = self.env._("new")
        else:
            sign = "+" if rounded > 0 else "\N{MINUS SIGN}" if rounded < 0 else ""
            cell["change_text"] = f"{sign}{abs(rounded)}\N{NO-BREAK SPACE}{points}"
        # what is told as no change is praised and blamed for nothing
        if difference and rounded and metric.better != "none":
            cell["mood"] = "good" if (difference > 0) == (metric.better == "up") else "bad"
        return cell

    # ------------------------------------------------------------
    # Behind a figure, and the workbook
    # ------------------------------------------------------------

    @api.model
    @api.readonly
    def get_records_actions(self, options, metric_id, key=None, other=False):
        """Actions that open the records behind a figure.

        :param int metric_id: one of the metrics of the options
        :param key: id of the row, 0 for *Nobody*, None for the total
        :param bool other: the figure that is compared with
        :return: list of actions: one, or two for a ratio
        """
        self.check_access("read")
        metrics, group, filters, period, comparison = self._parse_options(options)
        metric = metrics.filtered(lambda m: m.id == metric_id)
        if not metric or metric.problem:
            raise UserError(self.env._("There is nothing behind this figure."))
        if other:
            period = self._get_other_period(period, comparison, metrics._get_today()) or period
        names = dict(self._get_rows(metric, {metric.id: []}, group, filters))
        whose = names.get(key) if key is not None else None
        parts = (
            metric.numerator_id | metric.denominator_id if metric.kind == "ratio"
            else metric._get_parts()
        )  # fmt: skip
        return [
            part._get_drill_down_action(
                period, group, key, filters, name=f"{part.name}: {whose}" if whose else part.name
            )
            for part in parts
        ]

    @api.model
    def _export_report(self, options):
        """:return: the comparison as an xlsx file
        :rtype: bytes
        """
        report = self.get_report(options)
        comparison = dict(self._fields["comparison"]._description_selection(self.env))
        labels = {
            "title": self.env._("Comparison of Managers"),
            "who": self.env._("Team") if report["group"] == "team" else self.env._("Employee"),
            "total": self.env._("Total"),
            "average": self.env._("Average"),
            "charts": self.env._("Charts"),
            "change": self.env._("Difference"),
            "period": report["period"],
            "other": report["other"] or comparison[report["comparison"]],
            "compared": report["comparison"] != "none",
        }
        return build_managers_workbook(labels, report)
