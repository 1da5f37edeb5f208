"""Relative dates of a domain ('today', '-21d') counted from a given moment.

Odoo counts them from the clock. A score is a function of its data and of ``now``, so
that two runs agree and a past night can be calculated again.
"""

import re

from dateutil.relativedelta import relativedelta
from odoo.fields import Domain

_RELATIVE = re.compile(r"^\s*(today|now)?((?:\s*[+-]\d+[dwmyHMS])*)\s*$")
_OFFSET = re.compile(r"([+-])(\d+)([dwmyHMS])")
_UNITS = {
    "d": "days",
    "w": "weeks",
    "m": "months",
    "y": "years",
    "H": "hours",
    "M": "minutes",
    "S": "seconds",
}
_COMPARISONS = ("<", "<=", ">", ">=")


def resolve_relative_date(value, now):
    """Return the date or datetime that ``value`` means at ``now``.

    :param str value: "today", "now", "-7d", "today +1m" ...
    :param datetime now: naive UTC
    :return: a date for values that start with "today", a datetime for the others, and
        ``value`` itself when it is not a relative date
    """
    match = _RELATIVE.match(value)
    if not match or not (match[1] or match[2].strip()):
        return value
    moment = now
    for sign, count, unit in _OFFSET.findall(match[2]):
        moment += relativedelta(**{_UNITS[unit]: int(sign + count)})
    return moment.date() if match[1] == "today" else moment


def anchor_domain(domain, now):
    """Replace the relative dates of a domain, in sub-domains too."""

    def anchor(condition):
        value = condition.value
        if condition.operator in _COMPARISONS and isinstance(value, str):
            return Domain(
                condition.field_expr, condition.operator, resolve_relative_date(value, now)
            )
        if condition.operator in ("any", "not any") and isinstance(value, list | tuple | Domain):
            return Domain(condition.field_expr, condition.operator, anchor_domain(value, now))
        return condition

    return Domain(domain).map_conditions(anchor)
