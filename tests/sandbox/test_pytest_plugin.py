"""Which tests are run, and in which order."""

from types import SimpleNamespace

import pytest

pytest.importorskip("odoo")
from sandbox import pytest_plugin  # noqa: E402


def make(module, *tags):
    values = {"__module__": module, "test_tags": set(tags)} if tags else {"__module__": module}
    return type("TestCase", (), values)


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (make("odoo.addons.crm.tests.test_a", "standard", "post_install"), True),
        (make("odoo.addons.crm.tests.test_a", "external"), False),
        (make("tests.house.test_models", "post_install"), True),
        (make("tests.test_repo"), True),
        (None, True),
    ],
)
def test_standard_tests_are_run(cls, expected):
    assert pytest_plugin.is_standard(cls) is expected


def test_collection_is_grouped_by_class_and_ordered():
    def item(nodeid, cls=None):
        marks = []
        return SimpleNamespace(nodeid=nodeid, cls=cls, marks=marks, add_marker=marks.append)

    external = item("c.py::C::test", make("odoo.addons.c.tests.test_c", "external"))
    one = item("a.py::A::test_1", make("odoo.addons.a.tests.test_a", "standard"))
    long = item("tests/lifecycle/test_l.py::test_l")
    items, left_out = [external, one, long], []
    hook = SimpleNamespace(pytest_deselected=lambda items: left_out.extend(items))
    pytest_plugin.pytest_collection_modifyitems(SimpleNamespace(hook=hook), items)
    assert items == [long, one]
    assert left_out == [external]
    assert one.marks[0].args == ("a.py::A",)
    assert not long.marks
