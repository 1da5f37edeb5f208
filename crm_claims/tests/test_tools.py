import io

from odoo.addons.crm_claims.tools.allocation import allocate
from odoo.addons.crm_claims.tools.claims_xlsx import build_claims_workbook
from odoo.addons.crm_claims.tools.plan import schedule
from odoo.tests import BaseCase, tagged
from openpyxl import load_workbook


@tagged("post_install", "-at_install")
class TestTools(BaseCase):
    """Pure functions of claims."""

    def test_allocate_takes_in_order(self):
        self.assertEqual(allocate(5, [("a", 2), ("b", 4)]), ([("a", 2), ("b", 3)], 0.0))

    def test_allocate_reports_what_is_short(self):
        self.assertEqual(allocate(5, [("a", 2), ("b", -1)]), ([("a", 2)], 3))

    def test_allocate_nothing(self):
        self.assertEqual(allocate(0, [("a", 2)]), ([], 0.0))

    def test_schedule_waits_for_dependencies_and_offsets(self):
        plan = schedule(
            {
                "a": (0, 2, []),
                "b": (1, 3, []),
                "c": (0, 1, ["a", "b"]),
                "d": (6, 1, ["c"]),
                "e": (0, 0, ["gone"]),
            }
        )
        self.assertEqual(plan, {"a": (0, 2), "b": (1, 4), "c": (4, 5), "d": (6, 7), "e": (0, 0)})

    def test_schedule_refuses_circles(self):
        with self.assertRaises(ValueError):
            schedule({"a": (0, 1, ["b"]), "b": (0, 1, ["a"])})

    def test_workbook_keeps_formulas_as_text_and_has_charts(self):
        table = {
            "name": "Detail: by month/department",
            "title": "=1+1",
            "columns": [("Month", "text"), ("=Head", "number"), ("Share", "percent")],
            "rows": [(("=HYPERLINK()", 1), 1.5, 40.0), ("2026-02", 2, None)],
            "total": ("Total", 3.5, None),
            "charts": [
                {"type": "pareto", "title": "Pareto", "columns": [1, 2]},
                {"type": "line", "title": "Line", "columns": [1]},
            ],
        }
        book = load_workbook(io.BytesIO(build_claims_workbook([table, table], '"€')))
        sheet, again = book.worksheets
        self.assertEqual(
            (sheet.title, again.title),
            ("Detail- by month-department", "Detail- by month-department 2"),
        )
        for cell, value in (("A1", "=1+1"), ("B3", "=Head"), ("A4", "=HYPERLINK()")):
            self.assertEqual((sheet[cell].value, sheet[cell].data_type), (value, "s"))
        self.assertEqual([cell.value for cell in sheet[6]], ["Total", 3.5, None])
        self.assertEqual(len(sheet._charts), 2)

    def test_workbook_without_rows(self):
        table = {
            "name": "x",
            "title": "x",
            "columns": [("A", "text")],
            "rows": [],
            "charts": [{"type": "column", "title": "x", "columns": [0]}],
        }
        book = load_workbook(io.BytesIO(build_claims_workbook([table])))
        self.assertFalse(book.worksheets[0]._charts)
