"""When a client may be called. Plain Python, no database.

All moments are naive datetimes in UTC, as Odoo stores them; the window is given in the local
time of the client.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import pytz

# how far ahead an open day is looked for
MAX_DAYS = 370


@dataclass(frozen=True)
class CallingWindow:
    """Hours of the day and days on which a client may be called.

    :param float hour_from: opening hour, local time, 0 to 24
    :param float hour_to: closing hour, local time, later than `hour_from`; the closing moment
        itself is outside
    :param frozenset weekdays: open days, Monday is 0
    :param frozenset holidays: closed dates
    :raise ValueError: if the hours do not make a window or no day is open
    """

    hour_from: float = 9.0
    hour_to: float = 18.0
    weekdays: frozenset = frozenset(range(5))
    holidays: frozenset = field(default_factory=frozenset)

    def __post_init__(self):
        if not 0 <= self.hour_from < self.hour_to <= 24:
            raise ValueError("a calling window opens before it closes, between 0 and 24 hours")
        if not self.weekdays:
            raise ValueError("a calling window needs at least one open day")

    def is_open_on(self, date):
        """Whether calls are made on a local date."""
        return date.weekday() in self.weekdays and date not in self.holidays

    def contains(self, moment, zone):
        """Whether a moment (naive, UTC) lies inside the window of a client in `zone`."""
        local = to_local(moment, zone)
        start, end = self._get_bounds(local.date())
        return self.is_open_on(local.date()) and start <= local < end

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
            opening = first_moment(self._get_bounds(opening_date)[0], zone)
            # where the clock jumps over the whole window, the day has none
            if opening >= moment and self.contains(opening, zone):
                return opening
        raise ValueError("the calling window has no open day within a year")

    def _get_bounds(self, date):
        """Local opening and closing (naive) on a date; closing at 24 is the next midnight."""
        midnight = datetime.combine(date, time())
        return (
            midnight + timedelta(hours=self.hour_from),
            midnight + timedelta(hours=self.hour_to),
        )


def to_local(moment, zone):
    """Wall-clock time (naive) in `zone` of a moment (naive, UTC)."""
    return pytz.utc.localize(moment).astimezone(zone).replace(tzinfo=None)


def first_moment(local, zone):
    """First moment (naive, UTC) at which the clock of `zone` shows `local` or later.

    An hour that comes twice in autumn is taken the first time; an hour that is left out in
    spring is replaced by the moment of the jump.
    """
    candidates = (zone.localize(local, is_dst=dst) for dst in (True, False))
    early, late = sorted(
        candidate.astimezone(pytz.utc).replace(tzinfo=None) for candidate in candidates
    )
    if to_local(early, zone) >= local:
        return early
    # inside a jump: the clock passes `local` somewhere between the two readings
    while late - early > timedelta(seconds=1):
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if to_local(middle, zone) >= local:
            late = middle
        else:
            early = middle
    return late
