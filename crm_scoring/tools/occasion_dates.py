"""Days that return each year. No ORM."""

import calendar
from datetime import date, timedelta


def get_birthday_keys(first, last):
    """Return the birthdays (month * 100 + day) that are kept on the days from first to last.

    Who was born on 29 February celebrates on the 28th in other years.

    :return: dict of day -> list of keys
    """
    found = {}
    day = first
    while day <= last:
        keys = [day.month * 100 + day.day]
        if keys == [228] and not calendar.isleap(day.year):
            keys.append(229)
        found[day] = keys
        day += timedelta(days=1)
    return found


def get_fixed_day(year, month, day):
    """Return a day of a year; 29 February is the 28th in other years."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def get_weekday(year, month, weekday, number):
    """Return the n-th weekday of a month.

    :param int weekday: Monday is 0
    :param int number: from 1; 5 is the last one, be it the fourth
    """
    days = [
        day
        for day in range(1, calendar.monthrange(year, month)[1] + 1)
        if date(year, month, day).weekday() == weekday
    ]
    return date(year, month, days[-1] if number >= 5 else days[number - 1])


def get_day_of_year(year, number):
    """Return the n-th day of a year, from 1; the 366th of a shorter year is its last."""
    last = 366 if calendar.isleap(year) else 365
    return date(year, 1, 1) + timedelta(days=min(number, last) - 1)
