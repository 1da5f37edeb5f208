from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_interaction_mail import InteractionMailCommon


@tagged("post_install", "-at_install")
class TestInteractionMessage(InteractionMailCommon):
    """The message behind an interaction: who reads it, and what becomes of it."""

    def _incoming(self, lead=None, **values):
        lead = lead or self.lead
        lead.message_post(
            body="Secret words",
            subject="Question",
            message_type="email",
            subtype_xmlid="mail.mt_comment",
            author_id=self.client_contact.id,
            email_from=self.client_contact.email_formatted,
            attachments=[("plan.txt", b"secret plan")],
            **values,
        )
        return self._get_interactions(lead)[-1:]

    def test_who_reads_it(self):
        interaction = self._incoming()
        attachment = interaction.mail_message_id.attachment_ids
        self.env.invalidate_all()
        for user in (self.user_sales, self.user_all):
            own = interaction.with_user(user)
            self.assertIn("Secret words", own.message_body)
            self.assertEqual(own.message_attachment_ids.ids, attachment.ids)
            self.assertEqual(attachment.with_user(user).raw, b"secret plan")
        for user in (self.user_sales2, self.user_plain):
            with self.assertRaises(AccessError):
                interaction.with_user(user).read(["message_body"])
            with self.assertRaises(AccessError):
                attachment.with_user(user).read(["name"])
        header = interaction.with_user(self.user_accountant)
        self.assertEqual(header.subject, "Question")
        for name in ("message_body", "message_attachment_ids", "message_failure"):
            with self.assertRaises(AccessError):
                header.read([name])
        self.assertNotIn("message_body", header.fields_get())

    def test_responsible_who_does_not_see_the_deal(self):
        """Whoever has to answer a mail reads it with its files, though not the deal."""
        interaction = self._incoming()
        attachment = interaction.mail_message_id.attachment_ids
        interaction.user_id = self.user_sales2
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            self.lead.with_user(self.user_sales2).check_access("read")
        self.assertIn("Secret words", interaction.with_user(self.user_sales2).message_body)
        self.assertEqual(attachment.with_user(self.user_sales2).raw, b"secret plan")
        with self.assertRaises(AccessError):
            attachment.with_user(self.user_sales2).write({"name": "mine"})

    def test_nobody_responsible(self):
        """Everybody sees that something waits; only readers of the document read it."""
        interaction = self._incoming(self.order)
        interaction.user_id = False
        self.env.invalidate_all()
        other = interaction.with_user(self.user_sales2)
        self.assertEqual(other.subject, "Question")
        self.assertFalse(other.message_body)
        self.assertFalse(other.message_attachment_ids)
        lead = self.lead.copy({"user_id": False})
        interaction = self._incoming(lead)
        self.assertFalse(interaction.user_id)
        self.env.invalidate_all()
        self.assertIn("Secret words", interaction.with_user(self.user_sales2).message_body)

    def test_nobody_forges_the_message(self):
        """Naming somebody else's message does not make it readable."""
        foreign = self._incoming().mail_message_id
        with self.assertRaises(AccessError):
            self._log(
                user=self.user_sales2, document=self.client_contact, mail_message_id=foreign.id
            )
        own = self._log(user=self.user_sales2, document=self.client_contact)
        with self.assertRaises(AccessError):
            own.with_user(self.user_sales2).write({"mail_message_id": foreign.id})

    def test_edited_and_emptied(self):
        interaction = self._incoming()
        message = interaction.mail_message_id
        message.body = "<p>Other words</p>"
        interaction.invalidate_recordset()
        self.assertIn("Other words", interaction.message_body)
        self.assertEqual(interaction.state, "new")
        message.write({"attachment_ids": [Command.clear()], "body": ""})
        interaction.invalidate_recordset()
        self.assertFalse(interaction.message_body)

    def test_deleted(self):
        """What waits is cancelled with its message; what took place keeps its header."""
        waiting = self._incoming()
        waiting.mail_message_id.unlink()
        self.assertEqual(waiting.state, "cancelled")
        self._post(subject="Sent")
        sent = self._get_interactions()[-1:]
        sent.mail_message_id.unlink()
        self.assertEqual((sent.state, sent.subject), ("done", "Sent"))
        self.assertFalse(sent.mail_message_id)

    def test_deal_deleted(self):
        interaction = self._incoming()
        self.lead.unlink()
        self.assertEqual(interaction.state, "cancelled")
        self.assertFalse(interaction.res_id)

    def test_deals_merged(self):
        interaction = self._incoming()
        other = self.lead.copy({"name": "Same thing"})
        second = self._incoming(other)
        chain = self.lead.interaction_chain_id
        merged = (self.lead + other).merge_opportunity()
        self.assertEqual(self._get_interactions(merged), interaction + second)
        self.assertEqual(
            (interaction + second).chain_id, chain if merged == self.lead else second.chain_id
        )

    def test_thread_moved(self):
        interaction = self._incoming()
        self.lead.message_change_thread(self.order)
        self.assertEqual((interaction.res_model, interaction.res_id), ("sale.order", self.order.id))
        self.assertEqual(self.order.interaction_chain_id.unhandled_count, 1)
        # nowhere to follow to
        channel = self.env["discuss.channel"].create({"name": "Talk"})
        interaction.mail_message_id.sudo().write({"model": channel._name, "res_id": channel.id})
        self.assertEqual(interaction.res_id, self.order.id)

    def test_bounced_answer(self):
        """The client waits again when the answer does not arrive."""
        waiting = self._incoming(date=fields.Datetime.now() - timedelta(hours=1))
        self._post()
        sent = self._get_interactions()[-1:]
        self.assertEqual(waiting.state, "done")
        sent.mail_message_id.notification_ids.filtered(
            lambda notification: notification.res_partner_id == self.client_contact
        ).write({"notification_status": "bounce", "failure_type": "mail_bounce"})
        self.assertEqual((sent.state, waiting.state), ("cancelled", "new"))
        self.assertIn("Anna Amber", sent.message_failure)

    def test_reply(self):
        interaction = self._incoming()
        action = interaction.with_user(self.user_sales).action_reply()
        composer = (
            self.env["mail.compose.message"]
            .with_user(self.user_sales)
            .with_context(**action["context"])
            .create({"body": "<p>Yes</p>"})
        )
        self.assertEqual(composer.partner_ids, self.client_contact)
        with self.mock_mail_gateway():
            composer._action_send_mail()
        answer = self._get_interactions()[-1:]
        self.assertEqual(answer.subject, "Re: Question")
        self.assertEqual(answer.parent_id, interaction)
        self.assertEqual(interaction.state, "done")

    def test_reply_to_a_stranger(self):
        interaction = self._get_interactions(
            self.env["crm.lead"].browse(
                self._receive('"Oscar Stranger" <oscar@stranger.example.com>').res_id
            )
        )
        action = interaction.with_user(self.user_sales).action_reply()
        partner = interaction.participant_ids.partner_id
        self.assertEqual(
            (partner.name, partner.email_normalized),
            ("Oscar Stranger", "oscar@stranger.example.com"),
        )
        self.assertEqual(action["context"]["default_partner_ids"], partner.ids)
