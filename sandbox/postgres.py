"""PostgreSQL: the server named by PGHOST and its kin, else a private cluster of our own.

The private cluster listens on a socket in a folder that only its owner can enter, so it takes no
port and needs no password. Commands share it: each holds a lease (a shared file lock) while it
works, and the one that leaves last stops the cluster. A detached server inherits its lease.
"""

import contextlib
import fcntl
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

from . import cache, paths, process, system
from .ui import Problem, Step

OLDEST = 13  # what Odoo 19 asks for
PROGRAMS = ("initdb", "pg_ctl", "postgres", "psql", "createdb", "dropdb")
USER = "odoo"
# Everything in the cluster can be made again: speed goes before safety from a power cut.
SETTINGS = """
listen_addresses = ''
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
shared_buffers = 256MB
max_connections = 150
jit = off
log_min_messages = fatal
"""


class Server:
    """A PostgreSQL server and how to reach it.

    ``environment`` holds the PG* variables for client programs, ``options`` the db_* settings
    for Odoo.
    """

    def __init__(self, variables, bin_dir=None):
        self.variables = variables
        self.bin_dir = bin_dir

    @property
    def environment(self):
        path = os.environ.get("PATH", os.defpath)
        if self.bin_dir:
            path = f"{self.bin_dir}{os.pathsep}{path}"
        return {**os.environ, **self.variables, "PATH": path}

    @property
    def options(self):
        names = {
            "db_host": "PGHOST",
            "db_port": "PGPORT",
            "db_user": "PGUSER",
            "db_password": "PGPASSWORD",
        }
        return {name: self.variables.get(variable) or False for name, variable in names.items()}

    def sql(self, statement, database="postgres"):
        """Run SQL; return the rows as lists of texts."""
        command = ["psql", "-XqAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-d", database]
        try:
            done = subprocess.run(
                command,
                input=statement,
                capture_output=True,
                text=True,
                env=self.environment,
                check=False,
            )
        except FileNotFoundError as error:
            raise Problem(
                "PostgreSQL's client programs are missing.",
                system.install_command(["postgresql-client"]),
            ) from error
        if done.returncode:
            raise Problem(f"PostgreSQL: {done.stderr.strip()}", self.remedy(done.stderr))
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def remedy(self, message):
        """What to do about a message of the server."""
        if "No space left" in message:
            return "free some space on the disk and start again"
        if "connection" in message or "authentication" in message:
            return "check PGHOST, PGPORT, PGUSER and PGPASSWORD, or unset them: a private server"
        if "permission denied to create database" in message:
            return f"ALTER ROLE {self.variables.get('PGUSER')} CREATEDB;"
        return None

    def databases(self):
        """Names of all databases, oldest first."""
        rows = self.sql("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY oid")
        return [row[0] for row in rows]

    def create(self, name, template="template0"):
        """Create a database, as a copy of ``template``."""
        # Odoo sorts in the application; names must sort alike on every machine.
        extra = " LC_COLLATE 'C' ENCODING 'UTF8'" if template == "template0" else ""
        self.sql(f"CREATE DATABASE {quote(name)} TEMPLATE {quote(template)}{extra}")

    def drop(self, name):
        self.sql(f"DROP DATABASE IF EXISTS {quote(name)} WITH (FORCE)")

    def rename(self, old, new):
        self.sql(f"ALTER DATABASE {quote(old)} RENAME TO {quote(new)}")


