from datetime import date

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import ClaimCommon

MODELS = ("crm.claim.report", "crm.claim.outcome", "crm.claim.recurrence")


@tagged("post_install", "-at_install")
class TestClaimReportPeriod(ClaimCommon):
    """A period of days is asked of the moment itself, and means the same days."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        moments = ("2024-02-29 00:00:00", "2024-02-29 23:59:59", "2024-03-01 00:00:00",
                   "2024-03-31 12:00:00", "2024-04-01 00:00:00")  # fmt: skip
        cls.claims = cls.env["crm.claim"]
        for moment in moments:
            cls.claims |= cls._create_claim(
                date_registered=moment,
                line_ids=[Command.create({"name": "Saw", "quantity": 1})],
            )
        cls.env.flush_all()

    def _read(self, model, domain, **context):
        report = self.env[model].with_context(**context)
        own = [("claim_id", "in", self.claims.ids), *domain]
        groups = report._read_group(own, ["claim_id"])
        sets = report._read_grouping_sets(own, [["claim_id"], []], ["__count"])
        self.assertEqual(sum(row[1] for row in sets[0]), sets[1][0][0] if sets[1] else 0)
        self.assertEqual({row[0] for row in sets[0]}, {row[0] for row in groups})
        found = {claim for (claim,) in groups}
        self.assertEqual(found, set(report.search(own).claim_id), "as in the list")
        return [number for number, claim in enumerate(self.claims) if claim in found]

    def test_bounds(self):
        for model in MODELS:
            with self.subTest(model=model):
                march = [("date", ">=", "2024-03-01"), ("date", "<=", "2024-03-31")]
                self.assertEqual(self._read(model, march), [2, 3])
                self.assertEqual(self._read(model, [("date", ">", "2024-02-29")]), [2, 3, 4])
                self.assertEqual(self._read(model, [("date", "<", "2024-03-01")]), [0, 1])
                self.assertEqual(self._read(model, [("date", "=", date(2024, 2, 29))]), [0, 1])
                self.assertEqual(
                    self._read(model, [*march, ("date", ">", "2024-03-01")]),
                    [3],
                    "the narrowest counts",
                )
                self.assertEqual(self._read(model, [*march, ("date", "<", "2024-01-01")]), [])

    def test_other_conditions_stay(self):
        for model in MODELS:
            with self.subTest(model=model):
                either = ["|", ("date", "<", "2024-03-01"), ("date", ">", "2024-03-31")]
                self.assertEqual(self._read(model, either), [0, 1, 4])
                negated = ["!", ("date", ">=", "2024-03-01")]
                self.assertEqual(self._read(model, negated), [0, 1])
                one = [("date", ">=", "2024-03-01"), ("claim_id", "=", self.claims[3].id)]
                self.assertEqual(self._read(model, one), [3])
                self.assertEqual(self._read(model, [("date", ">=", False)]), [])

    @freeze_time("2024-04-02 12:00:00")
    def test_words(self):
        self.assertEqual(self._read(MODELS[0], [("date", ">=", "-2d")]), [3, 4])
        self.assertEqual(self._read(MODELS[0], [("date", "<", "today =1d")]), [0, 1, 2, 3])

    def test_period_of_client_has_no_effect(self):
        for forged in (["2024-03-01", "2024-03-31"], "2024-03-01'; --", {"start": "2024-03-01"}):
            found = self._read(MODELS[0], [], crm_claim_report_period=forged)
            self.assertEqual(found, [0, 1, 2, 3, 4])

    def test_kept_deadlines(self):
        report = self.env["crm.claim.sla.report"]
        domain = [("claim_id", "in", self.claims.ids), ("date", "<", "2024-03-01")]
        rows = report.search(domain)
        [(count,)] = report._read_group(domain, [], ["__count"])
        self.assertEqual(count, len(rows))
        self.assertTrue(rows)
        self.assertLess(max(rows.mapped("date")), date(2024, 3, 1))
