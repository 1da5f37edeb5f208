from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    claim_promise_days_low = fields.Integer(
        related="company_id.claim_promise_days_low", readonly=False
    )
    claim_promise_days_normal = fields.Integer(
        related="company_id.claim_promise_days_normal", readonly=False
    )
    claim_promise_days_high = fields.Integer(
        related="company_id.claim_promise_days_high", readonly=False
    )
    claim_promise_days_critical = fields.Integer(
        related="company_id.claim_promise_days_critical", readonly=False
    )
    group_claims_about_me = fields.Boolean(
        "Claims against Themselves",
        implied_group="crm_claims.crm_claims_group_accused",
        group="base.group_user",
    )
    claim_answer_days = fields.Integer(related="company_id.claim_answer_days", readonly=False)
