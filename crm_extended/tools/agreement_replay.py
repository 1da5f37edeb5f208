"""Arithmetic of a replay of past orders under proposed terms. No ORM."""

from collections import namedtuple

# One order line of the past. Amounts are in the currency of the company, without taxes.
ReplayLine = namedtuple(
    "ReplayLine",
    [
        "order_id",
        "month",  # first day of the month
        "actual",  # what it was sold for
        "agreed",  # what it would be sold for at the agreed price
        "lowest",  # ... with the largest discount that the terms allow
        "cost",  # 0.0 when not known
        "governed",  # whether the terms say anything about the price of this line
    ],
)


def summarise(lines):
    """Totals of a replay.

    :param lines: iterable of ReplayLine
    :return: dict of ``actual``, ``agreed``, ``lowest`` (revenue); ``margin_actual``,
        ``margin_agreed``, ``margin_lowest`` over lines whose cost is known; ``known`` (share of the
        actual revenue whose cost is known, 0.0 to 1.0); ``months``: mapping of a month to
        ``(actual, agreed, lowest)``; ``below``: ids of orders sold below the lowest price
    """
    total = dict.fromkeys(
        ("actual", "agreed", "lowest", "margin_actual", "margin_agreed", "margin_lowest"), 0.0
    )
    known = 0.0
    months = {}
    below = set()
    for line in lines:
        for name in ("actual", "agreed", "lowest"):
            value = getattr(line, name)
            total[name] += value
            if line.cost:
                total[f"margin_{name}"] += value - line.cost
        if line.cost:
            known += line.actual
        sums = months.setdefault(line.month, [0.0, 0.0, 0.0])
        for index, value in enumerate((line.actual, line.agreed, line.lowest)):
            sums[index] += value
        if line.governed and line.actual < line.lowest * (1 - 1e-4) - 0.005:
            below.add(line.order_id)
    share = known / total["actual"] if total["actual"] else 0.0
    return {
        **total,
        "known": min(max(share, 0.0), 1.0),
        "months": {month: tuple(sums) for month, sums in sorted(months.items())},
        "below": below,
    }


def weighted_days(instalments, start):
    """Average days until the money is due, weighted by amount.

    :param instalments: iterable of ``(due date, amount)``
    :param date start: the day of the order or invoice
    :rtype: float
    """
    pairs = [((due - start).days, amount) for due, amount in instalments]
    total = sum(amount for _days, amount in pairs)
    return sum(days * amount for days, amount in pairs) / total if total else 0.0


def chart_bars(months, width=680, height=180, gap=10):
    """Geometry of a bar chart of the actual and the agreed revenue by month.

    :param dict months: what :func:`summarise` returns
    :return: list of dicts: ``month``, ``x``, ``label_x``, and for each of the two bars ``y``,
        ``height``, ``width`` under ``actual`` and ``agreed``
    """
    if not months:
        return []
    highest = max(max(values[:2]) for values in months.values()) or 1.0
    slot = width / len(months)
    bar = min(max((slot - gap) / 2, 1.0), 40.0)
    bars = []
    for index, (month, (actual, agreed, _lowest)) in enumerate(months.items()):
        left = index * slot + slot / 2 - bar
        item = {"month": month, "label_x": left + bar}
        for offset, name, value in ((0, "actual", actual), (1, "agreed", agreed)):
            tall = max(value, 0.0) / highest * height
            item[name] = {
                "x": round(left + offset * bar, 1),
                "y": round(height - tall, 1),
                "height": round(tall, 1),
                "width": round(bar - 1, 1),
                "value": value,
            }
        bars.append(item)
    return bars
