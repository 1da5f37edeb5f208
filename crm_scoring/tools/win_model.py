"""A model of the probability of winning, learned from closed deals. Pure numpy: no ORM, no clock.

The model is *additive*: every input adds log-odds that depend on its value alone, so that each
estimate can be explained input by input and computed in SQL by look-ups.

1. **Two learners** (``win_learners``). *Smoothed likelihoods* weigh each level of an input by the
   ratio of its shares among won and among lost deals, which is efficient with few deals. A
   *logistic regression* with Gaussian priors weighs all levels together, which is right when
   inputs repeat each other.
2. **Recalibration out of fold.** Both learners predict deals they were not trained on; a logistic
   regression with non-negative weights on these predictions (Platt scaling of two inputs, Platt
   1999; stacking, Wolpert 1992) tells how much of each to believe. When the predictions of unseen
   deals are worthless the weights go to zero, the more deals say so, and deals get the win rate.
3. **Drift.** The level of the win rate follows recent deals: a half-life is chosen by predicting
   later deals from earlier ones.
4. **Leaks.** An input that tells the outcome nearly perfectly, or that is filled on deals of one
   outcome only, is one that people enter when the deal closes: it is left out and named.
"""

import math

import numpy as np

from .win_learners import (
    MISSING,
    OTHER,
    Levels,
    add_up,
    fit_likelihoods,
    fit_regression,
    logit,
    sigmoid,
)

FOLDS = 5
# Half-lives of the level of the win rate that are tried, in shares of all deals.
HALF_LIVES = (None, 1.0, 0.4)
# More deals than this add nothing but time; the latest are taken.
MAX_DEALS = 200_000
# What the learners are believed before out-of-fold predictions tell.
MIX_LIKELIHOODS, MIX_REGRESSION, MIX_VARIANCE, MIX_DEALS = 0.05, 0.8, 0.02, 20
# Nobody knows a future with certainty.
MIN_PROBABILITY, MAX_PROBABILITY = 0.01, 0.99
# A single input that ranks won and lost deals this well, or whose share of empty values differs
# this much between them, knows the outcome; judged from so many deals on.
LEAK_AUC, LEAK_EMPTY, LEAK_DEALS = 0.985, 0.6, 30


def get_folds(won):
    """Deal out deals to folds in turns, won and lost apart, so that each has both."""
    folds = np.empty(len(won), dtype=np.int64)
    for outcome in (0.0, 1.0):
        members = np.flatnonzero(won == outcome)
        folds[members] = np.arange(len(members)) % FOLDS
    return folds


def fit_mixture(first, second, won, weights):
    """Return intercept and the two non-negative weights of the learners.

    What they are believed before grows with the number of deals; with few of them that counts.
    """
    rarer = 2 * min(won.sum(), len(won) - won.sum())
    belief = rarer / (rarer + MIX_DEALS)
    prior = np.array([MIX_LIKELIHOODS, MIX_REGRESSION]) * belief
    # With few deals a mixture of zero is chance more often than truth, and would leave all deals
    # alike: what is left of doubt keeps a share of the prior, which vanishes as deals come.
    least = prior * (1 - belief)
    precision = np.array([1 / MIX_VARIANCE, 1 / MIX_VARIANCE])
    share = (weights @ won + 1) / (weights.sum() + 2)
    intercept, mix = logit(share), prior.copy()
    claims = np.column_stack([first, second])
    design = np.column_stack([np.ones(len(won)), claims])
    for _step in range(50):
        chance = sigmoid(intercept + claims @ mix)
        slope = design.T @ (weights * (won - chance))
        slope[1:] -= precision * (mix - prior)
        free = np.append(True, (mix > least) | (slope[1:] > 0))
        curve = (design * (weights * chance * (1 - chance))[:, None]).T @ design
        curve += np.diag(np.append(1e-6, precision))
        step = np.zeros(3)
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        step = np.clip(step, -1.0, 1.0)
        intercept += step[0]
        mix = np.maximum(mix + step[1:], least)
        if np.abs(step).max() < 1e-6:
            break
    return intercept, mix


def get_log_loss(chance, won):
    """Return the log-loss of each deal."""
    chance = np.clip(chance, 1e-6, 1 - 1e-6)
    return -(won * np.log(chance) + (1 - won) * np.log(1 - chance))


