from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

from .common import ScoringCommon

FACTOR_LOG = "odoo.addons.crm_scoring.models.crm_scorecard_factor"


@tagged("post_install", "-at_install")
class TestScorecard(ScoringCommon):
    # Validation

    def test_bad_conditions_are_refused_on_save(self):
        for domain in (
            "[('no_such_field', '=', 1)]",
            "[('name', 'no operator', 1)]",
            "[('name', '=',",
            "[('user_id', '=', uid)]",
            "__import__('os')",
            "5",
        ):
            with self.assertRaises(ValidationError, msg=domain):
                self._create_condition("Bad", domain, 1)

    def test_a_manager_cannot_ask_about_what_is_hidden(self):
        factor_model = self.env["crm.scorecard.factor"].with_user(self.user_manager)
        vals = {
            "scorecard_id": self.scorecard.id,
            "name": "Spy",
            "domain": "[('referred', 'like', 'x')]",
        }
        self.assertTrue(factor_model.create(vals))
        hidden = self.env.registry["crm.lead"]._fields["referred"]
        self.patch(hidden, "groups", "base.group_system")
        with self.assertRaises(AccessError):
            factor_model.create(vals)

    def test_measure_needs_field_and_bands(self):
        with self.assertRaises(ValidationError):
            self._create_measure("No bands", "expected_revenue", {})
        with self.assertRaises(ValidationError):
            self._create_measure("Text", "name", {1: 1})

    def test_sentence_placeholders_are_checked(self):
        for sentence in ("{nobody}", "{value", "{0}", "{value.__class__}"):
            with self.assertRaises(ValidationError, msg=sentence):
                self.factor_revenue.sentence = sentence

    def test_bounds_must_fall(self):
        for vals in ({"bound_a": 50}, {"bound_c": 0}, {"base_points": 101}):
            with (
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.scorecard.write(vals)

    def test_salespeople_read_but_do_not_write(self):
        card = self.scorecard.with_user(self.user_all)
        self.assertEqual(card.name, "Test")
        with self.assertRaises(AccessError):
            card.base_points = 1
        with self.assertRaises(AccessError):
            self.factor_priority.with_user(self.user_all).points = 100
        self.scorecard.with_user(self.user_manager).base_points = 45

    # A factor that fails later

    @mute_logger(FACTOR_LOG, "odoo.sql_db")
    def test_a_failing_factor_is_reported_and_skipped(self):
        """As after an upgrade: the condition was fine when it was saved."""
        for domain in (
            "[('gone_with_an_addon', '=', 1)]",
            "[('expected_revenue', '=', 'a lot')]",  # fails in the database
            "[(",
        ):
            factor = self._create_condition("Frail", "[('priority', '=', '0')]", 3)
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE crm_scorecard_factor SET domain = %s WHERE id = %s", [domain, factor.id]
            )
            self.env.invalidate_all()
            self.env.registry.clear_cache()
            deal = self._create_deal()
            self.assertEqual(deal.score_value, 60, domain)
            self.assertTrue(factor.error, domain)
            self.assertEqual(self.scorecard.failing_count, 1)
            factor.domain = "[('priority', '=', '0')]"
            self.assertFalse(factor.error)
            deal.expected_revenue = 20000
            self.assertEqual(deal.score_value, 83)
            factor.unlink()

    @mute_logger(FACTOR_LOG)
    def test_night_takes_a_mended_factor_back(self):
        self.factor_priority._report_error(ValueError("gone"))
        self.assertEqual(self._create_deal(priority="3").score_value, 60)
        self.env["crm.scorecard.factor"]._retry_failed()
        self.assertFalse(self.factor_priority.error)
        self.assertEqual(self._create_deal(priority="3").score_value, 70)

    # Changes of rules

    def test_changed_rules_count_at_once(self):
        deal = self._create_deal(priority="3")
        self.factor_priority.points = -10
        self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
        self.assertEqual(deal.score_value, 50)
        self.factor_revenue.band_ids.filtered(lambda b: b.lower_bound == 1000).points = 1
        self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
        self.assertEqual(deal.score_value, 31)
        self.factor_priority.active = False
        self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
        self.assertEqual(deal.score_value, 41)

    def test_copy_takes_factors_and_bands_along(self):
        copy = self.scorecard.copy()
        self.assertEqual(len(copy.factor_ids), 4)
        self.assertEqual(len(copy.factor_ids.band_ids), 3)

    def test_try_out_counts_open_deals(self):
        deal = self._create_deal(priority="3")
        action = self.scorecard.action_try_out()
        factors = (
            self.env["crm.scorecard.factor"]
            .with_context(**action["context"])
            .search(action["domain"])
        )
        before = {factor.name: factor.deal_count for factor in factors}
        self.assertGreaterEqual(before["Priority"], 1)
        listed = self.env["crm.lead"].search(self.factor_priority.action_view_deals()["domain"])
        self.assertIn(deal, listed)
        deal.action_set_lost()
        factors.invalidate_recordset()
        self.assertEqual(
            self.factor_priority.with_context(**action["context"]).deal_count,
            before["Priority"] - 1,
        )

    def test_shipped_scorecard_works(self):
        shipped = self.env.ref("crm_scoring.crm_scorecard_b2b")
        shipped.active = True
        self.scorecard.active = False
        deal = self._create_deal()
        self.assertEqual(deal.scorecard_id, shipped)
        self.assertFalse(shipped.factor_ids.filtered("error"))
        self.assertTrue(deal.score_details)


