from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    portal_sms_notices = fields.Boolean(
        string="SMS Notices",
        help="Customers may ask for notices by SMS. Each SMS is charged by your provider.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    portal_sms_notices = fields.Boolean(related="company_id.portal_sms_notices", readonly=False)


class ResPartner(models.Model):
    _inherit = "res.partner"

    portal_hide_offers = fields.Boolean(
        "No Recommendations in the Portal",
        help="This customer does not want to be shown products recommended for him.",
    )
