import io

from odoo.addons.crm_claims.tools.allocation import allocate
from odoo.addons.crm_claims.tools.claims_xlsx import FIGURES, build_claims_workbook
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

    def test_workbook_keeps_formulas_as_text_and_has_a_chart(self):
        labels = dict.fromkeys(FIGURES, "Figure") | {
            "title": "=1+1",
            "detail": "Detail: by month/department",
            "summary": "Summary",
            "month": "Month",
            "department": "Department",
            "total": "Total",
        }
        rows = [
            ("2026-01", "=HYPERLINK()", 1.5, 1, 0.5, 100, 50),
            ("2026-02", "Warehouse", 2, 0, 2, 10, 0),
        ]
        book = load_workbook(io.BytesIO(build_claims_workbook(labels, rows, '"€')))
        detail, summary = book.worksheets
        self.assertEqual(detail["A1"].data_type, "s")
        self.assertEqual((detail["B4"].value, detail["B4"].data_type), ("=HYPERLINK()", "s"))
        self.assertEqual([cell.value for cell in detail[6]][2:], [3.5, 1, 2.5, 110, 50])
        self.assertEqual([cell.value for cell in summary[4]], ["2026-01", 1.5, 0])
        self.assertEqual([cell.value for cell in summary[5]], ["2026-02", 0, 2])
        self.assertEqual(len(summary._charts), 1)

    def test_workbook_without_rows(self):
        labels = dict.fromkeys(
            (*FIGURES, "title", "detail", "summary", "month", "department", "total"), "x"
        ) | {"summary": "y"}
        book = load_workbook(io.BytesIO(build_claims_workbook(labels, [])))
        self.assertEqual(book.worksheets[0]["A4"].value, "x")
