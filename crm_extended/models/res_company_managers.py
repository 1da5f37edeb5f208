from odoo import fields, models


class ResCompany(models.Model):
    """From where on a plan is praised, and from where on it worries."""

    _inherit = "res.company"

    crm_target_cheer_percent = fields.Float(
        string="Cheer From (%)",
        default=100.0,
        help="Share of the plan from which whoever reached it is congratulated.",
    )
    crm_target_warning_percent = fields.Float(
        string="Warn Below (%)",
        default=90.0,
        help="The forecast to the end of the period below which the plan is in danger.",
    )

    _check_crm_target_percents = models.Constraint(
        "CHECK (crm_target_cheer_percent > 0 AND crm_target_warning_percent >= 0)",
        "Shares of the plan cannot be negative, and nobody is congratulated for nothing.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    crm_target_cheer_percent = fields.Float(
        related="company_id.crm_target_cheer_percent", readonly=False
    )
    crm_target_warning_percent = fields.Float(
        related="company_id.crm_target_warning_percent", readonly=False
    )