def fit_offset(eta, won, weights):
    """Return what must be added to all log-odds so that their mean is right."""
    offset = 0.0
    for _step in range(20):
        chance = sigmoid(eta + offset)
        step = (weights @ (won - chance) - offset / 10) / (
            weights @ (chance * (1 - chance)) + 1 / 10
        )
        offset += max(-2.0, min(2.0, step))
        if abs(step) < 1e-6:
            break
    return offset


def get_recency(count, half_life):
    """Return weights that halve with every ``half_life`` (share of all deals) into the past."""
    if half_life is None:
        return np.ones(count)
    return 0.5 ** ((count - 1 - np.arange(count)) / (half_life * count))


def choose_half_life(eta, won):
    """Return the half-life under which earlier deals tell the level of later ones best.

    Predicts each of the last five tenths of the deals from those before; a half-life is taken
    only if it is better than none by more than twice the standard error of the difference.
    """
    count = len(won)
    if count < 100:
        return None
    blocks = np.array_split(np.arange(count), 10)
    losses = {}
    for half_life in HALF_LIVES:
        parts = []
        for block in blocks[5:]:
            past = np.arange(block[0])
            offset = fit_offset(eta[past], won[past], get_recency(len(past), half_life))
            parts.append(get_log_loss(sigmoid(eta[block] + offset), won[block]))
        losses[half_life] = np.concatenate(parts)
    best = None
    for half_life in HALF_LIVES[1:]:
        gain = losses[None] - losses[half_life]
        error = gain.std() / math.sqrt(len(gain))
        better = best is None or losses[half_life].mean() < losses[best].mean()
        if better and gain.mean() > 2 * error:
            best = half_life
    return best


