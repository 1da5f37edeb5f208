from email.utils import parseaddr

from odoo.tests import tagged

from .common import PortalCase

REPLY = """From: {sender}
To: {to}
Subject: Re: {subject}
Message-Id: <reply-{number}@example.com>
In-Reply-To: {message_id}
References: {message_id}
Content-Type: text/plain; charset=utf-8

Thank you, but one thing is missing.
"""


@tagged("post_install", "-at_install")
class TestNoticeReplies(PortalCase):
    """Notices come from us, not from a person, and what is answered arrives at the record."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.domain = cls.env["mail.alias.domain"].create(
            {"name": "portal.example.org", "catchall_alias": "answers", "bounce_alias": "bounces"}
        )
        cls.company.write({"alias_domain_id": cls.domain.id, "email": "office@portal.example.org"})
        cls.contact = cls.nina.partner_id
        cls.handler.email = "henry.private@example.com"
        cls.north.user_id = cls.contact.user_id = cls.handler

    def _get_mail(self):
        return self.env["mail.mail"].search(
            [("recipient_ids", "in", self.contact.ids)], order="id desc", limit=1
        )

    def _answer(self, mail, expected="answers@portal.example.org"):
        """The customer answers to where his mail program sends it; the mail arrives."""
        to = parseaddr(mail.reply_to)[1]
        self.assertEqual(to, expected)
        self.env["mail.thread"].message_process(
            "crm.lead",
            REPLY.format(
                sender=self.contact.email_formatted,
                to=to,
                subject=mail.subject,
                message_id=mail.message_id,
                number=mail.id,
            ),
        )

    def assertArrived(self, record, author=None):
        message = record.message_ids.filtered(lambda one: "thing is missing" in (one.body or ""))
        self.assertEqual(len(message), 1)
        self.assertEqual(message.author_id, author or self.contact)
        self.assertFalse(message.is_internal)

    def test_order(self):
        order = self._create_order(self.contact, {self.drill: 1})
        mail = self._get_mail()
        self.assertIn("is confirmed", mail.subject)
        team_alias = order.team_id.alias_email
        self.assertIn(team_alias or "office@portal.example.org", mail.email_from)
        self.assertNotIn("henry.private", mail.email_from + mail.reply_to)
        self._answer(mail)
        self.assertArrived(order)

    def test_claim(self):
        claim = self._create_claim()
        claim._send_acknowledgement()
        mail = self._get_mail()
        self.assertIn("portal.example.org", mail.email_from)
        self._answer(mail, claim.team_id.alias_email or "answers@portal.example.org")
        self.assertArrived(claim)

    def test_appointment(self):
        contact = self.env["crm.interaction"].create(
            {
                "kind": "call",
                "state": "planned",
                "subject": "Prices",
                "user_id": self.handler.id,
                "partner_id": self.contact.id,
                "date_start": "2030-01-07 10:00:00",
            }
        )
        contact.sudo().portal_request_partner_id = self.contact
        contact._portal_notify_appointment("fixed")
        mail = self._get_mail()
        self.assertIn("office@portal.example.org", mail.email_from)
        self._answer(mail)
        self.assertArrived(self.contact)

    def test_change(self):
        change = self.env["crm.portal.change"].with_user(self.nina)._portal_request_change(
            "company", self.north.sudo(), {"city": "Newtown"}, "k"
        )  # fmt: skip
        change.answer = "No papers, no change."
        change.action_reject()
        mail = self._get_mail()
        self.assertIn("No papers", mail.body_html)
        self._answer(mail)
        self.assertArrived(change)
