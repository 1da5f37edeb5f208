from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreementInvoice(AgreementCommon):
    """An invoice is held to the agreement again when it is posted."""

    def _bill(self, enforcement="block", **values):
        self.agreement = self._create_agreement(enforcement=enforcement, **values)
        self.order = self._create_order([{"product_uom_qty": 2.0}])
        self.order.action_confirm()
        return self.order._create_invoices().with_user(self.accountant)

    def test_as_ordered(self):
        invoice = self._bill()
        self.assertFalse(invoice.agreement_check)
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_what_goes_past_the_order_is_refused(self):
        invoice = self._bill()
        line = invoice.invoice_line_ids
        other = self.env.ref("base.EUR" if invoice.currency_id.name != "EUR" else "base.USD")
        other.active = True
        for values in (
            {"invoice_line_ids": [Command.update(line.id, {"price_unit": 50.0})]},
            {"invoice_line_ids": [Command.update(line.id, {"discount": 20.0})]},
            {"invoice_payment_term_id": self.term_60.id},
            {"invoice_payment_term_id": False},
            {
                "invoice_line_ids": [
                    Command.create({"name": "Bonus", "price_unit": -30.0, "tax_ids": False})
                ]
            },
        ):
            with self.subTest(values=values), self.cr.savepoint() as savepoint:
                invoice.write(values)
                self.assertEqual(invoice.agreement_check, "block")
                with self.assertRaisesRegex(UserError, self.agreement.name), self.cr.savepoint():
                    invoice.action_post()
                self.assertEqual(invoice.state, "draft")
                savepoint.rollback()
            self.env.invalidate_all()

    def test_roads(self):
        invoice = self._bill()
        invoice.invoice_line_ids.price_unit = 50.0
        with self.assertRaises(UserError):
            invoice.sudo()._post(soft=False)
        with self.assertRaises(UserError):
            self.env["validate.account.move"].with_context(
                active_model="account.move", active_ids=invoice.ids
            ).with_user(self.accountant).create({}).validate_move()
        with self.assertRaises(UserError):
            invoice.write({"state": "posted"})
        self.assertEqual(invoice.state, "draft")

    def test_dearer_and_partial_invoices_pass(self):
        invoice = self._bill()
        invoice.invoice_line_ids.write({"price_unit": 95.0, "quantity": 1.0})
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_approval(self):
        invoice = self._bill(enforcement="approve")
        invoice.invoice_line_ids.price_unit = 80.0
        self.assertEqual(invoice.agreement_check, "approve")
        with self.assertRaises(UserError):
            invoice.action_post()
        action = invoice.action_request_deviation_approval()
        self.env["crm.agreement.deviation.request"].with_user(self.accountant).with_context(
            **action["context"]
        ).create({"reason": "They found a scratch"}).action_request()
        self.assertEqual(invoice.agreement_check, "requested")
        row = self.order.sudo().deviation_ids
        self.assertEqual((row.move_id.id, row.kind, row.state), (invoice.id, "price", "requested"))
        self.assertAlmostEqual(row.amount, 20.0)
        decide = invoice.with_user(self.approver).sudo(False)
        self.assertTrue(decide.can_decide_deviations)
        self.order.with_user(self.approver)._decide_deviations(True, "Seen")
        self.assertEqual(invoice.agreement_check, "approved")
        invoice.invoice_line_ids.price_unit = 70.0
        with self.assertRaises(UserError):
            invoice.action_post()
        invoice.invoice_line_ids.price_unit = 80.0
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_warning_is_recorded(self):
        invoice = self._bill(enforcement="warn")
        invoice.invoice_payment_term_id = self.term_60
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")
        row = self.order.sudo().deviation_ids
        self.assertEqual(
            (row.state, row.kind, row.move_id.id), ("recorded", "payment_term", invoice.id)
        )

    def test_approved_order_needs_no_second_approval(self):
        self._create_agreement(enforcement="approve")
        order = self._create_order([{"price_unit": 50.0}], payment_term_id=self.term_60.id)
        order._request_deviation_approval("Please")
        order.with_user(self.approver)._decide_deviations(True, "Fine")
        order.action_confirm()
        invoice = order._create_invoices().with_user(self.accountant)
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_down_payment(self):
        self._create_agreement()
        order = self._create_order([{"product_uom_qty": 2.0}])
        order.action_confirm()
        self.env["sale.advance.payment.inv"].with_context(
            active_model="sale.order", active_ids=order.ids
        ).create({"advance_payment_method": "percentage", "amount": 50}).create_invoices()
        order.invoice_ids.with_user(self.accountant).action_post()
        final = order._create_invoices(final=True).with_user(self.accountant)
        final.action_post()
        self.assertEqual(final.state, "posted")

    def test_without_an_agreement_nothing_is_held(self):
        order = self._create_order(partner_id=self.other_client.id)
        order.action_confirm()
        invoice = order._create_invoices().with_user(self.accountant)
        invoice.invoice_line_ids.price_unit = 1.0
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")
