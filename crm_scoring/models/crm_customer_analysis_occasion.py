from odoo import fields, models


class CrmCustomerAnalysis(models.Model):
    """How long before its day an occasion is listed."""

    _inherit = "crm.customer.analysis"

    occasion_days = fields.Integer(
        string="Birthdays and Holidays (days before)", default=3, required=True
    )
    service_days = fields.Integer(string="Service (days before)", default=30, required=True)
    occasion_consent_required = fields.Boolean(
        string="E-mail Only with Consent",
        help="Greetings and reminders go only to contacts who have agreed; otherwise to all who "
        "have not refused and are not on the blacklist.",
    )

    _check_occasion_days = models.Constraint(
        "CHECK(occasion_days BETWEEN 0 AND 60 AND service_days BETWEEN 0 AND 180)",
        "Occasions: birthdays and holidays 0 to 60 days before, service 0 to 180.",
    )
