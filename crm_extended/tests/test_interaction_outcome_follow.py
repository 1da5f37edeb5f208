from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time
from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from odoo.tools.convert import convert_file
from psycopg2.errors import ForeignKeyViolation

from .common_interaction import NOW, InteractionCommon

OUTCOMES = "crm_extended.crm_interaction_outcome_"


@tagged("post_install", "-at_install")
class TestInteractionOutcomeFollow(InteractionCommon):
    """What an outcome asks for, and what follows it besides the ladder."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Outcome = cls.env["crm.interaction.outcome"]
        cls.later = Outcome.create({"name": "Later", "reached": True, "question": "callback"})
        cls.wrong = Outcome.create({"name": "Stranger", "question": "number"})
        cls.refused = Outcome.create({"name": "No", "reached": True, "question": "lost"})
        cls.missed.write({"retry_ids": [Command.clear()]})

    def _press(self, outcome, record=None, user=None, now=NOW, **kwargs):
        record = (self.lead if record is None else record).with_user(user or self.user_sales)
        with freeze_time(now):
            return record.action_record_outcome(outcome.id, **kwargs)

    def _open_dialog(self, action, user=None):
        return Form(
            self.env["crm.interaction.record.outcome"]
            .with_user(user or self.user_sales)
            .with_context(**action["context"])
        )

    def _get_planned(self, record=None):
        record = self.lead if record is None else record
        return self.env["crm.interaction"].search(
            [
                ("res_model", "=", record._name),
                ("res_id", "=", record.id),
                ("state", "in", ("planned", "postponed")),
            ]
        )

    # ------------------------------------------------------------
    # CALL BACK AT
    # ------------------------------------------------------------

    def test_callback_dialog(self):
        """The dialog proposes a time in the calling hours and plans the call then."""
        action = self._press(self.later, key=0)
        self.assertFalse(self.lead.interaction_ids, "nothing is recorded before the answer")
        with freeze_time(datetime(2026, 1, 14, 16, 30)):  # 18:30 in Riga
            dialog = self._open_dialog(action)
            self.assertEqual(dialog.date_callback, datetime(2026, 1, 15, 7, 0))
            self.assertEqual(dialog.client_clock["tz"], "Europe/Riga")
            dialog.date_callback = datetime(2026, 1, 15, 9, 15)
            dialog.note = "In a meeting"
            dialog.save().action_confirm()
        done = self.lead.interaction_ids.filtered("outcome_id")
        self.assertEqual((done.outcome_id, done.result_note), (self.later, "In a meeting"))
        planned = self._get_planned()
        self.assertEqual(planned.date_start, datetime(2026, 1, 15, 9, 15))
        self.assertEqual((planned.kind, planned.user_id), ("call", self.user_sales))
        self.assertEqual(planned.parent_id, done)

    def test_callback_by_rpc(self):
        self.assertIs(self._press(self.later, callback="2026-01-15 09:15:00"), True)
        self.assertEqual(self._get_planned().date_start, datetime(2026, 1, 15, 9, 15))

    def test_callback_refused_times(self):
        """Rubbish, the past and the night are refused, and nothing is recorded."""
        for value in ("tomorrow", "2026-01-14 08:00:00", "2026-01-14 20:00:00", 5):
            with self.subTest(value=value), self.assertRaises(UserError):
                self._press(self.later, callback=value)
        self.assertFalse(self.lead.interaction_ids)

    def test_callback_at_the_wish_of_the_client(self):
        with freeze_time(NOW):
            dialog = self._open_dialog(self._press(self.later))
            self.assertFalse(dialog.is_outside_hours)
            dialog.date_callback = datetime(2026, 1, 14, 18, 0)  # 20:00 in Riga
            self.assertTrue(dialog.is_outside_hours)
            wizard = dialog.save()
            with self.assertRaises(UserError):
                wizard.action_confirm()
            wizard.agreed = True
            wizard.action_confirm()
        self.assertEqual(self._get_planned().date_start, datetime(2026, 1, 14, 18, 0))

    def test_callback_replaces_the_ladder(self):
        self.missed.retry_ids = [Command.create({"delay": 5})]
        self._press(self.missed)
        retry = self._get_planned()
        self._press(self.later, now=NOW + timedelta(minutes=5), callback=NOW + timedelta(hours=2))
        self.assertEqual(retry.state, "done", "the planned attempt is the one that was made")
        self.assertEqual(self._get_planned().date_start, NOW + timedelta(hours=2))
        self._press(self.missed, now=NOW + timedelta(hours=2))
        self.assertEqual(self._get_planned().attempt_number, 2, "the client was reached before")

    # ------------------------------------------------------------
    # WRONG NUMBER
    # ------------------------------------------------------------

    def test_wrong_number_replaced(self):
        """Another number is kept, and called as soon as the client's clock allows."""
        friday = datetime(2026, 1, 16, 17, 0)
        action = self._press(self.wrong, now=friday)
        with freeze_time(friday):
            dialog = self._open_dialog(action)
            self.assertEqual(dialog.wrong_phone, "+371 67 000 301")
            dialog.phone = "+371 67 000 302"
            dialog.save().action_confirm()
        self.assertEqual(self.lead.phone, "+371 67 000 302")
        self.assertEqual(self.client_contact.phone, "+371 67 000 302")
        self.assertFalse(self.lead.is_phone_wrong)
        planned = self._get_planned()
        self.assertEqual((planned.kind, planned.date_start), ("call", datetime(2026, 1, 19, 7, 0)))
        # the old number of the company is still known to be wrong
        self.client_company.invalidate_recordset()
        self.assertTrue(self.client_company.is_phone_wrong)

    def test_wrong_number_without_another(self):
        """The number is marked, and somebody has to find the right one."""
        self.assertIs(self._press(self.wrong, phone=""), True)
        self.lead.invalidate_recordset()
        self.assertTrue(self.lead.is_phone_wrong)
        planned = self._get_planned()
        self.assertEqual((planned.kind, planned.user_id), ("other", self.user_sales))
        self.assertEqual(self.lead.activity_ids.summary, planned.subject)
        # somebody answers under it after all
        self._press(self.reached, now=NOW + timedelta(hours=1))
        self.lead.invalidate_recordset()
        self.assertFalse(self.lead.is_phone_wrong)

    def test_wrong_number_gives_up(self):
        self.wrong.write({"final_action": "lost", "lost_reason_id": self.lost_reason.id})
        self._press(self.wrong, phone="")
        self.assertEqual(self.lead.won_status, "lost")

    def test_wrong_number_answers(self):
        """The same number in another spelling, and no number at all, are refused."""
        for phone in ("+37167000301", "call Anna", "12"):
            with self.subTest(phone=phone), self.assertRaises(UserError):
                self._press(self.wrong, phone=phone)
        self.assertFalse(self.lead.interaction_ids)

    def test_wrong_number_of_a_client(self):
        """A conversation with the client itself, about no deal."""
        self._press(self.wrong, record=self.client_company, phone="+371 67 000 303")
        self.assertEqual(self.client_company.phone, "+371 67 000 303")
        self.assertEqual(self._get_planned(self.client_company).kind, "call")

    # ------------------------------------------------------------
    # REFUSED
    # ------------------------------------------------------------

    def test_refused_asks_whether_lost(self):
        action = self._press(self.refused)
        self.assertEqual(self.lead.interaction_ids.outcome_id, self.refused)
        self.assertEqual(action["res_model"], "crm.lead.lost")
        self.assertEqual(self.lead.won_status, "pending", "the answer is not yet given")
        self.assertEqual(action["context"]["default_lead_ids"], self.lead.ids)
        # of a client there is nothing to lose
        self.assertIs(self._press(self.refused, record=self.client_company), True)

    def test_refused_of_a_closed_deal(self):
        self.lead.action_set_won()
        self.assertIs(self._press(self.refused), True)

    # ------------------------------------------------------------
    # AFTER THE LAST ATTEMPT
    # ------------------------------------------------------------

    def _get_warnings(self, user=None):
        return self.lead.activity_ids.filtered(
            lambda activity: activity.user_id == (user or self.user_sales)
        )

    def test_stage(self):
        stage = self.env["crm.stage"].create({"name": "Cannot be reached", "sequence": 50})
        self.missed.write({"final_action": "stage", "final_stage_id": stage.id})
        self._press(self.missed)
        self.assertEqual(self.lead.stage_id, stage)
        self.assertTrue(self.lead.active)
        self.assertFalse(self._get_warnings())

    def test_stage_refused(self):
        """Whatever refuses the stage, the outcome is recorded and the reason is seen."""
        stage = self.env["crm.stage"].create({"name": "Cannot be reached", "sequence": 50})
        self.missed.write({"final_action": "stage", "final_stage_id": stage.id})
        before = self.lead.stage_id
        Lead = self.env.registry["crm.lead"]
        write = Lead.write

        def refuse(leads, vals):
            write(leads, vals)
            if "stage_id" in vals:
                raise ValidationError("First send an offer.")
            return True

        with patch.object(Lead, "write", refuse):
            self._press(self.missed)
        self.assertEqual(self.lead.stage_id, before)
        self.assertEqual(self.lead.interaction_ids.outcome_id, self.missed)
        self.assertIn("First send an offer.", self._get_warnings().note)

    def test_stage_of_another_team(self):
        team = self.env["crm.team"].create({"name": "Elsewhere"})
        stage = self.env["crm.stage"].create({"name": "Theirs", "team_ids": team.ids})
        self.missed.write({"final_action": "stage", "final_stage_id": stage.id})
        self._press(self.missed)
        self.assertNotEqual(self.lead.stage_id, stage)
        self.assertIn("Theirs", self._get_warnings().note)

    def test_hand_over(self):
        """The deal and the next call go to the colleague, the user returns to the list."""
        self.missed.write({"final_action": "user", "final_user_id": self.user_sales2.id})
        result = self._press(self.missed, now=datetime(2026, 1, 14, 17, 0))
        self.assertEqual(self.lead.user_id, self.user_sales2)
        self.assertEqual(result["res_model"], "crm.lead")
        planned = self._get_planned()
        self.assertEqual(planned.user_id, self.user_sales2)
        self.assertEqual(planned.date_start, datetime(2026, 1, 15, 7, 0))
        self.assertEqual(planned.activity_id.user_id, self.user_sales2)
        # it ends there: the colleague decides
        self._press(self.missed, user=self.user_sales2, now=datetime(2026, 1, 15, 7, 0))
        self.assertFalse(self._get_planned())
        self.assertEqual(self.lead.user_id, self.user_sales2)
        self.assertTrue(self._get_warnings(self.user_sales2))

    def test_hand_over_to_a_stranger(self):
        self.missed.write({"final_action": "user", "final_user_id": self.user_sales2.id})
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.user_sales2.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        self._press(self.missed)
        self.assertEqual(self.lead.user_id, self.user_sales)
        self.assertFalse(self._get_planned())
        self.assertIn(self.company.name, self._get_warnings().note)

    def test_colleague_calls(self):
        """Whoever was asked to call records the outcome without having the deal."""
        self.missed.retry_ids = [Command.create({"delay": 5})]
        call = self._log(state="planned", date_start=NOW)
        call.user_id = self.user_sales2
        self.assertFalse(self.lead.with_user(self.user_sales2).has_access("read"))
        self._press(self.missed, record=call, user=self.user_sales2)
        planned = self._get_planned()
        self.assertEqual(planned.date_start, NOW + timedelta(minutes=5))
        self.assertEqual(planned.user_id, self.user_sales, "the conversation is the deal's")
        # but does not lose it
        call = self._log(state="planned", date_start=NOW)
        call.user_id = self.user_sales2
        self._press(self.missed, record=call, user=self.user_sales2)
        self.assertEqual(self.lead.won_status, "pending")
        self.assertTrue(self._get_warnings())

    # ------------------------------------------------------------
    # HOURS OF THE CLIENT
    # ------------------------------------------------------------

    def test_hours_of_the_client(self):
        """The client's own hours hold for its contacts, too."""
        self.missed.retry_ids = [Command.create({"delay": 5})]
        self.client_company.write({"crm_calling_hour_from": 14, "crm_calling_hour_to": 16.5})
        self.assertEqual(self.client_contact.crm_calling_hour_from, 14)
        self._press(self.missed)  # 11:00 in Riga
        self.assertEqual(self._get_planned().date_start, datetime(2026, 1, 14, 12, 0))
        clock = self.lead.client_clock
        self.assertEqual((clock["hour_from"], clock["hour_to"]), (14, 16.5))

    def test_hours_over_midnight(self):
        self.missed.retry_ids = [Command.create({"delay": 5})]
        self.client_company.write({"crm_calling_hour_from": 22, "crm_calling_hour_to": 2})
        self._press(self.missed)
        self.assertEqual(self._get_planned().date_start, datetime(2026, 1, 14, 20, 0))
        # 0:30 on Saturday belongs to the window of Friday
        saturday = datetime(2026, 1, 16, 22, 30)
        self._press(self.missed, record=self.client_company, now=saturday)
        self.assertEqual(
            self._get_planned(self.client_company).date_start, saturday + timedelta(minutes=5)
        )

    def test_hours_are_checked(self):
        for hours in ((9, 0), (-1, 9), (9, 25), (9, 9), (24, 9)):
            with self.subTest(hours=hours), self.assertRaises(ValidationError):
                self.client_company.write(
                    {"crm_calling_hour_from": hours[0], "crm_calling_hour_to": hours[1]}
                )

    def test_no_open_day(self):
        """A company that never works gets an error with a remedy, not a crash."""
        self.missed.retry_ids = [Command.create({"delay": 5})]
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Closed",
                "calendar_id": self.company.resource_calendar_id.id,
                "company_id": self.company.id,
                "date_from": NOW - timedelta(days=3),
                "date_to": NOW + timedelta(days=900),
            }
        )
        with self.assertRaisesRegex(UserError, "working days"):
            self._press(self.missed)

    # ------------------------------------------------------------
    # CONFIGURATION
    # ------------------------------------------------------------

    def test_configuration_checks(self):
        ladder = [Command.create({"delay": 5})]
        won = self.env["crm.stage"].create({"name": "Sold", "is_won": True})
        portal = self.env["res.users"].create(
            {
                "name": "Customer",
                "login": "outcome_customer",
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        other = self.env["res.company"].create({"name": "Elsewhere"})
        for values in (
            {"question": "callback", "retry_ids": ladder},
            {"question": "lost", "retry_ids": ladder},
            {"question": "callback", "final_action": "archive"},
            {"question": "lost", "final_action": "archive"},
            {"question": "number", "reached": True},
            {"reached": True, "final_action": "archive"},
            {"final_action": "lost"},
            {"final_action": "stage"},
            {"final_action": "stage", "final_stage_id": won.id},
            {"final_action": "user"},
            {"final_action": "user", "final_user_id": portal.id},
            {
                "final_action": "user",
                "final_user_id": self.user_sales.id,
                "company_id": other.id,
            },
            {"retry_ids": [Command.create({"delay": 400, "unit": "days"})]},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.env["crm.interaction.outcome"].create({"name": "X", **values})

    def test_used_outcome_stays(self):
        self._press(self.reached)
        with (
            self.assertRaises(ForeignKeyViolation),
            mute_logger("odoo.sql_db"),
            self.cr.savepoint(),
        ):
            self.reached.unlink()

    def test_default_outcomes(self):
        """Six outcomes; an upgrade adds what is missing and keeps what people changed."""
        expected = {
            "reached": (True, "none", 0),
            "no_answer": (False, "none", 4),
            "busy": (False, "none", 5),
            "wrong_number": (False, "number", 0),
            "call_back": (True, "callback", 0),
            "refused": (True, "lost", 0),
        }
        no_answer = self.env.ref(OUTCOMES + "no_answer")
        self.env.ref(OUTCOMES + "busy").unlink()
        no_answer.write({"name": "Nobody there", "active": False, "final_action": "archive"})
        no_answer.retry_ids[2:].unlink()
        expected["no_answer"] = (False, "none", 2)
        convert_file(
            self.env,
            "crm_extended",
            "data/crm_interaction_outcome_data.xml",
            {},
            mode="update",
            noupdate=True,
        )
        for name, values in expected.items():
            outcome = self.env.ref(OUTCOMES + name)
            found = (outcome.reached, outcome.question, len(outcome.retry_ids))
            self.assertEqual(found, values, name)
        self.assertEqual((no_answer.name, no_answer.active), ("Nobody there", False))
        self.assertEqual(no_answer.final_action, "archive")

    # ------------------------------------------------------------
    # TIME ZONE
    # ------------------------------------------------------------

    def test_time_zone_corrected(self):
        client = self.client_contact.with_user(self.user_sales)
        choices = client.get_client_tz_choices()
        self.assertEqual(choices["likely"], ["Europe/Riga"])
        self.assertIn("Asia/Kamchatka", choices["other"])
        self.assertTrue(choices["editable"])
        client.action_set_client_tz("Asia/Kamchatka")
        self.lead.invalidate_recordset()
        self.assertEqual(self.lead.client_clock["tz"], "Asia/Kamchatka")
        self.assertEqual(self.lead.client_clock["source"], "own")
        client.action_set_client_tz(False)
        self.lead.invalidate_recordset()
        self.assertEqual(self.lead.client_clock["source"], "phone")
        with self.assertRaises(UserError):
            client.action_set_client_tz("Nowhere/Land")

    def test_time_zone_of_a_colleague(self):
        colleague = self.user_sales2.partner_id.with_user(self.user_sales)
        self.assertFalse(colleague.get_client_tz_choices()["editable"])
        with self.assertRaises(AccessError):
            colleague.action_set_client_tz("Asia/Tokyo")

    def test_time_zone_is_for_those_who_may(self):
        with self.assertRaises(AccessError):
            self.client_contact.with_user(self.user_accountant).action_set_client_tz("Asia/Tokyo")

    def test_zone_by_the_state(self):
        kamchatka = self.env.ref("base.state_ru_kam")
        self.lead.write({"partner_id": False, "phone": False})
        self.lead.write({"country_id": kamchatka.country_id.id, "state_id": kamchatka.id})
        self.lead.invalidate_recordset()
        self.assertEqual(
            (self.lead.client_clock["tz"], self.lead.client_clock["source"]),
            ("Asia/Kamchatka", "state"),
        )
        self.missed.retry_ids = [Command.create({"delay": 5})]
        self._press(self.missed)  # 21:00 in Petropavlovsk
        self.assertEqual(self._get_planned().date_start, datetime(2026, 1, 14, 21, 0))
