from odoo import fields, models


class CrmSegmentForecastLine(models.Model):
    """A month of a segment: what happened, or what is expected with bounds.

    - The bounds hold the actual figure in 80 and in 95 of 100 cases, if the future is like the
      past. Months of the past have none.
    - The average cheque is turnover by orders; a month without orders has none.
    - Not to be summed over kinds: each client is in the company, in a class and in a country.
    """

    _name = "crm.segment.forecast.line"
    _description = "Month of a Forecast"
    _order = "date, id"
    _rec_name = "date"
    _log_access = False

    forecast_id = fields.Many2one(
        "crm.segment.forecast",
        string="Segment",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(related="forecast_id.kind", store=True, readonly=True)
    date = fields.Date(string="Month", required=True, readonly=True)
    is_forecast = fields.Boolean(string="Forecast", readonly=True)

    turnover = fields.Monetary(readonly=True, help="Untaxed, less returns.")
    turnover_low_80 = fields.Monetary(string="Turnover, Low (80%)", readonly=True)
    turnover_high_80 = fields.Monetary(string="Turnover, High (80%)", readonly=True)
    turnover_low_95 = fields.Monetary(string="Turnover, Low (95%)", readonly=True)
    turnover_high_95 = fields.Monetary(string="Turnover, High (95%)", readonly=True)
    orders = fields.Float(readonly=True, digits=(16, 1))
    orders_low_80 = fields.Float(string="Orders, Low (80%)", readonly=True, digits=(16, 1))
    orders_high_80 = fields.Float(string="Orders, High (80%)", readonly=True, digits=(16, 1))
    orders_low_95 = fields.Float(string="Orders, Low (95%)", readonly=True, digits=(16, 1))
    orders_high_95 = fields.Float(string="Orders, High (95%)", readonly=True, digits=(16, 1))
    average = fields.Monetary(
        string="Average Cheque", readonly=True, aggregator="avg", help="Turnover by orders."
    )
    average_low_80 = fields.Monetary("Average Cheque, Low (80%)", readonly=True, aggregator="avg")
    average_high_80 = fields.Monetary("Average Cheque, High (80%)", readonly=True, aggregator="avg")
    average_low_95 = fields.Monetary("Average Cheque, Low (95%)", readonly=True, aggregator="avg")
    average_high_95 = fields.Monetary("Average Cheque, High (95%)", readonly=True, aggregator="avg")
    clients = fields.Float(string="Active Clients", readonly=True, digits=(16, 1))
    clients_low_80 = fields.Float("Active Clients, Low (80%)", readonly=True, digits=(16, 1))
    clients_high_80 = fields.Float("Active Clients, High (80%)", readonly=True, digits=(16, 1))
    clients_low_95 = fields.Float("Active Clients, Low (95%)", readonly=True, digits=(16, 1))
    clients_high_95 = fields.Float("Active Clients, High (95%)", readonly=True, digits=(16, 1))

    _forecast_date_unique = models.Constraint(
        "UNIQUE(forecast_id, date)", "A month is in a forecast once."
    )
