from odoo import fields, models


class CrmLeadClassAdjustment(models.Model):
    """Log of every manual change of a deal's class: who, when, why, and what was computed
    at that moment, so that it can be judged later who was right. Rows are never edited."""

    _name = "crm.lead.class.adjustment"
    _description = "Adjustment of a deal's class"
    _order = "date desc, id desc"
    _rec_name = "lead_id"
    _log_access = False

    lead_id = fields.Many2one(
        "crm.lead", "Deal", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one("res.company", readonly=True)
    user_id = fields.Many2one("res.users", "Adjusted by", required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    until = fields.Date(readonly=True)
    adjustment_before = fields.Integer("Previous Adjustment", readonly=True, aggregator=None)
    adjustment = fields.Integer(readonly=True, aggregator=None)
    class_auto = fields.Selection([(c, c) for c in "ABCD"], "Computed Class", readonly=True)
    class_before = fields.Selection([(c, c) for c in "ABCD"], readonly=True)
    class_after = fields.Selection([(c, c) for c in "ABCD"], readonly=True)
    score_value = fields.Float("Score", readonly=True, digits=(5, 1), aggregator="avg")
    score_probability = fields.Float(
        "Probability (%)", readonly=True, digits=(5, 1), aggregator="avg"
    )
    reason = fields.Text(required=True, readonly=True)
