"""Quality of the recommendations on UCI Online Retail, split by time, beside what others find.

Learnt from what was bought up to 2011-08-31, judged by what followed: recall and precision of the
first ten products, for products new to the client and for all products. Beside popularity, the
client's own repeat list, item-kNN and ``implicit`` (cosine, BM25, ALS), on the same pairs of client
and product. Needs the file (``CRM_SAMPLE_DATA`` or ``../shared/data`` beside the checkout); without
it, and at a scale below 1, generated sales.
"""

import csv
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
from odoo.addons.crm_scoring.tools import recommender

SPLIT = date(2011, 9, 1)
EPOCH = date(2010, 1, 1)
TOP = 10
# argv: arrays of the learning pairs; writes the lists of each peer
PEERS = """
import sys, time
import numpy as np, scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
data = np.load(sys.argv[1])
client, product = data["client"], data["product"]
shape = (int(data["clients"]), int(data["products"]))
counts = sp.csr_matrix((np.ones(len(client), np.float32), (client, product)), shape=shape)
binary = (counts > 0).astype(np.float32).tocsr()
everybody = np.arange(shape[0])
lists = {}
def note(name, scores):
    new = np.where(binary.toarray() > 0, -np.inf, scores)
    lists[name + "|new"] = np.argsort(-new, axis=1, kind="stable")[:, :10]
    lists[name + "|all"] = np.argsort(-scores, axis=1, kind="stable")[:, :10]
popular = np.asarray(binary.sum(axis=0)).ravel()
note("popularity", np.tile(popular, (shape[0], 1)))
note("own repeat list", counts.toarray() + 1e-6 * popular)
together = (binary.T @ binary).toarray()
norm = np.sqrt(np.maximum(np.diag(together), 1))
cosine = together / np.outer(norm, norm)
np.fill_diagonal(cosine, 0)
for k in (20, 50):
    near = cosine.copy()
    near[near < -np.partition(-near, k, axis=1)[:, k][:, None]] = 0
    note(f"item-kNN, {k} neighbours", binary @ near)
for name, model in (("implicit cosine", CosineRecommender(K=50)),
                    ("implicit BM25", BM25Recommender(K=50)),
                    ("implicit ALS, 64 factors",
                     AlternatingLeastSquares(factors=64, random_state=1))):
    model.fit(binary, show_progress=False)
    for part, known in (("new", True), ("all", False)):
        lists[f"{name}|{part}"] = model.recommend(
            everybody, binary, N=10, filter_already_liked_items=known)[0]
np.savez(sys.argv[2], **lists)
"""


def find_file():
    folders = [os.environ.get("CRM_SAMPLE_DATA"), Path(__file__).parents[3] / "shared" / "data"]
    for folder in filter(None, folders):
        path = Path(folder) / "online_retail" / "online_retail.csv.xz"
        if path.is_file():
            return path
    return None


def read(path):
    """Rows of (client, product, document, day): bought goods of known clients."""
    with lzma.open(path, "rt", encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            code = row["StockCode"]
            if not row["CustomerID"] or int(row["Quantity"]) <= 0 or float(row["UnitPrice"]) <= 0:
                continue
            if not code[:5].isdigit():  # postage, bank charges, samples
                continue
            day = (date.fromisoformat(row["InvoiceDate"][:10]) - EPOCH).days
            yield row["CustomerID"], code, row["InvoiceNo"], day


def generate(clients):
    """Clients with tastes and habits of their own over two years."""
    rng = np.random.default_rng(4)
    for client in range(clients):
        taste = rng.permutation(300)[:40] + 300 * (client % 3)
        for number in range(rng.integers(2, 15)):
            day = int(rng.integers(200, 710))
            for product in rng.choice(taste, 6, p=np.arange(40, 0, -1) / 820, replace=False):
                yield client, int(product), f"{client}-{number}", day


def main(bench):
    path = find_file() if bench.scale >= 1 else None
    rows = sorted(set(read(path) if path else generate(bench.rows(4000))))
    split = (SPLIT - EPOCH).days
    clients, products = {}, {}
    learn = [
        (clients.setdefault(c, len(clients)), products.setdefault(p, len(products)), d)
        for c, p, _document, d in rows
        if d < split
    ]
    truth = {}
    for client, product, _document, day in rows:
        if day >= split and client in clients and product in products:
            truth.setdefault(clients[client], set()).add(products[product])
    client, product, day = np.array(learn).T
    sales = recommender.Sales(client, product, day, len(clients), len(products))
    own = [set() for _client in clients]
    for one, item in zip(client.tolist(), product.tolist(), strict=True):
        own[one].add(item)
    bench.row("clients, products, judged", len(clients), len(products), len(truth))
    started = time.perf_counter()
    fresh, usual, report = recommender.tune(sales, split)
    tuned = time.perf_counter()
    model = recommender.learn(sales, split, usual)
    ours = {"new": {}, "all": {}}
    for one in truth:
        known = np.fromiter(own[one], int, len(own[one]))
        ours["new"][one] = recommender.recommend(model.score(one, fresh), TOP, known)
        ours["all"][one] = recommender.recommend(model.score(one), TOP)
    bench.row("time", f"tuning {tuned - started:.1f} s",
              f"learning and lists {time.perf_counter() - tuned:.1f} s",
              f"{bench.peak_memory():.0f} MiB")  # fmt: skip
    bench.row("chosen", str(fresh), str(usual))
    results = {"ours": ours, **run_peers(client, product, len(clients), len(products))}
    scores = {}
    for part in ("new", "all"):
        bench.row(f"products {'new to the client' if part == 'new' else 'of any kind'}",
                  "recall@10", "precision@10")  # fmt: skip
        for name, lists in results.items():
            scores[name, part] = judge(lists[part], truth, own if part == "new" else None)
            recall, precision = scores[name, part]
            bench.row(f"  {name}", f"{recall:.4f}", f"{precision:.4f}")
    statuses = []
    for part in ("new", "all"):
        for index, measure in enumerate(("recall", "precision")):
            best = max(scores[name, part][index] for name in results if name != "ours")
            statuses.append(
                bench.bound(best / scores["ours", part][index], 1.0,
                            f"of our {measure}@10 ({part}) is what the best peer reaches")
            )  # fmt: skip
    return max(statuses)


def run_peers(client, product, clients, products):
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place) / "pairs.npz", Path(place) / "lists.npz"
        np.savez(source, client=client, product=product, clients=clients, products=products)
        environ = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [os.environ["SANDBOX_PEERS_PYTHON"], "-W", "ignore", "-c", PEERS, source, target]
        subprocess.run(list(map(str, command)), check=True, env=environ, capture_output=True)
        found = {}
        for key, lists in np.load(target).items():
            name, part = key.split("|")
            found.setdefault(name, {})[part] = dict(enumerate(lists))
    return found


def judge(lists, truth, own):
    """Return mean recall and precision over the clients who bought something to be found."""
    recalls, precisions = [], []
    for one, bought in truth.items():
        wanted = bought - own[one] if own else bought
        if wanted:
            hits = len(wanted.intersection(lists[one].tolist()))
            recalls.append(hits / len(wanted))
            precisions.append(hits / TOP)
    return float(np.mean(recalls)), float(np.mean(precisions))


if __name__ == "__main__":
    sys.exit(Benchmark.run("recommend", main, peer="the best peer"))
