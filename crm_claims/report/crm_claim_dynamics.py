from odoo import fields, models
from odoo.addons.crm_claims.models.crm_claim import SEVERITIES
from odoo.tools import SQL

# How far the same event is counted again, for a comparison with the past.
_SHIFTS = {"": "0 month", "_previous": "1 month", "_last_year": "1 year"}
_FIGURES = ("registered", "handled", "unhandled")
_COLUMNS = [f"{figure}{suffix}" for suffix in _SHIFTS for figure in _FIGURES]
_ASKED = "crm_claim_dynamics_columns"


class CrmClaimDynamics(models.Model):
    """What happened to claims, month by month: events, each counted by the shares of guilt.

    - *Registered* counts a claim in the month of its registration, *handled* in the month in which
      it was decided, closed or cancelled, *unhandled at month end* in each month at whose end it
      was registered and not handled yet; the current month ends now. A reopened claim is unhandled
      again from its registration on.
    - A stock adds up over departments, causes or people, but not over months.
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
        return super(CrmClaimDynamics, report)._read_group(
            domain, groupby, aggregates, *args, **kwargs
        )

    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), *args, **kwargs):
        report = self._with_asked_columns(domain, aggregates)
        return super(CrmClaimDynamics, report)._read_grouping_sets(
            domain, grouping_sets, aggregates, *args, **kwargs
        )

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
