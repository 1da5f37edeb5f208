from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged, users

from .common import ScoringCommon


@tagged("post_install", "-at_install")
class TestLeaving(ScoringCommon):
    """What follows when a deal loses value."""

    def setUp(self):
        super().setUp()
        self.activity_type = self.env.ref("crm_scoring.mail_activity_type_leaving")
        self.deal = self._create_deal(expected_revenue=20000)

    def _get_alarms(self, deal):
        return deal.activity_ids.filtered(lambda a: a.activity_type_id == self.activity_type)

    def _age(self, deal, days):
        self.env["crm.lead.scoring"]._refresh(
            deal.ids, fields.Datetime.now() + timedelta(days=days)
        )

    def test_salesperson_is_asked_once(self):
        self.factor_stage.advice = "Call the client today"
        self.assertFalse(self._get_alarms(self.deal))
        self._age(self.deal, 31)  # 80 -> 55
        alarm = self._get_alarms(self.deal)
        self.assertEqual(alarm.user_id, self.user_sales)
        self.assertIn("down 31", alarm.summary)
        self.assertIn("Call the client today", alarm.note)
        self.assertEqual(self.deal.score_advice, "Call the client today")
        self._age(self.deal, 32)
        self.deal.email_from = False
        self.deal._flush_scoring()
        self.assertEqual(self._get_alarms(self.deal), alarm)

    def test_waiting_silences_and_keeps_the_forecast(self):
        forecast = self.deal.score_expected_amount
        self.deal.with_user(self.user_sales).write(
            {
                "score_waiting_until": fields.Date.today() + timedelta(days=60),
                "score_waiting_reason": "Budget is decided in spring",
            }
        )
        self.deal._flush_scoring()
        self._age(self.deal, 31)
        self.assertEqual(self.deal.score_value, 55)
        self.assertFalse(self._get_alarms(self.deal))
        self.assertFalse(self.deal.score_leaving)
        self.assertNotIn(self.deal, self.deal.search([("score_leaving", "=", True)]))
        self.assertGreaterEqual(self.deal.score_expected_amount, forecast)
        self.deal.score_waiting_until = False
        self.deal._flush_scoring()
        self._age(self.deal, 32)
        self.assertTrue(self.deal.score_leaving)

    def test_waiting_needs_a_reason(self):
        with self.assertRaises(ValidationError):
            self.deal.score_waiting_until = fields.Date.today() + timedelta(days=5)
        with self.assertRaises(ValidationError):
            self.deal.write(
                {
                    "score_waiting_until": fields.Date.today() + timedelta(days=800),
                    "score_waiting_reason": "For ever",
                }
            )

    def test_story_ranks_what_happened_since_the_peak(self):
        self._age(self.deal, 31)
        self.deal.with_user(self.user_sales).email_from = False
        self.deal._flush_scoring()
        changes = self.deal._get_changes_since_peak()
        self.assertEqual([c["points"] for c in changes[:2]], [-30, -25][: len(changes[:2])])
        story = self.deal.score_story
        self.assertIn("No e-mail is known", story)
        self.assertIn(self.user_sales.name, story)

    def test_manager_mail_counts_what_the_reader_sees(self):
        self._age(self.deal, 31)
        leads = self.env["crm.lead"].with_user(self.user_sales)
        domain = [("id", "=", self.deal.id)]
        count, amount = leads._get_leaving_figures(domain)
        self.assertEqual((count, amount), (1, self.deal.score_amount_at_risk))
        leads = self.env["crm.lead"].with_user(self.user_other)
        self.assertEqual(leads._get_leaving_figures(domain), (0, 0))
        digest = self.env["digest.digest"].create(
            {"name": "Test", "kpi_crm_leaving": True, "company_id": self.company.id}
        )
        self.assertGreaterEqual(digest.kpi_crm_leaving_value, 1)

    def test_worth_of_the_deal(self):
        self.assertEqual(self.deal.score_worth, 20000 * 0.8)
        profile = self.env["crm.customer.profile"].sudo()
        partner = self.env["res.partner"].create({"name": "Large client"})
        profile.create(
            {"partner_id": partner.id, "company_id": self.company.id, "score_monetary": 5}
        )
        self.deal.partner_id = partner
        self.deal._flush_scoring()
        self.assertEqual(self.deal.score_worth, 20000 * 1.2 * self.deal.score_value / 100)

    def test_trend_ends_with_the_present(self):
        self._age(self.deal, 31)
        values = [point["value"] for point in self.deal.score_trend]
        self.assertEqual((values[0], values[-1]), (80, 55))

    # Adjustments that run out

    @users("scoring_sales")
    def test_adjustment_runs_out(self):
        deal = self.deal.with_env(self.env)
        until = fields.Date.today() + timedelta(days=3)
        deal.adjust_class(-1, "Slow until the fair", until)
        self.assertEqual((deal.score_class, deal.class_adjustment_until), ("B", until))
        self.env["crm.lead"].sudo()._expire_class_adjustments(until)
        self.assertEqual(deal.class_adjustment, -1, "the last day counts")
        self.env["crm.lead"].sudo()._expire_class_adjustments(until + timedelta(days=1))
        self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
        self.assertEqual((deal.class_adjustment, deal.score_class), (0, "A"))
        self.assertEqual(deal.class_adjustment_ids[0].adjustment, 0)
        with self.assertRaises(UserError):
            deal.adjust_class(1, "Late", fields.Date.today() - timedelta(days=1))
        with self.assertRaises(AccessError):
            deal.class_adjustment_until = until
