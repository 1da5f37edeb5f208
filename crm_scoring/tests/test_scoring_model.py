from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged, users
from odoo.tools import SQL

from ..tools import win_model
from .common import ScoringCommon


class ScoringModelCommon(ScoringCommon):
    """A company of its own with deals that were closed in the past."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Learner"})
        cls.good, cls.bad = cls.env["utm.source"].create([{"name": "Good"}, {"name": "Bad"}])
        cls.model = cls.env["crm.lead.scoring.model"]
        cls.past = fields.Datetime.now() - timedelta(days=100)

    def _create_closed(self, count, won, age=100, days=20, **values):
        """Create deals that were open for some days; ``won`` of them are won."""
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": f"Closed {index}",
                    "type": "opportunity",
                    "company_id": self.company.id,
                    "team_id": False,
                    "user_id": False,
                    **values,
                }
                for index in range(count)
            ]
        )
        # many at once would wait for the job
        self.env.cr.precommit.data.pop("crm_scoring.pending")
        self.env["crm.lead.scoring"]._refresh(leads.ids, fields.Datetime.now())
        leads[:won].action_set_won()
        leads[won:].action_set_lost()
        self.env.cr.precommit.data.pop("crm_scoring.pending", None)
        self.env.flush_all()
        # as if it happened then
        born = fields.Datetime.now() - timedelta(days=age)
        self.env.cr.execute(
            SQL(
                """UPDATE crm_lead SET create_date = %(born)s, date_closed = %(closed)s
                    WHERE id = ANY(%(ids)s);
                   UPDATE crm_lead_score SET date = %(born)s WHERE lead_id = ANY(%(ids)s);
                   UPDATE mail_message SET date = %(closed)s
                    WHERE model = 'crm.lead' AND res_id = ANY(%(ids)s)""",
                born=born,
                closed=born + timedelta(days=days),
                ids=leads.ids,
            )
        )
        self.env.invalidate_all()
        return leads

    def _create_open(self, **values):
        deal = self.env["crm.lead"].create(
            {
                "name": "Open",
                "type": "opportunity",
                "company_id": self.company.id,
                "team_id": False,
                "user_id": False,
                **values,
            }
        )
        deal._flush_scoring()
        return deal

    def _train_on_sources(self):
        self._create_closed(60, 48, source_id=self.good.id)
        self._create_closed(60, 12, source_id=self.bad.id)
        return self.model._train(self.company)


@tagged("post_install", "-at_install")
class TestScoringModel(ScoringModelCommon):
    """The model of winning learned from the deals of a company of its own."""

    def test_ten_deals_are_enough_to_begin(self):
        self._create_closed(9, 4)
        self.assertFalse(self.model._train(self.company))
        self._create_closed(1, 1)
        version = self.model._train(self.company)
        self.assertEqual((version.deals, version.won, version.verdict), (10, 5, "not_ready"))
        self.assertIn("Not enough data", version.summary)
        deal = self._create_open()
        self.assertIn("Not enough data", deal.score_details)
        self.assertFalse(deal.score_data_enough)

    def test_wins_only_teach_nothing(self):
        self._create_closed(30, 30)
        self.assertFalse(self.model._train(self.company))
        deal = self._create_open()
        self.assertLess(deal.score_probability, 100)

    def test_deals_get_the_probability_of_their_kind(self):
        version = self._train_on_sources()
        self.assertEqual(version.state, "active")
        self.assertIn(version.verdict, ("usable", "ready"))
        self.assertGreater(version.auc, 0.7)
        self.assertEqual(version.input_ids[0].name, "source_id")
        self.assertTrue(version.point_ids)
        good = self._create_open(source_id=self.good.id)
        bad = self._create_open(source_id=self.bad.id)
        self.assertGreater(good.score_probability, bad.score_probability + 20)
        self.assertLess(good.score_probability, 100)
        self.assertGreater(bad.score_probability, 0)
        self.assertEqual(good.score_sample_size, 120)

    def test_sql_and_python_agree(self):
        version = self._train_on_sources()
        deal = self._create_open(source_id=self.good.id, expected_revenue=5000)
        self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
        [history] = deal.score_history_ids
        then = dict(history.inputs)
        then |= {"type": "opportunity", "stage_id": str(deal.stage_id.id)}
        then |= {"days_open": 0.0, "days_in_stage": 0.0, "score_value": deal.score_value}
        names = [item["name"] for item in version.data["inputs"]]
        [chance] = win_model.predict(version.data, {name: [then.get(name)] for name in names})
        self.assertAlmostEqual(deal.score_probability, 100 * chance, delta=0.06)

    def test_values_entered_at_closing_are_not_learned_from(self):
        """The source says how a deal ended, but it was entered when it was known."""
        deals = self._create_closed(80, 40)
        deals[:40].source_id = self.good
        deals[40:].source_id = self.bad
        self.env.cr.precommit.data.pop("crm_scoring.pending")
        deals.flush_recordset()
        _won, columns, _closed = self.model._read_closed_deals(self.company, 1000)
        self.assertEqual(set(columns["source_id"]), {None})
        version = self.model._train(self.company)
        self.assertNotIn("source_id", version.input_ids.mapped("name"))
        good = self._create_open(source_id=self.good.id)
        bad = self._create_open(source_id=self.bad.id)
        self.assertEqual(good.score_probability, bad.score_probability)

    def test_tracked_changes_after_the_moment_are_undone(self):
        """Deals of before the add-on have no score history, but their chatter."""
        deals = self._create_closed(20, 10, expected_revenue=1000)
        deals.score_history_ids.sudo().unlink()
        field = self.env["ir.model.fields"]._get("crm.lead", "expected_revenue")
        for deal in deals[:10]:
            deal.expected_revenue = 50000
            change = {"field_id": field.id, "old_value_float": 1000, "new_value_float": 50000}
            deal.message_post(body="", tracking_value_ids=[Command.create(change)])
        _won, columns, _closed = self.model._read_closed_deals(self.company, 1000)
        self.assertEqual(set(columns["expected_revenue"]), {1000.0})

    def test_what_follows_from_closing_is_no_input(self):
        names = {i["name"] for i in self.model._get_inputs()}
        for name in (
            "probability", "won_status", "active", "date_closed", "lost_reason_id", "day_close",
            "write_date", "stage_id", "score_class",
        ):  # fmt: skip
            self.assertNotIn(name, names)

    def test_won_stage_is_never_an_input(self):
        self._create_closed(20, 10)
        won, columns, _closed = self.model._read_closed_deals(self.company, 1000)
        stages = {int(s) for s in columns["stage_id"] if s}
        self.assertEqual(sum(won), 10)
        self.assertFalse(self.env["crm.stage"].browse(stages).filtered("is_won"))

    # Versions

    def test_new_version_needs_new_deals(self):
        self._train_on_sources()
        self.assertFalse(self.model._train(self.company), "no deal was closed since")

    def test_better_version_takes_over_and_the_old_one_stays(self):
        first = self._create_closed(60, 30, source_id=self.good.id, age=200)
        self.assertTrue(first)
        first = self.model._train(self.company)
        self._create_closed(60, 54, source_id=self.good.id)
        self._create_closed(60, 6, source_id=self.bad.id)
        self._create_closed(40, 36, source_id=self.good.id, age=50)
        self._create_closed(40, 4, source_id=self.bad.id, age=50)
        second = self.model._train(self.company)
        self.assertEqual(second.deals, 260)
        states = (first | second).mapped("state")
        self.assertIn(sorted(states), (["active", "followed"], ["active", "refused"]))
        active = self.model.search([("company_id", "=", self.company.id), ("state", "=", "active")])
        self.assertEqual(len(active), 1)

    def test_worse_version_is_refused(self):
        """What would be learned without the new deals does worse on them than what is in use."""
        self._create_closed(200, 100, age=300)
        first = self.model._train(self.company)
        first.data = {**first.data, "base": -3.0, "inputs": []}  # knows the future: all are lost
        self._create_closed(60, 1, age=40)
        second = self.model._train(self.company)
        self.assertEqual((first.state, second.state), ("active", "refused"))

    def test_job_trains_every_company(self):
        self._create_closed(12, 6)
        with self.enter_registry_test_mode():
            self.env.ref("crm_scoring.ir_cron_train_model").method_direct_trigger()
        self.assertEqual(self.model.search_count([("company_id", "=", self.company.id)]), 1)

    # Companies and rights

    def test_companies_learn_from_their_own_deals(self):
        self._train_on_sources()
        other = self.env["res.company"].create({"name": "Another"})
        self.assertFalse(self.model._train(other))
        deal = self._create_open(source_id=self.good.id, company_id=other.id)
        self.assertEqual(deal.score_sample_size, 0)
        self.assertFalse(deal.score_data_enough)

    def test_archived_and_deleted_deals_do_not_count(self):
        deals = self._create_closed(12, 6)
        self._create_open().active = False
        deals[0].unlink()
        version = self.model._train(self.company)
        self.assertEqual(version.deals, 11)

    @users("scoring_manager")
    def test_managers_read_and_nobody_writes(self):
        self.user_manager.sudo().company_ids |= self.company
        version = self.model.sudo().create(
            {
                "company_id": self.company.id,
                "date": fields.Datetime.now(),
                "state": "followed",
                "verdict": "ready",
                "data": {},
            }
        )
        own = version.with_user(self.env.user).with_context(allowed_company_ids=self.company.ids)
        self.assertEqual(own.verdict, "ready")
        with self.assertRaises(AccessError):
            own.state = "active"
        with self.assertRaises(AccessError):
            own.unlink()
        with self.assertRaises(AccessError):
            self.model.with_user(self.user_sales).search([])

    def test_manual_probability_stays_beside_ours(self):
        deal = self._create_open()
        deal.probability = 17
        deal.stage_id = self.stage_next
        deal._flush_scoring()
        self.assertEqual(deal.probability, 17)
        self.assertNotEqual(deal.score_probability, 0)


@tagged("post_install", "-at_install")
class TestScoringModelOwnFields(ScoringModelCommon):
    """Fields that the company added to the deal; apart, for they change the registry."""

    def test_own_fields_are_inputs(self):
        self.env["ir.model.fields"].create(
            {
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "name": "x_branch",
                "field_description": "Branch",
                "ttype": "char",
            }
        )
        self.assertIn("x_branch", self.model._get_field_names())
        self._create_closed(40, 32, x_branch="North")
        self._create_closed(40, 8, x_branch="South")
        version = self.model._train(self.company)
        self.assertEqual(version.input_ids[0].name, "x_branch")
        self.assertEqual(version.input_ids[0].label, "Branch")
        north = self._create_open(x_branch=" north")
        south = self._create_open(x_branch="South")
        self.assertGreater(north.score_probability, south.score_probability + 10)
        south.x_branch = "North"
        self.assertEqual(south.score_probability, north.score_probability, "refreshed on save")
