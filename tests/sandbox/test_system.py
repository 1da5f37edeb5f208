"""Ports, disk space, packages, and what the user is told about them."""

import shutil
import socket

import pytest

from sandbox import process, system, ui
from sandbox.ui import Problem


def test_taken_port_names_a_free_one():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(Problem) as caught:
            system.require_port(port)
    assert str(port) in caught.value.what
    assert "--port" in caught.value.remedy
    system.require_port(port)


def test_missing_disk_space_is_refused(tmp_path):
    system.require_space(tmp_path, 0, "Nothing")
    with pytest.raises(Problem) as caught:
        system.require_space(tmp_path, 10**9, "The moon")
    assert "The moon needs" in caught.value.what
    assert "XDG_CACHE_HOME" in caught.value.remedy


def test_packages_are_not_installed_unasked(monkeypatch):
    """An ordinary user with nobody at the terminal gets the command, not a sudo prompt."""
    monkeypatch.setattr(system, "is_root", lambda: False)
    monkeypatch.setattr(system, "confirm", lambda question: False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(process, "run", lambda *args, **options: pytest.fail("ran a command"))
    with pytest.raises(Problem) as caught:
        system.install_packages(["chromium"], "The browser tests")
    assert "sudo apt-get install -y chromium" in caught.value.remedy


def test_root_installs_at_once(monkeypatch):
    commands = []
    monkeypatch.setattr(system, "is_root", lambda: True)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(process, "run", lambda command, **options: commands.append(command))
    system.install_packages(["chromium"], "The browser tests")
    assert [command[:2] for command in commands] == [["apt-get", "update"], ["apt-get", "install"]]
    assert commands[1][-1] == "chromium"


def test_no_browser_fails_in_ci_and_warns_elsewhere(monkeypatch, capsys):
    def refuse(packages, why):
        raise Problem("no network", "mend it")

    monkeypatch.setattr(system, "browser", lambda: None)
    monkeypatch.setattr(system, "install_packages", refuse)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(Problem):
        system.require_test_tools()
    monkeypatch.setattr(system, "is_ci", lambda: False)
    system.require_test_tools()
    assert "browser tests are skipped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", False), ("0", False), ("false", False), ("true", True), ("1", True)],
)
def test_ci(monkeypatch, value, expected):
    monkeypatch.setenv("CI", value)
    assert ui.is_ci() is expected


def test_failure_shows_the_end_of_the_log_and_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(Problem) as caught:
        process.run(
            ["sh", "-c", "echo first; echo broken pipe; exit 3"], log="x.log", remedy="try again"
        )
    text = str(caught.value)
    assert "broken pipe" in text
    assert "exit status 3" in text
    assert "x.log" in text
    assert text.endswith("To mend it: try again")


def test_missing_program_is_a_problem():
    with pytest.raises(Problem) as caught:
        process.run(["/nowhere/program"], remedy="install it")
    assert "missing" in caught.value.what


def test_progress_reads_every_line(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lines = []
    process.run(["sh", "-c", "echo a; echo b >&2"], log="x.log", progress=lines.append)
    assert sorted(lines) == ["a\n", "b\n"]


def test_elapsed():
    assert ui.elapsed(4.4) == "4 s"
    assert ui.elapsed(75.2) == "1 min 15 s"


def test_table_aligns():
    assert ui.table([("Manager", "m")], header=["Role", "Login"]).splitlines() == [
        "  Role     Login",
        "  -------  -----",
        "  Manager  m",
    ]
