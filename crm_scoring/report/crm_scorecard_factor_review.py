from odoo import fields, models, tools
from odoo.tools import SQL


class CrmScorecardFactorReview(models.Model):
    """Which factors were right: each factor that applied to a deal when it was last scored,
    against how the deal ended. A factor that gives points promises a win, one that takes them
    away a loss."""

    _name = "crm.scorecard.factor.review"
    _description = "Scorecard factors against outcomes"
    _auto = False
    _order = "date_closed desc, id desc"
    _rec_name = "factor_id"

    factor_id = fields.Many2one("crm.scorecard.factor", readonly=True)
    scorecard_id = fields.Many2one("crm.scorecard", readonly=True)
    lead_id = fields.Many2one("crm.lead", "Deal", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    user_id = fields.Many2one("res.users", "Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    date_closed = fields.Datetime("Closed", readonly=True)
    points = fields.Float(readonly=True, aggregator="avg")
    won = fields.Float("Won (%)", readonly=True, aggregator="avg")
    factor_right = fields.Float("Factor Right (%)", readonly=True, aggregator="avg")

    def init(self):
        tools.drop_view_if_exists(self.env.cr, self._table)
        self.env.cr.execute(
            SQL("CREATE VIEW %s AS (%s)", SQL.identifier(self._table), self._query())
        )

    def _query(self):
        # the layout of the array: crm_scoring.tools.scoring.reasons_from_array
        return SQL(
            """
            SELECT s.id::bigint * 1000 + n AS id,
                   f.id AS factor_id, f.scorecard_id, s.lead_id, l.company_id, l.user_id,
                   l.team_id, l.date_closed, s.reasons[8 + 3 * n] AS points,
                   CASE WHEN l.won_status = 'won' THEN 100.0 ELSE 0.0 END AS won,
                   CASE WHEN (s.reasons[8 + 3 * n] > 0) = (l.won_status = 'won')
                        THEN 100.0 ELSE 0.0 END AS factor_right
              FROM crm_lead_scoring s
              JOIN crm_lead l ON l.id = s.lead_id AND l.won_status IN ('won', 'lost')
        CROSS JOIN LATERAL generate_series(0, (cardinality(s.reasons) - 6) / 3 - 1) AS n
              JOIN crm_scorecard_factor f ON f.id = s.reasons[7 + 3 * n]::int
             WHERE s.reasons[8 + 3 * n] <> 0
            """
        )
