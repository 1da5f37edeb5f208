"""Forecasts of a series from each of its points on, method by method. numpy only, no ORM.

Every method here is *causal*: the row for ``t`` known values uses these and nothing later, start
values and smoothing constants included. So one pass over a series is a whole back-test: the
constants are those that would have been chosen at that time.

Instead of a search the recursion runs for a grid of constants at once; at each point the set with
the least squared one-step errors so far speaks.

Sources: damped trend and its error-correction form - E. S. Gardner, "Exponential smoothing: the
state of the art", Journal of Forecasting 4 (1985); seasonal forms - Holt-Winters as written by
R. J. Hyndman et al., "Forecasting with Exponential Smoothing" (2008); intermittent sales -
J. D. Croston, Operational Research Quarterly 23 (1972), with the correction of A. A. Syntetos and
J. E. Boylan, International Journal of Forecasting 21 (2005), and for sales that cease
R. H. Teunter, A. A. Syntetos and M. Z. Babai, European Journal of Operational Research 214 (2011);
Theta - V. Assimakopoulos and K. Nikolopoulos, International Journal of Forecasting 16 (2000), as
smoothing with half the slope of the line through all values: R. J. Hyndman and B. Billah, the same
19 (2003).
"""

import itertools

import numpy as np

ALPHAS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
BETAS = (0.0, 0.05, 0.15, 0.3)  # times alpha
GAMMAS = (0.05, 0.15, 0.35)  # times 1 - alpha
DAMPINGS = (0.8, 0.9, 0.95, 0.98)
CROSTON_ALPHAS = (0.05, 0.1, 0.15, 0.2, 0.3)
THETA_ALPHAS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
START = 6  # values behind the start of a level and a trend


def naive(values, horizon, period=1):
    """The value of the same season last year (period 1: the last value).

    :param values: array of n numbers
    :return: array (n + 1, horizon); row t is the forecast after t values, NaN where there is none
    """
    values = np.asarray(values, float)
    result = np.full((len(values) + 1, horizon), np.nan)
    steps = np.arange(horizon) % period
    for known in range(period, len(values) + 1):
        result[known] = values[known - period + steps]
    return result


def damped(values, horizon, period=1, multiplicative=False):
    """Exponential smoothing with a damped trend, and a season if the period is above 1.

    Without a season the first ``START`` values give the start, with one the first two periods.

    :return: as ``naive``; None when the form does not fit (a multiplicative season needs values
        above zero)
    """
    values = np.asarray(values, float)
    seasonal = period > 1
    start = 2 * period if seasonal else START
    result = np.full((len(values) + 1, horizon), np.nan)
    if len(values) < start or (multiplicative and values.min() <= 0):
        return None if multiplicative else result
    alpha, beta, gamma, phi = _get_grid(seasonal)
    level, trend, season = _get_start(values[:start], period, multiplicative)
    level, trend = np.full(len(alpha), level), np.full(len(alpha), trend)
    season = np.tile(season[:, None], len(alpha))
    squares = np.zeros(len(alpha))
    powers = np.cumsum(phi[:, None] ** np.arange(1, horizon + 1), axis=1)
    steps = np.arange(horizon)
    for known in range(len(values) + 1):
        if known >= start:
            best = int(np.argmin(squares))
            line = level[best] + powers[best] * trend[best]
            shape = season[(known + steps) % period, best]
            result[known] = line * shape if multiplicative else line + shape
        if known == len(values):
            break
        place = known % period
        before, own = level + phi * trend, season[place]
        if multiplicative:
            error = values[known] - before * own
            step = error / np.maximum(own, 1e-6)
            turn = error / np.where(np.abs(before) > 1e-6, before, 1e-6)
        else:
            error = values[known] - before - own
            step = turn = error
        squares += error**2
        level = before + alpha * step
        trend = phi * trend + alpha * beta * step
        if seasonal:
            season[place] = own + gamma * (1 - alpha) * turn
    return result


def croston(values, horizon):
    """Croston's method with the correction of Syntetos and Boylan, for sales with many zeros.

    The size of a sale and the interval between sales are smoothed apart and when there is a sale;
    the forecast is the same for all months ahead.

    :return: as ``naive``
    """
    values = np.asarray(values, float)
    alpha = np.array(CROSTON_ALPHAS)
    result = np.full((len(values) + 1, horizon), np.nan)
    size = interval = None
    waited = 1
    squares = np.zeros(len(alpha))
    for known in range(len(values) + 1):
        rate = None if size is None else (1 - alpha / 2) * size / interval
        if rate is not None:
            result[known] = rate[int(np.argmin(squares))]
        elif known:
            result[known] = 0.0
        if known == len(values):
            break
        value = values[known]
        if rate is not None:
            squares += (value - rate) ** 2
        if value == 0:
            waited += 1
        else:
            if size is None:
                size, interval = np.full(len(alpha), value), np.full(len(alpha), float(waited))
            else:
                size = size + alpha * (value - size)
                interval = interval + alpha * (waited - interval)
            waited = 1
    return result


