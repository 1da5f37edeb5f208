from odoo import fields, models


class CrmCustomerClassAdjustment(models.Model):
    """Log of every manual change of a client's class: who, when, why, and what was computed at that
    moment, so that it can be judged later who was right. Rows are never edited."""

    _name = "crm.customer.class.adjustment"
    _description = "Adjustment of a Client's Class"
    _order = "date desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one(
        "res.partner", "Client", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one("res.users", "Adjusted by", required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    adjustment_before = fields.Integer("Previous Adjustment", readonly=True, aggregator=None)
    adjustment = fields.Integer(readonly=True, aggregator=None)
    class_auto = fields.Selection([(c, c) for c in "ABCD"], "Computed Class", readonly=True)
    class_before = fields.Selection([(c, c) for c in "ABCD"], readonly=True)
    class_after = fields.Selection([(c, c) for c in "ABCD"], readonly=True)
    class_score = fields.Float("Points", readonly=True, digits=(5, 1), aggregator="avg")
    monetary_year = fields.Monetary(string="Turnover, 12 Months", readonly=True)
    reason = fields.Text(required=True, readonly=True)
