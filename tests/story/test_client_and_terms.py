"""One client, from an unknown number on the telephone to the books of the accountant.

He rings, and we know his firm already; he buys under its individual agreement, further down than
agreed, which somebody else lets pass; the accountant finds all of it beside the invoice.
"""

import json
import re
import urllib.request
from datetime import datetime, timezone

from odoo.fields import Command, Date
from odoo.tests import tagged
from playwright.sync_api import expect

from .common import PHONE, StoryCase, open_page

ORDERS = "sale.action_quotations_with_onboarding"
AGREEMENTS = "crm_extended.crm_agreement_action"
INVOICES = "account.action_move_out_invoice_type"
FIRM = "Quillstone Works"
NUMBER = "+37129555603"
SIGNATURE = """Best regards,
Quinn Archer
Head of Procurement
Quillstone Works SIA
office@quillstone.example.com, +371 29 555 603
Brivibas iela 9, Riga, LV-1010, Latvia"""


@tagged("post_install", "-at_install")
class TestClientAndTerms(StoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.ref("base.main_company")
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", cls.company)
        cls.env["res.config.settings"].create({"group_discount_per_so_line": True}).execute()
        cls.seller = cls.create_user("terms_sales", "sales_team.group_sale_salesman")
        cls.approver = cls.create_user(
            "terms_approver", "crm_extended.crm_agreements_group_approver"
        )
        cls.accountant = cls.create_user("terms_accountant", "account.group_account_invoice")
        cls.firm = cls.env["res.partner"].create(
            {
                "name": FIRM,
                "is_company": True,
                "country_id": cls.env.ref("base.lv").id,
                "email": "office@quillstone.example.com",
                "user_id": cls.seller.id,
            }
        )
        cls.drill = cls.env["product.product"].create(
            {
                "name": "Quill Drill",
                "type": "service",
                "invoice_policy": "order",
                "list_price": 100.0,
                "taxes_id": [Command.clear()],
            }
        )
        cls.term = cls.env["account.payment.term"].create({"name": "Quill terms"})
        cls.agreement = (
            cls.env["crm.agreement"]
            .with_user(cls.seller)
            .create(
                {
                    "title": "Quill frame",
                    "partner_id": cls.firm.id,
                    "date_start": Date.today(),
                    "enforcement": "approve",
                    "payment_term_id": cls.term.id,
                    "discount_line_ids": [Command.create({"max_discount": 5.0})],
                }
            )
        )
        cls.agreement.action_submit()
        cls.agreement.with_user(cls.approver).action_approve()
        provider = cls.env["crm.telephony.provider"].create(
            {
                "name": "Terms exchange",
                "company_id": cls.company.id,
                "line_ids": [Command.create({"number": "961", "user_id": cls.seller.id})],
            }
        )
        cls.token = provider._generate_token()

    def test_story(self):
        with self.browsing():
            seller = self.open_window("terms_sales")
            self._ring()
        call = self.env["crm.telephony.call"].search([("uid", "=", "terms-1")])
        self.assertFalse(call.interaction_id.partner_id)
        call_id = call.id
        with self.browsing():
            self._register_caller(seller, call_id)
        [quinn] = self.firm.child_ids
        self.assertEqual((quinn.name, quinn.function), ("Quinn Archer", "Head of Procurement"))
        self.assertEqual(call.interaction_id.partner_id, quinn)
        self.assertEqual(self.env["res.partner"].search_count([("name", "=like", FIRM + "%")]), 1)

        with self.browsing():
            self._sell(seller)
        order = self.env["sale.order"].search([("partner_id", "=", self.firm.id)])
        self.assertEqual((order.agreement_id, order.payment_term_id), (self.agreement, self.term))
        self.assertEqual((order.state, order.agreement_check), ("draft", "requested"))
        self.assertEqual(order.deviation_ids.requested_by_id, self.seller)
        order_id = order.id

        with self.browsing():
            approver = self.open_window("terms_approver", PHONE)
            self._approve(approver)
        self.assertRecordValues(
            order.deviation_ids,
            [
                {
                    "kind": "discount",
                    "state": "approved",
                    "approver_id": self.approver.id,
                    "reason": "Once, to open the door",
                }
            ],
        )
        with self.browsing():
            self.open_record(seller, ORDERS, order_id)
            expect(seller.locator(".alert-success")).to_contain_text("approved")
            self.press(seller, "action_confirm")
        self.assertEqual(order.state, "sale")
        invoice = order._create_invoices()
        invoice_id = invoice.id
        with self.browsing():
            accountant = self.open_window("terms_accountant")
            self._account(accountant, invoice_id)
        self.assertEqual(invoice.state, "posted")
        self.assertFalse(self.page_errors)

    # ------------------------------------------------------------
    # The call
    # ------------------------------------------------------------

    def _ring(self):
        event = {
            "event": "ringing",
            "call_id": "terms-1",
            "timestamp": datetime.now(timezone.utc).isoformat(),
            "direction": "in",
            "from": NUMBER,
            "to": "+37167555000",
            "extension": "961",
        }
        request = urllib.request.Request(
            f"{self.base_url()}/crm_extended/telephony/v1/events",
            data=json.dumps(event).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            self.assertEqual(json.load(answer)["results"][0]["status"], "recorded")

    def _register_caller(self, page, call_id):
        # the bus, which Odoo switches off in its browser tests, tells the screen of the call:
        # see test_call_card.py; here the screen is told that it knew
        page.evaluate(
            "id => sessionStorage.setItem('crm_extended.calls', JSON.stringify([id]))", call_id
        )
        page.reload()
        card = page.locator(".o_crm_call_card", has_text="Not among the contacts")
        card.locator("[data-button=register]").click()
        dialog = page.locator(".modal", has=page.locator(".o_crm_partner_register"))
        dialog.locator("[name=text] textarea").fill(SIGNATURE)
        dialog.locator("[name=text] textarea").press("Tab")
        expect(dialog.locator("[name=name] input").first).to_have_value(FIRM + " SIA")
        known = dialog.locator(".o_crm_known_client", has_text=FIRM)
        expect(known).to_be_visible()
        known.locator(".o_crm_known_complete").click()
        expect(dialog).to_have_count(0)
        expect(page.locator(".o_crm_call_card a.o_crm_call_name")).to_have_text("Quinn Archer")
        page.locator(".o_crm_call_card .o_crm_call_close").click()

    # ------------------------------------------------------------
    # The order
    # ------------------------------------------------------------

    def _sell(self, page):
        open_page(page, f"/odoo/action-{ORDERS}/new", ".o_form_view")
        self.choose(page, "partner_id", FIRM)
        expect(page.locator("[name=agreement_id] input")).to_have_value(re.compile("Quill frame"))
        page.locator("[name=order_line] .o_field_x2many_list_row_add a").first.click()
        line = page.locator("[name=order_line] .o_selected_row")
        line.locator("[name=product_template_id] input, [name=product_id] input").first.fill(
            "Quill Drill"
        )
        page.click(".o-autocomplete--dropdown-item:has-text('Quill Drill')")
        expect(page.locator("[name=order_line] [name=price_unit] input")).to_have_value("100.00")
        self.save(page)
        expect(page.locator("button[name=action_confirm]:visible")).to_have_count(1)
        page.locator("[name=order_line] .o_data_row [name=discount]").click()
        page.fill("[name=order_line] .o_selected_row [name=discount] input", "20")
        page.keyboard.press("Tab")
        # told while he types, before anything is saved
        expect(page.locator(".alert-warning:visible")).to_contain_text("needs an approval")
        self.save(page)
        expect(page.locator("button[name=action_confirm]:visible")).to_have_count(0)
        page.click(".o_notebook [name=agreement_terms]")
        terms = page.locator("[name=agreement_terms_html]:visible")
        expect(terms.locator("tr.table-danger")).to_contain_text("Quill Drill")
        expect(terms.locator("tr", has_text="Payment terms").first).to_contain_text("Quill terms")
        self.press(page, "action_request_deviation_approval")
        page.fill(".modal [name=reason] textarea", "Their first order of the season")
        self.press(page, "action_request", within=".modal")
        expect(page.locator(".alert-info:visible")).to_contain_text("requested")

    def _approve(self, page):
        """On a telephone, from the list of what waits for a decision."""
        open_page(
            page, "/odoo/action-crm_extended.crm_agreement_deviation_action", ".o_action_manager"
        )
        row = page.locator(".o_kanban_record", has_text="Quill Drill")
        expect(row).to_contain_text("at most 5 %")
        row.locator("button[name=action_decide]").click()
        dialog = page.locator(".modal")
        expect(dialog).to_contain_text("Their first order of the season")
        expect(dialog).to_contain_text("20 %")
        dialog.locator("[name=reason] textarea").fill("Once, to open the door")
        self.press(page, "action_approve", within=".modal")
        expect(dialog).to_have_count(0)

    # ------------------------------------------------------------
    # The books
    # ------------------------------------------------------------

    def _account(self, page, invoice_id):
        """The accountant posts the invoice, and follows it to the agreement and its deviations."""
        self.open_record(page, INVOICES, invoice_id)
        expect(page.locator("[name=agreement_ids]")).to_contain_text("Quill frame")
        self.press(page, "action_post")
        expect(page.locator(".o_statusbar_status .o_arrow_button_current")).to_have_text("Posted")
        self.press(page, "action_view_agreements")
        expect(page.locator(".o_form_view [name=partner_id]")).to_contain_text(FIRM)
        self.press(page, "action_view_deviations")
        expect(page.locator(".o_action_manager")).to_contain_text("Quill Drill")
        open_page(page, "/odoo/sales-by-deal", ".o_action_manager")
        expect(page.locator(".o_action_manager")).to_contain_text("Quill frame")
