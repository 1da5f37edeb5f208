"""Everything the commands stand on, got and started in order."""

import contextlib

from . import cache, paths, postgres
from .database import Databases
from .odoo_source import get_odoo
from .python_env import get_python
from .ui import say


def setup_lock():
    """One set-up at a time for each user: a second one waits, then finds everything there."""
    return cache.lock(paths.cache_dir() / "setup.lock", waiting="another set-up to finish")


@contextlib.contextmanager
def ready():
    """:class:`~sandbox.database.Databases` over a running PostgreSQL, for the ``with`` block."""
    with setup_lock():
        source = get_odoo()
        python = get_python(source)
    with postgres.running() as server:
        yield Databases(source, python, server)


def announce(databases):
    """Say what everything runs on."""
    server = databases.server
    where = server.variables.get("PGHOST") or server.variables.get("PGSERVICE") or "local socket"
    private = "private PostgreSQL" if hasattr(server, "lease") else f"PostgreSQL at {where}"
    say(f"Odoo from {databases.source.kind}, {private}, cache in {paths.cache_dir()}")


def stop_postgres():
    """Stop the private cluster unless another command works with it."""
    programs = postgres.find_programs()
    if programs and not postgres.is_named():
        postgres.Cluster(programs).stop_if_unused()
