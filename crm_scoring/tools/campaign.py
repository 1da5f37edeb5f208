"""What a campaign changed: like is compared with like, before and after. numpy only, no ORM.

- *Matching*: each addressed client is paired with one or more of the others who looked alike before
  the campaign, in the same stratum, nearest first, without replacement. Alike are clients who were
  as likely to be addressed (logit of the propensity score: P. R. Rosenbaum and D. B. Rubin, The
  American Statistician 39, 1985) and of whom as much was to be expected anyway (prognostic score:
  B. B. Hansen, Biometrika 95, 2008). Where few clients make close pairs rare, wider ones are taken
  rather than none; what they differ in is taken off the effect. Clients without anybody alike are
  left out, and counted.
- *Balance*: difference of the means in standard deviations of the addressed, before and after the
  matching; under 0.1 counts as alike (P. C. Austin, Statistics in Medicine 28, 2009).
- *Effect*: difference in differences: what changed with the addressed from before to after, less
  what changed with those they are paired with. The pairs are independent, so the interval is that
  of a mean (Student's t); that of a quotient is linearised (delta method).
"""

from dataclasses import dataclass

import numpy as np

from .forecast import get_t_quantile

MIN_PAIRS = 20
MAX_RATIO = 5  # others per addressed client, at most
# root mean square difference of the scores of a pair, in standard deviations: the next one is tried
# while fewer than ENOUGH of the addressed, and fewer than PLENTY of them, have found a pair
CALIPERS = (0.2, 0.35, 0.5)
ENOUGH = 0.85
PLENTY = 100
RIDGE = 1e-3
ALIKE = 0.1


@dataclass
class Effect:
    """Means of both groups before and after, the effect and its 95 % interval.

    ``verdict``: ``more``, ``less``, ``unclear`` (the interval holds 0) or ``few`` (too few pairs).
    """

    before: float
    after: float
    others_before: float
    others_after: float
    effect: float
    low: float
    high: float
    verdict: str


def get_scores(addressed, others, outcome):
    """Return by what clients are paired: chance to be addressed, and what was to be expected.

    :param addressed: array (n, d) of figures of before, as they compare (logarithms of amounts, for
        example)
    :param others: array (m, d)
    :param outcome: m numbers: what the others did afterwards
    :return: arrays (n, 2) and (m, 2)
    """
    both = np.vstack([addressed, others])
    spread = np.where(both.std(axis=0) > 0, both.std(axis=0), 1.0)
    lines = np.column_stack([np.ones(len(both)), (both - both.mean(axis=0)) / spread])
    mine = np.arange(len(both)) < len(addressed)
    penalty = RIDGE * len(both) * np.eye(lines.shape[1])
    chance = np.zeros(lines.shape[1])
    for _step in range(25):  # Newton's method
        share = 1 / (1 + np.exp(-np.clip(lines @ chance, -30, 30)))
        weights = np.maximum(share * (1 - share), 1e-6)
        step = np.linalg.solve(
            (lines * weights[:, None]).T @ lines + penalty,
            lines.T @ (mine - share) - penalty @ chance,
        )
        chance += step
        if np.abs(step).max() < 1e-8:
            break
    rest = lines[~mine]
    usual = np.linalg.solve(rest.T @ rest + penalty, rest.T @ outcome)
    scores = np.column_stack([lines @ chance, lines @ usual])
    return scores[mine], scores[~mine]


def match(addressed, others, strata, strata_others):
    """Pair clients with those who are most alike.

    :param addressed: array (n, d) of scores of the addressed clients, see ``get_scores``
    :param others: array (m, d) of those not addressed
    :param strata: n values; only clients of equal strata are paired
    :param strata_others: m values
    :return: (indices of the addressed with a pair, list of arrays of indices of their others)
    """
    best = {}
    for caliper in CALIPERS:
        pairs = _match_within(caliper, addressed, others, strata, strata_others)
        if len(pairs) > len(best):
            best = pairs
        if len(best) >= min(ENOUGH * len(addressed), PLENTY):
            break
    found = sorted(best)
    return np.array(found, int), [np.array(best[index]) for index in found]


