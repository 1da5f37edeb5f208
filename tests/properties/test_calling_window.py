"""The calling window against a clock that is read minute by minute. No database.

The reference knows nothing of openings and turned clocks: it asks another time zone library
what the client's clock shows, minute after minute, until the window is open.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytz
from hypothesis import example, given, settings
from hypothesis import strategies as st
from odoo.addons.crm_extended.tools.calling_window import CallingWindow
from odoo.addons.crm_extended.tools.retry_ladder import get_next_attempt
from odoo.tests import BaseCase, tagged

ZONES = (
    "UTC",
    "Europe/Riga",
    "Europe/Moscow",
    "Asia/Kamchatka",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",  # turns its clock at midnight
    "Africa/Cairo",  # at midnight, too
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Honolulu",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)
# the days on which clocks are turned somewhere deserve more than their share
TURNS = [
    date(2026, month, day)
    for month, day in ((3, 7), (3, 8), (3, 28), (3, 29), (4, 4), (4, 5), (4, 23), (4, 24), (9, 5))
] + [date(2026, 9, 6), date(2026, 10, 3), date(2026, 10, 24), date(2026, 10, 25), date(2026, 11, 1)]

hours = st.integers(0, 24 * 12 - 1).map(lambda n: n / 12)
days = st.one_of(st.sampled_from(TURNS), st.dates(FIRST, LAST))
minutes = st.integers(0, 24 * 60 - 1)


@st.composite
def windows(draw):
    hour_from = draw(hours)
    hour_to = draw(st.one_of(hours.filter(bool), st.just(24.0)))
    if hour_from == hour_to:
        hour_to = hour_from + 1 if hour_from < 23 else 1.0
    return CallingWindow(
        hour_from,
        hour_to,
        # never closed for longer than the reference is willing to walk
        frozenset(draw(st.sets(st.integers(0, 6), min_size=4))),
        frozenset(draw(st.sets(st.sampled_from(TURNS), max_size=3))),
    )


def is_open(window, moment, zone_name):
    """Whether a window is open at a moment (naive, UTC), by a reading of the clock."""
    local = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone_name))
    clock = local.hour * 60 + local.minute
    start, end = round(window.hour_from * 60), round(window.hour_to * 60)

    def opens_on(day):
        return day.weekday() in window.weekdays and day not in window.holidays

    today, yesterday = local.date(), local.date() - DAY
    if start < end:
        return start <= clock < end and opens_on(today)
    return (clock >= start and opens_on(today)) or (clock < end and opens_on(yesterday))


def walk(window, moment, zone_name):
    """First open minute at or after a moment."""
    while not is_open(window, moment, zone_name):
        moment += MINUTE
    return moment


@tagged("post_install", "-at_install")
class TestCallingWindowProperties(BaseCase):
    @given(window=windows(), day=days, minute=minutes, zone_name=st.sampled_from(ZONES))
    # over midnight into a spring gap, all day, the second of two equal hours
    @example(CallingWindow(22, 2.5, frozenset(range(7))), date(2026, 3, 8), 300, "America/New_York")
    @example(CallingWindow(0, 24, frozenset(range(4))), date(2026, 10, 23), 600, "Europe/Riga")
    @example(
        CallingWindow(1.5, 1.75, frozenset(range(7))), date(2026, 11, 1), 350, "America/New_York"
    )
    @example(
        CallingWindow(0.5, 1.5, frozenset(range(7))), date(2026, 11, 1), 335, "America/New_York"
    )
    @settings(max_examples=300, deadline=None)
    def test_move_into(self, window, day, minute, zone_name):
        """The window is entered at the first minute at which it is open."""
        moment = datetime.combine(day, datetime.min.time()) + minute * MINUTE
        moved = window.move_into(moment, pytz.timezone(zone_name))
        self.assertEqual(moved, walk(window, moment, zone_name))

    @given(window=windows(), day=days, minute=minutes, zone_name=st.sampled_from(ZONES))
    @settings(max_examples=500, deadline=None)
    def test_contains(self, window, day, minute, zone_name):
        moment = datetime.combine(day, datetime.min.time()) + minute * MINUTE
        self.assertEqual(
            window.contains(moment, pytz.timezone(zone_name)), is_open(window, moment, zone_name)
        )

    @given(
        window=windows(),
        day=days,
        minute=minutes,
        zone_name=st.sampled_from(ZONES),
        ladder=st.lists(st.integers(1, 3 * 24 * 60), max_size=5),
    )
    @settings(max_examples=150, deadline=None)
    def test_ladder(self, window, day, minute, zone_name, ladder):
        """Every rung is waited for in full, then the window; the ladder ends when it ends."""
        moment = datetime.combine(day, datetime.min.time()) + minute * MINUTE
        delays = [delay * MINUTE for delay in ladder]
        zone = pytz.timezone(zone_name)
        for attempts, delay in enumerate(delays, start=1):
            following = get_next_attempt(moment, attempts, delays, window, zone)
            self.assertEqual(following, walk(window, moment + delay, zone_name))
            moment = following
        self.assertIsNone(get_next_attempt(moment, len(delays) + 1, delays, window, zone))
