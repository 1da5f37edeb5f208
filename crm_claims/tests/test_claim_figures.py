import base64
import io
import random
from collections import defaultdict
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta
from odoo.fields import Command
from odoo.tests import tagged
from openpyxl import load_workbook

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimFigures(ClaimCommon):
    """Each report equals a computation from the claims in plain Python."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tree = {}
        for name, parent in (("A", None), ("A1", "A"), ("A2", "A"), ("A1x", "A1"), ("B", None)):
            cls.tree[name] = cls.env["crm.claim.cause"].create(
                {"name": f"Fig {name}", "parent_id": parent and cls.tree[parent].id}
            )
        chance = random.Random(7)
        claims = cls.env["crm.claim"]
        today = datetime.now()
        for number in range(60):
            # up to two years back, so that last year has claims as well
            born = today - timedelta(days=chance.randrange(0, 730), hours=chance.randrange(20))
            open_now = chance.random() < 0.25
            decision = chance.choice(["satisfied", "partly", "rejected"])
            decided = min(born + timedelta(days=chance.randrange(0, 120)), today)
            share = chance.randrange(5, 100, 5)
            values = {
                "subject": f"Figure {number}",
                "date_registered": born,
                "user_id": chance.choice([cls.user_own, cls.user_all]).id,
                "cause_id": cls.tree[chance.choice(list(cls.tree))].id if number % 9 else False,
                "fault_ids": [
                    Command.create(
                        {"department_id": cls.warehouse.id, "share": share, "reason": "x"}
                    ),
                    Command.create(
                        {"department_id": cls.production.id, "share": 100 - share, "reason": "x"}
                    ),
                ]
                if number % 3
                else [],
                "line_ids": [
                    Command.create(
                        {
                            "product_id": cls.product.id,
                            "lot_name": chance.choice(["L1", "L2", ""]),
                            "quantity": 1,
                        }
                    )
                ]
                if number % 2
                else [],
            }
            if not open_now:
                values |= {
                    "stage_id": claims._get_stage_of_state("closed").id,
                    "decision": decision,
                    "decision_text": "x",
                    "date_decided": decided,
                    "date_closed": today,
                    "customer_answer": "accepted",
                }
            claim = cls._create_claim(**values)
            if not open_now and number % 2 == 0:
                rating = cls.env["rating.rating"].create(
                    {
                        "res_model_id": cls.env["ir.model"]._get_id("crm.claim"),
                        "res_id": claim.id,
                    }
                )
                rating.write({"rating": chance.choice([1, 3, 5]), "consumed": True})
            claims |= claim
        cls.claims = claims
        cls.env.flush_all()

    def _domain(self):
        return [("claim_id", "in", self.claims.ids)]

    @staticmethod
    def _handled_on(claim):
        return None if claim.is_open else (claim.date_decided or claim.date_closed)

    def _dynamics(self):
        """(month, department) -> [registered, handled, unhandled], by the calendar."""
        figures = defaultdict(lambda: [0.0, 0.0, 0.0])
        this_month = datetime.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        for claim in self.claims:
            parts = [(fault.department_id, fault.share / 100) for fault in claim.fault_ids]
            for department, part in parts or [(self.env["hr.department"], 1.0)]:
                figures[claim.date_registered.strftime("%Y-%m"), department][0] += part
                handled = self._handled_on(claim)
                if handled:
                    figures[handled.strftime("%Y-%m"), department][1] += part
                month = this_month - relativedelta(months=40)
                while month <= this_month:
                    end = month + relativedelta(months=1)
                    if claim.date_registered < end and (not handled or handled >= end):
                        figures[month.strftime("%Y-%m"), department][2] += part
                    month += relativedelta(months=1)
        return figures

    def test_dynamics(self):
        expected = self._dynamics()
        names = [
            f"{figure}{suffix}"
            for suffix in ("", "_previous", "_last_year")
            for figure in ("registered", "handled", "unhandled")
        ]
        groups = self.env["crm.claim.dynamics"]._read_group(
            self._domain(), ["date:month", "department_id"], [f"{name}:sum" for name in names]
        )
        self.assertGreater(len(groups), 40)
        seen = set()
        for month, department, *values in groups:
            for offset, months in ((0, 0), (3, 1), (6, 12)):
                key = (month - relativedelta(months=months)).strftime("%Y-%m"), department
                for value, wanted in zip(
                    values[offset : offset + 3], expected.get(key, [0] * 3), strict=True
                ):
                    self.assertAlmostEqual(value, wanted, 4, (month, department.name, months))
            seen.add((month.strftime("%Y-%m"), department))
        missing = {key for key, value in expected.items() if any(value)} - seen
        self.assertFalse(missing)

    def test_a_stock_is_that_of_the_last_month(self):
        """Months do not add up to what is unhandled at the end of a period."""
        expected = self._dynamics()
        report = self.env["crm.claim.dynamics"]
        this_month = datetime.now().date().replace(day=1)

        def stock(month, department=None):
            return sum(
                figures[2]
                for (name, one), figures in expected.items()
                if name == month.strftime("%Y-%m") and department in (None, one)
            )

        registered = sum(figures[0] for figures in expected.values())
        sums = ["registered:sum", "unhandled:sum", "unhandled_previous:sum"]
        [[all_of_them, now, before]] = report._read_group(self._domain(), [], sums)
        self.assertAlmostEqual(all_of_them, registered, 3)
        self.assertAlmostEqual(now, stock(this_month), 3)
        self.assertAlmostEqual(before, stock(this_month - relativedelta(months=1)), 3)
        until = [*self._domain(), ("date", "<", this_month - relativedelta(months=2))]
        end = this_month - relativedelta(months=3)
        sets = report._read_grouping_sets(
            until, [[], ["department_id"], ["date:year"], ["date:month"]], ["unhandled:sum"]
        )
        self.assertAlmostEqual(sets[0][0][0], stock(end), 3)
        for department, value in sets[1]:
            self.assertAlmostEqual(value, stock(end, department), 3)
        for year, value in sets[2]:
            self.assertAlmostEqual(value, stock(min(end, year + relativedelta(months=11))), 3)
        for month, value in sets[3]:
            self.assertAlmostEqual(value, stock(month), 3)
        for quarter, value in report._read_group(
            self._domain(), ["date:quarter"], ["unhandled:sum"]
        ):
            last = min(this_month, quarter + relativedelta(months=2))
            self.assertAlmostEqual(value, stock(last), 3)

    def test_satisfaction_with_roll_up(self):
        for name, field in (("A", "cause_top_id"), ("A1", "cause_second_id")):
            cause = self.tree[name]
            claims = self.claims.filtered(
                lambda claim, cause=cause: cause.parent_path in (claim.cause_id.parent_path or "")
            )
            decided = claims.filtered(lambda claim: claim.decision and not claim.is_open)
            ratings = claims.rating_ids.filtered("consumed")
            rated = [rating.rating for rating in ratings]
            self.assertTrue(rated)
            days = [
                (claim.date_decided - claim.date_registered).total_seconds() / 86400
                for claim in claims
                if claim.date_decided
            ]
            [group] = self.env["crm.claim.outcome"]._read_group(
                [*self._domain(), (field, "=", cause.id)],
                [],
                [
                    "__count",
                    "decided_count:sum",
                    "satisfied_percent:avg",
                    "partly_percent:avg",
                    "rejected_percent:avg",
                    "rating:avg",
                    "days_to_decide:avg",
                ],
            )
            shares = [
                100 * len(decided.filtered(lambda c, d=d: c.decision == d)) / len(decided)
                for d in ("satisfied", "partly", "rejected")
            ]
            wanted = [
                len(claims),
                len(decided),
                *shares,
                sum(rated) / len(rated),
                sum(days) / len(days),
            ]
            for value, expected in zip(group, wanted, strict=True):
                self.assertAlmostEqual(float(value or 0), expected, 3)

    def test_recurrence(self):
        groups = self.env["crm.claim.recurrence"]._read_group(
            self._domain(), ["lot_name"], ["claim_count:count_distinct", "quantity:sum"]
        )
        expected = defaultdict(int)
        for line in self.claims.line_ids:
            expected[line.lot_name or False] += 1
        self.assertEqual({lot or False: count for lot, count, __ in groups}, expected)

    def test_deadlines_kept(self):
        statuses = self.env["crm.claim.sla.status"].search([("claim_id", "in", self.claims.ids)])
        self.assertTrue(statuses)
        kept = statuses.filtered(lambda status: status.state == "met")
        missed = statuses.filtered(lambda status: status.state == "failed")
        [[met, failed, percent]] = self.env["crm.claim.sla.report"]._read_group(
            self._domain(), [], ["kept_count:sum", "missed_count:sum", "kept_percent:avg"]
        )
        self.assertEqual((met, failed), (len(kept), len(missed)))
        over = len(kept) + len(missed)
        self.assertAlmostEqual(percent or 0, 100 * len(kept) / over if over else 0, 4)

    # ------------------------------------------------------------------
    # The workbook
    # ------------------------------------------------------------------

    def _book(self, user, start, end):
        wizard = (
            self.env["crm.claim.report.export"]
            .with_user(user)
            .create({"date_from": start, "date_to": end, "company_id": self.company.id})
        )
        wizard.action_export()
        book = load_workbook(io.BytesIO(base64.b64decode(wizard.file)))
        return wizard, {
            sheet.title: list(sheet.iter_rows(min_row=4, values_only=True))
            for sheet in book.worksheets
        }

    def test_comparison(self):
        end = datetime.now().date().replace(day=1) - timedelta(days=1)
        start = (end - relativedelta(months=2)).replace(day=1)
        wizard, book = self._book(self.user_manager, start, end)
        periods = wizard._get_periods()
        self.assertEqual(periods["previous"][0], start - relativedelta(months=3))
        self.assertEqual(periods["previous"][1], start - timedelta(days=1))
        self.assertEqual(periods["last_year"][0], start - relativedelta(years=1))
        for column, (first, last) in zip((1, 2, 4), periods.values(), strict=True):
            registered = [c for c in self.claims if first <= c.date_registered.date() <= last]
            handled = [
                c
                for c in self.claims
                if self._handled_on(c) and first <= self._handled_on(c).date() <= last
            ]
            left = [
                c
                for c in self.claims
                if c.date_registered.date() <= last
                and (not self._handled_on(c) or self._handled_on(c).date() > last)
            ]
            self.assertEqual(
                [row[column] for row in book["Dynamics"]],
                [len(registered), len(handled), len(left)],
            )

    def test_uneven_periods(self):
        wizard = self.env["crm.claim.report.export"].new(
            {"date_from": "2024-02-10", "date_to": "2024-02-29", "company_id": self.company.id}
        )
        periods = wizard._get_periods()
        self.assertEqual([str(day) for day in periods["previous"]], ["2024-01-21", "2024-02-09"])
        self.assertEqual([str(day) for day in periods["last_year"]], ["2023-02-10", "2023-02-28"])

    def test_workbook_equals_the_reports(self):
        today = datetime.now().date()
        __, book = self._book(self.user_manager, today - timedelta(days=800), today)
        rows = {row[0]: row[1:] for row in book["Satisfaction"]}
        roots = self.claims.filtered(
            lambda claim: self.tree["A"].parent_path in (claim.cause_id.parent_path or "")
        )
        self.assertEqual(rows["Fig A"][0], len(roots))
        self.assertEqual(rows["Total"][0], len(self.claims))
        decided = self.claims.filtered(lambda claim: not claim.is_open)
        self.assertAlmostEqual(
            rows["Total"][2],
            100 * len(decided.filtered(lambda c: c.decision == "satisfied")) / len(decided),
            4,
        )
        *causes, total = book["Causes"]
        counts = [row[1] for row in causes]
        self.assertEqual(counts, sorted(counts, reverse=True))
        self.assertAlmostEqual(causes[-1][3], 100)
        self.assertEqual(total[1], len(self.claims))
        self.assertAlmostEqual(book["Structure"][-1][-2], len(self.claims), 3)
        work = {row[0]: row[1:3] for row in book["Work Load"]}
        for user in (self.user_own, self.user_all):
            mine = self.claims.filtered(lambda claim, user=user: claim.user_id == user)
            self.assertEqual(work[user.name], (len(mine), len(mine.filtered("is_open"))))

    def test_each_sees_what_he_may(self):
        secret = self.claims[:5]
        secret.confidential = True
        self.env.flush_all()
        for model in ("dynamics", "outcome", "recurrence", "report", "sla.report"):
            report = self.env[f"crm.claim.{model}"]
            for user in (self.user_own, self.user_all, self.user_accountant, self.user_manager):
                seen = self.env["crm.claim"].with_user(user).search([("id", "in", self.claims.ids)])
                rows = report.with_user(user).search(self._domain())
                wanted = seen.sudo()
                if model == "recurrence":
                    wanted = wanted.filtered("line_ids")
                elif model == "sla.report":
                    wanted = wanted.filtered("sla_status_ids")
                self.assertEqual(
                    set(rows.sudo().claim_id.ids), set(wanted.ids), (model, user.login)
                )
