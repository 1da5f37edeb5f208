"""The checkout itself: manifests, nothing of a machine in it. Reads files, needs no database."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ADDONS = sorted(path.parent.name for path in ROOT.glob("*/__manifest__.py"))
DATA_FOLDERS = ("security", "data", "views", "wizard", "report", "demo")
# Hosts of package registries and paths of one machine have no place in a repository.
FOREIGN = re.compile(
    r"deb\.[d]ebian\.org|[p]ypi\.org|files\.[p]ythonhosted|registry\.[n]pmjs"
    r"|(?<![\w.~$}])/(?:root|opt|work|home)/[a-z]"
)


def read_manifest(addon):
    return ast.literal_eval((ROOT / addon / "__manifest__.py").read_text(encoding="utf-8"))


def tracked_files():
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name]


@pytest.mark.parametrize("addon", ADDONS)
def test_manifest_lists_every_data_file(addon):
    manifest = read_manifest(addon)
    listed = [*manifest.get("data", []), *manifest.get("demo", [])]
    present = {
        path.relative_to(ROOT / addon).as_posix()
        for folder in DATA_FOLDERS
        for suffix in ("xml", "csv")
        for path in (ROOT / addon / folder).rglob(f"*.{suffix}")
    }
    assert present - set(listed) == set(), "files that no manifest loads"
    assert set(listed) - present == set(), "files that do not exist"
    assert len(listed) == len(set(listed)), "files listed twice"


@pytest.mark.parametrize("addon", ADDONS)
def test_manifest_says_what_it_is(addon):
    manifest = read_manifest(addon)
    assert manifest["version"].startswith("19.0.")
    assert manifest["license"] == "LGPL-3"
    assert manifest["depends"]
    assert (ROOT / addon / "static/description/icon.png").exists()


def test_addons_depend_in_one_direction():
    """crm_portal sees all, crm_claims and crm_scoring see crm_extended, nobody looks back."""
    order = ["crm_extended", "crm_scoring", "crm_claims", "crm_portal"]
    bridges = [addon for addon in ADDONS if read_manifest(addon).get("auto_install")]
    assert sorted([*order, *bridges]) == ADDONS
    for position, addon in enumerate(order):
        ours = set(read_manifest(addon)["depends"]) & set(order)
        assert ours <= set(order[:position]), addon


def test_requirements_are_pinned():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    requirements = [line for line in lines if line and not line.startswith("#")]
    pinned = re.compile(r'[\w.\-]+==[\w.]+(; python_version (<|>=) "3\.\d+")?$')
    assert [line for line in requirements if not pinned.match(line)] == []
    names = [line.partition(";")[0].lower() for line in requirements]
    assert len(names) == len(set(names))


def test_nothing_of_a_machine_in_the_tree():
    found = []
    for path in tracked_files():
        if path == Path(__file__) or path.suffix in (".png", ".jpg", ".xlsx", ".po", ".pot"):
            continue
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        for number, line in enumerate(text.splitlines(), 1):
            if FOREIGN.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_no_conflict_marks_or_loose_ends():
    """What is left open is an issue, not a word in the code."""
    loose = re.compile(r"\b(TODO|FIXME|XXX)\b|^(<{7} |>{7} |={7}$)")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_files()
        if path.suffix in (".py", ".xml", ".js", ".scss") and path != Path(__file__)
        if path.is_file()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if loose.search(line)
    ]
    assert found == []
