"""What the user sees: progress with elapsed time, questions, and failures with their remedy."""

import os
import sys
import threading
import time


class Problem(Exception):
    """A failure that the user can mend: ``what`` is wrong and the ``remedy``, usually a command."""

    def __init__(self, what, remedy=None):
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self):
        if not self.remedy:
            return self.what
        return f"{self.what}\n  To mend it: {self.remedy}"


def say(message=""):
    print(message, flush=True)


def warn(message):
    print(f"! {message}", file=sys.stderr, flush=True)


def is_ci():
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def confirm(question):
    """Ask a yes/no question. Nobody to ask (no terminal) means no; CI means yes."""
    if is_ci():
        return True
    if not sys.stdin or not sys.stdin.isatty():
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes", "д", "да")


def elapsed(seconds):
    """``75.2`` as ``1 min 15 s``."""
    seconds = int(round(seconds))
    return f"{seconds // 60} min {seconds % 60:02d} s" if seconds >= 60 else f"{seconds} s"


class Step:
    """Progress of one long step: a line that counts on a terminal, a few plain lines elsewhere.

    ``with Step("Unpacking Odoo") as step: step.note("57 of 102")``
    """

    HEARTBEAT = 20.0  # seconds between lines when the output is not a terminal

    def __init__(self, title):
        self.title = title
        self._note = ""
        self._stop = threading.Event()
        self._tty = sys.stdout.isatty()

    def note(self, text):
        self._note = text

    def _line(self):
        note = f" ({self._note})" if self._note else ""
        return f"{self.title}{note}: {elapsed(time.monotonic() - self._started)}"

    def _run(self):
        interval = 0.5 if self._tty else self.HEARTBEAT
        while not self._stop.wait(interval):
            if self._tty:
                print(f"\r\033[K… {self._line()}", end="", flush=True)
            else:
                say(f"… {self._line()}")

    def __enter__(self):
        self._started = time.monotonic()
        if self._tty:
            print(f"… {self.title}", end="", flush=True)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self._stop.set()
        self._thread.join()
        start = "\r\033[K" if self._tty else ""
        mark = "✓" if kind is None else "✗"
        self._note = ""
        print(f"{start}{mark} {self._line()}", flush=True)


def table(rows, header):
    """Rows of texts as aligned lines under their header."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    aligned = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join(f"  {line.rstrip()}" for line in aligned)
