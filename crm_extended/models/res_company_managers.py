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
    crm_mail_hour = fields.Integer(
        string="Mails of Figures From",
        default=7,
        help="Hour from which mails of figures go out, by the clock of the recipient.",
    )

    _check_crm_mail_hour = models.Constraint(
        "CHECK (crm_mail_hour >= 0 AND crm_mail_hour <= 23)", "An hour lies between 0 and 23."
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
    crm_mail_hour = fields.Integer(related="company_id.crm_mail_hour", readonly=False)

    def action_subscribe_to_manager_mails(self):
        """Subscribe heads of teams, salespeople and sales administrators of the company.

        Each to the mails made for him; who had unsubscribed gets them again.
        """
        self.check_access("write")
        # sudo: whoever sets the company up need not see all its users
        User_sudo = self.env["res.users"].sudo()
        company = [("share", "=", False), ("company_id", "=", self.env.company.id)]
        manager = self.env.ref("sales_team.group_sale_manager")
        salesman = self.env.ref("sales_team.group_sale_salesman")
        managers = User_sudo.search([*company, ("all_group_ids", "in", manager.ids)])
        managers -= self.env.ref("base.user_root").sudo()
        salesmen = User_sudo.search([*company, ("all_group_ids", "in", salesman.ids)])
        heads = self.env["crm.team"].sudo().search([("user_id", "in", salesmen.ids)]).user_id
        managers.write({"crm_mail_daily": True, "crm_mail_monthly": True})
        heads.write({"crm_mail_daily": True})
        salesmen.write({"crm_mail_weekly": True})
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("Subscribed: %(count)s", count=len(managers | salesmen)),
            },
        }
