from odoo import fields, models, tools
from odoo.tools import SQL


class CrmLeadScoreReview(models.Model):
    """Who was right: the last adjustment of each closed deal against how the deal ended.

    The model alone promises a win with class A or B, a loss with C or D; the manager alone
    promises a win by raising the class and a loss by lowering it; both together promise what the
    adjusted class says. Each is right or wrong; the averages are the accuracies.
    """

    _name = "crm.lead.score.review"
    _description = "Class adjustments against outcomes"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "lead_id"

    lead_id = fields.Many2one("crm.lead", "Deal", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    user_id = fields.Many2one("res.users", "Adjusted by", readonly=True)
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    date = fields.Datetime("Adjusted on", readonly=True)
    date_closed = fields.Datetime("Closed", readonly=True)
    adjustment = fields.Integer(readonly=True, aggregator=None)
    class_auto = fields.Selection([(c, c) for c in "ABCD"], "Computed Class", readonly=True)
    class_after = fields.Selection([(c, c) for c in "ABCD"], "Adjusted Class", readonly=True)
    outcome = fields.Selection([("won", "Won"), ("lost", "Lost")], readonly=True)
    reason = fields.Text(readonly=True)
    model_right = fields.Float("Model Right (%)", readonly=True, aggregator="avg")
    manager_right = fields.Float("Manager Right (%)", readonly=True, aggregator="avg")
    both_right = fields.Float("Both Together Right (%)", readonly=True, aggregator="avg")

    def init(self):
        tools.drop_view_if_exists(self.env.cr, self._table)
        self.env.cr.execute(
            SQL("CREATE VIEW %s AS (%s)", SQL.identifier(self._table), self._query())
        )

    def _query(self):
        return SQL(
            """
            SELECT a.id, a.lead_id, l.company_id, a.user_id, l.team_id, a.date, l.date_closed,
                   a.adjustment, a.class_auto, a.class_after, l.won_status AS outcome, a.reason,
                   CASE WHEN (a.class_auto IN ('A', 'B')) = (l.won_status = 'won')
                        THEN 100.0 ELSE 0.0 END AS model_right,
                   CASE WHEN (a.adjustment > 0) = (l.won_status = 'won')
                        THEN 100.0 ELSE 0.0 END AS manager_right,
                   CASE WHEN (a.class_after IN ('A', 'B')) = (l.won_status = 'won')
                        THEN 100.0 ELSE 0.0 END AS both_right
              FROM crm_lead l
              JOIN LATERAL (
                       SELECT * FROM crm_lead_class_adjustment a
                        WHERE a.lead_id = l.id
                     ORDER BY a.date DESC, a.id DESC LIMIT 1
                   ) a ON a.adjustment <> 0
             WHERE l.won_status IN ('won', 'lost')
            """
        )
