"""``doctor``: what is there, what is missing, and how to get it. Changes nothing."""

import importlib.util
import shutil
import socket
import sys
import urllib.request

from . import cache, odoo_source, paths, postgres, server, system
from .ui import Problem, say

OK, MISSING, NOTE = "✓", "✗", "·"


def doctor(_arguments):
    """Print one line for each thing the sandbox needs; 1 if it cannot work."""
    findings = [
        check()
        for check in (
            check_python,
            check_environment,
            check_odoo,
            check_network,
            check_postgres,
            check_browser,
            check_printer,
            check_space,
            check_port,
            check_database,
        )
    ]
    for mark, what, remedy in findings:
        say(f"{mark} {what}")
        if remedy:
            say(f"    {remedy}")
    return 1 if any(mark == MISSING for mark, _what, _remedy in findings) else 0


def check_python():
    version = ".".join(map(str, sys.version_info[:3]))
    return OK, f"Python {version} ({sys.executable})", None


def check_environment():
    built = [path for path in paths.cache_dir().glob("venv-*") if cache.read_stamp(path)]
    if built:
        return OK, f"Python environment: {max(built, key=lambda path: path.stat().st_mtime)}", None
    for module in ("ensurepip", "pip"):
        if importlib.util.find_spec(module):
            return NOTE, "Python environment: not yet, the first command makes it", None
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    return MISSING, "No pip and no ensurepip", system.install_command([package])


def check_odoo():
    reasons = []
    for candidate in (odoo_source.from_environment, odoo_source.from_import):
        try:
            return OK, f"Odoo 19: {candidate().kind}", None
        except odoo_source.Unavailable as reason:
            reasons.append(reason)
        except Problem as problem:
            return MISSING, problem.what, problem.remedy
    for folder, kind in (("odoo-debian", "Debian's package"), ("odoo-git", "git clone")):
        if cache.read_stamp(paths.cache_dir() / folder):
            return OK, f"Odoo 19: {kind}, in the cache", None
    try:
        odoo_source.read_mirror()
        return NOTE, "Odoo 19: not yet; Debian's package will be fetched from apt's mirror", None
    except odoo_source.Unavailable as reason:
        if shutil.which("git"):
            return NOTE, f"Odoo 19: not yet; it will be cloned by git ({reason})", None
    return MISSING, "Odoo 19: no source of it here", system.install_command(["git"])


def check_network():
    """Can the mirror be reached? Only what is not cached yet needs it."""
    try:
        address = odoo_source.read_mirror()[0]
        with urllib.request.urlopen(f"{address.rstrip('/')}/dists/sid/InRelease", timeout=10):
            return OK, "Network: apt's mirror answers", None
    except odoo_source.Unavailable:
        return NOTE, "Network: not tried, there is no Debian mirror", None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        remedy = "needed for the first set-up only; check the connection, http_proxy and apt"
        return NOTE, f"Network: apt's mirror does not answer ({reason})", remedy


def check_postgres():
    if postgres.is_named():
        try:
            with postgres.running() as named:
                version = named.sql("SHOW server_version")[0][0]
        except Problem as problem:
            return MISSING, problem.what, problem.remedy
        return OK, f"PostgreSQL {version} named by the PG* variables", None
    programs = postgres.find_programs()
    if programs:
        return OK, f"PostgreSQL {postgres.program_version(programs)} in {programs}", None
    return MISSING, "No PostgreSQL 13 or newer", system.install_command(["postgresql"])


def check_browser():
    if found := system.browser():
        return OK, f"Browser for the tests: {found}", None
    return NOTE, "No browser: the tests of screens need one", system.install_command(["chromium"])


def check_printer():
    if found := shutil.which("wkhtmltopdf"):
        return OK, f"PDF printer: {found}", None
    return NOTE, "No wkhtmltopdf: reports print as HTML", system.install_command(["wkhtmltopdf"])


def check_space():
    free = shutil.disk_usage(paths.cache_dir()).free / system.GIB
    text = f"{free:.0f} GiB free for the cache in {paths.cache_dir()}"
    if free < 4:
        return MISSING, text, "4 GiB are needed; export XDG_CACHE_HOME=/path/with/space"
    return OK, text, None


def check_port():
    if found := server.running_server():
        return OK, f"The suite is up: {server.address(found[1])}", None
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", server.DEFAULT_PORT)) == 0
    if taken:
        remedy = f"python3 -m sandbox up --port {system.free_port()}"
        return NOTE, f"Port {server.DEFAULT_PORT} is taken", remedy
    return OK, f"Port {server.DEFAULT_PORT} is free", None


def check_database():
    state = server.read_state()
    if state.get("addons"):
        return OK, f"Database of this checkout: {server.database_name()}", None
    return NOTE, "Database of this checkout: not yet, up makes it", None
