from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalCompany(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.north.write({"phone": "+49 30 111", "vat": False, "city": "Oldtown"})
        cls.seller = new_test_user(
            cls.env,
            "portal_seller",
            "sales_team.group_sale_salesman_all_leads,base.group_partner_manager",
        )
        cls.seller_manager = new_test_user(
            cls.env, "portal_head", "sales_team.group_sale_manager,base.group_partner_manager"
        )
        cls.north.user_id = cls.seller
        cls.Change = cls.env["crm.portal.change"]

    def setUp(self):
        super().setUp()
        self.login(self.nina)

    def _get(self, **domain):
        return self.Change.search([(key, "=", value) for key, value in domain.items()])

    def _edit(self, key="k", **values):
        return self.post("/my/company/edit", {"form_key": key, "name": self.north.name, **values})

    def test_page(self):
        page = self.url_open("/my/company").text
        for text in ("North Test Ltd", "Oldtown", "Ned", "ned@example.com", "(you)"):
            self.assertIn(text, page)
        self.assertNotIn("Boris", page)
        self.assertEqual(self.url_open("/my/company/edit").status_code, 200)

    def test_change_waits_for_review(self):
        response = self._edit(city="Newtown", phone="+49 30 222")
        self.assertEqual(response.status_code, 303)
        self.assertEqual(self.north.city, "Oldtown")
        change = self._get(kind="company")
        self.assertEqual(change.state, "new")
        self.assertEqual(change.activity_ids.user_id, self.seller)
        self.assertEqual(
            {line.field_name: (line.old_value, line.new_value) for line in change.line_ids},
            {"city": ("Oldtown", "Newtown"), "phone": ("+49 30 111", "+49 30 222")},
        )
        self.assertIn("Being checked", self.url_open("/my/company").text)
        change.with_user(self.seller).action_approve()
        self.assertRecordValues(self.north, [{"city": "Newtown", "phone": "+49 30 222"}])
        self.assertRecordValues(change, [{"state": "approved", "decided_by_id": self.seller.id}])
        self.assertFalse(change.activity_ids)
        self.assertIn("Done", self.url_open("/my/company").text)
        with self.assertRaises(UserError):
            change.with_user(self.seller).action_approve()

    def test_reject_needs_an_answer(self):
        self._edit(city="Newtown")
        change = self._get(kind="company").with_user(self.seller)
        with self.assertRaises(ValidationError):
            change.action_reject()
        change.answer = "Please send the papers."
        change.action_reject()
        self.assertEqual(self.north.city, "Oldtown")
        self.assertIn("Please send the papers.", self.url_open("/my/company").text)

    def test_fields_that_are_never_changed(self):
        bank = self.env["res.partner.bank"].create(
            {"acc_number": "DE12", "partner_id": self.north.id}
        )
        self._edit(
            vat="7707083893",
            kpp="770701001",
            credit_limit="1000000",
            user_id="1",
            property_payment_term_id="1",
            acc_number="DE99",
            bank_ids="1",
            parent_id="1",
            active="0",
            city="Newtown",
        )
        change = self._get(kind="company")
        self.assertEqual(change.line_ids.mapped("field_name"), ["city"])
        change.with_user(self.seller).action_approve()
        self.assertRecordValues(self.north, [{"vat": False, "active": True}])
        self.assertEqual(bank.acc_number, "DE12")

    def test_newer_request_takes_the_place(self):
        self._edit(city="Newtown", key="1")
        self._edit(city="Midtown", key="2")
        self.assertEqual(self._get(kind="company").mapped("state"), ["new", "cancelled"])
        self._edit(city="Midtown", key="2")
        self.assertEqual(len(self._get(kind="company")), 2)

    def test_stale(self):
        self._edit(city="Newtown")
        change = self._get(kind="company")
        self.assertFalse(change.is_stale)
        self.north.city = "Elsewhere"
        change.invalidate_recordset(["is_stale"])
        self.assertTrue(change.is_stale)

    def test_staff_does_not_change_the_request(self):
        self._edit(city="Newtown")
        change = self._get(kind="company").with_user(self.seller)
        for values in ({"state": "approved"}, {"partner_id": self.balt.id}, {"kind": "erasure"}):
            with self.assertRaises(UserError):
                change.write(values)
        with self.assertRaises(AccessError):
            change.line_ids.write({"new_value": "x"})
        with self.assertRaises(AccessError):
            change.with_user(self.handler).sudo(False).read(["note"])
        other = new_test_user(
            self.env,
            "portal_sister",
            "sales_team.group_sale_manager",
            company_id=self.other_company.id,
            company_ids=[(6, 0, self.other_company.ids)],
        )
        self.assertFalse(self.Change.with_user(other).search([]))

    def test_contacts(self):
        self.post(
            "/my/company/contact",
            {"form_key": "a", "name": "Nora New", "email": "nora@example.com", "function": "CFO"},
        )
        add = self._get(kind="contact_add")
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Nora New")]))
        add.with_user(self.seller).action_approve()
        nora = self.env["res.partner"].search([("name", "=", "Nora New")])
        self.assertRecordValues(
            nora, [{"parent_id": self.north.id, "function": "CFO", "email": "nora@example.com"}]
        )
        self.post(f"/my/company/contact/{self.ned.partner_id.id}/remove", {"form_key": "b"})
        self.assertTrue(self.ned.partner_id.active)
        self._get(kind="contact_remove").with_user(self.seller).action_approve()
        self.assertFalse(self.ned.partner_id.active)
        self.assertFalse(self.ned.active)

    @mute_logger("odoo.http")
    def test_others(self):
        for partner in (
            self.boris.partner_id,
            self.nina.partner_id,
            self.balt,
            self.handler.partner_id,
        ):
            response = self.post(f"/my/company/contact/{partner.id}/remove", {"form_key": "x"})
            self.assertEqual(response.status_code, 404)
        self._edit(city="Newtown")
        change = self._get(kind="company")
        for user in (self.boris, self.ned, self.carla):
            self.login(user)
            url = f"/my/company/change/{change.id}/cancel"
            self.assertEqual(self.post(url).status_code, 404, user.name)
            self.assertIn("error", self.rpc("crm.portal.change", "read", [change.id], ["note"]))
        self.login(self.nina)
        self.assertEqual(self.post(f"/my/company/change/{change.id}/cancel").status_code, 303)
        self.assertEqual(change.state, "cancelled")
        self.login(None)
        for url in ("/my/company", "/my/company/edit"):
            self.assertEqual(self.url_open(url, allow_redirects=False).status_code, 303)

    @mute_logger("odoo.http")
    def test_bad_input(self):
        for values in (
            {"name": ""},
            {"email": "nonsense"},
            {"country_id": "abc"},
            {"country_id": "999999999"},
            {"state_id": "-1"},
            {"key": ""},
        ):
            with self.subTest(values):
                self.assertEqual(self._edit(**values).status_code, 422)
        self.assertEqual(self._edit(city="x" * 5000, street="\x01<script>").status_code, 303)
        self.assertEqual(self._get(kind="company").line_ids[0].new_value, "<script>")

    @mute_logger("odoo.http")
    def test_account_page_of_odoo(self):
        """What Odoo's own pages send goes to the same review."""
        contact = self.nina.partner_id
        response = self.post(
            "/my/address/submit",
            {
                "partner_id": contact.id,
                "address_type": "billing",
                "name": "Nina Renamed",
                "email": "nina@example.com",
                "phone": "+49 1",
                "vat": "DE123456788",
                "company_name": "Other Company",
            },
        )
        self.assertIn("/my/company", response.json()["redirectUrl"])
        self.assertEqual(contact.name, "Nina")
        self.assertEqual(self.north.name, "North Test Ltd")
        change = self._get(kind="address_edit")
        self.assertEqual(set(change.line_ids.mapped("field_name")), {"name", "phone"})
        self.post(
            "/my/address/submit",
            {"address_type": "delivery", "name": "Yard", "street": "Way 1", "city": "Town"},
        )
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Yard")]))
        self._get(kind="address_add").with_user(self.seller).action_approve()
        yard = self.env["res.partner"].search([("name", "=", "Yard")])
        self.assertRecordValues(yard, [{"type": "delivery", "parent_id": self.north.id}])
        self.jsonrpc("/my/address/archive", partner_id=yard.id)
        self.assertTrue(yard.active)
        self._get(kind="address_remove").with_user(self.seller).action_approve()
        self.assertFalse(yard.active)
        for partner_id in (self.boris.partner_id.id, "abc", "-1", "9" * 30):
            response = self.post("/my/address/submit", {"partner_id": partner_id, "name": "x"})
            self.assertEqual(response.status_code, 403)
        self.assertIn("error", self.jsonrpc("/my/address/archive", partner_id="x"))
        self.assertEqual(self.url_open("/my/account").status_code, 200)

    @mute_logger("odoo.http")
    def test_own_user_by_rpc(self):
        for values in ({"name": "X"}, {"email": "x@example.com"}, {"phone": "1"}):
            self.assertIn("error", self.rpc("res.users", "write", [self.nina.id], values))
        self.assertEqual(self.nina.name, "Nina")
        self.assertIn(
            "result", self.rpc("res.users", "write", [self.nina.id], {"tz": "Asia/Tokyo"})
        )

    def _request_erasure(self, user):
        return self.Change.with_user(user)._portal_request_change(
            "erasure", user.partner_id.sudo(), {}, "erase"
        )

    def test_erasure(self):
        contact, login = self.nina.partner_id, self.nina.login
        self.assertEqual(self._request_erasure(self.nina).state, "new")
        change = self._get(kind="erasure")
        with self.assertRaises(AccessError):
            change.with_user(self.seller).action_approve()
        self.assertEqual(contact.email, "nina@example.com")
        change.with_user(self.seller_manager).action_approve()
        self.assertRecordValues(contact, [{"email": False, "phone": False, "active": False}])
        self.assertNotIn("Nina", contact.name)
        self.assertFalse(self.nina.active)
        self.assertNotEqual(self.nina.login, login)
        self.assertTrue(self.order.exists())

    def test_erasure_of_the_billed(self):
        person = self.env["res.partner"].create({"name": "Paula", "email": "paula@example.com"})
        self.nina.partner_id.parent_id = False
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.nina.partner_id.id,
                "invoice_line_ids": [(0, 0, {"name": "x", "price_unit": 1, "tax_ids": [(5,)]})],
            }
        )
        invoice.action_post()
        self._request_erasure(self.nina)
        self._get(kind="erasure").with_user(self.seller_manager).action_approve()
        self.assertEqual(invoice.partner_id.name, "Nina")
        self.assertEqual(invoice.state, "posted")
        self.assertFalse(invoice.partner_id.email)
        self.assertTrue(person.active)
