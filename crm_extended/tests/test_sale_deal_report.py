import io
import json
from datetime import timedelta

import openpyxl
from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.fields import Command, Date
from odoo.tests import HttpCase, new_test_user, tagged

AMOUNTS = ("ordered", "invoiced", "credited", "paid", "open", "overdue")


@tagged("post_install", "-at_install")
class TestSaleDealReport(AccountTestInvoicingCommon):
    """Figures of the report against sums made by hand."""

    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.env.ref("sales_team.group_sale_manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = Date.context_today(cls.env.user)
        cls.client = cls.env["res.partner"].create({"name": "Gamma", "is_company": True})
        cls.deal = cls.env["crm.lead"].create({"name": "Deal", "partner_id": cls.client.id})
        cls.immediate = cls.env.ref("account.account_payment_term_immediate")
        cls.product = cls.env["product.product"].create(
            {
                "name": "Thing",
                "list_price": 100.0,
                "invoice_policy": "order",
                "taxes_id": [Command.set(cls.company_data["default_tax_sale"].ids)],
            }
        )

    def _create_order(self, quantity=10.0, lines=1, **values):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.client.id,
                "opportunity_id": self.deal.id,
                "payment_term_id": self.immediate.id,
                "order_line": [
                    Command.create(
                        {"product_id": self.product.id, "product_uom_qty": quantity / lines}
                    )
                    for _index in range(lines)
                ],
                **values,
            }
        )
        order.action_confirm()
        return order

    def _invoice(self, orders, days_ago=10, post=True):
        invoices = orders._create_invoices()
        date = self.today - timedelta(days=days_ago)
        invoices.write({"invoice_date": date, "invoice_payment_term_id": self.immediate.id})
        if post:
            invoices.action_post()
        return invoices

    def _pay(self, moves, amount=None):
        values = {"payment_date": self.today}
        if amount:
            values["amount"] = amount
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=moves.ids
        ).create(values)._create_payments()

    def _credit(self, invoice, quantity=None):
        action = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, "date": self.today})
            .refund_moves()
        )
        credit = self.env["account.move"].browse(action["res_id"])
        if quantity:
            credit.invoice_line_ids.quantity = quantity
        credit.action_post()
        return credit

    def _get_figures(self, order):
        self.env.flush_all()
        self.env.invalidate_all()
        row = self.env["crm.sale.deal.report"].search([("order_id", "=", order.id)])
        self.assertEqual(len(row), 1)
        return row

    def _assert_figures(self, order, **expected):
        row = self._get_figures(order)
        for name in AMOUNTS:
            self.assertAlmostEqual(
                row[f"amount_{name}"], expected.get(name, 0.0), 2, f"{name} of {order.name}"
            )

    def test_order_not_invoiced(self):
        order = self._create_order()
        self._assert_figures(order, ordered=1150.0)
        row = self._get_figures(order)
        self.assertAlmostEqual(row.amount_ordered_untaxed, 1000.0)
        self.assertEqual(row.opportunity_id, self.deal)
        self.assertEqual(row.commercial_partner_id, self.client)
        quotation = order.copy()
        self.assertFalse(self.env["crm.sale.deal.report"].search([("order_id", "=", quotation.id)]))

    def test_partial_payments_of_many_lines(self):
        """Five lines and three payments: a careless join would multiply them by fifteen."""
        order = self._create_order(lines=5)
        invoice = self._invoice(order)
        for amount in (100.0, 200.0, 50.0):
            self._pay(invoice, amount)
        self._assert_figures(
            order, ordered=1150.0, invoiced=1150.0, paid=350.0, open=800.0, overdue=800.0
        )
        self._pay(invoice)
        self._assert_figures(order, ordered=1150.0, invoiced=1150.0, paid=1150.0)

    def test_draft_invoice_does_not_count(self):
        order = self._create_order()
        self._invoice(order, post=False)
        self._assert_figures(order, ordered=1150.0)

    def test_not_due_yet(self):
        order = self._create_order()
        invoices = order._create_invoices()
        invoices.write(
            {
                "invoice_date": self.today,
                "invoice_payment_term_id": self.env.ref("account.account_payment_term_30days").id,
            }
        )
        invoices.action_post()
        self._assert_figures(order, ordered=1150.0, invoiced=1150.0, open=1150.0)

    def test_instalments(self):
        """Only the instalment whose day is over is overdue."""
        order = self._create_order()
        term = self.env["account.payment.term"].create(
            {
                "name": "Half now, half later",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 60}),
                ],
            }
        )
        invoices = order._create_invoices()
        invoices.write(
            {
                "invoice_date": self.today - timedelta(days=10),
                "invoice_payment_term_id": term.id,
            }
        )
        invoices.action_post()
        self._assert_figures(order, ordered=1150.0, invoiced=1150.0, open=1150.0, overdue=575.0)

    def test_credit_note_is_no_payment(self):
        order = self._create_order()
        invoice = self._invoice(order)
        self._pay(invoice, 500.0)
        credit = self._credit(invoice, quantity=2.0)  # 230
        (invoice + credit).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        self._assert_figures(
            order,
            ordered=1150.0,
            invoiced=1150.0,
            credited=230.0,
            paid=500.0,
            open=420.0,
            overdue=420.0,
        )

    def test_credit_note_paid_back(self):
        order = self._create_order()
        invoice = self._invoice(order)
        self._pay(invoice)
        credit = self._credit(invoice, quantity=2.0)
        self._assert_figures(order, ordered=1150.0, invoiced=1150.0, credited=230.0, paid=1150.0)
        self._pay(credit)
        self._assert_figures(order, ordered=1150.0, invoiced=1150.0, credited=230.0, paid=920.0)

    def test_down_payment(self):
        order = self._create_order()
        wizard = self.env["sale.advance.payment.inv"].create(
            {
                "sale_order_ids": [Command.set(order.ids)],
                "advance_payment_method": "percentage",
                "amount": 30.0,
            }
        )
        advance = wizard._create_invoices(order)
        advance.invoice_date = self.today - timedelta(days=10)
        advance.action_post()
        self._pay(advance)
        self._assert_figures(order, ordered=1150.0, invoiced=345.0, paid=345.0)
        final = order._create_invoices(final=True)
        final.write(
            {
                "invoice_date": self.today - timedelta(days=5),
                "invoice_payment_term_id": self.immediate.id,
            }
        )
        final.action_post()
        self.assertAlmostEqual(final.amount_total, 805.0)
        self._pay(final, 105.0)
        self._assert_figures(
            order, ordered=1150.0, invoiced=1150.0, paid=450.0, open=700.0, overdue=700.0
        )

    def test_one_invoice_of_two_orders(self):
        first = self._create_order(quantity=3.0)
        second = self._create_order(quantity=1.0)
        invoice = self._invoice(first + second)
        self.assertEqual(len(invoice), 1)
        self._pay(invoice, 230.0)
        self._assert_figures(
            first, ordered=345.0, invoiced=345.0, paid=172.5, open=172.5, overdue=172.5
        )
        self._assert_figures(
            second, ordered=115.0, invoiced=115.0, paid=57.5, open=57.5, overdue=57.5
        )

    def test_other_currency(self):
        """Orders at their own rate, documents at theirs, in the currency of the company."""
        currency = self.setup_other_currency("EUR", rates=[("2001-01-01", 2.0)], rounding=0.01)
        pricelist = self.env["product.pricelist"].create(
            {"name": "Abroad", "currency_id": currency.id}
        )
        order = self._create_order(pricelist_id=pricelist.id)
        self.assertAlmostEqual(order.amount_total, 2300.0)
        invoice = self._invoice(order)
        self.assertEqual(invoice.currency_id, currency)
        self._pay(invoice, 1000.0)
        self._assert_figures(
            order, ordered=1150.0, invoiced=1150.0, paid=500.0, open=650.0, overdue=650.0
        )

    def test_order_in_other_currency_is_rounded_as_its_invoice(self):
        currency = self.setup_other_currency("EUR", rates=[("2001-01-01", 0.8)], rounding=0.01)
        pricelist = self.env["product.pricelist"].create(
            {"name": "Abroad", "currency_id": currency.id}
        )
        order = self._create_order(quantity=1.0, pricelist_id=pricelist.id)
        order.order_line.write({"price_unit": 99.99, "tax_ids": [Command.clear()]})
        self._invoice(order)
        row = self._get_figures(order)
        self.assertEqual(row.amount_ordered, 124.99)
        self.assertEqual(row.amount_ordered_untaxed, 124.99)
        self.assertAlmostEqual(row.amount_invoiced, row.amount_ordered, 9)

    def test_cancelled_order_keeps_its_money(self):
        order = self._create_order()
        self._invoice(order)
        order._action_cancel()
        self._assert_figures(order, invoiced=1150.0, open=1150.0, overdue=1150.0)

    def test_sums_agree_with_the_ledger(self):
        """A mixture of everything: totals of the report are those of the documents."""
        orders = self.env["sale.order"]
        for quantity, lines, paid in ((10, 3, 200.0), (7, 2, 0.0), (5, 5, 575.0)):
            order = self._create_order(quantity=quantity, lines=lines)
            orders += order
            invoice = self._invoice(order)
            if paid:
                self._pay(invoice, paid)
            if quantity == 7:
                self._credit(invoice, quantity=1.0)
        self.env.flush_all()
        rows = self.env["crm.sale.deal.report"].search([("order_id", "in", orders.ids)])
        moves = orders.invoice_ids
        invoices = moves.filtered(lambda move: move.move_type == "out_invoice")
        credits = moves - invoices
        self.assertAlmostEqual(
            sum(rows.mapped("amount_invoiced")), sum(invoices.mapped("amount_total_signed")), 2
        )
        self.assertAlmostEqual(
            sum(rows.mapped("amount_credited")), -sum(credits.mapped("amount_total_signed")), 2
        )
        self.assertAlmostEqual(
            sum(rows.mapped("amount_open")), sum(invoices.mapped("amount_residual_signed")), 2
        )
        self.assertAlmostEqual(sum(rows.mapped("amount_paid")), 775.0, 2)
        ((ordered,),) = self.env["crm.sale.deal.report"]._read_group(
            [("order_id", "in", orders.ids)], [], ["amount_ordered:sum"]
        )
        self.assertAlmostEqual(ordered, sum(orders.mapped("amount_total")), 2)

    def test_access(self):
        order = self._create_order()
        accountant = new_test_user(
            self.env, "report_accountant", "base.group_user,account.group_account_invoice"
        )
        stranger = new_test_user(
            self.env, "report_sales", "base.group_user,sales_team.group_sale_salesman"
        )
        self.env.flush_all()
        Report = self.env["crm.sale.deal.report"]
        domain = [("order_id", "=", order.id)]
        order.user_id = self.env.user
        self.env.flush_all()
        self.assertTrue(Report.with_user(accountant).search(domain))
        self.assertFalse(Report.with_user(stranger).search(domain), "not his order")
        company = self.env["res.company"].create({"name": "Elsewhere"})
        accountant.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        self.assertFalse(Report.with_user(accountant).search(domain))

    def test_workbook(self):
        self.deal.name = "=HYPERLINK(0)"
        order = self._create_order()
        row = self._get_figures(order).with_context(lang="en_US")
        sheet = openpyxl.load_workbook(io.BytesIO(row._export_xlsx())).active
        header, line, total = list(sheet.iter_rows(values_only=True))
        values = dict(zip(header, line, strict=True))
        self.assertEqual(values["Deal"], "=HYPERLINK(0)")
        self.assertEqual(values["Ordered"], 1150.0)
        self.assertEqual(total[header.index("Ordered")], 1150.0)
        self.assertEqual(values["Order"], order.name)

    def test_invoice_knows_its_deal(self):
        order = self._create_order()
        invoice = self._invoice(order)
        self.assertEqual(invoice.opportunity_ids, self.deal)
        self.assertEqual(invoice.action_view_opportunities()["res_id"], self.deal.id)
        self.assertFalse(invoice.agreement_ids)
        found = self.env["account.move"].search([("opportunity_ids", "in", self.deal.ids)])
        self.assertEqual(found, invoice)


@tagged("post_install", "-at_install")
class TestSaleDealReportDownload(HttpCase):
    def test_download(self):
        new_test_user(self.env, "dl_accountant", "base.group_user,account.group_account_invoice")
        new_test_user(self.env, "dl_nobody", "base.group_user")
        self.authenticate("dl_accountant", "dl_accountant")
        url = "/crm_extended/sales_by_deal.xlsx"
        answer = self.url_open(f"{url}?domain={json.dumps([['amount_overdue', '>', 0]])}")
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(openpyxl.load_workbook(io.BytesIO(answer.content)).active)
        for domain in ("nonsense", '[["no_field", "=", 1]]', "7", '["&"]'):
            self.assertEqual(self.url_open(f"{url}?domain={domain}").status_code, 400, domain)
        self.authenticate("dl_nobody", "dl_nobody")
        self.assertEqual(self.url_open(url).status_code, 403)
