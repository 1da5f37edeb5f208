from odoo import api, models


class CrmManagerMail(models.Model):
    """The morning mail counts the deals that are leaving."""

    _inherit = "crm.manager.mail"

    @api.model
    def _get_daily_codes(self):
        return [*super()._get_daily_codes(), "deals_leaving"]
