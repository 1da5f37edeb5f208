"""The learners of the model of winning (``win_model``). Pure numpy: no ORM, no clock.

Inputs become *levels*: a category is its own level, even one seen once, whose log-odds its prior
keeps small: with few deals and many categories these are most of what is known; one never seen, and
those beyond the most frequent, are "other"; no value is a level, too; numbers fall into bins of
equal counts whose outermost are open. Both learners give each level log-odds of its own.
"""

import math

import numpy as np

MAX_BINS = 10
MAX_LEVELS = 500
MISSING, OTHER = 0, 1
# Prior of the variance of an input's log-odds, for categories and for the bins of numbers, and how
# many levels of the input's own it is worth.
PRIOR_VARIANCE, BEND_VARIANCE, PRIOR_LEVELS = 0.1, 0.02, 2.0
# Variance of slopes; of the intercept around the log-odds of the prior rate.
SLOPE_VARIANCE, INTERCEPT_VARIANCE = 0.02, 4.0
# Deals of each outcome that the shares of a level are smoothed by.
SMOOTHING = 2.0


def sigmoid(values):
    """Return 1 / (1 + exp(-values)) without overflow."""
    return 1.0 / (1.0 + np.exp(-np.clip(values, -35.0, 35.0)))


def logit(rate):
    """Return the log-odds of a rate strictly between 0 and 1."""
    return math.log(rate / (1.0 - rate))


class Levels:
    """Turns the values of one input into numbers of levels.

    :param list values: what the deals had; None is no value
    :param str kind: "category" or "number"
    """

    def __init__(self, values, kind):
        self.kind = kind
        if kind == "number":
            known = np.array([v for v in values if v is not None], dtype=float)
            self.bounds = self._get_bounds(known)
            self.count = len(self.bounds) + 3
        else:
            counts = {}
            for value in values:
                if value is not None:
                    counts[value] = counts.get(value, 0) + 1
            kept = sorted(counts, key=lambda v: (-counts[v], str(v)))
            if kept and counts[kept[0]] == 1:  # names and numbers of single deals come never again
                kept = []
            self.index = {value: n for n, value in enumerate(kept[:MAX_LEVELS], 2)}
            self.count = len(self.index) + 2

    @staticmethod
    def _get_bounds(known):
        """Return the lower bounds of all bins but the first."""
        distinct = np.unique(known)
        if len(distinct) <= 1:
            return np.array([])
        if len(distinct) <= MAX_BINS:
            return (distinct[1:] + distinct[:-1]) / 2
        bins = int(min(MAX_BINS, max(2, math.sqrt(len(known)) / 2)))
        cuts = np.quantile(known, np.arange(1, bins) / bins)
        cuts = np.unique(cuts)
        return cuts[cuts > distinct[0]]

    def encode(self, values):
        """Return the numbers of the levels as an array."""
        if self.kind == "category":
            get = self.index.get
            return np.array(
                [MISSING if v is None else get(v, OTHER) for v in values], dtype=np.int64
            )
        numbers = np.array([np.nan if v is None else v for v in values], dtype=float)
        found = np.searchsorted(self.bounds, numbers, side="right") + 2
        return np.where(np.isnan(numbers), MISSING, found)


def get_slopes(codes, count, kind):
    """Return the position of each level on the axis of its number: standardised middle ranks."""
    slopes = np.zeros(count)
    if kind != "number":
        return slopes
    sizes = np.bincount(codes, minlength=count).astype(float)
    sizes[:2] = 0
    total = sizes.sum()
    if not total:
        return slopes
    ranks = (np.cumsum(sizes) - sizes / 2) / total
    mean = (ranks * sizes).sum() / total
    spread = math.sqrt(((ranks - mean) ** 2 * sizes).sum() / total)
    if spread:
        slopes[2:] = (ranks[2:] - mean) / spread
    return slopes


