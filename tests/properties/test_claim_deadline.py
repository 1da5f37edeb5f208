"""Deadlines of claims against a simulation that walks minute by minute. No database.

The simulation knows nothing of sums, fractions of spans or their inversion: it asks each minute
whether it is working time, paused or the right day, and adds what the minute is worth.
"""

from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytz
from hypothesis import given, settings
from hypothesis import strategies as st
from odoo.addons.crm_claims.tools.deadline import (
    CALENDAR_DAYS,
    HOURS,
    WORKING_DAYS,
    BeyondHorizonError,
    build_calendar_days,
    build_hours,
    build_working_days,
    get_count_start,
    get_deadline,
    get_deadline_date,
    get_midnight,
    get_used,
    merge_pauses,
)
from odoo.tests import BaseCase, tagged

ZONES = ("UTC", "Europe/Moscow", "Europe/Riga", "America/New_York", "Asia/Kolkata", "Africa/Cairo",
         "America/Santiago", "Australia/Lord_Howe")  # fmt: skip
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HORIZON = 12  # days
# ordinary days, and days around which clocks are turned somewhere
FIRST_DAYS = [date(2026, 1, 12), date(2026, 3, 6), date(2026, 3, 27), date(2026, 4, 22),
              date(2026, 9, 4), date(2026, 10, 22), date(2026, 10, 30)]  # fmt: skip
minutes_of_day = st.integers(0, 24 * 60)


class Office:
    """Working hours of a week with lunch, public holidays and one closed afternoon."""

    def __init__(self, zone, hours, holidays, closed):
        self.zone, self.hours, self.holidays, self.closed = zone, hours, holidays, closed

    def is_open(self, moment):
        """Whether the minute that begins at ``moment`` (naive UTC) is working time."""
        local = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(self.zone))
        if local.date() in self.holidays:
            return False
        if self.closed and self.closed[0] <= moment < self.closed[1]:
            return False
        minute = local.hour * 60 + local.minute
        return any(begin <= minute < end for begin, end in self.hours[local.weekday()])

    def intervals(self, first):
        """The same as intervals, found by joining open minutes."""
        begin, found = None, []
        moment = first
        for __ in range((HORIZON + 2) * 24 * 60):
            if self.is_open(moment):
                begin = begin or moment
            elif begin:
                found.append((begin, moment))
                begin = None
            # a span never reaches over midnight: a day is a day
            if begin and (moment + MINUTE) == get_midnight(
                self.date(moment) + DAY, pytz.timezone(self.zone)
            ):
                found.append((begin, moment + MINUTE))
                begin = None
            moment += MINUTE
        return found

    def date(self, moment):
        return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(self.zone)).date()


@st.composite
def day_hours(draw):
    """No hours, one stretch, or two with lunch between them."""
    points = draw(st.lists(minutes_of_day, min_size=0, max_size=4, unique=True).map(sorted))
    return [(points[n], points[n + 1]) for n in range(0, len(points) - 1, 2)]


@st.composite
def offices(draw):
    week = [draw(day_hours()) for __ in range(7)]
    # somebody works some day, or nothing ever counts
    week[draw(st.integers(0, 6))] = [(9 * 60, 13 * 60), (14 * 60, 18 * 60)]
    first = draw(st.sampled_from(FIRST_DAYS))
    holidays = {first + DAY * n for n in draw(st.sets(st.integers(0, HORIZON), max_size=2))}
    closed = None
    if draw(st.booleans()):
        begin = datetime.combine(first, time()) + MINUTE * draw(st.integers(0, 5 * 24 * 60))
        closed = (begin, begin + MINUTE * draw(st.integers(1, 600)))
    return first, Office(draw(st.sampled_from(ZONES)), week, holidays, closed)


@st.composite
def pauses_of(draw, start):
    pauses = []
    for __ in range(draw(st.integers(0, 3))):
        since = start + MINUTE * draw(st.integers(-600, 6 * 24 * 60))
        pauses.append((since, since + MINUTE * draw(st.integers(0, 3 * 24 * 60))))
    return pauses


class Simulation:
    """Walks from ``start`` minute by minute and adds what each minute is worth."""

    def __init__(self, office, unit, start):
        self.office, self.unit, self.start = office, unit, start
        self.first_day = office.date(start) + DAY
        self.worth = {}

    def get_worth(self, moment):
        office = self.office
        if self.unit == HOURS:
            return Fraction(1, 60) if office.is_open(moment) else 0
        day = office.date(moment)
        if day < self.first_day:
            return 0
        counts = (lambda m: True) if self.unit == CALENDAR_DAYS else office.is_open
        if not counts(moment):
            return 0
        if day not in self.worth:
            minute, total = moment - 2 * DAY, 0
            for __ in range(4 * 24 * 60):
                total += office.date(minute) == day and counts(minute)
                minute += MINUTE
            self.worth[day] = Fraction(1, total)
        return self.worth[day]

    def walk(self, pauses, until=None, budget=None):
        """What is used until a moment, or the end of the minute in which a budget is used up."""
        used, moment = Fraction(0), self.start
        for __ in range(HORIZON * 24 * 60):
            if until is not None and moment >= until:
                return used
            if not any(since <= moment < end for since, end in pauses):
                used += self.get_worth(moment)
            moment += MINUTE
            if budget is not None and used >= budget:
                return moment
        return None


