from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimLine(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_order(quantity=5)
        cls.order_line = cls.order.order_line

    def _claim_of(self, quantity, **values):
        return self._create_claim(
            order_id=self.order.id,
            line_ids=[Command.create({"order_line_id": self.order_line.id, "quantity": quantity})],
            **values,
        )

    def test_values_come_from_the_order(self):
        self.order_line.discount = 10
        claim = self._claim_of(2)
        line = claim.line_ids
        self.assertEqual(line.product_id, self.product)
        self.assertEqual((line.price_unit, line.amount), (90, 180))
        self.assertEqual(claim.amount_claimed, 180)
        self.assertEqual(line.quantity_sold, 5)

    def test_not_more_than_sold(self):
        with self.assertRefused(ValidationError, "only 5 can be"):
            self._claim_of(6)

    def test_not_more_than_other_claims_leave(self):
        first = self._claim_of(3)
        with self.assertRefused(ValidationError, "only 2 can be"):
            self._claim_of(3)
        self.assertEqual(self._claim_of(2).line_ids.quantity_other_claims, 3)
        first.line_ids.quantity = 1
        with self.assertRaises(ValidationError):
            first.line_ids.quantity = 4

    def test_two_lines_of_one_claim_count_together(self):
        with self.assertRaises(ValidationError):
            self._create_claim(
                order_id=self.order.id,
                line_ids=[
                    Command.create({"order_line_id": self.order_line.id, "quantity": 3})
                    for __ in range(2)
                ],
            )

    def test_cancelled_claims_free_their_quantity(self):
        first = self._claim_of(5)
        first._move_to("cancelled")
        self._claim_of(5)
        with self.assertRaises(ValidationError):
            first.action_reopen()

    def test_quotation_was_not_sold(self):
        order = self._create_order(confirm=False)
        with self.assertRefused(ValidationError, "only 0 can be"):
            self._create_claim(
                line_ids=[Command.create({"order_line_id": order.order_line.id, "quantity": 1})]
            )

    def test_line_of_another_order(self):
        other = self._create_order()
        with self.assertRefused(ValidationError, "does not belong"):
            self._create_claim(
                order_id=self.order.id,
                line_ids=[Command.create({"order_line_id": other.order_line.id, "quantity": 1})],
            )

    def test_product_without_an_order(self):
        claim = self._create_claim(
            line_ids=[Command.create({"product_id": self.product.id, "quantity": 2})]
        )
        self.assertEqual(claim.amount_claimed, 200)

    def test_not_more_granted_than_claimed(self):
        claim = self._claim_of(2)
        with self.assertRefused(ValidationError, "more granted"):
            claim.line_ids.quantity_granted = 3

    def test_register_from_order(self):
        action = self.order.with_user(self.user_all).action_register_claim()
        claim = (
            self.env["crm.claim"]
            .with_user(self.user_all)
            .with_context(**action["context"])
            .create({"subject": "From the order"})
        )
        self.assertEqual((claim.order_id, claim.partner_id), (self.order, self.contact))
        self.assertEqual(self.order.with_user(self.user_all).claim_count, 1)
        self.assertEqual(self.customer.with_user(self.user_all).claim_count, 1)
