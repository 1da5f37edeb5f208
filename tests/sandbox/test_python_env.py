"""Virtual environments: which ones go, and that the benchmarks' peers are pinned."""

import os
import re

from sandbox import paths, python_env


def test_old_environments_of_the_same_kind_go(tmp_path):
    folders = {}
    for age, name in enumerate(["venv-c", "venv-b", "venv-a", "peers-b", "peers-a"]):
        folder = tmp_path / name
        folder.mkdir()
        os.utime(folder, (1_000_000 - age, 1_000_000 - age))
        folders[name] = folder

    python_env._remove_old(folders["venv-c"])

    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"venv-c", "venv-b", "peers-b", "peers-a"}


def test_peers_are_pinned_and_none_of_them_is_needed_by_an_addon():
    lines = paths.PEERS.read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    peers = ("pandas", "sklearn", "mlxtend", "lifetimes", "rapidfuzz", "implicit")
    imported = re.compile(rf"^\s*(?:import|from) (?:{'|'.join(peers)})\b", re.M)
    for addon in paths.addons():
        for path in (paths.ROOT / addon).rglob("*.py"):
            assert not imported.search(path.read_text(encoding="utf-8")), path
