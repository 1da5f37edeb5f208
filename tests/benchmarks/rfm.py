"""Import of the sales history, and the refresh of the client analysis on real sales.

Takes the real file (UCI Online Retail) when it is there: ``CRM_SAMPLE_DATA`` names the folder, or
``../shared/data`` beside the checkout; otherwise, and at any scale below 1, generated rows.
"""

import csv
import os
import random
import sys
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

from common import Benchmark

ROWS = 541_909
IMPORT_LIMIT = 300  # seconds at full size
MEMORY_LIMIT = 1024  # MiB
TODAY = date(2011, 12, 10)
# what one would write by hand to get the three figures of each client
BARE = """
    SELECT company_id, commercial_partner_id, MIN(date), MAX(date),
           COUNT(DISTINCT document) FILTER (WHERE amount > 0), SUM(amount),
           SUM(amount) FILTER (WHERE date > %s)
      FROM crm_sale_fact
  GROUP BY company_id, commercial_partner_id
"""


def find_file():
    folders = [os.environ.get("CRM_SAMPLE_DATA"), Path(__file__).parents[3] / "shared" / "data"]
    for folder in filter(None, folders):
        path = Path(folder) / "online_retail" / "online_retail.csv.xz"
        if path.is_file():
            return path
    return None


def generate(path, rows):
    """Write sales of the same shape: 21 lines an invoice, a tenth as many clients as invoices."""
    rng = random.Random(1)
    clients = max(rows // 120, 10)
    moment = datetime(2010, 12, 1, 8)
    with open(path, "w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(
            ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice",
             "CustomerID", "Country")
        )  # fmt: skip
        for number in range(rows):
            if number % 21 == 0:
                invoice, client = 500_000 + number // 21, 10_000 + int(clients * rng.random() ** 2)
                moment += timedelta(minutes=20 * 25_000 * 21 / max(rows, 1))
            code = 20_000 + int(4_000 * rng.random() ** 2)
            quantity = rng.randint(1, 24) * (-1 if rng.random() < 0.02 else 1)
            known = "" if rng.random() < 0.25 else f"{client}.0"
            writer.writerow(
                [invoice, code, f"Article {code}", quantity, min(moment, datetime(2011, 12, 9)),
                 f"{rng.randint(10, 1500) / 100:.2f}", known, "United Kingdom"]
            )  # fmt: skip


def main(bench):
    env = bench.env
    path = find_file() if bench.scale >= 1 else None
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            path = Path(folder) / "sales.csv"
            generate(path, bench.rows(ROWS))
        seconds, report = bench.once(
            f"import of {path.name}",
            lambda: env["crm.sale.import"]._import_file(
                str(path), {"source": "Benchmark", "currency": env.company.currency_id.name}
            ),
        )
    if report["state"] != "done":
        sys.exit(f"The import {report['state']}: {report['error']}")
    memory = bench.peak_memory()
    bench.row(
        "rows",
        f"{report['read']} read",
        f"{report['imported']} imported, {report['present']} already there, "
        f"{report['refused']} refused {report['refusals']}",
    )
    bench.row("memory of the process", f"{memory:.0f} MiB")
    parts = (report[name] for name in ("imported", "updated", "present", "refused"))
    sound = report["read"] == sum(parts)
    sound = sound and seconds <= IMPORT_LIMIT and memory <= MEMORY_LIMIT
    word = "holds" if sound else "falls short"
    bench.row(
        f"import: at most {IMPORT_LIMIT} s and {MEMORY_LIMIT} MiB, all rows accounted for", word
    )

    profiles = env["crm.customer.profile"]
    env.cr.execute("ANALYZE crm_sale_history")
    company = env.company

    def bare():
        env.cr.execute(BARE, (TODAY - timedelta(days=365),))
        env.cr.fetchall()

    bench.median("bare SQL: recency, frequency, turnover", bare)
    own_query = profiles._get_fact_query(company, TODAY)
    bench.median("documents, as the refresh reads them", lambda: env.execute_query(own_query))

    def refresh():
        profiles._refresh(company, today=TODAY, full=True)

    refresh()
    bench.median("full refresh of the client analysis, nothing changed", refresh)
    # how it compares with the same figures by hand is measured by `bench profiles`
    status = bench.bound(seconds, IMPORT_LIMIT, "s of import")
    return status if sound else 1


if __name__ == "__main__":
    Benchmark.run("rfm", main, peer="a limit")
