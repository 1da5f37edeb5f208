import csv
import lzma
import os
import tempfile
from collections import Counter
from contextlib import suppress
from decimal import Decimal
from itertools import islice
from pathlib import Path

from odoo.addons.crm_extended.tests.test_sale_import import SaleImportCommon
from odoo.tests import tagged

NET = Decimal("9747747.93")


def find_file():
    """Return the Online Retail file: below CRM_SAMPLE_DATA, or in a folder beside the checkout."""
    folders = [os.environ.get("CRM_SAMPLE_DATA")]
    with suppress(IndexError):
        folders.append(Path(__file__).parents[3] / "shared" / "data")
    for folder in filter(None, folders):
        path = Path(folder) / "online_retail" / "online_retail.csv.xz"
        if path.is_file():
            return path
    return None


def count_by_hand(path):
    """Count the file with nothing but the csv module."""
    facts = Counter()
    net = {"good": Decimal(0), "refused": Decimal(0)}
    clients = {}
    with lzma.open(path, "rt", encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            amount = Decimal(row["Quantity"]) * Decimal(row["UnitPrice"])
            facts["read"] += 1
            if not row["CustomerID"]:
                facts["no_client"] += 1
                net["refused"] += amount
                continue
            facts["returns"] += int(row["Quantity"]) < 0
            net["good"] += amount
            client = clients.setdefault(row["CustomerID"][:-2], {})
            client[row["InvoiceNo"]] = client.get(row["InvoiceNo"], 0) + amount
    return facts, net, clients


@tagged("post_install", "-at_install")
class TestSaleImportReal(SaleImportCommon):
    """The whole Online Retail file against an independent count (a minute or two).

    Skipped where the file is not there.
    """

    def test_online_retail(self):
        path = find_file()
        if not path:
            self.skipTest("Online Retail is not here: set CRM_SAMPLE_DATA to its folder")
        facts, net, clients = count_by_hand(path)
        self.assertEqual((net["good"] + net["refused"]).quantize(Decimal("0.01")), NET)
        jobs = self.env["crm.sale.import"]
        options = {"source": "Online Retail", "currency": self.company.currency_id.name}
        with self.no_commit(), tempfile.NamedTemporaryFile("w", suffix=".csv") as part:
            report = jobs._import_file(path, options)
            # a part of it once more, unpacked: every row is known
            with lzma.open(path, "rt", encoding="utf-8") as source:
                part.writelines(islice(source, 20_001))
            part.flush()
            again = jobs._import_file(part.name, options)
        self.assertEqual(report["read"], facts["read"])
        self.assertEqual(report["refusals"], {"no_client": facts["no_client"]})
        self.assertEqual(report["imported"], facts["read"] - facts["no_client"])
        self.assertEqual(report["created_clients"], len(clients))
        self.assertEqual((again["read"], again["imported"], again["updated"]), (20_000, 0, 0))
        self.assertEqual(again["present"] + again["refused"], 20_000)

        rows = [("import_id", "=", report["import_id"])]
        [(count, amount)] = self.history._read_group(rows, [], ["__count", "amount:sum"])
        self.assertEqual(count, report["imported"])
        self.assertAlmostEqual(amount, float(net["good"]), 1)
        returns = self.history.search_count([*rows, ("is_return", "=", True)])
        self.assertEqual(returns, facts["returns"])
        groups = self.history._read_group(rows, ["commercial_partner_id"], ["amount:sum"])
        found = {partner.ref: amount for partner, amount in groups}
        self.assertEqual(found.keys(), clients.keys())
        for ref, amount in found.items():
            self.assertAlmostEqual(amount, float(sum(clients[ref].values())), 1)
