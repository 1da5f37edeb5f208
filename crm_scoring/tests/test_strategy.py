from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import Command, fields
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
        cron = self.env.ref("crm_extended.ir_cron_crm_strategy")
        self.env.cr.precommit.data.pop("crm_strategy_woken", None)
        triggers = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        self.env["crm.lead.scoring"]._refresh(deal.ids, moment)
        woken = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        self.assertEqual(woken - triggers, 1, "it is answered at once, not by the hour")
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

    def test_mail_needs_consent(self):
        """Whoever refused letters, himself or through his company, gets none."""
        firm = self.env["res.partner"].create(
            {"name": "Firm", "is_company": True, "email": "firm@example.com"}
        )
        person = self.env["res.partner"].create(
            {"name": "Person", "parent_id": firm.id, "email": "person@example.com"}
        )
        template = self.env["mail.template"].create(
            {"name": "Hello", "model_id": self.env["ir.model"]._get_id("res.partner")}
        )
        rule = self.env.ref("crm_scoring.crm_strategy_rhythm_broken")
        rule.action_ids = [
            Command.create({"kind": "mail", "template_id": template.id, "sequence": 1})
        ]
        mail = rule.action_ids.filtered("template_id")
        self.assertIsNone(mail._get_refusal(person))
        firm.occasion_consent = "refused"
        self.assertIn("does not want mail", mail._get_refusal(person))
        self.assertIn("does not want mail", mail._get_refusal(firm))

    def test_birthday(self):
        """Leap days are kept on the day before in other years; each year counts once."""
        people = self.env["res.partner"].create(
            [
                {"name": name, "birthday": day}
                for name, day in (
                    ("Leap", "1984-02-29"),
                    ("Soon", "1990-03-02"),
                    ("Later", "1990-04-02"),
                    ("Past", "1990-02-20"),
                )
            ]
        )
        rule = self.env["crm.strategy"].create({"name": "Cake", "event": "birthday", "days": 5})
        rule.domain = f"[('id', 'in', {people.ids})]"

        def find(moment):
            return [(record.name, key) for record, key in rule._get_occurrences(moment)]

        self.assertEqual(
            find(datetime(2027, 2, 26, 12)), [("Leap", "2027-02-28"), ("Soon", "2027-03-02")]
        )
        self.assertEqual(
            find(datetime(2028, 2, 26, 12)), [("Leap", "2028-02-29"), ("Soon", "2028-03-02")]
        )
        people[0].birthday = "1984-01-02"
        self.assertEqual(find(datetime(2026, 12, 30, 12)), [("Leap", "2027-01-02")])
