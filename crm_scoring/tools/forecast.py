"""Monthly sales some months ahead, with intervals and an honest error. numpy only, no ORM.

- *Choice*: each method forecasts from every month of the past that leaves enough to learn from
  (rolling origin). The forecast is the mean of the methods, each weighted by its error there to the
  power of minus ``SHARPNESS``: a mean errs less than the choice of one by a short test (J. M. Bates
  and C. W. J. Granger, Operational Research Quarterly 20, 1969). A method that is clearly better
  than the mean (``CLEARLY``) is taken alone. The error is shown beside that of the naive forecast
  from the same months.
- *MASE*: errors divided by the mean absolute change against the same month a year before (with a
  short history: against the month before), over the whole series. R. J. Hyndman and
  A. B. Koehler, "Another look at measures of forecast accuracy", International Journal of
  Forecasting 22 (2006).
- *Intervals*: normal, from the errors of the chosen method in the back-test: their root mean square
  by months ahead, smoothed to a line that does not fall, times the quantile of Student's t with as
  many degrees of freedom as the back-test has independent stretches. The errors of a choice flatter
  the chosen: they are widened by ``CHOICE``.
- *Too little history* is said, not papered over: under ``MIN_MONTHS`` nothing is forecast; under
  ``SEASON_MONTHS`` no season is learnt.
"""

from dataclasses import dataclass, field

import numpy as np

from . import smoothing

MIN_MONTHS = 12  # of history, to forecast at all
NAIVE_SEASONS = 1.5  # of history, for the same month of the last year to be a candidate
SEASONS = 2.5  # for a season to be learnt: two years and half a year to test
PERIOD = 12
SEASON_MONTHS = int(SEASONS * PERIOD)
MAX_ORIGINS = 24
SPARSE = 0.25  # share of months without sales from which methods for rare sales are candidates
SHARPNESS = 3
CLEARLY = 0.9
LEVELS = (80, 95)
CHOICE = 1.1
MEASURES = ("turnover", "orders", "average", "clients")
_NORMAL = {80: 1.2815515655446004, 95: 1.959963984540054}


@dataclass
class Forecast:
    """What is expected of a series, and how good that was in the past.

    ``mean`` and the bounds are arrays of one number per month ahead; ``method`` is a name of
    ``get_candidates``; without bounds nothing could be tested; ``rows`` are the forecasts of the
    past (see ``smoothing``).
    """

    method: str
    mean: np.ndarray
    bounds: dict
    mase: float
    mase_naive: float
    naive: str
    origins: int
    scores: dict = field(default_factory=dict)
    rows: np.ndarray = None
    rows_naive: np.ndarray = None


def get_candidates(values, horizon, period=PERIOD):
    """Return the forecasts of each method that may be tried on a series.

    :param values: array of numbers, oldest first
    :param int period: numbers a season has: 12 of months, 52 of weeks, 7 of days, 1 for none
    :return: dict of method -> array as of ``smoothing``, the naive one first
    """
    candidates = {}
    if has_naive_season(len(values), period):
        candidates["seasonal_naive"] = smoothing.naive(values, horizon, period)
    else:
        candidates["naive"] = smoothing.naive(values, horizon)
    candidates["damped"] = smoothing.damped(values, horizon)
    candidates["theta"] = smoothing.theta(values, horizon)
    if has_season(len(values), period):
        candidates["damped_additive"] = smoothing.damped(values, horizon, period)
        multiplicative = smoothing.damped(values, horizon, period, multiplicative=True)
        if multiplicative is not None:
            candidates["damped_multiplicative"] = multiplicative
        candidates["theta_seasonal"] = smoothing.theta(values, horizon, period)
    if np.mean(values == 0) >= SPARSE:
        candidates["croston"] = smoothing.croston(values, horizon)
        candidates["ceasing"] = smoothing.ceasing(values, horizon)
    return candidates


def has_naive_season(count, period):
    """Return whether so long a history is compared with the same part of the last season."""
    return period > 1 and count >= NAIVE_SEASONS * period


