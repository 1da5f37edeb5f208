"""``i18n``: terms exported by Odoo's own command, translations kept, nothing stale."""

import tempfile
from pathlib import Path

from . import environment, paths, process
from .ui import say


def i18n(arguments):
    """Export each add-on's template and merge its translation; ``--check`` only compares."""
    addons, bridges = paths.addons(), paths.bridges()
    with environment.ready() as databases:
        with environment.setup_lock():
            origin = databases.suite(demo=False)
        with (
            databases.scratch(origin, "i18n") as name,
            tempfile.TemporaryDirectory() as folder,
        ):
            config = databases.config("i18n", db_name=name)
            for addon in [*addons, *bridges]:
                if addon in bridges:
                    databases.run_odoo(
                        f"Installing {addon} with the apps that it is for",
                        config,
                        *["module", "install", "-d", name, addon],
                        log="i18n.log",
                    )
                target = Path(folder) / f"{addon}.pot"
                databases.run_odoo(
                    f"Exporting the terms of {addon}",
                    config,
                    *["i18n", "export", "-d", name, "-o", target, addon],
                    log="i18n.log",
                )
            command = [databases.python, "-m", "sandbox.po_files"]
            status = process.run(
                [*command, "check" if arguments.check else "merge", folder, *addons, *bridges],
                check=False,
                cwd=paths.ROOT,
                env=databases.environment,
            )
    if status == 0 and arguments.check:
        say("Templates are fresh, translations complete.")
    return status
