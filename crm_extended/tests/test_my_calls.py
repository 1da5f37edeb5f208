import json
import random
from ast import literal_eval
from datetime import date, datetime, timedelta

import pytz
from freezegun import freeze_time
from odoo import Command, fields
from odoo.addons.crm_extended.tools.calling_window import CallingWindow, to_local
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged, users

from .common_interaction import NOW, InteractionCommon

ORDER = "call_rank, date_deadline, id"


@tagged("post_install", "-at_install")
class TestMyCalls(InteractionCommon):
    """The rows of My Calls: order, number, attempts, counters."""

    def _plan(self, minutes, document=None, **values):
        return self._log(
            document=document,
            state="planned",
            date_start=NOW + timedelta(minutes=minutes),
            **values,
        )

    def _get_calls(self, user=None, extra=()):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_interaction_action_calls"
        )
        domain = [
            *fields.Domain(literal_eval(action["domain"])),
            ("user_id", "=", (user or self.user_sales).id),
            ("state", "in", ("new", "planned", "postponed")),
            *extra,
        ]
        return (
            self.env["crm.interaction"]
            .with_user(user or self.user_sales)
            .search(domain, order=ORDER)
        )

    @freeze_time(NOW)
    def test_order(self):
        """Due ones first, the oldest on top; the others by their time."""
        later = self._plan(30)
        young = self._plan(-5)
        old = self._plan(-90)
        tomorrow = self._plan(24 * 60)
        calls = self._get_calls()
        self.assertEqual(calls, old + young + later + tomorrow)
        self.assertEqual(
            calls.mapped(lambda call: call.call_rank < 1000), [True, True, False, False]
        )

    def test_row(self):
        self.env["res.lang"]._activate_lang("en_US")
        with freeze_time(NOW):
            self.lead.with_user(self.user_sales).action_record_outcome(
                self.missed.id, note="Answering machine"
            )
        call = self._get_calls().with_context(lang="en_US")
        self.assertEqual(call.attempt_label, "2 of 5")
        self.assertEqual(call.last_outcome_id, self.missed)
        self.assertEqual(call.last_note, "Answering machine")
        self.assertEqual(call.client_phone, "+371 67 000 301")
        self.assertEqual(call.client_name, self.client_contact.display_name)
        self.assertEqual(call.client_clock["tz"], "Europe/Riga")
        self.assertEqual(call.client_clock["partner_id"], self.client_contact.id)
        self.assertFalse(call.is_phone_wrong)

    def test_first_attempt(self):
        call = self._plan(-5)
        self.assertEqual(call.attempt_label, "1")
        self.assertFalse(call.last_outcome_id)

    def test_unknown_caller(self):
        call = (
            self.env["crm.interaction"]
            .with_user(self.user_sales)
            .create(
                {
                    "subject": "Missed call",
                    "direction": "in",
                    "state": "new",
                    "participant_ids": [
                        Command.create({"name": "Somebody", "phone": "+7 383 227 40 00"})
                    ],
                }
            )
        )
        self.assertEqual(call.client_name, "Somebody")
        self.assertEqual(call.client_phone, "+7 383 227 40 00")
        self.assertEqual(call.client_clock["tz"], "Asia/Novosibirsk")
        self.assertFalse(call.client_clock["partner_id"])
        # and is called back by that clock
        with freeze_time(NOW):  # 16:00 in Novosibirsk
            call.action_record_outcome(self.missed.id)
        retry = call.chain_id.interaction_ids.filtered(lambda row: row.state == "planned")
        self.assertEqual(retry.date_start, NOW + timedelta(minutes=5))
        with freeze_time(NOW + timedelta(hours=2)):
            retry.action_record_outcome(self.missed.id)
        retry = call.chain_id.interaction_ids.filtered(lambda row: row.state == "planned")
        self.assertEqual(retry.date_start, datetime(2026, 1, 15, 2, 0))

    def test_missed_call_gives_way_to_its_call_back(self):
        with freeze_time(NOW):
            arrived = self._log(direction="in", state="new", date_start=NOW)
            self.assertEqual(self._get_calls(), arrived)
            call_back = self._plan(10, parent_id=arrived.id)
            self.assertTrue(arrived.is_call_back_planned)
            self.assertEqual(self._get_calls(), call_back)
            call_back.action_cancel()
            self.assertEqual(self._get_calls(), arrived)
            # a call planned for another purpose answers nothing
            meeting = self._plan(60 * 24 * 7)
            self.assertEqual(self._get_calls(), arrived + meeting)

    @freeze_time(NOW)
    def test_counters(self):
        Interaction = self.env["crm.interaction"].with_user(self.user_sales).with_context(tz="UTC")
        self.assertEqual(
            Interaction.get_call_counters(), {"due_now": 0, "later_today": 0, "done_today": 0}
        )
        self._plan(-5)
        self._plan(-60 * 24)
        self._plan(60)
        self._plan(60 * 24)
        self._plan(-5, kind="meeting")
        self._plan(-5).user_id = self.user_sales2
        self.lead.copy({"user_id": self.user_sales.id}).with_user(
            self.user_sales
        ).action_record_outcome(self.reached.id)
        self.assertEqual(
            Interaction.get_call_counters(), {"due_now": 2, "later_today": 1, "done_today": 1}
        )
        # the tiles show what they count
        view = self.env.ref("crm_extended.crm_interaction_view_search_calls").arch
        for name in Interaction._get_call_counter_domains():
            self.assertIn(f'name="{name}"', view)

    @users("int_accountant")
    def test_accountants_read_headers_only(self):
        call = self._plan(-5).with_env(self.env)
        self.assertNotIn("client_phone", call.read()[0])
        with self.assertRaises(AccessError):
            call.read(["last_note"])

    def test_notes_of_colleagues(self):
        """Who was asked to call sees the number, not what others have noted about the deal."""
        self.lead.with_user(self.user_sales).action_record_outcome(self.missed.id, note="Secret")
        call = self._plan(-5)
        call.user_id = self.user_sales2
        call = call.with_user(self.user_sales2)
        self.assertEqual(call.client_phone, "+371 67 000 301")
        self.assertFalse(call.last_note)

    def test_queries_of_a_list(self):
        """Reading a long list costs no more queries than a short one."""
        names = ["client_name", "client_phone", "client_clock", "attempt_label", "last_note"]
        names += ["res_name", "outcome_buttons"]
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": f"Deal {number}",
                    "type": "opportunity",
                    "user_id": self.user_sales.id,
                    "partner_id": self.env["res.partner"]
                    .create({"name": f"Client {number}", "phone": f"+371 67 000 {number + 400}"})
                    .id,
                }
                for number in range(24)
            ]
        )
        calls = self.env["crm.interaction"].union(*[self._plan(-5, lead) for lead in leads])

        def count(records):
            self.env.invalidate_all()
            self.env.flush_all()
            before = self.cr.sql_log_count
            records.with_user(self.user_sales).read(names)
            return self.cr.sql_log_count - before

        count(calls[:1])  # warm up
        self.assertLessEqual(count(calls), count(calls[:4]) + 4)