def has_season(count, period):
    """Return whether a season is learnt from so long a history."""
    return period > 1 and count >= SEASONS * period


def get_first_origin(count, period=PERIOD):
    """Return how many numbers the first forecast of the back-test knows."""
    if has_season(count, period):
        first = 2 * period
    else:
        first = period if has_naive_season(count, period) else smoothing.START
    return max(first, count - MAX_ORIGINS)


def forecast_series(values, horizon=12, period=PERIOD):
    """Forecast a series, by the methods that would have done best.

    :param values: numbers by month, oldest first, without the current incomplete one
    :param int horizon: months ahead
    :param int period: numbers a season has, see ``get_candidates``
    :return: ``Forecast``, or None with less than ``MIN_MONTHS``
    """
    values = np.asarray(values, float)
    if len(values) < MIN_MONTHS:
        return None
    positive = values.min() >= 0
    candidates = get_candidates(values, horizon, period)
    if positive:
        candidates = {name: np.maximum(rows, 0) for name, rows in candidates.items()}
    first = get_first_origin(len(values), period)
    scale = get_scale(values, period if "seasonal_naive" in candidates else 1)
    errors = {name: get_errors(values, rows, first) for name, rows in candidates.items()}
    scores = {name: _mean_absolute(error) / scale for name, error in errors.items()}
    naive = next(iter(candidates))
    method = min(scores, key=scores.get)
    together = combine(candidates, scores)
    errors["combination"] = get_errors(values, together, first)
    scores["combination"] = _mean_absolute(errors["combination"]) / scale
    if scores[method] >= CLEARLY * scores["combination"]:
        method, candidates["combination"] = "combination", together
    mean = candidates[method][-1]
    return Forecast(
        method=method,
        mean=mean,
        bounds=get_bounds(mean, errors[method], positive),
        mase=scores[method],
        mase_naive=scores[naive],
        naive=naive,
        origins=len(values) - first,
        scores=scores,
        rows=candidates[method],
        rows_naive=candidates[naive],
    )


def combine(candidates, scores):
    """Return the mean of the forecasts, those with small errors weighing most.

    :param dict candidates: of ``get_candidates``
    :param dict scores: error of each in the back-test
    """
    weights = np.array([1 / max(scores[name], 1e-9) ** SHARPNESS for name in candidates])
    return np.tensordot(weights / weights.sum(), np.array(list(candidates.values())), 1)


def forecast_sales(turnover, orders, clients, horizon=12):
    """Forecast the sales of a segment: turnover, orders, average cheque, active clients.

    The average cheque is turnover by orders, of the past and of the forecast; its error and
    interval come from the same division in the back-test. Nobody expects more active clients than
    orders.

    :return: dict of ``MEASURES`` -> ``Forecast``, or None with too little history
    """
    turnover, orders, clients = (np.asarray(v, float) for v in (turnover, orders, clients))
    found = {"turnover": forecast_series(turnover, horizon)}
    if found["turnover"] is None:
        return None
    found["orders"] = forecast_series(orders, horizon)
    found["average"] = _forecast_ratio(turnover, orders, found["turnover"], found["orders"])
    found["clients"] = forecast_series(clients, horizon)
    if np.all(clients <= orders):
        active = found["clients"]
        active.mean = np.minimum(active.mean, found["orders"].mean)
        for level, (low, high) in active.bounds.items():
            active.bounds[level] = (np.minimum(low, active.mean), np.maximum(high, active.mean))
    return {name: found[name] for name in MEASURES}


def get_scale(values, period):
    """Return the mean absolute error of the naive forecast over the series; 1 if it has none."""
    scale = float(np.abs(values[period:] - values[:-period]).mean())
    return scale or float(np.abs(np.diff(values)).mean()) or 1.0


