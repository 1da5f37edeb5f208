from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.addons.mail.tests.common import MailCommon
from odoo.addons.sms.tests.common import SMSCase
from odoo.exceptions import AccessError, ConcurrencyError
from odoo.tests import tagged

from .common_interaction import InteractionCommon

MAIL = """Return-Path: <{return_path}>
To: {to}
Cc: {cc}
From: {email_from}
Subject: {subject}
Date: {date}
Message-ID: {msg_id}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
{extra}

We need twenty drills by Friday.
"""


class InteractionMailCommon(InteractionCommon, MailCommon):
    """The deal has an alias of its own, and a salesperson who is told of everything."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in cls.user_sales + cls.user_sales2:
            user.write({"email": f"{user.login}@ours.example.com", "notification_type": "inbox"})
        cls.lead.message_subscribe((cls.user_sales.partner_id + cls.client_contact).ids)
        cls.alias = cls.env["mail.alias"].create(
            {
                "alias_name": "deals",
                "alias_domain_id": cls.mail_alias_domain.id,
                "alias_model_id": cls.env["ir.model"]._get_id("crm.lead"),
                "alias_contact": "everyone",
                "alias_defaults": {"type": "opportunity", "user_id": cls.user_sales.id},
            }
        )
        cls.order = cls.env["sale.order"].create(
            {
                "partner_id": cls.client_contact.id,
                "user_id": cls.user_sales.id,
                "company_id": cls.company.id,
            }
        )

    def _get_interactions(self, document=None):
        document = self.lead if document is None else document
        return (
            self.env["crm.interaction"]
            .search([("res_model", "=", document._name), ("res_id", "=", document.id)])
            .sorted("id")
        )

    def _get_people(self, interaction):
        """Set of (role, e-mail, contact) of an interaction."""
        return {
            (person.role, person.email_normalized, person.partner_id)
            for person in interaction.participant_ids
        }

    def _receive(self, email_from, subject="Drills", to=None, **kwargs):
        """A mail that comes through the gateway.

        :return: its message, empty if it was stopped
        """
        to = to or f"deals@{self.alias_domain}"
        incoming = [("message_type", "=", "email")]
        known = self.env["mail.message"].search(incoming)
        self.format_and_process(
            MAIL,
            email_from,
            to,
            subject=subject,
            target_model="crm.lead",
            **kwargs,
        )
        return self.env["mail.message"].search(incoming) - known

    def _receive_reply(self, message, email_from, **kwargs):
        return self._receive(
            email_from,
            subject="Re: that",
            to=f"catchall.test@{self.alias_domain}",
            extra=f"References: {message.message_id}",
            **kwargs,
        )

    def _post(self, user=None, document=None, **values):
        document = self.lead if document is None else document
        return document.with_user(user or self.user_sales).message_post(
            **{
                "body": "Good morning",
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
                **values,
            }
        )


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
        if not person.partner_id:
            person.partner_id = partner
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
class TestInteractionOutgoing(InteractionMailCommon):
    """What our people write."""

    def test_comment_to_a_follower(self):
        message = self._post(subject="Your drills")
        interaction = self._get_interactions()
        self.assertEqual(interaction.mail_message_id, message)
        self.assertEqual(
            (interaction.kind, interaction.direction, interaction.state), ("email", "out", "done")
        )
        self.assertEqual(interaction.subject, "Your drills")
        self.assertEqual(interaction.user_id, self.user_sales)
        self.assertEqual(interaction.partner_id, self.client_contact)
        self.assertEqual(
            self._get_people(interaction),
            {
                ("from", self.user_sales.email, self.user_sales.partner_id),
                ("to", "anna@amber.example.com", self.client_contact),
            },
        )

    def test_addressed_and_copies(self):
        """Who is addressed is To, who only follows the deal is Cc; the subject is that of the
        mail that goes out."""
        other = self.env["res.partner"].create({"name": "Zoe", "email": "zoe@else.example.com"})
        self._post(partner_ids=other.ids, outgoing_email_to="new@amber.example.com")
        interaction = self._get_interactions()
        self.assertEqual(interaction.subject, self.lead.display_name)
        self.assertEqual(
            self._get_people(interaction),
            {
                ("from", self.user_sales.email, self.user_sales.partner_id),
                ("to", "zoe@else.example.com", other),
                ("to", "new@amber.example.com", self.env["res.partner"]),
                ("cc", "anna@amber.example.com", self.client_contact),
            },
        )
        self.assertEqual(interaction.partner_id, self.client_contact)

    def test_not_to_the_client_of_the_deal(self):
        self.lead.message_unsubscribe(self.client_contact.ids)
        self.client_company.email = "office@amber.example.com"
        stranger = self.env["res.partner"].create({"name": "Zoe", "email": "zoe@else.example.com"})
        self._post(partner_ids=(stranger + self.client_company).ids)
        self.assertEqual(self._get_interactions().partner_id, self.client_company)
        self._post(partner_ids=stranger.ids)
        self.assertEqual(self._get_interactions()[1].partner_id, stranger)

    def test_among_ourselves(self):
        self.lead.message_unsubscribe(self.client_contact.ids)
        self._post(partner_ids=self.user_sales2.partner_id.ids)
        self.assertFalse(self._get_interactions())

    def test_internal_and_automatic(self):
        """Notes, notifications, tracking, the robot's words, messages of actions."""
        lead = self.lead.with_user(self.user_sales)
        self._post(subtype_xmlid="mail.mt_note")
        self._post(is_internal=True)
        for message_type in ("notification", "auto_comment", "out_of_office"):
            self._post(message_type=message_type)
        self._post(user=self.user_root)
        lead.message_notify(body="x", partner_ids=self.client_contact.ids)
        lead._message_log(body="x")
        self.lead.message_subscribe(self.client_contact.ids, self.env.ref("crm.mt_lead_stage").ids)
        lead.stage_id = self.env["crm.stage"].search([("id", "!=", lead.stage_id.id)], limit=1)
        self.flush_tracking()
        self.assertFalse(self._get_interactions())

    def test_other_documents(self):
        partner_before = self.env["crm.interaction"].search([])
        channel = self.env["discuss.channel"].create({"name": "Talk"})
        self._post(document=channel.sudo(), user=self.env.user, author_id=self.client_contact.id)
        self.assertEqual(self.env["crm.interaction"].search([]), partner_before)

    def test_composer(self):
        composer = (
            self.env["mail.compose.message"]
            .with_user(self.user_sales)
            .with_context(
                default_model="crm.lead",
                default_res_ids=self.lead.ids,
                # of another form: nothing of it may reach the interaction
                default_state="cancelled",
                default_kind="call",
                default_user_id=self.user_sales2.id,
            )
            .create(
                {
                    "subject": "Offer",
                    "body": "<p>Here it is</p>",
                    "partner_ids": [Command.link(self.client_contact.id)],
                    "subtype_id": self.env.ref("mail.mt_comment").id,
                }
            )
        )
        with self.mock_mail_gateway():
            composer._action_send_mail()
        interaction = self._get_interactions()
        self.assertEqual(interaction.subject, "Offer")
        self.assertEqual((interaction.kind, interaction.state), ("email", "done"))
        self.assertEqual(interaction.user_id, self.user_sales)

    def test_mass_mailing(self):
        other = self.lead.copy({"name": "Second deal"})
        composer = (
            self.env["mail.compose.message"]
            .with_user(self.user_sales)
            .with_context(
                default_composition_mode="mass_mail",
                default_model="crm.lead",
                default_res_ids=(self.lead + other).ids,
            )
            .create({"subject": "Sale!", "body": "<p>Everything</p>", "auto_delete": False})
        )
        with self.mock_mail_gateway():
            composer._action_send_mail()
        self.assertTrue(self.lead.message_ids.filtered(lambda m: m.subject == "Sale!"))
        self.assertFalse(self._get_interactions())
        if "mailing.mailing" in self.env:
            mailing = self.env["mailing.mailing"].create(
                {
                    "subject": "Autumn",
                    "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                    "mailing_domain": [("id", "=", self.lead.id)],
                    "body_html": "<p>Buy</p>",
                }
            )
            with self.mock_mail_gateway():
                mailing.action_send_mail()
            self.assertEqual(mailing.sent + mailing.canceled + mailing.failed, 1)
            self.assertFalse(self._get_interactions())

    def test_action_sends(self):
        """An automation rule speaks for nobody."""
        template = self.env["mail.template"].create(
            {
                "name": "Robot",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "subject": "Dear client",
                "body_html": "<p>x</p>",
                "partner_to": "{{ object.partner_id.id }}",
            }
        )
        action = self.env["ir.actions.server"].create(
            {
                "name": "Write",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "mail_post",
                "template_id": template.id,
                "mail_post_method": "comment",
            }
        )
        with self.mock_mail_gateway():
            action.with_context(active_model="crm.lead", active_ids=self.lead.ids).with_user(
                self.user_manager
            ).sudo().run()
        self.assertIn("Dear client", self.lead.message_ids.mapped("subject"))
        self.assertFalse(self._get_interactions())

    def test_waits_for_its_hour(self):
        """A message that is sent later is a contact when it is sent."""
        message = self._post(scheduled_date=fields.Datetime.now() + timedelta(days=1))
        self.assertFalse(self._get_interactions())
        schedule = self.env["mail.message.schedule"].search([("mail_message_id", "=", message.id)])
        with self.mock_mail_gateway():
            schedule._send_notifications()
        self.assertEqual(self._get_interactions().mail_message_id, message)

    def test_queries(self):
        """Recording a message costs few queries beside those of the message."""

        def count(user, **values):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._post(user=user, **values)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        incoming = {
            "message_type": "email",
            "author_id": self.client_contact.id,
            "email_from": self.client_contact.email_formatted,
        }
        Interaction = self.registry["crm.interaction"]
        for user, values in ((self.user_sales, {}), (self.user_root, incoming)):
            for _number in range(2):  # the caches are warm, nothing waits for an answer
                self._post(user=user, **values)
                self._get_interactions().filtered(lambda i: i.state == "new").action_done()
            with patch.object(Interaction, "_record_message", lambda self, *args: self.browse()):
                bare = count(user, **values)
            self.assertLessEqual(count(user, **values) - bare, 6)
            self._get_interactions().filtered(lambda i: i.state == "new").action_done()

    def test_same_as_created(self):
        """What is written in one statement equals what `create` would have written."""
        self._post(outgoing_email_to="new@amber.example.com")
        written = self._get_interactions()
        names = [
            name
            for name, field in written._fields.items()
            if field.store and field.column_type and name not in ("id", "mail_message_id")
        ]
        values = written.copy_data()[0] | {
            name: written[name].id if written._fields[name].type == "many2one" else written[name]
            for name in ("chain_id", "date_start", "state", "user_id", "partner_id")
        }
        people = [
            person.copy_data()[0] | {"interaction_id": False} for person in written.participant_ids
        ]
        values["participant_ids"] = [Command.create(person) for person in people]
        created = self.env["crm.interaction"].sudo()._internal().create(values)
        self.env.flush_all()
        self.env.invalidate_all()
        for name in names:
            if name not in ("create_date", "write_date", "create_uid", "write_uid"):
                self.assertEqual(written[name], created[name], name)
        for name in ("email_normalized", "phone_sanitized", "phone_digits", "company_id", "role"):
            self.assertEqual(
                written.participant_ids.mapped(name), created.participant_ids.mapped(name), name
            )

    def test_user_without_interactions(self):
        """Whoever writes to a client leaves a trace, also without rights on interactions."""
        self.order.message_subscribe(self.client_contact.ids)
        self._post(user=self.user_accountant, document=self.order)
        interaction = self._get_interactions(self.order)
        self.assertEqual(interaction.user_id, self.user_accountant)
        self.assertEqual(interaction.direction, "out")

    def test_answers_what_came_in(self):
        message = self._receive(self.client_contact.email_formatted)
        lead = self.env["crm.lead"].browse(message.res_id)
        incoming = self._get_interactions(lead)
        note = self._post(document=lead, subtype_xmlid="mail.mt_note")
        self.assertTrue(note)
        self.assertEqual(incoming.state, "new")
        lead.message_subscribe(self.client_contact.ids)
        self._post(document=lead, parent_id=message.id)
        outgoing = self._get_interactions(lead) - incoming
        self.assertEqual(outgoing.parent_id, incoming)
        self.assertEqual(incoming.state, "done")
        self.assertEqual(incoming.answer_id, outgoing)


