from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreementApproval(AgreementCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreement = cls._create_agreement(enforcement="approve")
        cls.order = cls._create_order([{"discount": 20.0, "product_uom_qty": 10.0}])

    def _request(self, order=None):
        order = order or self.order
        self.env["crm.agreement.deviation.request"].with_user(self.salesman).create(
            {"order_id": order.id, "reason": "Their first big order"}
        ).action_request()

    def _decide(self, approve=True, user=None, reason="Worth it"):
        wizard = (
            self.env["crm.agreement.deviation.decision"]
            .with_user(user or self.approver)
            .create({"order_id": self.order.id, "reason": reason})
        )
        return wizard.action_approve() if approve else wizard.action_refuse()

    def test_story(self):
        self.assertEqual(self.order.agreement_check, "approve")
        with self.assertRaises(UserError):
            self.order.action_confirm()
        self._request()
        self.assertEqual(self.order.agreement_check, "requested")
        self.assertIn(self.approver, self.order.activity_ids.user_id)
        with self.assertRaises(UserError):
            self.order.action_confirm()
        form = Form(
            self.env["crm.agreement.deviation.decision"]
            .with_user(self.approver)
            .with_context(default_order_id=self.order.id)
        )
        self.assertEqual(form.request_reason, "Their first big order")
        row = form.deviation_ids[0]
        self.assertIn("5 %", row.expected)
        self.assertIn("20 %", row.actual)
        self._decide()
        row = self.order.deviation_ids
        self.assertEqual(row.state, "approved")
        self.assertEqual(row.approver_id, self.approver)
        self.assertEqual(row.reason, "Worth it")
        self.assertAlmostEqual(row.amount, 135.0)  # floor 85.50, price 72.00, 10 pieces
        self.assertFalse(self.order.activity_ids)
        self.assertEqual(self.order.agreement_check, "approved")
        self.order.action_confirm()
        self.assertEqual(self.order.state, "sale")

    def test_change_voids_what_changed(self):
        self.order.payment_term_id = self.term_60
        self._request()
        self._decide()
        self.assertEqual(set(self.order.deviation_ids.mapped("state")), {"approved"})
        self.order.order_line.discount = 21.0
        states = {row.kind: row.state for row in self.order.deviation_ids}
        self.assertEqual(states, {"discount": "void", "payment_term": "approved"})
        self.assertEqual(self.order.agreement_check, "approve")
        with self.assertRaises(UserError):
            self.order.action_confirm()
        self.order.order_line.discount = 20.0
        with self.assertRaises(UserError, msg="a void approval does not come back"):
            self.order.action_confirm()
        self._request()
        self.assertEqual(
            self.order.deviation_ids.filtered(lambda row: row.state == "requested").kind,
            "discount",
        )

    def test_quantity_is_part_of_what_was_approved(self):
        self._request()
        self._decide()
        self.order.order_line.product_uom_qty = 1000.0
        self.assertEqual(self.order.deviation_ids.state, "void")

    def test_request_is_void_when_the_order_changes(self):
        self._request()
        self.order.order_line.discount = 30.0
        self.assertEqual(self.order.deviation_ids.state, "void")
        self.assertFalse(self.order.activity_ids)
        with self.assertRaises(UserError):
            self._decide()

    def test_other_changes_keep_the_approval(self):
        self._request()
        self._decide()
        self.order.write({"client_order_ref": "PO 1", "note": "Thanks"})
        self.assertEqual(self.order.deviation_ids.state, "approved")
        self.order.action_confirm()

    def test_refusal(self):
        self._request()
        self._decide(approve=False, reason="Too much")
        self.assertEqual(self.order.deviation_ids.state, "refused")
        with self.assertRaises(UserError):
            self.order.action_confirm()

    def test_who_decides(self):
        self._request()
        with self.assertRaises(AccessError):
            self._decide(user=self.salesman)
        with self.assertRaises(AccessError):
            self.order.with_user(self.salesman)._decide_deviations(True, "Me")
        self.order.sudo().user_id = self.approver
        self.assertFalse(self.order.with_user(self.approver).can_decide_deviations)
        with self.assertRaises(UserError):
            self._decide(user=self.approver)
        self.assertTrue(self.order.with_user(self.approver_2).can_decide_deviations)
        with self.assertRaises(UserError):
            self._decide(user=self.approver_2, reason="  ")
        self._decide(user=self.approver_2)
        self.assertEqual(self.order.sudo().deviation_ids.approver_id, self.approver_2)

    def test_own_request(self):
        order = self.order.with_user(self.approver)
        order._request_deviation_approval("Mine")
        with self.assertRaises(UserError):
            order._decide_deviations(True, "Mine as well")
        self.env.company.agreement_self_approval = True
        order._decide_deviations(True, "Allowed here")
        self.assertEqual(self.order.deviation_ids.state, "approved")

    def test_rows_cannot_be_written(self):
        self._request()
        row = self.order.deviation_ids
        for user in (self.salesman, self.approver, self.accountant):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    row.with_user(user).write({"state": "approved", "approver_id": user.id})
                with self.assertRaises(AccessError):
                    row.with_user(user).unlink()
                with self.assertRaises(AccessError):
                    row.with_user(user).copy()
        for user in (self.salesman, self.approver):
            with self.assertRaises(AccessError):
                self.order.with_user(user).write(
                    {"deviation_ids": [(1, row.id, {"state": "approved"})]}
                )

    def test_nothing_to_ask_for(self):
        with self.assertRaises(UserError):
            self._request(self._create_order())
        blocked = self._create_agreement(partner_id=self.other_client.id)
        order = self._create_order([{"discount": 50.0}], partner_id=self.other_client.id)
        self.assertEqual(order.sudo().agreement_id, blocked)
        self.assertEqual(order.agreement_check, "block")
        with self.assertRaises(UserError):
            self._request(order)

    def test_warning_lets_pass_and_keeps_a_record(self):
        self._create_agreement(partner_id=self.other_client.id, enforcement="warn")
        order = self._create_order([{"discount": 50.0}], partner_id=self.other_client.id)
        self.assertEqual(order.agreement_check, "warn")
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        row = order.sudo().deviation_ids
        self.assertEqual((row.state, row.kind), ("recorded", "discount"))
        self.assertTrue(
            order.message_ids.filtered(lambda message: "deviations" in (message.body or ""))
        )

    def test_more_than_one_order_at_a_time(self):
        self._request()
        other = self._create_order([{"discount": 20.0}])
        self._request(other)
        rows = (self.order + other).deviation_ids
        with self.assertRaises(UserError):
            rows.with_user(self.approver).action_decide()
        action = rows[0].with_user(self.approver).action_decide()
        self.assertEqual(action["res_model"], "crm.agreement.deviation.decision")

    def test_other_salesman_sees_nothing(self):
        self._request()
        self.assertFalse(
            self.env["crm.agreement.deviation"].with_user(self.other_salesman).search([])
        )
