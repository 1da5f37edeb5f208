from datetime import datetime, timedelta

import pytz
from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PortalCase

# a Monday, 10:00 in Berlin, 18:00 in Tokyo
NOW = datetime(2026, 11, 30, 9, 0)


@tagged("post_install", "-at_install")
class TestManagerHours(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.resource_calendar_id.tz = "Europe/Berlin"
        cls.handler.tz = "Europe/Berlin"
        cls.north.user_id = cls.handler

    def test_hours(self):
        for now, is_there, text in (
            (datetime(2026, 11, 30, 9, 0), True, "available until 12:00"),
            (datetime(2026, 11, 30, 17, 40), False, "back tomorrow at 8:00"),
            (datetime(2026, 11, 30, 5, 0), False, "back today at 8:00"),
            (datetime(2026, 12, 4, 20, 0), False, "back on Monday, 7 December at 8:00"),
        ):
            with self.subTest(now):
                hours = self.handler._portal_get_hours(now)
                self.assertEqual(hours["is_there"], is_there)
                self.assertIn(text, hours["text"])
        self.assertIn(
            "6:40", self.handler._portal_get_hours(datetime(2026, 11, 30, 17, 40))["time"]
        )

    def test_leave(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holidays",
                "calendar_id": self.company.resource_calendar_id.id,
                "date_from": datetime(2026, 11, 29, 0, 0),
                "date_to": datetime(2026, 12, 1, 23, 0),
            }
        )
        hours = self.handler._portal_get_hours(NOW)
        self.assertIn("back on Wednesday", hours["text"])

    def test_manager_of_a_customer(self):
        company = self.company
        self.assertEqual(self.nina.partner_id._portal_get_manager(company), self.handler)
        self.assertFalse(self.boris.partner_id._portal_get_manager(company))
        company.portal_manager_id = self.handler
        self.assertEqual(self.boris.partner_id._portal_get_manager(company), self.handler)
        self.handler.active = False
        self.assertFalse(self.nina.partner_id._portal_get_manager(company))


