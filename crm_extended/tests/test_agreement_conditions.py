from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Command, Datetime
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

from .agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreementConditions(AgreementCommon):
    """Prices by rule, prepayment, delivery, contract and debt: taken over, then held to."""

    def _sell(self, line=None, **values):
        """Enter a quotation as a salesperson does."""
        form = Form(self.env["sale.order"].with_user(self.salesman))
        form.partner_id = self.client
        for name, value in values.items():
            setattr(form, name, value)
        with form.order_line.new() as line_form:
            line_form.product_id = self.drill
            for name, value in (line or {}).items():
                setattr(line_form, name, value)
        return form.save()

    def _invoice_late(self, days, amount=100.0, partner=None):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": (partner or self.client).id,
                "invoice_date": self.today - timedelta(days=days),
                "invoice_payment_term_id": self.term_30.id,  # agreed, and due at once
                "invoice_line_ids": [
                    Command.create({"name": "Old", "price_unit": amount, "tax_ids": False})
                ],
            }
        )
        invoice.action_post()
        return invoice

    # Prices ----------------------------------------------------------

    def test_fixed_price(self):
        self._create_agreement(
            price_rule="fixed",
            discounts=[],
            price_line_ids=[Command.create({"product_id": self.drill.id, "price": 77.0})],
        )
        order = self._sell()
        self.assertEqual(order.order_line.price_unit, 77.0)
        self.assertFalse(order._get_deviations())
        order.order_line.price_unit = 76.0
        self.assertEqual(self._get_kinds(order), ["price"])
        order.order_line = [Command.create({"product_id": self.saw.id})]
        self.assertEqual(order.order_line[1].price_unit, 180.0, "the others keep the price list")

    def test_fixed_price_of_another_unit_and_currency(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self._create_agreement(
            price_rule="fixed",
            discounts=[],
            price_line_ids=[Command.create({"product_id": self.drill.id, "price": 7.0})],
        )
        order = self._create_order([{"product_uom_id": dozen.id}])
        self.assertAlmostEqual(order.order_line.price_unit, 84.0)
        self.assertFalse(order._get_deviations())

    def test_markup_on_cost(self):
        self.drill.standard_price = 40.0
        self._create_agreement(price_rule="markup", markup_percent=50.0, discounts=[])
        order = self._sell()
        self.assertAlmostEqual(order.order_line.price_unit, 60.0)
        self.assertFalse(order._get_deviations())
        order.order_line.price_unit = 59.0
        self.assertEqual(self._get_kinds(order), ["price"])

    def test_discount_that_is_always_given(self):
        self._create_agreement(
            discounts=[{"applied_on": "all", "mode": "fixed", "max_discount": 10.0}]
        )
        order = self._sell()
        line = order.order_line
        self.assertAlmostEqual(line.price_unit * (1 - line.discount / 100), 81.0)
        self.assertFalse(order._get_deviations())
        line.discount += 1.0
        self.assertTrue(order._get_deviations(), "nothing more may be taken off")

    def test_discount_shown_as_one(self):
        self.env.ref("base.group_user").implied_ids += self.env.ref(
            "sale.group_discount_per_so_line"
        )
        self._create_agreement(
            discounts=[{"applied_on": "all", "mode": "fixed", "max_discount": 10.0}]
        )
        order = self._sell()
        self.assertEqual((order.order_line.price_unit, order.order_line.discount), (90.0, 10.0))
        self.assertFalse(order._get_deviations())

    def test_markup_on_the_list(self):
        self._create_agreement(
            discounts=[{"applied_on": "all", "mode": "fixed", "max_discount": -20.0}]
        )
        order = self._sell()
        self.assertAlmostEqual(order.order_line.price_unit, 108.0)
        order.order_line.price_unit = 90.0
        self.assertEqual(self._get_kinds(order), ["price"])
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self._create_agreement(discounts=[{"applied_on": "all", "max_discount": -20.0}])

    # Conditions ------------------------------------------------------

    def test_prepayment(self):
        self._create_agreement(prepayment_percent=0.3)
        order = self._sell()
        self.assertTrue(order.require_payment)
        self.assertAlmostEqual(order.prepayment_percent, 0.3)
        self.assertIn("30 %", order.agreement_terms_html)
        order.prepayment_percent = 0.2
        self.assertEqual(self._get_kinds(order), ["prepayment"])
        order.require_payment = False
        self.assertEqual(self._get_kinds(order), ["prepayment"])
        order.write({"require_payment": True, "prepayment_percent": 0.5})
        self.assertFalse(order._get_deviations(), "more in advance is no concession")

    def test_delivery_date(self):
        self._create_agreement(delivery_days=5)
        order = self._sell()
        self.assertFalse(order._get_deviations())
        order.commitment_date = Datetime.now() + timedelta(days=8)
        (deviation,) = order._get_deviations()
        self.assertEqual((deviation.kind, deviation.severity), ("delivery", 3.0))
        order.commitment_date = Datetime.now() + timedelta(days=2)
        self.assertFalse(order._get_deviations())
        order.write({"commitment_date": False})
        order.order_line.customer_lead = 9.0
        self.assertEqual(self._get_kinds(order), ["delivery"], "the lead time of the goods counts")

    def test_currency_without_a_price_list(self):
        other = self.env.ref(
            "base.EUR" if self.env.company.currency_id.name != "EUR" else "base.USD"
        )
        other.active = True
        self._create_agreement(pricelist_id=False, currency_id=other.id, discounts=[])
        order = self._create_order(pricelist_id=False)
        self.assertEqual(order.currency_id, other)
        self.assertFalse(order._get_deviations())

    def test_overdue_debt(self):
        self._create_agreement(overdue_control=True, overdue_days=10)
        self._invoice_late(9)
        order = self._sell()
        self.assertFalse(order._get_deviations())
        self._invoice_late(12, amount=40.0)
        self.assertEqual(self._get_kinds(order), ["overdue"])
        self.assertAlmostEqual(order._get_deviations()[0].severity, 40.0)
        with self.assertRaisesRegex(UserError, "12 days late"), self.cr.savepoint():
            order.action_confirm()
        foreign = self._create_order(partner_id=self.other_client.id)
        self.assertFalse(foreign._get_deviations())

    def test_credit_limit(self):
        self._create_agreement(credit_limit=300.0)
        first = self._sell({"product_uom_qty": 2.0})
        first.action_confirm()
        second = self._sell({"product_uom_qty": 1.0})
        self.assertFalse(second._get_deviations(), "270 of 300")
        second.order_line.product_uom_qty = 2.0
        self.assertEqual(self._get_kinds(second), ["credit"])
        self.assertAlmostEqual(second._get_deviations()[0].severity, 60.0)
        with self.assertRaisesRegex(UserError, "at most"), self.cr.savepoint():
            second.action_confirm()
        self.env.invalidate_all()
        second.order_line.product_uom_qty = 1.0
        second.action_confirm()
        invoice = first._create_invoices().with_user(self.accountant)
        invoice.action_post()
        third = self._sell()
        self.assertAlmostEqual(third._get_deviations()[0].severity, 60.0, msg="invoiced once only")

    def test_credit_of_a_contact_counts_for_the_client(self):
        self._create_agreement(credit_limit=150.0)
        self._invoice_late(1, amount=100.0, partner=self.contact)
        self.assertEqual(self._get_kinds(self._sell()), ["credit"])

    def test_order_that_somebody_else_is_invoiced_for_uses_up_the_limit(self):
        """Before its invoice and after it, until that is paid."""
        self._create_agreement(credit_limit=300.0)
        first = self._create_order(
            [{"product_uom_qty": 2.0}], partner_invoice_id=self.other_client.id
        )
        self.assertTrue(first.agreement_id)
        first.action_confirm()
        second = self._sell({"product_uom_qty": 2.0})
        self.assertEqual(self._get_kinds(second), ["credit"])
        invoice = first._create_invoices().with_user(self.accountant)
        self.assertEqual(invoice.partner_id, self.other_client)
        invoice.action_post()
        second.invalidate_recordset()
        self.assertEqual(self._get_kinds(second), ["credit"])
        self.assertAlmostEqual(second._get_deviations()[0].severity, 60.0, msg="counted once")

    def test_confirmed_order_within_its_limit_can_be_worked_on(self):
        self._create_agreement(credit_limit=300.0)
        order = self._sell({"product_uom_qty": 2.0})
        order.action_confirm()
        order.order_line.product_uom_qty = 3.0
        with self.assertRaises(UserError):
            order.order_line.product_uom_qty = 4.0

    def test_approved_debt_covers_a_smaller_one(self):
        self._create_agreement(overdue_control=True, enforcement="approve")
        self._invoice_late(5, amount=40.0)
        second = self._invoice_late(3, amount=60.0)
        order = self._sell()
        order._request_deviation_approval("They promised to pay")
        order.with_user(self.approver)._decide_deviations(True, "Once")
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=second.ids
        ).create({}).action_create_payments()
        self.assertEqual(order.agreement_check, "approved")
        self._invoice_late(3, amount=500.0)
        self.env.invalidate_all()
        self.assertEqual(order.agreement_check, "approve", "a larger debt was not approved")

    # Enforcement by kind ---------------------------------------------

    def test_enforcement_by_kind(self):
        agreement = self._create_agreement(
            minimum_amount=500.0,
            enforcement="block",
            enforcement_line_ids=[
                Command.create({"kind": "minimum", "enforcement": "warn"}),
                Command.create({"kind": "discount", "enforcement": "approve"}),
            ],
        )
        order = self._sell()
        self.assertEqual(order.agreement_check, "warn")
        order.order_line.discount = 20.0
        self.assertEqual(order.agreement_check, "approve")
        order.payment_term_id = self.term_60
        self.assertEqual(order.agreement_check, "block")
        order.payment_term_id = self.term_30
        order._request_deviation_approval("Please")
        self.assertEqual(order.sudo().deviation_ids.kind, "discount", "only what needs it")
        order.with_user(self.approver)._decide_deviations(True, "Fine")
        order.action_confirm()
        rows = order.sudo().deviation_ids
        self.assertEqual(
            {(row.kind, row.state) for row in rows},
            {("discount", "approved"), ("minimum", "recorded")},
        )
        self.assertEqual(agreement.deviation_count, 2)

    def test_enforcement_is_locked(self):
        agreement = self._create_agreement(
            enforcement_line_ids=[Command.create({"kind": "minimum", "enforcement": "warn"})],
            price_rule="fixed",
            price_line_ids=[Command.create({"product_id": self.drill.id, "price": 77.0})],
        )
        for line, values in (
            (agreement.enforcement_line_ids, {"enforcement": "block"}),
            (agreement.price_line_ids, {"price": 1.0}),
        ):
            with self.assertRaises(UserError):
                line.with_user(self.salesman).write(values)
            with self.assertRaises(UserError):
                line.with_user(self.salesman).unlink()
        for field in ("credit_limit", "overdue_days", "delivery_days", "contract_required"):
            with self.assertRaises(UserError):
                agreement.write({field: 1})

    # Panel -----------------------------------------------------------

    def test_panel_row_by_row(self):
        self._create_agreement(
            minimum_amount=50.0, prepayment_percent=0.5, delivery_days=3, credit_limit=1000.0
        )
        form = Form(self.env["sale.order"].with_user(self.salesman))
        form.partner_id = self.client
        with form.order_line.new() as line:
            line.product_id = self.drill
        panel = form.agreement_terms_html
        for text in ("30 days", "50 %", "Delivery", "Credit limit", "Prices and discounts"):
            self.assertIn(text, panel)
        self.assertNotIn("table-danger", panel)
        form.commitment_date = Datetime.now() + timedelta(days=30)
        self.assertIn("27 days later", form.agreement_terms_html, "live, before saving")
        self.assertEqual(form.agreement_terms_html.count("table-danger"), 1)

    def test_return_to_the_agreed_terms(self):
        self._create_agreement(prepayment_percent=0.5)
        order = self._create_order([{"discount": 50.0}])
        order.write({"payment_term_id": self.term_60.id, "require_payment": False})
        self.assertEqual(order.agreement_check, "block")
        order.action_apply_agreement()
        self.assertEqual(order.agreement_check, "ok")

    def test_queries_do_not_grow_with_the_lines(self):
        self.pricelist.item_ids.write(
            {"base": "pricelist", "base_pricelist_id": self.cheap_pricelist}
        )
        self._create_agreement(credit_limit=1e9, overdue_control=True)
        products = self.env["product.product"].create(
            [{"name": f"P{number}", "list_price": 10.0, "taxes_id": False} for number in range(60)]
        )

        def count(number):
            order = self._create_order(
                [
                    {"product_id": product.id, "product_uom_qty": 1.0 + index, "price_unit": 1.0}
                    for index, product in enumerate(products[:number])
                ]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            deviations = order._get_deviations()
            self.assertEqual(len(deviations), number)
            return self.cr.sql_log_count - before

        few, many = count(5), count(60)
        self.assertLessEqual(many, few + 2, "the same number of queries for any number of lines")

    def test_edited_terms_survive_the_confirmation(self):
        self._create_agreement(enforcement="warn", prepayment_percent=0.5)
        order = self._create_order(payment_term_id=self.term_60.id)
        order.prepayment_percent = 0.1
        order.date_order = Datetime.now() - timedelta(days=1)
        self.assertEqual(order.payment_term_id, self.term_60, "another date, the same agreement")
        order.action_confirm()
        self.assertEqual(order.payment_term_id, self.term_60)
        self.assertAlmostEqual(order.prepayment_percent, 0.1)
        free = self._create_order(partner_id=self.other_client.id, payment_term_id=self.term_60.id)
        free.action_confirm()
        self.assertEqual(free.payment_term_id, self.term_60)

    # Sending ---------------------------------------------------------

    def test_quotation_with_open_deviations_is_not_sent(self):
        self._create_agreement(enforcement="approve")
        order = self._create_order([{"discount": 50.0}])
        template = self.env.ref("sale.email_template_edi_sale")
        composer = self.env["mail.compose.message"].with_user(self.salesman)
        roads = (
            order.action_quotation_send,
            order.action_quotation_sent,
            lambda: order.write({"state": "sent"}),
            lambda: composer.create(
                {
                    "model": "sale.order",
                    "res_ids": order.ids,
                    "template_id": template.id,
                    "composition_mode": "comment",
                    "subject": "Offer",
                    "body": "Please sign",
                }
            ).action_send_mail(),
            lambda: self._create_order([{"discount": 50.0}], state="sent"),
        )
        for road in roads:
            with self.assertRaisesRegex(UserError, "cannot be sent"), self.cr.savepoint():
                road()
            self.env.invalidate_all()
            self.assertEqual(order.state, "draft")
        order._request_deviation_approval("Please")
        order.with_user(self.approver)._decide_deviations(True, "Fine")
        order.action_quotation_sent()
        self.assertEqual(order.state, "sent")

    def test_plain_letter_of_offer_is_held_back(self):
        """A file sent to the client past the button is an offer; words and notes are not."""
        self._create_agreement(enforcement="approve")
        order = self._create_order([{"discount": 50.0}])
        file = [("offer.pdf", b"half price")]
        letter = {"body": "Our offer", "partner_ids": self.contact.ids}
        comment = {"subtype_xmlid": "mail.mt_comment", "message_type": "comment"}
        composer = self.env["mail.compose.message"].with_user(self.salesman)
        roads = (
            lambda: order.message_post(**letter, **comment, attachments=file),
            lambda: composer.create(
                {
                    "model": "sale.order",
                    "res_ids": order.ids,
                    "composition_mode": "comment",
                    "subject": "Offer",
                    "body": "Please sign",
                    "partner_ids": self.contact.ids,
                    "attachment_ids": self.env["ir.attachment"]
                    .with_user(self.salesman)
                    .create({"name": "offer.pdf", "raw": b"x", "res_model": composer._name})
                    .ids,
                }
            ).action_send_mail(),
        )
        upload = (
            self.env["ir.attachment"]
            .with_user(self.salesman)
            .create({"name": "offer.pdf", "raw": b"x", "res_model": composer._name})
        )
        roads += (
            # a note that mentions the client is mailed to him
            lambda: order.message_post(**letter, attachments=file),
            lambda: order.message_post(
                **letter, **comment | {"message_type": "notification"}, attachments=file
            ),
            lambda: composer.create(
                {
                    "model": "sale.order",
                    "res_ids": order.ids,
                    "composition_mode": "mass_mail",
                    "subject": "Offer",
                    "body": "Please sign",
                    "attachment_ids": upload.ids,
                }
            ).action_send_mail(),
            self.env["portal.share"]
            .create(
                {
                    "res_model": "sale.order",
                    "res_id": order.id,
                    "partner_ids": self.contact.ids,
                }
            )
            .action_send_mail,
        )
        for road in roads:
            with self.assertRaisesRegex(UserError, "cannot be sent"), self.cr.savepoint():
                road()
        order.message_post(**letter, **comment)
        order.message_post(body="For us", attachments=file)
        order.message_post(body="Calculation", attachments=file)
        colleague = {"partner_ids": self.approver.partner_id.ids, **comment}
        order.message_post(body="Look", attachments=file, **colleague)
        order.message_subscribe(self.contact.ids)
        with self.assertRaisesRegex(UserError, "cannot be sent"), self.cr.savepoint():
            order.message_post(body="Offer to all", attachments=file, **comment)
        # what the client sends himself arrives
        order.sudo().message_post(
            body="My order",
            attachments=file,
            message_type="email",
            subtype_xmlid="mail.mt_comment",
            author_id=self.contact.id,
        )
        order._request_deviation_approval("Please")
        order.with_user(self.approver)._decide_deviations(True, "Fine")
        roads[0]()

    # Companies -------------------------------------------------------

    def test_two_companies_with_different_modes(self):
        other = self.env["res.company"].create({"name": "Second"})
        self.salesman.company_ids += other
        self.approver.company_ids += other
        self._create_agreement(enforcement="block")
        self.pricelist.company_id = False
        agreement = (
            self.env["crm.agreement"]
            .with_company(other)
            .create(
                {
                    "kind": "individual",
                    "partner_id": self.client.id,
                    "company_id": other.id,
                    "currency_id": other.currency_id.id,
                    "minimum_amount": 1000.0,
                    "enforcement": "warn",
                }
            )
        )
        agreement.action_submit()
        agreement.with_user(self.approver).with_company(other).action_approve()
        here = self._create_order([{"discount": 50.0}])
        there = (
            self.env["sale.order"]
            .with_user(self.salesman)
            .with_company(other)
            .create(
                {
                    "partner_id": self.client.id,
                    "company_id": other.id,
                    "order_line": [Command.create({"product_id": self.drill.id})],
                }
            )
        )
        self.assertEqual(there.agreement_id, agreement)
        self.assertEqual((here.agreement_check, there.agreement_check), ("block", "warn"))
        there.action_confirm()
        with self.assertRaises(UserError):
            here.action_confirm()

    def test_limits_are_checked(self):
        for values in (
            {"prepayment_percent": 1.5},
            {"delivery_days": -1},
            {"markup_percent": -100.0},
        ):
            with (
                self.subTest(values=values),
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
            ):
                self._create_agreement(activate=False, **values).flush_recordset()
