from odoo import models

# a notification in one of these states has not reached its recipient
FAILED_STATUSES = ("bounce", "exception", "canceled")


class MailNotification(models.Model):
    """The delivery of a message decides whether there was a contact."""

    _inherit = "mail.notification"

    def write(self, vals):
        status = vals.get("notification_status")
        recovered = status and status not in FAILED_STATUSES and self._has_failed()
        res = super().write(vals)
        if status in FAILED_STATUSES or recovered:
            self.mail_message_id._get_interactions()._follow_message()
        return res

    def _has_failed(self):
        # sudo: the state of a delivery is known to whoever changes it
        return any(
            notification.notification_status in FAILED_STATUSES for notification in self.sudo()
        )
