"""Arithmetic of agreed terms. No ORM, so that it is tested without a database."""

from dateutil.relativedelta import relativedelta

# Half a unit of the precision in which Odoo stores a discount (two digits), and a little more:
# a price list discount of 33.333 % is stored as 33.33 % and must not look like a concession.
DISCOUNT_TOLERANCE = 0.011


def net_price(price_unit, discount):
    """Price of one unit after the line's discount.

    :param float price_unit: price of one unit, any currency
    :param float discount: percentage, 15.0 for 15 %
    :rtype: float
    """
    return price_unit * (1.0 - discount / 100.0)


def given_discount(agreed_price, price_unit, discount):
    """Discount really given against the agreed price, whichever way it was given.

    A salesperson may enter a discount, lower the unit price, or do both: only the net price counts.

    :param float agreed_price: price of the agreed price list for one unit
    :return: percentage; negative when the client pays more than the agreed price; 0.0 when the
        agreed price is not positive, since nothing can be taken off it
    :rtype: float
    """
    if agreed_price <= 0:
        return 0.0
    return (1.0 - net_price(price_unit, discount) / agreed_price) * 100.0


def exceeds(given, maximum):
    """Whether a discount is above its maximum by more than rounding explains (both in percent)."""
    return given - maximum > DISCOUNT_TOLERANCE


def order_concession(lines):
    """Compare what a whole order gives away with what its lines may give away.

    Looks at the order as one sum, so that a discount hidden in a line of its own (a negative price,
    a return credited above its price) counts as well.

    :param lines: iterable of ``(agreed_price, net_price, quantity, max_discount)``
    :return: ``(given, allowed, base)`` amounts in the currency of the prices: what is given away,
        what may be given away, and the value at agreed prices of the goods sold
    :rtype: tuple[float, float, float]
    """
    given = allowed = base = 0.0
    for agreed, net, quantity, maximum in lines:
        given += max((agreed - net) * quantity, 0.0)
        if quantity > 0 and agreed > 0:
            allowed += agreed * quantity * maximum / 100.0
            base += agreed * quantity
    return given, allowed, base


def next_period(date_start, date_end, today):
    """Period of the same length that follows an agreement's period.

    Whole months stay whole months (1 January to 31 December is followed by a year, leap or not);
    other lengths are counted in days. A period that would lie wholly in the past starts today.

    :param date date_start: first day
    :param date date_end: last day, included
    :param date today: the day of the renewal
    :return: ``(first day, last day)``
    :rtype: tuple[date, date]
    :raise ValueError: when the period ends before it starts
    """
    if date_end < date_start:
        raise ValueError("A period cannot end before it starts.")
    first = date_end + relativedelta(days=1)
    delta = relativedelta(first, date_start)
    whole_months = not delta.days and date_start + delta == first
    length = delta if whole_months else first - date_start
    if first + length <= today:
        first = today
    return first, first + length - relativedelta(days=1)
