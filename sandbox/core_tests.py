"""``core-tests``: Odoo's own tests on the same build with and without the suite, compared.

Both runs see every module installed (a test that Odoo would run while installing its own module
alone runs here too), so a test may fail in both; what counts is the difference.
"""

import subprocess
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

from . import environment, paths, testing
from .ui import Problem, Step, elapsed, say

MODULES = ("crm", "sale", "sale_crm", "portal", "project")
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def core_tests(arguments):
    """Run both sides at once and print what differs; 1 if the suite broke a test."""
    unknown = set(arguments.only) - set(MODULES)
    if unknown:
        raise Problem(f"Not among the modules compared: {', '.join(sorted(unknown))}.")
    started = time.monotonic()
    with environment.ready() as databases:
        environment.announce(databases)
        tests = [find_tests(databases.source, module) for module in arguments.only or MODULES]
        with environment.setup_lock():
            origins = {"without": databases.base(), "with": databases.suite(demo=False)}
        with (
            databases.scratch(origins["without"], "core") as without,
            databases.scratch(origins["with"], "suite") as with_suite,
            ThreadPoolExecutor(2) as pool,
            Step(f"Odoo's tests of {', '.join(path.parent.name for path in tests)}"),
        ):
            deadline = started + arguments.budget * 60
            sides = [
                pool.submit(run_side, databases, side, name, tests, deadline, arguments.k)
                for side, name in (("without", without), ("with", with_suite))
            ]
            before, after = (side.result() for side in sides)
    say(f"Compared in {elapsed(time.monotonic() - started)}.")
    return report(before, after)


def find_tests(source, module):
    for folder in source.addons:
        if (folder / module / "tests").is_dir():
            return folder / module / "tests"
    raise Problem(f"This Odoo has no tests of {module}.", "use another source of Odoo")


def run_side(databases, side, name, tests, deadline, keyword):
    """Run pytest on one database.

    :return: outcome and message by test; without those that the time did not suffice for
    """
    result = paths.logs_dir() / f"core-{side}.xml"
    result.unlink(missing_ok=True)
    arguments = ["-n", "0", "-q", "-o", "junit_family=xunit1", f"--junitxml={result}"]
    arguments += [
        "--rootdir",
        str(tests[0].parent.parent),
        "-c",
        str(paths.ROOT / "pyproject.toml"),
    ]
    arguments += [f"--sandbox-deadline={time.time() + deadline - time.monotonic():.0f}"]
    arguments += ["-k", keyword] if keyword else []
    with open(paths.logs_dir() / f"core-{side}.log", "w", encoding="utf-8") as log:
        testing.run_pytest(
            databases,
            name,
            [*arguments, *map(str, tests)],
            with_suite=side == "with",
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    if not result.exists():
        raise Problem(f"The run {side} the suite did not finish.", f"read {log.name}")
    results = read_results(result)
    if not any(outcome == PASSED for outcome, _message in results.values()):
        raise Problem(f"No test passed {side} the suite: the run itself is at fault.", log.name)
    return results


def read_results(path):
    """Outcome and first line of the message, by test name, of a JUnit file."""
    results = {}
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        outcome, message = PASSED, ""
        for child in case:
            if child.tag in ("failure", "error"):
                outcome = FAILED
            elif child.tag == "skipped" and outcome != FAILED:
                outcome = SKIPPED
            else:
                continue
            message = (child.get("message") or "").strip().partition("\n")[0]
        results[f"{case.get('classname')}.{case.get('name')}"] = (outcome, message)
    return results


def compare(before, after):
    """Split the tests that differ.

    :return: ``(broken, mended, other)``: lists of ``(test, before, after, message)``
    """
    broken, mended, other = [], [], []
    for test in sorted({*before, *after}):
        old, _message = before.get(test, ("not run", ""))
        new, message = after.get(test, ("not run", ""))
        if old == new:
            continue
        if new == FAILED and old == PASSED:
            group = broken
        elif old == FAILED and new == PASSED:
            group = mended
        else:
            group = other
        group.append((test, old, new, message))
    return broken, mended, other


def report(before, after):
    """Print the difference; the exit status of the command."""
    broken, mended, other = compare(before, after)
    for title, group in (
        ("Fails only with the suite", broken),
        ("Fails only without the suite", mended),
        ("Differs otherwise", other),
    ):
        if group:
            say(f"\n{title}:")
            for test, old, new, message in group:
                say(f"  {test}: {old} -> {new}{': ' + message if message else ''}")
    both = sum(before.get(test, ("",))[0] == after[test][0] == FAILED for test in after)
    say(
        f"\n{len(after)} tests with the suite, {len(before)} without; {both} fail in both; "
        f"{len(broken)} broken by the suite"
    )
    return 1 if broken else 0
