"""The command line: what it accepts, and how it fails."""

import json

import pytest

from sandbox import cli, core_tests, importing, paths, process, server, testing
from sandbox.ui import Problem


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_up_options():
    arguments = cli.parse(["up", "--detach", "--port", "8100", "--lang", "ru", "--no-demo"])
    assert (arguments.detach, arguments.port, arguments.lang, arguments.demo) == (
        True,
        8100,
        "ru",
        False,
    )
    plain = cli.parse(["up"])
    assert (plain.detach, plain.port, plain.lang, plain.demo) == (False, 8069, None, True)


@pytest.mark.parametrize(
    "argv", [[], ["fly"], ["up", "--port", "0"], ["up", "--port", "70000"], ["up", "--lang", "de"]]
)
def test_wrong_command_lines(argv, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.parse(argv)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_foreign_arguments_are_passed_on():
    assert cli.parse(["test", "-k", "claim", "--pdb"]).rest == ["-k", "claim", "--pdb"]
    assert cli.parse(["psql", "-c", "select 1"]).rest == ["-c", "select 1"]
    with pytest.raises(SystemExit) as caught:
        cli.parse(["test", "--help"])
    assert caught.value.code == 0


def test_problems_end_with_the_remedy(monkeypatch, capsys):
    def fails(arguments):
        raise Problem("No network.", "plug the cable in")

    monkeypatch.setattr(server, "stop", fails)
    assert cli.main(["stop"]) == 1
    assert capsys.readouterr().err.strip() == "No network.\n  To mend it: plug the cable in"


def test_interrupt_is_no_trace(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "stop", interrupted)
    assert cli.main(["stop"]) == 130
    assert "Interrupted" in capsys.readouterr().err


def test_update_refuses_unknown_addons(capsys):
    assert cli.main(["update", "crm_nothing"]) == 1
    assert "crm_extended" in capsys.readouterr().err


def test_pytest_runs_in_parallel_unless_told_otherwise():
    assert testing.pytest_arguments(["-x"], 8) == ["-n", "2", "--dist", "loadgroup", "-x"]
    assert testing.pytest_arguments([], 1)[:2] == ["-n", "1"]
    assert testing.pytest_arguments(["-n", "4"], 8) == ["-n", "4"]
    assert testing.pytest_arguments(["--pdb"], 8) == ["--pdb"]


def test_second_up_finds_the_first(monkeypatch, capsys):
    server.write_state(pid=4711, port=8123)
    monkeypatch.setattr(process, "is_alive", lambda pid, mark=None: pid == 4711)
    assert cli.main(["up"]) == 0
    assert "http://localhost:8123" in capsys.readouterr().out
    with pytest.raises(Problem):
        server.refuse_while_up("reset")


def test_foreign_process_of_the_same_number_is_not_ours():
    import os

    server.write_state(pid=os.getpid(), port=8123)
    assert server.running_server() is None


def test_broken_state_file_is_no_state():
    server.state_path().write_text("{")
    assert server.read_state() == {}
    server.write_state(port=1)
    assert json.loads(server.state_path().read_text()) == {"port": 1}


def test_each_checkout_has_its_own_database(monkeypatch, tmp_path):
    here = server.database_name()
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    assert server.database_name() != here


def test_import_options():
    assert importing.parse_pairs(["a=1", "b = x=y"], "Option") == {"a": "1", "b": "x=y"}
    with pytest.raises(Problem):
        importing.parse_pairs(["a"], "Option")
    assert cli.main(["import", "/nowhere/sales.csv"]) == 1


def test_core_tests_compare():
    before = {"a": ("passed", ""), "b": ("failed", "x"), "c": ("passed", ""), "d": ("failed", "")}
    after = {"a": ("failed", "boom"), "b": ("passed", ""), "c": ("passed", ""), "d": ("failed", "")}
    broken, mended, other = core_tests.compare(before, after)
    assert broken == [("a", "passed", "failed", "boom")]
    assert [test for test, *_rest in mended] == ["b"]
    assert other == []
    assert core_tests.report(before, after) == 1
    assert core_tests.report(before, before) == 0


def test_core_tests_read_results(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text(
        "<testsuites><testsuite>"
        '<testcase classname="A" name="ok"/>'
        '<testcase classname="A" name="bad"><failure message="1 != 2&#10;more"/></testcase>'
        '<testcase classname="A" name="no"><skipped message="why"/></testcase>'
        "</testsuite></testsuites>"
    )
    assert core_tests.read_results(path) == {
        "A.ok": ("passed", ""),
        "A.bad": ("failed", "1 != 2"),
        "A.no": ("skipped", "why"),
    }
