from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import tagged

from .common_interaction_mail import InteractionMailCommon


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
