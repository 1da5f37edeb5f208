"""Forecasts on real sales: MASE beside the seasonal naive forecast and beside statsmodels.

Weekly turnover of UCI Online Retail by country and weekly quantities of its products (many weeks
without sales), and generated monthly sales with seasons: the last part of each series is held back,
every forecast is judged on it. Needs the file (``CRM_SAMPLE_DATA`` or ``../shared/data`` beside the
checkout); without it, and at a scale below 1, only generated series.
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

AHEAD = 8
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
    """Return (weekly turnover by country, weekly quantities by product), whole weeks only."""
    start = date(2010, 12, 6)
    weeks = (date(2011, 12, 5) - start).days // 7
    countries, products = {}, {}
    with lzma.open(path, "rt", encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            week = (date.fromisoformat(row["InvoiceDate"][:10]) - start).days // 7
            if not 0 <= week < weeks:
                continue
            quantity, code = float(row["Quantity"]), row["StockCode"]
            amount = quantity * float(row["UnitPrice"])
            countries.setdefault(row["Country"], np.zeros(weeks))[week] += amount
            if code[:5].isdigit() and quantity > 0:
                products.setdefault(code, np.zeros(weeks))[week] += quantity
    return (
        [series for series in countries.values() if (series != 0).sum() >= 15],
        [series for series in products.values() if 8 <= (series > 0).sum() <= 35],
    )


def generate(count):
    """Monthly sales of four years with level, trend, season and noise."""
    rng = np.random.default_rng(3)
    months = np.arange(48 + AHEAD)
    for _number in range(count):
        level = 100 + np.cumsum(rng.normal(0, 3, len(months))) + rng.uniform(-0.5, 1) * months
        season = 1 + rng.uniform(0, 0.4) * np.sin(2 * np.pi * months / 12 + rng.uniform(0, 6))
        yield np.maximum(level * season + rng.normal(0, 7, len(months)), 0)


def main(bench):
    sets = {"generated, monthly": (list(generate(bench.rows(200))), 12)}
    path = find_file() if bench.scale >= 1 else None
    if path:
        countries, products = read(path)
        sets["Online Retail, countries by week"] = (countries, 1)
        step = max(1, len(products) // 300)
        sets["Online Retail, products by week"] = (products[::step], 1)
    statuses = []
    for name, (series, period) in sets.items():
        started = time.perf_counter()
        found = [forecast.forecast_series(values[:-AHEAD], AHEAD) for values in series]
        ours_time = time.perf_counter() - started
        started = time.perf_counter()
        peers = run_peer([[list(values[:-AHEAD]), period, AHEAD] for values in series])
        peer_time = time.perf_counter() - started
        errors, inside = {"ours": [], "naive": [], "statsmodels": []}, {80: [], 95: []}
        for values, one, peer in zip(series, found, peers, strict=True):
            actual = values[-AHEAD:]
            scale = forecast.get_scale(
                values[:-AHEAD], forecast.PERIOD if one.naive == "seasonal_naive" else 1
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
        bench.row(
            name,
            f"{len(series)} series",
            f"MASE ours {mase['ours']:.3f}",
            f"seasonal naive {mase['naive']:.3f}",
            f"statsmodels {mase['statsmodels']:.3f}",
            f"within 80/95 %: {100 * np.mean(inside[80]):.0f}/{100 * np.mean(inside[95]):.0f}",
            f"{ours_time:.1f} s, statsmodels {peer_time:.1f} s",
        )
        statuses.append((mase["ours"] / min(mase["naive"], mase["statsmodels"]), name))
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
