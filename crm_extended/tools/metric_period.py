"""Periods of the managers' figures, as days and as moments. No ORM, no database.

A period is a pair of days, both included. Moments are naive UTC, as Odoo stores them.
"""

import calendar
from datetime import date, datetime, time, timedelta

import pytz

PERIODS = (
    "today",
    "yesterday",
    "this_week",
    "last_week",
    "this_month",
    "last_month",
    "this_quarter",
    "last_quarter",
    "this_year",
    "last_year",
    "this_fiscal_year",
    "last_fiscal_year",
)


def add_months(day, months):
    """Move a day by whole months; a day that the month does not have becomes its last one."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    month += 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def get_month_end(day):
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def get_fiscal_year(day, last_day=31, last_month=12):
    """Fiscal year around a day; 28 and 29 February both mean the end of that month.

    :param int last_day: day on which fiscal years end
    :param int last_month: month in which they end, 1 to 12
    :return: (first, last)
    """

    def get_end(year):
        longest = calendar.monthrange(year, last_month)[1]
        wanted = longest if last_month == 2 and last_day >= 28 else min(last_day, longest)
        return date(year, last_month, wanted)

    end = get_end(day.year) if day <= get_end(day.year) else get_end(day.year + 1)
    return get_end(end.year - 1) + timedelta(days=1), end


def get_period(key, today, last_day=31, last_month=12):
    """Days of a named period.

    :param str key: one of ``PERIODS``
    :param date today: the day from which it is told
    :return: (first, last)
    :raises KeyError: for another name
    """
    if key not in PERIODS:
        raise KeyError(key)
    if key in ("today", "yesterday"):
        day = today - timedelta(days=key == "yesterday")
        return day, day
    which, _sep, unit = key.partition("_")
    if unit == "week":
        first = today - timedelta(days=today.weekday() + (7 if which == "last" else 0))
        return first, first + timedelta(days=6)
    if unit == "fiscal_year":
        first, last = get_fiscal_year(today, last_day, last_month)
        if which == "last":
            return get_fiscal_year(first - timedelta(days=1), last_day, last_month)
        return first, last
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = today.replace(month=(today.month - 1) // months * months + 1, day=1)
    if which == "last":
        first = add_months(first, -months)
    return first, add_months(first, months) - timedelta(days=1)


def shift(period, months):
    """Move a period by whole months; ends of months stay ends of months."""
    first, last = period
    moved = add_months(last, months)
    if last == get_month_end(last):
        moved = get_month_end(moved)
    return add_months(first, months), moved


def get_previous(period):
    """The period before, of the same kind.

    Whole months are preceded by as many whole months, anything else by as many days.
    """
    first, last = period
    if first.day == 1 and last == get_month_end(last):
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        return shift(period, -months)
    following = last + timedelta(days=1)
    if following == add_months(first, 12):  # a year that begins within a month
        return shift(period, -12)
    days = (last - first).days + 1
    return first - timedelta(days=days), first - timedelta(days=1)


def get_year_before(period):
    """The same days a year before; 29 February and ends of months included."""
    return shift(period, -12)


def cut(period, other, today):
    """The part of `other` that is as far gone as `period` is today.

    A month that has just begun is compared with the same days of the other month. On the last
    day, and afterwards, nothing is cut.

    :return: (first, last) of the part of `other`
    """
    first, last = period
    if not first <= today < last:
        return other
    end = other[0] + (today - first)
    return other[0], min(end, other[1])


def get_months(period):
    """First days of the months that a period touches."""
    months, day = [], period[0].replace(day=1)
    while day <= period[1]:
        months.append(day)
        day = add_months(day, 1)
    return months


def get_month_share(month, period):
    """Share of the days of a month that lie in a period, 0 to 1."""
    first, last = max(month, period[0]), min(get_month_end(month), period[1])
    return max((last - first).days + 1, 0) / calendar.monthrange(month.year, month.month)[1]


def get_moments(period, zone):
    """First moment of a period, and the first one after it, for people of a time zone.

    :param str zone: name of the time zone
    :return: (start, end), naive UTC; ``start <= moment < end``
    """
    zone = pytz.timezone(zone or "UTC")
    return tuple(
        zone.localize(datetime.combine(day, time.min)).astimezone(pytz.utc).replace(tzinfo=None)
        for day in (period[0], period[1] + timedelta(days=1))
    )
