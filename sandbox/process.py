"""Running other programs: output to a log, progress from it, and a readable failure."""

import os
import subprocess
import time

from . import paths
from .ui import Problem

TAIL = 15  # lines of a log shown with a failure


def run(command, *, log=None, progress=None, remedy=None, what=None, check=True, **options):
    """Run a command and return its exit status.

    :param log: name of a file in the log folder that takes the output; without it the output
        goes where ours goes.
    :param progress: called with each line of output (needs ``log``).
    :param what: first words of the failure's message; the command's name if absent.
    :raise Problem: the command is missing, or failed while ``check`` is set.
    """
    command = [str(part) for part in command]
    what = what or f"{os.path.basename(command[0])} failed"
    try:
        if log is None:
            status = subprocess.run(command, check=False, **options).returncode
            tail = []
        else:
            status, tail = _run_logged(command, paths.logs_dir() / log, progress, options)
    except FileNotFoundError as error:
        raise Problem(f"The program {error.filename} is missing.", remedy) from error
    if status and check:
        shown = "".join(f"\n    {line}" for line in tail[-TAIL:])
        where = f"\n  Full log: {paths.logs_dir() / log}" if log else ""
        raise Problem(f"{what} (exit status {status}).{shown}{where}", remedy)
    return status


def _run_logged(command, path, progress, options):
    tail = []
    with (
        open(path, "w", encoding="utf-8") as out,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            **options,
        ) as child,
    ):
        out.write(f"$ {' '.join(command)}\n")
        try:
            for line in child.stdout:
                out.write(line)
                tail = [*tail[-TAIL * 2 :], line.rstrip()]
                if progress:
                    progress(line)
        except BaseException:
            stop(child)
            raise
    return child.returncode, tail


def output(command, **options):
    """Standard output of a command, or None if it is missing or fails."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def stop(child, patience=20):
    """End a child process: ask, wait, then kill."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def is_alive(pid, mark=None):
    """Does the process run, and (on Linux) does its command line contain ``mark``?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return mark is None
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as handle:
            if handle.read().rpartition(")")[2].split()[0] == "Z":
                return False
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as handle:
            return mark is None or mark in handle.read()
    except OSError:
        return True


def wait_for(condition, seconds, interval=0.2):
    """Poll a condition until it holds or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(interval)
    return bool(condition())