@tagged("post_install", "-at_install")
class TestScoringQueue(ScoringCommon):
    def setUp(self):
        super().setUp()
        self.queue = self.env["crm.lead.scoring.queue"]
        # a test cannot commit
        self.patch(self.env.registry["ir.cron"], "_commit_progress", self._progress)
        self.progress, self.time_left = [], 1.0

    def _progress(self, processed=0, *, remaining=None, deactivate=False):
        self.progress.append((processed, remaining))
        return self.time_left

    def _count_queries(self, function):
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        function()
        return self.env.cr.sql_log_count - before

    def test_many_deals_wait_for_the_job(self):
        deals = self.env["crm.lead"].create(
            [{"name": f"Import {i}", "type": "opportunity"} for i in range(60)]
        )
        deals._flush_scoring()
        self.assertFalse(any(deals.mapped("score_class")))
        self.assertEqual(self.queue.search_count([("lead_id", "in", deals.ids)]), 60)
        self.queue._cron_process_queue(batch_size=25)
        deals.invalidate_recordset()
        self.assertTrue(all(deals.mapped("score_class")))
        self.assertFalse(self.queue.search_count([]))

    def test_job_stops_when_time_is_up_and_goes_on_later(self):
        deals = self._create_deal() + self._create_deal() + self._create_deal()
        self.queue.search([]).unlink()
        self.queue._enqueue(deals.ids)
        self.queue._enqueue(deals.ids)  # a deal that waits twice is refreshed once
        self.time_left = 0
        self.queue._cron_process_queue(batch_size=4)
        self.assertEqual(self.queue.search([]).lead_id, deals[-1])
        self.queue._cron_process_queue(batch_size=4)
        self.assertFalse(self.queue.search([]))

    @mute_logger("odoo.addons.crm_scoring.models.crm_lead_scoring_queue")
    def test_a_deal_that_fails_does_not_block_the_others(self):
        deals = self._create_deal() + self._create_deal() + self._create_deal()
        deals.write({"priority": "3"})
        self.env.cr.precommit.data.pop("crm_scoring.pending")
        engine = self.env.registry["crm.lead.scoring"]
        original = engine._score

        def fail(model, rule_id, company_id, lead_ids, now, author):
            if deals[1].id in lead_ids:
                raise ZeroDivisionError
            return original(model, rule_id, company_id, lead_ids, now, author)

        self.queue._enqueue(deals.ids)
        with patch.object(engine, "_score", fail):
            self.queue._cron_process_queue()
        self.assertEqual(deals.mapped("score_value"), [70, 60, 70])
        self.assertFalse(self.queue.search([("lead_id", "in", deals.ids)]))

    def test_night_lets_every_open_deal_wait(self):
        opened, closed = self._create_deal(), self._create_deal()
        closed.action_set_lost()
        self.queue._cron_refresh_all()
        sweep = self.env["crm.lead.scoring.sweep"]
        self.assertEqual(len(sweep.search([])), 1)
        waiting = sweep._take(10**6)
        self.assertIn(opened.id, waiting)
        self.assertNotIn(closed.id, waiting)
        self.assertFalse(sweep.search([]), "the pass is over")

    def test_a_pass_goes_on_where_it_was_left(self):
        deals = self._create_deal() + self._create_deal() + self._create_deal()
        later = fields.Datetime.now() + timedelta(days=31)
        sweep = self.env["crm.lead.scoring.sweep"]
        sweep._start()
        sweep.search([]).place = deals[0].id - 1
        with patch.object(
            self.env.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 0
        ):
            self.queue._cron_process_queue(batch_size=1, now=later)
        self.assertEqual(deals.mapped("score_value"), [35, 60, 60], "time was up")
        self.queue._cron_process_queue(batch_size=1, now=later)
        self.assertEqual(deals.mapped("score_value"), [35, 35, 35])
        self.assertFalse(sweep.search([]))

    def test_one_deal_costs_five_queries(self):
        deal = self._create_deal()
        deal.expected_revenue = 7000
        deal._flush_scoring()  # caches of rules and rates are warm
        deal.priority = "3"
        self.assertLessEqual(self._count_queries(deal._flush_scoring), 5)
        self.assertEqual(deal.score_value, 70)

    def test_a_batch_costs_the_same_however_many_deals_and_factors(self):
        few = self.env["crm.lead"].create(
            [{"name": f"D{i}", "company_id": self.company.id} for i in range(5)]
        )
        many = self.env["crm.lead"].create(
            [{"name": f"D{i}", "company_id": self.company.id} for i in range(200)]
        )
        self.env.cr.precommit.data.pop("crm_scoring.pending", None)
        for index in range(10):
            self._create_condition(f"F{index}", f"[('color', '=', {index})]", 1)
        now = fields.Datetime.now()
        engine = self.env["crm.lead.scoring"]
        engine._refresh(self._create_deal().ids, now)
        counts = [
            self._count_queries(lambda deals=deals: engine._refresh(deals.ids, now))
            for deals in (few, many)
        ]
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[1], 5)
