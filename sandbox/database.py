"""Databases: templates that cost minutes once, copies that cost a second.

Two layers of templates, each named by the key of what it was made from:

* ``crm_base_<key>``: Odoo with the modules our add-ons depend on, Russian, and ``test_lint``;
* ``crm_demo_<key>`` and ``crm_plain_<key>``: that plus our add-ons, with and without demo data.

A template gets its name by a rename after everything else is done: a database of that name is
complete. Each checkout works on its own copy, ``crm_<checkout>``; each test run on its own,
``crm_run_<pid>``.
"""

import contextlib
import itertools
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import cache, paths, process, system
from .ui import Step, warn

LANGUAGES = ("en_US", "ru_RU")  # the first becomes the language of new users and partners
# Odoo's own checks, and the optional apps that the suite works with where they are installed.
EXTRA_MODULES = ("test_lint", "purchase", "hr_holidays", "mass_mailing")
EXTENSIONS = ("pg_trgm", "unaccent")
RECIPE = "1"  # raise it when the way of building templates changes
KEPT = {"base": 2, "demo": 2, "plain": 2}
# File stores that go when their database is gone: templates, and copies made by tests.
ORPHAN = re.compile(r"(crm_(base|demo|plain)|lifecycle)_[0-9a-f]+$")
LOADING = re.compile(r"Loading module (\S+) \((\d+)/(\d+)\)")
# Lines of Odoo's log that say nothing about our add-ons.
NOISE = re.compile(r"py\.warnings|superuser|http-interface|http_interface|Running as user")


def dependencies():
    """Odoo's modules that our add-ons name in ``depends``."""
    ours = paths.addons()
    needed = {name for addon in ours for name in paths.read_manifest(addon)["depends"]}
    return sorted(needed - set(ours))


def addon_digests():
    """Key of each add-on's sources; tests do not count, for they change no database."""
    return {addon: cache.tree_digest(paths.ROOT / addon) for addon in paths.addons()}


def render_config(settings):
    """Text of an Odoo configuration file; None and False are left to Odoo's defaults."""
    lines = ["[options]"]
    for name, value in sorted(settings.items()):
        if value is None or value is False:
            continue
        if isinstance(value, (list, tuple)):
            value = ",".join(str(part) for part in value)
        text = str(value)
        if "\n" in text:
            raise ValueError(f"{name}: a value must be one line")
        lines.append(f"{name} = {text}")
    return "\n".join(lines) + "\n"


