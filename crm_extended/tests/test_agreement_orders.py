from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import Form, tagged

from .agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreementOrders(AgreementCommon):
    # Which agreement -------------------------------------------------

    def test_precedence(self):
        order = self._create_order()
        self.assertFalse(order.agreement_id)
        standard = self._create_agreement(kind="standard", user_id=self.approver_2.id)
        self.assertEqual(self._create_order().agreement_id, standard)
        older = self._create_agreement(date_start=Date.subtract(self.today, days=20))
        newer = self._create_agreement(date_start=Date.subtract(self.today, days=10))
        self._create_agreement(activate=False)
        self._create_agreement(date_start=Date.add(self.today, days=1))
        self.assertEqual(self._create_order().agreement_id, newer)
        self.assertEqual(self._create_order(partner_id=self.contact.id).agreement_id, newer)
        backdated = self._create_order(date_order=Date.subtract(self.today, days=15))
        self.assertEqual(backdated.agreement_id, older)
        foreign = self._create_order(partner_id=self.other_client.id)
        self.assertEqual(foreign.agreement_id, standard)

    def test_terms_come_with_the_agreement(self):
        self.client.property_payment_term_id = self.term_60
        agreement = self._create_agreement()
        order = self._create_order()
        self.assertEqual(order.pricelist_id, self.pricelist)
        self.assertEqual(order.payment_term_id, self.term_30)
        self.assertEqual(order.order_line.price_unit, 90.0)
        self.assertEqual(order.agreement_check, "ok")
        self.assertIn("30 days", order.agreement_terms_html)
        self.assertEqual(order.agreement_id, agreement)

    def test_date_and_price_list_at_once(self):
        """A price list of another currency brings its currency, also together with a date."""
        currency = self._enable_currency("CHF")
        pricelist = self.env["product.pricelist"].create(
            {"name": "In francs", "currency_id": currency.id}
        )
        order = self._create_order()
        yesterday = Date.subtract(self.today, days=1)
        order.write({"date_order": yesterday, "pricelist_id": pricelist.id})
        self.assertEqual(order.currency_id, currency)

    def test_form_follows_the_client(self):
        self._create_agreement()
        form = Form(self.env["sale.order"].with_user(self.salesman))
        form.partner_id = self.other_client
        self.assertFalse(form.agreement_id)
        form.partner_id = self.contact
        self.assertTrue(form.agreement_id)
        self.assertEqual(form.payment_term_id, self.term_30)
        with form.order_line.new() as line:
            line.product_id = self.drill
        self.assertEqual(form.agreement_check, "ok")
        with form.order_line.edit(0) as line:
            line.price_unit = 50.0
        self.assertEqual(form.agreement_check, "block", "the check is live, before saving")
        self.assertIn("Drill", form.agreement_terms_html)

    def test_secret_agreement_still_binds(self):
        """Terms of a client whose agreement the salesperson may not open."""
        self.client.user_id = self.other_salesman
        agreement = self._create_agreement(user_id=self.other_salesman.id)
        order = self._create_order(user=self.salesman)
        self.assertEqual(order.sudo().agreement_id, agreement)
        self.assertEqual(order.payment_term_id, self.term_30)
        order.order_line.price_unit = 10.0
        with self.assertRaises(UserError):
            order.action_confirm()
        order.web_read({"agreement_id": {"fields": {"display_name": {}}}, "agreement_check": {}})

    def test_agreement_of_another_client(self):
        agreement = self._create_agreement()
        with self.assertRaises(ValidationError):
            self._create_order(partner_id=self.other_client.id, agreement_id=agreement.id)

    # What deviates ---------------------------------------------------

    def test_within_terms(self):
        self._create_agreement()
        order = self._create_order([{"discount": 5.0}, {"product_id": self.saw.id}])
        self.assertFalse(order._get_deviations())
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_discount_by_product_category_and_all(self):
        self._create_agreement(
            discounts=[
                {"applied_on": "all", "max_discount": 1.0},
                {"applied_on": "category", "categ_id": self.tools.id, "max_discount": 10.0},
                {"applied_on": "product", "product_id": self.drill.id, "max_discount": 20.0},
            ]
        )
        for product, allowed in ((self.drill, 20.0), (self.saw, 10.0), (self.glove, 1.0)):
            order = self._create_order([{"product_id": product.id, "discount": allowed}])
            self.assertFalse(order._get_deviations())
            order.order_line.discount = allowed + 0.5
            self.assertEqual(self._get_kinds(order), ["discount"], product.name)

    def test_price_below_agreed(self):
        self._create_agreement()
        order = self._create_order([{"price_unit": 80.0}])
        (deviation,) = order._get_deviations()
        self.assertEqual(deviation.kind, "price")
        self.assertAlmostEqual(deviation.amount, 5.5)  # 85.50 is the floor
        order.order_line.price_unit = 100.0
        order.order_line.discount = 14.5
        self.assertFalse(order._get_deviations(), "only the net price counts")

    def test_discount_in_a_line_of_its_own(self):
        self._create_agreement()
        order = self._create_order([{"product_uom_qty": 10.0}])  # 900, may give away 45
        discount = self.env["product.product"].create(
            {"name": "Discount", "type": "service", "list_price": 0.0}
        )
        order.order_line = [
            Command.create({"product_id": discount.id, "price_unit": -45.0, "name": "Bonus"})
        ]
        self.assertFalse(order._get_deviations())
        order.order_line[-1].price_unit = -46.0
        (deviation,) = order._get_deviations()
        self.assertEqual((deviation.kind, bool(deviation.line)), ("discount", False))
        with self.assertRaises(UserError):
            order.action_confirm()

    def test_global_discount_wizard(self):
        self._create_agreement()
        order = self._create_order([{"product_uom_qty": 10.0}])
        self.env["sale.order.discount"].create(
            {
                "sale_order_id": order.id,
                "discount_type": "so_discount",
                "discount_percentage": 0.2,
            }
        ).action_apply_discount()
        self.assertEqual(self._get_kinds(order), ["discount"])

    def test_disguised_discounts(self):
        self._create_agreement()
        for line in (
            {"product_id": self.glove.id, "product_uom_qty": -1.0, "price_unit": 500.0},
            {"product_id": self.glove.id, "price_unit": -50.0},
            {"product_id": False, "is_downpayment": True, "price_unit": -50.0, "name": "Advance"},
            {"product_id": self.glove.id, "is_expense": True, "price_unit": -50.0},
            {"product_id": self.glove.id, "is_expense": True, "price_unit": 0.0},
        ):
            with self.subTest(line=line):
                order = self._create_order([{}, line])
                self.assertTrue(set(self._get_kinds(order)) & {"discount", "price"})

    def test_header_terms(self):
        agreement = self._create_agreement(minimum_amount=120.0)
        order = self._create_order([{"product_uom_qty": 2.0}])
        order.payment_term_id = self.term_60
        self.assertEqual(self._get_kinds(order), ["payment_term"])
        order.payment_term_id = self.term_30
        order.pricelist_id = self.cheap_pricelist
        self.assertEqual(self._get_kinds(order), ["pricelist"])
        order._recompute_prices()
        self.assertEqual(self._get_kinds(order), ["pricelist", "price", "minimum"])
        order.pricelist_id = self.pricelist
        order._recompute_prices()
        order.order_line.product_uom_qty = 1.0
        self.assertEqual(self._get_kinds(order), ["minimum"])
        order.order_line.product_uom_qty = 2.0
        agreement.with_user(self.approver).action_suspend()
        self.assertEqual(self._get_kinds(order), ["validity"])

    def test_currency(self):
        euro = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", "EUR" if self.env.company.currency_id.name != "EUR" else "USD")])
        )
        euro.active = True
        other = self.env["product.pricelist"].create({"name": "Abroad", "currency_id": euro.id})
        self._create_agreement(pricelist_id=False)
        order = self._create_order(pricelist_id=other.id)
        self.assertEqual(self._get_kinds(order), ["currency"])

    def test_price_list_of_the_client_counts_without_an_agreed_one(self):
        self._create_agreement(pricelist_id=False)
        order = self._create_order(pricelist_id=self.cheap_pricelist.id)
        self.assertEqual(self._get_kinds(order), ["price"])

    def test_agreement_without_prices_leaves_them_free(self):
        self._create_agreement(pricelist_id=False, discounts=[])
        order = self._create_order([{"price_unit": 1.0}])
        self.assertFalse(order._get_deviations())

    def test_leaving_the_agreement_is_a_deviation(self):
        agreement = self._create_agreement()
        standard = self._create_agreement(
            kind="standard", enforcement="warn", user_id=self.approver_2.id
        )
        order = self._create_order()
        order.agreement_id = False
        self.assertEqual(self._get_kinds(order), ["agreement"])
        with self.assertRaises(UserError):
            order.action_confirm()
        order.agreement_id = standard
        self.assertEqual(self._get_kinds(order)[0], "agreement")
        with self.assertRaises(UserError):
            order.action_confirm()
        order.agreement_id = agreement
        order.action_confirm()

    def test_any_agreement_of_the_client_will_do(self):
        older = self._create_agreement(date_start=Date.subtract(self.today, days=20))
        self._create_agreement(date_start=Date.subtract(self.today, days=10))
        order = self._create_order(agreement_id=older.id)
        self.assertFalse(order._get_deviations())

    def test_taxes_in_the_price(self):
        tax = self.env["account.tax"].create(
            {
                "name": "Included 20",
                "amount": 20.0,
                "price_include_override": "tax_included",
                "type_tax_use": "sale",
            }
        )
        self.drill.taxes_id = tax
        self._create_agreement()
        order = self._create_order([{"discount": 5.0}])
        self.assertFalse(order._get_deviations())
        order.order_line.discount = 6.0
        self.assertEqual(self._get_kinds(order), ["discount"])

    def test_list_discount_shown_on_the_line_is_no_deviation(self):
        self.env.ref("base.group_user").implied_ids += self.env.ref(
            "sale.group_discount_per_so_line"
        )
        percent = self.env["product.pricelist"].create(
            {
                "name": "A third off",
                "item_ids": [
                    Command.create({"compute_price": "percentage", "percent_price": 33.333})
                ],
            }
        )
        self._create_agreement(pricelist_id=percent.id, discounts=[])
        order = self._create_order([{"product_uom_qty": 1000.0}])
        self.assertAlmostEqual(order.order_line.discount, 33.33)
        self.assertFalse(order._get_deviations())

    def test_two_companies(self):
        """Each company has its own agreements for the same client."""
        company = self.env["res.company"].create({"name": "Second"})
        self.salesman.company_ids += company
        self._create_agreement()
        order = (
            self.env["sale.order"]
            .with_user(self.salesman)
            .with_company(company)
            .create(
                {
                    "partner_id": self.client.id,
                    "company_id": company.id,
                    "order_line": [Command.create({"product_id": self.drill.id, "price_unit": 1})],
                }
            )
        )
        self.assertFalse(order.agreement_id)
        order.action_confirm()
        self.assertEqual(order.state, "sale")