def get_auc(chance, won):
    """Return the area under the ROC curve: how often a won deal ranks above a lost one.

    Ties count half (Mann-Whitney); None when all outcomes are the same.
    """
    chance, won = np.asarray(chance, dtype=float), np.asarray(won, dtype=float)
    good = won.sum()
    bad = len(won) - good
    if not good or not bad:
        return None
    _values, places, sizes = np.unique(chance, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[places]
    return float((ranks[won == 1].sum() - good * (good + 1) / 2) / (good * bad))


def find_leak(values, code, won):
    """Tell whether an input knows the outcome: "empty", "perfect" or None."""
    if len(won) < LEAK_DEALS or not won.any() or won.all():
        return None
    empty = code == MISSING
    if abs(empty[won == 1].mean() - empty[won == 0].mean()) > LEAK_EMPTY:
        return "empty"
    size = np.bincount(code)
    good = np.bincount(code, won)
    # each deal is judged by the others of its level, so that rare levels prove nothing
    others = (good[code] - won + won.mean()) / (size[code])
    auc = get_auc(others, won)
    return "perfect" if auc > LEAK_AUC else None


def make_monotone(table, sizes, direction):
    """Pool adjacent bins until the log-odds rise (+1) or fall (-1) throughout."""
    pooled = []
    for value, size in zip(table * direction, np.maximum(sizes, 1e-9), strict=True):
        pooled.append([value, size, 1])
        while len(pooled) > 1 and pooled[-2][0] > pooled[-1][0]:
            value, size, length = pooled.pop()
            last = pooled[-1]
            last[0] = (last[0] * last[1] + value * size) / (last[1] + size)
            last[1] += size
            last[2] += length
    return np.repeat([p[0] for p in pooled], [p[2] for p in pooled]) * direction


def fit(inputs, columns, won, prior=0.5):
    """Train a model on closed deals in the order in which they were closed.

    The same data give the same model.

    :param list inputs: dict(name, kind "category" or "number"); optional: monotone (+1 the
        probability rises with the number, -1 it falls), elapsed (a number that grows by itself:
        far beyond what closed deals had it tells nothing)
    :param dict columns: name of the input → list of values, None is no value
    :param won: list of outcomes, 1 or 0
    :param float prior: win rate expected before any deal was seen, 0 to 1
    :return: ``(model, unseen)``: plain data that JSON can keep (see :func:`predict`), and the
        probabilities of the deals by models that were not trained on them
    """
    won = np.array(won, dtype=float)[-MAX_DEALS:]
    weights = np.ones(len(won))
    rate = (won.sum() + 4 * prior) / (len(won) + 4)
    used, codes, levels, leaks = [], [], [], {}
    for entry in inputs:
        values = columns[entry["name"]][-MAX_DEALS:]
        level = Levels(values, entry["kind"])
        code = level.encode(values)
        if not len(code) or (code == code[0]).all():
            continue
        if leak := find_leak(values, code, won):
            leaks[entry["name"]] = leak
            continue
        used.append((entry, values))
        codes.append(code)
        levels.append(level)
    counts = [level.count for level in levels]
    kinds = [level.kind for level in levels]
    first, second = predict_unseen(codes, counts, kinds, won, weights, rate)
    intercept, mix = fit_mixture(first, second, won, weights)
    eta = intercept + mix[0] * first + mix[1] * second
    half_life = choose_half_life(eta, won)
    offset = fit_offset(eta, won, get_recency(len(won), half_life)) if half_life else 0.0
    _base, likelihoods = fit_likelihoods(codes, counts, won, weights, rate)
    _base, regression = fit_regression(codes, counts, kinds, won, weights, rate)
    items = []
    for (entry, values), level, code, a, b in zip(
        used, levels, codes, likelihoods, regression, strict=True
    ):
        table = mix[0] * a + mix[1] * b
        sizes = np.bincount(code, minlength=level.count)
        if entry.get("monotone") and level.kind == "number":
            table[2:] = make_monotone(table[2:], sizes[2:], entry["monotone"])
        items.append(prepare_item(entry, level, table, sizes, values))
    model = {
        "base": float(intercept + offset),
        "mix": [float(m) for m in mix],
        "half_life": half_life,
        "deals": len(won),
        "won": int(won.sum()),
        "inputs": items,
        "leaks": leaks,
    }
    return model, sigmoid(eta + offset)


def predict_unseen(codes, counts, kinds, won, weights, rate):
    """Return the log-odds both learners, trained on the other folds, give to each deal."""
    folds = get_folds(won)
    first, second = np.zeros(len(won)), np.zeros(len(won))
    for fold in range(FOLDS):
        inside, outside = folds != fold, folds == fold
        if not outside.any() or not codes:
            continue
        part, rest = [code[inside] for code in codes], [code[outside] for code in codes]
        _base, tables = fit_likelihoods(part, counts, won[inside], weights[inside], rate)
        first[outside] = add_up(0.0, tables, rest)
        _base, tables = fit_regression(part, counts, kinds, won[inside], weights[inside], rate)
        second[outside] = add_up(0.0, tables, rest)
    return first, second


def prepare_item(entry, level, table, sizes, values):
    """Return an input of the model as plain data.

    ``mean`` and ``spread`` are the mean and the standard deviation of its log-odds over the
    deals; the spread tells how much it matters.
    """
    share = sizes / sizes.sum()
    mean = float(share @ table)
    spread = math.sqrt(max((share * (table - mean) ** 2).sum(), 0.0))
    item = {
        "name": entry["name"],
        "kind": level.kind,
        "missing": float(table[MISSING]),
        "other": float(table[OTHER]),
        "mean": mean,
        "spread": spread,
    }
    if level.kind == "number":
        item["bounds"] = [float(bound) for bound in level.bounds]
        item["weights"] = [float(weight) for weight in table[2:]]
        if entry.get("elapsed"):
            item["limit"] = 1.5 * max(value for value in values if value is not None)
    else:
        item["weights"] = {str(value): float(table[n]) for value, n in level.index.items()}
    return item


def get_contribution(item, values):
    """Return the log-odds that one input adds to each of several deals."""
    if item["kind"] == "number":
        numbers = np.array([np.nan if v is None else v for v in values], dtype=float)
        if "limit" in item:
            numbers[numbers > item["limit"]] = np.nan
        found = np.searchsorted(item["bounds"], numbers, side="right")
        return np.where(
            np.isnan(numbers),
            item["missing"],
            np.array(item["weights"])[np.minimum(found, len(item["weights"]) - 1)],
        )
    get = item["weights"].get
    return np.array([item["missing"] if v is None else get(str(v), item["other"]) for v in values])


def predict(model, columns):
    """Return the probabilities of deals, strictly between 0 and 1.

    :param dict model: see :func:`fit`
    :param dict columns: name of the input → list of values
    """
    count = len(next(iter(columns.values()))) if columns else 0
    eta = np.full(count, model["base"])
    for item in model["inputs"]:
        eta += get_contribution(item, columns[item["name"]])
    return np.clip(sigmoid(eta), MIN_PROBABILITY, MAX_PROBABILITY)
