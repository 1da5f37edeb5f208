"""When a client buys again and for how much: BG/NBD and Gamma-Gamma. No ORM, no clock.

**BG/NBD** (Fader, Hardie, Lee: "Counting your customers" the easy way, Marketing Science 24,
2005): a client buys at random moments at a rate of his own (gamma distributed over clients, ``r``
and ``alpha``) and may leave for good after each purchase with a probability of his own (beta, ``a``
and ``b``). Three numbers describe a client: ``x`` repeat purchases, ``t_x`` age at the last of them
and ``T`` age now, all in one unit of time.

**Gamma-Gamma** (Fader, Hardie: The Gamma-Gamma Model of Monetary Value, 2013): the mean amount of
a client's purchases varies around a level of his own; a client with few purchases is drawn towards
the mean of all (``p``, ``q``, ``v``).

Both are fitted by maximum likelihood over the logarithms of the parameters, with exact gradients,
by BFGS. The gamma functions of the likelihood only meet whole numbers of purchases, so their ratios
are cumulative sums. Clients with equal numbers may be given once, with their count as weight.
"""

import math
from dataclasses import dataclass

import numpy as np

MIN_REPEATERS = 20  # clients with a second purchase below which a fit says nothing
_TOLERANCE = 1e-6  # of the gradient per client
_MAX_ITERATIONS = 300
_FAR = 12.0  # a logarithm of a parameter beyond which the data do not hold the model


@dataclass(frozen=True)
class Fit:
    """Result of a fit.

    ``parameters``: tuple; ``log_likelihood``: of all clients; ``iterations``; ``converged``.
    """

    parameters: tuple
    log_likelihood: float
    iterations: int
    converged: bool


def fit_bgnbd(x, t_x, age, weights=None, start=None):
    """Fit BG/NBD.

    :param x: whole numbers of repeat purchases
    :param t_x: age at the last purchase, 0 where ``x`` is 0
    :param age: age now, in the unit of ``t_x``, at least ``t_x``
    :param weights: how many clients share the three numbers, 1 by default
    :param start: parameters to start from, e.g. those of the last fit
    :return: :class:`Fit` with (r, alpha, a, b)
    :raise ValueError: when there are no clients or a number makes no sense
    """
    x, t_x, age, weights = _prepare(x, t_x, age, weights)
    clients = weights.sum()
    # ratios of gamma functions depend on x alone: sums over k < x, weighted once
    highest = int(x.max())
    over_x = np.bincount(x, weights, highest + 1)
    at_least = np.cumsum(over_x[::-1])[::-1][1:]  # clients with more than k purchases
    steps = np.arange(highest, dtype=float)
    repeat = x > 0

    def negative(logs):
        r, alpha, a, b = np.exp(logs)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            alive = -(r + x) * np.log(alpha + age)
            gone = np.where(
                repeat,
                np.log(a) - np.log(np.maximum(b + x - 1, 1e-300)) - (r + x) * np.log(alpha + t_x),
                -np.inf,
            )
            total = np.logaddexp(alive, gone)
            share = np.exp(gone - total)  # of the likelihood that the client has left
            value = (
                at_least @ (np.log(r + steps) + np.log(b + steps) - np.log(a + b + steps))
                + clients * r * np.log(alpha)
                + weights @ total
            )
            log_age, log_last = np.log(alpha + age), np.log(alpha + t_x)
            by_ab = at_least @ (1 / (a + b + steps))
            gradient = np.array(
                [
                    at_least @ (1 / (r + steps))
                    + clients * np.log(alpha)
                    - weights @ ((1 - share) * log_age + share * log_last),
                    clients * r / alpha
                    - weights @ ((r + x) * ((1 - share) / (alpha + age) + share / (alpha + t_x))),
                    weights @ share / a - by_ab,
                    at_least @ (1 / (b + steps))
                    - by_ab
                    - weights @ np.where(repeat, share / np.maximum(b + x - 1, 1e-300), 0),
                ]
            )
        return -value / clients, -gradient * np.exp(logs) / clients

    mean_age = float(weights @ age / clients) or 1.0
    starts = [(0.5, mean_age / 4, 0.8, 2.5), (1.0, mean_age, 0.5, 5.0)]
    if start:
        starts.insert(0, tuple(start))
    best = _minimise_from(negative, starts)
    return Fit(tuple(np.exp(best[0]).tolist()), -best[1] * clients, best[2], best[3])


