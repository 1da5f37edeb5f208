"""``import FILE``: sales history into this checkout's database, by the wizard's own code."""

import json
from pathlib import Path

from . import environment, paths, process, server
from .ui import Problem


def parse_pairs(pairs, what):
    """``["a=1"]`` as ``{"a": "1"}``."""
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise Problem(f"{what} {pair!r} is not of the form name=value.")
        values[name.strip()] = value.strip()
    return values


def import_file(arguments):
    """Import a file; 1 if it could not be read or the import failed."""
    path = Path(arguments.file).expanduser().resolve()
    if not path.is_file():
        raise Problem(f"There is no file {path}.", "python3 -m sandbox import FILE")
    options = parse_pairs(arguments.option, "Option")
    columns = parse_pairs(arguments.column, "Column")
    options.update({"columns": columns} if columns else {})
    options.update({"source": arguments.source} if arguments.source else {})
    refused = Path.cwd() / f"{path.name.partition('.')[0]}-refused.xlsx"
    with environment.ready() as databases:
        with environment.setup_lock():
            server.prepare(databases)
        task = {
            "config": str(server.config(databases)),
            "database": server.database_name(),
            "file": str(path),
            "options": options,
            "refused": str(refused),
        }
        return process.run(
            [databases.python, "-W", "ignore", "-m", "sandbox.run_import", json.dumps(task)],
            check=False,
            cwd=paths.ROOT,
            env=databases.environment,
        )
