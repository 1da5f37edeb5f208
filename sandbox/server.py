"""``up`` and ``stop``: the suite of this checkout in a browser."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request

from . import cache, database, environment, paths, process, system
from .ui import Problem, Step, elapsed, say, table

DEFAULT_PORT = 8069
LANGUAGES = {"en": "en_US", "ru": "ru_RU"}
START_SECONDS = 120
# login (the password is the same), role; the logins are made by the add-ons' demo data
USERS = (
    ("admin", "Administrator"),
    ("manager", "Sales manager"),
    ("head", "Head of a sales team"),
    ("sales1", "Salesperson"),
    ("sales2", "Salesperson"),
    ("claims", "Claim handler"),
    ("warehouse", "Head of a department, works on steps of investigations"),
    ("accountant", "Accountant (read only)"),
    ("customer1", "Customer (portal), Northwind"),
    ("customer2", "Customer (portal), Baltic"),
)


def database_name():
    """The database of this checkout."""
    return f"crm_{paths.checkout_key()}"


def state_path():
    return paths.checkout_dir() / "state.json"


def read_state():
    """What is known of this checkout: add-on keys, and the server's process and port if any."""
    try:
        return json.loads(state_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def write_state(**values):
    cache.write_file(state_path(), json.dumps({**read_state(), **values}, indent=1))


def running_server():
    """``(pid, port)`` of this checkout's server, or None."""
    state = read_state()
    pid = state.get("pid")
    if pid and process.is_alive(pid, mark=database_name()):
        return pid, state["port"]
    return None


def up(arguments):
    """Serve the suite; with ``--detach`` leave it running."""
    started = time.monotonic()
    if found := running_server():
        say(f"The suite is up already: {address(found[1])} (process {found[0]}).")
        say("  python3 -m sandbox stop ends it.")
        return 0
    system.require_port(arguments.port)
    with contextlib.ExitStack() as stack:
        databases = stack.enter_context(environment.ready())
        environment.announce(databases)
        with environment.setup_lock():
            prepare(databases, demo=arguments.demo)
        if arguments.demo != read_state().get("demo"):
            option = "" if arguments.demo else " --no-demo"
            say("The database was made with the other choice of demo data and is kept:")
            say(f"  python3 -m sandbox reset{option} makes a new one.")
        if arguments.lang:
            set_language(databases, LANGUAGES[arguments.lang])
        system.require_port(arguments.port)
        child = start(databases, arguments.port)
        try:
            wait_until_served(child, arguments.port)
            say(f"Ready after {elapsed(time.monotonic() - started)}.")
            show_logins(databases, arguments.port)
            if arguments.detach:
                say("It runs in the background; python3 -m sandbox stop ends it.")
                return 0
            say("Ctrl-C stops everything.")
            return watch(child)
        except BaseException:
            end(child)
            raise
        finally:
            if not arguments.detach:
                end(child)


def prepare(databases, demo=True, fresh=False):
    """Make this checkout's database, or bring it up to the sources.

    A database keeps its data: only the add-ons whose sources changed are updated.
    """
    name = database_name()
    digests = database.addon_digests()
    state = read_state()
    if fresh or not databases.exists(name) or "addons" not in state:
        origin = databases.suite(demo)
        databases.copy(origin, name)
        write_state(addons=digests, demo=demo, base=databases.base_key(), pid=None)
        return
    known = state["addons"]
    if state.get("base") != databases.base_key():
        # Other versions of Odoo or of its modules: what changed below cannot be told apart.
        update(databases, sorted(digests), everything=True)
        return
    changed = [addon for addon, digest in digests.items() if known.get(addon) != digest]
    if changed:
        update(databases, changed)


def update(databases, addons, everything=False):
    """Update add-ons in this checkout's database; those it does not know yet are installed.

    :param everything: Odoo's modules too (their sources changed)
    """
    known = read_state().get("addons", {})
    digests = database.addon_digests()  # before the update: what changes meanwhile counts as new
    current = ["base"] if everything else [addon for addon in addons if addon in known]
    new = [addon for addon in addons if addon not in known]
    databases.update(database_name(), current, config(databases), install=new)
    updated = {addon: digests[addon] for addon in addons}
    write_state(addons={**known, **updated}, base=databases.base_key())


def config(databases, **settings):
    return databases.config("server", **settings)


def set_language(databases, code):
    """Give every user this language."""
    databases.server.sql(
        f"UPDATE res_partner SET lang = '{code}' WHERE id IN (SELECT partner_id FROM res_users)",
        database_name(),
    )


def start(databases, port):
    """Start Odoo's server in a session of its own, so that Ctrl-C reaches us first."""
    name = database_name()
    path = config(
        databases,
        db_name=name,
        dbfilter=f"^{name}$",
        http_port=port,
        gevent_port=system.free_port(),
        max_cron_threads=1,
        workers="0",
    )
    log = open(log_path(), "a", encoding="utf-8")  # noqa: SIM115  (the child goes on with it)
    lease = getattr(databases.server, "lease_descriptor", None)
    with log:
        child = subprocess.Popen(
            databases.command(path, "-d", name),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=databases.environment,
            cwd="/",
            start_new_session=True,
            pass_fds=[lease] if lease is not None else [],
        )
    write_state(pid=child.pid, port=port)
    return child


def log_path():
    return paths.checkout_dir() / "server.log"


def address(port):
    return f"http://localhost:{port}/odoo"


def wait_until_served(child, port):
    """Wait for the first answer and for the style sheets of the login page."""
    url = f"http://127.0.0.1:{port}/web/login"
    with Step("Starting the server"):

        def answers():
            if child.poll() is not None:
                raise Problem("The server ended while starting.", f"read {log_path()}")
            try:
                with urllib.request.urlopen(url, timeout=60) as page:
                    return page.status == 200
            except urllib.error.HTTPError as error:
                raise Problem(
                    f"The server answers with error {error.code}.", f"read {log_path()}"
                ) from error
            except OSError:
                return False

        if not process.wait_for(answers, START_SECONDS, interval=0.5):
            raise Problem(
                f"The server did not answer in {START_SECONDS} seconds.", f"read {log_path()}"
            )


def show_logins(databases, port):
    """Print the address and the logins that exist in this database."""
    rows = databases.server.sql("SELECT login FROM res_users WHERE active", database_name())
    logins = {row[0] for row in rows}
    say(f"\n  {address(port)}    customers: http://localhost:{port}/my\n")
    shown = [(role, login, login) for login, role in USERS if login in logins]
    say(table(shown, header=["Role", "Login", "Password"]))
    say(f"\n  Log: {log_path()}")


def watch(child):
    """Wait for the server or for Ctrl-C; the exit status of the command."""
    try:
        status = child.wait()
    except KeyboardInterrupt:
        say("\nStopping.")
        return 0
    raise Problem(f"The server ended by itself (exit status {status}).", f"read {log_path()}")


def end(child):
    process.stop(child)
    write_state(pid=None)


def stop(_arguments):
    """End this checkout's server, and the private PostgreSQL if nobody else uses it."""
    found = running_server()
    if found:
        pid, port = found
        with Step(f"Stopping the server on port {port}"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            if not process.wait_for(lambda: not process.is_alive(pid, database_name()), 20):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                process.wait_for(lambda: not process.is_alive(pid, database_name()), 5)
        write_state(pid=None)
    else:
        say("The suite of this checkout is not up.")
    environment.stop_postgres()
    return 0


def refuse_while_up(what):
    """Some commands must not work under a running server."""
    if running_server():
        raise Problem(
            f"The suite is up; {what} would pull its database away.",
            "python3 -m sandbox stop",
        )
