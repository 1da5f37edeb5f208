"""Where Odoo 19 comes from.

The first that is available wins: the checkout named by ``ODOO_SOURCE``, an importable ``odoo``,
Debian's package through this machine's own mirror, a shallow clone of Odoo's repository.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import cache, paths, process, system
from .ui import Problem, Step, say

SERIES = "19.0"
REPOSITORY = "https://github.com/odoo/odoo"
PACKAGE = "odoo-19"
# Assets that Debian's package links to instead of shipping them.
ASSET_PACKAGES = (
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-font-awesome",
    "fonts-inconsolata",
    "fonts-roboto-unhinted",
    "fonts-ocr-b",
    "fonts-glyphicons-halflings",
)
OPTIONAL_PACKAGES = ("fonts-montserrat",)  # not in every release; a document layout's font
# Only these releases have Font Awesome 4.7 under the file names that Odoo loads.
ASSET_RELEASES = ("bookworm", "trixie")
# Referred to by the package, not shipped: the browser logs an error for each missing file.
EMPTY_ASSETS = ("mail/static/lib/selfie_segmentation/selfie_segmentation.js",)
# What a sandbox never opens: other countries' accounting, languages besides English and Russian.
LEFT_OUT = (
    "*/odoo/addons/l10n_*",
    "*/i18n/[!r]*",
    "*/i18n/r[!u]*",
    "*/i18n_extra/*",
    "*/usr/share/doc/*",
    "*/dist-packages/addons",  # the Python files of odoo/addons once more, without their data
)
RECIPE = "1"  # raise it when the way of unpacking changes


class Unavailable(Exception):
    """This source cannot serve here; the next one is tried. The text says why."""


@dataclass(frozen=True)
class OdooSource:
    """An Odoo ready to run.

    ``kind`` says where it is from, ``key`` identifies its content, ``python_path`` makes
    ``import odoo`` work, ``addons`` are the folders of its add-ons.
    """

    kind: str
    key: str
    python_path: Path
    addons: tuple


def get_odoo():
    """Return the :class:`OdooSource` of this machine, fetching it if need be."""
    reasons = []
    for candidate in (from_environment, from_import, from_debian, from_git):
        try:
            return candidate()
        except Unavailable as reason:
            reasons.append(str(reason))
    raise Problem(
        "Odoo 19 could not be had:" + "".join(f"\n    {reason}" for reason in reasons),
        f"check the network, or name a checkout: export ODOO_SOURCE=/path/to/odoo-{SERIES}",
    )


def read_series(package):
    """Series (``19.0``) of the ``odoo`` package in a folder, or None if there is none."""
    try:
        text = (Path(package) / "release.py").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^version_info\s*=\s*\((\d+),\s*(\d+)", text, re.M)
    return f"{found[1]}.{found[2]}" if found else None


def from_environment():
    """The checkout named by ``ODOO_SOURCE``."""
    named = os.environ.get("ODOO_SOURCE")
    if not named:
        raise Unavailable("ODOO_SOURCE is not set")
    root = Path(named).expanduser().resolve()
    series = read_series(root / "odoo")
    if series != SERIES:
        found = f"holds Odoo {series}" if series else "holds no Odoo (no odoo/release.py)"
        raise Problem(
            f"ODOO_SOURCE={named} {found}; the suite needs {SERIES}.",
            f"git clone --depth 1 --branch {SERIES} {REPOSITORY}, and point ODOO_SOURCE to it",
        )
    return _describe("ODOO_SOURCE", root)


def from_import():
    """An ``odoo`` that this Python can import."""
    try:
        spec = importlib.util.find_spec("odoo.release")
    except (ImportError, AttributeError, ValueError):
        spec = None
    if spec is None or not spec.origin:
        raise Unavailable("this Python has no importable odoo")
    package = Path(spec.origin).resolve().parent
    series = read_series(package)
    if series != SERIES:
        raise Unavailable(f"the importable odoo is {series}")
    return _describe("importable odoo", package.parent)


def from_debian():
    """Debian's package, unpacked into the cache; nothing is installed in the system."""
    root = paths.cache_dir() / "odoo-debian"
    key = cache.digest(PACKAGE, RECIPE, *LEFT_OUT)
    if cache.read_stamp(root) != key:
        for program in ("apt-get", "dpkg-deb", "tar"):
            if not shutil.which(program):
                raise Unavailable(f"Debian's package: no {program} here")
        system.require_space(paths.cache_dir(), 2, "Unpacking Odoo")
        cache.install(root, key, _build_from_debian)
    return _describe("Debian's package", root / "usr/lib/python3/dist-packages", key)


def from_git():
    """A shallow clone of Odoo's repository."""
    root = paths.cache_dir() / "odoo-git"
    if cache.read_stamp(root) != SERIES:
        if not shutil.which("git"):
            raise Unavailable("git clone: no git here")
        system.require_space(paths.cache_dir(), 3, "Cloning Odoo")
        cache.install(root, SERIES, _clone)
    return _describe("git clone", root)


