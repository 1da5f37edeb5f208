from odoo import api, models
from odoo.tools import SQL


class MailMessage(models.Model):
    """Customers read the discussion of their claim, and nothing else of its history.

    Odoo hides internal *comments* from portal users, but lets whoever reads a document read its
    other log entries by number: changes of fields, notes written by the system such as who is at
    fault, assignments. On documents that this add-on opens to customers only the messages that
    the portal's own discussion would show can be read. What he writes passes through
    ``message_post`` of the document: he creates, changes and deletes no message directly, which
    Odoo allows portal users, under any name they like.
    """

    _inherit = "mail.message"

    @api.model
    def _get_portal_discussion_models(self):
        """Models whose log entries are internal; other add-ons extend it."""
        return ["crm.claim", "crm.agreement"]

    def _get_forbidden_access(self, operation):
        forbidden = super()._get_forbidden_access(operation)
        remaining = self - forbidden
        if not remaining or not self.env.user.share:
            return forbidden
        if operation != "read":
            models = self._get_portal_discussion_models()
            # sudo: which document they belong to decides
            return forbidden + remaining.filtered(lambda message: message.sudo().model in models)
        visible_types = ["comment", "email", "email_outgoing", "auto_comment", "out_of_office"]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT message.id
                  FROM mail_message message
             LEFT JOIN mail_message_subtype subtype ON subtype.id = message.subtype_id
                 WHERE message.id = ANY(%(ids)s)
                   AND message.model = ANY(%(models)s)
                   AND (message.is_internal IS TRUE
                        OR subtype.id IS NULL
                        OR subtype.internal IS TRUE
                        OR NOT message.message_type = ANY(%(types)s))
                """,
                ids=list(remaining.ids),
                models=self._get_portal_discussion_models(),
                types=visible_types,
            )
        )
        return forbidden + self.browse(message_id for (message_id,) in rows)
