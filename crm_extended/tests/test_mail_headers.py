from odoo.tests import BaseCase, tagged

from ..tools.mail_headers import is_automatic


@tagged("post_install", "-at_install")
class TestMailHeaders(BaseCase):
    def test_automatic(self):
        for headers in (
            {"Auto-Submitted": "auto-replied"},
            {"Auto-Submitted": "Auto-Generated; type=x"},
            {"Precedence": "auto_reply"},
            {"Precedence": "Bulk"},
            {"X-Autoreply": "yes"},
            {"X-Autorespond": ""},
            {"Return-Path": "<>"},
        ):
            self.assertTrue(is_automatic(headers), headers)

    def test_person(self):
        for headers in (
            {},
            {"Auto-Submitted": "no"},
            {"Auto-Submitted": "No (really)"},
            {"Auto-Submitted": ""},
            {"Precedence": "list"},
            {"X-Auto-Response-Suppress": "All"},
            {"Return-Path": "<anna@amber.example.com>"},
            {"Return-Path": ""},
        ):
            self.assertFalse(is_automatic(headers), headers)
