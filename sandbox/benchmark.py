"""``bench``: measurements under tests/benchmarks, each against its peer or limit."""

import subprocess

from . import environment, paths, python_env
from .ui import Problem, say

FOLDER = paths.ROOT / "tests" / "benchmarks"
HARNESS = "common"
PEERS_VARIABLE = "SANDBOX_PEERS_PYTHON"  # a benchmark that names it gets the peers


def names():
    """Names of the benchmarks of this checkout; files that begin with _ belong to others."""
    files = sorted(FOLDER.glob("*.py"))
    return [path.stem for path in files if path.stem != HARNESS and path.stem[0] != "_"]


def bench(arguments):
    """Run one benchmark, or all; 1 if one falls short."""
    chosen = arguments.names or names()
    unknown = set(chosen) - set(names())
    if unknown or not chosen:
        raise Problem(
            f"No such benchmark: {', '.join(sorted(unknown)) or 'there is none yet'}.",
            f"choose from: {', '.join(names())}" if names() else None,
        )
    worst = 0
    with environment.ready() as databases:
        with environment.setup_lock():
            origin = databases.suite(demo=False)
        for benchmark in chosen:
            with databases.scratch(origin, benchmark) as name:
                config = databases.config("bench", db_name=name)
                command = [str(databases.python), "-W", "ignore", str(FOLDER / f"{benchmark}.py")]
                command += ["--config", str(config), "--database", name]
                command += ["--scale", str(arguments.scale)]
                environ = {**databases.environment, "PYTHONPATH": str(FOLDER)}
                if PEERS_VARIABLE in (FOLDER / f"{benchmark}.py").read_text(encoding="utf-8"):
                    with environment.setup_lock():
                        environ[PEERS_VARIABLE] = str(python_env.get_peers_python())
                status = subprocess.run(command, env=environ, cwd=paths.ROOT, check=False)
                worst = max(worst, 0 if status.returncode == 0 else 1)
            if benchmark != chosen[-1]:
                say()
    return worst