@dataclass
class Databases:
    """The databases of one PostgreSQL server, worked on with one Odoo."""

    source: object  # odoo_source.OdooSource
    python: Path
    server: object  # postgres.Server

    # Odoo's programs

    def config(self, name, with_suite=True, **settings):
        """Write ``<name>.conf`` and return its path. It may hold a password: only ours to read."""
        addons = [*self.source.addons, *([paths.ROOT] if with_suite else [])]
        folder = paths.checkout_dir() if with_suite else paths.logs_dir()
        values = {
            **self.server.options,
            "addons_path": addons,
            "data_dir": paths.data_dir(),
            "http_interface": "127.0.0.1",
            "limit_memory_hard": "0",
            "limit_memory_soft": "0",
            "limit_time_cpu": "0",
            "limit_time_real": "0",
            "list_db": "False",
            "max_cron_threads": "0",
            "without_demo": "True",
            **settings,
        }
        path = folder / f"{name}.conf"
        cache.write_file(path, render_config(values), mode=0o600)
        return path

    @property
    def environment(self):
        """Environment of Odoo's processes."""
        variables = {
            **self.server.environment,
            "PYTHONWARNINGS": "ignore",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        variables["PATH"] = f"{self.python.parent}{os.pathsep}{variables['PATH']}"
        variables.pop("PYTHONPATH", None)
        variables.pop("ODOO_RC", None)
        return variables

    def command(self, config, *arguments):
        """Command line of ``odoo``; leading words are its sub-command, as in ``i18n export``."""
        arguments = [str(argument) for argument in arguments]
        words = list(itertools.takewhile(lambda word: not word.startswith("-"), arguments))
        rest = arguments[len(words) :]
        return [str(self.python), "-m", "odoo", *words, "-c", str(config), *rest]

    def run_odoo(self, title, config, *arguments, log="odoo.log", show_warnings=False):
        """Run ``odoo`` to its end; its module counter becomes the step's progress."""
        lines = []
        with Step(title) as step:

            def progress(line):
                if found := LOADING.search(line):
                    step.note(f"{found[2]} of {found[3]}, {found[1]}")
                elif re.search(r" (WARNING|ERROR|CRITICAL) ", line) and not NOISE.search(line):
                    lines.append(line.strip())

            process.run(
                self.command(config, *arguments),
                log=log,
                progress=progress,
                what=f"{title} failed",
                remedy="read the log above; after mending the add-on, start again",
                env=self.environment,
                cwd="/",
            )
        if show_warnings:
            for line in lines[:20]:
                warn(line)

    # Copies

    def copy(self, origin, name):
        """Copy a database and its file store; the name appears when both are complete."""
        self.drop(name)
        copy_filestore(origin, name)
        self.server.create(name, template=origin)

    def drop(self, name):
        self.server.drop(name)
        shutil.rmtree(filestore(name), ignore_errors=True)

    def exists(self, name):
        """Is the database there, with its file store?"""
        return filestore(name).is_dir() and name in self.server.databases()

    @contextlib.contextmanager
    def scratch(self, origin, purpose):
        """A throw-away copy, gone (with whatever was copied from it) after the block."""
        self._drop_abandoned()
        name = f"crm_run_{os.getpid()}_{purpose}"
        self.copy(origin, name)
        try:
            yield name
        finally:
            for database in self.server.databases():
                if database.startswith(name):
                    self.drop(database)
            shutil.rmtree(filestore(name), ignore_errors=True)

    def _drop_abandoned(self):
        """Remove what a killed run left behind."""
        stores = filestore("").iterdir() if filestore("").is_dir() else ()
        for name in {*self.server.databases(), *(folder.name for folder in stores)}:
            found = re.match(r"crm_(?:run|new)_(\d+)_", name)
            if found and not process.is_alive(int(found[1])):
                self.drop(name)

    # Templates

    def base_key(self):
        requirements = paths.REQUIREMENTS.read_text(encoding="utf-8")
        return cache.digest(
            self.source.key, requirements, RECIPE, *LANGUAGES, *EXTRA_MODULES, *dependencies()
        )

    def base(self):
        """Name of the template with Odoo's modules; built if absent."""
        name = f"crm_base_{self.base_key()}"
        if not self.exists(name):
            system.require_space(paths.cache_dir(), 1, "The template database")
            with self._new(name) as new:
                self.server.create(new)
                for extension in EXTENSIONS:
                    self.server.sql(f"CREATE EXTENSION IF NOT EXISTS {extension}", new)
                self.run_odoo(
                    "Building the template database (once, 3 to 5 min)",
                    self.config("template", with_suite=False),
                    *["-d", new, "-i", ",".join([*dependencies(), *EXTRA_MODULES])],
                    *[f"--load-language={','.join(LANGUAGES)}", "--stop-after-init"],
                    log="template.log",
                )
            self._prune("base", name)
        return name

    def suite(self, demo):
        """Name of the template with our add-ons as they are in this checkout; built if absent."""
        kind = "demo" if demo else "plain"
        digests = addon_digests()
        key = cache.digest(self.base_key(), kind, *(f"{a} {d}" for a, d in digests.items()))
        name = f"crm_{kind}_{key}"
        if not self.exists(name):
            base = self.base()
            with self._new(name) as new:
                self.copy(base, new)
                if demo:
                    # Odoo loads the demo data of a module only if those it depends on have
                    # theirs: say so for the length of the installation.
                    self._set_demo(new, True)
                self.run_odoo(
                    f"Installing the suite {'with' if demo else 'without'} demo data",
                    self.config("suite"),
                    *["-d", new, "-i", ",".join(digests), "--stop-after-init"],
                    *(["--with-demo"] if demo else []),
                    log=f"suite-{kind}.log",
                    show_warnings=True,
                )
                if demo:
                    self._set_demo(new, False)
            self._prune(kind, name)
        return name

    @contextlib.contextmanager
    def _new(self, name):
        """Build under another name, rename at the end: the name means complete."""
        self._drop_abandoned()
        new = f"crm_new_{os.getpid()}_{name}"[:63]
        self.drop(new)
        try:
            yield new
            filestore(new).mkdir(parents=True, exist_ok=True)
            self.drop(name)
            filestore(new).rename(filestore(name))
            self.server.rename(new, name)
        except BaseException:
            self.drop(new)
            raise

    def _set_demo(self, name, value):
        """Mark Odoo's installed modules as having demo data, or not."""
        ours = ", ".join(f"'{addon}'" for addon in paths.addons())
        self.server.sql(
            f"UPDATE ir_module_module SET demo = {value} "
            f"WHERE state = 'installed' AND name NOT IN ({ours})",
            name,
        )

    def _prune(self, kind, current):
        """Keep the newest templates of a kind."""
        pattern = re.compile(rf"crm_{kind}_[0-9a-f]+$")
        names = [name for name in self.server.databases() if pattern.match(name)]
        for name in names[: -KEPT[kind]]:
            if name != current:
                self.drop(name)
        known = self.server.databases()
        for folder in filestore(current).parent.iterdir():
            if ORPHAN.match(folder.name) and folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    # Modules

    def update(self, name, addons, config, install=()):
        """Update add-ons in a database, and install new ones."""
        arguments = ["-d", name, "--stop-after-init"]
        if addons:
            arguments += ["-u", ",".join(addons)]
        if install:
            arguments += ["-i", ",".join(install)]
        self.run_odoo(
            f"Updating {', '.join([*addons, *install])}",
            config,
            *arguments,
            log="update.log",
            show_warnings=True,
        )


def filestore(name):
    return paths.data_dir() / "filestore" / name


def copy_filestore(origin, name):
    """Copy a file store by hard links: Odoo never changes a stored file, it writes new ones."""
    target = filestore(name)
    shutil.rmtree(target, ignore_errors=True)

    def link(source, destination):
        try:
            os.link(source, destination)
        except OSError:
            shutil.copy2(source, destination)

    if filestore(origin).is_dir():
        shutil.copytree(filestore(origin), target, copy_function=link)
    else:
        target.mkdir(parents=True)
