from odoo import Command
from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Date
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger


class DealDocumentsCommon(AccountTestInvoicingCommon):
    """A deal of one salesperson with an order of two products."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids |= cls.env.ref("sales_team.group_sale_manager")
        groups = "base.group_user,sales_team.group_sale_salesman"
        company = {"company_id": cls.env.company.id, "company_ids": cls.env.company.ids}
        cls.sales = new_test_user(cls.env, "docs_sales", groups=groups, **company)
        cls.sales2 = new_test_user(cls.env, "docs_sales2", groups=groups, **company)
        cls.accountant = new_test_user(
            cls.env, "docs_acc", "base.group_user,account.group_account_invoice", **company
        )
        cls.client = cls.env["res.partner"].create({"name": "Delta", "is_company": True})
        cls.deal = cls.env["crm.lead"].create(
            {
                "name": "Deal with documents",
                "type": "opportunity",
                "partner_id": cls.client.id,
                "user_id": cls.sales.id,
                "company_id": cls.env.company.id,
            }
        )
        cls.saw, cls.file = cls.env["product.product"].create(
            [
                {"name": name, "list_price": 100.0, "invoice_policy": "order", "type": "consu"}
                for name in ("Saw", "File")
            ]
        )

    @classmethod
    def _create_order(cls, confirm=True, **values):
        order = cls.env["sale.order"].create(
            {
                "partner_id": cls.client.id,
                "opportunity_id": cls.deal.id,
                "user_id": cls.sales.id,
                "order_line": [
                    Command.create({"product_id": cls.saw.id, "product_uom_qty": 5}),
                    Command.create({"product_id": cls.file.id, "product_uom_qty": 3}),
                    Command.create({"display_type": "line_note", "name": "Deliver on Monday"}),
                ],
                **values,
            }
        )
        if confirm:
            order.action_confirm()
        return order

    def _get_documents(self, user, deal=None):
        """Names of the documents by kind, as a user sees them."""
        self.env.flush_all()
        self.env.invalidate_all()
        deal = (deal or self.deal).with_user(user)
        kinds = {
            kind["kind"]: [document["name"] for document in kind["documents"]]
            for kind in deal.get_documents()["kinds"]
        }
        self.assertEqual(deal.document_count, sum(map(len, kinds.values())))
        return kinds


@tagged("post_install", "-at_install")
class TestDealDocuments(DealDocumentsCommon):
    def test_nothing(self):
        self.assertEqual(self._get_documents(self.sales), {})
        values = self.deal.with_user(self.sales).get_documents()
        self.assertTrue(values["can_quote"])
        self.assertFalse(values["can_order_supplies"])

    def test_all_kinds(self):
        quotation = self._create_order(confirm=False)
        order = self._create_order()
        agreement = self.env["crm.agreement"].create(
            {"partner_id": self.client.id, "user_id": self.sales.id}
        )
        agreement.copy({"partner_id": self.env["res.partner"].create({"name": "Other"}).id})
        invoice = order._create_invoices()
        invoice.invoice_user_id = self.sales
        invoice.action_post()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"payment_date": Date.today(), "amount": 100.0})._create_payments()
        payment = invoice.reconciled_payment_ids
        self.assertEqual(
            self._get_documents(self.sales),
            {
                "quotation": [quotation.name],
                "order": [order.name],
                "invoice": [invoice.name],
                "agreement": [agreement.name],
            },
            "payments are for accountants",
        )
        seen = self._get_documents(self.accountant)
        self.assertEqual(seen["payment"], [payment.name])
        self.assertEqual(seen["invoice"], [invoice.name])
        kinds = self.deal.with_user(self.sales).get_documents()["kinds"]
        shown = next(kind for kind in kinds if kind["kind"] == "order")["documents"][0]
        self.assertEqual(shown["id"], order.id)
        self.assertEqual(shown["color"], "success")
        self.assertIn("920", shown["amount"])
        self.assertTrue(shown["date"])

    def test_only_what_the_user_may_read(self):
        order = self._create_order()
        others = self._create_order(user_id=self.sales2.id)
        self.assertEqual(self._get_documents(self.sales), {"order": [order.name]})
        with self.assertRaises(AccessError):
            self.deal.with_user(self.sales2).get_documents()
        self.assertEqual(
            set(self._get_documents(self.env.user)["order"]), {order.name, others.name}
        )
        with self.assertRaises(AccessError):
            self.deal.with_user(new_test_user(self.env, "docs_plain")).get_documents()

    def test_documents_of_other_deals(self):
        self._create_order()
        deal = self.deal.copy()
        self.assertEqual(self._get_documents(self.sales, deal), {})

    def test_other_company(self):
        self._create_order(user_id=False)
        company = self.env["res.company"].create({"name": "Documents Abroad"})
        user = new_test_user(
            self.env,
            "docs_abroad",
            "base.group_user,sales_team.group_sale_salesman_all_leads",
            company_id=company.id,
            company_ids=company.ids,
        )
        self.deal.company_id = False
        self.assertEqual(self._get_documents(user), {}, "a shared deal, orders of one company")

    def test_deal_being_entered(self):
        form = Form(self.env["crm.lead"].with_user(self.sales))
        self.assertEqual(form.document_count, 0)
        self._create_order()
        with Form(self.deal.with_user(self.sales)) as form:
            form.partner_id = self.client
            self.assertEqual(form.document_count, 1)

    def test_button(self):
        action = self.deal.with_user(self.sales).action_view_documents()
        self.assertEqual(action["tag"], "crm_extended.deal_documents")
        self.assertEqual(action["context"]["active_id"], self.deal.id)


@tagged("post_install", "-at_install")
class TestSupplierOrder(DealDocumentsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.has_purchase = "purchase.order" in cls.env
        if not cls.has_purchase:
            return
        cls.env.user.group_ids |= cls.env.ref("purchase.group_purchase_user")
        cls.buyer = new_test_user(
            cls.env,
            "docs_buyer",
            "base.group_user,sales_team.group_sale_salesman_all_leads,purchase.group_purchase_user",
            company_id=cls.env.company.id,
            company_ids=cls.env.company.ids,
        )
        cls.forge, cls.mill = cls.env["res.partner"].create(
            [{"name": "Forge", "is_company": True}, {"name": "Mill", "is_company": True}]
        )
        cls._add_seller(cls.saw, cls.forge, 60.0)
        cls.order = cls._create_order()

    def setUp(self):
        super().setUp()
        if not self.has_purchase:
            self.skipTest("purchase is not installed")

    @classmethod
    def _add_seller(cls, product, partner, price, **values):
        return cls.env["product.supplierinfo"].create(
            {
                "product_tmpl_id": product.product_tmpl_id.id,
                "partner_id": partner.id,
                "price": price,
                **values,
            }
        )

    def _open(self, user=None):
        action = self.deal.with_user(user or self.buyer).action_create_supplier_order()
        return (
            self.env["crm.supplier.order"]
            .with_user(user or self.buyer)
            .with_context(**action["context"])
            .create({})
        )

    def _get_orders(self, action):
        domain = action.get("domain") or [("id", "=", action["res_id"])]
        return self.env["purchase.order"].search(domain, order="id")

    def test_one_order_per_supplier(self):
        self._add_seller(self.file, self.mill, 20.0)
        self.assertTrue(self.deal.with_user(self.buyer).get_documents()["can_order_supplies"])
        wizard = self._open()
        self.assertEqual(wizard.order_id, self.order)
        self.assertFalse(wizard.without_vendor)
        self.assertEqual(wizard.line_ids.mapped("quantity"), [5, 3], "without the note")
        orders = self._get_orders(wizard.action_create_orders())
        self.assertEqual(orders.mapped("partner_id"), self.forge | self.mill)
        self.assertEqual(orders.mapped("origin"), [self.order.name] * 2)
        line = orders[0].order_line
        self.assertEqual(line.product_id, self.saw)
        self.assertEqual((line.product_qty, line.price_unit), (5, 60))
        self.assertEqual(orders[0].state, "draft")
        self.assertEqual(orders.create_uid, self.buyer)
        if "sale_line_id" in line._fields:
            self.assertEqual(line.sale_line_id, self.order.order_line[0])
        seen = self._get_documents(self.buyer)
        self.assertEqual(set(seen["supplier_order"]), set(orders.mapped("name")))
        self.assertNotIn("supplier_order", self._get_documents(self.sales))
        self.assertIn(orders[0].name, self.deal.message_ids[0].body)

    def test_without_supplier(self):
        wizard = self._open()
        self.assertEqual(wizard.without_vendor, "File")
        orders = self._get_orders(wizard.action_create_orders())
        self.assertEqual(orders.order_line.product_id, self.saw)
        self.assertIn("File", self.deal.message_ids[0].body)
        wizard = self._open()
        self.assertEqual(wizard.line_ids.mapped("quantity"), [0, 3])
        with self.assertRaisesRegex(UserError, "File"):
            wizard.action_create_orders()
        with Form(wizard) as form, form.line_ids.edit(1) as line:
            line.vendor_id = self.mill
        self.assertFalse(wizard.without_vendor)
        orders = self._get_orders(wizard.action_create_orders())
        self.assertEqual(orders.partner_id, self.mill)
        self.assertEqual(orders.order_line.product_qty, 3)

    def test_nothing_twice(self):
        self.file.purchase_ok = False
        first = self._get_orders(self._open().action_create_orders())
        wizard = self._open()
        self.assertEqual(wizard.line_ids.quantity_ordered, 5)
        with self.assertRaisesRegex(UserError, "nothing to order"):
            wizard.action_create_orders()
        wizard.line_ids.quantity = 1
        self.assertTrue(wizard.is_repeated)
        with self.assertRaisesRegex(UserError, "Saw"):
            wizard.action_create_orders()
        wizard.allow_repeat = True
        second = self._get_orders(wizard.action_create_orders())
        self.assertEqual(second.order_line.product_qty, 1)
        first.button_cancel()
        self.assertEqual(self._open().line_ids.quantity_ordered, 1, "cancelled: no longer counts")
        second.button_cancel()
        second.unlink()
        self.assertEqual(self._open().line_ids.quantity, 5)

    def test_two_dialogs_open_at_once(self):
        self.file.purchase_ok = False
        first, second = self._open(), self._open()
        first.action_create_orders()
        with self.assertRaisesRegex(UserError, "Saw"):
            second.action_create_orders()

    def test_part_of_it(self):
        wizard = self._open()
        wizard.line_ids[0].quantity = 2
        wizard.action_create_orders()
        wizard = self._open()
        self.assertEqual(wizard.line_ids[0].quantity, 3)
        wizard.line_ids[0].quantity = 3
        self.assertFalse(wizard.is_repeated)
        wizard.action_create_orders()

    def test_currency_and_units(self):
        currency = self.setup_other_currency("EUR", rates=[("2001-01-01", 2.0)], rounding=0.01)
        dozen = self.env.ref("uom.product_uom_dozen")
        self._add_seller(
            self.file, self.mill, 24.0, currency_id=currency.id, product_uom_id=dozen.id
        )
        self.order.order_line[1].product_uom_qty = 24
        wizard = self._open()
        orders = self._get_orders(wizard.action_create_orders())
        order = orders.filtered(lambda order: order.partner_id == self.mill)
        self.assertEqual(order.currency_id, currency)
        self.assertEqual(order.order_line.product_qty, 2)
        self.assertEqual(order.order_line.product_uom_id, dozen)
        self.assertAlmostEqual(order.order_line.price_unit, 24.0)
        self.assertEqual(self._open().line_ids[1].quantity_ordered, 24)

    def test_supplier_below_his_minimum(self):
        """Too small an order still goes to the supplier who sells the product."""
        self._add_seller(self.file, self.mill, 10.0, min_qty=1000)
        self.assertEqual(self._open().line_ids[1].vendor_id, self.mill)

    def test_quotation_until_there_is_an_order(self):
        self.order._action_cancel()
        quotation = self._create_order(confirm=False)
        self.assertEqual(self._open().order_id, quotation)

    def test_rights(self):
        self.assertFalse(self.deal.with_user(self.sales).get_documents()["can_order_supplies"])
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            self._open(self.sales).action_create_orders()
        purchaser = new_test_user(
            self.env, "docs_purchaser", "base.group_user,purchase.group_purchase_user"
        )
        with self.assertRaises(AccessError):
            self._open(purchaser)

    def test_documents_of_others(self):
        """The dialog shows and orders nothing that its user may not read."""
        own = self.env["crm.lead"].create({"name": "Mine", "user_id": self.sales.id})
        self.sales2.group_ids |= self.env.ref("purchase.group_purchase_user")
        Wizard = self.env["crm.supplier.order"].with_user(self.sales2)
        with self.assertRaises(AccessError):
            Wizard.create({"lead_id": self.deal.id, "order_id": self.order.id})
        with self.assertRaises(ValidationError):
            self.env["crm.supplier.order"].with_user(self.buyer).create(
                {"lead_id": own.id, "order_id": self.order.id}
            )
        wizard = self._open()
        foreign = self._create_order(opportunity_id=False)
        wizard.line_ids[0].order_line_id = foreign.order_line[0]
        with self.assertRaisesRegex(UserError, "Only products"):
            wizard.action_create_orders()
        with self.assertRaises(AccessError):
            wizard.with_user(self.sales2).action_create_orders()
