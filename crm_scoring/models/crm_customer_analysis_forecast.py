from odoo import fields, models


class CrmCustomerAnalysis(models.Model):
    """How far ahead a company forecasts. The figures of the clients do not depend on it."""

    _inherit = "crm.customer.analysis"

    forecast_months = fields.Integer(
        string="Months Ahead",
        default=12,
        required=True,
        help="From 1 to 12. The next night, or the button of the forecasts, takes a change up.",
    )

    _check_forecast_months = models.Constraint(
        "CHECK(forecast_months BETWEEN 1 AND 12)",
        "Forecasts: the number of months ahead must lie between 1 and 12.",
    )
