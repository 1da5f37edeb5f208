from dateutil.relativedelta import relativedelta
from odoo import fields, models
from odoo.addons.crm_claims.models.crm_claim import SEVERITIES
from odoo.addons.crm_claims.report.crm_claim_report_day import ENDS
from odoo.fields import Domain
from odoo.tools import SQL

# How far the same event is counted again, for a comparison with the past.
_SHIFTS = {"": "0 month", "_previous": "1 month", "_last_year": "1 year"}
_FIGURES = ("registered", "handled", "unhandled")
_COLUMNS = [f"{figure}{suffix}" for suffix in _SHIFTS for figure in _FIGURES]
_ASKED = "crm_claim_dynamics_columns"
_STOCKS = {f"unhandled{suffix}:sum" for suffix in _SHIFTS}
# Groups of several months, and how many.
_BUCKETS = {"date:quarter": 3, "date:year": 12}


class CrmClaimDynamics(models.Model):
    """What happened to claims, month by month: events, each counted by the shares of guilt.

    - *Registered* counts a claim in the month of its registration, *handled* in the month in which
      it was decided, closed or cancelled, *unhandled at month end* in each month at whose end it
      was registered and not handled yet; the current month ends now. A reopened claim is unhandled
      again from its registration on.
    - A stock adds up over departments, causes or people, but not over months: a quarter, a year or
      a whole period has the stock of its last month, the present one at the latest.
    - Each event is counted again one month and one year later as *previous month* and *last year*,
      so that a month stands beside the one before it and that of a year ago, whatever the grouping.
    - Days and months are those of the claim's company. A claim without guilt has no department.
    """

    _name = "crm.claim.dynamics"
    _description = "Claims Dynamics"
    _inherit = ["crm.claim.report.day"]
    _auto = False
    _rec_name = "claim_id"
    _order = "date desc, id desc"

    claim_id = fields.Many2one("crm.claim", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    date = fields.Date("Month", readonly=True)
    department_id = fields.Many2one("hr.department", "Guilty Department", readonly=True)
    cause_id = fields.Many2one("crm.claim.cause", readonly=True)
    category_id = fields.Many2one("crm.claim.category", readonly=True)
    team_id = fields.Many2one("crm.claim.team", readonly=True)
    user_id = fields.Many2one("res.users", "Responsible", readonly=True)
    commercial_partner_id = fields.Many2one("res.partner", "Client", readonly=True)
    severity = fields.Selection(SEVERITIES, readonly=True)
    confidential = fields.Boolean(readonly=True)
    registered = fields.Float(readonly=True)
    handled = fields.Float(readonly=True)
    unhandled = fields.Float("Unhandled at Month End", readonly=True)
    registered_previous = fields.Float("Registered, Previous Month", readonly=True)
    handled_previous = fields.Float("Handled, Previous Month", readonly=True)
    unhandled_previous = fields.Float("Unhandled, Previous Month", readonly=True)
    registered_last_year = fields.Float("Registered, Last Year", readonly=True)
    handled_last_year = fields.Float("Handled, Last Year", readonly=True)
    unhandled_last_year = fields.Float("Unhandled, Last Year", readonly=True)

    @property
    def _table_query(self):
        # branches of one union, so that a condition on the date reaches each of them
        wanted = self.env.context.get(_ASKED) or _COLUMNS
        return SQL(" UNION ALL ").join(
            self._select_events(number, figure, suffix)
            for number, (figure, suffix) in enumerate(
                (figure, suffix) for suffix in _SHIFTS for figure in _FIGURES
            )
            if f"{figure}{suffix}" in wanted
        )

    def _with_asked_columns(self, domain, aggregates):
        """Self that reads only the events whose columns are asked for; all if none is named."""
        condition = repr(domain)
        named = {aggregate.split(":")[0] for aggregate in aggregates}
        asked = [name for name in _COLUMNS if name in named or f"'{name}'" in condition]
        return self.with_context(**{_ASKED: asked})

    def _read_group(self, domain, groupby=(), aggregates=(), *args, **kwargs):
        report = self._with_asked_columns(domain, aggregates)
        rows = super(CrmClaimDynamics, report)._read_group(
            domain, groupby, aggregates, *args, **kwargs
        )
        return self._with_last_stock(domain, groupby, aggregates, rows)

    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), *args, **kwargs):
        report = self._with_asked_columns(domain, aggregates)
        sets = super(CrmClaimDynamics, report)._read_grouping_sets(
            domain, grouping_sets, aggregates, *args, **kwargs
        )
        monthly = {
            frozenset(groupby): (list(groupby), rows)
            for groupby, rows in zip(grouping_sets, sets, strict=True)
        }
        return [
            self._with_last_stock(
                domain,
                groupby,
                aggregates,
                rows,
                monthly.get(frozenset([*groupby, "date:month"])),
            )
            for groupby, rows in zip(grouping_sets, sets, strict=True)
        ]

    def _with_last_stock(self, domain, groupby, aggregates, rows, monthly=None):
        """Rows of groups, where a stock is that of the last month of its group.

        :param monthly: the same groups by month, if they were read: ``(groupby, rows)``
        """
        stocks = [name for name in aggregates if name in _STOCKS]
        dates = [spec for spec in groupby if spec.split(":")[0] == "date"]
        buckets = [_BUCKETS.get(spec) for spec in dates]
        if not stocks or not rows or len(dates) > 1 or None in buckets:
            return rows
        last = self._get_last_month(domain)
        bucket = groupby.index(dates[0]) if dates else None
        if bucket is None:
            domain = Domain(domain) & Domain("date", ">=", last)
        if monthly:
            names, known = monthly
            places = [names.index(spec) for spec in [*groupby, "date:month"]]
            places += [len(names) + list(aggregates).index(name) for name in stocks]
            by_month = (tuple(row[place] for place in places) for row in known)
        else:
            report = self._with_asked_columns(domain, stocks)
            by_month = super(CrmClaimDynamics, report)._read_group(
                domain, [*groupby, "date:month"], stocks
            )
        found = {}
        for row in by_month:
            group, month, values = row[: len(groupby)], row[len(groupby)], row[len(groupby) + 1 :]
            end = last
            if bucket is not None:
                end = min(last, group[bucket] + relativedelta(months=buckets[0] - 1))
            if month == end:
                found[group] = dict(zip(stocks, values, strict=True))
        return [
            (
                *row[: len(groupby)],
                *(
                    found.get(row[: len(groupby)], {}).get(name, 0.0) if name in stocks else value
                    for name, value in zip(aggregates, row[len(groupby) :], strict=True)
                ),
            )
            for row in rows
        ]

    def _get_last_month(self, domain):
        """First day of the last month whose end lies in a period; not later than the present."""
        domain = Domain(domain)
        conditions = domain.children if getattr(domain, "OPERATOR", "") == "&" else (domain,)
        months = [self.env.company._get_claim_day().replace(day=1)]
        for condition in conditions:
            operator, day = self._get_bound(condition) or (None, None)
            if operator in ENDS:
                after = day + relativedelta(days=ENDS[operator])
                months.append(after.replace(day=1) - relativedelta(months=1))
        return min(months)

    def _select_events(self, number, figure, suffix):
        """One kind of event, counted in the column ``figure + suffix``.

        :param int number: of this branch; makes the ids of its rows its own
        """
        day, step, source = self._get_event_source(figure)
        column = f"{figure}{suffix}"
        columns = SQL(", ").join(
            SQL(
                "%s AS %s",
                SQL("COALESCE(fault.share::float, 100) / 100.0")
                if name == column
                else SQL("0.0::float"),
                SQL.identifier(name),
            )
            for name in _COLUMNS
        )
        moved = SQL("(%s + %s::interval)::date", day, _SHIFTS[suffix]) if suffix else day
        return SQL(
            """
            SELECT COALESCE(fault.id, -claim.id)::bigint * 8192 + %s + %s AS id,
                   claim.id AS claim_id, claim.company_id, %s AS date, fault.department_id,
                   claim.cause_id, claim.category_id, claim.team_id, claim.user_id,
                   claim.commercial_partner_id, claim.severity, claim.confidential,
                   %s
              FROM crm_claim claim
              LEFT JOIN crm_claim_fault fault ON fault.claim_id = claim.id
              %s
             WHERE %s
               AND %s < (date_trunc('month', %s) + interval '1 month')::date
            """,
            number * 600,
            step,
            moved,
            columns,
            source,
            SQL("NOT claim.is_open") if figure == "handled" else SQL("TRUE"),
            moved,
            self._get_today(SQL("claim.company_id")),
        )

    def _get_event_source(self, figure):
        """Day of an event, its number within the claim, and what else it is selected from."""
        company = SQL("claim.company_id")
        registered = self._get_local(SQL("claim.date_registered"), company)
        handled = self._get_local(
            SQL("COALESCE(claim.date_decided, claim.date_closed, claim.date_registered)"), company
        )
        if figure == "registered":
            return SQL("%s::date", registered), SQL("0"), SQL()
        if figure == "handled":
            return SQL("%s::date", handled), SQL("0"), SQL()
        return (
            SQL("(stock.month + interval '1 month' - interval '1 day')::date"),
            SQL("stock.step::int"),
            SQL(
                """
                CROSS JOIN LATERAL generate_series(
                    date_trunc('month', %s),
                    CASE WHEN claim.is_open THEN date_trunc('month', %s::timestamp)
                         ELSE date_trunc('month', %s) - interval '1 month' END,
                    interval '1 month'
                ) WITH ORDINALITY AS stock(month, step)
                """,
                registered,
                self._get_today(company),
                handled,
            ),
        )
