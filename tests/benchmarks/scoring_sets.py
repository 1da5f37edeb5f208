"""Real closed deals for the benchmark of scoring: columns, outcomes and dates.

``CRM_SAMPLE_DATA`` names the folder of the public sets, or ``../shared/data`` beside the checkout.
``CRM_SCORING_SETS`` may name a folder with more: for each set a CSV file and a JSON file of the
same name with ``{"target": "status", "won": ["Won"], "created": "date", "closed": "date",
"drop": ["id"], "delimiter": ","}``; all but the first two may be left out.
"""

import csv
import json
import os
import random
from datetime import datetime, timedelta
from pathlib import Path

START = datetime(2024, 1, 1, 9)
DEALS_A_DAY, DAYS_OPEN = 20, 10


class Closed:
    """Closed deals of one set in the order in which they were closed.

    ``columns`` maps a name to ``(kind, values)``; ``won`` are the outcomes; ``created`` and
    ``closed`` are datetimes.
    """

    def __init__(self, name, columns, won, created=None, closed=None):
        self.name = name
        count = len(won)
        if created is None:
            created = [START + timedelta(days=n // DEALS_A_DAY) for n in range(count)]
        if closed is None:
            closed = [moment + timedelta(days=DAYS_OPEN) for moment in created]
        order = sorted(range(count), key=lambda n: (closed[n], n))
        self.columns = {
            key: (kind, [values[n] for n in order]) for key, (kind, values) in columns.items()
        }
        self.won = [won[n] for n in order]
        self.created = [created[n] for n in order]
        self.closed = [closed[n] for n in order]


def find_folder():
    folders = [os.environ.get("CRM_SAMPLE_DATA"), Path(__file__).parents[3] / "shared" / "data"]
    return next((Path(f) for f in folders if f and (Path(f) / "bank_marketing").is_dir()), None)


def read_csv(path, delimiter=","):
    with open(path, newline="", encoding="utf-8-sig") as source:
        return list(csv.DictReader(source, delimiter=delimiter))


def make_columns(rows, names):
    """Columns of text rows: numbers where every value is one, else categories."""
    columns = {}
    for name in names:
        values = [(row[name] or "").strip() or None for row in rows]
        try:
            columns[name] = ("number", [None if v is None else float(v) for v in values])
        except ValueError:
            columns[name] = ("category", values)
    return columns


def read_bank(folder, name):
    """Calls of a bank; ``duration`` is left out: it is known only after the call. The rows have
    no date of their own and are taken in the order of the file."""
    rows = read_csv(folder / "bank_marketing" / f"{name}.csv", ";")
    columns = make_columns(rows, [key for key in rows[0] if key not in ("y", "duration")])
    return Closed(name, columns, [row["y"] == "yes" for row in rows])


def read_maven(folder):
    """Sales opportunities; the value at closing is left out: lost ones have none."""
    folder = folder / "maven_pipeline"
    accounts = {row["account"]: row for row in read_csv(folder / "accounts.csv")}
    agents = {row["sales_agent"]: row for row in read_csv(folder / "sales_teams.csv")}
    products = {row["product"].replace(" ", ""): row for row in read_csv(folder / "products.csv")}
    rows = [
        row
        for row in read_csv(folder / "sales_pipeline.csv")
        if row["deal_stage"] in ("Won", "Lost")
    ]
    for row in rows:
        row |= accounts.get(row["account"], dict.fromkeys(("sector", "revenue", "employees")))
        row |= agents[row["sales_agent"]]
        row |= products[row["product"].replace(" ", "")]
    names = (
        "sales_agent", "product", "series", "account", "sector", "revenue", "employees",
        "manager", "regional_office", "sales_price",
    )  # fmt: skip
    dates = [
        [datetime.fromisoformat(row[key]) for row in rows] for key in ("engage_date", "close_date")
    ]
    won = [row["deal_stage"] == "Won" for row in rows]
    return Closed("maven_pipeline", make_columns(rows, names), won, *dates)


def read_other(path):
    """A set described by a JSON file beside its CSV file."""
    spec = json.loads(path.read_text(encoding="utf-8"))
    rows = read_csv(path.with_suffix(".csv"), spec.get("delimiter", ","))
    dated = [spec.get(key) for key in ("created", "closed")]
    left_out = {spec["target"], *spec.get("drop", ()), *filter(None, dated)}
    dates = [[datetime.fromisoformat(row[key]) for row in rows] if key else None for key in dated]
    won = [row[spec["target"]] in spec["won"] for row in rows]
    columns = make_columns(rows, [key for key in rows[0] if key not in left_out])
    return Closed(path.stem, columns, won, *dates)


def generate(count=4000):
    """Deals with a known truth, for where the public sets are not."""
    rng = random.Random(1)
    sources, sizes = [rng.gauss(0, 0.8) for _n in range(60)], []
    columns = {"source": ("category", []), "size": ("number", []), "noise": ("category", [])}
    won = []
    for _number in range(count):
        source = int(60 * rng.random() ** 2)
        sizes.append(rng.lognormvariate(9, 1.2))
        columns["source"][1].append(f"source {source}")
        columns["size"][1].append(round(sizes[-1], 2) if rng.random() > 0.1 else None)
        columns["noise"][1].append(rng.choice("abcdefgh"))
        odds = sources[source] - 0.4 * (sizes[-1] > 15_000) - 0.9
        won.append(rng.random() < 1 / (1 + 2.718281828**-odds))
    return Closed("generated", columns, won)


def read_sets():
    """All sets that are there, in a fixed order."""
    folder = find_folder()
    sets = [generate()]
    if folder:
        sets = [read_bank(folder, "bank"), read_bank(folder, "bank-additional"), read_maven(folder)]
    if more := os.environ.get("CRM_SCORING_SETS"):
        sets += [read_other(path) for path in sorted(Path(more).glob("*.json"))]
    return sets
