"""Odoo's own lint tests (its module ``test_lint``), run over this suite's add-ons only.

Odoo's classes look at every add-on on the path; here they see ours, which takes seconds instead
of many minutes. What they log as a warning fails, as it would on Odoo's own build.
"""

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import PropertyMock, patch

from odoo.addons.test_lint.tests import (
    test_docstring,
    test_dunderinit,
    test_i18n,
    test_index,
    test_jstranslate,
    test_manifests,
    test_markers,
    test_naming,
    test_onchange_domains,
    test_orm_import,
    test_override_signatures,
    test_pofile,
    test_pylint,
    test_routes,
    test_test_holes,
)
from odoo.modules import Manifest
from odoo.tests import BaseCase
from odoo.tools import config

ROOT = Path(__file__).resolve().parent.parent
ADDONS = sorted(path.parent.name for path in ROOT.glob("*/__manifest__.py"))
MANIFEST_KEYS = test_manifests.MANIFEST_KEYS | {"excludes"}  # ir.module.module reads it
INDEXED = test_index.BTREE_INDEX_IGNORE_FIELDS | {
    "crm.interaction.res_id",  # covered by _document_idx; always searched with the model
    "crm.interaction.chain.res_id",  # covered by _document_uniq; always searched with the model
    "crm.interaction.mail_message_id",  # covered by _mail_message_uniq
    "crm.lead.score.lead_id",  # covered by first key of _lead_date_index
}
MODULES = (
    test_docstring,
    test_dunderinit,
    test_i18n,
    test_index,
    test_jstranslate,
    test_manifests,
    test_markers,
    test_naming,
    test_onchange_domains,
    test_orm_import,
    test_override_signatures,
    test_pofile,
    test_pylint,
    test_routes,
    test_test_holes,
)


def suite_manifests():
    """Manifests of this suite, in place of those of all add-ons on the path."""
    return [Manifest.for_addon(name) for name in ADDONS]


class SuiteOnly:
    """Narrows one of Odoo's lint classes to this suite and makes its warnings failures."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.object(Manifest, "all_addon_manifests", suite_manifests))
        cls.startClassPatcher(patch.object(test_pofile, "get_modules", lambda: ADDONS))
        cls.startClassPatcher(patch.object(test_manifests, "MANIFEST_KEYS", MANIFEST_KEYS))
        cls.startClassPatcher(patch.object(test_index, "BTREE_INDEX_IGNORE_FIELDS", INDEXED))
        # pylint reads this folder and every add-on outside of it: name one of ours.
        cls.startClassPatcher(
            patch.object(
                type(config), "root_path", PropertyMock(return_value=str(ROOT / ADDONS[0]))
            )
        )

    @contextmanager
    def subTest(self, msg=None, **params):
        """Pytest's runner leaves ``_subtest`` empty; Odoo's lint of docstrings reads it."""
        self._subtest = SimpleNamespace(params=params)
        yield

    def setUp(self):
        super().setUp()
        quiet = self.assertNoLogs("odoo.addons.test_lint", "WARNING")
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)


for module in MODULES:
    topic = module.__name__.rpartition(".")[2].removeprefix("test_").title().replace("_", "")
    for value in list(vars(module).values()):
        own = isinstance(value, type) and value.__module__ == module.__name__
        if own and issubclass(value, BaseCase):
            title = f"Test{topic}"
            globals()[title] = type(title, (SuiteOnly, value), {"__module__": __name__})
del module, value
