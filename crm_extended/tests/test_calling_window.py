import random
from datetime import date, datetime, timedelta

import pytz
from odoo.addons.crm_extended.tools.calling_window import CallingWindow, first_moment, to_local
from odoo.addons.crm_extended.tools.retry_ladder import get_next_attempt, get_retry_delay
from odoo.addons.crm_extended.tools.state_zones import STATE_ZONES
from odoo.addons.crm_extended.tools.time_zone import (
    find_time_zone,
    get_phone_zone,
    get_state_zone,
)
from odoo.tests import BaseCase, tagged

ZONES = (
    "UTC",
    "Europe/Riga",
    "Europe/Moscow",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
)
LADDER = [timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3), timedelta(days=1)]


@tagged("post_install", "-at_install")
class TestCallingWindow(BaseCase):
    """The calling window and the ladder, over all clocks. No database."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(20261122)

    def _random_window(self):
        hour_from = self.random.randrange(0, 23 * 4) / 4
        hour_to = self.random.randrange(int(hour_from * 4) + 1, 24 * 4 + 1) / 4
        weekdays = frozenset(self.random.sample(range(7), self.random.randint(1, 7)))
        day = date(2026, 1, 1)
        holidays = frozenset(day + timedelta(days=self.random.randrange(365)) for _i in range(8))
        return CallingWindow(hour_from, hour_to, weekdays, holidays)

    def test_move_into_properties(self):
        """The result is inside, not earlier, the earliest there is, and moving again is idle."""
        for _round in range(1500):
            zone = pytz.timezone(self.random.choice(ZONES))
            window = self._random_window()
            moment = datetime(2026, 1, 1) + timedelta(
                seconds=self.random.randrange(365 * 24 * 3600)
            )
            moved = window.move_into(moment, zone)
            case = (zone, window, moment, moved)
            self.assertTrue(window.contains(moved, zone), case)
            self.assertGreaterEqual(moved, moment, case)
            self.assertEqual(window.move_into(moved, zone), moved, case)
            if moved > moment:
                self.assertFalse(window.contains(moment, zone), case)
                self.assertFalse(window.contains(moved - timedelta(seconds=1), zone), case)
                gap = (moved - moment).total_seconds()
                for _probe in range(20):
                    probe = moment + timedelta(seconds=self.random.random() * gap * 0.999999)
                    self.assertFalse(window.contains(probe, zone), (*case, probe))

    def test_midnight_and_weekend(self):
        window = CallingWindow()
        zone = pytz.timezone("Europe/Riga")  # UTC+2 in winter
        friday_evening = datetime(2026, 1, 16, 16, 30)
        self.assertEqual(window.move_into(friday_evening, zone), datetime(2026, 1, 19, 7, 0))
        after_midnight = datetime(2026, 1, 13, 23, 30)
        self.assertEqual(window.move_into(after_midnight, zone), datetime(2026, 1, 14, 7, 0))
        inside = datetime(2026, 1, 14, 15, 59)
        self.assertEqual(window.move_into(inside, zone), inside)
        closing = datetime(2026, 1, 14, 16, 0)
        self.assertEqual(window.move_into(closing, zone), datetime(2026, 1, 15, 7, 0))

    def test_holiday(self):
        window = CallingWindow(holidays=frozenset({date(2026, 1, 14), date(2026, 1, 15)}))
        zone = pytz.utc
        self.assertEqual(
            window.move_into(datetime(2026, 1, 14, 10), zone), datetime(2026, 1, 16, 9)
        )

    def test_daylight_saving(self):
        """9:00 is 9:00 by the client's clock on both sides of the change."""
        zone = pytz.timezone("Europe/Riga")
        window = CallingWindow(weekdays=frozenset(range(7)))
        # clocks go forward on 29 March 2026 and back on 25 October 2026
        self.assertEqual(
            window.move_into(datetime(2026, 3, 28, 20), zone), datetime(2026, 3, 29, 6)
        )
        self.assertEqual(
            window.move_into(datetime(2026, 10, 24, 20), zone), datetime(2026, 10, 25, 7)
        )

    def test_opening_inside_a_jump(self):
        """2:30 does not exist on 8 March 2026 in New York: the window opens with the jump."""
        zone = pytz.timezone("America/New_York")
        window = CallingWindow(2.5, 5, frozenset(range(7)))
        opened = window.move_into(datetime(2026, 3, 8, 5), zone)
        self.assertEqual(opened, datetime(2026, 3, 8, 7))
        self.assertEqual(to_local(opened, zone), datetime(2026, 3, 8, 3))
        # a window that lies wholly inside the jump has no such day
        window = CallingWindow(2.25, 2.75, frozenset(range(7)))
        opened = window.move_into(datetime(2026, 3, 8, 5), zone)
        self.assertEqual(to_local(opened, zone), datetime(2026, 3, 9, 2, 15))

    def test_repeated_hour_taken_first(self):
        zone = pytz.timezone("America/New_York")
        self.assertEqual(
            first_moment(datetime(2026, 11, 1, 1, 30), zone), datetime(2026, 11, 1, 5, 30)
        )

    def test_refused_windows(self):
        for hours in ((9, 9), (9, 0), (24, 9), (-1, 9), (9, 25)):
            with self.assertRaises(ValueError):
                CallingWindow(*hours)
        with self.assertRaises(ValueError):
            CallingWindow(weekdays=frozenset())
        closed = frozenset(date(2026, 1, 1) + timedelta(days=day) for day in range(800))
        with self.assertRaises(ValueError):
            CallingWindow(holidays=closed).move_into(datetime(2026, 1, 1), pytz.utc)

    def test_ladder(self):
        self.assertEqual([get_retry_delay(n, LADDER) for n in range(1, 6)], [*LADDER, None])
        self.assertIsNone(get_retry_delay(1, []))
        with self.assertRaises(ValueError):
            get_retry_delay(0, LADDER)

    def test_next_attempt_properties(self):
        """Never before the delay has passed, never outside the window, None only at the end."""
        for _round in range(500):
            zone = pytz.timezone(self.random.choice(ZONES))
            window = self._random_window()
            now = datetime(2026, 1, 1) + timedelta(minutes=self.random.randrange(365 * 24 * 60))
            attempts = self.random.randint(1, 6)
            moment = get_next_attempt(now, attempts, LADDER, window, zone)
            if attempts > len(LADDER):
                self.assertIsNone(moment)
            else:
                self.assertGreaterEqual(moment, now + LADDER[attempts - 1])
                self.assertTrue(window.contains(moment, zone))

    def test_time_zone_sources(self):
        """Entered, by the number, by the state, by the country, the company's."""
        self.assertEqual(
            find_time_zone("Asia/Tokyo", "+37167000301", None, "LV", "UTC"), ("Asia/Tokyo", "own")
        )
        self.assertEqual(
            find_time_zone(None, "+37167000301", "CA", "US", "UTC"), ("Europe/Riga", "phone")
        )
        self.assertEqual(
            find_time_zone(None, "67 000 301", None, "LV", "UTC"), ("Europe/Riga", "phone")
        )
        self.assertEqual(find_time_zone(None, "x", None, "RU", "UTC"), ("Europe/Moscow", "country"))
        self.assertEqual(
            find_time_zone(None, None, None, None, "Europe/Paris"), ("Europe/Paris", "company")
        )
        self.assertEqual(find_time_zone("Nowhere/Land", None, None, None, None), ("UTC", "company"))

    def test_time_zone_of_a_state(self):
        """The state says more than a number that is used all over the country."""
        mobile = "+7 912 345 67 89"
        self.assertEqual(find_time_zone(None, mobile, None, "RU"), ("Europe/Moscow", "phone"))
        for state, zone in (
            ("KAM", "Asia/Kamchatka"),
            ("SVE", "Asia/Yekaterinburg"),
            ("KGD", "Europe/Kaliningrad"),
        ):
            self.assertEqual(find_time_zone(None, mobile, state, "RU"), (zone, "state"))
            self.assertEqual(find_time_zone(None, None, state, "RU"), (zone, "state"))
        # an area code says more than the state
        self.assertEqual(
            find_time_zone(None, "+1 212 555 2671", "HI", "US"), ("America/New_York", "phone")
        )
        self.assertEqual(find_time_zone(None, None, "HI", "US"), ("Pacific/Honolulu", "state"))
        self.assertEqual(find_time_zone(None, None, "XX", "US"), ("America/New_York", "country"))
        # the code alone means nothing: WA is Washington, and Western Australia
        self.assertEqual(get_state_zone("US", "WA"), "America/Los_Angeles")
        self.assertEqual(get_state_zone("AU", "WA"), "Australia/Perth")
        self.assertIsNone(get_state_zone(None, "WA"))

    def test_state_table(self):
        """Every zone exists, and belongs to its country or to a territory of it."""
        territories = {
            "America/Puerto_Rico",
            "America/St_Thomas",
            "Pacific/Guam",
            "Pacific/Pago_Pago",
            "Pacific/Saipan",
        }
        for (country, state), zone in STATE_ZONES.items():
            self.assertIn(zone, pytz.all_timezones_set, (country, state))
            self.assertIn(zone, {*pytz.country_timezones[country], *territories}, (country, state))

    def test_phone_zone_of_an_area(self):
        """The area code decides where the number has one."""
        self.assertEqual(get_phone_zone("+1 415 555 2671"), "America/Los_Angeles")
        self.assertEqual(get_phone_zone("+7 383 227 40 00"), "Asia/Novosibirsk")
        self.assertIsNone(get_phone_zone("12"))
