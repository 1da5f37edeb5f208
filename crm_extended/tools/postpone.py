"""Until when something is put off. Plain Python, no database."""

from datetime import datetime, time, timedelta

import pytz

MORNING = time(9)
PRESETS = ("hour", "tomorrow", "week")


def get_postponed(preset, now, zone):
    """The moment until which something is postponed.

    :param str preset: "hour": an hour from now; "tomorrow": 9:00 of the next day; "week": 9:00 on
        Monday of the next week; days and hours by the clock of `zone`
    :param datetime now: naive, UTC
    :param zone: time zone of whoever postpones (pytz)
    :return: naive datetime in UTC
    :raise ValueError: for any other preset
    """
    if preset == "hour":
        return now + timedelta(hours=1)
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}")
    today = pytz.utc.localize(now).astimezone(zone).date()
    day = today + timedelta(days=1 if preset == "tomorrow" else 7 - today.weekday())
    local = zone.localize(datetime.combine(day, MORNING))
    return local.astimezone(pytz.utc).replace(tzinfo=None)
