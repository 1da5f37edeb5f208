"""Virtual environments, all pinned: Odoo's requirements with the test tools; benchmarks' peers."""

import importlib.util
import os
import platform
import re
import sys
from pathlib import Path

from . import cache, paths, process, system
from .ui import Problem, Step

# Published as source only; pure Python, so that building them needs no compiler.
SOURCE_ONLY = ("docopt", "ofxparse")


def environment_key(requirements, odoo_path):
    """Key of the environment: a change of any of these builds a new one."""
    python = f"{platform.python_implementation()} {platform.python_version()} {sys.executable}"
    return cache.digest(requirements, python, platform.machine(), odoo_path)


def get_peers_python():
    """Path of a Python with the libraries that benchmarks compare with; none of them is ours.

    It is apart from Odoo's: each side keeps the versions it wants.
    """
    requirements = paths.PEERS.read_text(encoding="utf-8")
    key = environment_key(requirements, "peers")
    folder = paths.cache_dir() / f"peers-{key}"
    if cache.read_stamp(folder) != key:
        system.require_space(paths.cache_dir(), 2, "The environment of the peers")
        cache.install(folder, key, _build_peers, movable=False)
        _remove_old(folder)
    return folder / "bin/python"


def get_python(source):
    """Path of a Python that imports Odoo from ``source`` and everything in requirements.txt."""
    requirements = paths.REQUIREMENTS.read_text(encoding="utf-8")
    key = environment_key(requirements, source.python_path)
    folder = paths.cache_dir() / f"venv-{key}"
    if cache.read_stamp(folder) != key:
        system.require_space(paths.cache_dir(), 1, "The Python environment")
        cache.install(folder, key, lambda work: _build(work, source), movable=False)
        _remove_old(folder)
    return folder / "bin/python"


def _remove_old(current):
    """Keep the environment in use and the one of its kind before it."""
    kind = current.name.partition("-")[0]
    others = [path for path in current.parent.glob(f"{kind}-*") if path != current]
    for path in sorted(others, key=lambda path: path.stat().st_mtime)[:-1]:
        process.run(["rm", "-rf", path])


def _build(folder, source):
    python = folder / "bin/python"
    with Step(f"Creating a Python {platform.python_version()} environment"):
        pip = _create(folder, python)
    _install(pip, paths.REQUIREMENTS, "Installing Python packages")
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "odoo-sandbox.pth").write_text(f"{source.python_path}\n", encoding="utf-8")
    process.run(
        [python, "-W", "ignore", "-c", "import odoo.release, psycopg2, lxml, pytest_odoo"],
        log="python-check.log",
        what="The new Python environment does not import Odoo",
        remedy="python3 -m sandbox doctor",
        cwd="/",
    )


def _build_peers(folder):
    pip = _create(folder, folder / "bin/python")
    _install(pip, paths.PEERS, "Installing the peers of the benchmarks")


def _install(pip, requirements, title):
    """Install everything that a requirements file pins; only ready-made packages."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    total = sum(1 for line in lines if re.match(r"[A-Za-z]", line))
    with Step(title) as step:
        seen = set()

        def note(line):
            if found := re.match(r"\s*(?:Collecting|Requirement already satisfied:) (\S+)", line):
                seen.add(found[1])
                step.note(f"{len(seen)} of {max(total, len(seen))} found")
            elif line.startswith("Installing"):
                step.note("unpacking")

        process.run(
            [*pip, "install", "--disable-pip-version-check", "--no-input"]
            + ["--only-binary=:all:", *(f"--no-binary={name}" for name in SOURCE_ONLY)]
            + ["--progress-bar=off", "-r", requirements],
            log="pip.log",
            progress=note,
            what=f"{title} failed",
            remedy="check the network and start again: downloads that are complete are kept. "
            "'No matching distribution' means that this Python has no ready-made package: "
            "run the sandbox with Python 3.11 or 3.12",
            env={**os.environ, "PIP_CACHE_DIR": str(paths.cache_dir() / "pip")},
        )


def _create(folder, python):
    """Make the environment; return the command that runs pip for it.

    Debian's Python lacks ensurepip unless python3-venv is installed: then the running Python's
    own pip serves the environment from outside.
    """
    if importlib.util.find_spec("ensurepip") and _has_ensurepip_wheels():
        process.run([sys.executable, "-m", "venv", folder], log="venv.log")
        return [python, "-m", "pip"]
    if importlib.util.find_spec("pip"):
        process.run([sys.executable, "-m", "venv", "--without-pip", folder], log="venv.log")
        return [sys.executable, "-m", "pip", "--python", python]
    minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not Path(sys.base_prefix) == Path("/usr"):
        raise Problem(
            f"{sys.executable} has neither ensurepip nor pip.",
            "run the sandbox with another Python, e.g. /usr/bin/python3 -m sandbox",
        )
    system.install_packages([f"{minor}-venv"], "A Python environment")
    process.run([sys.executable, "-m", "venv", folder], log="venv.log")
    return [python, "-m", "pip"]


def _has_ensurepip_wheels():
    """Debian ships ensurepip's wheels apart (python3-venv): ask it whether it can work."""
    check = "import ensurepip; ensurepip.version()"
    return process.output([sys.executable, "-c", check]) is not None
