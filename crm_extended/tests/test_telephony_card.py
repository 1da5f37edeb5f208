from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common_telephony import TelephonyCase


@tagged("post_install", "-at_install")
class TestTelephonyCard(TelephonyCase):
    """Whose screen shows what."""

    def _get_card(self, user=None, call_id="call-1"):
        return self._get_call(call_id).with_user(user or self.user_sales).get_card()

    def test_only_the_addressed_operator(self):
        self._send(self._ringing())
        [message] = self._get_messages(self.user_sales)
        self.assertEqual(
            message, {"call_id": self._get_call().id, "state": "ringing", "user_id": False}
        )
        self.assertFalse(self._get_messages(self.user_sales2))
        self._send(
            self._event("answered", 5, extension="101"),
            self._event("ended", 30, duration=25),
            self._event("recording", 40, recording_url="https://pbx.example.com/1"),
        )
        self.assertEqual(
            [message["state"] for message in self._get_messages(self.user_sales)],
            ["ringing", "answered", "ended"],
        )
        for user in (self.user_sales2, self.user_manager, self.user_plain, self.user_accountant):
            with self.assertRaises(AccessError):
                self._get_card(user)

    def test_group_rings(self):
        """All who ring get the card; those who did not answer are told who did."""
        self._send(self._ringing(extension=["101", "102"]))
        self._send(self._event("answered", 5, extension="102"))
        self.assertEqual(len(self._get_messages(self.user_sales)), 2)
        self.assertEqual(self._get_card()["answered_by"], self.user_sales2.name)
        self.assertTrue(self._get_card(self.user_sales2)["is_mine"])

    def test_old_news_opens_nothing(self):
        self.start -= timedelta(minutes=30)
        self._send(self._ringing())
        self.assertFalse(self._get_messages(self.user_sales))
        self.assertTrue(self._get_interaction())

    def test_users_without_interactions_get_no_card(self):
        self.provider.line_ids = [Command.create({"number": "105", "user_id": self.user_plain.id})]
        self._send(self._ringing(extension="105"))
        self.assertFalse(self._get_messages(self.user_plain))
        with self.assertRaises(AccessError):
            self._get_card(self.user_plain)

    def test_known_client(self):
        self._log(subject="Showed the drill")
        self._log(user=self.user_sales2, document=self.client_company, subject="Of a colleague")
        foreign_deal = self.lead.copy({"name": "Of a colleague", "user_id": self.user_sales2.id})
        self._send(self._ringing())
        card = self._get_card()
        client = card["client"]
        self.assertEqual((client["name"], card["number"]), ("Amber Yard", "+371 67 000 301"))
        self.assertEqual(client["clock"]["tz"], "Europe/Riga")
        sections = {section["name"]: section for section in client["sections"]}
        self.assertEqual([row["id"] for row in sections["deals"]["rows"]], [self.lead.id])
        self.assertEqual(sections["deals"]["count"], 1)
        self.assertEqual(
            [row["title"] for row in sections["contacts"]["rows"]], ["Showed the drill"]
        )
        self.provider.line_ids[0].user_id = self.user_all
        self._send(self._ringing(call_id="call-2"))
        sections = self._get_card(self.user_all, "call-2")["client"]["sections"]
        self.assertEqual(
            {row["id"] for row in sections[0]["rows"]}, {self.lead.id, foreign_deal.id}
        )

    def test_debt(self):
        """Debt is what the operator's own rights show: nothing for other people's invoices."""
        if not self.company.chart_template:
            self.env["account.chart.template"].try_loading("generic_coa", self.company)
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.client_company.id,
                "invoice_user_id": self.user_sales.id,
                "invoice_date": "2026-01-01",
                "invoice_date_due": "2026-01-15",
                "invoice_line_ids": [
                    Command.create({"name": "Drill", "price_unit": 100.0, "tax_ids": False})
                ],
            }
        )
        invoice.action_post()
        self._send(self._ringing(extension=["101", "102"]))

        def debt(user):
            badges = self._get_card(user)["client"]["badges"]
            return [badge["name"] for badge in badges if badge["name"] in ("debt", "overdue")]

        self.assertEqual(debt(self.user_sales), ["debt", "overdue"])
        self.assertEqual(debt(self.user_sales2), [])

    def test_client_out_of_reach(self):
        self._send(self._ringing())
        ResPartner = type(self.env["res.partner"])
        with patch.object(
            ResPartner,
            "_check_access",
            lambda records, operation: (records, lambda: AccessError("x")),
        ):
            card = self._get_card()
        self.assertTrue(card["is_hidden"])
        self.assertFalse(card["client"])
        self.assertNotIn("Amber", str(card))

    def test_note(self):
        """The operator writes the note, even where a colleague is responsible."""
        self._send(self._ringing(extension="102"))
        call = self._get_call()
        self.assertFalse(
            call.interaction_id.with_user(self.user_sales2).has_access("write"),
            "the deal is a colleague's",
        )
        call.with_user(self.user_sales2).set_note("  Wants a call after lunch ")
        self.assertEqual(call.interaction_id.result_note, "Wants a call after lunch")
        self.assertEqual(self._get_card(self.user_sales2)["note"], "Wants a call after lunch")
        with self.assertRaises(AccessError):
            call.with_user(self.user_sales).set_note("x")

    def test_call_in_other_hands(self):
        """Who only heard the telephone ring neither reads nor changes what a colleague wrote."""
        self._send(self._ringing(number="+37126000777", extension=["101", "102"]))
        self._send(self._event("answered", 5, extension="102"))
        call = self._get_call()
        call.interaction_id.chain_id.user_id = self.user_sales2
        call.with_user(self.user_sales2).set_note("He is moving to another supplier")
        self.assertFalse(call.interaction_id.with_user(self.user_sales).has_access("read"))
        self.assertEqual(self._get_card(self.user_sales)["note"], "")
        for act in (
            lambda call: call.set_note("x"),
            lambda call: call.set_partner(self.client_contact.id),
            lambda call: call.set_deal(self.lead.id),
        ):
            with self.assertRaises(AccessError):
                act(call.with_user(self.user_sales))
        self.assertEqual(call.interaction_id.result_note, "He is moving to another supplier")

    def test_accountant_at_a_telephone(self):
        """Headers of interactions are one thing, calls and their notes another."""
        self.provider.line_ids[0].user_id = self.user_accountant
        self._send(self._ringing(extension="101"))
        call = self._get_call().with_user(self.user_accountant)
        with self.assertRaises(AccessError):
            call.get_card()
        with self.assertRaises(AccessError):
            call.set_note("x")

    def test_unknown_becomes_known(self):
        self._send(self._ringing(number="+37129000111"))
        card = self._get_card()
        self.assertFalse(card["client"] or card["deals"])
        contact = (
            self.env["res.partner"]
            .with_user(self.user_sales)
            .create({"name": "New Client", "phone": card["number"]})
        )
        card = self._get_call().with_user(self.user_sales).set_partner(contact.id)
        self.assertEqual(card["client"]["id"], contact.id)
        interaction = self._get_interaction()
        self.assertEqual(interaction.partner_id, contact)
        self.assertEqual(interaction.participant_ids.partner_id, contact)
        self.assertEqual(interaction.chain_id.partner_id, contact)

    def test_it_is_another_one(self):
        self._send(self._ringing())
        call = self._get_call().with_user(self.user_sales)
        call.set_partner(self.client_contact.id)
        self.assertEqual(self._get_interaction().partner_id, self.client_contact)
        foreign = self.env["res.partner"].create(
            {"name": "x", "company_id": self.env["res.company"].create({"name": "y"}).id}
        )
        with self.assertRaises(UserError):
            call.set_partner(foreign.id)
        with self.assertRaises(UserError):
            call.set_partner(0)

    def test_new_deal(self):
        self._send(self._ringing(number="+37129000111"))
        deal = (
            self.env["crm.lead"]
            .with_user(self.user_sales)
            .create({"name": "New", "type": "opportunity", "partner_id": self.client_contact.id})
        )
        self._get_call().with_user(self.user_sales).set_deal(deal.id)
        interaction = self._get_interaction()
        self.assertEqual((interaction.res_model, interaction.res_id), ("crm.lead", deal.id))
        self.assertEqual(interaction.partner_id, self.client_contact)
        foreign = self.lead.copy({"user_id": self.user_sales2.id})
        with self.assertRaises(AccessError):
            self._get_call().with_user(self.user_sales).set_deal(foreign.id)

    def test_two_companies(self):
        """The card is read in the company that was called, whichever is on the screen."""
        other = self.env["res.company"].create({"name": "Elsewhere"})
        user = new_test_user(
            self.env,
            "int_two",
            groups="base.group_user,sales_team.group_sale_salesman_all_leads",
            company_id=other.id,
            company_ids=[Command.set((other + self.company).ids)],
        )
        self.provider.line_ids[0].user_id = user
        self._send(self._ringing())
        call = self._get_call().with_user(user).with_context(allowed_company_ids=other.ids)
        self.assertEqual(call.get_card()["client"]["name"], "Amber Yard")
        user.company_ids = other
        with self.assertRaises(AccessError):
            call.with_context(allowed_company_ids=other.ids).get_card()
