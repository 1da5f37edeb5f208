from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    group_claims_about_me = fields.Boolean(
        "Claims against Themselves",
        implied_group="crm_claims.crm_claims_group_accused",
        group="base.group_user",
    )
    claim_answer_days = fields.Integer(related="company_id.claim_answer_days", readonly=False)
    claim_notice_days = fields.Integer(related="company_id.claim_notice_days", readonly=False)
    claim_reopen_days = fields.Integer(related="company_id.claim_reopen_days", readonly=False)
    claim_recurrence_count = fields.Integer(
        related="company_id.claim_recurrence_count", readonly=False
    )
    claim_recurrence_days = fields.Integer(
        related="company_id.claim_recurrence_days", readonly=False
    )