@tagged("post_install", "-at_install")
class TestClaimDeadline(BaseCase):
    def _build(self, office, unit, first):
        begin = datetime.combine(first, time()) - DAY
        zone = pytz.timezone(office.zone)
        if unit == CALENDAR_DAYS:
            return build_calendar_days(first - DAY, first + DAY * (HORIZON + 2), zone)
        intervals = office.intervals(begin)
        return build_hours(intervals) if unit == HOURS else build_working_days(intervals, zone)

    @settings(max_examples=40, deadline=None)
    @given(offices(), st.sampled_from([HOURS, WORKING_DAYS, CALENDAR_DAYS]), st.data())
    def test_deadline_and_rest(self, given_office, unit, data):
        first, office = given_office
        zone = pytz.timezone(office.zone)
        start = datetime.combine(first, time()) + MINUTE * data.draw(st.integers(0, 24 * 60))
        quarters = data.draw(st.integers(1, 40 if unit == HOURS else 8))
        budget = Fraction(quarters, 4 if unit == HOURS else 2)
        pauses = data.draw(pauses_of(start))
        clock = self._build(office, unit, first)
        counted = get_count_start(start, unit, zone)
        simulation = Simulation(office, unit, start)

        expected = simulation.walk(pauses, budget=budget)
        try:
            deadline = get_deadline(clock, counted, budget, pauses)
        except BeyondHorizonError:
            deadline = None
        if expected is None:
            # behind what the simulation walks
            self.assertTrue(deadline is None or deadline > start + DAY * HORIZON - MINUTE)
            return
        self.assertEqual(-(-(deadline - datetime(2026, 1, 1)) // MINUTE),
                         (expected - datetime(2026, 1, 1)) // MINUTE)  # fmt: skip
        # what is used at any moment, and the rest, agree with the walk
        now = start + MINUTE * data.draw(st.integers(0, 8 * 24 * 60))
        self.assertEqual(get_used(clock, counted, now, pauses), simulation.walk(pauses, until=now))
        # not a second earlier is it used up, at the deadline it is
        self.assertGreaterEqual(get_used(clock, counted, deadline, pauses), budget)
        before = deadline - timedelta(seconds=1)
        self.assertLess(get_used(clock, counted, before, pauses), budget)

    @settings(max_examples=40, deadline=None)
    @given(offices(), st.sampled_from([HOURS, WORKING_DAYS, CALENDAR_DAYS]), st.data())
    def test_pause_that_is_open(self, given_office, unit, data):
        """While it waits there is no deadline; going on, the rest runs from that moment."""
        first, office = given_office
        start = datetime.combine(first, time(8))
        counted = get_count_start(start, unit, pytz.timezone(office.zone))
        clock = self._build(office, unit, first)
        since = counted + MINUTE * data.draw(st.integers(0, 2 * 24 * 60))
        used = get_used(clock, counted, since)
        budget = used + Fraction(1, 2)
        self.assertIsNone(get_deadline(clock, counted, budget, [(since, None)]))
        until = since + MINUTE * data.draw(st.integers(0, 3 * 24 * 60))
        self.assertEqual(get_used(clock, counted, until, [(since, None)]), used)
        try:
            resumed = get_deadline(clock, counted, budget, [(since, until)])
            rest = get_deadline(clock, until, Fraction(1, 2))
        except BeyondHorizonError:
            return
        self.assertEqual(resumed, rest)

    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 50), st.one_of(st.none(), st.integers(0, 60))), max_size=6
        )
    )
    def test_merged_pauses(self, raw):
        base = datetime(2026, 1, 1)
        pauses = [
            (base + MINUTE * since, None if until is None else base + MINUTE * until)
            for since, until in raw
        ]

        def covered(items):
            return {
                n
                for n in range(80)
                if any(
                    since <= base + MINUTE * n and (until is None or base + MINUTE * n < until)
                    for since, until in items
                )
            }

        merged = merge_pauses(pauses)
        self.assertEqual(covered(merged), covered(pauses))
        for (__, end), (begin, __) in pairwise(merged):
            self.assertLess(end, begin)

    def test_known_cases(self):
        zone = pytz.timezone("Europe/Moscow")
        # a Friday 10:00 in Moscow; an office that is open 9 to 13 and 14 to 18, Monday to Friday
        intervals = [
            (datetime(2026, 3, day, hour - 3), datetime(2026, 3, day, hour + 1))
            for day in range(1, 32)
            if date(2026, 3, day).weekday() < 5
            for hour in (9, 14)
        ]
        friday = datetime(2026, 3, 6, 7)
        days = build_working_days(intervals, zone)
        counted = get_count_start(friday, WORKING_DAYS, zone)
        self.assertEqual(get_deadline(days, counted, 1), datetime(2026, 3, 9, 15))
        self.assertEqual(get_deadline(days, counted, 10), datetime(2026, 3, 20, 15))
        # half of Monday has gone when we ask on Monday at 14:00; the answer comes on Wednesday
        # at 11:00, so that half a day of Wednesday is left and half of Thursday makes it whole
        pause = (datetime(2026, 3, 9, 11), datetime(2026, 3, 11, 8))
        self.assertEqual(get_used(days, counted, pause[1], [pause]), Fraction(1, 2))
        self.assertEqual(get_deadline(days, counted, Fraction(5, 4), [pause]),
                         datetime(2026, 3, 11, 15))  # fmt: skip
        hours = build_hours(intervals)
        self.assertEqual(get_deadline(hours, friday, 4), datetime(2026, 3, 6, 12))
        thirty = build_calendar_days(date(2026, 3, 1), date(2026, 5, 1), zone)
        due = get_deadline(thirty, get_count_start(friday, CALENDAR_DAYS, zone), 30)
        self.assertEqual(get_deadline_date(due, zone), date(2026, 4, 5))
