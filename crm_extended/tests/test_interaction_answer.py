from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged, users

from .common_interaction import NOW, InteractionCommon

HOUR = timedelta(hours=1)


@tagged("post_install", "-at_install")
class TestInteractionAnswer(InteractionCommon):
    """What answers a client, what does not, and how long it took in working hours."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # 8:00-12:00, 13:00-17:00 in Riga, two hours ahead of UTC in January
        cls.calendar = cls.company.resource_calendar_id

    def _arrive(self, **values):
        """A mail that came in on a Wednesday, 11:00 in Riga."""
        return self._log(
            **{
                "kind": "email",
                "direction": "in",
                "state": "new",
                "date_start": NOW,
                "user_id": self.user_sales.id,
                **values,
            }
        )

    def _answer(self, **values):
        return self._log(
            **{"kind": "email", "direction": "out", "date_start": NOW + HOUR / 2, **values}
        )

    def _assert_waits(self, *interactions):
        for interaction in interactions:
            self.assertEqual(interaction.state, "new")
            self.assertFalse(interaction.date_answered)
            self.assertFalse(interaction.answer_id)

    def _assert_answered(self, interaction, answer, hours):
        self.assertEqual(interaction.state, "done")
        self.assertEqual(interaction.answer_id, answer)
        self.assertEqual(interaction.date_answered, answer.date_start)
        self.assertAlmostEqual(interaction.answer_hours, hours, 2)

    # ------------------------------------------------------------
    # WHAT ANSWERS
    # ------------------------------------------------------------

    @users("int_sales")
    def test_mail_answers_mail(self):
        arrived = self._arrive()
        later = self._arrive(date_start=NOW + 2 * HOUR)
        answer = self._answer()
        self._assert_answered(arrived, answer, 0.5)
        self.assertEqual(arrived.date_start, NOW)
        self._assert_waits(later)
        self.assertEqual(arrived.chain_id.unhandled_count, 1)
        self.assertEqual(arrived.chain_id.date_last, NOW + 2 * HOUR)

    @users("int_sales")
    def test_every_kind_answers_every_kind(self):
        for number, (arrives, answers) in enumerate(
            [("call", "email"), ("email", "message"), ("message", "meeting"), ("other", "call")]
        ):
            moment = NOW - number * HOUR
            arrived = self._arrive(kind=arrives, date_start=moment)
            answer = self._answer(kind=answers, date_start=moment + HOUR / 4)
            self._assert_answered(arrived, answer, 0.25)

    @users("int_sales")
    def test_planning_does_not_answer(self):
        arrived = self._arrive()
        planned = self._answer(kind="call", state="planned", date_start=NOW + HOUR)
        planned.write({"state": "postponed", "date_deadline": NOW + 2 * HOUR})
        self._assert_waits(arrived)
        planned.action_cancel()
        self._assert_waits(arrived)
        planned.action_plan()
        planned.action_done()
        self.assertEqual(arrived.answer_id, planned)
        self.assertEqual(arrived.date_answered, planned.date_start)

    @users("int_sales")
    def test_call_back_in_vain_then_reached(self):
        """A missed call is handled by calling back, and answered when the client is reached."""
        missed = self._arrive(kind="call")
        missed.action_record_outcome(self.missed.id)
        self.assertEqual(missed.state, "done")
        self.assertFalse(missed.date_answered)
        by_hand = self._arrive(kind="call")
        by_hand.action_done()
        self.lead.with_env(self.env).action_record_outcome(self.reached.id)
        self.assertTrue(missed.answer_id.outcome_id.reached)
        self.assertEqual(missed.date_answered, missed.answer_id.date_start)
        self.assertGreater(missed.answer_hours, 0)
        self.assertFalse(by_hand.date_answered, "whoever marks it as done says it needs no answer")

    @users("int_sales")
    def test_only_reached_calls_answer(self):
        arrived = self._arrive(date_start=fields.Datetime.now() - HOUR)
        lead = self.lead.with_env(self.env)
        lead.action_record_outcome(self.missed.id)
        self._assert_waits(arrived)
        lead.action_record_outcome(self.reached.id)
        self.assertTrue(arrived.answer_id.outcome_id.reached)
        self.assertEqual(arrived.state, "done")

    @users("int_sales")
    def test_note_does_not_answer(self):
        arrived = self._arrive()
        self._answer(kind="other", direction="none")
        self._assert_waits(arrived)

    @users("int_sales")
    def test_another_conversation_does_not_answer(self):
        arrived = self._arrive()
        self._answer(document=self.client_company)
        self._assert_waits(arrived)

    @users("int_sales")
    def test_another_client_does_not_answer(self):
        supplier = self.env["res.partner"].create({"name": "Supplier"})
        arrived = self._arrive()
        self._answer(partner_id=supplier.id)
        self._assert_waits(arrived)
        # another person of the same client does
        answer = self._answer(partner_id=self.client_company.id)
        self._assert_answered(arrived, answer, 0.5)

    @users("int_sales")
    def test_unknown_client_is_answered(self):
        arrived = self._arrive(partner_id=False)
        self._assert_answered(arrived, self._answer(), 0.5)

    def test_another_company_does_not_answer(self):
        company = self.env["res.company"].create({"name": "Second"})
        chain = self.client_company.with_user(self.user_manager)
        arrived = self._arrive(document=chain)
        self.user_manager.company_ids += company
        self._answer(user=self.user_manager, document=chain, company_id=company.id)
        self._assert_waits(arrived)
        self.assertEqual(arrived.chain_id.interaction_count, 2)

    def test_colleague_answers(self):
        """Whoever sees the deal answers for its responsible."""
        arrived = self._arrive()
        answer = self._answer(user=self.user_all)
        self._assert_answered(arrived, answer, 0.5)
        self.assertEqual(arrived.user_id, self.user_sales)

    @users("int_sales")
    def test_postponed_is_answered(self):
        arrived = self._arrive()
        arrived.write({"state": "postponed", "date_deadline": NOW + 3 * HOUR})
        answer = self._answer()
        self._assert_answered(arrived, answer, 0.5)
        self.assertEqual(arrived.date_start, NOW)

    @users("int_sales")
    def test_handled_by_hand(self):
        """What needs no answer does not count as answered, then or later."""
        arrived = self._arrive()
        arrived.action_done()
        self._answer()
        self.assertFalse(arrived.date_answered)
        self.assertEqual(arrived.date_start, NOW)

    @users("int_sales")
    def test_taken_call(self):
        """A call that was taken is answered at once, with the calls missed before it."""
        missed = self._arrive(kind="call")
        mail = self._arrive()
        taken = self._log(kind="call", direction="in", date_start=NOW + HOUR / 2)
        self.assertEqual(taken.date_answered, taken.date_start)
        self.assertEqual(taken.answer_hours, 0)
        self.assertFalse(taken.answer_id)
        self._assert_answered(missed, taken, 0.5)
        self._assert_waits(mail)

    @users("int_sales")
    def test_missed_call_taken_later(self):
        call = self._arrive(kind="call")
        call.action_done()
        self.assertFalse(call.date_answered)

    @users("int_sales")
    def test_activity_answers(self):
        """The call planned as an activity is done there."""
        arrived = self._arrive()
        planned = self._answer(kind="call", state="planned", date_start=NOW + HOUR)
        planned.activity_id.action_feedback("They agree")
        self.assertEqual(arrived.answer_id, planned)

    @users("int_sales")
    def test_batch(self):
        other = self.lead.copy({"name": "Twin", "user_id": self.user_sales.id})
        documents = [self.lead, other]
        arrived = [self._arrive(document=documents[n % 2]) for n in range(4)]
        answers = self.env["crm.interaction"].create(
            [
                {
                    "subject": "x",
                    "kind": "email",
                    "res_model": "crm.lead",
                    "res_id": document.id,
                    "date_start": NOW + hours * HOUR,
                }
                for document in documents
                for hours in (3, 1, 2)
            ]
        )
        for number, interaction in enumerate(arrived):
            self._assert_answered(interaction, answers[1 if number % 2 == 0 else 4], 1)

    @users("int_sales")
    def test_not_written_by_hand(self):
        arrived = self._arrive()
        for values in (
            {"date_answered": NOW},
            {"answer_id": arrived.id},
            {"answer_hours": 0.1},
            {"answer_hours": 0},
        ):
            with self.assertRaises(AccessError):
                arrived.write(values)
        with self.assertRaises(AccessError):
            self._log(date_answered=NOW)
        with self.assertRaises(AccessError):
            self.env["crm.interaction"].with_context(default_answer_hours=1).create(
                {"subject": "x", "partner_id": self.client_company.id}
            )

    # ------------------------------------------------------------
    # WORKING HOURS
    # ------------------------------------------------------------

    def _measure(self, start, stop, **values):
        """Answer time of a mail between two moments in Riga, by the clock in January."""
        utc = timedelta(hours=-2)
        arrived = self._arrive(date_start=start + utc, **values)
        self._answer(date_start=stop + utc)
        return arrived.answer_hours

    @users("int_sales")
    def test_hours_of_the_company(self):
        # over lunch; over night; over the weekend; outside working hours altogether
        for start, stop, hours in (
            ((14, 11, 30), (14, 13, 30), 1.0),
            ((14, 16, 0), (15, 9, 0), 2.0),
            ((16, 16, 0), (19, 9, 0), 2.0),
            ((17, 10, 0), (17, 20, 0), 0.0),
        ):
            with self.subTest(start=start):
                measured = self._measure(
                    datetime(2026, 1, start[0], *start[1:]), datetime(2026, 1, stop[0], *stop[1:])
                )
                self.assertAlmostEqual(measured, hours, 2)

    def test_public_holiday(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "calendar_id": self.calendar.id,
                "company_id": self.company.id,
                "date_from": datetime(2026, 1, 14, 22),
                "date_to": datetime(2026, 1, 15, 21, 59, 59),
            }
        )
        hours = self._measure(datetime(2026, 1, 14, 16), datetime(2026, 1, 16, 9))
        self.assertAlmostEqual(hours, 2, 2)

    def test_schedule_of_the_responsible(self):
        """Two colleagues with schedules of their own, answered by one mail."""
        calendars = self.env["resource.calendar"].create(
            [
                {
                    "name": "Afternoons",
                    "tz": "Europe/Riga",
                    "attendance_ids": [
                        (0, 0, {"name": "x", "dayofweek": str(day), "hour_from": 13, "hour_to": 18})
                        for day in range(5)
                    ],
                },
                {
                    "name": "Nights",
                    "tz": "Europe/Riga",
                    "attendance_ids": [
                        (0, 0, {"name": "x", "dayofweek": str(day), "hour_from": 0, "hour_to": 8})
                        for day in range(5)
                    ],
                },
            ]
        )
        for user, calendar in zip(self.user_sales + self.user_all, calendars, strict=True):
            self.env["resource.resource"].create(
                {
                    "name": user.name,
                    "user_id": user.id,
                    "calendar_id": calendar.id,
                    "tz": "Europe/Riga",
                }
            )
        start, stop = datetime(2026, 1, 14, 9), datetime(2026, 1, 15, 15)
        utc = timedelta(hours=-2)
        mine, theirs, nobodys = (
            self._arrive(date_start=start + utc, user=self.user_all, user_id=user_id)
            for user_id in (self.user_sales.id, self.user_all.id, False)
        )
        self._answer(date_start=stop + utc)
        self.assertAlmostEqual(mine.answer_hours, 5 + 2, 2)
        self.assertAlmostEqual(theirs.answer_hours, 8, 2)
        # nobody's: the responsible of the conversation had to answer
        self.assertAlmostEqual(nobodys.answer_hours, 7, 2)

    def test_company_without_schedule(self):
        self.company.resource_calendar_id = False
        hours = self._measure(datetime(2026, 1, 16, 16), datetime(2026, 1, 17, 9))
        self.assertAlmostEqual(hours, 17, 2)

    @users("int_sales")
    def test_average_of_true_answers(self):
        """What was not answered does not pull the average down."""
        arrived = self._arrive()
        reopened = self._arrive(date_start=NOW + 5 * HOUR)
        reopened.sudo().write({"answer_hours": 0})
        self._answer(date_start=NOW + HOUR)
        [(average, count)] = self.env["crm.interaction"]._read_group(
            [("chain_id", "=", arrived.chain_id.id)], [], ["answer_hours:avg", "__count"]
        )
        self.assertEqual((average, count), (1, 3))
