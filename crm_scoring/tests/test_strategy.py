from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .common import ScoringCommon


@tagged("post_install", "-at_install")
class TestScoringStrategies(ScoringCommon):
    """Events of the scores: whom they concern, and that they are answered once."""

    def _run(self):
        cron = type(self.env["ir.cron"])
        with patch.object(cron, "_commit_progress", lambda *args, **kwargs: 60.0):
            self.env["crm.strategy"]._cron_strategies()
        self.env.invalidate_all()

    def test_deal_leaving(self):
        rule = self.env.ref("crm_scoring.crm_strategy_deal_leaving")
        self.assertFalse(rule.is_on)
        deal = self._create_deal(expected_revenue=20000)
        rule.domain = f"[('id', '=', {deal.id})]"
        rule.with_user(self.user_manager).action_switch_on()
        self._run()
        self.assertFalse(rule.run_ids)
        moment = fields.Datetime.now() + timedelta(days=31)
        self.env["crm.lead.scoring"]._refresh(deal.ids, moment)
        self._run()
        self._run()
        self.assertEqual(rule.run_ids.state, "done", rule.run_ids.result)
        calls = self.env["crm.interaction"].search(
            [("res_model", "=", "crm.lead"), ("res_id", "=", deal.id), ("state", "=", "planned")]
        )
        self.assertEqual(calls.user_id, self.user_sales)
        summary = self.env.ref("crm_scoring.crm_strategy_deal_leaving_head").summary
        todo = deal.activity_ids.filtered(lambda activity: activity.summary == summary)
        self.assertEqual(todo.user_id, self.user_leader, "the head of the team")
        rule.amount = 10 * deal.score_amount_at_risk
        self.assertFalse(rule._find_deal_leaving(moment), "too little is at risk")

    def test_rhythm_broken(self):
        client = self.env["res.partner"].create({"name": "Regular", "user_id": self.user_sales.id})
        profile = self.env["crm.customer.profile"].create(
            {
                "partner_id": client.id,
                "company_id": self.company.id,
                "monetary": 500,
                "date_last": "2026-01-05",
                "is_rhythm_broken": True,
            }
        )
        rule = self.env.ref("crm_scoring.crm_strategy_rhythm_broken")
        rule.domain = f"[('id', '=', {client.id})]"
        now = fields.Datetime.now()
        self.assertEqual(rule._get_occurrences(now), [(client, "2026-01-05")])
        rule.amount = 600
        self.assertFalse(rule._get_occurrences(now))
        rule.amount = 0
        profile.is_rhythm_broken = False
        self.assertFalse(rule._get_occurrences(now))
