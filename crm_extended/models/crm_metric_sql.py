from datetime import datetime

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.metric_period import get_moments


class CrmMetric(models.Model):
    """A metric as pieces of a statement: its columns, its condition, its money."""

    _inherit = "crm.metric"

    def _get_path_sql(self, Model, path, query):
        """Column at the end of a path of fields, joined to the query on the way."""
        alias = query.table
        *links, last = path.split(".")
        for link in links:
            Model, alias = Model._fields[link].join(Model, alias, query)
        return Model._field_to_sql(alias, last, query)

    def _get_path_field(self, path):
        """The field at the end of a path."""
        Model = self.env[self.model]
        *links, last = path.split(".")
        for link in links:
            Model = self.env[Model._fields[link].comodel_name]
        return Model._fields[last]

    # ------------------------------------------------------------
    # Teams
    # ------------------------------------------------------------

    def _get_team_path(self):
        self.ensure_one()
        return self.team_field or f"{self.user_field}.sale_team_id"

    def _get_team_date(self):
        """Date at which the team of the person counts; None where the record says its team.

        What is told of now counts for the present team.
        """
        own = self._get_team_path() != f"{self.user_field}.sale_team_id"
        return None if own or self.timing == "now" else self.date_field

    def _get_team_sql(self, Model, query):
        """Team of a record: its own, else that in which its person was at its date."""
        present = self._get_path_sql(Model, self._get_team_path(), query)
        path = self._get_team_date()
        if not path:
            return present
        alias = query.make_alias(query.table, "team_past")
        user = self._get_path_sql(Model, self.user_field, query)
        day = self._get_path_sql(Model, path, query)
        condition = SQL(
            "%(past_user)s = %(user)s AND %(day)s < %(end)s"
            " AND (%(start)s IS NULL OR %(day)s >= %(start)s)",
            past_user=SQL.identifier(alias, "user_id"),
            user=user,
            day=day,
            start=SQL.identifier(alias, "date_from"),
            end=SQL.identifier(alias, "date_to"),
        )
        self.env["crm.team.past"].flush_model()
        query.add_join("LEFT JOIN", alias, "crm_team_past", condition)
        return SQL(
            "CASE WHEN %s IS NULL THEN %s ELSE %s END",
            SQL.identifier(alias, "id"),
            present,
            SQL.identifier(alias, "team_id"),
        )

    def _get_team_domain(self, team_ids, period):
        """The same as a condition: records of these teams (False: of none) in a period."""
        path = self._get_team_date()
        if not path:
            return Domain(self._get_team_path(), "in", team_ids)
        return self.env["crm.team.past"]._get_domain(
            self.user_field,
            path,
            self._get_path_field(path).type == "date",
            self._get_team_path(),
            team_ids,
            # what is told at the end of a period may have begun at any time before
            (
                datetime.min if self.timing == "end" else get_moments(period, self._get_zone())[0],
                get_moments(period, self._get_zone())[1],
            ),
        )

    # ------------------------------------------------------------
    # Periods and conditions
    # ------------------------------------------------------------

    def _get_bounds(self, path, period, zone):
        """First moment or day of a period and the first one after it, as the field stores them."""
        if self._get_path_field(path).type == "datetime":
            return get_moments(period, zone)
        return period[0], fields.Date.add(period[1], days=1)

    def _get_period_domain(self, period, zone):
        """Condition that a record counts in a period, beside the metric's own conditions.

        :param tuple period: (first, last) day
        :param str zone: time zone in which days begin
        :rtype: Domain
        """
        self.ensure_one()
        if self.timing == "now":
            return Domain.TRUE
        start, end = self._get_bounds(self.date_field, period, zone)
        if self.timing == "period":
            return Domain(self.date_field, ">=", start) & Domain(self.date_field, "<", end)
        _start, over = self._get_bounds(self.date_end_field, period, zone)
        return Domain(self.date_field, "<", end) & (
            Domain(self.date_end_field, "=", False) | Domain(self.date_end_field, ">=", over)
        )

    def _get_period_condition(self, Model, query, period, zone):
        """The same as SQL, over columns that are joined once; None where nothing is asked."""
        if self.timing == "now":
            return None
        column = self._get_path_sql(Model, self.date_field, query)
        start, end = self._get_bounds(self.date_field, period, zone)
        if self.timing == "period":
            return SQL("(%s >= %s AND %s < %s)", column, start, column, end)
        _start, over = self._get_bounds(self.date_end_field, period, zone)
        over_column = self._get_path_sql(Model, self.date_end_field, query)
        return SQL(
            "(%s < %s AND (%s IS NULL OR %s >= %s))", column, end, over_column, over_column, over
        )

    def _get_condition(self, Model, query):
        """The metric's own conditions as SQL; None where it has none."""
        domain = Domain(self._get_domain()).optimize_full(Model)
        return None if domain.is_true() else domain._to_sql(Model, query.table, query)

    def _get_aggregates(self, Model, query, condition, zone):
        """The columns that a figure over the records that meet a condition is told from.

        An average is told from its sum and its number, so that it can be told for several groups
        together.

        :param condition: SQL or None
        :rtype: list of SQL
        """
        where = SQL(" FILTER (WHERE %s)", condition) if condition else SQL()
        if self.aggregate == "count":
            return [SQL("COUNT(*)%s", where)]
        value = self._get_measure(Model, query, zone)
        if self.aggregate == "median":
            return [SQL("PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %s)%s", value, where)]
        if self.aggregate == "distinct":
            return [SQL("COUNT(DISTINCT %s)%s", value, where)]
        if self.aggregate == "avg":
            return [SQL("SUM(%s)%s", value, where), SQL("COUNT(%s)%s", value, where)]
        return [SQL("%s(%s)%s", SQL(self.aggregate.upper()), value, where)]

    # ------------------------------------------------------------
    # Money
    # ------------------------------------------------------------

    def _get_measure(self, Model, query, zone):
        """What is added up or averaged; money in the currency of the user's company."""
        value = self._get_path_sql(Model, self.measure, query)
        if self.unit != "money":
            return value
        currency = self._get_currency_sql(Model, query)
        target = self.env.company.currency_id
        if currency is None:
            return value
        day = self._get_day_sql(Model, query, zone)
        return SQL(
            "CASE WHEN %(currency)s = %(target)s THEN %(value)s"
            " ELSE %(value)s / %(rate)s * %(target_rate)s END",
            currency=currency,
            target=target.id,
            value=value,
            rate=self._get_rate_sql(currency, day),
            target_rate=self._get_rate_sql(SQL("%s", target.id), day),
        )

    def _get_currency_sql(self, Model, query):
        """Currency of the measure; None when it can only be that of the user's company.

        An amount in the currency of its own company is that of the user where all the companies
        chosen share one currency.
        """
        *links, last = self.measure.split(".")
        for link in links:
            Model = self.env[Model._fields[link].comodel_name]
        field = Model._fields[last]
        name = field.get_currency_field(Model) if field.type == "monetary" else None
        if name and not self._is_company_currency(Model, name):
            return self._get_path_sql(self.env[self.model], ".".join([*links, name]), query)
        # sudo: which currency a company keeps its books in is no secret
        if not self.company_field or len(self.env.companies.sudo().currency_id) == 1:
            return None
        path = f"{self.company_field}.currency_id"
        return SQL(
            "COALESCE(%s, %s)",
            self._get_path_sql(self.env[self.model].sudo(), path, query),
            self.env.company.currency_id.id,
        )

    @staticmethod
    def _is_company_currency(Model, name):
        """Whether a currency field is but that of the record's company."""
        field = Model._fields[name]
        if field.related:
            return field.related == "company_id.currency_id"
        # computed and not stored (as on deals): a currency of the record itself is stored
        return not field.store

    def _get_day_sql(self, Model, query, zone):
        """Day at whose rate a record's money is converted."""
        if self.timing == "now" or not self.date_field:
            return SQL("%s::date", fields.Date.context_today(self))
        column = self._get_path_sql(Model, self.date_field, query)
        if self._get_path_field(self.date_field).type == "date":
            return column
        return SQL("timezone(%s, timezone('UTC', %s))::date", zone, column)

    def _get_rate_sql(self, currency, day):
        """Rate of a currency on a day, as ``res.currency._get_rates`` finds it."""
        return SQL(
            """COALESCE(
                (SELECT r.rate FROM res_currency_rate r
                  WHERE r.currency_id = %(currency)s AND r.name <= %(day)s
                    AND (r.company_id IS NULL OR r.company_id = %(company)s)
               ORDER BY r.company_id, r.name DESC LIMIT 1),
                (SELECT r.rate FROM res_currency_rate r
                  WHERE r.currency_id = %(currency)s
                    AND (r.company_id IS NULL OR r.company_id = %(company)s)
               ORDER BY r.company_id, r.name LIMIT 1),
                1.0)""",
            currency=currency,
            day=day,
            company=self.env.company.root_id.id,
        )
