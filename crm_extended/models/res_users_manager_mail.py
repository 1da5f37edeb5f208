from odoo import fields, models

SUBSCRIPTIONS = ("crm_mail_daily", "crm_mail_weekly", "crm_mail_monthly")


class ResUsers(models.Model):
    """Which of the managers' mails somebody gets; each chooses in his preferences.

    Nobody is subscribed by installing the add-on. The administrator may subscribe all at once in
    the settings; whoever does not want them unsubscribes by the link in the mail.
    """

    _inherit = "res.users"

    crm_mail_daily = fields.Boolean(
        string="Every Morning: Yesterday of My Team", help="For heads of teams."
    )
    crm_mail_weekly = fields.Boolean(string="Every Monday: My Own Figures")
    crm_mail_monthly = fields.Boolean(
        string="On the 1st: the Month of the Company", help="For sales administrators."
    )

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, *SUBSCRIPTIONS]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return [*super().SELF_WRITEABLE_FIELDS, *SUBSCRIPTIONS]
