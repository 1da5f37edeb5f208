from datetime import datetime, timedelta

from freezegun import freeze_time
from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged, users

from .common_interaction import NOW, InteractionCommon


@tagged("post_install", "-at_install")
class TestInteractionOutcome(InteractionCommon):
    """Outcome buttons, the ladder and what follows its last rung."""

    def _record(self, outcome, now=NOW, key=None, lead=None, user=None, **kwargs):
        lead = (lead or self.lead).with_user(user or self.user_sales)
        with freeze_time(now):
            return lead.action_record_outcome(outcome.id, key=key, **kwargs)

    def _planned(self, lead=None):
        return self.env["crm.interaction"].search(
            [
                ("res_model", "=", "crm.lead"),
                ("res_id", "=", (lead or self.lead).id),
                ("state", "in", ("planned", "postponed")),
            ]
        )

    def test_ladder_to_the_end(self):
        """5 min, 30 min, 3 h, 1 day, each from the attempt before; then the deal is lost."""
        now = NOW
        expected = [
            NOW + timedelta(minutes=5),
            NOW + timedelta(minutes=35),
            NOW + timedelta(hours=3, minutes=35),
            NOW + timedelta(days=1, hours=3, minutes=35),
        ]
        for number, moment in enumerate(expected, start=1):
            self._record(self.missed, now=now)
            planned = self._planned()
            self.assertEqual(len(planned), 1)
            self.assertEqual(planned.date_start, moment)
            self.assertEqual(planned.attempt_number, number + 1)
            self.assertEqual(planned.user_id, self.user_sales)
            self.assertEqual(planned.activity_id.res_id, self.lead.id)
            self.assertTrue(self.lead.active)
            now = moment
        self._record(self.missed, now=now)
        self.assertFalse(self._planned())
        self.assertFalse(self.lead.active)
        self.assertEqual(self.lead.won_status, "lost")
        self.assertEqual(self.lead.lost_reason_id, self.lost_reason)
        self.assertFalse(self.lead.activity_ids)
        done = self.env["crm.interaction"].search(
            [("chain_id", "=", self.lead.interaction_chain_id.id), ("state", "=", "done")]
        )
        self.assertEqual(sorted(done.mapped("attempt_number")), [1, 2, 3, 4, 5])

    def test_archive_instead_of_lost(self):
        self.missed.write(
            {"final_action": "archive", "retry_ids": [Command.clear()], "lost_reason_id": False}
        )
        self._record(self.missed)
        self.assertFalse(self.lead.active)
        self.assertFalse(self.lead.lost_reason_id)

    def test_nothing_after_the_last(self):
        self.missed.write({"final_action": "none", "retry_ids": [Command.clear()]})
        self._record(self.missed)
        self.assertTrue(self.lead.active)
        self.assertFalse(self._planned())

    def test_reached_starts_anew(self):
        self._record(self.missed)
        self._record(self.missed, now=NOW + timedelta(minutes=5))
        self._record(self.reached, now=NOW + timedelta(minutes=35))
        self.assertFalse(self._planned())
        self._record(self.missed, now=NOW + timedelta(minutes=60))
        self.assertEqual(self._planned().date_start, NOW + timedelta(minutes=65))
        self.assertEqual(self._planned().attempt_number, 2)

    def test_client_wrote_in_between(self):
        """An e-mail from the client is a contact too."""
        self._record(self.missed)
        self._log(
            kind="email",
            direction="in",
            state="new",
            date_start=NOW + timedelta(minutes=2),
        )
        self._record(self.missed, now=NOW + timedelta(minutes=5))
        self.assertEqual(self._planned().date_start, NOW + timedelta(minutes=10))

    def test_reached_closes_the_planned_call(self):
        self._record(self.missed)
        planned = self._planned()
        activity = planned.activity_id
        self._record(self.reached, now=NOW + timedelta(minutes=5), note="Wants an offer")
        self.assertEqual(planned.state, "done")
        self.assertEqual(planned.outcome_id, self.reached)
        self.assertEqual(planned.result_note, "Wants an offer")
        self.assertFalse(activity.active)
        # the deal is read by more people than the note
        self.assertIn("Talked", self.lead.message_ids[0].body)
        self.assertNotIn("Wants an offer", self.lead.message_ids[0].body)

    def test_recorded_on_the_call(self):
        self._record(self.missed)
        planned = self._planned()
        key = planned.with_user(self.user_sales).outcome_buttons["key"]
        with freeze_time(NOW + timedelta(minutes=5)):
            planned.with_user(self.user_sales).action_record_outcome(self.missed.id, key=key)
        self.assertEqual(planned.state, "done")
        self.assertEqual(planned.outcome_id, self.missed)
        self.assertEqual(self._planned().attempt_number, 3)
        with self.assertRaises(UserError):
            planned.with_user(self.user_sales).action_record_outcome(self.missed.id)

    def test_call_back(self):
        """A missed call keeps its own time; the call back is an attempt of its own."""
        arrived = self._log(direction="in", state="new", date_start=NOW - timedelta(hours=2))
        with freeze_time(NOW):
            arrived.action_record_outcome(self.missed.id)
        self.assertEqual(arrived.state, "done")
        self.assertEqual(arrived.date_start, NOW - timedelta(hours=2))
        self.assertFalse(arrived.outcome_id)
        self.assertEqual(arrived.child_ids.outcome_id, self.missed)
        self.assertEqual(self._planned().date_start, NOW + timedelta(minutes=5))

    def test_double_click(self):
        """The second click on the same screen counts nothing and plans nothing."""
        key = self.lead.with_user(self.user_sales).interaction_attempt_key
        self._record(self.missed, key=key)
        planned = self._planned()
        with self.assertRaises(UserError):
            self._record(self.missed, key=key)
        self.assertEqual(self._planned(), planned)
        self.lead.invalidate_recordset()
        self._record(self.missed, key=self.lead.interaction_attempt_key)
        self.assertEqual(self._planned().attempt_number, 3)

    def test_calling_window(self):
        """Friday evening: the next attempt is on Monday at 9:00 by the client's clock."""
        friday = datetime(2026, 1, 16, 15, 58)  # 17:58 in Riga
        self._record(self.missed, now=friday)
        self.assertEqual(self._planned().date_start, datetime(2026, 1, 19, 7, 0))

    def test_postponed_attempt(self):
        """Put off till the user's morning, an attempt waits for that of the client."""
        self.client_contact.tz = "Asia/Kamchatka"
        self.user_sales.tz = "Europe/Riga"
        self._record(self.missed)
        planned = self._planned().with_user(self.user_sales)
        other = self._log(state="planned", date_start=NOW)
        with freeze_time(NOW):
            (planned + other).action_postpone_tomorrow()
        self.assertEqual(other.date_deadline, datetime(2026, 1, 15, 7, 0))
        # 9:00 in Riga is 19:00 there: on Friday at 9:00
        self.assertEqual(planned.date_deadline, datetime(2026, 1, 15, 21, 0))
        self.assertEqual((planned + other).mapped("state"), ["postponed", "postponed"])
        with freeze_time(datetime(2026, 1, 16, 5, 30)):  # 17:30 there, on Friday
            planned.action_postpone_hour()
            self.assertEqual(planned.date_deadline, datetime(2026, 1, 18, 21, 0))
            # a moment that the user names himself is his
            planned.action_postpone_until(datetime(2026, 1, 17, 9, 0))
        self.assertEqual(planned.date_deadline, datetime(2026, 1, 17, 9, 0))

    def test_window_of_the_company(self):
        self.company.write({"crm_calling_hour_from": 10, "crm_calling_hour_to": 17})
        self._record(self.missed, now=datetime(2026, 1, 14, 15, 0))  # 17:00 in Riga
        self.assertEqual(self._planned().date_start, datetime(2026, 1, 15, 8, 0))

    def test_own_time_zone_comes_first(self):
        self.client_contact.tz = "Asia/Tokyo"
        self._record(self.missed, now=NOW)  # 18:00 in Tokyo
        self.assertEqual(self._planned().date_start, datetime(2026, 1, 15, 0, 0))

    def test_public_holiday(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "calendar_id": self.company.resource_calendar_id.id,
                "company_id": self.company.id,
                "date_from": datetime(2026, 1, 13, 22, 0),
                "date_to": datetime(2026, 1, 14, 22, 0),
            }
        )
        self._record(self.missed, now=NOW)
        self.assertEqual(self._planned().date_start, datetime(2026, 1, 15, 7, 0))

    def test_seconds_are_rounded_up(self):
        self._record(self.missed, now=NOW + timedelta(seconds=1))
        self.assertEqual(self._planned().date_start, NOW + timedelta(minutes=6))

    def test_note_required(self):
        self.reached.note_required = True
        action = self._record(self.reached, key=0)
        self.assertEqual(action["res_model"], "crm.interaction.record.outcome")
        wizard = (
            self.env["crm.interaction.record.outcome"]
            .with_user(self.user_sales)
            .with_context(**action["context"])
            .create({})
        )
        with self.assertRaises(ValidationError):
            wizard.action_confirm()
        wizard.note = "Wants an offer"
        wizard.action_confirm()
        self.assertEqual(self.lead.interaction_ids.result_note, "Wants an offer")
        with self.assertRaises(UserError):
            wizard.action_confirm()

    def test_blank_note_is_no_note(self):
        self.reached.note_required = True
        with self.assertRaises(UserError):
            self._record(self.reached, note="   ")

    def test_closed_deals(self):
        """No further attempts for a deal that is won or lost."""
        self.lead.action_set_won()
        self.lead.invalidate_recordset()
        self.assertFalse(self.lead.with_user(self.user_sales).interaction_outcome_buttons)
        self._record(self.missed)
        self.assertFalse(self._planned())

    def test_closing_a_deal_cancels_the_ladder(self):
        for close in ("action_set_won", "action_archive"):
            lead = self.lead.copy({"user_id": self.user_sales.id})
            own = self._log(document=lead, kind="meeting", state="planned")
            self._record(self.missed, lead=lead)
            retry = self._planned(lead) - own
            self.assertTrue(retry)
            getattr(lead.with_user(self.user_sales), close)()
            self.assertEqual(retry.state, "cancelled")
            self.assertEqual(own.state, "planned")

    def test_reassigned_deal(self):
        """The next attempt is planned for whoever is responsible for the deal."""
        self.lead.user_id = self.user_sales2
        self._record(self.missed, user=self.user_all)
        self.assertEqual(self._planned().user_id, self.user_sales2)

    def test_foreign_deal(self):
        with self.assertRaises(AccessError):
            self._record(self.missed, user=self.user_sales2)
        self.assertFalse(self.lead.interaction_ids)

    def test_outcome_of_another_company(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = self.missed.copy({"name": "There", "company_id": other.id})
        with self.assertRaises(UserError):
            self._record(foreign)
        names = [
            button["name"]
            for button in self.lead.with_user(self.user_sales).interaction_outcome_buttons[
                "outcomes"
            ]
        ]
        self.assertEqual(names, ["Talked", "Silence"])

    def test_archived_outcome(self):
        self.missed.action_archive()
        with self.assertRaises(UserError):
            self._record(self.missed)

    def test_outcome_checks(self):
        with self.assertRaises(ValidationError):
            self.reached.retry_ids = [Command.create({"delay": 5, "unit": "hours"})]
        with self.assertRaises(ValidationError):
            self.missed.lost_reason_id = False

    @users("int_sales")
    def test_outcomes_are_configured_by_managers(self):
        with self.assertRaises(AccessError):
            self.missed.with_env(self.env).name = "x"
        with self.assertRaises(AccessError):
            self.missed.retry_ids.with_env(self.env).write({"delay": 1})

    def test_client_clock(self):
        lead = self.lead.with_user(self.user_sales)
        with freeze_time(NOW):
            self.assertEqual(lead.client_tz, "Europe/Riga")
            self.assertIn("11:00", lead.client_time)
            self.assertTrue(lead.is_calling_time)
        lead.invalidate_recordset()
        with freeze_time(NOW.replace(hour=20)):
            self.assertFalse(lead.is_calling_time)
        # the number on the deal is the one that is called
        lead.phone = "+1 415 555 2671"
        lead.invalidate_recordset()
        self.assertEqual(lead.client_tz, "America/Los_Angeles")