def get_errors(values, rows, first):
    """Return what happened less what was forecast, from each origin on.

    :return: array (origins, horizon), NaN beyond the end of the series
    """
    count, horizon = len(values), rows.shape[1]
    errors = np.full((count - first, horizon), np.nan)
    for origin in range(first, count):
        ahead = min(horizon, count - origin)
        errors[origin - first, :ahead] = values[origin : origin + ahead] - rows[origin, :ahead]
    return errors


def get_bounds(mean, errors, positive):
    """Return dict of level in percent -> (low, high) arrays around a forecast.

    :param errors: as ``get_errors`` gives them
    :param bool positive: the series was never below zero, so neither is the interval
    """
    spread = CHOICE * get_spread(errors)
    known = np.isfinite(errors).any(axis=1).sum()
    bounds = {}
    for level in LEVELS:
        width = get_t_quantile(level, max(known - 1, 1)) * spread
        low, high = mean - width, mean + width
        bounds[level] = (np.maximum(low, 0) if positive else low, high)
    return bounds


def get_spread(errors):
    """Return the root mean square of the errors by months ahead, on a line that does not fall.

    The line runs through the squares, weighted by how many errors are behind each.
    """
    horizon = errors.shape[1]
    ahead = np.arange(1, horizon + 1, dtype=float)
    weights = np.isfinite(errors).sum(axis=0).astype(float)
    squares = np.where(weights > 0, np.nansum(errors**2, axis=0), 0) / np.maximum(weights, 1)
    total = weights.sum()
    middle, mean = (weights @ ahead) / total, (weights @ squares) / total
    across = weights @ (ahead - middle) ** 2
    slope = max((weights @ ((ahead - middle) * squares)) / across, 0.0) if across else 0.0
    # the line starts at a fifth of the mean at least, whatever the slope
    line = np.maximum(mean + slope * (ahead - middle), 0.2 * mean)
    return np.sqrt(line)


def get_t_quantile(level, freedom):
    """Return how many standard errors hold ``level`` percent, both sides, of Student's t.

    Expansion 26.7.5 of Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964); exact
    for one and two degrees of freedom, within half a percent from three on.
    """
    p = level / 100
    if freedom == 1:
        return float(np.tan(np.pi * p / 2))
    if freedom == 2:
        return float(p * np.sqrt(2 / (1 - p * p)))
    x, n = _NORMAL[level], float(freedom)
    return float(
        x
        + (x**3 + x) / (4 * n)
        + (5 * x**5 + 16 * x**3 + 3 * x) / (96 * n**2)
        + (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / (384 * n**3)
        + (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / (92160 * n**4)
    )


def _forecast_ratio(above, below, forecast_above, forecast_below):
    """Forecast the quotient of two series from their forecasts."""
    overall = float(above.sum() / below.sum()) if below.sum() > 0 else 0.0

    def divide(upper, lower):
        return np.where(lower > 1e-9, upper / np.where(lower > 1e-9, lower, 1), overall)

    actual = np.where(below > 0, divide(above, below), np.nan)
    rows = divide(forecast_above.rows, forecast_below.rows)
    rows_naive = divide(forecast_above.rows_naive, forecast_below.rows_naive)
    first = len(above) - forecast_above.origins
    errors = get_errors(actual, rows, first)
    errors_naive = get_errors(actual, rows_naive, first)
    filled = actual[np.isfinite(actual)]
    period = PERIOD if forecast_above.naive == "seasonal_naive" else 1
    scale = get_scale(filled, period if len(filled) > period else 1) if len(filled) > 1 else 1.0
    mean = rows[-1]
    usable = np.isfinite(errors).any()
    positive = bool(np.all(filled >= 0))
    return Forecast(
        method="ratio",
        mean=mean,
        bounds=get_bounds(mean, errors, positive) if usable else {},
        mase=_mean_absolute(errors) / scale if usable else np.nan,
        mase_naive=_mean_absolute(errors_naive) / scale if usable else np.nan,
        naive=forecast_above.naive,
        origins=forecast_above.origins,
        rows=rows,
        rows_naive=rows_naive,
    )


def _mean_absolute(errors):
    return float(np.nanmean(np.abs(errors)))
