"""Configuration files, keys of templates, and copies of file stores."""

import itertools
from types import SimpleNamespace

import pytest

from sandbox import database, paths, postgres


def test_config_leaves_out_what_is_not_set():
    text = database.render_config(
        {
            "db_host": False,
            "db_user": "odoo",
            "addons_path": ["/a", "/b"],
            "workers": "0",
            "x": None,
        }
    )
    assert text == "[options]\naddons_path = /a,/b\ndb_user = odoo\nworkers = 0\n"


def test_config_refuses_a_second_line():
    with pytest.raises(ValueError, match="db_password"):
        database.render_config({"db_password": "x\nadmin_passwd = y"})


def test_dependencies_are_odoos_modules_only():
    needed = database.dependencies()
    assert "sale_crm" in needed
    assert not set(needed) & set(paths.addons())


def test_base_key_follows_what_it_is_made_of(monkeypatch):
    def key(source="odoo", dependencies=("crm",)):
        monkeypatch.setattr(database, "dependencies", lambda: list(dependencies))
        databases = database.Databases(SimpleNamespace(key=source), None, None)
        return databases.base_key()

    keys = [key(), key(source="other"), key(dependencies=("crm", "sale"))]
    assert all(one != other for one, other in itertools.combinations(keys, 2))
    assert key() == keys[0]


def test_odoo_command_puts_the_configuration_after_the_words(tmp_path):
    databases = database.Databases(None, tmp_path / "python", None)
    command = databases.command("x.conf", "i18n", "export", "-d", "db", "crm")
    assert command[1:] == ["-m", "odoo", "i18n", "export", "-c", "x.conf", "-d", "db", "crm"]
    assert databases.command("x.conf", "-d", "db")[3:] == ["-c", "x.conf", "-d", "db"]


def test_filestore_is_copied_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stored = database.filestore("origin") / "ab/abcd"
    stored.parent.mkdir(parents=True)
    stored.write_text("content")
    database.copy_filestore("origin", "copy")
    assert (database.filestore("copy") / "ab/abcd").read_text() == "content"
    database.copy_filestore("nothing", "empty")
    assert list(database.filestore("empty").iterdir()) == []


def test_identifiers_are_quoted():
    assert postgres.quote('a"b') == '"a""b"'


def test_server_options_for_odoo():
    server = postgres.Server({"PGHOST": "/tmp/socket", "PGPORT": "5432", "PGUSER": "odoo"})
    assert server.options == {
        "db_host": "/tmp/socket",
        "db_port": "5432",
        "db_user": "odoo",
        "db_password": False,
    }


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("could not extend file: No space left on device", "free some space"),
        ("connection to server failed", "PGHOST"),
        ("permission denied to create database", "CREATEDB"),
    ],
)
def test_postgres_failures_name_their_remedy(message, remedy):
    assert remedy in postgres.Server({"PGUSER": "odoo"}).remedy(message)


def test_named_server_is_preferred(monkeypatch):
    for name in ("PGHOST", "PGPORT", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    assert not postgres.is_named()
    monkeypatch.setenv("PGHOST", "db.test")
    assert postgres.is_named()


def test_postgres_user_is_refused_with_a_remedy(monkeypatch):
    monkeypatch.setenv("PGHOST", "db.test")
    monkeypatch.setenv("PGUSER", "postgres")
    with pytest.raises(postgres.Problem) as caught, postgres.running():
        pass
    assert "CREATE ROLE" in caught.value.remedy