@tagged("post_install", "-at_install")
class TestInteractionSms(InteractionMailCommon, SMSCase):
    """SMS from a document."""

    def _send(self, sim_error=None, **values):
        with self.mockSMSGateway(sim_error=sim_error):
            composer = (
                self.env["sms.composer"]
                .with_user(self.user_sales)
                .with_context(
                    default_composition_mode="comment",
                    default_res_model="crm.lead",
                    default_res_id=self.lead.id,
                )
                .create({"body": "Your drills are here", **values})
            )
            composer.action_send_sms()
        return self._get_interactions()

    def test_sent(self):
        self.client_contact.phone = "+371 67 000 302"
        interaction = self._send()
        self.assertEqual(
            (interaction.kind, interaction.direction, interaction.state),
            ("message", "out", "done"),
        )
        self.assertEqual(interaction.user_id, self.user_sales)
        person = interaction.participant_ids.filtered(lambda person: person.role == "to")
        self.assertEqual(person.partner_id, self.client_contact)
        self.assertEqual(person.phone_sanitized, "+37167000302")
        self.assertNotIn("here", interaction.subject)
        self.assertIn("here", interaction.message_body)

    def test_number_only(self):
        with self.mockSMSGateway():
            self.lead.with_user(self.user_sales)._message_sms("Hello", sms_numbers=["+37167000399"])
        interaction = self._get_interactions()
        person = interaction.participant_ids.filtered(lambda person: person.role == "to")
        self.assertEqual(person.phone_sanitized, "+37167000399")
        self.assertEqual(interaction.state, "done")

    def test_not_sent(self):
        """No contact: cancelled, the reason is shown, and nothing is answered by it."""
        self.client_contact.phone = "+371 67 000 302"
        incoming = self._log(kind="email", direction="in", state="new")
        interaction = self._send(sim_error="credit") - incoming
        self.assertEqual(interaction.state, "cancelled")
        self.assertIn("Insufficient Credit", interaction.message_failure)
        self.assertEqual(incoming.state, "new")

    def test_fails_later(self):
        self.client_contact.phone = "+371 67 000 302"
        incoming = self._log(
            kind="email",
            direction="in",
            state="new",
            date_start=fields.Datetime.now() - timedelta(hours=1),
        )
        interaction = self._send() - incoming
        self.assertEqual((interaction.state, incoming.state), ("done", "done"))
        notification = interaction.mail_message_id.notification_ids
        notification.write(
            {"notification_status": "bounce", "failure_type": "sms_invalid_destination"}
        )
        self.assertEqual((interaction.state, incoming.state), ("cancelled", "new"))
        self.assertFalse(incoming.answer_id)
        notification.write({"notification_status": "sent", "failure_type": False})
        self.assertEqual((interaction.state, incoming.state), ("done", "done"))
        self.assertFalse(interaction.message_failure)

    def test_mass_and_automatic(self):
        self.client_contact.phone = "+371 67 000 302"
        template = self.env["sms.template"].create(
            {
                "name": "Robot",
                "body": "Dear client",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
            }
        )
        action = self.env["ir.actions.server"].create(
            {
                "name": "Write",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "sms",
                "sms_template_id": template.id,
                "sms_method": "comment",
            }
        )
        with self.mockSMSGateway():
            self.lead._message_sms_schedule_mass(body="Sale!")
            action.with_context(active_model="crm.lead", active_ids=self.lead.ids).run()
        self.assertEqual(len(self.lead.message_ids.filtered(lambda m: m.message_type == "sms")), 2)
        self.assertFalse(self._get_interactions())


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
