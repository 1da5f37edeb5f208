from dataclasses import dataclass

from odoo import models

from ..tools.mail_headers import is_automatic


@dataclass(frozen=True)
class IncomingMail:
    """What the mail gateway knows of a mail and its message does not.

    Travels in the context from the gateway to the message; a client cannot send an object.
    """

    message_id: str
    is_automatic: bool = False
    parent_id: int = 0


class MailThread(models.AbstractModel):
    """What is posted on a document with `crm.interaction.mixin` becomes an interaction.

    The notification of a message is the place where it is known whom the message reaches, and
    the one through which all must go: the gateway, the composer, the portal, code.
    """

    _inherit = "mail.thread"

    def _notify_thread(self, message, msg_vals=False, **kwargs):
        recipients_data = super()._notify_thread(message, msg_vals=msg_vals, **kwargs)
        if isinstance(self, self.pool["crm.interaction.mixin"]) and not (
            # notified again when its time has come
            self._is_notification_scheduled(kwargs.get("scheduled_date"))
        ):
            self.env["crm.interaction"]._record_message(
                self, message, msg_vals or {}, recipients_data
            )
        return recipients_data

    def _message_route_process(self, message, message_dict, routes):
        # a new document makes the gateway forget what the mail answers
        mail = IncomingMail(
            message_id=message_dict["message_id"],
            is_automatic=is_automatic(message),
            parent_id=message_dict.get("parent_id") or 0,
        )
        return super(MailThread, self.with_context(crm_incoming_mail=mail))._message_route_process(
            message, message_dict, routes
        )
