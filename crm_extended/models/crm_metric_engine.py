from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: what groups figures: the person, the team, or nothing
GROUPS = ("user", "team", None)
#: aggregates whose total is told by adding the groups up
ADDED_UP = frozenset({"count", "sum", "avg"})


class CrmMetric(models.Model):
    """Metrics told for many people and periods at once: one statement per kind of record.

    Each metric and period is one conditional aggregate (``FILTER``), grouped by person or team.
    What adds up is added up to the total afterwards, so that PostgreSQL may read the records with
    several workers; a median or a number of different clients is not the sum of its parts and is
    told for the total too (``GROUPING SETS``, which has no parallel plan), in a second part of the
    statement. It starts from Odoo's own search, so the user's record rules hold, and reads only
    what lies in the periods.
    """

    _inherit = "crm.metric"

    @api.model
    def _get_zone(self):
        """Time zone in which days begin for the user."""
        return self.env.context.get("tz") or self.env.user.tz or "UTC"

    @api.model
    def _get_today(self):
        """The present day of the user."""
        return fields.Date.context_today(self.with_context(tz=self._get_zone()))

    def _get_figures(self, periods, group=None, filters=None):
        """The figures of these metrics.

        :param list periods: (first, last) days, both included
        :param group: "user", "team" or None
        :param dict filters: ``user_ids``, ``team_ids``, ``segment_ids``: lists of ids, empty for
            all
        :return: dict metric id → list, one entry for each period, of dicts: id of the person or
            team (0: nobody's; None: all together) → figure, or None where it cannot be told
        """
        filters = filters or {}
        told = self.filtered(lambda metric: not metric.problem)
        parts = told._get_parts()
        sources = defaultdict(self.browse)
        for metric in parts:
            sources[metric._get_source_key(filters, group)] |= metric
        figures = {}
        for metrics in sources.values():
            figures.update(metrics._get_source_figures(periods, group, filters))
        for metric in told - parts:
            if metric.kind == "ratio":
                figures[metric.id] = metric._divide(
                    figures[metric.numerator_id.id], figures[metric.denominator_id.id]
                )
        plans = told.filtered(lambda metric: metric.kind == "plan")
        for metric in plans:
            base = metric.numerator_id
            facts = figures.get(base.id) or base._get_figures(periods, group, filters)[base.id]
            figures[metric.id] = metric._get_fulfilments(facts, periods, group, filters)
        empty = [{} for _period in periods]
        return {metric.id: figures.get(metric.id, empty) for metric in self}

    def _get_source_key(self, filters, group=None):
        """Metrics with the same key are told by the same statement."""
        self.ensure_one()
        teams = group == "team" or filters.get("team_ids") or self._get_audience()["team_ids"]
        return (
            self.model,
            self.user_field,
            self._get_team_path(),
            # somebody may have been in different teams on the different dates of a record
            self._get_team_date() if teams else None,
            self.company_field,
            self.partner_field if filters.get("segment_ids") else None,
        )

    def _get_source_figures(self, periods, group, filters):
        """Figures of metrics of one source, by one statement."""
        source = self[0]
        Model = self._get_source_model()
        query = Model._search([], bypass_access=self.env.su or Model.env.su)
        zone = self._get_zone()
        columns, windows = [], set()
        for metric in self:
            own = metric._get_condition(Model, query)
            for index, period in enumerate(periods):
                if metric.timing == "now" and index:
                    continue
                when = metric._get_period_condition(Model, query, period, zone)
                windows.add(when)
                parts = [SQL("(%s)", part) for part in (when, own) if part]
                condition = SQL(" AND ").join(parts) if parts else None
                columns.append(
                    (metric, index, metric._get_aggregates(Model, query, condition, zone))
                )
        if None not in windows:
            query.add_where(SQL("(%s)", SQL(" OR ").join(windows)))
        for condition in source._get_filter_conditions(Model, query, filters):
            query.add_where(condition)
        figures = {metric.id: [{} for _period in periods] for metric in self}
        for key, (metric, index, _parts), values in self._execute_source(
            source, Model, query, group, columns
        ):
            figures[metric.id][index][key] = metric._tell(values)
        return figures

    def _get_source_model(self):
        """The model, as the user may read it; archived records included."""
        Model = self.env[self[0].model].with_context(active_test=False)
        audience = self._get_audience()
        # sudo: the head of a team, who is told about that team only
        return Model.sudo() if self._needs_sudo(audience) else Model

    def _execute_source(self, source, Model, query, group, columns):
        """Run the statement.

        :param list columns: (metric, number of the period, list of SQL)
        :return: iterator of (id of the group, or None for the total; column; list of values)
        """
        if query.is_empty():
            return
        if not group:
            (row,) = self.env.execute_query(query.select(*self._flatten(columns)))
            yield from self._split(None, columns, row)
            return
        key = (
            source._get_path_sql(Model, source.user_field, query)
            if group == "user"
            else source._get_team_sql(Model, query)
        )
        added = [column for column in columns if column[0].aggregate in ADDED_UP]
        apart = [column for column in columns if column[0].aggregate not in ADDED_UP]
        sums = [0] * len(self._flatten(added))
        selects = []
        if added:
            padding = [SQL("NULL")] * len(apart)
            query.groupby = key
            selects.append(query.select(SQL("0"), key, *self._flatten(added), *padding))
        if apart:
            padding = [SQL("NULL")] * len(sums)
            query.groupby = SQL("GROUPING SETS ((%s), ())", key)
            kind = SQL("1 + GROUPING(%s)", key)
            selects.append(query.select(kind, key, *padding, *self._flatten(apart)))
        for kind, found, *values in self.env.execute_query(SQL(" UNION ALL ").join(selects)):
            if kind:
                yield from self._split(
                    None if kind == 2 else found or 0, apart, values[len(sums) :]
                )
            else:
                sums = [total + (value or 0) for total, value in zip(sums, values, strict=False)]
                yield from self._split(found or 0, added, values)
        yield from self._split(None, added, sums)

    @staticmethod
    def _flatten(columns):
        return [part for _metric, _index, parts in columns for part in parts]

    @staticmethod
    def _split(key, columns, values):
        """The values of a row, to each column its own."""
        values = iter(values)
        for column in columns:
            yield key, column, [next(values) for _part in column[2]]

    def _get_filter_conditions(self, Model, query, filters):
        """Which of the records count: companies, the user's rights, what was asked for."""
        if self.company_field:
            company = self._get_path_sql(Model, self.company_field, query)
            yield SQL("(%s IN %s OR %s IS NULL)", company, tuple(self.env.companies.ids), company)
        audience = self._get_audience_condition(Model, query, self._get_audience())
        if audience is not None:
            yield audience
        if filters.get("user_ids"):
            user = self._get_path_sql(Model, self.user_field, query)
            yield SQL("%s IN %s", user, tuple(filters["user_ids"]))
        if filters.get("team_ids"):
            yield SQL("%s IN %s", self._get_team_sql(Model, query), tuple(filters["team_ids"]))
        if filters.get("segment_ids"):
            if not self.partner_field:
                yield SQL("FALSE")
            else:
                domain = self._get_segment_domain(filters["segment_ids"]).optimize_full(Model)
                yield domain._to_sql(Model, query.table, query)

    def _get_segment_domain(self, segment_ids):
        return Domain(self.partner_field, "any", [("segment_ids", "in", list(segment_ids))])

    def _tell(self, values):
        """A figure from its values: nothing to add up is zero, nothing to average is none."""
        self.ensure_one()
        value = values[0]
        if self.aggregate in ("count", "distinct"):
            return int(value or 0)
        if self.aggregate == "sum":
            return float(value or 0)
        if self.aggregate == "avg":
            return float(value) / values[1] if values[1] else None
        return None if value is None else float(value)

    def _divide(self, numerators, denominators):
        """Figures of a ratio from those of its parts."""
        self.ensure_one()
        factor = 100 if self.unit == "percent" else 1
        return [
            {
                key: factor * (above.get(key) or 0) / below[key] if below.get(key) else None
                for key in above.keys() | below.keys()
            }
            for above, below in zip(numerators, denominators, strict=True)
        ]

    # ------------------------------------------------------------
    # The records behind a figure
    # ------------------------------------------------------------

    def _get_records_domain(self, period, group=None, key=None, filters=None):
        """Domain of the records that a figure counts: the same conditions as in the statement.

        :param tuple period: (first, last) day
        :param group: "user", "team" or None
        :param key: id of the person or team; 0 for nobody's; None for all together
        :rtype: Domain
        """
        self.ensure_one()
        filters = filters or {}
        domain = Domain(self._get_domain()) & self._get_period_domain(period, self._get_zone())
        if self.company_field:
            domain &= Domain(self.company_field, "in", [*self.env.companies.ids, False])
        audience = self._get_audience()
        if audience["kind"] != "all":
            seen = Domain(self.user_field, "=", audience["user_id"])
            if audience["team_ids"]:
                seen |= self._get_team_domain(audience["team_ids"], period)
            domain &= seen
        if filters.get("user_ids"):
            domain &= Domain(self.user_field, "in", list(filters["user_ids"]))
        if filters.get("team_ids"):
            domain &= self._get_team_domain(list(filters["team_ids"]), period)
        if filters.get("segment_ids"):
            if not self.partner_field:
                return Domain.FALSE
            domain &= self._get_segment_domain(filters["segment_ids"])
        if group == "user" and key is not None:
            domain &= Domain(self.user_field, "=", key or False)
        elif group and key is not None:
            domain &= self._get_team_domain([key or False], period)
        return domain

    def _get_drill_down_action(self, period, group=None, key=None, filters=None, name=None):
        """Action that opens the records behind a figure of records."""
        self.ensure_one()
        domain = self._get_records_domain(period, group, key, filters)
        return {
            "type": "ir.actions.act_window",
            "name": name or self.name,
            "res_model": self.model,
            "views": [(False, "list"), (False, "form")],
            "domain": list(domain),
            "context": {"active_test": False, "create": False},
        }
