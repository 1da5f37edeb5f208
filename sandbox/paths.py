"""Where things are kept: all that can be rebuilt lies in the cache, nothing in the checkout."""

import ast
import hashlib
import os
from pathlib import Path

APPLICATION = "crm-suite-odoo19"
ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
PEERS = ROOT / "tests" / "benchmarks" / "requirements.txt"


def cache_dir():
    """The cache shared by all checkouts of this user: ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME")
    base = Path(base) if base and os.path.isabs(base) else Path.home() / ".cache"
    path = base / APPLICATION
    path.mkdir(parents=True, exist_ok=True)
    return path


def checkout_key():
    """Short name of this checkout, different for each clone on the machine."""
    return hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]


def checkout_dir():
    """State of this checkout: its server's configuration, log and process number."""
    path = cache_dir() / "checkouts" / checkout_key()
    path.mkdir(parents=True, exist_ok=True)
    return path


def logs_dir():
    path = cache_dir() / "logs"
    path.mkdir(exist_ok=True)
    return path


def data_dir():
    """Odoo's data directory: file stores of all databases of one server, sessions."""
    names = ("PGHOST", "PGPORT", "PGSERVICE")
    server = "|".join(os.environ.get(name, "") for name in names)
    suffix = f"-{hashlib.sha256(server.encode()).hexdigest()[:8]}" if server.strip("|") else ""
    path = cache_dir() / f"data{suffix}"
    path.mkdir(exist_ok=True)
    return path


def addons():
    """Names of the add-ons of this checkout that a company chooses to install."""
    return [name for name in _folders() if not read_manifest(name).get("auto_install")]


def bridges():
    """Names of the add-ons that install themselves beside optional apps of Odoo's."""
    return [name for name in _folders() if read_manifest(name).get("auto_install")]


def read_manifest(addon):
    return ast.literal_eval((ROOT / addon / "__manifest__.py").read_text(encoding="utf-8"))


def _folders():
    return sorted(path.parent.name for path in ROOT.glob("*/__manifest__.py"))