def probability_alive(parameters, x, t_x, age):
    """Return the probability that a client has not left for good, an array (0 to 1).

    1 for clients without a repeat purchase: by the model a client leaves only after one.
    """
    r, alpha, a, b = parameters
    x, t_x, age = np.asarray(x, float), np.asarray(t_x, float), np.asarray(age, float)
    odds = _odds_gone(r, alpha, a, b, x, t_x, age)
    return 1 / (1 + odds)


def expected_purchases(parameters, x, t_x, age, horizon):
    """Return the purchases to expect in the next ``horizon`` units of time, an array.

    Equation (10) of the paper; the hypergeometric function is taken after Euler's transformation,
    whose series converges everywhere and is independent of the power of x that overflows.
    """
    r, alpha, a, b = parameters
    if abs(a - 1) < 1e-6:
        a = 1 + 1e-6  # the formula has a removable singularity there
    x, t_x, age = np.asarray(x, float), np.asarray(t_x, float), np.asarray(age, float)
    z = horizon / (alpha + age + horizon)
    series = _hypergeometric(a + b - 1 - r, a - 1, a + b + x - 1, z)
    numerator = (a + b + x - 1) / (a - 1) * (1 - (1 - z) ** (a - 1) * series)
    return np.maximum(numerator, 0) / (1 + _odds_gone(r, alpha, a, b, x, t_x, age))


def fit_gamma_gamma(x, mean, weights=None, start=None):
    """Fit Gamma-Gamma.

    :param x: numbers of repeat purchases, at least 1
    :param mean: mean amounts of the repeat purchases, above 0
    :param weights: how many clients share the two numbers, 1 by default
    :param start: parameters to start from
    :return: :class:`Fit` with (p, q, v)
    :raise ValueError: when there are no clients or a number makes no sense
    """
    x, mean = np.asarray(x, float), np.asarray(mean, float)
    weights = np.ones(len(x)) if weights is None else np.asarray(weights, float)
    if not len(x) or (x < 1).any() or (mean <= 0).any():
        raise ValueError("amounts must be above 0 and purchases at least 1")
    clients = weights.sum()
    scale = float(weights @ mean / clients)  # fit in units of the mean, for a sound start
    mean = mean / scale
    kinds, kind = np.unique(x, return_inverse=True)
    per_kind = np.bincount(kind, weights)
    log_mean, log_x = np.log(mean), np.log(x)

    def negative(logs):
        p, q, v = np.exp(logs)
        gammas = np.array(
            [math.lgamma(p * k + q) - math.lgamma(p * k) - math.lgamma(q) for k in kinds]
        )
        psi_q = _digamma(q)
        psi_sum = np.array([_digamma(p * k + q) for k in kinds])
        psi_px = np.array([_digamma(p * k) for k in kinds])
        log_all = np.log(x * mean + v)
        value = per_kind @ gammas + weights @ (
            q * np.log(v) + (p * x - 1) * log_mean + p * x * log_x - (p * x + q) * log_all
        )
        gradient = np.array(
            [
                per_kind @ (kinds * (psi_sum - psi_px))
                + weights @ (x * (log_mean + log_x - log_all)),
                per_kind @ (psi_sum - psi_q) + weights @ (np.log(v) - log_all),
                weights @ (q / v - (p * x + q) / (x * mean + v)),
            ]
        )
        return -value / clients, -gradient * np.exp(logs) / clients

    starts = [(6.0, 4.0, 0.5), (1.0, 2.0, 1.0)]
    if start:
        starts.insert(0, (start[0], start[1], start[2] / scale))
    best = _minimise_from(negative, starts)
    p, q, v = np.exp(best[0]).tolist()
    log_likelihood = -best[1] * clients - clients * math.log(scale)
    return Fit((p, q, v * scale), log_likelihood, best[2], best[3])


