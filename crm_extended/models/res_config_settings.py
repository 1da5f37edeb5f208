from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    agreement_self_approval = fields.Boolean(
        related="company_id.agreement_self_approval", readonly=False
    )