@tagged("post_install", "-at_install")
class TestMyCallsScreen(InteractionCommon, HttpCase):
    """My Calls by keyboard, and the clock that runs in the browser."""

    def test_tour(self):
        """Down, up, a digit, the next row; a dialog in between; all without a mouse."""
        leads = self.lead
        for name in ("Second deal", "Third deal"):
            leads += self.lead.copy({"name": name, "user_id": self.user_sales.id})
        now = fields.Datetime.now()
        for minutes, lead in zip((30, 20, 10), leads, strict=True):
            self._log(document=lead, state="planned", date_start=now - timedelta(minutes=minutes))
        later = self.env["crm.interaction.outcome"].create(
            {"name": "Later", "reached": True, "question": "callback", "sequence": 20}
        )
        # the client is awake at any hour at which the test may run
        self.client_company.write({"crm_calling_hour_from": 0, "crm_calling_hour_to": 24})
        self.company.resource_calendar_id.attendance_ids = [
            Command.create(
                {
                    "name": day,
                    "dayofweek": day,
                    "hour_from": 8,
                    "hour_to": 9,
                    "day_period": "morning",
                }
            )
            for day in ("5", "6")
        ]
        self.start_tour("/odoo/my-calls", "crm_extended_my_calls_tour", login="int_sales")
        done = [
            lead.interaction_ids.filtered(lambda call: call.state == "done").outcome_id
            for lead in leads
        ]
        self.assertEqual(done, [self.missed, self.reached, later])
        self.assertTrue(leads[0].interaction_next_id.attempt_number)
        self.assertTrue(leads[2].interaction_next_date > now)

    def test_clock_in_the_browser(self):
        """The browser paints a clock green exactly when the server would plan a call."""
        rng = random.Random(3)
        cases = []
        for zone_name in ("Asia/Kamchatka", "Pacific/Honolulu", "Europe/Riga", "America/New_York"):
            zone = pytz.timezone(zone_name)
            for _round in range(60):
                hour_from, hour_to = rng.randrange(24), rng.randrange(1, 25)
                if hour_from == hour_to:
                    continue
                window = CallingWindow(
                    hour_from,
                    hour_to,
                    frozenset(rng.sample(range(7), 4)),
                    frozenset({date(2026, 3, 29), date(2026, 11, 1)}),
                )
                moment = datetime(2026, rng.choice((3, 11)), rng.randint(1, 30), rng.randrange(24))
                moment += timedelta(minutes=rng.randrange(60))
                cases.append(
                    {
                        "clock": {
                            "tz": zone_name,
                            "hour_from": hour_from,
                            "hour_to": hour_to,
                            "weekdays": sorted(window.weekdays),
                            "holidays": [day.isoformat() for day in window.holidays],
                        },
                        "moment": moment.isoformat() + "Z",
                        "local": to_local(moment, zone).strftime("%H:%M"),
                        "open": window.contains(moment, zone),
                    }
                )
        self.assertEqual({case["open"] for case in cases}, {True, False})
        code = """
            const { isCallingTime } = odoo.loader.modules.get(
                "@crm_extended/client_clock/calling_hours"
            );
            const wrong = CASES.filter((item) => {
                const local = luxon.DateTime.fromISO(item.moment).setZone(item.clock.tz);
                return (
                    isCallingTime(item.clock, local) !== item.open ||
                    local.toFormat("HH:mm") !== item.local
                );
            });
            if (wrong.length) {
                console.error(`${wrong.length} wrong: ${JSON.stringify(wrong[0])}`);
            } else {
                console.log("test successful");
            }
        """
        self.browser_js(
            "/odoo",
            code.replace("CASES", json.dumps(cases)),
            ready="odoo.isReady",
            login="int_sales",
        )
