"""Harness of the benchmarks; run them by ``python3 -m sandbox bench [NAME] [--scale N]``.

A benchmark is a file in this folder. It measures ours and a peer (or a limit) in the same run, on
a throw-away database that has the four add-ons and no demo data, and ends with a verdict::

    from common import Benchmark

    def main(bench):
        fill(bench.env, rows=bench.rows(500_000))      # the scale applied, at least 1
        peer = bench.median("bare SQL", lambda: bench.env.cr.execute(QUERY))
        ours = bench.median("refresh", lambda: bench.env["crm.customer.profile"]._refresh())
        return bench.verdict(ours, peer, limit=2)

    if __name__ == "__main__":
        Benchmark.run("rfm", main, peer="bare SQL")

``bench.env``
    Odoo environment of the superuser on the scratch database; commit or not as you like.
``bench.scale``, ``bench.rows(full)``
    1.0 is the full size; ``--scale 0.01`` is a smoke test.
``bench.median(label, function, repeat=5, setup=None)``
    Median of the wall-clock seconds of ``function()``; one run more goes first, uncounted;
    ``setup()`` runs before each, uncounted. The figures become a row of the table.
``bench.medians((label, function), (label, function), repeat=9)``
    The same for two or more that are compared, run in turns.
``bench.once(label, function)``
    The seconds of a single run, for what cannot be repeated; returns ``(seconds, result)``.
``bench.row(label, *cells)``
    A row of your own: memory, rows per second, notes.
``bench.verdict(ours, peer, limit)``
    Prints the table and ``rfm: 1.3x bare SQL (at most 2x): holds``; returns the exit status.
``os.environ["SANDBOX_PEERS_PYTHON"]``
    A Python with the libraries of ``requirements.txt`` in this folder, for programs of the peers
    (pandas, scikit-learn, mlxtend...); set for a benchmark whose text names the variable.
``bench.bound(value, limit, unit)``
    The same for a fixed limit: ``import: 210 s (at most 300 s): holds``.
"""

import argparse
import contextlib
import resource
import statistics
import sys
import time
from pathlib import Path

import odoo.addons

# tools of the add-ons are imported before the configuration names their folder
_ADDONS = str(Path(__file__).resolve().parents[2])
if _ADDONS not in odoo.addons.__path__:
    odoo.addons.__path__.append(_ADDONS)


class Benchmark:
    """One measurement run: see the module's docstring."""

    def __init__(self, name, peer, env, scale):
        self.name = name
        self.peer = peer
        self.env = env
        self.scale = scale
        self._rows = []

    def rows(self, full):
        """Number of rows at this scale, of ``full`` at scale 1."""
        return max(1, round(full * self.scale))

    def median(self, label, function, repeat=5, setup=None):
        """Median seconds of ``repeat`` runs after one that is not counted."""
        (median,) = self.medians((label, function), repeat=repeat, setup=setup)
        return median

    def medians(self, *measured, repeat=9, setup=None):
        """Median seconds of several functions, run in turns after one round that is not counted.

        :param measured: pairs of a label and a function
        :return: list of seconds, in their order
        """
        times = [[] for _pair in measured]
        for number in range(repeat + 1):
            for (_label, function), seconds in zip(measured, times, strict=True):
                if setup:
                    setup()
                started = time.perf_counter()
                function()
                if number:
                    seconds.append(time.perf_counter() - started)
        for (label, _function), seconds in zip(measured, times, strict=True):
            spread = f"{min(seconds):.3f} to {max(seconds):.3f} s, {repeat} runs"
            self.row(label, f"{statistics.median(seconds):.3f} s", spread)
        return [statistics.median(seconds) for seconds in times]

    def once(self, label, function):
        """Seconds of one run, and what it returned."""
        started = time.perf_counter()
        result = function()
        seconds = time.perf_counter() - started
        self.row(label, f"{seconds:.3f} s", "1 run")
        return seconds, result

    def row(self, label, *cells):
        self._rows.append([label, *map(str, cells)])

    @staticmethod
    def peak_memory():
        """Highest memory of this process so far, in MiB."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1024**2 if sys.platform == "darwin" else 1024)

    def _print_table(self):
        columns = max(map(len, self._rows), default=0)
        rows = [row + [""] * (columns - len(row)) for row in self._rows]
        widths = [max(len(row[i]) for row in rows) for i in range(columns)]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
        self._rows = []  # printed once, however many verdicts follow

    def verdict(self, ours, peer, limit):
        """Compare with the peer; 0 if ours takes at most ``limit`` times as long."""
        self._print_table()
        ratio = ours / peer if peer else float("inf")
        holds = ratio <= limit
        word = "holds" if holds else "falls short"
        print(f"{self.name}: {ratio:.1f}x {self.peer} (at most {limit:g}x): {word}")
        return 0 if holds else 1

    def bound(self, value, limit, unit):
        """Compare with a fixed limit; 0 if ``value`` is within it."""
        self._print_table()
        holds = value <= limit
        word = "holds" if holds else "falls short"
        print(f"{self.name}: {value:.3g} {unit} (at most {limit:g} {unit}): {word}")
        return 0 if holds else 1

    @classmethod
    def run(cls, name, main, peer):
        """Read the command line, open the database, call ``main(bench)`` and exit with it."""
        parser = argparse.ArgumentParser(prog=name)
        parser.add_argument("--config", required=True, help="Odoo configuration file")
        parser.add_argument("--database", required=True, help="scratch database, changed freely")
        parser.add_argument("--scale", type=float, default=1.0, help="1 is the full size")
        arguments = parser.parse_args()
        with environment(arguments.config, arguments.database) as env:
            status = main(cls(name, peer, env, arguments.scale))
        sys.stdout.flush()
        sys.exit(status)


@contextlib.contextmanager
def environment(config_path, database):
    """Odoo environment of the superuser; what was not committed is rolled back at the end."""
    import odoo.api
    from odoo import SUPERUSER_ID
    from odoo.modules.registry import Registry
    from odoo.tools import config

    options = ["-c", config_path, "-d", database, "--no-http", "--log-level=error"]
    config.parse_config([*options, "--log-handler=py.warnings:CRITICAL"], setup_logging=True)
    with Registry(database).cursor() as cr:
        yield odoo.api.Environment(cr, SUPERUSER_ID, {})
        cr.rollback()
