import base64
import io
from collections import defaultdict

from lxml import etree
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval
from openpyxl import load_workbook

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimReport(ClaimCommon):
    """The analysis equals a computation from the claims themselves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        closed = cls.env["crm.claim"]._get_stage_of_state("closed").id
        new = cls.env["crm.claim"]._get_stage_of_state("new").id
        departments = (cls.warehouse, cls.production)
        cls.claims = cls.env["crm.claim"]
        for number in range(12):
            share = number * 8
            faults = [
                Command.create({"department_id": department.id, "share": part, "reason": "Seen"})
                for department, part in zip(departments, (share, 100 - share), strict=True)
                if part
            ]
            cls.claims |= cls._create_claim(
                date_registered=f"2026-{number % 3 + 1:02d}-{number + 1:02d} 12:00:00",
                stage_id=new if number % 4 == 0 else closed,
                decision="satisfied",
                decision_text="Because",
                amount_claimed=100 + number,
                amount_granted=number * 10,
                fault_ids=[] if number in (4, 5) else faults,
            )

    def _expected(self):
        """(month, department) -> figures, in plain Python."""
        figures = defaultdict(lambda: [0.0] * 5)
        for claim in self.claims:
            parts = [(fault.department_id, fault.share / 100) for fault in claim.fault_ids]
            for department, part in parts or [(self.env["hr.department"], 1)]:
                row = figures[claim.date_registered.strftime("%Y-%m"), department]
                handled = claim.state in ("decided", "rejected", "closed", "cancelled")
                row[0] += part
                row[1] += part if handled else 0
                row[2] += 0 if handled else part
                row[3] += part * claim.amount_claimed
                row[4] += part * claim.amount_granted
        return figures

    def test_figures(self):
        self.env.flush_all()
        groups = self.env["crm.claim.report"]._read_group(
            [("claim_id", "in", self.claims.ids)],
            ["date:month", "department_id"],
            [
                "registered:sum",
                "handled:sum",
                "unhandled:sum",
                "amount_claimed:sum",
                "amount_granted:sum",
            ],
        )
        expected = self._expected()
        self.assertEqual(len(groups), len(expected))
        for month, department, *figures in groups:
            for value, wanted in zip(
                figures, expected[month.strftime("%Y-%m"), department], strict=True
            ):
                self.assertAlmostEqual(value, wanted, 2)
        self.assertAlmostEqual(sum(group[2] for group in groups), 12)

    def test_every_filter_and_grouping_works(self):
        for model in ("report", "dynamics", "outcome", "recurrence", "cost.report", "sla.report"):
            report = self.env[f"crm.claim.{model}"].with_user(self.user_manager)
            view = etree.fromstring(report.get_view(view_type="search")["arch"])
            for node in view.iter("filter"):
                domain, context = node.get("domain"), node.get("context")
                with self.subTest(model=model, name=node.get("name")):
                    if domain:
                        report.search_count(safe_eval(domain))
                    if context:
                        report._read_group([], [safe_eval(context)["group_by"]], ["__count"])

    def _export(self, user, **values):
        wizard = (
            self.env["crm.claim.report.export"]
            .with_user(user)
            .create(
                {
                    "date_from": "2026-01-01",
                    "date_to": "2026-04-30",
                    "company_id": self.company.id,
                    **values,
                }
            )
        )
        action = wizard.action_export()
        self.assertIn(f"/{wizard.id}/file/", action["url"])
        return load_workbook(io.BytesIO(base64.b64decode(wizard.file)))

    def _rows(self, book, sheet):
        """Rows of a sheet below its heads, as tuples."""
        return list(book.worksheets[sheet].iter_rows(min_row=4, values_only=True))

    def test_workbook(self):
        self.env.flush_all()
        book = self._export(self.user_manager)
        self.assertEqual(len(book.worksheets), 10)
        names = [sheet.title for sheet in book.worksheets]
        charts = {sheet.title: len(sheet._charts) for sheet in book.worksheets}
        self.assertEqual(
            names,
            [
                "Dynamics",
                "By Month",
                "By Department",
                "Satisfaction",
                "Structure",
                "Causes",
                "Deadlines",
                "Recurrence",
                "Cost",
                "Work Load",
            ],
        )
        self.assertEqual(charts["By Month"], 2)
        for name in ("Dynamics", "Satisfaction", "Structure", "Causes", "Work Load"):
            self.assertEqual(charts[name], 1, name)
        total = self._rows(book, 4)[-1]
        self.assertAlmostEqual(total[-2], 12, msg="structure counts every claim once")

    def test_workbook_by_department(self):
        self.env.flush_all()
        rows = {row[:2]: row[2:] for row in self._rows(self._export(self.user_manager), 2)}
        registered = defaultdict(float)
        for (month, department), figures in self._expected().items():
            registered[month, department.display_name or "Not found yet"] += figures[0]
        for key, value in registered.items():
            self.assertAlmostEqual(rows[key][0], value, 2)

    def test_workbook_holds_what_the_user_may_read(self):
        self.claims.user_id = self.user_all
        self.env.flush_all()
        book = self._export(self.user_own)
        self.assertEqual([row[1] for row in self._rows(book, 0)], [0, 0, 0])
        self.assertEqual(self._rows(book, 5)[-1][1], 0)

    def test_period_and_company(self):
        with self.assertRefused(UserError, "ends before"):
            self._export(self.user_manager, date_from="2026-05-01")
        other = self.env["res.company"].create({"name": "Second Claims Ltd"})
        wizard = self.env["crm.claim.report.export"].create({"company_id": other.id})
        with self.assertRefused(UserError, "companies you are working in"):
            wizard.with_user(self.user_manager).sudo().action_export()
