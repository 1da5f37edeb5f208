from odoo import models

# a mail in one of these states has not left the house
FAILED_STATES = ("exception", "cancel")


class MailMail(models.Model):
    """A mail that is no notification of a message tells its delivery itself."""

    _inherit = "mail.mail"

    def write(self, vals):
        res = super().write(vals)
        if vals.get("state") in (*FAILED_STATES, "sent"):
            alone = self.filtered(lambda mail: not mail.is_notification)
            if alone:
                alone.mail_message_id._get_interactions()._follow_message()
        return res
