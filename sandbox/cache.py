"""Keys, locks, and installs that are either complete or absent.

An install is trusted only if its stamp file holds the expected key. The stamp is written last,
after everything else reached the disk, so an interrupted set-up starts that step again.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from pathlib import Path

from .ui import Problem, say

STAMP = ".sandbox-stamp"


def digest(*parts, length=12):
    """Key of any parts: equal parts in equal order give an equal key."""
    joined = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        joined.update(len(data).to_bytes(8, "big") + data)
    return joined.hexdigest()[:length]


def tree_digest(folder, skip=("__pycache__", "tests"), length=12):
    """Key of all files under ``folder`` by relative path and content."""
    parts = []
    for path in sorted(Path(folder).rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and path.suffix != ".pyc" and not set(relative.parts) & set(skip):
            parts += [relative.as_posix(), path.read_bytes()]
    return digest(*parts, length=length)


def read_stamp(folder):
    try:
        return (Path(folder) / STAMP).read_text()
    except OSError:
        return None


def write_file(path, text, mode=0o644):
    """Replace a file in one step: readers see the old text or the new one, never a part."""
    path = Path(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(partial, path)


def install(destination, key, build, movable=True):
    """Make ``destination`` hold what ``build(folder)`` makes for ``key``.

    Built beside its place and renamed; with ``movable=False`` (a virtual environment knows its
    own path) built in place, where the missing stamp marks it as unfinished.

    :return: True if it was built now, False if it was complete already.
    """
    destination = Path(destination)
    if read_stamp(destination) == key:
        return False
    destination.parent.mkdir(parents=True, exist_ok=True)
    work = destination.with_name(f".{destination.name}.building") if movable else destination
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        build(work)
    except OSError as error:
        raise disk_problem(error, destination) from error
    os.sync()
    write_file(work / STAMP, key)
    if movable:
        shutil.rmtree(destination, ignore_errors=True)
        os.rename(work, destination)
    return True


def disk_problem(error, path):
    """The Problem to raise for an operating system error while writing under ``path``."""
    if error.errno in (28, 122):  # ENOSPC, EDQUOT
        return Problem(
            f"No space is left on the disk of {path}.",
            "free some space, or put the cache elsewhere: export XDG_CACHE_HOME=/path/with/space",
        )
    return Problem(f"Cannot write {path}: {error}", f"check the rights of {Path(path).parent}")


@contextlib.contextmanager
def lock(path, waiting=None):
    """Hold an exclusive lock on a file; tell the user once when somebody else has it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            owner = handle.read().strip()
            if waiting:
                say(f"Waiting for {waiting}" + (f" (process {owner})" if owner else ""))
            fcntl.flock(handle, fcntl.LOCK_EX)
        handle.seek(0)
        handle.truncate()
        handle.write(str(os.getpid()))
        handle.flush()
        try:
            yield
        finally:
            handle.seek(0)
            handle.truncate()