def fit_likelihoods(codes, counts, won, weights, rate):
    """Smoothed log-ratios of the shares of each level among won and among lost deals.

    A level without deals weighs nothing. The smoothing adds :data:`SMOOTHING` deals with the
    win rate of all to each level; see :func:`fit_regression` for the parameters.
    """
    total_won = (won * weights).sum()
    total = weights.sum()
    base = logit((total_won + 2 * rate) / (total + 2))
    tables = []
    for code, count in zip(codes, counts, strict=True):
        size = np.bincount(code, weights, minlength=count)
        good = np.bincount(code, weights * won, minlength=count)
        share = (good + SMOOTHING * (total_won + rate) / (total + 1)) / (size + SMOOTHING)
        share = np.clip(share, 1e-6, 1 - 1e-6)
        tables.append(np.where(size > 0, np.log(share / (1 - share)) - base, 0.0))
    return base, tables


def fit_regression(codes, counts, kinds, won, weights, rate, sweeps=40):
    """Logistic regression with a Gaussian prior for each input, its variance estimated.

    The variance of each input's prior is found by expectation maximisation over the Laplace
    approximation (Bishop, Pattern Recognition and Machine Learning, sections 3.5 and 4.4): the
    levels of an input that tells nothing are shrunk to nothing, those of one that tells much are
    left alone; a rare level is shrunk more than a frequent one. Numbers have a slope over their
    ranks beside the log-odds of their bins.

    Block coordinate Newton steps: within one input the levels exclude each other, so its Hessian
    is diagonal and a step costs one pass over the deals.

    :param list codes: for each input the levels of the deals
    :param list counts: for each input the number of its levels
    :param list kinds: for each input "category" or "number"
    :param won: outcomes, 1.0 or 0.0
    :param weights: how much each deal counts
    :param float rate: win rate around which the intercept has its prior
    :return: intercept, and for each input the log-odds of its levels
    """
    base = logit(rate)
    intercept = base
    tables = [np.zeros(count) for count in counts]
    slopes = [
        get_slopes(code, count, kind)
        for code, count, kind in zip(codes, counts, kinds, strict=True)
    ]
    steep = [0.0] * len(codes)
    priors = [BEND_VARIANCE if kind == "number" else PRIOR_VARIANCE for kind in kinds]
    variances = list(priors)
    sizes = [
        np.bincount(code, minlength=count) > 0 for code, count in zip(codes, counts, strict=True)
    ]
    eta = np.full(len(won), intercept)
    for sweep in range(sweeps):
        moved = 0.0
        chance = sigmoid(eta)
        curve = (weights * chance * (1 - chance)).sum() + 1 / INTERCEPT_VARIANCE
        step = ((weights * (won - chance)).sum() - (intercept - base) / INTERCEPT_VARIANCE) / curve
        step = max(-2.0, min(2.0, step))
        intercept += step
        eta += step
        for number, code in enumerate(codes):
            chance = sigmoid(eta)
            push = np.bincount(code, weights * (won - chance), minlength=counts[number])
            curve = np.bincount(code, weights * chance * (1 - chance), minlength=counts[number])
            change = np.zeros(counts[number])
            if kinds[number] == "number":
                axis = slopes[number]
                step = ((axis * push).sum() - steep[number] / SLOPE_VARIANCE) / (
                    (axis**2 * curve).sum() + 1 / SLOPE_VARIANCE
                )
                step = max(-1.0, min(1.0, step))
                steep[number] += step
                change += step * axis
                push = push - curve * step * axis
            step = (push - tables[number] / variances[number]) / (curve + 1 / variances[number])
            step = np.clip(step, -1.0, 1.0)
            tables[number] += step
            change += step
            eta += change[code]
            moved = max(moved, np.abs(change).max())
            if sweep >= 2:
                spread = tables[number] ** 2 + 1 / (curve + 1 / variances[number])
                seen = sizes[number]
                variances[number] = (spread[seen].sum() + PRIOR_LEVELS * priors[number]) / (
                    seen.sum() + PRIOR_LEVELS
                )
        if moved < 1e-3 and sweep > 5:
            break
    return intercept, [
        table + slope * axis for table, slope, axis in zip(tables, steep, slopes, strict=True)
    ]


def add_up(base, tables, codes):
    """Return the log-odds of deals."""
    eta = np.full(len(codes[0]) if codes else 0, base)
    for table, code in zip(tables, codes, strict=True):
        eta += table[code]
    return eta
