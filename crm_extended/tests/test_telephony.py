import itertools
import json
import logging
import random
from datetime import timedelta
from unittest.mock import patch

import pytz
from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common_interaction import NOW
from .common_telephony import EVENTS_URL, NUMBER, TelephonyCase

RECORDING = "https://pbx.example.com/recordings/secret-1.mp3"


@tagged("post_install", "-at_install")
class TestTelephony(TelephonyCase):
    """Calls over real HTTP, and the interactions they become."""

    # ------------------------------------------------------------
    # ONE CALL, ONE INTERACTION
    # ------------------------------------------------------------

    def test_answered_call(self):
        self.assertEqual(self._send(self._ringing()), ["recorded"])
        interaction = self._get_interaction()
        self.assertEqual(
            (interaction.kind, interaction.direction, interaction.state), ("call", "in", "new")
        )
        self.assertEqual(interaction.partner_id, self.client_company)
        self.assertEqual(interaction.participant_ids.role, "from")
        self.assertEqual(interaction.participant_ids.partner_id, self.client_company)
        self.assertEqual(self._get_call().user_ids, self.user_sales)
        self._send(
            self._event("answered", 10, extension="102"),
            self._event("ended", 100, duration=90),
            self._event("recording", 110, recording_url=RECORDING),
        )
        self.assertEqual(self._get_interaction(), interaction)
        self.assertEqual(interaction.state, "done")
        self.assertEqual(interaction.user_id, self.user_sales2)
        self.assertEqual(interaction.duration, 1.5)
        self.assertEqual(interaction.date_start, self.start.replace(tzinfo=None))
        self.assertEqual(interaction.recording_url, RECORDING)
        self.assertEqual(interaction.date_answered, interaction.date_start)
        self.assertFalse(interaction.child_ids)
        self.assertEqual(self._get_call().state, "ended")
        self.assertEqual(self._get_call().user_ids, self.user_sales + self.user_sales2)

    def test_repeated_events(self):
        events = [self._ringing(), self._event("answered", 5, extension="101")]
        self.assertEqual(self._send(*events), ["recorded", "recorded"])
        before = self._get_interaction().read()
        self.assertEqual(self._send(*events), ["repeated", "repeated"])
        self.assertEqual(self._get_interaction().read(), before)

    def test_every_order_ends_alike(self):
        """The interaction is the same in whichever order its events come."""
        names = (
            *("state", "direction", "subject", "date_start", "duration", "user_id", "partner_id"),
            *("recording_url", "chain_id", "res_model", "res_id", "date_end", "date_answered"),
        )
        chance = random.Random(3)
        for direction in ("in", "out"):
            calls = {
                "answered": [
                    self._ringing(0, direction=direction),
                    self._event("answered", 10, extension="101", direction=direction),
                    self._event("ended", 70, duration=60),
                    self._event("recording", 80, recording_url=RECORDING),
                ],
                "missed": [
                    self._ringing(0, direction=direction),
                    self._event("missed", 20, extension="101"),
                    self._event("ended", 21),
                ],
            }
            for label, events in calls.items():
                orders = list(itertools.permutations(events))
                seen = set()
                for number, order in enumerate([orders[0], *chance.sample(orders, 5)]):
                    call_id = f"{direction}-{label}-{number}"
                    self._send(*({**event, "call_id": call_id} for event in order))
                    interaction = self._get_interaction(call_id)
                    self.assertEqual(len(interaction), 1)
                    # nothing is left over from what looked like a missed call for a moment
                    follow_up = interaction.child_ids.mapped("state")
                    values = interaction.read(names, load=False)[0]
                    seen.add(
                        json.dumps([*(values[name] for name in names), follow_up], default=str)
                    )
                    interaction.child_ids.unlink()
                    interaction.unlink()
                self.assertEqual(len(seen), 1, f"{direction} {label}: {seen}")

    def test_recording_first(self):
        """A recording of a call that nobody has reported waits for the call."""
        self._send(self._event("recording", 90, recording_url=RECORDING))
        self.assertFalse(self._get_interaction())
        self._send(self._event("ended", 60, duration=50, direction="in", **{"from": NUMBER}))
        interaction = self._get_interaction()
        self.assertEqual((interaction.recording_url, interaction.state), (RECORDING, "done"))

    def test_list_of_events(self):
        response = self._post(
            [
                self._ringing(),
                self._event("transferred"),
                self._ringing(call_id="call-2", number="+37129000111"),
                self._event("missed", 20),
            ]
        )
        self.assertEqual(
            [result["status"] for result in response.json()["results"]],
            ["recorded", "ignored", "recorded", "recorded"],
        )
        self.assertEqual(self._get_call("call-1").state, "missed")
        self.assertEqual(self._get_call("call-2").state, "ringing")

    def test_internal_call_is_no_interaction(self):
        self._send(
            self._event(
                "ringing", direction="internal", extension="102", **{"from": "101", "to": "102"}
            ),
            self._event("ended", 30, duration=20),
        )
        self.assertFalse(self._get_interaction())
        self.assertFalse(self._get_messages(self.user_sales2))

    def test_deleted_stays_deleted(self):
        self._send(self._ringing(), self._event("ended", 30, duration=20))
        self._get_interaction().with_user(self.user_manager).unlink()
        self.assertEqual(
            self._send(self._event("recording", 40, recording_url=RECORDING)), ["ignored"]
        )
        self.assertFalse(self._get_interaction())
        call = self._get_call()
        self.assertFalse(call.facts or call.number or call.name)

    def test_people_have_the_last_word(self):
        """What people changed on the interaction is not overwritten by later events."""
        self._send(self._ringing())
        interaction = self._get_interaction()
        interaction.with_user(self.user_sales).write(
            {"subject": "About the price", "user_id": self.user_all.id, "state": "done"}
        )
        self._send(self._event("missed", 20), self._event("recording", 30, recording_url=RECORDING))
        self.assertEqual(interaction.subject, "About the price")
        self.assertEqual(interaction.user_id, self.user_all)
        self.assertEqual((interaction.state, interaction.recording_url), ("done", RECORDING))
        self.assertFalse(interaction.child_ids, "whoever marks it as done needs no call back")

    # ------------------------------------------------------------
    # WHO AND ABOUT WHAT
    # ------------------------------------------------------------

    def test_only_open_deal(self):
        """The call is about the client's only open deal, whoever of the client calls."""
        self._send(self._ringing())
        interaction = self._get_interaction()
        self.assertEqual((interaction.res_model, interaction.res_id), ("crm.lead", self.lead.id))

    def test_several_open_deals(self):
        self.lead.copy({"name": "Another"})
        self._send(self._ringing())
        interaction = self._get_interaction()
        self.assertEqual(
            (interaction.res_model, interaction.res_id), ("res.partner", self.client_company.id)
        )

    def test_person_before_company(self):
        self.client_contact.phone = NUMBER
        self._send(self._ringing())
        self.assertEqual(self._get_interaction().partner_id, self.client_contact)
        others = self._get_call().with_user(self.user_sales).get_card()["others"]
        self.assertEqual([other["id"] for other in others], [self.client_company.id])

    def test_numbers_in_any_spelling(self):
        spellings = (
            "67000301",
            "+371 67 000-301",
            "0037167000301",
            "37167000301",
            "sip:+37167000301@x",
        )
        for number, spelling in enumerate(spellings):
            with self.subTest(spelling=spelling):
                call_id = f"spelling-{number}"
                self._send(self._ringing(number=spelling, call_id=call_id))
                self.assertEqual(self._get_interaction(call_id).partner_id, self.client_company)

    def test_unknown_number(self):
        self._send(self._ringing(number="+371 29 000 111", name="Somebody"))
        interaction = self._get_interaction()
        self.assertFalse(interaction.partner_id)
        self.assertEqual(interaction.participant_ids.name, "Somebody")
        self.assertEqual(interaction.participant_ids.phone_sanitized, "+37129000111")
        self.assertEqual(interaction.user_id, self.user_sales)
        self.assertTrue(interaction.with_user(self.user_sales).has_access("read"))
        # a second call goes on where the first was
        self._send(self._ringing(number="+37129000111", call_id="call-2"))
        self.assertEqual(self._get_interaction("call-2").chain_id, interaction.chain_id)

    def test_hidden_number(self):
        self._send(self._ringing(number=None), self._ringing(number="anonymous", call_id="call-2"))
        interaction = self._get_interaction()
        self.assertFalse(interaction.partner_id or interaction.participant_ids.phone)
        self.assertNotEqual(interaction.chain_id, self._get_interaction("call-2").chain_id)

    def test_deal_without_contact(self):
        lead = self.env["crm.lead"].create({"name": "Web form", "phone": "+37129000111"})
        self._send(self._ringing(number="+37129000111"))
        interaction = self._get_interaction()
        self.assertEqual((interaction.res_model, interaction.res_id), ("crm.lead", lead.id))
        card = self._get_call().with_user(self.user_sales).get_card()
        self.assertFalse(card["client"])

    def test_other_company(self):
        """A provider sees contacts, deals and people of its own company only."""
        other = self.env["res.company"].create({"name": "Elsewhere"})
        user = new_test_user(
            self.env,
            "int_elsewhere",
            groups="base.group_user,sales_team.group_sale_salesman",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        foreign = self.env["res.partner"].create(
            {"name": "Theirs", "phone": "+37129000111", "company_id": other.id}
        )
        with self.assertRaises(ValidationError):
            self.provider.line_ids = [Command.create({"number": "900", "user_id": user.id})]
        self._send(self._ringing(number="+37129000111"))
        interaction = self._get_interaction()
        self.assertFalse(interaction.partner_id)
        self.assertEqual(interaction.company_id, self.company)
        self.assertFalse(interaction.with_user(user).has_access("read"))
        theirs = self.env["crm.telephony.provider"].create(
            {
                "name": "Theirs",
                "company_id": other.id,
                "country_id": self.latvia.id,
                "line_ids": [Command.create({"number": "101", "user_id": user.id})],
            }
        )
        # the same call id of another provider is another call
        token = theirs._generate_token()
        self.assertEqual(self._post(self._ringing(number="+37129000111"), token).status_code, 200)
        call = self.env["crm.telephony.call"].search([("provider_id", "=", theirs.id)])
        self.assertEqual(call.interaction_id.partner_id, foreign)
        self.assertEqual(call.interaction_id.company_id, other)
        self.assertNotEqual(call.interaction_id, interaction)
        manager = self.user_manager
        self.assertFalse(theirs.with_user(manager).has_access("read"))
        self.assertFalse(call.with_user(manager).has_access("read"))
        with self.assertRaises(AccessError):
            theirs.with_user(manager).action_generate_token()

    # ------------------------------------------------------------
    # MISSED, PLANNED, ANSWERED
    # ------------------------------------------------------------

    def test_missed_call(self):
        self._send(self._ringing(extension="102"), self._event("missed", 20))
        interaction = self._get_interaction()
        self.assertEqual(interaction.state, "new")
        # the deal's salesperson, not the operator
        self.assertEqual(interaction.user_id, self.user_sales)
        back = interaction.child_ids
        self.assertEqual(
            (back.state, back.direction, back.user_id), ("planned", "out", self.user_sales)
        )
        self.assertEqual(back.chain_id, interaction.chain_id)
        window = self.company._get_calling_window()

        self.assertTrue(window.contains(back.date_start, pytz.timezone("Europe/Riga")))
        # a second missed call needs no second call back
        self._send(self._ringing(call_id="call-2"), self._event("missed", 20, call_id="call-2"))
        self.assertFalse(self._get_interaction("call-2").child_ids)

    def test_missed_in_the_night(self):
        evening = NOW.replace(hour=20)  # 22:00 in Riga, Wednesday
        with patch.object(fields.Datetime, "now", lambda *args: evening):
            self.provider._generate_token()
            call = self.env["crm.telephony.call"].create(
                {"provider_id": self.provider.id, "uid": "x", "number_sanitized": NUMBER}
            )
            call.interaction_id = self._log(direction="in", state="new")
            call._plan_call_back()
        self.assertEqual(
            call.interaction_id.child_ids.date_start, evening.replace(hour=7) + timedelta(days=1)
        )

    def test_missed_by_unassigned(self):
        """Without a salesperson the call belongs to whose line rang; without a line to all."""
        self.lead.user_id = False
        self._send(self._ringing(extension="102"), self._event("missed", 20))
        self.assertEqual(self._get_interaction().user_id, self.user_sales2)
        self._send(
            self._ringing(extension="999", call_id="call-2"),
            self._event("missed", 20, call_id="call-2"),
        )
        self.assertFalse(self._get_interaction("call-2").user_id)

    def test_calls_again_and_is_answered(self):
        """The client reached us himself: nobody calls him back."""
        self._send(self._ringing(), self._event("missed", 20))
        missed = self._get_interaction()
        back = missed.child_ids
        self._send(
            self._ringing(30, call_id="call-2"),
            self._event("answered", 40, call_id="call-2", extension="101"),
        )
        self.assertEqual((missed.state, back.state), ("done", "cancelled"))
        self.assertEqual(missed.answer_id, self._get_interaction("call-2"))

    def test_outgoing_closes_what_was_planned(self):
        planned = self._log(
            state="planned", date_start=fields.Datetime.now() + timedelta(hours=2), subject="Ask"
        )
        activity = planned.activity_id
        self._send(self._ringing(direction="out"))
        interaction = self._get_interaction()
        self.assertEqual(interaction, planned)
        self.assertEqual(interaction.state, "planned")
        self._send(
            self._event("answered", 10, extension="101"), self._event("ended", 70, duration=60)
        )
        self.assertEqual((planned.state, planned.duration, planned.subject), ("done", 1.0, "Ask"))
        self.assertEqual(planned.date_start, self.start.replace(tzinfo=None))
        self.assertFalse(activity.active)
        self.assertEqual(len(self.lead.interaction_ids), 1)

    def test_outgoing_leaves_what_is_planned_for_later(self):
        planned = self._log(state="planned", date_start=fields.Datetime.now() + timedelta(days=3))
        self._send(self._ringing(direction="out"), self._event("ended", 70, duration=60))
        self.assertEqual(planned.state, "planned")
        self.assertEqual(self._get_interaction().state, "done")

    def test_outgoing_answers_missed_call(self):
        self._send(self._ringing(), self._event("missed", 20))
        missed = self._get_interaction()
        back = missed.child_ids
        # the call back is planned for the next opening of the window, maybe days ahead
        back.date_start = fields.Datetime.now()
        self._send(
            self._ringing(60, call_id="call-2", direction="out"),
            self._event("ended", 100, call_id="call-2", duration=30),
        )
        self.assertEqual(self._get_interaction("call-2"), back)
        self.assertEqual((missed.state, back.state), ("done", "done"))

    def test_outgoing_not_answered_waits_for_outcome(self):
        self._send(self._ringing(direction="out"), self._event("missed", 20))
        interaction = self._get_interaction()
        self.assertEqual(interaction.state, "new")
        lead = self.lead.with_user(self.user_sales)
        lead.action_record_outcome(self.missed.id, key=lead.interaction_attempt_key)
        self.assertEqual((interaction.state, interaction.outcome_id), ("done", self.missed))
        self.assertEqual(
            self.lead.interaction_ids.filtered("attempt_number").mapped("state").count("planned"), 1
        )
        # what still arrives adds the recording and leaves the outcome
        self._send(self._event("recording", 30, recording_url=RECORDING))
        self.assertEqual(
            (interaction.recording_url, interaction.outcome_id), (RECORDING, self.missed)
        )

    def test_outcome_after_the_call(self):
        self._send(
            self._ringing(direction="out"),
            self._event("answered", 5, extension="101"),
            self._event("ended", 70, duration=60),
        )
        interaction = self._get_interaction().with_user(self.user_sales)
        card = self._get_call().with_user(self.user_sales).get_card()
        interaction.action_record_outcome(self.reached.id, key=card["outcomes"]["key"])
        self.assertEqual(interaction.outcome_id, self.reached)
        self.assertEqual(interaction.date_start, self.start.replace(tzinfo=None))
        self.assertEqual(len(self.lead.interaction_ids), 1)
        self.assertFalse(self._get_call().with_user(self.user_sales).get_card()["outcomes"])

    def test_outgoing_call_by_login(self):
        self._send(self._ringing(direction="out", extension=" ANNA-phone"))
        self.assertEqual(self._get_call().user_ids, self.user_sales2)

    # ------------------------------------------------------------
    # RECORDINGS
    # ------------------------------------------------------------

    def test_recording_is_for_those_who_read_notes(self):
        self._send(self._ringing(), self._event("recording", 5, recording_url=RECORDING))
        interaction = self._get_interaction()
        self.assertEqual(
            interaction.with_user(self.user_sales).read(["recording_url"])[0]["recording_url"],
            RECORDING,
        )
        header = interaction.with_user(self.user_accountant)
        self.assertTrue(header.has_access("read"))
        for read in (
            lambda: header.read(["recording_url"]),
            lambda: header.search([("recording_url", "=like", "https%")]),
            lambda: interaction.with_user(self.user_sales2).read(["recording_url"]),
        ):
            with self.assertRaises(AccessError):
                read()
        for user in (self.user_manager, self.user_sales):
            with self.assertRaises(AccessError):
                interaction.with_user(user).write({"recording_url": "https://evil.example.com"})
            with self.assertRaises(AccessError):
                self._log(user=user, recording_url="https://evil.example.com")
            with self.assertRaises(AccessError):
                self._get_call().with_user(user).read(["facts"])

    def test_silence_of_logs(self):
        """Neither tokens nor recordings reach log, log of requests or bus."""
        with self.assertLogs("odoo", logging.INFO) as logs:
            self._send(self._ringing(), self._event("recording", 5, recording_url=RECORDING))
            self._post(self._event("recording", 5, recording_url="ftp://secret-1.mp3"))
            self._post("{", token=self.token + "x")
        traces = [
            *logs.output,
            *self.provider.request_ids.mapped(lambda request: request.message or ""),
            *self.env["bus.bus"].search([]).mapped("message"),
        ]
        self.assertFalse(
            [trace for trace in traces if self.token[15:] in trace or "secret-1" in trace]
        )


@tagged("post_install", "-at_install")
class TestTelephonyDoor(TelephonyCase):
    """Who is let in, and what is refused."""

    def _assert_refused(self, response, status, code, field=None):
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.headers["Content-Type"], "application/json; charset=utf-8")
        error = response.json()["error"]
        self.assertEqual((error["code"], error.get("field")), (code, field))
        self.assertTrue(error["message"])
        self.assertNotIn("Set-Cookie", response.headers)

    def test_tokens(self):
        event = self._ringing()
        for token in ("", "x", "crmtel_", self.token[:-1], self.token + "x", self.token.upper()):
            response = self._post(event, token=token)
            self._assert_refused(response, 401, "unauthorized")
            self.assertEqual(response.headers["WWW-Authenticate"], "Bearer")
        response = self._post(event, headers={"Authorization": f"Basic {self.token}"})
        self._assert_refused(response, 401, "unauthorized")
        self.assertFalse(self._get_call())
        response = self.url_open(
            f"{EVENTS_URL}?token={self.token}",
            data="{}",
            headers={"Content-Type": "application/json"},
        )
        self._assert_refused(response, 401, "unauthorized")

    def test_token_is_kept_hashed(self):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT t::text FROM crm_telephony_provider t WHERE id = %s", [self.provider.id]
        )
        [row] = self.env.cr.fetchone()
        self.assertNotIn(self.token, row)
        self.assertNotIn(self.token[15:], row)
        manager = self.provider.with_user(self.user_manager)
        with self.assertRaises(AccessError):
            manager.read(["token_hash"])
        with self.assertRaises(AccessError):
            manager.search([("token_hash", "=like", "a%")])
        for vals in (
            {"token_hash": "0" * 64},
            {"token_state": "active"},
            {"token_index": "crmtel_x"},
        ):
            with self.assertRaises(AccessError):
                manager.write(vals)
        forged = manager.with_context(
            default_token_hash="0" * 64, default_token_state="active"
        ).create({"name": "Forged"})
        self.assertEqual((forged.token_state, forged.sudo().token_hash), ("none", False))
        self.assertFalse(self.provider.copy().token_hash)

    def test_replaced_and_revoked(self):
        manager = self.provider.with_user(self.user_manager)
        action = manager.action_generate_token()
        new_token = action["context"]["default_token"]
        dialog = self.env[action["res_model"]].with_user(self.user_manager)
        shown = Form(dialog.with_context(**action["context"]))
        self.assertEqual(shown.token, new_token)
        self._assert_refused(self._post(self._ringing()), 401, "unauthorized")
        self.assertEqual(self._post(self._ringing(), token=new_token).status_code, 200)
        manager.action_revoke_token()
        self._assert_refused(self._post(self._ringing(), token=new_token), 401, "unauthorized")
        self.assertEqual(manager.token_state, "revoked")
        self.assertEqual(manager.refused_message, "The token was revoked.")
        again = manager.action_generate_token()["context"]["default_token"]
        self.assertEqual(self._post(self._ringing(), token=again).status_code, 200)
        manager.active = False
        self._assert_refused(self._post(self._ringing(), token=again), 401, "unauthorized")
        for user in (self.user_sales, self.user_all, self.user_accountant):
            with self.assertRaises(AccessError):
                self.provider.with_user(user).action_generate_token()
            with self.assertRaises(AccessError):
                self.provider.with_user(user).read(["name"])

    def test_bodies(self):
        self._assert_refused(self._post("{"), 400, "invalid_json")
        self._assert_refused(self._post(b"\xff\xfe"), 400, "invalid_json")
        self._assert_refused(self._post('{"duration": NaN}'), 400, "invalid_json")
        self._assert_refused(self._post("[" * 100_000), 400, "invalid_json")
        self._assert_refused(self._post(" "), 400, "invalid_json")
        self._assert_refused(self._post("null"), 422, "invalid_field", "body")
        self._assert_refused(self._post([]), 422, "invalid_field", "body")
        self._assert_refused(
            self._post({**self._ringing(), "timestamp": "yesterday"}),
            422,
            "invalid_field",
            "timestamp",
        )
        self._assert_refused(
            self._post([self._ringing(), self._event("recording")]),
            422,
            "invalid_field",
            "[1].recording_url",
        )
        self._assert_refused(
            self._post(self._ringing(), headers={"Content-Type": "text/plain"}),
            415,
            "unsupported_media_type",
        )
        self._assert_refused(self._post(" " * (256 * 1024 + 1)), 413, "too_large")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(self._post("a" * (256 * 1024 + 1), headers=form).status_code, 413)
        self.assertFalse(self._get_call())
        self.assertEqual(self.provider.refused_count, 11)
        self.assertEqual(self.provider.refused_message, "A request has at most 262144 bytes.")

    def test_other_methods(self):
        self.assertEqual(self.url_open(EVENTS_URL).status_code, 405)
        response = self.url_open("/crm_extended/telephony/v1/schema")
        self.assertEqual(response.status_code, 200)
        self.assertIn("call_id", response.json()["$defs"]["event"]["properties"])

    def test_rate_limit(self):
        self.provider.rate_limit = 3
        self._send(self._ringing())
        self.assertEqual(
            self._post([self._event("answered", 5), self._event("ended", 9)]).status_code, 200
        )
        for _time in range(2):
            response = self._post(self._event("ended", 9))
            self._assert_refused(response, 429, "too_many_requests")
            self.assertTrue(1 <= int(response.headers["Retry-After"]) <= 60)
        limited = self.provider.request_ids.filtered(lambda r: r.code == "too_many_requests")
        self.assertEqual(len(limited), 1, "the log does not grow with what is refused")
        # another provider is not concerned, and a minute later neither is this one
        other = self.provider.copy({"name": "Other"})
        token = other._generate_token()
        self.assertEqual(self._post(self._ringing(), token=token).status_code, 200)
        self.provider.request_ids.write({"date": fields.Datetime.now() - timedelta(seconds=61)})
        self._send(self._event("ended", 9))

    def test_refused_requests_count_for_the_limit(self):
        self.provider.rate_limit = 2
        for _time in range(2):
            self.assertEqual(self._post("{").status_code, 400)
        self._assert_refused(self._post("{"), 429, "too_many_requests")

    def test_vacuum(self):
        Request = self.env["crm.telephony.request"]
        now = fields.Datetime.now()
        old = Request.create(
            [
                {"provider_id": self.provider.id, "state": state, "date": date}
                for state, date in (
                    ("accepted", now - timedelta(hours=3)),
                    ("refused", now - timedelta(days=31)),
                )
            ]
        )
        recent = Request.create(
            [{"provider_id": self.provider.id, "state": "refused"} for _number in range(503)]
        )
        accepted = Request.create({"provider_id": self.provider.id, "state": "accepted"})
        self.env.flush_all()
        Request._gc_requests()
        Request.invalidate_model()
        self.assertFalse(old.exists())
        self.assertTrue(accepted.exists())
        self.assertEqual(recent.exists(), recent[3:])

    def test_old_calls_are_cleaned(self):
        self._send(self._ringing(), self._event("ended", 30, duration=20))
        interaction = self._get_interaction()
        self.env.cr.execute(
            "UPDATE crm_telephony_call SET write_date = write_date - interval '91 days'"
        )
        self.env.invalidate_all()
        self.env["crm.telephony.call"]._gc_calls()
        self.assertFalse(self._get_call())
        # its recording still finds it
        self._send(self._ringing(), self._event("recording", 40, recording_url=RECORDING))
        self.assertEqual(self._get_interaction(), interaction)
        self.assertEqual(interaction.recording_url, RECORDING)
