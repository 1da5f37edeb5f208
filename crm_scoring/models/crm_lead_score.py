from odoo import fields, models
from odoo.tools import SQL


class CrmLeadScore(models.Model):
    """History of a deal's score: a row when it changed by a point or more, when its class
    or expected amount changed, or when it reached a new top. Rows are facts: nobody edits
    or deletes them, they go with their deal and follow it when deals are merged."""

    _name = "crm.lead.score"
    _description = "History of a deal's score"
    _order = "date desc, id desc"
    _rec_name = "lead_id"
    _log_access = False

    lead_id = fields.Many2one("crm.lead", "Deal", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="lead_id.company_id")
    date = fields.Datetime(required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", "Changed by", readonly=True, help="Empty: the nightly refresh."
    )
    score_value = fields.Float("Score", readonly=True, digits=(5, 1), aggregator="avg")
    score_probability = fields.Float(
        "Probability (%)", readonly=True, digits=(5, 1), aggregator="avg"
    )
    currency_id = fields.Many2one(related="lead_id.company_currency")
    amount = fields.Monetary("Expected Revenue", readonly=True, aggregator=None)
    score_expected_amount = fields.Monetary("Expected Amount", readonly=True, aggregator=None)
    score_class = fields.Selection([(c, c) for c in "ABCD"], "Class", readonly=True)
    class_auto = fields.Selection([(c, c) for c in "ABCD"], "Computed Class", readonly=True)
    class_adjustment = fields.Integer(readonly=True, aggregator=None)
    score_peak = fields.Float("Peak", readonly=True, digits=(5, 1), aggregator="max")
    # how it was before the array of reasons; see crm.lead.scoring._read_reasons
    details = fields.Json(readonly=True)
    inputs = fields.Json(
        readonly=True, help="What the model of winning looked at, as it was at that moment."
    )

    _lead_date_index = models.Index("(lead_id, date)")

    def init(self):
        self.env.cr.execute(
            SQL("ALTER TABLE crm_lead_score ADD COLUMN IF NOT EXISTS reasons float8[]")
        )
