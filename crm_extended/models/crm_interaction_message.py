from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import formataddr

from .crm_interaction import INTERNAL


class CrmInteraction(models.Model):
    """The message behind an interaction: shown from where it is, never copied.

    Whoever works with interactions and sees this one reads the message, too. One for which nobody
    is responsible yet is seen by everybody who works with interactions: there the message is
    read by those who may read the document. Nobody gets to the text by taking the interaction or
    by moving it to another conversation.

    When nobody outside has got a message, there was no contact: its interaction is cancelled, and
    what it had answered waits again. When it is delivered after all, it is done.
    """

    _inherit = "crm.interaction"

    message_body = fields.Html(
        string="Message Text",
        compute="_compute_message",
        # the message has been sanitised when it came
        sanitize=False,
        groups="crm_extended.crm_interactions_group_user",
    )
    message_attachment_ids = fields.Many2many(
        "ir.attachment",
        string="Message Attachments",
        compute="_compute_message",
        groups="crm_extended.crm_interactions_group_user",
    )
    message_failure = fields.Char(
        string="Not Delivered",
        compute="_compute_message",
        groups="crm_extended.crm_interactions_group_user",
    )

    @api.depends("mail_message_id", "user_id", "chain_id.user_id")
    @api.depends_context("uid")
    def _compute_message(self):
        self.message_body = self.message_attachment_ids = self.message_failure = False
        messages = self.filtered("mail_message_id")._read_messages()
        for interaction in self.filtered(lambda interaction: interaction.id in messages):
            body, attachments_sudo, failure = messages[interaction.id]
            interaction.message_body = body
            interaction.message_attachment_ids = attachments_sudo.sudo(False)
            interaction.message_failure = failure

    def _read_messages(self):
        """The messages of these interactions, which the user sees, as far as he may read them.

        :return: dict interaction id → (body, ir.attachment under sudo, why it was not delivered)
        """
        # sudo: access to the messages is checked here
        return {
            interaction_sudo.id: (
                interaction_sudo.mail_message_id.body,
                interaction_sudo.mail_message_id.attachment_ids,
                interaction_sudo.mail_message_id._get_delivery_failure(),
            )
            for interaction_sudo in self._filter_message_readable().sudo()
        }

    def write(self, vals):
        if not self.env.su and not {"chain_id", "user_id"}.isdisjoint(vals):
            # sudo: whether there is a message, whoever may read it
            messages = self.sudo().filtered("mail_message_id").sudo(False)
            hidden = messages - messages._filter_message_readable()
            if hidden:
                raise AccessError(
                    self.env._(
                        "“%(subject)s” is about a document that you may not read: ask its "
                        "responsible to hand it over.",
                        subject=hidden[0].subject,
                    )
                )
        return super().write(vals)

    @api.model
    def _get_confidential_models(self):
        """Models of documents whose messages only readers of the document read; other add-ons
        extend it."""
        return set()

    def _filter_message_readable(self):
        """Those of these interactions, which the user sees, whose message the user may read."""
        if self.env.su:
            return self
        confidential = self._get_confidential_models()
        sees_all = self.env.user.has_group("crm_extended.crm_interactions_group_user_all")
        guarded = self.filtered(
            lambda interaction: interaction.res_id
            and (
                interaction.res_model in confidential
                or (
                    not sees_all
                    # sudo: the chain may be one that only its responsible sees
                    and self.env.user
                    not in interaction.user_id | interaction.chain_id.sudo().user_id
                )
            )
        )
        hidden = self.browse()
        for res_model, interactions in guarded.grouped("res_model").items():
            documents = self.env[res_model].browse(interactions.mapped("res_id")).exists()
            readable_ids = set(documents._filtered_access("read").ids)
            hidden |= interactions.filtered(
                lambda interaction, ids=readable_ids: interaction.res_id not in ids
            )
        return self - hidden

    # ------------------------------------------------------------
    # DELIVERY
    # ------------------------------------------------------------

    @api.model
    def _is_undelivered(self, message):
        """Whether an SMS could not even be sent; e-mails are sent later."""
        return message.message_type == "sms" and message._is_delivery_failed()

    def _check_transition(self, state):
        if self.env.context.get("crm_message_follows") is not INTERNAL:
            super()._check_transition(state)

    def _follow_message(self):
        """Bring the state of outgoing messages in line with their delivery."""
        # sudo: the system learns of the delivery, whoever it acts for
        following = self.sudo().with_context(crm_message_follows=INTERNAL)._internal()
        for interaction in following.filtered(lambda interaction: interaction.direction == "out"):
            failed = interaction.mail_message_id._is_delivery_failed()
            if failed and interaction.state == "done":
                interaction.state = "cancelled"
                interaction._reopen_answered()
            elif not failed and interaction.state == "cancelled":
                interaction.state = "done"

    def _reopen_answered(self):
        """What these interactions had answered waits again."""
        self.search(
            [("answer_id", "in", self.ids), ("direction", "=", "in"), ("state", "=", "done")]
        ).write({"state": "new", "answer_id": False, "date_answered": False, "answer_hours": 0.0})

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_reply(self):
        """Open Odoo's composer with an answer to this message.

        A stranger becomes a contact by it, as by Odoo's own composer.

        :return: a window action, or False for what is no message on a document
        """
        self.ensure_one()
        self.check_access("write")
        document = self.chain_id._get_document()
        if not self.mail_message_id or document is None:
            return False
        # sudo: whoever sees the interaction knows its message and its people
        sender_sudo = self.sudo().participant_ids.filtered(lambda person: person.role == "from")[:1]
        partner_sudo = sender_sudo.partner_id
        if not partner_sudo and sender_sudo.email_normalized:
            partner_sudo = document._partner_find_from_emails_single(
                [formataddr((sender_sudo.name, sender_sudo.email_normalized))]
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reply"),
            "res_model": "mail.compose.message",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_composition_mode": "comment",
                "default_model": document._name,
                "default_res_ids": document.ids,
                "default_parent_id": self.mail_message_id.id,
                "default_partner_ids": partner_sudo.ids,
                "default_subject": self._get_reply_subject(),
            },
        }

    def _get_reply_subject(self):
        self.ensure_one()
        if self.subject.lower().startswith("re:"):
            return self.subject
        return self.env._("Re: %(subject)s", subject=self.subject)
