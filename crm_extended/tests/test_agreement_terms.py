from datetime import date

from odoo.tests import BaseCase, tagged

from ..tools.agreement_terms import exceeds, given_discount, next_period, order_concession
from ..tools.workbook import build_workbook


@tagged("post_install", "-at_install")
class TestAgreementTerms(BaseCase):
    def test_discount_counts_however_it_is_given(self):
        self.assertAlmostEqual(given_discount(100.0, 100.0, 15.0), 15.0)
        self.assertAlmostEqual(given_discount(100.0, 85.0, 0.0), 15.0)
        self.assertAlmostEqual(given_discount(100.0, 90.0, 10.0), 19.0)
        self.assertAlmostEqual(given_discount(100.0, 120.0, 0.0), -20.0)
        self.assertEqual(given_discount(0.0, -50.0, 0.0), 0.0)

    def test_rounding_is_no_deviation(self):
        stored = given_discount(66.667, 100.0, 33.34)  # 33.333 % stored with two digits
        self.assertFalse(exceeds(stored, 0.0))
        self.assertTrue(exceeds(5.02, 5.0))
        self.assertFalse(exceeds(5.0, 5.0))

    def test_concession_of_a_whole_order(self):
        given, allowed, base = order_concession(
            [(100.0, 95.0, 2, 5.0), (0.0, -30.0, 1, 0.0), (100.0, 120.0, 1, 5.0)]
        )
        self.assertAlmostEqual(given, 40.0)  # a higher price elsewhere does not make up for it
        self.assertAlmostEqual(allowed, 15.0)
        self.assertAlmostEqual(base, 300.0)

    def test_return_above_its_price_is_a_concession(self):
        given, _allowed, _base = order_concession([(100.0, 150.0, -1, 5.0)])
        self.assertAlmostEqual(given, 50.0)
        given, _allowed, _base = order_concession([(100.0, 100.0, -1, 5.0)])
        self.assertAlmostEqual(given, 0.0)

    def test_next_period(self):
        today = date(2026, 11, 22)
        self.assertEqual(
            next_period(date(2026, 1, 1), date(2026, 12, 31), today),
            (date(2027, 1, 1), date(2027, 12, 31)),
        )
        self.assertEqual(  # a leap year is still a year
            next_period(date(2027, 3, 1), date(2028, 2, 29), today),
            (date(2028, 3, 1), date(2029, 2, 28)),
        )
        self.assertEqual(
            next_period(date(2026, 11, 1), date(2026, 11, 10), today),
            (today, date(2026, 12, 1)),
        )
        self.assertEqual(  # part of the new period lies ahead: no gap
            next_period(date(2026, 11, 1), date(2026, 11, 20), today),
            (date(2026, 11, 21), date(2026, 12, 10)),
        )
        with self.assertRaises(ValueError):
            next_period(date(2026, 2, 1), date(2026, 1, 1), today)

    def test_workbook_keeps_text_as_text(self):
        import io

        import openpyxl

        content = build_workbook(
            "Sales: by [deal]?",
            [("When", "date"), ("What", "text"), ("Money", "money")],
            [[date(2026, 1, 2), "=1+1", 10.5], [False, "https://example.com", 4.5]],
        )
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        rows = list(sheet.iter_rows(values_only=True))
        self.assertEqual(sheet["B2"].data_type, "s")
        self.assertEqual(rows[1][1], "=1+1")
        self.assertIsNone(rows[2][0])
        self.assertEqual(rows[3][2], 15.0)
        self.assertFalse(sheet["B3"].hyperlink)
