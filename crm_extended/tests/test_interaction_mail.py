from datetime import timedelta

from odoo import fields
from odoo.exceptions import ConcurrencyError
from odoo.tests import HttpCase, tagged

from .common_interaction_mail import InteractionMailCommon


@tagged("post_install", "-at_install")
class TestInteractionIncoming(InteractionMailCommon):
    """What clients write."""

    def test_known_sender_to_an_alias(self):
        """A mail to the alias makes a deal; the mail is its first interaction."""
        message = self._receive(self.client_contact.email_formatted)
        lead = self.env["crm.lead"].browse(message.res_id)
        interaction = self._get_interactions(lead)
        self.assertEqual(len(interaction), 1)
        self.assertEqual(interaction.mail_message_id, message)
        self.assertEqual(
            (interaction.kind, interaction.direction, interaction.state), ("email", "in", "new")
        )
        self.assertEqual(interaction.subject, "Drills")
        self.assertEqual(interaction.user_id, self.user_sales)
        self.assertEqual(interaction.partner_id, self.client_contact)
        self.assertEqual(
            self._get_people(interaction),
            {("from", "anna@amber.example.com", self.client_contact)},
        )
        self.assertEqual(lead.interaction_chain_id.unhandled_count, 1)
        self.assertIn("twenty drills", interaction.message_body)
        self.assertFalse(interaction.body)

    def test_unknown_sender(self):
        """A stranger takes part by name and address, until somebody knows him."""
        message = self._receive('"Oscar Stranger" <Oscar@Stranger.example.com>')
        interaction = self._get_interactions(self.env["crm.lead"].browse(message.res_id))
        self.assertFalse(interaction.partner_id)
        person = interaction.participant_ids
        self.assertFalse(person.partner_id)
        self.assertEqual((person.role, person.name), ("from", "Oscar Stranger"))
        self.assertEqual(person.email_normalized, "oscar@stranger.example.com")
        partner = self.env["res.partner"].create(
            {"name": "Oscar", "email": "oscar@stranger.example.com"}
        )
        person.invalidate_recordset()
        interaction.invalidate_recordset()
        self.assertEqual(person.partner_id, partner)
        self.assertEqual(interaction.partner_id, partner)

    def test_reply_by_references(self):
        """The answer to a message of ours joins its deal and follows it."""
        sent = self._post()
        message = self._receive_reply(sent, self.client_contact.email_formatted)
        self.assertEqual((message.model, message.res_id), ("crm.lead", self.lead.id))
        outgoing, incoming = self._get_interactions()
        self.assertEqual(outgoing.mail_message_id, sent)
        self.assertEqual(incoming.mail_message_id, message)
        self.assertEqual(incoming.parent_id, outgoing)
        self.assertEqual(incoming.state, "new")

    def test_reply_to_an_order(self):
        self.order.message_subscribe(self.client_contact.ids)
        sent = self._post(document=self.order)
        self._receive_reply(sent, self.client_contact.email_formatted)
        outgoing, incoming = self._get_interactions(self.order)
        self.assertEqual((outgoing.state, incoming.state), ("done", "new"))
        self.assertEqual(incoming.parent_id, outgoing)
        self.assertEqual(incoming.user_id, self.user_sales)

    def test_to_and_cc(self):
        """Colleagues take part, but are no clients; aliases and our own address are nobody."""
        second = self.env["res.partner"].create(
            {"name": "Bert Amber", "email": "bert@amber.example.com"}
        )
        self.company.partner_id.email = "office@ours.example.com"
        message = self._receive(
            '"Oscar" <oscar@stranger.example.com>',
            to=f"deals@{self.alias_domain}, bert@amber.example.com, office@ours.example.com",
            cc=f'"Zoe" <zoe@else.example.com>, {self.user_sales2.email}',
        )
        interaction = self._get_interactions(self.env["crm.lead"].browse(message.res_id))
        nobody = self.env["res.partner"]
        self.assertEqual(
            self._get_people(interaction),
            {
                ("from", "oscar@stranger.example.com", nobody),
                ("to", "bert@amber.example.com", second),
                ("cc", "zoe@else.example.com", nobody),
                ("cc", self.user_sales2.email, self.user_sales2.partner_id),
            },
        )
        self.assertEqual(interaction.partner_id, second)

    def test_colleague_is_never_the_client(self):
        message = self._receive(
            '"Oscar" <oscar@stranger.example.com>', cc=self.user_sales2.email_formatted
        )
        interaction = self._get_interactions(self.env["crm.lead"].browse(message.res_id))
        self.assertFalse(interaction.partner_id)

    def test_colleague_answers_by_mail(self):
        """An employee who answers a notification from his own mailbox: a mail of ours."""
        sent = self._post()
        message = self._receive_reply(sent, self.user_sales2.email_formatted)
        self.assertEqual(message.author_id, self.user_sales2.partner_id)
        interaction = self._get_interactions()[1]
        self.assertEqual((interaction.direction, interaction.state), ("out", "done"))
        self.assertEqual(interaction.user_id, self.user_sales2)
        self.assertEqual(interaction.partner_id, self.client_contact)

    def test_colleagues_among_themselves(self):
        message = self._receive(self.user_sales2.email_formatted)
        self.assertFalse(self._get_interactions(self.env["crm.lead"].browse(message.res_id)))

    def test_answer_to_a_note(self):
        """A client who got a note by mistake and answers it has written to us all the same."""
        note = self._post(subtype_xmlid="mail.mt_note", partner_ids=self.client_contact.ids)
        self.assertFalse(self._get_interactions())
        self._receive_reply(note, self.client_contact.email_formatted)
        self.assertEqual(self._get_interactions().direction, "in")

    def test_twice(self):
        """The gateway hands over a mail again, or its notification is sent again."""
        message = self._receive(
            self.client_contact.email_formatted, msg_id="<twice@amber.example.com>"
        )
        lead = self.env["crm.lead"].browse(message.res_id)
        self._receive(
            self.client_contact.email_formatted,
            subject="Drills again",
            msg_id="<twice@amber.example.com>",
        )
        lead._notify_thread(message, skip_existing=True)
        self.assertEqual(len(self._get_interactions(lead)), 1)

    def test_bounce(self):
        sent = self._post()
        self._receive(
            '"MAILER-DAEMON" <mailer-daemon@amber.example.com>',
            to=f"{self.alias_bounce}@{self.alias_domain}",
            extra=f"References: {sent.message_id}",
        )
        self.assertEqual(self._get_interactions().mapped("direction"), ["out"])

    def test_automatic_answers(self):
        sent = self._post()
        for header in (
            "Auto-Submitted: auto-replied",
            "Auto-Submitted: auto-generated; type=vacation",
            "X-Autoreply: yes",
            "Precedence: auto_reply",
        ):
            message = self._receive(
                self.client_contact.email_formatted,
                subject=header,
                to=f"catchall.test@{self.alias_domain}",
                extra=f"References: {sent.message_id}\n{header}",
            )
            self.assertEqual(message.res_id, self.lead.id)
        self.assertEqual(self._get_interactions().mapped("direction"), ["out"])

    def test_written_by_a_person(self):
        message = self._receive(
            self.client_contact.email_formatted,
            extra="Auto-Submitted: no\nPrecedence: list\nX-Auto-Response-Suppress: OOF",
        )
        self.assertTrue(self._get_interactions(self.env["crm.lead"].browse(message.res_id)))

    def test_clock_of_the_sender(self):
        """The date of the header counts, unless it lies ahead."""
        past = fields.Datetime.now().replace(microsecond=0) - timedelta(days=2)
        message = self._receive(
            self.client_contact.email_formatted, date=past.strftime("%a, %d %b %Y %H:%M:%S +0000")
        )
        interaction = self._get_interactions(self.env["crm.lead"].browse(message.res_id))
        self.assertEqual(interaction.date_start, past)
        message = self._receive(
            self.client_contact.email_formatted,
            subject="Tomorrow",
            date=(past + timedelta(days=9)).strftime("%a, %d %b %Y %H:%M:%S +0000"),
        )
        interaction = self._get_interactions(self.env["crm.lead"].browse(message.res_id))
        self.assertLessEqual(interaction.date_start, fields.Datetime.now())

    def test_portal_comment(self):
        """What a client writes in the portal is a message; what the system notes for him is not."""
        self._post(user=self.env.user, document=self.order.sudo(), author_id=self.client_contact.id)
        interaction = self._get_interactions(self.order)
        self.assertEqual(
            (interaction.kind, interaction.direction, interaction.state), ("message", "in", "new")
        )
        self.assertEqual(interaction.user_id, self.user_sales)
        self._post(
            user=self.env.user,
            document=self.order.sudo(),
            author_id=self.client_contact.id,
            subtype_xmlid="mail.mt_note",
        )
        self.assertEqual(len(self._get_interactions(self.order)), 1)

    def test_deal_is_given_to_somebody(self):
        """What waits goes along; what a colleague was given personally stays."""
        lead = self.lead.copy({"user_id": False})
        waiting, personal = (
            self._log(
                document=lead, user=self.user_all, direction="in", state="new", user_id=user.id
            )
            for user in (self.env["res.users"], self.user_manager)
        )
        lead.user_id = self.user_sales
        self.assertEqual(waiting.user_id, self.user_sales)
        lead.user_id = self.user_sales2
        self.assertEqual(waiting.user_id, self.user_sales2)
        self.assertEqual(personal.user_id, self.user_manager)

    def test_clash_with_another_transaction(self):
        """The mail stays; it is recorded when its transaction is over."""

        def clash(self, *args):
            raise ConcurrencyError("somebody was faster")

        record = self.registry["crm.interaction"]._record_contact
        self.patch(self.registry["crm.interaction"], "_record_contact", clash)
        self.env.cr.postcommit.clear()
        with self.assertLogs("odoo.addons.crm_extended.models.crm_interaction_mail", "ERROR"):
            message = self._receive(self.client_contact.email_formatted)
        lead = self.env["crm.lead"].browse(message.res_id)
        self.assertFalse(self._get_interactions(lead))
        self.patch(self.registry["crm.interaction"], "_record_contact", record)
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.cr.postcommit.run()
        self.assertEqual(self._get_interactions(lead).mail_message_id, message)

    def test_failure_does_not_lose_the_mail(self):
        def broken(self, *args):
            self.env.cr.execute("SELECT 1/0")

        self.patch(self.registry["crm.interaction"], "_insert_contact", broken)
        with (
            self.assertLogs("odoo.addons.crm_extended.models.crm_interaction_mail", "ERROR"),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            message = self._receive(self.client_contact.email_formatted)
        self.assertEqual(message.message_type, "email")
        self.assertTrue(self.env["crm.lead"].browse(message.res_id).exists())
        self.assertFalse(self._get_interactions(self.env["crm.lead"].browse(message.res_id)))

    def test_other_company(self):
        """A contact of one company does not take part in another one's conversations."""
        other = self.company_2
        foreign = self.env["res.partner"].create(
            {"name": "Theirs", "email": "theirs@amber.example.com", "company_id": other.id}
        )
        self.lead.message_post(
            body="Hello",
            message_type="email",
            subtype_xmlid="mail.mt_comment",
            author_id=foreign.id,
            email_from=foreign.email_formatted,
        )
        interaction = self._get_interactions()
        self.assertEqual(interaction.company_id, self.company)
        self.assertEqual(interaction.partner_id, self.client_contact)
        self.assertFalse(interaction.participant_ids.partner_id)
        self.assertEqual(interaction.participant_ids.email, "theirs@amber.example.com")
        lead = self.lead.copy({"company_id": other.id, "user_id": False, "partner_id": False})
        lead.message_post(
            body="Hello",
            message_type="email",
            subtype_xmlid="mail.mt_comment",
            author_id=foreign.id,
            email_from=foreign.email_formatted,
        )
        interaction = self._get_interactions(lead)
        self.assertEqual(interaction.company_id, other)
        self.assertEqual(interaction.partner_id, foreign)
        self.assertFalse(interaction.user_id)


@tagged("post_install", "-at_install")
class TestInteractionPortal(InteractionMailCommon, HttpCase):
    """A client writes in the discussion of an order, over real HTTP."""

    def test_comment_by_link(self):
        response = self.url_open(
            f"{self.base_url()}/mail/message/post",
            json={
                "params": {
                    "thread_model": "sale.order",
                    "thread_id": self.order.id,
                    "post_data": {
                        "body": "When will it come?",
                        "message_type": "comment",
                        "subtype_xmlid": "mail.mt_comment",
                    },
                    "token": self.order._portal_ensure_token(),
                    "hash": self.order._sign_token(self.client_contact.id),
                    "pid": self.client_contact.id,
                }
            },
        )
        self.assertNotIn("error", response.json())
        interaction = self._get_interactions(self.order)
        self.assertEqual(
            (interaction.kind, interaction.direction, interaction.state), ("message", "in", "new")
        )
        self.assertEqual(interaction.partner_id, self.client_contact)
        self.assertEqual(interaction.user_id, self.user_sales)
        self.assertIn("When will it come?", interaction.message_body)