def ceasing(values, horizon):
    """Method of Teunter, Syntetos and Babai: for rare sales that may cease.

    As Croston's, but the chance of a sale is smoothed in every period, so that the forecast falls
    while nothing is sold.

    :return: as ``naive``
    """
    values = np.asarray(values, float)
    alpha, beta = np.array(list(itertools.product(CROSTON_ALPHAS, CROSTON_ALPHAS))).T
    result = np.full((len(values) + 1, horizon), np.nan)
    size = chance = None
    squares = np.zeros(len(alpha))
    for known in range(len(values) + 1):
        if known:
            result[known] = 0.0 if size is None else (chance * size)[int(np.argmin(squares))]
        if known == len(values):
            break
        value = values[known]
        if size is None:
            if value != 0:
                size = np.full(len(alpha), value)
                chance = np.full(len(alpha), 1 / (known + 1))
            continue
        squares += (value - chance * size) ** 2
        chance = chance + beta * ((value != 0) - chance)
        if value != 0:
            size = size + alpha * (value - size)
    return result


def theta(values, horizon, period=1):
    """The Theta method: smoothing without a trend, and half the slope of the line through all.

    With a season the values are divided by it first (taken off where there are values of zero or
    less), and the forecast gets it back; it is found anew from what is known at each point.

    :return: as ``naive``
    """
    values = np.asarray(values, float)
    count, start = len(values), START if period == 1 else 2 * period
    result = np.full((count + 1, horizon), np.nan)
    if count < start:
        return result
    origins = np.arange(start, count + 1)
    steps = np.arange(horizon)
    rows = np.arange(len(origins))
    clean = np.tile(values, (len(origins), 1))
    if period > 1:
        seasons = np.stack([find_season(values[:known], period) for known in origins])
        divided = (np.minimum.accumulate(values)[origins - 1] > 0)[:, None]
        own = seasons[:, np.arange(count) % period]
        clean = np.where(divided, clean / np.where(divided, own, 1), clean - own)
    alpha = np.array(THETA_ALPHAS)
    level = np.repeat(clean[:, :START].mean(axis=1)[:, None], len(alpha), axis=1)
    squares = np.zeros_like(level)
    for known in range(count):
        seen = (known < origins)[:, None]
        error = np.where(seen, clean[:, known, None] - level, 0.0)
        squares += error**2
        level = level + alpha * error
    best = squares.argmin(axis=1)
    chosen = alpha[best][:, None]
    line = level[rows, best][:, None] + _get_slopes(clean, origins)[:, None] / 2 * (
        steps + (1 - (1 - chosen) ** origins[:, None]) / chosen
    )
    if period > 1:
        ahead = seasons[rows[:, None], (origins[:, None] + steps) % period]
        line = np.where(divided, line * ahead, line + ahead)
    result[start:] = line
    return result


def find_season(values, period):
    """Return the season of a series of two periods or more by moving averages.

    :return: ``period`` numbers, of the first value on: factors around 1 when all values are above
        zero, else amounts around 0
    """
    weights = np.full(period + (period + 1) % 2, 1 / period)
    if period % 2 == 0:
        weights[[0, -1]] /= 2
    half = len(weights) // 2
    middle = np.convolve(values, weights, "valid")
    inner = values[half : half + len(middle)]
    multiplicative = values.min() > 0
    shares = inner / middle if multiplicative else inner - middle
    place = (np.arange(len(shares)) + half) % period
    count = np.bincount(place, minlength=period)
    season = np.bincount(place, shares, period) / np.maximum(count, 1)
    return season / season.mean() if multiplicative else season - season.mean()


def _get_slopes(rows, counts):
    """Return the slope of the line through the first values of each row, so many as counted."""
    time = np.arange(rows.shape[1], dtype=float)
    seen = time < counts[:, None]
    middle = (counts - 1) / 2
    across = counts * (counts.astype(float) ** 2 - 1) / 12
    return (np.where(seen, rows, 0) * (time - middle[:, None])).sum(axis=1) / across


def _get_grid(seasonal):
    """Return arrays of alpha, beta, gamma and damping; damping 0 is smoothing without a trend."""
    sets = list(itertools.product(ALPHAS, BETAS, GAMMAS if seasonal else (0.0,), DAMPINGS))
    sets += itertools.product(ALPHAS, (0.0,), GAMMAS if seasonal else (0.0,), (0.0,))
    return np.array(sets, float).T


def _get_start(values, period, multiplicative):
    """Return level and trend before the first value, and the season (``period`` numbers)."""
    if period == 1:
        # the slope between the halves, the level where the line through them begins
        half = len(values) // 2
        trend = (values[half:].mean() - values[:half].mean()) / half
        level = values.mean() - trend * (len(values) + 1) / 2
        return level, trend, np.zeros(1)
    first, second = values[:period], values[period : 2 * period]
    trend = (second.mean() - first.mean()) / period
    level = first.mean() - trend * (period + 1) / 2
    line = level + trend * np.arange(1, 2 * period + 1)
    if multiplicative:
        line = np.maximum(line, 1e-6)
        season = (values[: 2 * period] / line).reshape(2, period).mean(axis=0)
        return level, trend, season / season.mean()
    season = (values[: 2 * period] - line).reshape(2, period).mean(axis=0)
    return level, trend, season - season.mean()
