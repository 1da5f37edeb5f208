from odoo import Command, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL


class CrmInteraction(models.Model):
    """Files of an interaction.

    They belong to the field, so that whoever may see only the header of an interaction (an
    accountant) does not reach its files either, by whatever road. Only files that the user has
    just uploaded can be attached: a file of another document is not made readable by naming it.
    """

    _inherit = "crm.interaction"

    attachment_ids = fields.Many2many(
        "ir.attachment",
        "crm_interaction_attachment_rel",
        "interaction_id",
        "attachment_id",
        string="Attachments",
        domain=[("res_field", "=", "attachment_ids")],
        copy=False,
        groups="crm_extended.crm_interactions_group_user",
    )

    def _own_attachments(self):
        """Tie the files just uploaded to their interaction and to the field."""
        self.flush_recordset(["attachment_ids"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT interaction_id, attachment_id FROM crm_interaction_attachment_rel
                 WHERE interaction_id IN %s
                """,
                tuple(self.ids),
            )
        )
        for interaction_id, attachment_id in rows:
            # sudo: of the user's own uploads, only the owner changes
            attachment_sudo = self.env["ir.attachment"].sudo().browse(attachment_id)
            owner = (attachment_sudo.res_model, attachment_sudo.res_id)
            if owner == (self._name, interaction_id):
                continue
            if attachment_sudo.res_id or (
                attachment_sudo.create_uid.id != self.env.uid and not self.env.su
            ):
                raise AccessError(
                    self.env._(
                        "“%(file)s” belongs to another document: attach a copy of it.",
                        file=attachment_sudo.name,
                    )
                )
            attachment_sudo.write(
                {
                    "res_model": self._name,
                    "res_id": interaction_id,
                    "res_field": "attachment_ids",
                }
            )
        self.invalidate_recordset(["attachment_ids"])

    def _copy_attachments(self, attachments):
        """Give these interactions copies of files; the contents are stored once.

        :param attachments: ir.attachment under sudo, which the user may read
        """
        if not (self and attachments):
            return
        values = attachments.copy_data()
        copies = attachments.create(
            [
                {
                    **vals,
                    "name": attachment.name,
                    "res_model": self._name,
                    "res_id": interaction.id,
                    "res_field": "attachment_ids",
                }
                for interaction in self
                for attachment, vals in zip(attachments, values, strict=True)
            ]
        )
        for interaction, files in copies.grouped("res_id").items():
            self.browse(interaction).attachment_ids = [Command.link(file.id) for file in files]
