import random
import string
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_interaction_mail import InteractionMailCommon

REPORT = """Return-Path: {return_path}
To: {to}
From: {email_from}
Subject: {subject}
Date: {date}
Message-ID: {msg_id}
{extra}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain; charset=utf-8

Your mail was not delivered, or it was: this is a report.

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; amber.example.com

Final-Recipient: rfc822; anna@amber.example.com
Action: failed

--cut--
"""


@tagged("post_install", "-at_install")
class TestInteractionHostileMail(InteractionMailCommon):
    """Mails by which somebody, or some machine, means no good."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second_lead = cls.env["crm.lead"].create(
            {
                "name": "Boats",
                "type": "opportunity",
                "partner_id": cls.client_company.id,
                "user_id": cls.user_sales2.id,
                "company_id": cls.company.id,
            }
        )
        cls.stranger = cls.env["res.partner"].create(
            {"name": "Mallory", "email": "mallory@stranger.example.com"}
        )

    def _receive_deal(self, *args, **kwargs):
        """The interactions of the deal that a mail makes."""
        message = self._receive(*args, **kwargs)
        return self._get_interactions(self.env["crm.lead"].browse(message.res_id))

    def _make_word(self, size):
        # what repeats itself is compressed, and would fit into an index
        return "".join(random.Random(size).choices(string.ascii_lowercase, k=size))

    # ------------------------------------------------------------
    # HEADERS
    # ------------------------------------------------------------

    def test_crowd(self):
        """A header with thousands of addresses costs no thousands of participants."""
        crowd = ",\n ".join(f"guest{number}@crowd.example.com" for number in range(3000))
        interaction = self._receive_deal(self.client_contact.email_formatted, cc=crowd)
        self.assertEqual(interaction.partner_id, self.client_contact)
        people = interaction.participant_ids
        self.assertEqual(len(people), 101)
        self.assertEqual(people[0].partner_id, self.client_contact)
        self.assertEqual(people[-1].email, "guest99@crowd.example.com")

    def test_endless_words(self):
        """Subject, name and address are longer than an index can hold."""
        address = f"{self._make_word(5000)}@stranger.example.com"
        copy = f"{self._make_word(4000)}@stranger.example.com"
        interaction = self._receive_deal(
            f'"{self._make_word(6000)}" <{address}>',
            subject=self._make_word(7000),
            cc=copy,
        )
        self.assertEqual(interaction.state, "new")
        self.assertEqual(len(interaction.subject), 1000)
        self.assertEqual(interaction.participant_ids.mapped("email"), [address, copy])
        self.assertEqual(interaction.participant_ids.mapped("email_normalized"), [False, False])
        # the same as when somebody enters it
        self.env["crm.interaction.participant"].create(
            {"interaction_id": interaction.id, "email": address}
        )

    def test_clock_of_another_time(self):
        """A clock that stands still makes nobody wait for half a century."""
        for number, date in enumerate(
            ("Thu, 01 Jan 1970 00:00:00 +0000", "Mon, 01 Jan 0001 00:00:00 +0000", "soon")
        ):
            with self.subTest(date=date):
                before = fields.Datetime.now() - timedelta(seconds=1)
                interaction = self._receive_deal(
                    self.client_contact.email_formatted, subject=f"Clock {number}", date=date
                )
                self.assertTrue(before <= interaction.date_start <= fields.Datetime.now())
                answer = self._post(
                    document=self.env["crm.lead"].browse(interaction.res_id),
                    partner_ids=self.client_contact.ids,
                )
                self.assertEqual(interaction.answer_id.mail_message_id, answer)
                self.assertLess(interaction.answer_hours, 0.1)

    # ------------------------------------------------------------
    # MACHINES
    # ------------------------------------------------------------

    def test_reports(self):
        """A report on a delivery is no contact, wherever it is sent."""
        sent = self._post()
        for to in (f"deals@{self.alias_domain}", f"catchall.test@{self.alias_domain}"):
            leads = self.env["crm.lead"].search_count([])
            self.format_and_process(
                REPORT,
                "postmaster@amber.example.com",
                to,
                subject=f"Report to {to}",
                target_model="crm.lead",
                extra=f"References: {sent.message_id}",
                date="Thu, 01 Oct 2026 00:00:00 +0000",
            )
            self.assertEqual(self.env["crm.lead"].search_count([]), leads)
        self.assertEqual(self._get_interactions().mapped("direction"), ["out"])

    def test_empty_reverse_path(self):
        """Who must not be answered has not written himself."""
        sent = self._post()
        self._receive_reply(sent, self.client_contact.email_formatted, return_path="<>")
        self.assertEqual(self._get_interactions().mapped("direction"), ["out"])

    @mute_logger("odoo.addons.mail.models.mail_thread")
    def test_loop(self):
        """Two machines that answer each other are stopped, and so is what is recorded."""
        self.env["ir.config_parameter"].set_param("mail.gateway.loop.threshold", 3)
        sent = self._post()
        for _time in range(6):
            self._receive_reply(sent, self.client_contact.email_formatted)
        arrived = self._get_interactions().filtered(lambda contact: contact.direction == "in")
        self.assertEqual(len(arrived), 3)
        self.assertEqual(self.lead.interaction_chain_id.unhandled_count, 3)

    # ------------------------------------------------------------
    # FORGERIES
    # ------------------------------------------------------------

    def test_references_to_another_clients_deal(self):
        """Who has got hold of a message number gets into that deal, as himself, and no further."""
        asked = self._receive_reply(self._post(), self.client_contact.email_formatted)
        arrived = self._get_interactions().filtered(lambda contact: contact.direction == "in")
        self.assertEqual(arrived.mail_message_id, asked)
        message = self._receive_reply(asked, self.stranger.email_formatted)
        forged = self._get_interactions().filtered(lambda c: c.mail_message_id == message)
        self.assertEqual((forged.direction, forged.state), ("in", "new"))
        self.assertEqual(forged.partner_id, self.stranger)
        self.assertEqual(self._get_people(forged), {("from", self.stranger.email, self.stranger)})
        # nothing of the client is answered by it, and his contact stays the client's
        self.assertEqual(arrived.state, "new")
        self.assertFalse(arrived.answer_id)
        self.assertEqual(self.lead.interaction_chain_id.partner_id, self.client_contact)
        self.assertNotIn(self.stranger, self.lead.message_partner_ids)

    def test_references_to_two_deals(self):
        """A mail that claims to answer two deals is in one, and hangs on nothing of the other."""
        first = self._post()
        second = self._post(user=self.user_sales2, document=self.second_lead)
        message = self._receive(
            self.client_contact.email_formatted,
            subject="Re: both",
            to=f"catchall.test@{self.alias_domain}",
            extra=f"References: {second.message_id} {first.message_id}\n"
            f"In-Reply-To: {first.message_id}",
        )
        interaction = self.env["crm.interaction"].search([("mail_message_id", "=", message.id)])
        self.assertEqual(len(interaction), 1)
        self.assertEqual((interaction.res_model, interaction.res_id), ("crm.lead", message.res_id))
        self.assertEqual(
            interaction.parent_id.chain_id | interaction.chain_id, interaction.chain_id
        )

    def test_references_to_another_company(self):
        """The mail of our client lands there; neither company sees the other's people by it."""
        other = self.company_2
        boss = self.env["res.partner"].create(
            {"name": "Their client", "email": "boss@else.example.com", "company_id": other.id}
        )
        own = self.env["res.partner"].create(
            {
                "name": "Our client",
                "email": "own@amber.example.com",
                "company_id": self.company.id,
            }
        )
        lead = self.lead.create(
            {
                "name": "Their deal",
                "type": "opportunity",
                "company_id": other.id,
                "partner_id": boss.id,
                "user_id": False,
            }
        )
        sent = lead.message_post(
            body="Hello", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        message = self._receive_reply(sent, own.email_formatted)
        self.assertEqual((message.model, message.res_id), ("crm.lead", lead.id))
        interaction = self.env["crm.interaction"].search([("mail_message_id", "=", message.id)])
        self.assertEqual(interaction.company_id, other)
        self.assertEqual(interaction.chain_id, lead.interaction_chain_id)
        self.assertNotIn(own, interaction.partner_id | interaction.participant_ids.partner_id)
        self.assertEqual(interaction.participant_ids.mapped("email"), ["own@amber.example.com"])
        visible = self.env["crm.interaction"].with_user(self.user_manager)
        self.assertFalse(visible.search([("id", "=", interaction.id)]))
        self.assertFalse(self._get_interactions())

    def test_number_of_another_message(self):
        """A mail under the number of a message that is there already is nobody's."""
        sent = self._post()
        before = self._get_interactions()
        self.assertFalse(
            self._receive(
                self.stranger.email_formatted,
                msg_id=sent.message_id,
                to=f"catchall.test@{self.alias_domain}",
            )
        )
        self.assertEqual(self._get_interactions(), before)
        self.assertEqual(before.state, "done")
