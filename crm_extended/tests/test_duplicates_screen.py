# ruff: noqa: RUF001 Cyrillic is meant
from odoo.tests import HttpCase, tagged

from .common_duplicates import DuplicatesCommon


@tagged("post_install", "-at_install")
class TestDuplicatesScreen(DuplicatesCommon, HttpCase):
    def test_while_typing(self):
        """The form of a client tells of known ones while somebody types, before anything is
        saved; where they are blocked, the reason is asked for there."""
        self.company.crm_duplicate_mode = "block"
        known = self.env["res.partner"].search([])
        self.start_tour(
            "/odoo/action-crm_extended.res_partner_action_clients/new",
            "crm_extended_duplicates_tour",
            login="dup_creator",
        )
        created = self.env["res.partner"].search([]) - known
        self.assertRecordValues(
            created,
            [
                {
                    "name": "Заречная кофейня",
                    "crm_duplicate_reason": "Another shop of the same owner",
                }
            ],
        )
