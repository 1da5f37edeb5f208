from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    agreement_self_approval = fields.Boolean(
        related="company_id.agreement_self_approval", readonly=False
    )
    crm_duplicate_mode = fields.Selection(
        related="company_id.crm_duplicate_mode", readonly=False, required=True
    )
    agreement_reminder_days = fields.Integer(
        related="company_id.agreement_reminder_days", readonly=False
    )
    crm_calling_hour_from = fields.Float(related="company_id.crm_calling_hour_from", readonly=False)
    crm_calling_hour_to = fields.Float(related="company_id.crm_calling_hour_to", readonly=False)
