"""Keys, locks and installs that are either complete or absent."""

import errno
import fcntl
import os

import pytest

from sandbox import cache
from sandbox.ui import Problem


def test_digest_separates_parts():
    assert cache.digest("ab", "c") != cache.digest("a", "bc")
    assert cache.digest("a", "b") == cache.digest("a", "b")
    assert cache.digest(b"a") == cache.digest("a")


def test_tree_digest_sees_content_and_names_but_not_tests(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/a.py").write_text("1")
    before = cache.tree_digest(tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_text("x")
    (tmp_path / "models/__pycache__").mkdir()
    (tmp_path / "models/__pycache__/a.pyc").write_text("x")
    assert cache.tree_digest(tmp_path) == before
    (tmp_path / "models/a.py").write_text("2")
    changed = cache.tree_digest(tmp_path)
    assert changed != before
    (tmp_path / "models/a.py").rename(tmp_path / "models/b.py")
    assert cache.tree_digest(tmp_path) not in (before, changed)


def test_install_builds_once(tmp_path):
    built = []

    def build(folder):
        built.append(folder)
        (folder / "file").write_text("content")

    target = tmp_path / "target"
    assert cache.install(target, "key", build)
    assert not cache.install(target, "key", build)
    assert len(built) == 1
    assert (target / "file").read_text() == "content"
    assert cache.install(target, "other key", build)
    assert cache.read_stamp(target) == "other key"


@pytest.mark.parametrize("movable", [True, False])
def test_interrupted_install_is_not_trusted(tmp_path, movable):
    target = tmp_path / "target"

    def interrupted(folder):
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.install(target, "key", interrupted, movable=movable)
    assert cache.read_stamp(target) is None

    def whole(folder):
        assert not (folder / "half").exists(), "leftovers of the interrupted build"
        (folder / "whole").write_text("whole")

    assert cache.install(target, "key", whole, movable=movable)
    assert sorted(path.name for path in target.iterdir()) == [cache.STAMP, "whole"]


def test_failed_rebuild_keeps_the_old_install(tmp_path):
    target = tmp_path / "target"
    cache.install(target, "old", lambda folder: (folder / "file").write_text("old"))

    def fails(folder):
        raise Problem("no network")

    with pytest.raises(Problem):
        cache.install(target, "new", fails)
    assert cache.read_stamp(target) == "old"
    assert (target / "file").read_text() == "old"


def test_full_disk_names_the_remedy(tmp_path):
    def fails(folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Problem) as caught:
        cache.install(tmp_path / "target", "key", fails)
    assert "No space" in str(caught.value)
    assert "XDG_CACHE_HOME" in caught.value.remedy


def test_write_file_replaces_in_one_step(tmp_path):
    path = tmp_path / "file"
    cache.write_file(path, "secret", mode=0o600)
    assert path.stat().st_mode & 0o777 == 0o600
    cache.write_file(path, "new")
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_lock_keeps_others_out(tmp_path):
    path = tmp_path / "folder/lock"
    with cache.lock(path):
        assert path.read_text() == str(os.getpid())
        with open(path, "a", encoding="utf-8") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with open(path, "a", encoding="utf-8") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
