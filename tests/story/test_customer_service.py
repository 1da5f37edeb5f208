"""A customer helps himself on his phone: the same order again, and a call at a time of his own."""

from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from playwright.sync_api import expect

from .accessibility import find_barriers, find_overflow
from .common import DESKTOP, PHONE, StoryCase, open_page

PAGES = (
    *("/my", "/my/orders", "/my/agreements", "/my/debt", "/my/recommended", "/my/news"),
    *("/my/company", "/my/company/edit", "/my/call", "/my/notices"),
    "/my/data",
)


@tagged("post_install", "-at_install")
class TestCustomerService(StoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.create_user(
            "story_manager", "sales_team.group_sale_salesman_all_leads", name="Mary Manager"
        )
        cls.env.ref("base.main_company").resource_calendar_id.tz = "Europe/Berlin"
        cls.client = cls.env["res.partner"].create(
            {"name": "Story Ltd", "is_company": True, "user_id": cls.manager.id}
        )
        cls.contact = cls.env["res.partner"].create(
            {
                "name": "Carl Customer",
                "email": "carl@example.com",
                "parent_id": cls.client.id,
                "lang": "en_US",
            }
        )
        cls.env["res.users"].with_context(no_reset_password=True).create(
            {
                "name": "Carl Customer",
                "login": "story_customer",
                "password": "story_customer",
                "partner_id": cls.contact.id,
                "group_ids": [Command.set(cls.env.ref("base.group_portal").ids)],
            }
        )
        cls.kept, cls.gone = cls.env["product.product"].create(
            [
                {"name": "Story Drill", "list_price": 100.0, "taxes_id": False},
                {"name": "Story Lamp", "list_price": 10.0, "taxes_id": False},
            ]
        )
        cls.order = cls.env["sale.order"].create(
            {
                "partner_id": cls.contact.id,
                "order_line": [
                    Command.create({"product_id": cls.kept.id, "product_uom_qty": 3}),
                    Command.create({"product_id": cls.gone.id, "product_uom_qty": 1}),
                ],
            }
        )
        cls.order.action_confirm()
        cls.kept.list_price = 120.0
        cls.gone.active = False

    def test_phone(self):
        with self.browsing():
            page = self.open_window("story_customer", PHONE)
            # home: his manager, and no sideways scrolling
            open_page(page, "/my", ".o_crm_portal_manager")
            expect(page.locator(".o_crm_portal_manager")).to_contain_text("Mary Manager")
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 390)

            # the same order again
            open_page(page, f"/my/orders/{self.order.id}", "#portal_repeat_order")
            page.click("#portal_repeat_order")
            expect(page.locator(".alert-success")).to_contain_text("We have your request")
            expect(page.locator(".alert-warning").first).to_contain_text("Story Lamp")
            expect(page.locator("#portal_sale_content")).to_contain_text("120.00")

            # a call, at a time of his own
            open_page(page, "/my/call", ".o_crm_portal_days")
            expect(page.locator("form[action='/my/call'] p").first).to_contain_text(
                "Europe/Berlin"  # the clock of his browser, which Odoo takes at the first sign-in
            )
            day = page.locator(".o_crm_portal_days details").nth(1)
            day.locator("summary").click()
            day.locator("label").first.click()
            page.fill("#call_topic", "Delivery of the drills")
            page.click("form[action='/my/call'] button[type=submit]")
            expect(page.locator(".alert-success")).to_contain_text("the time is yours")
            expect(page.locator(".list-group")).to_contain_text("Delivery of the drills")
            self.assertFalse(self.page_errors)

        quotation = self.env["sale.order"].search([("portal_origin_id", "=", self.order.id)])
        self.assertRecordValues(
            quotation.order_line,
            [{"product_id": self.kept.id, "product_uom_qty": 3, "price_unit": 120}],
        )
        call = self.env["crm.interaction"].search(
            [("portal_request_partner_id", "=", self.contact.id)]
        )
        self.assertRecordValues(
            call, [{"state": "planned", "kind": "call", "user_id": self.manager.id}]
        )
        self.assertGreater(call.date_start, fields.Datetime.now() + timedelta(minutes=30))

        with self.browsing():
            # the manager finds the request on the quotation
            page = self.open_window("story_manager", DESKTOP)
            self.open_record(page, "sale.action_quotations_with_onboarding", quotation.id)
            expect(page.locator(".alert-info").first).to_contain_text("requested this quotation")

    def test_pages_have_no_barriers(self):
        """Nobody needs good eyes, a mouse or a wide window for a page of self-service."""
        company = self.env.ref("base.main_company")
        company.agreement_self_approval = True
        agreement = self.env["crm.agreement"].create(
            {"kind": "individual", "partner_id": self.client.id, "company_id": company.id}
        )
        agreement.action_submit()
        agreement.action_approve()
        self.env["crm.portal.news"].create(
            {"name": "We move", "body": "<p>From Monday on.</p>", "is_published": True}
        )
        urls = [*PAGES, f"/my/agreements/{agreement.id}"]
        found = []
        with self.browsing():
            for size in ({"width": 360, "height": 740}, DESKTOP):
                page = self.open_window("story_customer", size)
                for url in urls:
                    answer = page.goto(url)
                    page.wait_for_load_state("networkidle")
                    self.assertEqual(answer.status, 200, url)
                    found += find_barriers(page)
                    if overflow := find_overflow(page):
                        found.append(f"{url}: {overflow} pixels too wide at {size['width']}")
        self.assertFalse(found, "\n".join(found))
