"""Product rules against mlxtend's FP-growth: the same rules, how fast, in how much memory.

Takes Groceries and UCI Online Retail when they are there (``CRM_SAMPLE_DATA`` names the folder, or
``../shared/data`` beside the checkout); generated baskets otherwise, and a grown set of 10,000,000
lines to see how time grows. Both read the same arrays; memory is what the search adds to a process
that holds them. The peer gets a frame of booleans, as its documentation has it.
"""

import csv
import json
import lzma
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from common import Benchmark

SUPPORT, CONFIDENCE = 0.01, 0.2
GROWN = 10_000_000
# argv: the arrays, "ours" or "peer"; prints seconds of the processor (one thread), MiB
# and the rules
PROGRAM = """
import json, sys, time
import numpy as np
def peak():  # of this process alone: what getrusage tells begins with that of its parent
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
data = np.load(sys.argv[1])
basket, item, baskets = data["basket"], data["item"], int(data["baskets"])
if sys.argv[2] == "ours":
    sys.path.insert(0, sys.argv[3])
    import association
else:
    import pandas, scipy.sparse
    from mlxtend.frequent_patterns import association_rules, fpgrowth
with open("/proc/self/clear_refs", "w") as refs:
    refs.write("5")
before = peak()
started = time.process_time()
if sys.argv[2] == "ours":
    sets = association.find_frequent_sets(basket, item, baskets, int(np.ceil(.01 * baskets - 1e-9)))
    found = association.find_rules(sets, baskets, .2)
    rules = [[list(r.antecedent), list(r.consequent), r.support, r.confidence, r.lift, r.leverage]
             for r in found]
else:
    matrix = scipy.sparse.csr_matrix(
        (np.ones(len(basket), bool), (basket, item)), shape=(baskets, int(item.max()) + 1)
    )
    frame = pandas.DataFrame(matrix.toarray())
    sets = fpgrowth(frame, min_support=.01, use_colnames=True)
    found = association_rules(sets, metric="confidence", min_threshold=.2)
    rules = [[sorted(map(int, r.antecedents)), sorted(map(int, r.consequents)), r.support,
              r.confidence, r.lift, r.leverage] for r in found.itertuples()]
seconds = time.process_time() - started
after = peak()
print(json.dumps([seconds, (after - before) / 1024, after / 1024, rules]))
"""


def find_folder():
    folders = [os.environ.get("CRM_SAMPLE_DATA"), Path(__file__).parents[3] / "shared" / "data"]
    return next((Path(f) for f in filter(None, folders) if Path(f).is_dir()), None)


def number(pairs):
    """Arrays of baskets and items from pairs of names."""
    baskets, items = {}, {}
    rows = sorted(
        {
            (baskets.setdefault(basket, len(baskets)), items.setdefault(item, len(items)))
            for basket, item in pairs
        }
    )
    return np.array(rows, np.int32).T, len(baskets)


def read_groceries(folder):
    with open(folder / "groceries" / "groceries.csv", encoding="utf-8") as source:
        return [(n, item) for n, row in enumerate(csv.reader(source)) for item in row if item]


def read_online_retail(folder):
    path = folder / "online_retail" / "online_retail.csv.xz"
    with lzma.open(path, "rt", encoding="utf-8", newline="") as source:
        return [
            (row["InvoiceNo"], row["StockCode"])
            for row in csv.DictReader(source)
            if int(row["Quantity"]) > 0
        ]


def generate(rows, seed=1):
    """Baskets of some 20 lines of 4,000 products, popular ones far ahead."""
    rng = np.random.default_rng(seed)
    basket = np.sort(rng.integers(0, max(rows // 20, 1), rows)).astype(np.int64)
    item = (4000 * rng.random(rows) ** 2.5).astype(np.int64)
    keys = np.unique(basket * 4096 + item)
    return np.array([keys // 4096, keys % 4096], np.int32), max(rows // 20, 1)


def run(python, path, who):
    tools = str(Path(__file__).parents[2] / "crm_scoring" / "tools")
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [python, "-W", "ignore", "-c", PROGRAM, path, who, tools]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return json.loads(done.stdout)


def same(ours, theirs):
    """Whether both found the same rules with the same measures, but for the rounding of a rule
    whose confidence is the threshold itself."""
    mine = {(tuple(r[0]), tuple(r[1])): r[2:] for r in ours}
    other = {(tuple(r[0]), tuple(r[1])): r[2:] for r in theirs}
    for key in mine.keys() ^ other.keys():
        if abs((mine.get(key) or other[key])[1] - CONFIDENCE) > 1e-9:
            return False
    return all(np.allclose(mine[key], other[key]) for key in mine.keys() & other.keys())


def main(bench):
    python = os.environ["SANDBOX_PEERS_PYTHON"]
    folder = find_folder() if bench.scale >= 1 else None
    sets = {"generated": lambda: (generate(bench.rows(500_000)))}
    if folder:
        sets = {
            "Groceries": lambda: number(read_groceries(folder)),
            "Online Retail": lambda: number(read_online_retail(folder)),
        }
    statuses = []
    per_line = {}
    with tempfile.TemporaryDirectory() as place:
        for name, read in sets.items():
            (basket, item), baskets = read()
            path = str(Path(place) / "data.npz")
            np.savez(path, basket=basket, item=item, baskets=baskets)
            ours = min((run(python, path, "ours") for _run in range(3)), key=lambda r: r[0])
            peer = min((run(python, path, "peer") for _run in range(2)), key=lambda r: r[0])
            equal = same(ours[3], peer[3])
            bench.row(f"{name}: {len(item)} lines, {baskets} baskets", f"{len(ours[3])} rules",
                      "same rules and measures" if equal else "RULES DIFFER")  # fmt: skip
            for label, found in (("ours", ours), ("mlxtend fpgrowth", peer)):
                bench.row(f"  {label}", f"{found[0]:.3f} s", f"+{found[1]:.0f} MiB",
                          f"{found[2]:.0f} MiB in all")  # fmt: skip
            statuses.append(0 if equal else 1)
            statuses.append(bench.bound(peer[0] / ours[0] and 10 * ours[0] / peer[0], 1,
                                        f"tenths of the peer's time on {name}"))  # fmt: skip
            statuses.append(bench.bound(10 * max(ours[1], 0.1) / max(peer[1], 0.1), 1,
                                        f"tenths of the peer's memory on {name}"))  # fmt: skip
        for rows in (bench.rows(GROWN // 10), bench.rows(GROWN)):
            (basket, item), baskets = generate(rows)
            path = str(Path(place) / "data.npz")
            np.savez(path, basket=basket, item=item, baskets=baskets)
            seconds, memory, _all, rules = run(python, path, "ours")
            per_line[rows] = seconds / len(item)
            bench.row(f"grown: {len(item)} lines", f"{seconds:.2f} s", f"+{memory:.0f} MiB",
                      f"{len(rules)} rules")  # fmt: skip
    small, large = per_line.values()
    statuses.append(bench.bound(large / small, 1.5, "times the time per line, ten times the lines"))
    return max(statuses)


if __name__ == "__main__":
    sys.exit(Benchmark.run("rules", main, peer="mlxtend"))
