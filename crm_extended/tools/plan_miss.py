"""Why a figure is not what was expected: an exact split over its factors. No ORM, no database."""

from itertools import permutations
from math import prod

#: turnover = leads received * deals of a lead * orders of a deal * turnover of an order
FACTORS = ("traffic", "quality", "conversion", "cheque")
MARKETING = frozenset({"traffic", "quality"})


def get_factors(leads, deals, orders, amount, usual=None):
    """Factors of a turnover, whose product it is.

    Where nothing came in, what would have become of it is not known: such a factor is as usual,
    so that the whole loss is told of the step before.

    :param leads: leads and deals received
    :param deals: deals among them
    :param orders: orders
    :param amount: turnover
    :param dict usual: factors to assume where there are none; None: 0
    :return: dict of ``FACTORS``
    """
    usual = usual or {}
    steps = {
        "traffic": (leads, 1),
        "quality": (deals, leads),
        "conversion": (orders, deals),
        "cheque": (amount, orders),
    }
    return {
        name: above / below if below else usual.get(name, 0.0)
        for name, (above, below) in steps.items()
    }


def get_expected(plan, usual):
    """Factors that make a plan: those of usual business, and the leads which it then takes.

    :param float plan: planned turnover
    :param dict usual: factors of the time it is compared with
    :return: dict of ``FACTORS`` whose product is the plan; None where usual business brings
        nothing, so that no number of leads would do
    """
    each = usual["quality"] * usual["conversion"] * usual["cheque"]
    return {**usual, "traffic": plan / each} if each else None


def split_difference(expected, actual):
    """How much each factor adds to the difference between two products.

    Factors change one after the other, in every order, and each gets its average effect (Shapley
    value): the parts add up to the whole difference exactly, and none depends on an order of
    ours. Zeros are allowed.

    :param dict expected: factor → value
    :param dict actual: the same factors
    :return: dict factor → part of ``prod(actual) - prod(expected)``
    """
    names = list(expected)
    parts = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        values = dict(expected)
        before = prod(values.values())
        for name in order:
            values[name] = actual[name]
            after = prod(values.values())
            parts[name] += (after - before) / len(orders)
            before = after
    return parts
