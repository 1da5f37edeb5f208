from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import ScoringCommon


@tagged("post_install", "-at_install")
class TestClassAdjustment(ScoringCommon):
    def test_salesperson_leader_and_manager_may_adjust(self):
        for user in (self.user_sales, self.user_all, self.user_manager):
            deal = self._create_deal()
            deal.with_user(user).adjust_class(1, "Known buyer")
            self.assertEqual((deal.score_class_auto, deal.score_class), ("B", "A"))
            log = deal.class_adjustment_ids
            self.assertEqual(log.user_id, user)
            self.assertEqual(log.reason, "Known buyer")
            self.assertEqual((log.class_auto, log.class_before, log.class_after), ("B", "B", "A"))
            self.assertEqual(log.score_value, 60)

    def test_leader_may_adjust_what_the_leader_sees(self):
        deal = self._create_deal(user_id=False)
        self.assertEqual(deal.team_id, self.team)
        deal.with_user(self.user_leader).adjust_class(-1, "No budget")
        self.assertEqual(deal.score_class, "C")

    def test_others_may_not(self):
        deal = self._create_deal()
        with self.assertRaises(AccessError):
            deal.with_user(self.user_other).adjust_class(1, "I want it")
        unassigned = self._create_deal(user_id=False)
        with self.assertRaises(AccessError):  # may write the deal, is not responsible for it
            unassigned.with_user(self.user_other).adjust_class(1, "I want it")
        self.assertFalse(unassigned.with_user(self.user_other).can_adjust_class)
        self.assertEqual((deal + unassigned).mapped("class_adjustment"), [0, 0])
        self.assertFalse((deal + unassigned).class_adjustment_ids)

    def test_reason_and_step_are_checked(self):
        deal = self._create_deal().with_user(self.user_sales)
        for reason in ("", "   ", False, None, 5):
            with self.assertRaises(UserError):
                deal.adjust_class(1, reason)
        for step in (2, -2, 0.5, "1", True, None):
            with self.assertRaises(UserError):
                deal.adjust_class(step, "Because")
        self.assertFalse(deal.class_adjustment_ids)

    def test_class_is_capped_at_both_ends(self):
        best = self._create_deal(expected_revenue=20000)
        best.with_user(self.user_sales).adjust_class(1, "Still better")
        self.assertEqual((best.score_class_auto, best.score_class), ("A", "A"))
        worst = self._create_deal(expected_revenue=0, email_from=False)
        worst.with_user(self.user_sales).adjust_class(-1, "Still worse")
        self.assertEqual((worst.score_class_auto, worst.score_class), ("D", "D"))

    def test_adjustment_outlives_a_refresh_and_can_be_taken_back(self):
        deal = self._create_deal().with_user(self.user_sales)
        deal.adjust_class(1, "Known buyer")
        deal.sudo().expected_revenue = 0
        deal.invalidate_recordset()
        self.assertEqual((deal.score_value, deal.score_class), (40, "B"))
        deal.adjust_class(0, "Was wrong")
        self.assertEqual((deal.score_class, deal.class_adjustment), ("C", 0))
        self.assertFalse(deal.class_adjustment_reason)
        self.assertEqual(len(deal.class_adjustment_ids), 2)

    def test_closed_deals_are_not_adjusted(self):
        deal = self._create_deal()
        deal.action_set_won()
        with self.assertRaises(AccessError):
            deal.with_user(self.user_manager).adjust_class(1, "Too late")

    def test_chatter_tells_who_and_why(self):
        deal = self._create_deal().with_user(self.user_sales)
        deal = deal.with_context(tracking_disable=False, mail_notrack=False)
        self.flush_tracking()
        deal.adjust_class(1, "Knows <us> well")
        self.flush_tracking()
        message = deal.message_ids[0]
        self.assertEqual(message.author_id, self.user_sales.partner_id)
        self.assertIn("Knows &lt;us&gt; well", message.body)
        tracked = message.sudo().tracking_value_ids
        self.assertEqual(tracked.field_id.name, "class_adjustment")
        self.assertEqual(tracked.new_value_integer, 1)

    def test_dialog(self):
        deal = self._create_deal().with_user(self.user_sales)
        action = deal.action_raise_class()
        form = Form(
            self.env[action["res_model"]]
            .with_user(self.user_sales)
            .with_context(**action["context"])
        )
        self.assertEqual(form.new_class, "A")
        form.reason = "Known buyer"
        form.save().action_apply()
        self.assertEqual((deal.score_class, deal.class_adjustment), ("A", 1))
        self.assertEqual(deal.class_adjustment_user_id, self.user_sales)
        self.assertEqual(deal.action_lower_class()["context"]["default_adjustment"], "0")

    def flush_tracking(self):
        self.env.flush_all()
        self.env.cr.flush()
