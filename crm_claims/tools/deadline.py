"""Deadlines that run on a clock: working hours, working days or calendar days, with pauses.

Plain Python on naive datetimes in UTC; whoever calls says what time it is. Nothing is rounded on
the way: amounts are fractions, and a deadline is the first whole second at which they are used up.

The clock of a target is a list of spans, each of which uses a known amount evenly:

- *hours*: working time; a span of working time uses its length in hours;
- *working days*: every local day with working time uses one day, spread over its working time;
- *calendar days*: every local day uses one day, from midnight to midnight.

Days are counted from the day after the start, as laws and contracts do, so that "10 working days"
end with the working time of the tenth one, whenever on the first day the count began.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from datetime import datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise

import pytz

HOURS, WORKING_DAYS, CALENDAR_DAYS = "hours", "working_days", "calendar_days"
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


class BeyondHorizonError(ValueError):
    """The deadline lies behind the last span of the clock: build a longer one."""


class Clock:
    """Amounts used as time goes by.

    :param spans: sorted ``(start, end, amount)`` that do not overlap; naive UTC, amounts are
        numbers above zero
    """

    def __init__(self, spans):
        self.starts, self.ends, self.sums = [], [], [Fraction(0)]
        for start, end, amount in spans:
            self.starts.append(start)
            self.ends.append(end)
            self.sums.append(self.sums[-1] + Fraction(amount))

    def count(self, moment):
        """What has been used from the beginning of the clock until ``moment``."""
        index = bisect_right(self.starts, moment)
        if not index:
            return Fraction(0)
        start, end = self.starts[index - 1], self.ends[index - 1]
        if moment >= end:
            return self.sums[index]
        share = Fraction((moment - start) // SECOND, (end - start) // SECOND)
        return self.sums[index - 1] + share * (self.sums[index] - self.sums[index - 1])

    def find(self, total):
        """The first second at which ``total`` has been used since the beginning of the clock.

        :raises BeyondHorizonError: the clock ends before that
        """
        index = bisect_left(self.sums, total)
        if index >= len(self.sums):
            raise BeyondHorizonError
        if not index:
            return self.starts[0] if self.starts else None
        start, end = self.starts[index - 1], self.ends[index - 1]
        share = (total - self.sums[index - 1]) / (self.sums[index] - self.sums[index - 1])
        seconds = share * ((end - start) // SECOND)
        return start + SECOND * -(-seconds.numerator // seconds.denominator)


# ------------------------------------------------------------
# CLOCKS
# ------------------------------------------------------------


def build_hours(intervals):
    """Clock of working time in hours, from sorted naive UTC intervals ``(start, end)``."""
    return Clock(
        (start, end, Fraction((end - start) // SECOND, 3600))
        for start, end in intervals
        if end > start
    )


def build_working_days(intervals, zone):
    """Clock that uses one for each local day with working time.

    :param intervals: sorted naive UTC intervals ``(start, end)``, whole days
    :param zone: ``pytz`` time zone in which a day is a day
    """
    by_day = defaultdict(list)
    for start, end in intervals:
        if end > start:
            by_day[get_local_date(start, zone)].append((start, end))
    spans = []
    for __, day in sorted(by_day.items()):
        total = sum((end - start) // SECOND for start, end in day)
        spans += [(start, end, Fraction((end - start) // SECOND, total)) for start, end in day]
    return Clock(spans)


def build_calendar_days(first, last, zone):
    """Clock that uses one for each local day from ``first`` to ``last`` (dates, inclusive)."""
    count = (last - first).days + 1
    midnights = [get_midnight(first + DAY * number, zone) for number in range(count + 1)]
    return Clock((start, end, 1) for start, end in pairwise(midnights))


def get_local_date(moment, zone):
    return pytz.utc.localize(moment).astimezone(zone).date()


def get_midnight(day, zone):
    """When the local ``day`` begins, naive in UTC; clocks may be turned at that very moment."""
    local = datetime.combine(day, time.min)
    try:
        aware = zone.localize(local, is_dst=None)
    except pytz.AmbiguousTimeError:
        aware = zone.localize(local, is_dst=True)
    except pytz.NonExistentTimeError:
        aware = zone.localize(local, is_dst=False)
    return aware.astimezone(pytz.utc).replace(tzinfo=None)


def get_count_start(start, unit, zone):
    """From when on a target counts: hours at once, days from the next local midnight."""
    if unit == HOURS:
        return start
    return get_midnight(get_local_date(start, zone) + DAY, zone)


def get_deadline_date(deadline, zone):
    """Local date by which something is due; a deadline at midnight belongs to the day before."""
    return get_local_date(deadline - SECOND, zone)


# ------------------------------------------------------------
# DEADLINES
# ------------------------------------------------------------


def merge_pauses(pauses):
    """Sorted pauses without overlaps; an end of ``None`` is still open.

    :param pauses: iterable of ``(since, until or None)``
    """
    merged = []
    for since, until in sorted(pauses, key=lambda pause: pause[0]):
        if until is not None and until <= since:
            continue
        if merged and (merged[-1][1] is None or since <= merged[-1][1]):
            last = merged[-1]
            if last[1] is not None and (until is None or until > last[1]):
                merged[-1] = (last[0], until)
        else:
            merged.append((since, until))
    return merged


def get_deadline(clock, start, budget, pauses=()):
    """When ``budget`` is used up.

    :param Clock clock: spans from ``start`` on
    :param datetime start: from when on it counts (see :func:`get_count_start`)
    :param budget: amount above zero
    :param pauses: ``(since, until or None)``: time that does not count
    :return: naive UTC, or ``None`` while a pause is open before it
    :raises BeyondHorizonError: the clock is too short
    """
    left = Fraction(budget)
    position = start
    for since, until in merge_pauses(pauses):
        if until is not None and until <= position:
            continue
        used = clock.count(max(since, position)) - clock.count(position)
        if used >= left:
            break
        if until is None:
            return None
        left -= used
        position = max(position, until)
    return max(clock.find(clock.count(position) + left), position)


def get_used(clock, start, now, pauses=()):
    """What has been used of a budget until ``now``; pauses do not count."""
    if now <= start:
        return Fraction(0)
    used = clock.count(now) - clock.count(start)
    for since, until in merge_pauses(pauses):
        begin, end = max(since, start), min(until or now, now)
        if end > begin:
            used -= clock.count(end) - clock.count(begin)
    return used


def get_paused_seconds(start, end, pauses=()):
    """How long it was paused between ``start`` and ``end``, by the clock on the wall."""
    total = 0
    for since, until in merge_pauses(pauses):
        begin, finish = max(since, start), min(until or end, end)
        if finish > begin:
            total += (finish - begin) // SECOND
    return total
