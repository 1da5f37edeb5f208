from odoo import models
from odoo.tools import SQL


class IrAttachment(models.Model):
    """Files of a message are read by whoever reads the message as an interaction.

    Odoo gives them to readers of the document; the responsible for an interaction need not be one
    of them, and has the text of the message already.
    """

    _inherit = "ir.attachment"

    def _check_access(self, operation):
        res = super()._check_access(operation)
        if not res or operation != "read" or self.env.su:
            return res
        forbidden, error_func = res
        forbidden -= forbidden._filter_interaction_messages()
        return (forbidden, error_func) if forbidden else None

    def _filter_interaction_messages(self):
        """Those of these files that belong to messages which the user reads as interactions."""
        if not self.ids or not self.env.user.has_group("crm_extended.crm_interactions_group_user"):
            return self.browse()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT rel.attachment_id, i.id
                  FROM message_attachment_rel rel
                  JOIN crm_interaction i ON i.mail_message_id = rel.message_id
                 WHERE rel.attachment_id = ANY(%s)
                """,
                self.ids,
            )
        )
        interactions = self.env["crm.interaction"].browse({row[1] for row in rows})
        readable = interactions._filtered_access("read")._filter_message_readable()
        return self.browse({file_id for file_id, row_id in rows if row_id in readable.ids})
