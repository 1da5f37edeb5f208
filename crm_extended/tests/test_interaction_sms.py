from datetime import timedelta

from odoo import fields
from odoo.addons.sms.tests.common import SMSCase
from odoo.tests import tagged

from .common_interaction_mail import InteractionMailCommon


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
