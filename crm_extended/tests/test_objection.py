from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged, users
from odoo.tools import mute_logger

from .common_sale_process import SaleProcessCommon


@tagged("post_install", "-at_install")
class TestObjection(SaleProcessCommon):
    """What clients say against buying, and where deals are lost over it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.price, cls.later = cls.env["crm.objection"].create(
            [
                {
                    "name": "Too expensive",
                    "category": "price",
                    "answer_ids": [
                        Command.create({"name": "Reckon by the year"}),
                        Command.create({"name": "Offer a smaller one"}),
                    ],
                },
                {"name": "Not this year", "category": "timing"},
            ]
        )
        cls.by_year, cls.smaller = cls.price.answer_ids

    def _lose(self, leads, objection=None, user=None):
        wizard = self.env["crm.lead.lost"].with_user(user or self.user_sales)
        with Form(wizard.with_context(default_lead_ids=leads.ids)) as form:
            form.lost_reason_id = self.lost_reason
            if objection:
                form.objection_id = objection
        return form.save().action_lost_reason_apply()

    def _note(self, lead, objection, **values):
        return self.env["crm.lead.objection"].create(
            {"lead_id": lead.id, "objection_id": objection.id, **values}
        )

    # ------------------------------------------------------------
    # STAGE AT LOSS
    # ------------------------------------------------------------

    def test_every_road_stores_the_stage(self):
        roads = {
            "button": lambda lead: lead.action_set_lost(lost_reason_id=self.lost_reason.id),
            "dialog": self._lose,
            "call": lambda lead: lead.write({"active": False, "probability": 0}),
            "archived with a reason": lambda lead: lead.write(
                {"active": False, "lost_reason_id": self.lost_reason.id}
            ),
            "one after the other": lambda lead: (
                lead.action_archive(),
                lead.write({"probability": 0}),
            ),
        }
        for name, road in roads.items():
            with self.subTest(road=name):
                lead = self._create_lead(name, process_id=False, stage_id=self.need.id)
                lead.probability = 30
                road(lead)
                self.assertEqual(lead.lost_stage_id, self.need)
                lead.stage_id = self.contact
                self.assertEqual(lead.lost_stage_id, self.need, "where it was lost")
                lead.action_restore()
                self.assertFalse(lead.lost_stage_id)
        created = self._create_lead(
            "Lost from the start",
            process_id=False,
            stage_id=self.offer.id,
            active=False,
            probability=0,
        )
        self.assertEqual(created.lost_stage_id, self.offer)

    def test_archiving_is_not_losing(self):
        self.lead.probability = 20
        self.lead.action_archive()
        self.assertFalse(self.lead.lost_stage_id)

    @users("proc_sales")
    def test_the_stage_is_not_written_by_hand(self):
        lead = self.lead.with_user(self.env.user)
        with self.assertRaises(AccessError):
            lead.write({"lost_stage_id": self.offer.id})
        with self.assertRaises(AccessError):
            lead.create({"name": "x", "lost_stage_id": self.offer.id})

    # ------------------------------------------------------------
    # FATAL OBJECTION
    # ------------------------------------------------------------

    @users("proc_sales")
    def test_losing_names_the_objection(self):
        noted = self._note(self.lead, self.price)
        self._note(self.lead, self.later, state="overcome")
        second = self._create_lead("Second", process_id=False, stage_id=self.offer.id)
        self._lose(self.lead | second, self.price)
        self.assertEqual(noted.state, "fatal")
        line = second.objection_ids
        self.assertEqual((line.objection_id, line.state), (self.price, "fatal"))
        self.assertEqual(line.stage_id, self.offer)
        self.assertEqual((noted | line).lost_stage_id, self.contact | self.offer)
        self.lead.with_user(self.env.user).action_restore()
        self.assertEqual(noted.state, "raised")
        self.assertEqual(line.state, "fatal")

    def test_objection_is_not_demanded(self):
        self._lose(self.lead)
        self.assertEqual(self.lead.won_status, "lost")
        self.assertFalse(self.lead.objection_ids)

    def test_one_objection_is_fatal(self):
        self._lose(self.lead, self.price)
        self._lose(self.lead, self.later)
        self.assertEqual(
            {line.objection_id: line.state for line in self.lead.objection_ids},
            {self.price: "raised", self.later: "fatal"},
        )

    def test_living_deal_has_no_fatal_objection(self):
        line = self._note(self.lead, self.price)
        with self.assertRaisesRegex(ValidationError, "is not lost"), self.cr.savepoint():
            line.state = "fatal"
        with self.assertRaisesRegex(ValidationError, "is not lost"), self.cr.savepoint():
            self._note(self.lead, self.later, state="fatal")

    @mute_logger("odoo.sql_db")
    def test_noted_once(self):
        self._note(self.lead, self.price)
        with self.assertRaises(Exception), self.cr.savepoint():  # noqa: B017 of the database
            self._note(self.lead, self.price)
            self.env.flush_all()

    def test_answer_belongs_to_its_objection(self):
        with self.assertRaisesRegex(ValidationError, "answers another objection"):
            self._note(self.lead, self.later, answer_id=self.by_year.id)

    @users("proc_sales")
    def test_stage_is_the_one_of_the_moment(self):
        line = self._note(self.lead, self.price)
        self._lead_to(self.lead, self.need)
        self.assertEqual(line.stage_id, self.contact)
        with self.assertRaises(AccessError):
            line.with_user(self.env.user).write({"stage_id": self.signed.id})

    # ------------------------------------------------------------
    # WHAT WORKED
    # ------------------------------------------------------------

    def test_answers_count_what_worked(self):
        deals = [self._create_lead(f"Deal {number}", process_id=False) for number in range(4)]
        for lead in deals[:3]:
            self._note(lead, self.price, answer_id=self.by_year.id, state="overcome")
        self._note(deals[3], self.price, answer_id=self.by_year.id)
        self._lose(deals[3], self.price)
        self.assertEqual(self.by_year.overcome_count, 3)
        self.assertEqual(self.by_year.fatal_count, 1)
        self.assertEqual(self.by_year.success_rate, 75)
        self.assertEqual(self.smaller.success_rate, 0)
        self.assertEqual(
            (self.price.raised_count, self.price.overcome_count, self.price.fatal_count), (4, 3, 1)
        )

    def test_report_groups_by_stage_and_answer(self):
        lead = self._create_lead("Lost", process_id=False, stage_id=self.offer.id)
        self._lose(lead, self.price)
        groups = self.env["crm.lead.objection"]._read_group(
            [("objection_id", "=", self.price.id)],
            ["lost_stage_id", "category", "state", "answer_id"],
            ["__count"],
        )
        self.assertEqual(
            groups, [(self.offer, "price", "fatal", self.env["crm.objection.answer"], 1)]
        )

    def test_merging_brings_objections_together(self):
        first = self._create_lead("First", process_id=False)
        second = self._create_lead("Second", process_id=False)
        self._note(first, self.price)
        self._note(second, self.price, state="overcome")
        self._note(second, self.later, note="After the fair")
        merged = (first | second).merge_opportunity()
        self.assertEqual(merged.objection_ids.objection_id, self.price | self.later)
        self.assertEqual(len(merged.objection_ids), 2)

    # ------------------------------------------------------------
    # RIGHTS
    # ------------------------------------------------------------

    def test_rights(self):
        line = self._note(self.lead, self.price)
        mine = line.with_user(self.user_sales)
        mine.action_overcome()
        mine.action_raise_again()
        self.assertEqual(line.state, "raised")
        with self.assertRaises(AccessError):
            line.with_user(self.user_sales2).read(["note"])
        with self.assertRaises(AccessError):
            self._note(self.lead.with_user(self.user_sales2), self.later).with_user(
                self.user_sales2
            ).write({"note": "x"})
        with self.assertRaises(AccessError):
            line.with_user(self.user_plain).read(["note"])
        line.with_user(self.user_manager).write({"note": "seen"})
        self.env["crm.objection.answer"].with_user(self.user_sales).create(
            {"objection_id": self.price.id, "name": "Show the figures of a neighbour"}
        )
        with self.assertRaises(AccessError):
            self.price.with_user(self.user_sales).write({"name": "x"})
        with self.assertRaises(AccessError):
            self.by_year.with_user(self.user_sales).unlink()
        self.price.with_user(self.user_manager).write({"name": "Costs too much"})

    def test_stays_with_deals_one_may_change(self):
        line = self._note(self.lead, self.price)
        theirs = self.env["crm.lead"].create(
            {"name": "Theirs", "type": "opportunity", "user_id": self.user_sales2.id}
        )
        with self.assertRaises(AccessError):
            line.with_user(self.user_sales).lead_id = theirs

    def test_companies(self):
        other = self.env["res.company"].create({"name": "Other Mills"})
        theirs = self.env["crm.objection"].create({"name": "Theirs", "company_id": other.id})
        with self.assertRaises(AccessError):
            theirs.with_user(self.user_sales).read(["name"])
        with self.assertRaises(UserError):
            self._note(self.lead, theirs)
