from datetime import date, datetime

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged, users
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaim(ClaimCommon):
    def test_number_from_sequence_of_company(self):
        other = self.env["res.company"].create({"name": "Second Claims Ltd"})
        first, second = self._create_claim(), self._create_claim()
        foreign = self.env["crm.claim"].create(
            {"subject": "Other", "partner_id": self.customer.id, "company_id": other.id}
        )
        number = int(first.name.rsplit("/", 1)[1])
        self.assertEqual(int(second.name.rsplit("/", 1)[1]), number + 1)
        self.assertTrue(foreign.name.endswith("/00001"))
        self.assertNotEqual(foreign.team_id, self.team, "a team of another company")

    @mute_logger("odoo.sql_db")
    def test_number_is_unique_in_company(self):
        first = self._create_claim()
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._create_claim(name=first.name)

    def test_copy_gets_its_own_number_and_starts_new(self):
        claim = self._create_claim()
        self._decide(claim)
        copy = claim.copy()
        self.assertNotEqual(copy.name, claim.name)
        self.assertEqual(copy.state, "new")
        self.assertFalse(copy.decision or copy.date_decided or copy.date_acknowledged)

    def test_claimant_from_order(self):
        order = self._create_order()
        claim = self.env["crm.claim"].create({"subject": "x", "order_id": order.id})
        self.assertEqual(claim.partner_id, self.contact)
        self.assertEqual(claim.commercial_partner_id, self.customer)
        self.assertEqual(claim.email_from, "contact@test.example.com")

    def test_claimant_without_a_card(self):
        claim = self.env["crm.claim"].create(
            {"subject": "x", "partner_name": "A passer-by", "partner_phone": "123"}
        )
        self.assertFalse(claim.partner_id)
        claim.partner_id = self.contact
        self.assertEqual(claim.partner_name, "Test Contact")
        self.assertEqual(claim.commercial_partner_id, self.customer)

    def test_claimant_is_needed(self):
        with self.assertRefused(ValidationError, "no claimant"):
            self.env["crm.claim"].create({"subject": "x"})

    def test_promised_date_in_working_days(self):
        """10 working days by default, over two weekends and a holiday; 3 for critical ones."""
        calendar = self.company.resource_calendar_id
        calendar.tz = "UTC"
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "calendar_id": calendar.id,
                "company_id": self.company.id,
                "date_from": datetime(2026, 3, 9),
                "date_to": datetime(2026, 3, 9, 23, 59, 59),
            }
        )
        registered = datetime(2026, 3, 4, 9)  # a Wednesday
        claim = self._create_claim(date_registered=registered)
        self.assertEqual(claim.date_promised, date(2026, 3, 19))
        claim.severity = "3"
        self.assertEqual(claim.date_promised, date(2026, 3, 10))
        self.team.promise_days = 1
        claim = self._create_claim(date_registered=registered)
        self.assertEqual(claim.date_promised, date(2026, 3, 5))

    def test_promise_is_kept_after_acknowledgement(self):
        claim = self._create_claim()
        promised = claim.date_promised
        claim._move_to("acknowledged")
        claim.severity = "3"
        self.assertEqual(claim.date_promised, promised)

    def test_overdue_search_equals_compute(self):
        late = self._create_claim(date_registered="2026-01-05 10:00:00")
        due = self._create_claim()
        done = self._create_claim(date_registered="2026-01-05 10:00:00")
        self._decide(done)
        claims = late | due | done
        found = claims.search([("is_overdue", "=", True), ("id", "in", claims.ids)])
        self.assertEqual(found, late)
        self.assertEqual(claims.filtered("is_overdue"), late)
        rest = claims.search([("is_overdue", "=", False), ("id", "in", claims.ids)])
        self.assertEqual(rest, due | done)

    def test_balanced_assignment(self):
        self.team.write(
            {
                "assignment": "balanced",
                "member_ids": [Command.set((self.user_own | self.user_all).ids)],
            }
        )
        self._create_claim(user_id=self.user_own.id)
        claims = self.env["crm.claim"].create(
            [
                {"subject": str(number), "partner_id": self.contact.id, "team_id": self.team.id}
                for number in range(3)
            ]
        )
        self.assertEqual(len(claims.filtered(lambda c: c.user_id == self.user_all)), 2)
        self.assertEqual(len(claims.filtered(lambda c: c.user_id == self.user_own)), 1)

    def test_leader_assignment(self):
        self.team.assignment = "leader"
        self.assertEqual(self._create_claim().user_id, self.user_all)
        self.assertFalse(self._create_claim(user_id=False).user_id, "nobody was asked for")

    def test_team_of_category(self):
        category = self.env["crm.claim.category"].create(
            {"name": "Special", "team_id": self.team.id}
        )
        claim = self.env["crm.claim"].create(
            {"subject": "x", "partner_id": self.contact.id, "category_id": category.id}
        )
        self.assertEqual(claim.team_id, self.team)

    def test_take(self):
        claim = self._create_claim()
        mine = claim.with_user(self.user_own)
        mine.action_take()
        self.assertEqual(claim.user_id, self.user_own)
        mine.action_take()
        with self.assertRefused(UserError, "handles claim .* already"):
            claim.with_user(self.user_all).action_take()
        for user in (self.user_accountant, self.user_employee):
            with self.assertRaises(AccessError):
                self._create_claim().with_user(user).action_take()

    def test_handled_claims_are_not_deleted(self):
        claim = self._create_claim()
        claim._move_to("acknowledged")
        with self.assertRaises(ValidationError):
            claim.unlink()
        self._create_claim().unlink()

    @users("claims_own")
    def test_form_of_a_handler(self):
        with Form(self.env["crm.claim"]) as form:
            form.subject = "From the form"
            form.partner_id = self.contact
            self.assertEqual(form.email_from, "contact@test.example.com")
        self.assertEqual(form.record.state, "new")
        self.assertTrue(form.record.date_promised)

    def test_stage_keeps_its_meaning_while_used(self):
        claim = self._create_claim()
        with self.assertRefused(Exception, "cannot change while claims"):
            claim.stage_id.state = "closed"
        claim.stage_id.name = "Just arrived"

    def test_interactions_of_a_claim(self):
        claim = self._create_claim()
        self.assertEqual(claim.interaction_count, 0)
        claim = claim.with_user(self.user_all)
        action = claim.action_log_interaction()
        form = Form(
            claim.env["crm.interaction"].with_context(**action["context"]),
            view=action["views"][0][0],
        )
        interaction = form.save()
        self.assertEqual((interaction.res_model, interaction.res_id), ("crm.claim", claim.id))
        self.assertEqual((interaction.state, interaction.partner_id), ("done", self.contact))
        claim.invalidate_recordset()
        self.assertEqual(claim.interaction_count, 1)

    def test_register_from_an_interaction(self):
        interaction = (
            self.env["crm.interaction"]
            .with_user(self.user_all)
            .create({"subject": "He shouts", "kind": "call", "partner_id": self.contact.id})
        )
        action = interaction.action_register_claim()
        claim = (
            self.env["crm.claim"].with_user(self.user_all).with_context(**action["context"])
        ).create({})
        self.assertEqual(claim.subject, "He shouts")
        self.assertEqual((claim.partner_id, claim.channel), (self.contact, "phone"))
