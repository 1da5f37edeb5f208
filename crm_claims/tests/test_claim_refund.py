from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.mail.tests.common import mail_new_test_user
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import RefusalCase


@tagged("post_install", "-at_install")
class TestClaimRefund(RefusalCase, AccountTestInvoicingCommon):
    """From a claimed order line to the draft credit note on its invoice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids |= cls.env.ref("sales_team.group_sale_manager")
        cls.env.user.group_ids |= cls.env.ref("crm_claims.crm_claims_group_manager")
        cls.company = cls.env.company
        cls.tax = cls.company_data["default_tax_sale"]  # 15 %
        cls.handler = mail_new_test_user(
            cls.env,
            login="refund_handler",
            groups="crm_claims.crm_claims_group_user_all",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.accountant = mail_new_test_user(
            cls.env,
            login="refund_accountant",
            groups="account.group_account_invoice",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.cause = cls.env["crm.claim.cause"].create({"name": "Refund Cause"})
        cls.goods = cls.env["product.product"].create(
            {"name": "Refund Drill", "type": "consu", "invoice_policy": "order"}
        )
        cls.order = cls.env["sale.order"].create(
            {
                "partner_id": cls.partner_a.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": cls.goods.id,
                            "product_uom_qty": 5,
                            "price_unit": 100.0,
                            "discount": 10,
                            "tax_ids": [Command.set(cls.tax.ids)],
                        }
                    )
                ],
            }
        )
        cls.order.action_confirm()
        cls.invoice = cls.order._create_invoices()
        cls.invoice.action_post()

    def _claim_of(self, quantity):
        claim = (
            self.env["crm.claim"]
            .with_user(self.handler)
            .create(
                {
                    "subject": "Refund",
                    "order_id": self.order.id,
                    "remedy": "refund",
                    "line_ids": [
                        Command.create(
                            {"order_line_id": self.order.order_line.id, "quantity": quantity}
                        )
                    ],
                }
            )
        )
        claim.action_acknowledge()
        return claim

    def _new_wizard(self, claim, **values):
        return (
            self.env["crm.claim.decision"]
            .with_user(self.handler)
            .create(
                {
                    "claim_id": claim.id,
                    "decision": "satisfied",
                    "cause_id": self.cause.id,
                    "decision_text": "Because",
                    **values,
                }
            )
        )

    def _decide(self, claim, granted=None, **values):
        wizard = self._new_wizard(claim, **values)
        if granted is not None:
            wizard.remedy_ids.quantity = granted
        wizard.action_decide()
        return wizard

    def test_credit_note_of_the_granted_quantity(self):
        claim = self._claim_of(3)
        self.assertEqual(claim.amount_claimed, 310.5)
        self._decide(claim, granted=2, decision="partly")
        self.assertRecordValues(
            claim.remedy_ids,
            [{"kind": "refund", "quantity": 2, "amount": 207, "state": "progress"}],
        )
        note = claim.sudo().credit_note_ids
        self.assertEqual((note.move_type, note.state), ("out_refund", "draft"))
        self.assertEqual(note.reversed_entry_id, self.invoice)
        self.assertEqual(note.partner_id, self.partner_a)
        self.assertEqual(note.amount_total, 207)
        self.assertEqual(claim.amount_granted, 207)
        line = note.invoice_line_ids
        self.assertEqual((line.quantity, line.price_unit, line.discount), (2, 100, 10))
        self.assertEqual(line.tax_ids, self.tax)
        self.assertEqual(line.account_id, self.invoice.invoice_line_ids.account_id)
        self.assertEqual(line.claim_line_id, claim.line_ids)
        self.assertEqual(line.sale_line_ids, self.order.order_line)
        self.assertEqual(claim.with_user(self.handler).credit_note_count, 1)
        note.with_user(self.accountant).action_post()
        self.assertEqual(self.order.order_line.qty_invoiced, 3)

    def test_handler_opens_and_does_not_change_the_credit_note(self):
        claim = self._claim_of(1)
        self._decide(claim)
        action = claim.action_view_credit_notes()
        note = self.env["account.move"].with_user(self.handler).browse(action["res_id"])
        self.assertTrue(note.read(["name", "amount_total"]))
        with self.assertRaises(AccessError):
            note.write({"ref": "x"})

    def test_invoice_shows_the_claim(self):
        claim = self._claim_of(1)
        self._decide(claim)
        for move in (self.invoice, claim.sudo().credit_note_ids.with_env(self.env)):
            seen = move.with_user(self.accountant)
            self.assertEqual(seen.claim_count, 1)
            self.assertEqual(seen.action_view_claims()["res_id"], claim.id)

    def test_no_second_credit_note_for_one_claim(self):
        claim = self._claim_of(2)
        self._decide(claim)
        with self.assertRefused(UserError, "nothing to credit"):
            claim.action_create_credit_note()
        claim.sudo().credit_note_ids.button_cancel()
        claim.action_create_credit_note()
        self.assertEqual(len(claim.sudo().credit_note_ids), 2)
        self.assertEqual(claim.amount_granted, 207, "a cancelled note does not count")

    def _reverse_by_hand(self, quantity):
        reversal = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=self.invoice.ids)
            .create({"journal_id": self.invoice.journal_id.id})
        )
        by_hand = self.env["account.move"].browse(reversal.reverse_moves()["res_id"])
        by_hand.invoice_line_ids.quantity = quantity
        return by_hand

    def test_what_was_credited_by_hand_is_not_credited_again(self):
        self._reverse_by_hand(4)
        claim = self._claim_of(2)
        with self.assertRefused(UserError, "only 1 can still be credited"):
            self._decide(claim)
        self._decide(claim, granted=1)
        self.assertEqual(claim.sudo().credit_note_ids.invoice_line_ids.quantity, 1)

    def test_a_refused_credit_note_leaves_no_decision(self):
        self._reverse_by_hand(4)
        claim = self._claim_of(2)
        with self.assertRefused(UserError, "only 1 can still be credited"):
            self._decide(claim)
        claim.invalidate_recordset()
        self.assertEqual(claim.state, "acknowledged")
        self.assertFalse(claim.remedy_ids)

    def test_refund_of_an_order_that_is_not_invoiced(self):
        self.invoice.button_draft()
        self.invoice.button_cancel()
        claim = self._claim_of(2)
        self._decide(claim)
        self.assertFalse(claim.sudo().credit_note_ids)
        self.assertEqual((claim.state, claim.amount_granted), ("decided", 207))
        self.assertEqual(claim.remedy_ids.state, "granted", "to do once there is an invoice")

    def test_part_of_the_price(self):
        claim = self._claim_of(4)
        wizard = self._new_wizard(claim)
        wizard.remedy_ids.amount = 207  # half of 4 x 103.50
        wizard.action_decide()
        note = claim.sudo().credit_note_ids
        self.assertEqual(note.amount_total, 207)
        self.assertEqual(
            (note.invoice_line_ids.quantity, note.invoice_line_ids.price_unit), (4, 50)
        )
        other = self._claim_of(1)
        self._decide(other)
        self.assertEqual(other.amount_granted, 103.5, "half of the price of 4 leaves 3 to refund")

    def test_one_item_refunded_and_replaced(self):
        claim = self._claim_of(3)
        wizard = self._new_wizard(claim)
        wizard.remedy_ids.quantity = 1
        wizard.remedy_ids = [
            Command.create(
                {"kind": "replacement", "claim_line_id": claim.line_ids.id, "quantity": 2}
            )
        ]
        wizard.action_decide()
        refund, replacement = claim.remedy_ids
        self.assertEqual((refund.state, replacement.state), ("progress", "progress"))
        self.assertEqual(claim.line_ids.quantity_granted, 1)
        self.assertEqual(claim.amount_granted, 310.5)
        order = replacement.sudo().order_line_ids.order_id
        self.assertRecordValues(
            order, [{"state": "draft", "amount_total": 0, "partner_id": self.partner_a.id}]
        )
        self.assertEqual(order.order_line.product_uom_qty, 2)
        order.action_confirm()
        self.assertEqual(replacement.state, "done")
        claim.sudo().credit_note_ids.with_user(self.accountant).action_post()
        self.assertEqual(refund.state, "done")

    def test_nothing_is_given_twice(self):
        claim = self._claim_of(3)
        wizard = self._new_wizard(claim)
        self.assertEqual(wizard.remedy_ids.quantity, 3)
        wizard.remedy_ids = [
            Command.create(
                {"kind": "replacement", "claim_line_id": claim.line_ids.id, "quantity": 1}
            )
        ]
        with self.assertRefused(ValidationError, "Nothing is given twice"):
            wizard.action_decide()
        self._decide(claim, granted=2)
        claim.action_reopen()
        again = self._new_wizard(claim)
        self.assertEqual(again.remedy_ids.quantity, 1, "what is left of the claim")
        again.remedy_ids.quantity = 2
        with self.assertRefused(ValidationError, "Nothing is given twice"):
            again.action_decide()
        again.remedy_ids.quantity = 1
        again.action_decide()
        self.assertEqual(claim.amount_granted, 310.5)
        self.assertEqual(len(claim.sudo().credit_note_ids), 2)

    def test_two_invoices_newest_first(self):
        # with the discount: Odoo may price a new quantity anew
        self.order.order_line.write({"product_uom_qty": 8, "discount": 10})
        second = self.order._create_invoices()
        second.action_post()
        claim = self._claim_of(6)
        self._decide(claim)
        notes = claim.sudo().credit_note_ids
        quantities = {note.reversed_entry_id: note.invoice_line_ids.quantity for note in notes}
        self.assertEqual(quantities, {second: 3, self.invoice: 3})
        self.assertEqual(claim.amount_granted, 621)

    def test_rejection_grants_nothing(self):
        claim = self._claim_of(2)
        self._decide(claim, decision="rejected", recourse="Court")
        self.assertEqual((claim.state, claim.amount_granted), ("rejected", 0))
        self.assertFalse(claim.line_ids.quantity_granted)
        with self.assertRefused(UserError, "in favour"):
            claim.action_create_credit_note()
