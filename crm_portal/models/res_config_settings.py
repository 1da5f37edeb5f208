from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    portal_claims_per_hour = fields.Integer(
        related="company_id.portal_claims_per_hour", readonly=False
    )
    portal_claim_max_files = fields.Integer(
        related="company_id.portal_claim_max_files", readonly=False
    )
    portal_claim_max_file_size = fields.Integer(
        related="company_id.portal_claim_max_file_size", readonly=False
    )
    portal_claim_max_total_size = fields.Integer(
        related="company_id.portal_claim_max_total_size", readonly=False
    )