@tagged("post_install", "-at_install")
class TestCallRequests(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.resource_calendar_id.tz = "Europe/Berlin"
        cls.handler.tz = "Europe/Berlin"
        cls.north.user_id = cls.handler
        cls.balt.user_id = cls.handler
        cls.Interaction = cls.env["crm.interaction"]
        # the first working day at least two days ahead, 10:00 in Berlin
        now = fields.Datetime.now()
        slots = cls.handler._portal_get_slots(
            now + timedelta(days=2), now + timedelta(days=8), now=now
        )
        zone = pytz.timezone("Europe/Berlin")
        cls.slot = next(
            slot for slot in slots if pytz.utc.localize(slot).astimezone(zone).hour == 10
        )

    def _ask(self, moment=None, **values):
        return self.post(
            "/my/call",
            {
                "kind": "call",
                "slot": (moment or self.slot).strftime("%Y%m%d%H%M"),
                "topic": "Prices of next year",
                "note": "We grow <b>fast</b>",
                "phone": "+49 30 123456",
                "form_key": "k",
                **values,
            },
        )

    def _get_requests(self, user=None):
        return self.Interaction.search(
            [("portal_request_partner_id", "=", (user or self.nina).partner_id.id)]
        )

    def test_page(self):
        self.login(self.nina)
        page = self.url_open("/my/call").text
        self.assertIn("Henry Handler", page)
        self.assertIn("Asia/Tokyo", page)
        local = pytz.utc.localize(self.slot).astimezone(pytz.timezone("Asia/Tokyo"))
        self.assertIn(local.strftime("%H:%M"), page)
        self.assertIn(f'value="{self.slot:%Y%m%d%H%M}"', page)

    def test_home_shows_the_manager(self):
        self.login(self.nina)
        self.assertIn("Your personal manager", self.url_open("/my").text)
        self.login(self.carla)
        self.assertNotIn("Your personal manager", self.url_open("/my").text)

    def test_call(self):
        self.login(self.nina)
        self.assertEqual(self._ask().status_code, 303)
        interaction = self._get_requests()
        self.assertRecordValues(
            interaction,
            [
                {
                    "kind": "call",
                    "state": "planned",
                    "date_start": self.slot,
                    "duration": 30,
                    "user_id": self.handler.id,
                    "partner_id": self.nina.partner_id.id,
                    "subject": "Prices of next year",
                }
            ],
        )
        self.assertIn("+49 30 123456", interaction.body)
        self.assertNotIn("<b>fast</b>", interaction.body)
        page = self.url_open("/my/call?notice=requested").text
        self.assertIn("Prices of next year", page)
        self.assertNotIn(f'value="{self.slot:%Y%m%d%H%M}"', page)

    def test_double_click(self):
        self.login(self.nina)
        self.assertEqual([self._ask().status_code, self._ask().status_code], [303, 303])
        self.assertEqual(len(self._get_requests()), 1)

    def test_conflict_offers_alternatives(self):
        self.login(self.boris)
        self._ask()
        self.login(self.nina)
        response = self._ask()
        self.assertEqual(response.status_code, 422)
        self.assertIn("not free any more", response.text)
        self.assertIn("Free near it", response.text)
        self.assertNotIn("Boris", response.text)
        self.assertFalse(self._get_requests())

    def test_busy_calendar(self):
        self.env["calendar.event"].create(
            {
                "name": "Secret",
                "start": self.slot - timedelta(minutes=10),
                "stop": self.slot + timedelta(minutes=10),
                "partner_ids": [(6, 0, self.handler.partner_id.ids)],
            }
        )
        self.login(self.nina)
        response = self._ask()
        self.assertEqual(response.status_code, 422)
        self.assertNotIn("Secret", response.text)

    def test_meeting_is_in_the_calendar(self):
        self.login(self.nina)
        self.assertEqual(self._ask(kind="meeting").status_code, 303)
        meeting = self._get_requests()
        event = meeting.calendar_event_id
        self.assertEqual(event.start, self.slot)
        self.assertEqual(event.user_id, self.handler)
        self.assertEqual(event.partner_ids, self.handler.partner_id | self.nina.partner_id)
        self.assertEqual(self.Interaction.search_count([("calendar_event_id", "=", event.id)]), 1)
        self.assertEqual(meeting.state, "planned")
        self.post(f"/my/call/{meeting.id}/cancel")
        self.assertEqual(meeting.state, "cancelled")
        self.assertFalse(event.active)

    @mute_logger("odoo.http")
    def test_cancel(self):
        self.login(self.nina)
        self._ask()
        interaction = self._get_requests()
        for user in (self.boris, self.ned, self.carla):
            self.login(user)
            self.assertEqual(self.post(f"/my/call/{interaction.id}/cancel").status_code, 404)
        self.login(self.nina)
        self.assertEqual(self.post(f"/my/call/{interaction.id}/cancel").status_code, 303)
        self.assertEqual(interaction.state, "cancelled")
        response = self.post(f"/my/call/{interaction.id}/cancel")
        self.assertIn("late", response.headers["Location"])

    @mute_logger("odoo.http")
    def test_bad_input(self):
        self.login(self.nina)
        for values in (
            {"slot": ""},
            {"slot": "999999999999"},
            {"slot": "202601010000"},
            {"slot": "\u0663" * 12},
            {"slot": self.slot.strftime("%Y%m%d%H%M")[:11]},
            {"slot": (self.slot + timedelta(minutes=7)).strftime("%Y%m%d%H%M")},
            {"slot": (self.slot + timedelta(days=90)).strftime("%Y%m%d%H%M")},
            {"kind": "email"},
            {"topic": "   "},
            {"form_key": ""},
        ):
            with self.subTest(values):
                self.assertEqual(self._ask(**values).status_code, 422, values)
        self.assertFalse(self._get_requests())
        for user in (self.carla, self.handler):  # nobody to ask, and not a customer
            self.authenticate(user.login, user.login)
            self.assertIn(self._ask(form_key="x").status_code, (404, 422))
        self.login(None)
        self.assertEqual(self.url_open("/my/call", allow_redirects=False).status_code, 303)

    def test_open_requests_are_limited(self):
        self.login(self.nina)
        slots = self.handler._portal_get_slots(self.slot, self.slot + timedelta(hours=2))
        for index in range(3):
            self.assertEqual(self._ask(slots[index], form_key=str(index)).status_code, 303)
        response = self._ask(slots[3], form_key="4")
        self.assertEqual(response.status_code, 422)
        self.assertIn("cancel one of them", response.text)
