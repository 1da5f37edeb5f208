"""A day of a salesperson: calls, a missed one, a stranger, an e-mail, a meeting, a deal won."""

import json
import urllib.request
from datetime import datetime, timedelta, timezone

from odoo.fields import Command, Datetime
from odoo.tests import tagged
from playwright.sync_api import expect

from .common import StoryCase, open_page

DEALS = "crm.crm_lead_opportunities"
CLIENTS = ("Ash Yard", "Birch Yard", "Cedar Yard", "Elm Yard", "Fir Yard")
CALLER, CALLER_NUMBER = "Hazel Yard", "+37167555401"
STRANGER, STRANGER_NUMBER = "Sara Stranger", "+37129555402"
MAIL = """From: Ash Yard <ash@yard.example.com>
To: deals@example.com
Subject: Delivery by Friday?
Message-ID: <delivery@yard.example.com>
Date: {date}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

We need the drills by Friday.
"""


@tagged("post_install", "-at_install")
class TestSalespersonDay(StoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.ref("base.main_company")
        # the story is told at any hour of any day
        cls.company.resource_calendar_id = cls.env["resource.calendar"].create(
            {
                "name": "Always",
                "tz": "UTC",
                "attendance_ids": [
                    Command.create(
                        {"name": "x", "dayofweek": str(day), "hour_from": 0, "hour_to": 24}
                    )
                    for day in range(7)
                ],
            }
        )
        cls.company.write({"crm_calling_hour_from": 0, "crm_calling_hour_to": 24})
        cls.seller = cls.create_user(
            "day_sales",
            "sales_team.group_sale_salesman",
            email="day_sales@ours.example.com",
        )
        cls.process = cls._create_process()
        cls.deals = cls.env["crm.lead"].create(
            [
                {
                    "name": f"Drills for {name}",
                    "type": "opportunity",
                    "user_id": cls.seller.id,
                    "process_id": cls.process.id if name == CLIENTS[0] else False,
                    "partner_id": cls.env["res.partner"]
                    .create(
                        {
                            "name": name,
                            "is_company": True,
                            "phone": f"+3716755541{number}",
                            "email": f"{name.split()[0].lower()}@yard.example.com",
                        }
                    )
                    .id,
                }
                for number, name in enumerate(CLIENTS)
            ]
        )
        cls.deal = cls.deals[0]
        cls.calls = (
            cls.env["crm.interaction"]
            .with_user(cls.seller)
            .create(
                [
                    {
                        "subject": "Ask about the offer",
                        "kind": "call",
                        "state": "planned",
                        "date_start": Datetime.now() - timedelta(hours=1),
                        "res_model": "crm.lead",
                        "res_id": deal.id,
                    }
                    for deal in cls.deals
                ]
            )
        )
        cls.env["res.partner"].create(
            {"name": CALLER, "phone": CALLER_NUMBER, "user_id": cls.seller.id}
        )
        provider = cls.env["crm.telephony.provider"].create(
            {
                "name": "Day exchange",
                "company_id": cls.company.id,
                "line_ids": [Command.create({"number": "931", "user_id": cls.seller.id})],
            }
        )
        cls.token = provider._generate_token()

    @classmethod
    def _create_process(cls):
        """Contact (asks for the expected revenue), meeting (asks for one), signed (won)."""
        stages = cls.env["crm.stage"].create(
            [
                {"name": "Day Contact", "sequence": 201},
                {"name": "Day Meeting", "sequence": 202},
                {"name": "Day Signed", "sequence": 203, "is_won": True},
            ]
        )
        revenue = cls.env["ir.model.fields"]._get("crm.lead", "expected_revenue")
        steps = (
            {"required_field_ids": [Command.set(revenue.ids)]},
            {"interaction_kind": "meeting"},
        )
        return cls.env["crm.sale.process"].create(
            {
                "name": "Day by day",
                "control": "strict",
                "step_ids": [
                    Command.create({"sequence": number, "stage_id": stage.id, **step})
                    for number, (stage, step) in enumerate(
                        zip(stages, (*steps, {}), strict=True), start=1
                    )
                ],
            }
        )

    def test_day(self):
        with self.browsing():
            self.page = self.open_window("day_sales")
            self._make_five_calls()
            self._call_back_who_was_missed()
            self._ring("day-2", STRANGER_NUMBER)
        call_id = self.env["crm.telephony.call"].search([("uid", "=", "day-2")]).id
        with self.browsing():
            self._register_stranger(call_id)
        self._check_calls()

        # a client writes
        self.env["mail.thread"].message_process(
            "crm.lead",
            MAIL.format(date=datetime.now(timezone.utc).strftime("%a, %d %b %Y %H:%M:%S +0000")),
            thread_id=self.deal.id,
        )
        mail = self.deal.interaction_ids.filtered(lambda contact: contact.kind == "email")
        self.assertRecordValues(mail, [{"state": "new", "user_id": self.seller.id}])
        with self.browsing():
            self._answer_mail()
        self.assertEqual(mail.state, "done")
        self.assertRecordValues(
            mail.answer_id, [{"kind": "email", "direction": "out", "user_id": self.seller.id}]
        )

        deal_id = self.deal.id
        with self.browsing():
            self._win_the_deal(deal_id)
        self.assertEqual(self.deal.won_status, "won")
        [meeting] = self.deal.interaction_ids.filtered(lambda contact: contact.kind == "meeting")
        self.assertEqual((meeting.state, meeting.subject), ("done", "At their yard"))
        self.assertFalse(self.page_errors)

    # ------------------------------------------------------------
    # The telephone
    # ------------------------------------------------------------

    def _record(self, client, outcome):
        """Press an outcome of a call in the list."""
        row = self.page.locator("tr.o_data_row", has_text=client)
        row.locator(f".o_crm_outcome_buttons button:has-text('{outcome}')").click()

    def _expect_recorded(self, outcome):
        """Wait until an outcome is recorded, and put its message away."""
        message = self.page.locator(".o_notification", has_text=f"Recorded: {outcome}")
        expect(message).to_be_visible()
        message.locator(".o_notification_close").click()
        expect(message).to_have_count(0)

    def _make_five_calls(self):
        open_page(self.page, "/odoo/my-calls", ".o_list_view")
        expect(self.page.locator("tr.o_data_row")).to_have_count(5)
        for client, outcome in zip(CLIENTS, ("Reached", "No answer", "Busy", "Busy"), strict=False):
            self._record(client, outcome)
            self._expect_recorded(outcome)
        # the last one by the keyboard: it has moved to the top, where the cursor is
        expect(self.page.locator("tr.o_data_row").first).to_contain_text(CLIENTS[4])
        self.page.keyboard.press("1")
        self._expect_recorded("Reached")

    def _send(self, kind, call_id, **values):
        """What the telephone exchange reports."""
        event = {
            "event": kind,
            "call_id": call_id,
            "timestamp": datetime.now(timezone.utc).isoformat(),
            **values,
        }
        request = urllib.request.Request(
            f"{self.base_url()}/crm_extended/telephony/v1/events",
            data=json.dumps(event).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.assertEqual(json.load(answer)["results"][0]["status"], "recorded")

    def _ring(self, call_id, number):
        self._send(
            "ringing",
            call_id,
            direction="in",
            extension="931",
            **{"from": number, "to": "+37167555000"},
        )

    def _call_back_who_was_missed(self):
        self._ring("day-1", CALLER_NUMBER)
        self._send("missed", "day-1")
        open_page(self.page, "/odoo/my-calls", ".o_list_view")
        self._record(CALLER, "Reached")
        self._expect_recorded("Reached")
        expect(self.page.locator("tr.o_data_row", has_text=CALLER)).to_have_count(0)

    def _register_stranger(self, call_id):
        # the bus, which Odoo switches off in its browser tests, tells the screen of the call:
        # see test_call_card.py; here the screen is told that it knew
        self.page.evaluate(
            "id => sessionStorage.setItem('crm_extended.calls', JSON.stringify([id]))", call_id
        )
        self.page.reload()
        card = self.page.locator(".o_crm_call_card", has_text="Not among the contacts")
        expect(card).to_be_visible()
        self._send("answered", "day-2", extension="931")
        card.locator(".o_crm_call_create").click()
        self.page.fill(".modal [name=name] input, .modal [name=name] textarea", STRANGER)
        self.page.click(".modal .o_form_button_save, .modal footer .btn-primary")
        expect(self.page.locator(".o_crm_call_card a.o_crm_call_name")).to_have_text(STRANGER)
        self._send("ended", "day-2", duration=60)

    def _check_calls(self):
        outcomes = [call.outcome_id.reached for call in self.calls]
        self.assertEqual(outcomes, [True, False, False, False, True])
        self.assertEqual(set(self.calls.mapped("state")), {"done"})
        # who was not reached is called again
        self.assertEqual(
            [bool(deal.interaction_next_date) for deal in self.deals],
            [False, True, True, True, False],
        )
        missed, taken = (
            self.env["crm.interaction"].search([("call_uid", "=like", f"%:{call_id}")], limit=1)
            for call_id in ("day-1", "day-2")
        )
        self.assertEqual(missed.state, "done")
        self.assertTrue(missed.answer_id.outcome_id.reached)
        self.assertEqual(taken.state, "done")
        self.assertEqual(taken.partner_id.name, STRANGER)
        self.assertEqual(taken.partner_id.phone_sanitized, STRANGER_NUMBER)

    # ------------------------------------------------------------
    # Mail, meeting, deal
    # ------------------------------------------------------------

    def _answer_mail(self):
        open_page(self.page, "/odoo/interactions", ".o_list_view")
        self.page.locator("tr.o_data_row td", has_text="Delivery by Friday?").first.click()
        self.press(self.page, "action_reply")
        self.write_html(self.page, "body", "They leave tomorrow.", within=".modal")
        self.press(self.page, "action_send_mail", within=".modal")
        expect(self.page.locator(".modal")).to_have_count(0)

    def _step_forward(self):
        self.page.click("[name=process_checklist] [data-action=next]")

    def _win_the_deal(self, deal_id):
        page = self.page
        self.open_record(page, DEALS, deal_id)
        checklist = page.locator("[name=process_checklist]")
        expect(checklist).to_contain_text("Day Contact")
        # nothing is skipped
        self._step_forward()
        refusal = page.locator(".modal, .o_notification").last
        expect(refusal).to_contain_text("Expected Revenue")
        refusal.locator(".btn-close, .o_notification_close").first.click()
        page.locator("[name=expected_revenue] input").first.fill("5000")
        self._step_forward()
        expect(checklist).to_contain_text("Day Meeting")
        self.press(page, "action_log_interaction")
        page.locator(".modal [name=kind] .o_selection_badge", has_text="Meeting").click()
        page.locator(".modal [name=subject] input").fill("At their yard")
        page.locator(".modal footer .btn-primary").click()
        expect(page.locator(".modal")).to_have_count(0)
        expect(checklist.locator(".fa-check-circle")).to_have_count(1)
        self._step_forward()
        expect(page.locator(".o_reward")).to_be_visible()