def quote(identifier):
    """An SQL identifier in quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def is_named():
    """Do the PG* variables name a server?"""
    return any(os.environ.get(name) for name in ("PGHOST", "PGPORT", "PGSERVICE"))


@contextlib.contextmanager
def running():
    """The :class:`Server` of this machine, up for the length of the ``with`` block."""
    if is_named():
        yield _named_server()
        return
    cluster = Cluster(find_programs() or _install_programs())
    with cluster.lease():
        yield cluster


def _named_server():
    """The server that the PG* variables name, checked for what the sandbox needs."""
    names = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGSERVICE")
    variables = {name: os.environ[name] for name in names if os.environ.get(name)}
    variables.setdefault("PGUSER", pwd.getpwuid(os.geteuid()).pw_name)
    found = find_programs()
    server = Server(variables, found)
    if variables["PGUSER"] == "postgres":
        raise Problem(
            "Odoo refuses to work as PostgreSQL's user 'postgres'.",
            "CREATE ROLE odoo LOGIN CREATEDB PASSWORD '...'; then export PGUSER and PGPASSWORD",
        )
    version = int(server.sql("SHOW server_version_num")[0][0]) // 10000
    if version < OLDEST:
        raise Problem(
            f"The server is PostgreSQL {version}; Odoo 19 needs {OLDEST} or newer.",
            "unset PGHOST and PGPORT to use a private server",
        )
    rights = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
    if server.sql(rights)[0][0] != "t":
        raise Problem(
            f"PostgreSQL's user {variables['PGUSER']} may not create databases.",
            f"as its administrator: ALTER ROLE {variables['PGUSER']} CREATEDB;",
        )
    return server


def find_programs():
    """Folder of the newest complete set of PostgreSQL's programs, or None."""
    candidates = []
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/*/bin"):
        candidates += Path("/").glob(pattern)
    for program in ("initdb", "postgres"):
        if found := shutil.which(program):
            candidates.append(Path(found).resolve().parent)
    if configured := process.output(["pg_config", "--bindir"]):
        candidates.append(Path(configured.strip()))
    complete = {
        folder: program_version(folder)
        for folder in candidates
        if all(os.access(folder / name, os.X_OK) for name in PROGRAMS)
    }
    usable = [folder for folder, version in complete.items() if version >= OLDEST]
    return max(usable, key=complete.get, default=None)


def program_version(folder):
    """Major version of the programs in a folder; 0 if they do not run."""
    text = process.output([Path(folder) / "postgres", "--version"]) or ""
    found = re.search(r"(\d+)", text)
    return int(found[1]) if found else 0


def _install_programs():
    system.install_packages(["postgresql", "postgresql-contrib"], "A private PostgreSQL")
    found = find_programs()
    if not found:
        raise Problem(
            f"No PostgreSQL {OLDEST} or newer was found after its installation.",
            "install PostgreSQL 15, or point PGHOST, PGUSER and PGPASSWORD to a server",
        )
    return found


class Cluster(Server):
    """The private cluster of this user."""

    def __init__(self, bin_dir):
        self.version = program_version(bin_dir)
        self.owner = self._find_owner()
        self.home = self._find_home()
        self.data = self.home / f"pg{self.version}"
        self.socket = self.home / "socket"
        super().__init__(
            {
                "PGHOST": str(self.socket),
                "PGPORT": "5432",
                "PGUSER": USER,
                "PGDATABASE": "postgres",
            },
            bin_dir,
        )

    @staticmethod
    def _find_owner():
        """PostgreSQL refuses to run as root: then a system user takes its place."""
        if not system.is_root():
            return None
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name)
        raise Problem("There is no user for PostgreSQL.", "useradd --system postgres")

    def _find_home(self):
        """Folder of the cluster: in the cache, or where root's system user can get at it."""
        home = paths.cache_dir() / "postgres"
        if self.owner or len(str(home)) > 80:  # a socket's path must stay under 107 characters
            base = Path("/var/lib") if system.is_root() else Path("/var/tmp")
            user = "" if system.is_root() else f"-{os.geteuid()}"
            home = base / f"{paths.APPLICATION}{user}-{cache.digest(paths.cache_dir(), length=8)}"
        return home

    def _as_owner(self):
        """Options for subprocess to run as the cluster's owner."""
        if not self.owner:
            return {"cwd": "/"}
        return {
            "cwd": "/",
            "user": self.owner.pw_uid,
            "group": self.owner.pw_gid,
            "extra_groups": [],
        }

    @contextlib.contextmanager
    def lease(self):
        """Keep the cluster running while the block runs."""
        self.home.mkdir(parents=True, exist_ok=True)
        with open(self._leases(), "a", encoding="utf-8") as handle:
            with self._starting():
                fcntl.flock(handle, fcntl.LOCK_SH)
                self.start()
            self.lease_descriptor = handle.fileno()
            try:
                yield
            finally:
                handle.close()
                self.stop_if_unused()

    def _leases(self):
        return paths.cache_dir() / "postgres.leases"

    def _starting(self):
        return cache.lock(paths.cache_dir() / "postgres.lock")

    def stop_if_unused(self):
        """Stop the cluster unless somebody else holds a lease."""
        with self._starting(), open(self._leases(), "a", encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            if self.is_up():
                self._pg_ctl("stop", "-m", "fast")

    def is_up(self):
        command = [self.bin_dir / "pg_ctl", "status", "-D", self.data]
        return process.output(command, **self._as_owner()) is not None

    def start(self):
        """Create the cluster if need be and start it."""
        if cache.read_stamp(self.data) != str(self.version):
            with Step(f"Creating a private PostgreSQL {self.version}"):
                self._initialise()
        if not self.is_up():
            self._pg_ctl("start", "-l", self.home / "postgres.log")

    def _initialise(self):
        system.require_space(self.home, 2, "The databases")
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        self.socket.mkdir(mode=0o700, exist_ok=True)
        if self.owner:
            for folder in (self.home, self.data, self.socket):
                os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)
        # Upper and lower case of Russian letters need a UTF-8 locale.
        for locale in ("C.UTF-8", "en_US.UTF-8", "C"):
            status = process.run(
                [self.bin_dir / "initdb", "-D", self.data, "-U", USER, "-E", "UTF8"]
                + [f"--locale={locale}", "--auth=trust", "--no-sync"],
                log="initdb.log",
                check=locale == "C",
                what="PostgreSQL's initdb failed",
                remedy=f"remove {self.home} and start again",
                **self._as_owner(),
            )
            if status == 0:
                break
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as handle:
            handle.write(f"{SETTINGS}unix_socket_directories = '{self.socket}'\n")
            handle.write("unix_socket_permissions = 0700\n")
        os.sync()
        cache.write_file(self.data / cache.STAMP, str(self.version))

    def _pg_ctl(self, *arguments):
        log = self.home / "postgres.log"
        command = [self.bin_dir / "pg_ctl", "-s", "-w", "-t", "60", "-D", self.data, *arguments]
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            **self._as_owner(),
        )
        if done.returncode:
            tail = ""
            with contextlib.suppress(OSError):
                tail = "".join(f"\n    {line}" for line in log.read_text().splitlines()[-8:])
            raise Problem(
                f"PostgreSQL did not {arguments[0]}.{tail}",
                f"look into {log}; to begin anew remove {self.home}",
            )
