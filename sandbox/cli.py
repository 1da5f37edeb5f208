"""The commands and their options."""

import argparse
import signal
import subprocess
import sys

from . import environment, paths, server
from .ui import Problem, say

DESCRIPTION = "Get, run and test the suite on this machine. Nothing outside the cache is touched."

PASS_ON = ("test", "shell", "psql")  # their arguments belong to pytest, odoo shell and psql


def make_parser():
    parser = argparse.ArgumentParser(prog="python3 -m sandbox", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name, function, text, **options):
        command = commands.add_parser(name, help=text, description=text, **options)
        command.set_defaults(function=function)
        return command

    up = add("up", server.up, "serve the suite with demo data and print the logins")
    up.add_argument("--detach", action="store_true", help="leave it running in the background")
    up.add_argument("--port", type=port_number, default=server.DEFAULT_PORT, help="%(default)s")
    up.add_argument("--lang", choices=sorted(server.LANGUAGES), help="language of all users")
    up.add_argument(
        "--no-demo", dest="demo", action="store_false", help="a new database starts empty"
    )
    add("stop", server.stop, "stop what runs in the background")
    add("test", run_test, "run all tests; further arguments go to pytest")
    reset = add("reset", run_reset, "throw this checkout's database away and make a new one")
    reset.add_argument("--no-demo", dest="demo", action="store_false", help="make it empty")
    core = add("core-tests", run_core_tests, "Odoo's own tests with and without the suite")
    core.add_argument("--only", nargs="+", default=[], metavar="MODULE", help="fewer modules")
    core.add_argument("-k", metavar="EXPRESSION", help="fewer tests, as in pytest")
    core.add_argument(
        "--budget", type=float, default=90, metavar="MINUTES", help="stop after (%(default)s)"
    )
    bench = add("bench", run_bench, "run benchmarks")
    bench.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    bench.add_argument("--scale", type=float, default=1.0, help="1 is the full size")
    load = add("import", run_import, "import a file of past sales (csv, zip, xz, gz, xlsx)")
    load.add_argument("file", metavar="FILE")
    load.add_argument("--source", help="system the file comes from, for recognising its rows")
    load.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a choice of the wizard, e.g. no_client=walk_in, currency=GBP, date_style=dmy",
    )
    load.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="COLUMN=FIELD",
        help="what a column holds, where the guess is wrong",
    )
    phone = add("phone", run_phone, "send the events of a telephone call to the running suite")
    phone.add_argument("action", choices=["ring", "answer", "end", "miss", "record"])
    phone.add_argument("--from", dest="caller", metavar="NUMBER", help="who calls")
    phone.add_argument("--to", dest="callee", metavar="NUMBER", help="who is called")
    phone.add_argument(
        "--extension",
        action="append",
        metavar="EXTENSION",
        help="whose telephone rings (default: 101, sales1; 102 is sales2); may be repeated",
    )
    phone.add_argument("--direction", choices=["in", "out"], default="in", help="%(default)s")
    phone.add_argument("--name", help="name which the exchange shows")
    phone.add_argument("--call", metavar="ID", help="default: a new call, then the last one")
    phone.add_argument("--duration", type=float, metavar="SECONDS", help="seconds of talk")
    phone.add_argument("--url", help="address of the recording")
    i18n = add("i18n", run_i18n, "export terms, merge translations")
    i18n.add_argument("--check", action="store_true", help="change nothing, fail if stale")
    add("doctor", run_doctor, "what is there, what is missing, how to get it")
    add("shell", run_shell, "Odoo's Python shell; further arguments go to odoo shell")
    add("psql", run_psql, "psql on this checkout's database; further arguments go to psql")
    update = add("update", run_update, "update add-ons in this checkout's database")
    update.add_argument("addons", nargs="*", metavar="ADDON", help="default: those that changed")
    return parser


def parse(argv):
    """Parse the command line; what follows a command of ``PASS_ON`` is kept in ``rest``."""
    rest = []
    if argv and argv[0] in PASS_ON and argv[1:] not in (["-h"], ["--help"]):
        argv, rest = argv[:1], argv[1:]
    arguments = make_parser().parse_args(argv)
    arguments.rest = rest
    return arguments


def port_number(text):
    """An argument that is a port, 1 to 65535."""
    port = int(text)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"{port} is not a port (1 to 65535)")
    return port


def main(argv=None):
    """Run a command; failures that the user can mend end with what to do, not with a trace."""
    arguments = parse(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, terminate)
    try:
        return arguments.function(arguments)
    except Problem as problem:
        sys.stdout.flush()
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. What was complete is kept; start again to go on.", file=sys.stderr)
        return 130


def terminate(_signal, _frame):
    """End in order when asked to: what was started is stopped, as after Ctrl-C."""
    raise KeyboardInterrupt


def run_test(arguments):
    from . import testing

    return testing.test(arguments)


def run_core_tests(arguments):
    from . import core_tests

    return core_tests.core_tests(arguments)


def run_bench(arguments):
    from . import benchmark

    return benchmark.bench(arguments)


def run_import(arguments):
    from . import importing

    return importing.import_file(arguments)


def run_phone(arguments):
    from . import phone

    return phone.phone(arguments)


def run_i18n(arguments):
    from . import i18n

    return i18n.i18n(arguments)


def run_doctor(arguments):
    from . import doctor

    return doctor.doctor(arguments)


def run_reset(arguments):
    server.refuse_while_up("reset")
    with environment.ready() as databases, environment.setup_lock():
        server.prepare(databases, demo=arguments.demo, fresh=True)
    say(f"A new database is ready: {server.database_name()}.")
    return 0


def run_shell(arguments):
    with environment.ready() as databases:
        with environment.setup_lock():
            server.prepare(databases)
        config = server.config(databases)
        command = databases.command(
            config, "shell", "-d", server.database_name(), "--no-http", *arguments.rest
        )
        return subprocess.run(command, env=databases.environment, check=False).returncode


def run_psql(arguments):
    with environment.ready() as databases:
        with environment.setup_lock():
            server.prepare(databases)
        command = ["psql", "-d", server.database_name(), *arguments.rest]
        return subprocess.run(command, env=databases.server.environment, check=False).returncode


def run_update(arguments):
    unknown = set(arguments.addons) - set(paths.addons())
    if unknown:
        raise Problem(
            f"No such add-on here: {', '.join(sorted(unknown))}.",
            f"choose from {', '.join(paths.addons())}",
        )
    with environment.ready() as databases, environment.setup_lock():
        server.prepare(databases)
        if arguments.addons:
            server.update(databases, arguments.addons)
    if server.running_server():
        say("The running server still has the old code: stop it and start it again.")
    return 0
