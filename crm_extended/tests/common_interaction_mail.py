from odoo.addons.mail.tests.common import MailCommon

from .common_interaction import InteractionCommon

MAIL = """Return-Path: {return_path}
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