def expected_mean(parameters, x, mean):
    """Return the mean amount of a client's future purchases, an array.

    :param x: repeat purchases; 0 gives the mean of all clients
    :param mean: mean amount of them; whatever where ``x`` is 0
    """
    p, q, v = parameters
    x, mean = np.asarray(x, float), np.asarray(mean, float)
    return p * (v + x * np.where(x > 0, mean, 0)) / np.maximum(p * x + q - 1, 1e-9)


def _prepare(x, t_x, age, weights):
    x = np.asarray(x).astype(int)
    t_x, age = np.asarray(t_x, float), np.asarray(age, float)
    weights = np.ones(len(x)) if weights is None else np.asarray(weights, float)
    if not len(x):
        raise ValueError("no clients")
    if (x < 0).any() or (t_x < 0).any() or (t_x > age).any():
        raise ValueError("purchases must not be negative, nor later than now")
    return x, t_x, age, weights


def _odds_gone(r, alpha, a, b, x, t_x, age):
    power = (r + x) * np.log((alpha + age) / (alpha + t_x))
    with np.errstate(over="ignore"):
        odds = a / np.where(x > 0, b + x - 1, 1) * np.exp(np.minimum(power, 700))
    return np.where(x > 0, odds, 0)


def _hypergeometric(first, second, third, z, terms=20_000):
    """Gauss' series of 2F1 with scalars above and arrays below."""
    third, z = np.broadcast_arrays(np.asarray(third, float), np.asarray(z, float))
    total = np.ones(z.shape)
    active = np.arange(total.size)
    term = np.ones(total.size)
    low, argument = third.ravel().copy(), z.ravel().copy()
    flat = total.ravel()
    for n in range(terms):
        term = term * ((first + n) * (second + n) / (1 + n)) / (low + n) * argument
        flat[active] += term
        if n % 16 == 15:  # those that have converged leave
            left = np.abs(term) > 1e-10 * np.abs(flat[active])
            if not left.any():
                break
            active, term, low, argument = active[left], term[left], low[left], argument[left]
    return flat.reshape(total.shape)


def _digamma(value):
    """Derivative of lgamma: recurrence up to 6, then the asymptotic series."""
    result = 0.0
    while value < 6:
        result -= 1 / value
        value += 1
    inverse = 1 / (value * value)
    series = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse / 240)))
    return result + math.log(value) - 0.5 / value - series


def _minimise_from(function, starts):
    """Return the first fit that converges, else the best; (logs, value, iterations, converged)."""
    found = []
    for start in starts:
        result = _minimise(function, np.log(np.array(start, float)))
        if result[3]:
            return result
        found.append(result)
    return min(found, key=lambda result: result[1])


def _minimise(function, point):
    """BFGS with backtracking; the steps are bounded, for the parameters are logarithms."""
    value, gradient = function(point)
    inverse = np.eye(len(point))
    for iteration in range(1, _MAX_ITERATIONS + 1):
        if np.abs(gradient).max() < _TOLERANCE:
            return point, value, iteration, True
        direction = -inverse @ gradient
        if direction @ gradient >= 0:
            inverse, direction = np.eye(len(point)), -gradient
        direction *= min(1.0, 2.0 / np.abs(direction).max())
        step = 1.0
        for _halving in range(40):
            new_point = np.clip(point + step * direction, -_FAR, _FAR)
            new_value, new_gradient = function(new_point)
            if new_value <= value + 1e-4 * step * (direction @ gradient):
                break
            step /= 2
        else:
            return point, value, iteration, bool(np.abs(gradient).max() < 1e-4)
        moved, turned = new_point - point, new_gradient - gradient
        point, value, gradient = new_point, new_value, new_gradient
        curvature = moved @ turned
        if curvature > 1e-12:
            left = np.eye(len(point)) - np.outer(moved, turned) / curvature
            inverse = left @ inverse @ left.T + np.outer(moved, moved) / curvature
        if np.abs(point).max() >= _FAR:  # a parameter runs away: the data do not hold the model
            return point, value, iteration, False
    return point, value, _MAX_ITERATIONS, False
