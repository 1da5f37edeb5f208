from odoo import fields, models


class ResCompany(models.Model):
    """When work counts as overdue, and when the head is told."""

    _inherit = "res.company"

    crm_overdue_report = fields.Boolean(
        "Report Overdue Work",
        default=True,
        help="Everybody is told once what has become overdue; some working hours later the head.",
    )
    crm_overdue_new_hours = fields.Float(
        "Hours to Answer",
        default=4.0,
        help="Working hours after which something that has arrived from a client and nobody has "
        "handled counts as overdue.",
    )
    crm_overdue_head_hours = fields.Float(
        "Hours Until the Head Is Told",
        default=8.0,
        help="Working hours of the responsible between his own notice and that of his head. Zero: "
        "the head is not told.",
    )

    _check_crm_overdue_hours = models.Constraint(
        "CHECK (crm_overdue_new_hours >= 0 AND crm_overdue_head_hours >= 0)",
        "Hours cannot be negative.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    crm_overdue_report = fields.Boolean(related="company_id.crm_overdue_report", readonly=False)
    crm_overdue_new_hours = fields.Float(related="company_id.crm_overdue_new_hours", readonly=False)
    crm_overdue_head_hours = fields.Float(
        related="company_id.crm_overdue_head_hours", readonly=False
    )
