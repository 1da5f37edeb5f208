from odoo.addons.sms.tests.common import SMSCase
from odoo.tests import tagged

from .common_interaction_mail import InteractionMailCommon


@tagged("post_install", "-at_install")
class TestInteractionChannel(InteractionMailCommon, SMSCase):
    """Through which channel contacts came, as the report on unhandled ones shows it."""

    def test_channels(self):
        """What is shown, what is found and what is counted agree, channel by channel."""
        message = self._receive(self.client_contact.email_formatted)
        lead = self.env["crm.lead"].browse(message.res_id)
        self._post(
            user=self.env.user,
            document=lead,
            author_id=self.client_contact.id,
            body="Written in the portal",
        )
        with self.mockSMSGateway():
            lead.with_user(self.user_sales)._message_sms("Sent", sms_numbers=["+37167000399"])
        for kind in ("call", "meeting", "message", "other"):
            self._log(document=lead, kind=kind, direction="in", state="new")
        interactions = self._get_interactions(lead)
        expected = ["email", "portal", "sms", "call", "meeting", "message", "other"]
        self.assertEqual(interactions.mapped("channel"), expected)
        self.assertEqual(
            interactions.mapped("kind"),
            ["email", "message", "message", "call", "meeting", "message", "other"],
        )
        Interaction = self.env["crm.interaction"].with_user(self.user_accountant)
        domain = [("res_model", "=", "crm.lead"), ("res_id", "=", lead.id)]
        counts = dict(Interaction._read_group(domain, ["channel"], ["__count"]))
        self.assertEqual(counts, dict.fromkeys(expected, 1))
        for channel, interaction in zip(expected, interactions, strict=True):
            found = Interaction.search([*domain, ("channel", "=", channel)])
            self.assertEqual(found.ids, interaction.ids, channel)
            others = Interaction.search([*domain, ("channel", "!=", channel)])
            self.assertEqual(set(others.ids), set((interactions - interaction).ids), channel)
        self.assertTrue(Interaction.fields_get(["channel"])["channel"]["groupable"])
        groups = self.env["crm.interaction"].formatted_read_group(
            [*domain, ("state", "=", "new")], ["user_id", "kind", "channel"], ["__count"]
        )
        self.assertEqual(
            {group["channel"]: (group["kind"], group["__count"]) for group in groups},
            {
                interaction.channel: (interaction.kind, 1)
                for interaction in interactions
                if interaction.state == "new"
            },
        )
