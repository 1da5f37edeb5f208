"""Every term is exported and translated: the files agree with the code they were made from."""

import tempfile
from pathlib import Path

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import trans_export

from sandbox import paths, po_files

ADDONS = paths.addons()


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    def test_templates_are_fresh(self):
        """Odoo's own export of the running add-ons equals the files in i18n/."""
        with tempfile.TemporaryDirectory() as folder:
            for addon in ADDONS:
                fresh = Path(folder) / f"{addon}.pot"
                with fresh.open("wb") as handle:
                    trans_export(None, [addon], handle, "po", self.env)
                problems = po_files.merge_addon(addon, fresh, check=True)
                self.assertEqual(problems, [])

    def test_translations_are_complete(self):
        for addon in [*ADDONS, *paths.bridges()]:
            self.assertEqual(po_files.check_addon(addon)[:20], [], addon)
