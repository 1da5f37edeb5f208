from datetime import timedelta

from odoo import fields, sql_db
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PortalCase

LISTS = ("/my/debt", "/my/agreements", "/my/company", "/my/news", "/my/notices", "/my/data")
PAGES = (*LISTS, "/my", "/my/call", "/my/company/edit", "/my/recommended", "/my/orders")
FORMS = (
    "/my/call",
    "/my/call/{id}/cancel",
    "/my/company/edit",
    "/my/company/contact",
    "/my/company/contact/{id}/remove",
    "/my/company/change/{id}/cancel",
    "/my/notices",
    "/my/data/erase",
    "/my/recommended/{id}",
    "/my/orders/{id}/repeat",
    "/my/agreements/{id}/renew",
)
FIELDS = (
    "kind", "slot", "topic", "note", "phone", "form_key", "name", "email", "function", "street",
    "country_id", "state_id", "website", "mail_survey", "sms_survey", "offers", "confirm",
    "notice", "page", "search", "sortby", "partner_id", "company_id", "state",
)  # fmt: skip
NONSENSE = (
    "0",
    "-1",
    "\x00'; DROP TABLE crm_portal_change; --",
    "9" * 400,
    "ключ {{7*7}} ../../etc/passwd",
    "<script>alert(1)</script>",
)


@tagged("post_install", "-at_install")
class TestServiceAttacks(PortalCase):
    """Every page and form of self-service, asked for by everybody, with everything."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.portal_requests_per_hour = 10_000
        cls.north.user_id = cls.handler

    def _login_as(self, user):
        if user == self.handler:
            self.authenticate("portal_handler", "portal_handler")
        else:
            self.login(user)

    @mute_logger("odoo.http")
    def test_public_and_staff(self):
        ids = (self.order.id, self.nina.partner_id.id, 1)
        self.login(None)
        for url in PAGES:
            response = self.url_open(url, allow_redirects=False)
            self.assertEqual(response.status_code, 303, url)
        for url in FORMS:
            for record_id in ids:
                response = self.post(url.format(id=record_id), {"form_key": "k", "name": "x"})
                self.assertIn(response.status_code, (303, 404), url)
                if response.status_code == 303:
                    self.assertIn("/web/login", response.headers["Location"])
        self._login_as(self.handler)
        for url in FORMS:
            response = self.post(url.format(id=self.order.id), {"form_key": "k", "name": "x"})
            self.assertEqual(response.status_code, 404, url)
        self.assertFalse(self.env["crm.portal.change"].search([]))

    @mute_logger("odoo.http")
    def test_forms_need_csrf(self):
        self.login(self.nina)
        for url in (*FORMS, "/my/data/export"):
            response = self.url_open(url.format(id=self.order.id), data={"name": "x"})
            self.assertEqual(response.status_code, 400, url)

    @mute_logger("odoo.http")
    def test_former_customer(self):
        """An account that is closed while he is signed in."""
        self.login(self.nina)
        self.nina.active = False
        for url in PAGES:
            response = self.url_open(url, allow_redirects=False)
            self.assertIn(response.status_code, (303, 403, 404), url)
        for url in FORMS:
            response = self.post(url.format(id=self.order.id), {"form_key": "k", "name": "x"})
            self.assertIn(response.status_code, (303, 400, 403, 404), url)
        self.assertFalse(self.env["crm.portal.change"].search([]))

    @mute_logger("odoo.http", "odoo.sql_db")
    def test_fuzzed_parameters(self):
        self.login(self.nina)
        for value in NONSENSE:
            values = dict.fromkeys(FIELDS, value)
            for url in PAGES:
                response = self.url_open(url, params=values, allow_redirects=False)
                self.assertLess(response.status_code, 500, (url, value))
                self.assertNotIn("<script>alert(1)", response.text)
            for url in FORMS:
                for record_id in (self.order.id, 2**63):
                    response = self.post(url.format(id=record_id), values)
                    self.assertLess(response.status_code, 500, (url, value))
                    self.assertNotIn("<script>alert(1)", response.text)
        self.assertRecordValues(self.north, [{"name": "North Test Ltd", "active": True}])

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_rpc(self):
        self.login(self.nina)
        for model in (
            "crm.portal.change",
            "crm.portal.change.line",
            "crm.portal.notice",
            "crm.portal.notice.choice",
            "crm.portal.news",
            "crm.portal.feedback",
            "crm.interaction",
            "crm.agreement.contract",
            "crm.product.offer",
            "crm.product.recommendation",
            "survey.user_input",
        ):
            for method, args in (
                ("search_read", [[], ["id"]]),
                ("create", [{}]),
                ("write", [[1], {}]),
            ):
                self.assertIn("error", self.rpc(model, method, *args), (model, method))
        for model, method in (
            ("sale.order", "_portal_repeat"),
            ("crm.interaction", "_portal_request"),
            ("crm.portal.change", "_portal_request_change"),
            ("crm.portal.export", "_make_zip"),
            ("crm.portal.export", "_collect"),
            ("res.users", "_portal_get_hours"),
        ):
            self.assertIn("error", self.rpc(model, method, [1]), (model, method))
        self.assertIn("error", self.rpc("crm.portal.change", "action_approve", [1]))


@tagged("post_install", "-at_install")
class TestServiceQueries(PortalCase):
    """The pages cost the same however much there is to show."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.north.user_id = cls.handler
        cls.handler.tz = "Europe/Berlin"

    def _count(self, url):
        self.url_open(url)  # warm caches
        self.env.flush_all()
        before = sql_db.sql_counter
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200, url)
        return sql_db.sql_counter - before

    def _multiply(self):
        for index in range(6):
            self._create_order(self.north, {self.drill: index + 1})
            invoice = self.env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.north.id,
                    "invoice_line_ids": [
                        (0, 0, {"name": "x", "price_unit": 10.0, "tax_ids": [(5,)]})
                    ],
                }
            )
            invoice.action_post()
            self.env["res.partner"].create({"name": f"C{index}", "parent_id": self.north.id})
            self.env["crm.portal.news"].create({"name": f"N{index}", "is_published": True})
            self.env["crm.portal.change"].sudo().create(
                {
                    "kind": "contact_add",
                    "partner_id": self.north.id,
                    "company_id": self.company.id,
                    "requested_by_id": self.nina.partner_id.id,
                    "state": "new",
                    "line_ids": [(0, 0, {"field_name": "name", "new_value": f"P{index}"})],
                }
            )
            self.env["crm.interaction"].sudo().create(
                {
                    "subject": f"I{index}",
                    "kind": "call",
                    "state": "planned",
                    "user_id": self.handler.id,
                    "partner_id": self.nina.partner_id.id,
                    "portal_request_partner_id": self.nina.partner_id.id,
                    "date_start": fields.Datetime.now() + timedelta(days=index + 1),
                }
            )

    def test_constant_and_few(self):
        self._multiply()
        self.login(self.nina)
        order_page = f"/my/orders/{self.order.id}"
        urls = (*PAGES, order_page)
        first = {url: self._count(url) for url in urls}
        self._multiply()
        second = {url: self._count(url) for url in urls}
        for url in urls:
            with self.subTest(url):
                self.assertLessEqual(second[url], first[url] + 1)
        for url in (*LISTS, "/my/orders", "/my/recommended"):
            with self.subTest(url):
                self.assertLessEqual(second[url], 20)
        for url in ("/my", "/my/call", order_page):
            with self.subTest(url):
                self.assertLessEqual(second[url], 26, url)
