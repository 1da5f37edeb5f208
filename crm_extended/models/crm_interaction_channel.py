from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class CrmInteraction(models.Model):
    """Through which channel a contact came or went, to group and to search by.

    It is the kind of the contact; only messages are told apart by what they were sent with: an
    SMS, a comment in the portal, or anything else (entered by hand, or the message is gone).
    The message says it, so it is not stored.
    """

    _inherit = "crm.interaction"

    channel = fields.Selection(
        [
            ("call", "Telephone"),
            ("meeting", "Meeting"),
            ("email", "Email"),
            ("sms", "SMS"),
            ("portal", "Portal"),
            ("message", "Other Message"),
            ("other", "Other"),
        ],
        compute="_compute_channel",
        search="_search_channel",
        help="Through which the contact came or went.",
    )

    @api.model
    def _get_message_channels(self):
        """Map the type of a message (``mail.message``) to a channel; other add-ons extend it."""
        return {"sms": "sms", "comment": "portal"}

    @api.depends("kind", "mail_message_id")
    def _compute_channel(self):
        channels = self._get_message_channels()
        messages = self.filtered(lambda interaction: interaction.kind == "message")
        # sudo: whoever reads the header of the contact; the type tells nothing of the text
        messages.sudo().mail_message_id.fetch(["message_type"])
        for interaction in self:
            interaction.channel = interaction.kind
        for interaction in messages:
            message_type = interaction.sudo().mail_message_id.message_type
            interaction.channel = channels.get(message_type, "message")

    def _search_channel(self, operator, value):
        if operator != "in":
            return NotImplemented
        channels = tuple(channel for channel in value if channel)
        if not channels:
            return Domain.FALSE
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN %s", model._field_to_sql(alias, "channel", query), channels
            )
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        if field_expr != "channel":
            return super()._field_to_sql(alias, field_expr, query)
        kind = self._field_to_sql(alias, "kind", query)
        message_type = SQL(
            "(SELECT message_type FROM mail_message WHERE id = %s)",
            self._field_to_sql(alias, "mail_message_id", query),
            to_flush=self.env["mail.message"]._fields["message_type"],
        )
        cases = [
            SQL("WHEN %s THEN %s", type_, channel)
            for type_, channel in self._get_message_channels().items()
        ]
        return SQL(
            "(CASE %(kind)s WHEN 'message' THEN CASE %(type)s %(cases)s ELSE 'message' END "
            "ELSE %(kind)s END)",
            kind=kind,
            type=message_type,
            cases=SQL(" ").join(cases),
        )
