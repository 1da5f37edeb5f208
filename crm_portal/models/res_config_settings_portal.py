from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    portal_requests_per_hour = fields.Integer(
        related="company_id.portal_requests_per_hour", readonly=False
    )
    portal_manager_id = fields.Many2one(related="company_id.portal_manager_id", readonly=False)
