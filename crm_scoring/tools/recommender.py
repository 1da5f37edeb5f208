"""What a client will buy next, learnt from who bought what and when. No ORM, no clock.

Three voices, added up and then weighed by the trend of the product:

- *his own habit*: how often the client bought the product, old purchases fading with a half-life;
- *similar clients*: EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019):
  a ridge regression that predicts each product of a client from his other products, over all
  clients at once. Two products weigh on each other as far as clients who share one share the
  other, what both owe to a third one taken out;
- *what all buy*: the share of clients who have the product, which speaks for clients who are new.

The trend is how much more clients bought a product lately than its share of all time says, to a
power: seasonal goods rise, goods that are no longer sold fall. It weighs the list of new products;
that of all products is led by habits, which it blurred on the one set it was tried on (Online
Retail).

How loud each voice is differs from shop to shop, so it is not fixed but chosen on the sales
themselves (:func:`tune`): the last part of the time is held back, and the choice that finds most of
what was bought then wins; for products new to the client and for all products separately.
"""

from dataclasses import dataclass, field, replace

import numpy as np

TOP = 10  # of the list that is judged
MAX_ITEMS = 4000  # products that are learnt together: memory and time grow with square and cube
MAX_LEARNERS = 60_000  # clients the product weights are learnt from, the latest ones
MAX_JUDGES = 800  # clients the options are judged by
_PENALTIES = (1.5, 6.0)  # ridge, in means of the diagonal
_POWERS = (0.0, 0.5, 1.0, 1.5)
_HABITS = (0.0, 0.1, 0.3, 1.0, 3.0)
_HALF_LIVES = (120.0, 240.0, 100_000.0)
_CROWDS = (0.0, 0.5, 2.0)
_LATELY = 30.0  # days in which a purchase loses half its weight in the trend
_SMOOTH = 5.0  # clients that a trend of one is worth
_CLEARLY = 1.02  # how much better a choice must be than the tried and tested one


@dataclass(frozen=True)
class Options:
    """How the voices are mixed; see the module."""

    penalty: float = 6.0
    similar: float = 1.0
    habit: float = 1.0
    half_life: float = 240.0
    crowd: float = 2.0
    power: float = 0.0


@dataclass
class Sales:
    """Purchases: a row per document and product, products and clients numbered from 0."""

    client: np.ndarray
    product: np.ndarray
    day: np.ndarray  # whole numbers, later is larger
    clients: int
    products: int

    def until(self, day):
        """Return the sales before a day."""
        kept = self.day < day
        return Sales(
            self.client[kept], self.product[kept], self.day[kept], self.clients, self.products
        )


@dataclass
class Model:
    """What was learnt; rows of ``client_*`` arrays are pairs of client and product, by client."""

    options: Options
    weights: np.ndarray  # of each product for each product, EASE
    trend: np.ndarray
    crowd: np.ndarray
    pair_client: np.ndarray
    pair_product: np.ndarray
    pair_habit: np.ndarray
    pair_times: np.ndarray  # documents
    pair_last: np.ndarray  # day of the last one
    starts: np.ndarray  # of each client in the pairs; one more at the end
    report: dict = field(default_factory=dict)

    def get_own(self, client):
        """Return (products, habits) of a client."""
        begin, end = self.starts[client], self.starts[client + 1]
        return self.pair_product[begin:end], self.pair_habit[begin:end]

    def score(self, client, options=None):
        """Return the scores of all products for a client."""
        options = options or self.options
        own, habit = self.get_own(client)
        scores = options.crowd * self.crowd
        if len(own) and options.similar:
            similar = self.weights[own].sum(axis=0)
            scores = scores + options.similar * np.maximum(similar, 0)
        if options.power:
            scores = scores * self.trend**options.power
        if len(own) and options.habit:
            own_trend = self.trend[own] ** options.power if options.power else 1.0
            scores = scores.copy()
            scores[own] += options.habit * habit * own_trend
        return scores

    def explain(self, client, product):
        """Return the client's own product that speaks most for a product, or None."""
        own, _habit = self.get_own(client)
        own = own[own != product]
        if not len(own):
            return None
        reasons = self.weights[own, product]
        best = int(np.argmax(reasons))
        return int(own[best]) if reasons[best] > 0 else None


def recommend(scores, count, forbidden=None):
    """Return the best products of a row of scores, the best first.

    :param scores: array over products
    :param int count: how many
    :param forbidden: products that must not appear
    """
    if forbidden is not None and len(forbidden):
        scores = scores.copy()
        scores[forbidden] = -np.inf
    count = min(count, len(scores))
    best = np.argpartition(-scores, count - 1)[:count]
    best = best[np.argsort(-scores[best], kind="stable")]
    return best[np.isfinite(scores[best])]


