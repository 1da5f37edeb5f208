"""The machine: its distribution's packages, network ports and disk space."""

import os
import shutil
import socket

from . import process
from .ui import Problem, Step, confirm, is_ci, warn

GIB = 1024**3


def is_root():
    return os.geteuid() == 0


def os_release():
    """``/etc/os-release`` as a dict; empty where there is none."""
    values = {}
    try:
        with open("/etc/os-release", encoding="utf-8") as handle:
            for line in handle:
                name, _, value = line.strip().partition("=")
                values[name] = value.strip('"')
    except OSError:
        pass
    return values


def install_command(packages):
    """The command a user would type to install distribution packages."""
    sudo = "" if is_root() else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y {' '.join(packages)}"


def install_packages(packages, why):
    """Install distribution packages: as root at once, else after asking, by sudo.

    :raise Problem: no apt, nobody agreed, or the installation failed.
    """
    packages = list(packages)
    remedy = install_command(packages)
    if not shutil.which("apt-get"):
        raise Problem(
            f"{why} needs {', '.join(packages)}, and this system has no apt-get.",
            "install them with the system's own package manager and start again",
        )
    prefix = []
    if not is_root():
        question = f"{why} needs the packages {' '.join(packages)}. Install them with sudo?"
        if not shutil.which("sudo") or not confirm(question):
            raise Problem(f"{why} needs the packages {' '.join(packages)}.", remedy)
        prefix = ["sudo", "-n"] if is_ci() else ["sudo"]
        process.run([*prefix, "true"], what="sudo refused", remedy=remedy)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with Step(f"Installing {' '.join(packages)}"):
        process.run(
            [*prefix, "apt-get", "update"],
            log="apt-update.log",
            check=False,
            env=environment,
        )
        process.run(
            [*prefix, "apt-get", "install", "-y", "--no-install-recommends", *packages],
            log="apt-install.log",
            what=f"Installing {' '.join(packages)} failed",
            remedy=f"check the network, then: {remedy}",
            env=environment,
        )


def require_port(port):
    """Refuse a port that somebody listens on already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise Problem(
                f"Port {port} is reserved for the system's administrator.",
                "python3 -m sandbox up --port 8069",
            ) from error
        except OSError as error:
            raise Problem(
                f"Port {port} is taken by another program.",
                f"choose another one: python3 -m sandbox up --port {free_port()}",
            ) from error


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def require_space(folder, gib, what):
    """Refuse to start a step that needs more disk space than is left."""
    free = shutil.disk_usage(folder).free / GIB
    if free < gib:
        raise Problem(
            f"{what} needs {gib} GiB of disk space, {folder} has {free:.1f}.",
            "free some space, or put the cache elsewhere: export XDG_CACHE_HOME=/path/with/space",
        )


def browser():
    """Path of the browser that Odoo's browser tests would use, or None."""
    names = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
    return next((found for found in map(shutil.which, names) if found), None)


def require_test_tools():
    """Browser and PDF printer for the tests: in CI they must be there, elsewhere a warning."""
    missing = []
    if not browser():
        missing.append("chromium")
    if not shutil.which("wkhtmltopdf"):
        missing.append("wkhtmltopdf")
    if not missing:
        return
    missing.append("fonts-dejavu-core")
    try:
        install_packages(missing, "The tests of screens and printed documents")
    except Problem as problem:
        if is_ci():
            raise
        warn(f"{problem}\n  Without them the browser tests are skipped.")
