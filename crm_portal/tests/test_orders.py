from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalOrders(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].sudo().set_param("sale.async_emails", "False")
        cls.north.user_id = cls.handler

    def _repeat(self, order=None, key="k1"):
        return self.post(f"/my/orders/{(order or self.order).id}/repeat", {"form_key": key})

    def _get_request(self, order=None):
        return self.env["sale.order"].search(
            [("portal_origin_id", "=", (order or self.order).id)], order="id desc"
        )

    def test_status_in_list_and_page(self):
        self.login(self.nina)
        self.assertIn("Confirmed", self.url_open("/my/orders").text)
        self.order.order_line[0].qty_delivered = 5
        self.assertIn("Partly delivered", self.url_open(f"/my/orders/{self.order.id}").text)
        self.order.order_line[1].qty_delivered = 2
        self.assertIn(
            "Everything has been delivered", self.url_open(f"/my/orders/{self.order.id}").text
        )

    def test_repeat_at_terms_of_today(self):
        self.drill.list_price = 130.0
        self.login(self.nina)
        response = self._repeat()
        self.assertEqual(response.status_code, 303)
        quotation = self._get_request()
        self.assertTrue(
            response.headers["Location"].endswith(f"/my/orders/{quotation.id}?notice=repeated")
        )
        self.assertEqual(quotation.state, "draft")
        self.assertEqual(quotation.partner_id, self.order.partner_id)
        self.assertEqual(
            quotation.order_line.mapped(
                lambda line: (line.product_id, line.product_uom_qty, line.price_unit)
            ),
            [(self.drill, 5.0, 130.0), (self.battery, 2.0, 20.0)],
        )
        self.assertEqual(quotation.activity_ids.user_id, self.handler)
        page = self.url_open(f"/my/orders/{quotation.id}?notice=repeated").text
        self.assertIn("We have your request", page)
        self.assertIn("Being checked", page)
        self.assertIn(quotation.name, self.url_open("/my/quotes").text)

    def test_request_is_neither_signed_nor_paid_before_it_is_sent(self):
        self.login(self.nina)
        self._repeat()
        quotation = self._get_request()
        quotation.require_signature = True
        self.assertFalse(quotation._has_to_be_signed())
        quotation.action_quotation_sent()
        self.assertTrue(quotation._has_to_be_signed())

    def test_double_click(self):
        self.login(self.nina)
        first, second = self._repeat(), self._repeat()
        self.assertEqual(first.headers["Location"], second.headers["Location"])
        self.assertEqual(len(self._get_request()), 1)
        self._repeat(key="k2")
        self.assertEqual(len(self._get_request()), 2)

    def test_unavailable_products_are_named(self):
        self.battery.active = False
        self.login(self.nina)
        page = self.url_open(self._repeat().headers["Location"]).text
        self.assertIn("were left out", page)
        self.assertIn("Test Battery", page)
        quotation = self._get_request()
        self.assertEqual(quotation.order_line.product_id, self.drill)
        self.assertIn("Test Battery", quotation.activity_ids.note)

    def test_nothing_available(self):
        (self.battery | self.drill).sale_ok = False
        self.login(self.nina)
        response = self._repeat()
        self.assertEqual(response.status_code, 422)
        self.assertIn("Test Drill", response.text)
        self.assertFalse(self._get_request())

    def test_product_of_another_company(self):
        self.env.cr.execute(
            "UPDATE product_template SET company_id = %s WHERE id = %s",
            [self.other_company.id, self.battery.product_tmpl_id.id],
        )
        self.env.invalidate_all()
        self.login(self.nina)
        self._repeat()
        self.assertEqual(self._get_request().order_line.product_id, self.drill)

    @mute_logger("odoo.http")
    def test_who_may_repeat(self):
        for who, user, status in (
            ("colleague", self.ned, 303),
            ("other customer", self.boris, 404),
            ("customer of another company", self.carla, 404),
            ("our own user", None, 303),
        ):
            with self.subTest(who):
                self.login(user)
                response = self._repeat(key=who)
                self.assertEqual(response.status_code, status)
        self.assertEqual(len(self._get_request()), 1)
        quotation = self._get_request()
        self.login(self.nina)
        self.assertEqual(self._repeat(quotation).status_code, 404, "a quotation is not repeated")
        for order_id in (0, 2**31, 2**63):
            response = self.post(f"/my/orders/{order_id}/repeat", {"form_key": "x"})
            self.assertIn(response.status_code, (404, 422))

    @mute_logger("odoo.http")
    def test_former_customer(self):
        self.login(self.nina)
        self.nina.active = False
        self.assertNotIn(self._repeat().status_code, (200, 500))
        self.assertFalse(self._get_request())

    @mute_logger("odoo.http")
    def test_form_key(self):
        self.login(self.nina)
        self.assertEqual(self._repeat(key="").status_code, 422)
        self.assertEqual(self._repeat(key="\u043a\u043b\u044e\u0447" * 100).status_code, 303)
        response = self.url_open(f"/my/orders/{self.order.id}/repeat", data={"form_key": "z"})
        self.assertEqual(response.status_code, 400, "CSRF")

    def test_rate(self):
        self.company.portal_requests_per_hour = 2
        self.login(self.nina)
        self._repeat(key="1")
        self._repeat(key="2")
        response = self._repeat(key="3")
        self.assertEqual(response.status_code, 422)
        self.assertIn("as many requests", response.text)
        self.assertEqual(len(self._get_request()), 2)

    def test_request_fields_are_not_written_by_staff_rpc(self):
        """The key of a form is nobody's business."""
        self.login(self.nina)
        self._repeat()
        answer = self.rpc("sale.order", "read", [self._get_request().id], ["portal_request_key"])
        self.assertIn("error", answer)


@tagged("post_install", "-at_install")
class TestPortalDebt(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(cls.north, "2026-01-10")
        cls.invoice_balt = cls._create_invoice(cls.balt, "2026-01-10")

    @classmethod
    def _create_invoice(cls, partner, due):
        invoice = cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": "2026-01-01",
                "invoice_date_due": due,
                "invoice_line_ids": [(0, 0, {"name": "x", "price_unit": 777.0, "tax_ids": [(5,)]})],
            }
        )
        invoice.action_post()
        return invoice

    def test_debt(self):
        self.login(self.nina)
        page = self.url_open("/my/debt").text
        self.assertIn(self.invoice.name, page)
        self.assertNotIn(self.invoice_balt.name, page)
        self.assertIn("777.00", page)
        self.assertIn("overdue", page)
        self.assertNotIn("Left of your credit limit", page)
        counters = self.jsonrpc("/my/counters", counters=["debt_count"])["result"]
        self.assertEqual(counters, {"debt_count": 1})

    def test_credit_limit_left(self):
        agreement = self.env["crm.agreement"].create(
            {"partner_id": self.north.id, "credit_limit": 5000.0, "date_start": "2026-01-01"}
        )
        agreement.action_submit()
        agreement.with_user(
            new_test_user(
                self.env,
                login="portal_limit_approver",
                groups="sales_team.group_sale_manager,crm_extended.crm_agreements_group_approver",
            )
        ).action_approve()
        self.login(self.nina)
        page = self.url_open("/my/debt").text
        self.assertIn("Left of your credit limit", page)
        # 777 invoiced and 700 ordered
        self.assertIn("3,523.00", page)

    def test_empty_and_others(self):
        self.login(self.carla)
        self.assertIn("Nothing to pay", self.url_open("/my/debt").text)
        self.login(None)
        self.assertEqual(self.url_open("/my/debt", allow_redirects=False).status_code, 303)