def find_intervals(sales, model):
    """Return the usual days between purchases of each pair of client and product, and how sure.

    The median of the client's own intervals where he has two or more, else that of all clients of
    the product where there are five or more, else nothing.

    :return: (days, own): floats with NaN where nothing is known, and whether they are his own
    """
    key = sales.client.astype(np.int64) * sales.products + sales.product
    order = np.lexsort((sales.day, key))
    key, day = key[order], sales.day[order]
    gap = np.diff(day)
    inside = (key[1:] == key[:-1]) & (gap > 0)
    key, gap = key[1:][inside], gap[inside]
    pairs = model.pair_client.astype(np.int64) * sales.products + model.pair_product
    own, number = _get_medians(key, gap)
    of_pair = np.full(len(pairs), np.nan)
    place = np.searchsorted(pairs, own[0])
    sure = number >= 2
    of_pair[place[sure]] = own[1][sure]
    own_known = ~np.isnan(of_pair)
    product, number = _get_medians(key % max(sales.products, 1), gap)
    of_product = np.full(sales.products, np.nan)
    of_product[product[0][number >= 5]] = product[1][number >= 5]
    days = np.where(own_known, of_pair, of_product[model.pair_product])
    return days, own_known


def _get_medians(key, value):
    """Return ((keys, lower medians of the values), numbers of values)."""
    order = np.lexsort((value, key))
    key, value = key[order], value[order]
    keys, first, number = np.unique(key, return_index=True, return_counts=True)
    return (keys, value[first + (number - 1) // 2].astype(float)), number


def learn(sales, today, options, gram=None):
    """Learn from sales.

    :param Sales sales: before ``today``
    :param int today: day from which the fading is counted
    :param Options options: how to mix
    :param gram: clients who have both products, when it is known
    """
    client, product, times, last, habit = _get_pairs(sales, today, options.half_life)
    gram = _count_together(client, product, last, sales) if gram is None else gram
    owners = np.bincount(product, minlength=sales.products).astype(np.float32)
    lately = np.bincount(product, 0.5 ** ((today - last) / _LATELY), minlength=sales.products)
    share = (owners + _SMOOTH) / (owners.sum() + _SMOOTH * sales.products)
    recent = (lately + _SMOOTH) / (lately.sum() + _SMOOTH * sales.products)
    starts = np.searchsorted(client, np.arange(sales.clients + 1))
    return Model(
        options=options,
        weights=_solve(gram, options.penalty),
        trend=(recent / share).astype(np.float32),
        crowd=(owners / max(sales.clients, 1)).astype(np.float32),
        pair_client=client,
        pair_product=product,
        pair_habit=habit,
        pair_times=times,
        pair_last=last,
        starts=starts,
    )


def tune(sales, today, horizon=None):
    """Choose how to mix by the last part of the time, held back.

    :param Sales sales: before ``today``
    :param int today: day
    :param horizon: days to hold back; a quarter of the time by default, two weeks to three months
    :return: (options for new products, options for all products, report); the report is a dict with
        ``clients`` (judged), ``horizon`` and the recall of each list and of the crowd's (``new``,
        ``new_crowd``, ``all``, ``all_own``, ``all_crowd``); default options and an empty report
        when there is too little to choose by
    """
    default = Options()
    fresh = replace(default, habit=0.0, power=1.0, crowd=0.1)
    if not len(sales.day):
        return fresh, default, {}
    span = int(today - sales.day.min())
    horizon = horizon or int(np.clip(span / 4, 14, 92))
    before = sales.until(today - horizon)
    late = sales.day >= today - horizon
    if not len(before.day) or not late.any():
        return fresh, default, {}
    known = np.zeros(sales.clients, bool)
    known[before.client] = True
    truths = {}
    for one, item in zip(sales.client[late].tolist(), sales.product[late].tolist(), strict=True):
        if known[one]:
            truths.setdefault(one, set()).add(item)
    judges = np.array(sorted(truths))
    if len(judges) > MAX_JUDGES:
        judges = judges[np.linspace(0, len(judges) - 1, MAX_JUDGES).astype(int)]
    if len(judges) < 20:
        return fresh, default, {}
    moment = today - horizon
    client, product, _times, last, _habit = _get_pairs(before, moment, 1)
    gram = _count_together(client, product, last, before)
    report = {"clients": len(judges), "horizon": horizon}
    judged = [
        _Judged(before, moment, replace(default, penalty=penalty), gram, judges, truths)
        for penalty in _PENALTIES
    ]
    mixes = [
        {"similar": similar, "crowd": crowd, "power": power}
        for similar, crowd in ((1.0, 1e-6), (1.0, 0.1), (1.0, 1.0), (0.0, 1.0))
        for power in _POWERS
    ]
    best_new = max(
        (
            (one.recall(replace(fresh, penalty=one.penalty, **mix), True),
             replace(fresh, penalty=one.penalty, **mix))
            for one in judged
            for mix in mixes
        ),
        key=lambda pair: pair[0],
    )  # fmt: skip
    one = next(one for one in judged if one.penalty == best_new[1].penalty)
    report["new"] = best_new[0]
    report["new_crowd"] = one.recall(replace(fresh, similar=0.0, crowd=1.0, power=0.0), True)
    options = replace(best_new[1], habit=1.0, similar=1.0, crowd=2.0, power=0.0)
    choices = (
        ("habit", _HABITS), ("half_life", _HALF_LIVES),
        ("crowd", _CROWDS), ("habit", _HABITS),
    )  # fmt: skip
    best = one.recall(options, False)
    for name, values in choices:  # one after the other: the voices hardly depend on each other
        for value in values:
            tried = replace(options, **{name: value})
            found = one.recall(tried, False)
            if found > best * _CLEARLY:
                best, options = found, tried
    report["all"] = best
    report["all_crowd"] = one.recall(replace(options, similar=0, habit=0, power=0, crowd=1), False)
    alone = replace(options, similar=0.0, habit=1.0, power=0.0, crowd=1e-6, half_life=1e5)
    report["all_own"] = one.recall(alone, False)
    return best_new[1], options, report


class _Judged:
    """The lists of some clients under changing options: what is costly is computed once."""

    def __init__(self, sales, moment, options, gram, judges, truths):
        self.penalty = options.penalty
        model = learn(sales, moment, options, gram)
        self.crowd, self.trend = model.crowd, model.trend
        self.similar = np.stack(
            [np.maximum(model.weights[model.get_own(one)[0]].sum(axis=0), 0) for one in judges]
        )
        self.own = [model.get_own(one)[0] for one in judges]
        self.habits = {}
        for half_life in _HALF_LIVES:
            client, _product, _times, _last, habit = _get_pairs(sales, moment, half_life)
            starts = np.searchsorted(client, np.arange(sales.clients + 1))
            self.habits[half_life] = [habit[starts[one] : starts[one + 1]] for one in judges]
        self.truths = [truths[one] for one in judges]

    def recall(self, options, new):
        """Mean share of what was bought that the first ten products name."""
        total, judged = 0.0, 0
        trend = self.trend**options.power
        for row, (own, truth) in enumerate(zip(self.own, self.truths, strict=True)):
            wanted = truth - set(own.tolist()) if new else truth
            if not wanted:
                continue
            scores = (options.similar * self.similar[row] + options.crowd * self.crowd) * trend
            if new:
                scores[own] = -np.inf
            elif options.habit and len(own):
                habit = self.habits[options.half_life][row]
                scores[own] += options.habit * habit * trend[own]
            best = np.argpartition(-scores, min(TOP, len(scores)) - 1)[:TOP]
            total += len(wanted.intersection(best.tolist())) / len(wanted)
            judged += 1
        return total / judged if judged else 0.0


def _get_pairs(sales, today, half_life):
    """Return client, product, documents, last day and fading sum of each pair, by client."""
    key = sales.client.astype(np.int64) * sales.products + sales.product
    keys, place = np.unique(key, return_inverse=True)
    times = np.bincount(place, minlength=len(keys))
    last = np.full(len(keys), np.iinfo(np.int64).min)
    np.maximum.at(last, place, sales.day)
    faded = np.bincount(place, 0.5 ** ((today - sales.day) / half_life), minlength=len(keys))
    client, product = np.divmod(keys, max(sales.products, 1))
    return client, product, times, last, faded.astype(np.float32)


def _count_together(client, product, last, sales):
    """Clients who have both products, a matrix; the latest clients when there are very many."""
    if sales.clients > MAX_LEARNERS:
        latest = np.full(sales.clients, np.iinfo(np.int64).min)
        np.maximum.at(latest, client, last)
        chosen = np.zeros(sales.clients, bool)
        chosen[np.argpartition(-latest, MAX_LEARNERS)[:MAX_LEARNERS]] = True
        kept = chosen[client]
        client, product = client[kept], product[kept]
    together = np.zeros((sales.products, sales.products), np.float32)
    row = np.cumsum(np.r_[False, client[1:] != client[:-1]]) if len(client) else client
    step = 2048
    for begin in range(0, int(row[-1]) + 1 if len(row) else 0, step):
        first, end = np.searchsorted(row, (begin, begin + step))
        block = np.zeros((min(step, int(row[end - 1]) - begin + 1), sales.products), np.float32)
        block[row[first:end] - begin, product[first:end]] = 1
        together += block.T @ block
    return together


def _solve(gram, penalty):
    """Return the EASE weights of a matrix of products."""
    size = len(gram)
    if not size:
        return np.zeros((0, 0), np.float32)
    ridge = gram.astype(np.float64)
    ridge[np.diag_indices(size)] += max(penalty * float(np.trace(gram)) / size, 1.0)
    inverse = np.linalg.inv(ridge)
    weights = (-inverse / np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return weights
