"""Arithmetic of plans: run rate, seasons. No ORM, no database."""


def forecast_run_rate(fact, gone, days):
    """What a period ends with if it goes on as it began.

    :param fact: what there is so far, or None
    :param float gone: working days that are gone
    :param float days: working days of the period
    :return: forecast, or None before the first working day
    """
    if fact is None or (not gone and days):
        return None
    return fact * days / gone if gone else fact


def get_season(facts):
    """Shares of twelve months in a year, from the facts of earlier years.

    :param list facts: one list of twelve figures for each year; None where nothing is known
    :return: twelve shares that add up to 1; equal ones where no year is fit (nothing sold, or
        months missing)
    """
    shares = []
    for year in facts:
        total = sum(value or 0 for value in year)
        if total > 0 and all(value is not None and value >= 0 for value in year):
            shares.append([value / total for value in year])
    if not shares:
        return [1 / 12] * 12
    return [sum(year[month] for year in shares) / len(shares) for month in range(12)]


def spread(total, shares, digits=0):
    """Divide a yearly figure into months; the months add up to it exactly.

    :param float total: figure of the year
    :param list shares: twelve shares that add up to 1
    :param int digits: decimals to which months are rounded
    :return: list of twelve figures
    """
    values, given, due = [], 0.0, 0.0
    for share in shares:
        due += total * share
        value = round(round(due, digits) - given, digits)
        values.append(value)
        given = round(given + value, digits)
    values[-1] = round(values[-1] + total - given, max(digits, 2))
    return values
