"""Choosing where Odoo comes from."""

import os

import pytest

from sandbox import odoo_source
from sandbox.odoo_source import Unavailable
from sandbox.ui import Problem

LINES = [
    "http://mirror.test/debian-security/|bookworm-security|main|",
    "http://mirror.test/debian/|bookworm-updates|main|",
    "http://mirror.test/debian/|bookworm|contrib|",
    "http://mirror.test/debian/|bookworm|main|/usr/share/keyrings/keys.gpg",
]


def make_odoo(folder, series=(19, 0)):
    (folder / "odoo/addons/base").mkdir(parents=True)
    (folder / "addons/crm").mkdir(parents=True)
    (folder / "odoo/release.py").write_text(
        f"name = 'odoo'\nversion_info = ({series[0]}, {series[1]}, 0, 'final', 0, '')\n"
    )
    for name in ("odoo/addons/base", "addons/crm"):
        (folder / name / "__manifest__.py").write_text("{}")


def test_main_archive_is_chosen():
    assert odoo_source.choose_mirror(LINES, "bookworm") == (
        "http://mirror.test/debian/",
        "/usr/share/keyrings/keys.gpg",
        "bookworm",
    )


def test_no_main_archive():
    with pytest.raises(Unavailable):
        odoo_source.choose_mirror(LINES[:3], "bookworm")


def test_unexpanded_key_ring_is_ignored():
    line = "http://mirror.test/debian/|bookworm|main|$(SIGNED_BY)"
    assert odoo_source.choose_mirror([line], "bookworm")[1] is None


def test_named_checkout(tmp_path, monkeypatch):
    make_odoo(tmp_path)
    monkeypatch.setenv("ODOO_SOURCE", str(tmp_path))
    source = odoo_source.get_odoo()
    assert source.kind == "ODOO_SOURCE"
    assert source.python_path == tmp_path
    assert source.addons == (tmp_path / "odoo/addons", tmp_path / "addons")


@pytest.mark.parametrize("series", [(18, 0), None])
def test_wrong_checkout_is_refused_with_a_remedy(tmp_path, monkeypatch, series):
    if series:
        make_odoo(tmp_path, series)
    monkeypatch.setenv("ODOO_SOURCE", str(tmp_path))
    with pytest.raises(Problem) as caught:
        odoo_source.get_odoo()
    assert str(tmp_path) in caught.value.what
    assert "git clone" in caught.value.remedy


def test_sources_are_tried_in_order(monkeypatch):
    tried = []

    def unavailable(name):
        def source():
            tried.append(name)
            raise Unavailable(f"{name}: no network")

        return source

    for name in ("from_environment", "from_import", "from_debian", "from_git"):
        monkeypatch.setattr(odoo_source, name, unavailable(name))
    with pytest.raises(Problem) as caught:
        odoo_source.get_odoo()
    assert tried == ["from_environment", "from_import", "from_debian", "from_git"]
    assert "from_debian: no network" in caught.value.what
    assert "ODOO_SOURCE" in caught.value.remedy


def test_package_has_all_addons_in_one_folder(tmp_path):
    """Debian's package has a second, incomplete folder ``addons`` that must not be used."""
    make_odoo(tmp_path)
    (tmp_path / "odoo/addons/web").mkdir()
    source = odoo_source._describe("test", tmp_path)
    assert source.addons == (tmp_path / "odoo/addons",)


@pytest.mark.parametrize("system", ["ubuntu", "fedora"])
def test_other_distributions_have_no_debian_package(monkeypatch, system):
    monkeypatch.setattr(odoo_source.system, "os_release", lambda: {"ID": system})
    with pytest.raises(Unavailable):
        odoo_source.read_mirror()


def test_newest_archive_of_each_package(tmp_path):
    for age, name in enumerate(["a_2_all.deb", "a_1_all.deb", "b_1_all.deb"]):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    assert odoo_source.newest_archives(tmp_path) == {
        "a": tmp_path / "a_2_all.deb",
        "b": tmp_path / "b_1_all.deb",
    }
