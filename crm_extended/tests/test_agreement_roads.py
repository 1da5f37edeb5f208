from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreementRoads(AgreementCommon):
    """No road leads to a confirmed order past its agreement."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreement = cls._create_agreement()
        cls.bad = cls._create_order([{"price_unit": 50.0}])
        cls.good = cls._create_order()

    def _assert_refused(self, function):
        with self.assertRaises(UserError) as raised:
            function()
        message = str(raised.exception)
        self.assertIn("Drill", message)
        self.assertIn(self.agreement.name, message)
        self.env.invalidate_all()
        self.assertNotEqual(self.bad.state, "sale")

    def test_button(self):
        self._assert_refused(self.bad.action_confirm)
        self.good.action_confirm()
        self.assertEqual(self.good.state, "sale")

    def test_batch(self):
        self._assert_refused((self.good + self.bad).action_confirm)

    def test_state_written(self):
        self._assert_refused(lambda: self.bad.write({"state": "sale"}))
        self._assert_refused(lambda: setattr(self.bad, "state", "sale"))
        self._assert_refused(lambda: self.bad.web_save({"state": "sale"}, {}))

    def test_state_written_with_other_values(self):
        self._assert_refused(
            lambda: self.good.write(
                {
                    "state": "sale",
                    "order_line": [Command.update(self.good.order_line.id, {"price_unit": 50.0})],
                }
            )
        )
        with self.assertRaises(UserError):
            self.good.write({"state": "sale", "agreement_id": False})
        with self.assertRaises(UserError):
            self.good.write(
                {"state": "sale", "agreement_id": False, "date_order": "2001-01-01 00:00:00"}
            )

    def test_context_of_a_client_unlocks_nothing(self):
        for value in (True, 1, "x", {}):
            self._assert_refused(self.bad.with_context(crm_agreement_check=value).action_confirm)

    def test_superuser_too(self):
        self._assert_refused(self.bad.sudo().action_confirm)

    def test_internal_methods(self):
        self._assert_refused(self.bad._validate_order)
        self._assert_refused(self.bad._action_confirm)

    def test_created_confirmed(self):
        self._assert_refused(lambda: self._create_order([{"price_unit": 50.0}], state="sale"))
        with self.assertRaises(UserError):
            self._create_order([{"price_unit": 50.0}], state="sale", agreement_id=False)
        order = self._create_order(state="sale")
        self.assertEqual(order.agreement_id, self.agreement)

    def test_copied_confirmed(self):
        self._assert_refused(lambda: self.bad.copy({"state": "sale"}))

    def test_imported(self):
        result = (
            self.env["sale.order"]
            .with_user(self.salesman)
            .load(
                ["partner_id/.id", "state", "order_line/product_id/.id", "order_line/price_unit"],
                [[str(self.client.id), "sale", str(self.drill.id), "50"]],
            )
        )
        self.assertFalse(result["ids"])
        self.assertIn("Drill", result["messages"][0]["message"])
        result = (
            self.env["sale.order"]
            .with_user(self.salesman)
            .load([".id", "state"], [[str(self.bad.id), "sale"]])
        )
        self.assertFalse(result["ids"])

    def test_cancelled_and_back(self):
        self.bad.action_cancel()
        self.bad.action_draft()
        self._assert_refused(self.bad.action_confirm)

    def test_payment_confirms_only_within_terms(self):
        provider = self.env["payment.provider"].search([], limit=1)
        method = self.env["payment.method"].with_context(active_test=False).search([], limit=1)
        transactions = self.env["payment.transaction"]
        for order in (self.good, self.bad):
            order.sudo().write({"require_payment": True, "prepayment_percent": 1.0})
            transactions += self.env["payment.transaction"].create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": method.id,
                    "amount": order.amount_total,
                    "currency_id": order.currency_id.id,
                    "partner_id": order.partner_id.id,
                    "reference": f"AG-{order.id}",
                    "state": "done",
                    "sale_order_ids": [Command.set(order.ids)],
                }
            )
        confirmed = transactions._check_amount_and_confirm_order()
        self.assertEqual(confirmed, self.good)
        self.assertEqual(self.bad.state, "draft")
        self.assertEqual(self.bad.activity_ids.user_id, self.salesman)
        self.assertIn("not confirmed", self.bad.message_ids[0].body)

    # After the confirmation -----------------------------------------

    def test_confirmed_order_cannot_leave_the_agreement(self):
        self.good.action_confirm()
        line = self.good.order_line
        for function in (
            lambda: line.write({"price_unit": 50.0}),
            lambda: line.write({"discount": 30.0}),
            lambda: self.good.write({"order_line": [Command.update(line.id, {"discount": 30.0})]}),
            lambda: self.good.write(
                {"order_line": [Command.create({"product_id": self.drill.id, "price_unit": 1.0})]}
            ),
            lambda: self.env["sale.order.line"].create(
                {"order_id": self.good.id, "product_id": self.drill.id, "price_unit": 1.0}
            ),
            lambda: self.good.write({"payment_term_id": self.term_60.id}),
            lambda: self.good.write({"agreement_id": False}),
        ):
            with self.assertRaises(UserError):
                function()
            self.env.invalidate_all()
        line.write({"product_uom_qty": 7.0, "discount": 5.0})
        self.good.write({"order_line": [Command.create({"product_id": self.saw.id})]})
        self.assertEqual(len(self.good.order_line), 2)

    def test_line_moved_into_a_confirmed_order(self):
        self.good.action_confirm()
        with self.assertRaises(UserError):
            self.bad.order_line.write({"order_id": self.good.id})

    def test_old_deviation_does_not_freeze_a_confirmed_order(self):
        """Prices of the list rise after the confirmation; the order can still be worked on."""
        self.good.action_confirm()
        self.drill.list_price = 150.0
        self.env.invalidate_all()
        self.assertTrue(self.good._get_deviations())
        self.good.order_line.product_uom_qty = 3.0
        self.assertEqual(self.good.order_line.product_uom_qty, 3.0)
        with self.assertRaises(UserError):
            self.good.order_line.price_unit = 80.0

    def test_order_confirmed_before_the_agreement(self):
        order = self._create_order(partner_id=self.other_client.id, user_id=self.salesman.id)
        order.action_confirm()
        self._create_agreement(partner_id=self.other_client.id)
        order.order_line.price_unit = 20.0
        self.assertEqual(order.order_line.price_unit, 20.0)
