"""``test``: all tests of the checkout by pytest-odoo, in parallel, on throw-away databases."""

import os
import subprocess

from . import environment, paths, process, system

WORKERS = 2
SUMMARY_SECONDS = 60  # how long an interrupted pytest may take to clean up


def pytest_arguments(given, processors):
    """Arguments of pytest: ours first, so that the user's win.

    Debugging needs one process; otherwise tests are spread over workers, each with its own copy of
    the database, a class always whole (see ``pytest_plugin``).
    """
    alone = {"--pdb", "-s", "--capture=no", "--trace"} & set(given)
    parallel = any(part.startswith(("-n", "--numprocesses")) for part in given)
    if alone or parallel:
        return list(given)
    return ["-n", str(min(WORKERS, processors)), "--dist", "loadgroup", *given]


def test(arguments):
    """Run pytest; its closing line is the last thing printed, its exit status ours."""
    system.require_test_tools()
    with environment.ready() as databases:
        environment.announce(databases)
        with environment.setup_lock():
            origin = databases.suite(demo=False)
        with databases.scratch(origin, "test") as name:
            return run_pytest(databases, name, arguments.rest)


def run_pytest(databases, name, arguments, with_suite=True, **options):
    """Run pytest-odoo on a database; return its exit status.

    :param with_suite: is this checkout on Odoo's add-ons path?
    :param options: for :class:`subprocess.Popen`
    """
    config = databases.config(name, with_suite, db_name=name, dbfilter=f"^{name}$")
    command = [str(databases.python), "-W", "ignore", "-m", "pytest"]
    command += ["-p", "sandbox.pytest_plugin", f"--odoo-config={config}"]
    command += [f"--odoo-database={name}", "--odoo-http"]
    command += pytest_arguments(arguments, os.cpu_count() or 1)
    variables = {
        **databases.environment,
        "PYTHONPATH": str(paths.ROOT),
        "PGOPTIONS": "-c client_min_messages=warning",
        "PYTHONUNBUFFERED": "1",
        "SANDBOX_TEMPLATE": databases.base(),  # tests/lifecycle installs the add-ons on copies
    }
    try:
        with subprocess.Popen(command, cwd=paths.ROOT, env=variables, **options) as child:
            try:
                return child.wait()
            except KeyboardInterrupt:
                # From the terminal pytest got it too, and is printing its summary.
                return child.wait(SUMMARY_SECONDS)
            finally:
                process.stop(child)
    finally:
        config.unlink(missing_ok=True)
