from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_interaction import InteractionCommon


@tagged("post_install", "-at_install")
class TestInteractionTakeover(InteractionCommon):
    """Nobody gets to what colleagues have said by making it his own."""

    def _read_body(self, interaction, user):
        self.env.flush_all()
        self.env.invalidate_all()
        return interaction.with_user(user).body

    def test_guest_does_not_become_responsible(self):
        """Everybody may talk to a client; that opens nothing of what others have said to him."""
        secret = self._log(document=self.client_contact, body="<p>Between us</p>")
        own = self._log(user=self.user_sales2, document=self.client_contact)
        self.assertEqual(own.chain_id, secret.chain_id)
        for values in (
            {"user_id": self.user_sales2.id},
            {"company_id": self.env["res.company"].create({"name": "Elsewhere"}).id},
        ):
            with self.assertRaises(AccessError):
                own.chain_id.write(values)
        with self.assertRaises(AccessError):
            self._read_body(secret, self.user_sales2)

    def test_conversation_about_nothing_is_given_by_its_people(self):
        chain = (
            self.env["crm.interaction.chain"].with_user(self.user_sales).create({"name": "Hello"})
        )
        self._log(chain_id=chain.id, res_model=False, res_id=False)
        guest = (
            self.env["crm.interaction"]
            .create({"subject": "Guest", "chain_id": chain.id, "user_id": self.user_sales2.id})
            .with_user(self.user_sales2)
        )
        with self.assertRaises(AccessError):
            guest.chain_id.user_id = self.user_sales2
        chain.user_id = self.user_manager
        self.assertEqual(chain.sudo().user_id, self.user_manager)
        guest.chain_id.with_user(self.user_all).user_id = self.user_sales2
        self.assertEqual(chain.sudo().user_id, self.user_sales2)

    def test_document_is_not_written(self):
        interaction = self._log()
        for values in ({"res_id": False}, {"res_model": "res.partner"}):
            with self.assertRaises(AccessError):
                interaction.write(values)

    def test_hand_over_gives_own_conversations_only(self):
        """The responsible of one conversation says nothing about another one."""
        chain = self.env["crm.interaction.chain"].create(
            {"name": "Foreign", "user_id": self.user_sales.id}
        )
        Interaction = self.env["crm.interaction"]
        secret = Interaction.create(
            {"subject": "Secret", "chain_id": chain.id, "user_id": self.user_sales.id}
        )
        loose = Interaction.create(
            {"subject": "Loose", "chain_id": chain.id, "user_id": False, "state": "planned"}
        ).with_user(self.user_sales2)
        own = loose.env["crm.interaction.chain"].create({"name": "Own"})
        bait = loose.create(
            {
                "subject": "Bait",
                "chain_id": own.id,
                "user_id": self.user_sales.id,
                "state": "planned",
            }
        )
        (bait | loose).action_hand_over(self.user_sales2.id)
        self.assertEqual(loose.user_id, self.user_sales2)
        self.assertEqual(chain.user_id, self.user_sales)
        self.assertFalse(secret.with_user(self.user_sales2).has_access("read"))

    def test_follows_only_what_is_seen(self):
        """Odoo shows the name of whatever a field points to."""
        secret = self._log(subject="Secret")
        own = self._log(user=self.user_sales2, document=self.client_contact)
        with self.assertRaises(AccessError):
            own.parent_id = secret
        with self.assertRaises(AccessError):
            self._log(user=self.user_sales2, document=self.client_contact, parent_id=secret.id)

    def test_participant_stays_with_whom_one_may_change(self):
        secret = self._log()
        own = self._log(
            user=self.user_sales2,
            document=self.client_contact,
            participant_ids=[Command.create({"name": "Somebody"})],
        )
        with self.assertRaises(AccessError):
            own.participant_ids.interaction_id = secret

    def test_message_is_not_opened_by_taking_its_interaction(self):
        """A mail that nobody has in hand is read by those who may read the document."""
        message = self.lead.message_post(body="Our last price", message_type="comment")
        loose = (
            self.env["crm.interaction"]
            ._internal()
            .create(
                {
                    "subject": "Mail",
                    "kind": "email",
                    "direction": "in",
                    "state": "new",
                    "res_model": "crm.lead",
                    "res_id": self.lead.id,
                    "mail_message_id": message.id,
                    "user_id": False,
                }
            )
        )
        Interaction = self.env["crm.interaction"].with_user(self.user_sales2)
        seen = Interaction.browse(loose.id)
        self.assertTrue(seen.has_access("write"))
        self.assertFalse(seen.message_body)
        own = self._log(user=self.user_sales2, document=self.client_contact)
        for values in ({"user_id": self.user_sales2.id}, {"chain_id": own.chain_id.id}):
            with self.assertRaises(AccessError):
                seen.write(values)
        responsible = seen.with_user(self.user_sales)
        responsible.user_id = self.user_sales2
        self.env.invalidate_all()
        self.assertIn("Our last price", seen.message_body)

    def test_activity_gives_nothing_away(self):
        """Activities of a client are taken by anybody, notes of colleagues are not."""
        planned = self._log(
            document=self.client_contact,
            kind="meeting",
            body="<p>Between us</p>",
            state="planned",
            date_start="2030-01-01 10:00:00",
        )
        activity = planned.activity_id.with_user(self.user_sales2)
        activity.user_id = self.user_sales2
        self.assertEqual(planned.sudo().user_id, self.user_sales)
        partners = self.user_sales2.partner_id | self.client_contact
        event = (
            self.env["calendar.event"]
            .with_user(self.user_sales2)
            .create(
                {
                    "name": "Ours",
                    "start": "2030-01-01 10:00:00",
                    "stop": "2030-01-01 11:00:00",
                    "partner_ids": [Command.set(partners.ids)],
                    "activity_ids": [Command.link(activity.id)],
                }
            )
        )
        self.assertNotEqual(event.interaction_id, planned)
        self.assertFalse(planned.sudo().calendar_event_id)
        with self.assertRaises(AccessError):
            self._read_body(planned, self.user_sales2)

    def test_activity_done_by_another(self):
        planned = self._log(
            document=self.client_contact,
            body="<p>Between us</p>",
            state="planned",
            date_start="2030-01-01 10:00:00",
        )
        planned.activity_id.with_user(self.user_sales2).action_feedback("Called instead")
        planned_sudo = planned.sudo()
        self.assertEqual(planned_sudo.state, "done")
        self.assertEqual(planned_sudo.result_note, "Called instead")
        self.assertEqual(planned_sudo.user_id, self.user_sales)
        with self.assertRaises(AccessError):
            self._read_body(planned, self.user_sales2)
