"""Loaded into the pytest of ``sandbox test`` and ``sandbox core-tests``.

* Leaves out what Odoo's own runner leaves out. Odoo runs a test only if it carries the tag
  ``standard`` (every test does unless it says ``-standard``, like those that need the internet);
  pytest knows nothing of these tags.
* Spreads tests over workers by class (its set-up is the dear part); tests outside of a class go
  one by one. xdist hands out the large classes first; of the single tests, what takes minutes goes
  before the others, so that no worker is left with it at the end.
* Gives each worker a file store of its own. pytest-odoo lets all of them use one, where a worker
  that collects garbage by its own database takes the files of the others.
* Ends a run in good order at a deadline: tests that the time does not suffice for are not run.
"""

import os
import shutil
import time
from pathlib import Path
from unittest import mock

import pytest
from odoo.tools import config as odoo_config

LONG = ("tests/lifecycle/",)


def pytest_addoption(parser):
    parser.addoption(
        "--sandbox-deadline",
        type=float,
        metavar="SECONDS",
        help="start no test after this moment (seconds since 1970)",
    )


def pytest_collection_modifyitems(config, items):
    """Deselect tests that took the tag ``standard`` off; group and order the others."""
    kept, left_out = [], []
    for item in items:
        (kept if is_standard(getattr(item, "cls", None)) else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    for item in kept:
        if getattr(item, "cls", None):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.rpartition("::")[0]))
    items[:] = sorted(kept, key=lambda item: not item.nodeid.startswith(LONG))


def is_standard(cls):
    """Would Odoo's runner take this class? It tags only what lies in an add-on."""
    tags = getattr(cls, "test_tags", None)
    outside = not getattr(cls, "__module__", "").startswith("odoo.addons.")
    return tags is None or outside or "standard" in tags


@pytest.fixture(scope="session", autouse=True)
def own_filestore(load_registry):
    """A copy of the file store for this worker, by hard links, gone when it ends."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if not worker:
        yield
        return
    origin = Path(odoo_config.filestore(odoo_config["db_name"][0]))
    own = origin.with_name(f"{origin.name}-{worker}")
    shutil.rmtree(own, ignore_errors=True)
    shutil.copytree(origin, own, copy_function=os.link)
    with mock.patch.object(odoo_config, "filestore", lambda dbname: str(own)):
        yield
    shutil.rmtree(own, ignore_errors=True)


def pytest_runtest_teardown(item):
    """Stop before the next test once the deadline has passed."""
    deadline = item.config.getoption("--sandbox-deadline")
    if deadline and time.time() > deadline:
        item.session.shouldstop = "the time budget is used up"