def _clone(work):
    with Step(f"Cloning Odoo {SERIES} (about 300 MB)") as step:
        try:
            process.run(
                ["git", "clone", "--progress", "--depth", "1", "--branch", SERIES]
                + [REPOSITORY, work],
                log="odoo-clone.log",
                progress=lambda line: step.note(line.rpartition("\r")[2].strip()[:60]),
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            )
        except Problem as problem:
            raise Unavailable(f"git clone: {problem.what}") from problem


def _describe(kind, root, key=None):
    """OdooSource of a folder that holds the ``odoo`` package."""
    if key is None:
        head = process.output(["git", "-C", root, "rev-parse", "HEAD"])
        key = cache.digest(root, head or (root / "odoo/release.py").read_bytes())
    addons = [root / "odoo/addons"]
    if not (addons[0] / "web").is_dir():
        addons.append(root / "addons")  # a git checkout keeps all but `base` there
    return OdooSource(kind, key, root, tuple(addons))


# Debian's package


def read_mirror():
    """Address and key ring of the Debian mirror that this machine's apt is set up with.

    :return: ``(address, key ring path or None, code name of the release)``
    """
    release = system.os_release()
    if release.get("ID") != "debian":
        raise Unavailable("Debian's package: this system is not Debian")
    listed = process.output(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)"]
        + ["Created-By: Packages"]
    )
    own = release.get("VERSION_CODENAME") or "sid"
    return choose_mirror((listed or "").splitlines(), own)


def choose_mirror(lines, own):
    """Pick the main archive out of apt's list of index files (see :func:`read_mirror`)."""
    for line in lines:
        address, release, component, signed_by = line.split("|")
        if component == "main" and not re.search(r"security|updates|backports", release):
            keyring = signed_by if signed_by.startswith("/") else None
            return address, keyring, own
    raise Unavailable("Debian's package: apt has no Debian mirror configured")


def _apt(folder):
    """apt-get with a state of its own, so that the system's lists and sources stay untouched."""
    options = {
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Retries": "3",
        "Acquire::Languages": "none",
    }
    return ["apt-get", *(part for name in options for part in ("-o", f"{name}={options[name]}"))]


def _prepare_apt(folder):
    """Write the sources of our own apt state and fetch their lists.

    :return: the release that the asset packages are taken from
    """
    address, keyring, own = read_mirror()
    assets = own if own in ASSET_RELEASES else ASSET_RELEASES[-1]
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    if keyring is None:
        default = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
        keyring = default if default.exists() else None
    signed = f"[signed-by={keyring}] " if keyring else ""
    cache.write_file(
        folder / "sources.list",
        "".join(f"deb {signed}{address} {suite} main\n" for suite in (assets, "sid")),
    )
    try:
        process.run(
            [*_apt(folder), "-o", "APT::Update::Error-Mode=any", "update"],
            log="odoo-apt-update.log",
            what="apt could not read the lists of the mirror",
        )
    except Problem as problem:
        raise Unavailable(f"Debian's package: {problem.what}") from problem
    return assets


def _download(folder, names, what, progress=None):
    """Fetch packages; apt continues a partial file and checks every hash."""
    downloads = folder / "downloads"
    downloads.mkdir(exist_ok=True)
    process.run(
        [*_apt(folder), "download", *names],
        log="odoo-apt-download.log",
        what=f"{what} could not be downloaded",
        remedy="check the network and start again: what is there already is kept",
        cwd=downloads,
        progress=progress,
    )


def _build_from_debian(work):
    folder = paths.cache_dir() / "apt"
    folder.mkdir(exist_ok=True)
    with Step("Reading the package lists of the Debian mirror"):
        assets = _prepare_apt(folder)
    with Step("Downloading Odoo 19 from the Debian mirror (123 MB)"):
        try:
            _download(folder, [f"{PACKAGE}/sid"], "Odoo's package")
        except Problem as problem:
            raise Unavailable(f"Debian's package: {problem}") from problem
        _download(folder, [f"{name}/{assets}" for name in ASSET_PACKAGES], "Odoo's assets")
        for name in OPTIONAL_PACKAGES:
            try:
                _download(folder, [f"{name}/sid"], name)
            except Problem:
                say(f"  {name} is not to be had; documents use another font")
    with Step("Unpacking Odoo") as step:
        for package, archive in newest_archives(folder / "downloads").items():
            step.note(package)
            _unpack(archive, work)
    for name in EMPTY_ASSETS:
        asset = work / "usr/lib/python3/dist-packages/odoo/addons" / name
        asset.parent.mkdir(parents=True, exist_ok=True)
        asset.touch()
    shutil.rmtree(folder / "downloads")


def newest_archives(downloads):
    """Package files by name; an interrupted set-up may have left an older version behind."""
    archives = sorted(downloads.glob("*.deb"), key=lambda path: path.stat().st_mtime)
    return {path.name.partition("_")[0]: path for path in archives}


def _unpack(archive, work):
    excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE
    ) as source:
        unpacked = subprocess.run(
            ["tar", "-x", "--no-same-owner", "-C", str(work), *excluded],
            stdin=source.stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    if unpacked.returncode or source.returncode:
        if "No space left" in unpacked.stderr:
            raise cache.disk_problem(OSError(28, "No space left on device"), work)
        raise Problem(
            f"{archive.name} could not be unpacked: {unpacked.stderr.strip()[-300:]}",
            f"remove {archive.parent} and start again",
        )
