"""Arithmetic of deal scores. Pure functions: no ORM, no clock, no database."""

CLASSES = ("D", "C", "B", "A")

# Weight of the starting estimate, in closed deals: with as many observed deals as
# this, observation and starting estimate count half each.
PRIOR_STRENGTH = 20
# Fewer closed deals than this are "not enough data".
MIN_SAMPLE = 10
# Nobody knows a future with certainty.
MIN_PROBABILITY, MAX_PROBABILITY = 0.01, 0.99
# Score bands in which won and lost deals are counted: 0-20, 20-40 ... 80-100.
BAND_COUNT = 5


def clamp(value, low, high):
    """Return ``value`` moved into the closed interval ``low``..``high``."""
    return max(low, min(high, value))


def total_value(base, contributions):
    """Add points to the base of a scorecard.

    :param float base: points every deal starts with
    :param contributions: iterable of points, positive or negative
    :return: score from 0 to 100, one decimal
    """
    return round(clamp(base + sum(contributions), 0.0, 100.0), 1)


def class_from_value(value, bounds):
    """Return the class a value falls in.

    :param float value: score, 0 to 100
    :param bounds: lowest value of A, of B and of C, in this order
    :return: "A", "B", "C" or "D"
    """
    for letter, bound in zip("ABC", bounds, strict=True):
        if value >= bound:
            return letter
    return "D"


def adjust_class(letter, steps):
    """Move a class up (+1) or down (-1); A and D are the ends.

    :raise ValueError: when ``letter`` is not a class
    """
    return CLASSES[clamp(CLASSES.index(letter) + steps, 0, len(CLASSES) - 1)]


def drop_from_peak(value, peak):
    """Return the loss of value since the peak in points and in percent of the peak."""
    drop = round(max(0.0, peak - value), 1)
    return drop, round(100.0 * drop / peak, 1) if peak > 0 else 0.0


def band_points(value, bands):
    """Return the points of the band a measured value falls in.

    :param value: measured number, or None when there is none
    :param bands: pairs ``(lower bound, points)`` in ascending order of the bound
    :return: ``(points, bound)``, or None when the value lies below every band
    """
    if value is None:
        return None
    found = None
    for bound, points in bands:
        if value < bound:
            break
        found = (points, bound)
    return found


def score_band(value):
    """Return the number of the score band, 0 to ``BAND_COUNT`` - 1."""
    return clamp(int(value * BAND_COUNT // 100), 0, BAND_COUNT - 1)


def shrunk_rate(won, closed, prior, strength=PRIOR_STRENGTH):
    """Posterior mean of a rate of success under a Beta prior.

    The Beta distribution is the conjugate prior of the binomial one: a prior of mean
    ``prior`` worth ``strength`` observations gives (won + strength * prior) /
    (closed + strength); see Gelman et al., Bayesian Data Analysis, section 2.4.

    :param int won: successes
    :param int closed: successes and failures
    :param float prior: starting estimate, 0 to 1
    :param float strength: number of observations the starting estimate is worth
    """
    return (won + strength * prior) / (closed + strength)


def win_probability(band_counts, team_counts, company_counts, all_counts, automated=None):
    """Estimate the probability of winning a deal from deals closed before.

    The rate of the whole database starts from one half; the rate of the company is
    shrunk to it, the rate of the team to that of the company. Odoo's own estimate,
    where there is one, is averaged with the result in equal parts. The deals closed
    with a similar score then move it as far as their number allows.

    :param band_counts: ``(won, closed)`` of the company's deals with a similar score
    :param team_counts: ``(won, closed)`` of the team in the company
    :param company_counts: ``(won, closed)`` of the company
    :param all_counts: ``(won, closed)`` of the database
    :param automated: Odoo's estimate, 0 to 1; None, 0 and 1 mean there is none
    :return: ``(probability, start)``: the estimate and what it was before the deals
        with a similar score were looked at; both strictly between 0 and 1
    """
    rate = shrunk_rate(*all_counts, 0.5, strength=2)
    rate = shrunk_rate(*company_counts, rate)
    start = shrunk_rate(*team_counts, rate)
    if automated is not None and 0.0 < automated < 1.0:
        start = (start + automated) / 2
    probability = shrunk_rate(*band_counts, start)
    return (
        clamp(probability, MIN_PROBABILITY, MAX_PROBABILITY),
        clamp(start, MIN_PROBABILITY, MAX_PROBABILITY),
    )


def rank_contributions(contributions, key):
    """Sort contributions by weight, the heaviest first, reproducibly.

    :param contributions: list of dictionaries with the points under "points"
    :param key: name of the entry that settles ties
    """
    return sorted(contributions, key=lambda item: (-abs(item["points"]), item[key]))


# Numbers before those of the factors in an array of reasons, and numbers of each factor.
REASON_HEAD, REASON_WIDTH = 6, 3


def reasons_from_array(array):
    """Read the array of numbers that the refresh keeps with a score.

    Its layout: points every deal starts with, the client's potential, the estimate before the
    deals with a similar score in %, closed deals behind the estimate and how many of them were
    won, the model's id or 0; then for each factor its id, its points and the measured value.

    :param list array: numbers, None for a value that was not there
    :return: dict(base, potential, factors, estimate): ``factors`` are dict(factor, points,
        value) of those that gave points, the weightiest first; ``estimate`` is dict(start,
        sample, won, model)
    """
    base, potential, start, sample, won, model = array[:REASON_HEAD]
    factors = [
        {"factor": int(array[n]), "points": array[n + 1], "value": array[n + 2]}
        for n in range(REASON_HEAD, len(array), REASON_WIDTH)
        if array[n + 1]
    ]
    return {
        "base": base,
        "potential": potential,
        "factors": rank_contributions(factors, "factor"),
        "estimate": {
            "start": start,
            "sample": int(sample),
            "won": int(won),
            "model": int(model) or None,
        },
    }
