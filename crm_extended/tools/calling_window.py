"""When a client may be called. Plain Python, no database.

All moments are naive datetimes in UTC, as Odoo stores them; the window is given in the local
time of the client.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import pytz

# how far ahead an open day is looked for
MAX_DAYS = 370
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class CallingWindow:
    """Hours of the day and days on which a client may be called.

    A window that closes at an earlier hour than it opens goes over midnight: it belongs to the
    day on which it opens. A window from 0 to 24 is open all day.

    :param float hour_from: opening hour, local time, from 0 to less than 24
    :param float hour_to: closing hour, local time, more than 0 to 24, other than `hour_from`;
        the closing moment itself is outside
    :param frozenset weekdays: open days, Monday is 0
    :param frozenset holidays: closed dates
    :raise ValueError: if the hours do not make a window or no day is open
    """

    hour_from: float = 9.0
    hour_to: float = 18.0
    weekdays: frozenset = frozenset(range(5))
    holidays: frozenset = field(default_factory=frozenset)

    def __post_init__(self):
        if not (0 <= self.hour_from < 24 and 0 < self.hour_to <= 24):
            raise ValueError("the hours of a calling window lie between 0 and 24")
        if self.hour_from == self.hour_to:
            raise ValueError("a calling window closes at another hour than it opens")
        if not self.weekdays:
            raise ValueError("a calling window needs at least one open day")

    def is_open_on(self, date):
        """Whether the window opens on a local date."""
        return date.weekday() in self.weekdays and date not in self.holidays

    def contains(self, moment, zone):
        """Whether a moment (naive, UTC) lies inside the window of a client in `zone`."""
        local = to_local(moment, zone)
        # a window over midnight may have opened yesterday
        for date in (local.date(), local.date() - DAY):
            opening, closing = self._get_bounds(date)
            if opening <= local < closing and self.is_open_on(date):
                return True
        return False

    def move_into(self, moment, zone):
        """First moment at or after the given one that lies inside the window.

        :param datetime moment: naive, UTC
        :param zone: time zone of the client (pytz)
        :return: naive datetime in UTC
        :raise ValueError: if no day is open within a year
        """
        if self.contains(moment, zone):
            return moment
        date = to_local(moment, zone).date()
        for days in range(MAX_DAYS):
            opening_date = date + timedelta(days=days)
            if not self.is_open_on(opening_date):
                continue
            opening = self._get_opening(opening_date, moment, zone)
            if opening is None:
                continue
            # a clock that is turned may enter the window between two openings
            return self._find_turned_clock(moment, opening, zone) or opening
        raise ValueError("the calling window has no open day within a year")

    def _get_opening(self, date, moment, zone):
        """When the window opens on a date, not before a moment; None if it does not.

        An hour that comes twice opens the window twice; where the clock jumps over the whole
        window, the day has none.
        """
        local = self._get_bounds(date)[0]
        for opening in sorted({first_moment(local, zone), last_moment(local, zone)}):
            if opening >= moment and self.contains(opening, zone):
                return opening
        return None

    def _find_turned_clock(self, start, end, zone):
        """First turn of the clock between two moments that leads into the window, or None."""
        while start < end:
            stop = min(start + DAY, end)
            if _get_offset(start, zone) != _get_offset(stop, zone):
                turn = _find_turn(start, stop, zone)
                if turn < end and self.contains(turn, zone):
                    return turn
            start = stop
        return None

    def _get_bounds(self, date):
        """Local opening and closing (naive) of the window that opens on a date."""
        midnight = datetime.combine(date, time())
        hours = self.hour_to + (24 if self.hour_to < self.hour_from else 0)
        # to the minute: a third of an hour has no exact float
        return (
            midnight + timedelta(minutes=round(self.hour_from * 60)),
            midnight + timedelta(minutes=round(hours * 60)),
        )


def to_local(moment, zone):
    """Wall-clock time (naive) in `zone` of a moment (naive, UTC)."""
    return pytz.utc.localize(moment).astimezone(zone).replace(tzinfo=None)


def first_moment(local, zone):
    """First moment (naive, UTC) at which the clock of `zone` shows `local` or later.

    An hour that comes twice in autumn is taken the first time; an hour that is left out in
    spring is replaced by the moment of the jump.
    """
    early, late = _get_readings(local, zone)
    if to_local(early, zone) >= local:
        return early
    # inside a jump: the clock passes `local` somewhere between the two readings
    return _find_turn(early, late, zone)


def last_moment(local, zone):
    """Like `first_moment`, but an hour that comes twice is taken the second time."""
    early, late = _get_readings(local, zone)
    return late if to_local(late, zone) == local else first_moment(local, zone)


def _get_readings(local, zone):
    """The moments (naive, UTC) that a wall-clock time may mean, in order."""
    return sorted(
        zone.localize(local, is_dst=dst).astimezone(pytz.utc).replace(tzinfo=None)
        for dst in (True, False)
    )


def _get_offset(moment, zone):
    return to_local(moment, zone) - moment


def _find_turn(early, late, zone):
    """The moment between two others at which the clock of `zone` is turned."""
    offset = _get_offset(early, zone)
    while late - early > SECOND:
        middle = early + (late - early) / 2
        middle = max(middle.replace(microsecond=0), early + SECOND)
        if _get_offset(middle, zone) == offset:
            early = middle
        else:
            late = middle
    return late
