"""Forecasts on real sales: MASE beside the seasonal naive forecast and beside statsmodels.

Turnover of UCI Online Retail by country and quantities of its products, by week (season 52) and by
day (season 7), and generated monthly sales of two kinds (season 12), with four years and with under
two: the last part of each series is held back, every forecast is judged on it. MASE is in errors of
the naive forecast of the same season over the part before, or of the last value where the part
before is shorter than a season and a half: a year of weeks has no year before. Needs the file
(``CRM_SAMPLE_DATA`` or ``../shared/data`` beside the checkout); without it, and at a scale below 1,
only generated series.
"""

import csv
import json
import lzma
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
from common import Benchmark
from odoo.addons.crm_scoring.tools import forecast

AHEAD = {12: 8, 52: 8, 7: 14}  # season -> how far
# argv: series with their period; writes a forecast for each: ETS with damped trend (and season)
PEER = """
import json, sys, warnings
import numpy as np
from statsmodels.tsa.holtwinters import ExponentialSmoothing
warnings.simplefilter("ignore")
found = []
for values, period, ahead in json.load(open(sys.argv[1])):
    seasonal = {"seasonal": "add", "seasonal_periods": period} if (
        period > 1 and len(values) >= 2 * period + 5) else {}
    try:
        fit = ExponentialSmoothing(np.array(values), trend="add", damped_trend=True,
                                   initialization_method="estimated", **seasonal).fit()
        found.append([max(0.0, float(v)) for v in fit.forecast(ahead)])
    except Exception:
        found.append([float(values[-1])] * ahead)
json.dump(found, open(sys.argv[2], "w"))
"""


def find_file():
    folders = [os.environ.get("CRM_SAMPLE_DATA"), Path(__file__).parents[3] / "shared" / "data"]
    for folder in filter(None, folders):
        path = Path(folder) / "online_retail" / "online_retail.csv.xz"
        if path.is_file():
            return path
    return None


def read(path):
    """Return dict of name -> (series, season) of the file: whole weeks, and days."""
    start = date(2010, 12, 6)  # a Monday
    days = (date(2011, 12, 5) - start).days
    countries, products = {}, {}
    with lzma.open(path, "rt", encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            day = (date.fromisoformat(row["InvoiceDate"][:10]) - start).days
            if not 0 <= day < days:
                continue
            quantity, code = float(row["Quantity"]), row["StockCode"]
            amount = quantity * float(row["UnitPrice"])
            countries.setdefault(row["Country"], np.zeros(days))[day] += amount
            if code[:5].isdigit() and quantity > 0:
                products.setdefault(code, np.zeros(days))[day] += quantity

    def by_week(found):
        return [one.reshape(-1, 7).sum(axis=1) for one in found.values()]

    weeks, often = by_week(countries), by_week(products)
    rare = [one for one in often if 8 <= (one > 0).sum() <= 35]
    steady = [one for one in often if (one > 0).sum() > 45]
    daily = [one for one in products.values() if (one > 0).sum() >= 200]
    return {
        "countries by week": ([one for one in weeks if (one != 0).sum() >= 15], 52),
        "rarely sold products by week": (rare[:: max(1, len(rare) // 150)], 52),
        "steady products by week": (steady[:: max(1, len(steady) // 100)], 52),
        "countries by day": ([o for o in countries.values() if (o != 0).sum() >= 60], 7),
        "steady products by day": (daily[:: max(1, len(daily) // 40)], 7),
    }


def generate(count, months=48):
    """Monthly sales with level, trend, a smooth season and noise."""
    rng = np.random.default_rng(3)
    months = np.arange(months + AHEAD[12])
    for _number in range(count):
        level = 100 + np.cumsum(rng.normal(0, 3, len(months))) + rng.uniform(-0.5, 1) * months
        season = 1 + rng.uniform(0, 0.4) * np.sin(2 * np.pi * months / 12 + rng.uniform(0, 6))
        yield np.maximum(level * season + rng.normal(0, 7, len(months)), 0)


def generate_uneven(count, months=48):
    """Monthly sales that multiply: a walk of the level, a season of any shape, uneven noise."""
    rng = np.random.default_rng(9)
    months = np.arange(months + AHEAD[12])
    for _number in range(count):
        steps = rng.normal(0, 0.03, len(months)) + rng.normal(0.003, 0.006)
        season = rng.normal(0, rng.uniform(0, 0.25), 12)[months % 12]
        noise = rng.normal(0, rng.uniform(0.03, 0.2), len(months))
        yield np.exp(np.log(1000) + np.cumsum(steps) + season + noise)


def main(bench):
    count = bench.rows(100)
    sets = {
        "generated, smooth": (list(generate(count)), 12),
        "generated, uneven": (list(generate_uneven(count)), 12),
        "generated, uneven, 20 months": (list(generate_uneven(count, 20)), 12),
    }
    path = find_file() if bench.scale >= 1 else None
    if path:
        sets |= read(path)
    statuses = []
    for name, (series, period) in sets.items():
        ahead = AHEAD[period]
        started = time.perf_counter()
        found = [forecast.forecast_series(values[:-ahead], ahead, period) for values in series]
        ours_time = time.perf_counter() - started
        started = time.perf_counter()
        peers = run_peer([[list(values[:-ahead]), period, ahead] for values in series])
        peer_time = time.perf_counter() - started
        errors, inside = {"ours": [], "naive": [], "statsmodels": []}, {80: [], 95: []}
        for values, one, peer in zip(series, found, peers, strict=True):
            actual = values[-ahead:]
            scale = forecast.get_scale(
                values[:-ahead], period if one.naive == "seasonal_naive" else 1
            )
            for key, guess in (
                ("ours", one.mean),
                ("naive", one.rows_naive[-1]),
                ("statsmodels", np.array(peer)),
            ):
                errors[key].append(np.abs(actual - guess).mean() / scale)
            for level, (low, high) in one.bounds.items():
                inside[level] += ((actual >= low - 1e-9) & (actual <= high + 1e-9)).tolist()
        mase = {key: float(np.mean(values)) for key, values in errors.items()}
        ratio = mase["ours"] / min(mase["naive"], mase["statsmodels"])
        bench.row(
            name,
            f"{len(series)} series, season {period}",
            f"MASE ours {mase['ours']:.3f}",
            f"naive {mase['naive']:.3f}",
            f"statsmodels {mase['statsmodels']:.3f}",
            f"ratio {ratio:.3f}",
            f"within 80/95 %: {100 * np.mean(inside[80]):.0f}/{100 * np.mean(inside[95]):.0f}",
            f"{ours_time:.1f} s, statsmodels {peer_time:.1f} s",
        )
        statuses.append((ratio, name))
    worst, name = max(statuses)
    return bench.bound(worst, 1.05, f"times the error of the better of both, worst set ({name})")


def run_peer(series):
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place) / "series.json", Path(place) / "found.json"
        source.write_text(json.dumps(series))
        command = [os.environ["SANDBOX_PEERS_PYTHON"], "-c", PEER, source, target]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        return json.loads(target.read_text())


if __name__ == "__main__":
    sys.exit(Benchmark.run("forecast", main, peer="statsmodels"))