def _match_within(caliper, addressed, others, strata, strata_others):
    """Return dict of index of an addressed client -> indices of its others."""
    spread = _get_spread(addressed)
    scaled, scaled_others = addressed / spread, others / spread
    strata, strata_others = np.asarray(strata), np.asarray(strata_others)
    pairs = {}
    for stratum in np.unique(strata):
        mine = np.flatnonzero(strata == stratum)
        pool = np.flatnonzero(strata_others == stratum)
        if not len(pool):
            continue
        # the hardest to find a pair for first: those farthest from the others
        order = np.argsort(-_get_distances(scaled[mine], scaled_others[pool].mean(axis=0)))
        rounds = int(np.clip(len(pool) // max(len(mine), 1), 1, MAX_RATIO))
        left, figures = pool, scaled_others[pool]
        for _round in range(rounds):
            free = np.ones(len(left), bool)
            for index in mine[order]:
                distances = _get_distances(figures, scaled[index])
                distances[~free] = np.inf
                nearest = int(np.argmin(distances))
                if distances[nearest] <= caliper:
                    free[nearest] = False
                    pairs.setdefault(int(index), []).append(int(left[nearest]))
            left, figures = left[free], figures[free]
            if not len(left):
                break
    return pairs


def get_balance(addressed, others, matched, pairs):
    """Return how alike the groups are, figure by figure.

    :return: arrays of standardised differences: of all, of the pairs
    """
    spread = _get_spread(addressed)
    everybody = (addressed.mean(axis=0) - others.mean(axis=0)) / spread
    if not len(matched):
        return everybody, np.full(addressed.shape[1], np.nan)
    mates = get_mates(others, pairs)
    return everybody, (addressed[matched].mean(axis=0) - mates.mean(axis=0)) / spread


def get_mates(values, pairs):
    """Return for each pair the mean of its others, as an array."""
    return np.array([values[mates].mean(axis=0) for mates in pairs])


class Comparison:
    """The pairs of a campaign, ready to measure what changed.

    What is left unlike between the two of a pair would pass for an effect. So a line through the
    others of all pairs says what the figures of before lead to anyway, and the difference of that
    is taken off (bias-corrected matching: A. Abadie and G. W. Imbens, Journal of Business &
    Economic Statistics 29, 2011).

    All numbers given to the methods are arrays of one per client, of all addressed clients or of
    all others, in the order of the figures.
    """

    def __init__(self, figures, figures_others, matched, pairs):
        """Take the arguments and the result of ``match``; there must be a pair."""
        self.matched, self.pairs = matched, pairs
        self.lines = np.column_stack([np.ones(len(matched)), figures[matched]])
        self.lines_others = np.column_stack([np.ones(len(figures_others)), figures_others])
        self.used = np.concatenate(pairs)
        self.weights = np.sqrt(np.concatenate([np.full(len(p), 1 / len(p)) for p in pairs]))

    def measure(self, before, after, others_before, others_after):
        """Return the ``Effect`` on a mean per client."""
        parts = self._get_parts(before, after, others_before, others_after)
        difference = self._get_difference(after - before, others_after - others_before)
        return _make_effect(
            [float(part.mean()) for part in parts], difference, float(difference.mean())
        )

    def measure_ratio(self, above, below):
        """Return the ``Effect`` on a quotient of sums, such as turnover by orders.

        :param above: four arrays as of ``measure``; ``below`` alike
        :return: None when somewhere there is nothing to divide by
        """
        ups, downs = self._get_parts(*above), self._get_parts(*below)
        totals = [float(part.sum()) for part in downs]
        if min(totals) <= 0:
            return None
        ratios = [float(up.sum()) / total for up, total in zip(ups, totals, strict=True)]
        # what each client moves the quotient of its group by
        shares = [
            (up - ratio * down) * len(self.matched) / total
            for up, down, ratio, total in zip(above, below, ratios, totals, strict=True)
        ]
        difference = self._get_difference(shares[1] - shares[0], shares[3] - shares[2])
        effect = (ratios[1] - ratios[0]) - (ratios[3] - ratios[2]) + float(difference.mean())
        return _make_effect(ratios, difference, effect)

    def _get_parts(self, before, after, others_before, others_after):
        return (
            before[self.matched],
            after[self.matched],
            get_mates(others_before, self.pairs),
            get_mates(others_after, self.pairs),
        )

    def _get_difference(self, change, change_others):
        """Return what changed with each addressed client of a pair beyond its others."""
        slopes, *_rest = np.linalg.lstsq(
            self.lines_others[self.used] * self.weights[:, None],
            change_others[self.used] * self.weights,
            rcond=None,
        )
        own = change[self.matched] - self.lines @ slopes
        return own - get_mates(change_others - self.lines_others @ slopes, self.pairs)


def _make_effect(means, difference, effect):
    count = len(difference)
    width = (
        get_t_quantile(95, count - 1) * float(difference.std(ddof=1)) / np.sqrt(count)
        if count > 1
        else np.inf
    )
    low, high = effect - width, effect + width
    if count < MIN_PAIRS:
        verdict = "few"
    else:
        verdict = "more" if low > 0 else "less" if high < 0 else "unclear"
    return Effect(*means, effect, float(low), float(high), verdict)


def _get_spread(values):
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    return np.where(spread > 0, spread, 1.0)


def _get_distances(values, point):
    return np.sqrt(((values - point) ** 2).mean(axis=1))
