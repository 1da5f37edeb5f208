from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

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
        # approved for what was ordered, not for any quantity
        ordered = invoice.invoice_line_ids.quantity
        invoice.invoice_line_ids.quantity = 200.0
        with self.assertRaisesRegex(UserError, "Drill"), self.cr.savepoint():
            invoice.action_post()
        invoice.invoice_line_ids.quantity = ordered
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


@tagged("post_install", "-at_install")
class TestAgreementInvoiceByHand(AgreementCommon):
    """What is billed past orders is held to the agreement as well."""

    def _bill(self, lines=({},), user=None, **values):
        return (
            self.env["account.move"]
            .with_user(user or self.accountant)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.contact.id,
                    "invoice_user_id": self.salesman.id,
                    "invoice_payment_term_id": self.term_30.id,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "product_id": self.drill.id,
                                "quantity": 2.0,
                                "price_unit": 90.0,
                                "tax_ids": False,
                                **line,
                            }
                        )
                        for line in lines
                    ],
                    **values,
                }
            )
        )

    def _request(self, invoice, user=None):
        action = invoice.action_request_deviation_approval()
        self.env["crm.agreement.deviation.request"].with_user(user or self.accountant).with_context(
            **action["context"]
        ).create({"reason": "Fair"}).action_request()

    def _assert_refused(self, invoice, text):
        with self.assertRaisesRegex(UserError, text), self.cr.savepoint():
            invoice.action_post()
        self.env.invalidate_all()
        self.assertEqual(invoice.state, "draft")

    def test_within_the_agreement(self):
        self._create_agreement()
        invoice = self._bill([{}, {"product_id": False, "name": "Freight", "price_unit": 7.0}])
        self.assertFalse(invoice.agreement_check)
        invoice.invoice_line_ids[0].discount = 5.0  # what the agreement allows
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_each_kind_in_each_mode(self):
        other = self.env.ref(
            "base.EUR" if self.env.company.currency_id.name != "EUR" else "base.USD"
        )
        other.active = True
        kinds = {
            "price": {"lines": [{"price_unit": 50.0}]},
            "discount": {"lines": [{"discount": 20.0}]},
            "payment_term": {"invoice_payment_term_id": self.term_60.id},
            "currency": {"currency_id": other.id, "lines": [{"price_unit": 5000.0}]},
        }
        for mode in ("block", "approve", "warn"):
            self.env["crm.agreement"].search([("partner_id", "=", self.client.id)]).filtered(
                lambda agreement: agreement.state == "active"
            ).with_user(self.approver).action_close()
            agreement = self._create_agreement(enforcement=mode)
            for kind, values in kinds.items():
                with self.subTest(mode=mode, kind=kind):
                    invoice = self._bill(**values)
                    self.assertEqual([d.kind for d in invoice._get_deviations()], [kind])
                    self.assertEqual(invoice.agreement_check, mode)
                    if mode != "warn":
                        self._assert_refused(invoice, agreement.name)
                    if mode == "block":
                        with self.assertRaises(UserError), self.cr.savepoint():
                            invoice._request_deviation_approval("Please")
                        continue
                    if mode == "approve":
                        self._request(invoice)
                        invoice.with_user(self.approver)._decide_deviations(True, "Fine")
                    invoice.action_post()
                    self.assertEqual(invoice.state, "posted")
                    row = invoice.sudo().deviation_ids
                    self.assertEqual(
                        (row.kind, row.state, row.order_id.id, row.agreement_id),
                        (kind, {"approve": "approved", "warn": "recorded"}[mode], False, agreement),
                    )
                    self.assertEqual(
                        (row.partner_id, row.user_id, row.company_id, row.currency_id),
                        (
                            self.contact,
                            self.salesman,
                            self.env.company,
                            invoice.currency_id,
                        ),
                    )

    def test_approval_by_another_person(self):
        self._create_agreement(enforcement="approve")
        invoice = self._bill([{"price_unit": 80.0}])
        self._request(invoice)
        self.assertEqual(invoice.agreement_check, "requested")
        self._assert_refused(invoice, "still has to decide")
        self.assertIn(self.approver, invoice.activity_ids.user_id)
        row = invoice.sudo().deviation_ids
        self.assertAlmostEqual(row.amount, 11.0)  # floor 85.50, price 80.00, 2 pieces
        mine = invoice.with_user(self.approver)
        self.assertTrue(mine.can_decide_deviations)
        self.assertFalse(invoice.can_decide_deviations)
        with self.assertRaises(AccessError):
            invoice._decide_deviations(True, "Myself")
        action = row.with_user(self.approver).action_decide()
        Decision = self.env["crm.agreement.deviation.decision"].with_user(self.approver)
        form = Form(Decision.with_context(**action["context"]))
        self.assertEqual(form.partner_id, self.contact)
        self.assertEqual(len(form.deviation_ids), 1)
        form.reason = "Seen"
        form.save().action_approve()
        self.assertEqual(
            (row.state, row.approver_id, row.reason), ("approved", self.approver, "Seen")
        )
        self.assertFalse(invoice.activity_ids)
        # other figures need another decision
        invoice.invoice_line_ids.price_unit = 70.0
        self._assert_refused(invoice, "Request Approval")
        self._request(invoice)
        self.assertEqual(row.state, "void")
        invoice.invoice_line_ids.price_unit = 80.0
        self._request(invoice)
        invoice.with_user(self.approver)._decide_deviations(True, "Again")
        invoice.action_post()
        report = self.env["crm.agreement.deviation.report"].with_user(self.auditor)
        found = report.search([("move_id", "=", invoice.id), ("state", "=", "approved")])
        self.assertEqual((found.user_id, found.commercial_partner_id), (self.salesman, self.client))
        self.assertAlmostEqual(found.amount_given, 11.0)
        self.assertEqual(found.action_open_order()["res_model"], "account.move")

    def test_nobody_decides_about_his_own(self):
        self._create_agreement(enforcement="approve")
        invoice = self._bill([{"price_unit": 80.0}], invoice_user_id=self.approver.id)
        self._request(invoice)
        with self.assertRaisesRegex(UserError, "another approver"):
            invoice.with_user(self.approver)._decide_deviations(True, "My client")
        invoice.with_user(self.approver_2)._decide_deviations(False, "No")
        self._assert_refused(invoice, "Request Approval")

    def test_seller_of_the_order_does_not_decide_on_its_invoice(self):
        """Not either when the invoice names somebody else and a remote call opens the dialog."""
        self._create_agreement(enforcement="approve")
        order = self._create_order()
        order.action_confirm()
        invoice = order._create_invoices().with_user(self.accountant)
        order.sudo().user_id = self.approver
        invoice.invoice_line_ids.price_unit = 80.0
        self._request(invoice)
        Decision = self.env["crm.agreement.deviation.decision"]
        values = {"move_id": invoice.id, "reason": "Mine"}
        with self.assertRaisesRegex(UserError, "another approver"):
            Decision.with_user(self.approver).create(values).action_approve()
        Decision.with_user(self.approver_2).create(values).action_approve()
        self.assertEqual(invoice.agreement_check, "approved")

    def test_approved_line_is_not_approved_twice(self):
        self._create_agreement(enforcement="approve")
        invoice = self._bill([{"price_unit": 80.0}])
        self._request(invoice)
        invoice.with_user(self.approver)._decide_deviations(True, "These two")
        self.assertEqual(invoice.agreement_check, "approved")
        again = {"product_id": self.drill.id, "quantity": 2.0, "price_unit": 80.0, "tax_ids": False}
        invoice.invoice_line_ids = [Command.create(again)]
        self._assert_refused(invoice, "Request Approval")
        self._request(invoice)
        invoice.with_user(self.approver)._decide_deviations(True, "These, too")
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_posted_invoice_stays_held(self):
        """Odoo's form is closed, its lines are open to remote calls."""
        agreement = self._create_agreement()
        invoice = self._bill()
        invoice.action_post()
        line = invoice.invoice_line_ids
        bonus = {"name": "Bonus", "price_unit": -30.0, "tax_ids": False}
        for operation in (
            lambda: line.write({"price_unit": 50.0}),
            lambda: line.write({"discount": 50.0}),
            lambda: line.create({"move_id": invoice.id, **bonus}),
            lambda: invoice.with_context(skip_readonly_check=True).write(
                {"invoice_line_ids": [Command.create(bonus)]}
            ),
            lambda: invoice.with_context(skip_readonly_check=True).write(
                {"invoice_payment_term_id": self.term_60.id}
            ),
        ):
            with self.assertRaisesRegex(UserError, agreement.name), self.cr.savepoint():
                operation()
            self.env.invalidate_all()
        line.write({"price_unit": 95.0})
        draft = self._bill()
        with self.assertRaisesRegex(UserError, agreement.name), self.cr.savepoint():
            draft.with_context(skip_readonly_check=True).write(
                {"state": "posted", "invoice_line_ids": [Command.create(bonus)]}
            )
        self.env.invalidate_all()
        draft.action_post()
        self.assertEqual(draft.state, "posted")

    def test_sale_of_a_till_is_invoiced_as_it_was_paid(self):
        self._create_agreement()
        invoice = self._bill([{"price_unit": 50.0}])
        self._assert_refused(invoice, "Drill")
        with patch.object(self.registry["account.move"], "_is_sold_at_till", lambda move: True):
            invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_discount_in_a_line_of_its_own(self):
        agreement = self._create_agreement()
        invoice = self._bill([{}, {"product_id": False, "name": "Bonus", "price_unit": -30.0}])
        self._assert_refused(invoice, f"(?s){agreement.name}.*whole invoice")

    def test_old_date_brings_no_old_terms(self):
        self._create_agreement()
        invoice = self._bill([{"price_unit": 50.0}], invoice_date="2020-01-01")
        self._assert_refused(invoice, "Drill")

    def test_line_added_to_the_invoice_of_an_order(self):
        self._create_agreement()
        order = self._create_order()
        order.action_confirm()
        invoice = order._create_invoices().with_user(self.accountant)
        invoice.write(
            {
                "invoice_line_ids": [
                    Command.create(
                        {"product_id": self.saw.id, "price_unit": 100.0, "tax_ids": False}
                    )
                ]
            }
        )
        self._assert_refused(invoice, "Saw")
        invoice.invoice_line_ids.filtered(lambda line: line.product_id == self.saw).price_unit = 180
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_link_to_an_order_vouches_for_its_product_and_client_only(self):
        self._create_agreement()
        foreign = self._create_order([{"price_unit": 1.0}], partner_id=self.other_client.id)
        foreign.action_confirm()
        invoice = self._bill([{"price_unit": 50.0}])
        invoice.sudo().invoice_line_ids.sale_line_ids = foreign.order_line
        self._assert_refused(invoice, "Drill")
        order = self._create_order()
        order.action_confirm()
        invoice = order._create_invoices().with_user(self.accountant)
        line = invoice.invoice_line_ids
        line.write({"product_id": self.saw.id, "price_unit": 100.0})  # agreed 180, on the order 90
        self.assertTrue(line.sale_line_ids)
        self._assert_refused(invoice, "Saw")
        line.price_unit = 180.0
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_who_has_no_agreement_is_held_to_nothing(self):
        self._create_agreement()
        invoice = self._bill([{"price_unit": 1.0}], partner_id=self.other_client.id)
        refund = self._bill([{"price_unit": 1.0}], move_type="out_refund")
        (invoice + refund).action_post()
        self.assertEqual(set((invoice + refund).mapped("state")), {"posted"})

    def test_queries_do_not_grow_with_the_invoices(self):
        """Finding the agreement of many invoices costs as much as of one."""
        self._create_agreement()
        invoices = self.env["account.move"]
        for _number in range(6):
            invoices |= self._bill()
        invoices = invoices.sudo()
        counts = []
        for part in (invoices[:1], invoices[:1], invoices):
            self.env.flush_all()
            self.env.invalidate_all()
            part.mapped("invoice_line_ids.sale_line_ids")
            start = self.cr.sql_log_count
            part._get_hand_agreements()
            counts.append(self.cr.sql_log_count - start)
        self.assertLessEqual(counts[2], counts[1] + 2)
