"""The first walk through the house: one complaint and one deal, each through all its rooms."""

import io
import re

from odoo.fields import Command, Date
from odoo.tests import tagged
from PIL import Image
from playwright.sync_api import expect

from .common import PHONE, StoryCase, open_page

CLAIMS = "crm_claims.crm_claim_action"
ORDERS = "sale.action_quotations_with_onboarding"
DEALS = "crm.crm_lead_opportunities"
CLIENT = "Story Client Ltd"
DEPARTMENT = "Story Warehouse"
CAUSE = "Story broken in transport"


@tagged("post_install", "-at_install")
class TestFirstWalk(StoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["crm.scorecard"].search([], limit=1).ensure_one()
        cls.company = cls.env.ref("base.main_company")
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", cls.company)
        cls.handler = cls.create_user("story_handler", "crm_claims.crm_claims_group_user_all")
        cls.salesman = cls.create_user("story_sales", "sales_team.group_sale_salesman")
        cls.manager = cls.create_user("story_manager", "sales_team.group_sale_manager")
        cls.approver = cls.create_user(
            "story_approver",
            "sales_team.group_sale_salesman_all_leads,"
            "crm_extended.crm_agreements_group_approver",
        )
        cls.accountant = cls.create_user("story_accountant", "account.group_account_invoice")
        cls.department = cls.env["hr.department"].create({"name": DEPARTMENT})
        cls.cause = cls.env["crm.claim.cause"].create({"name": CAUSE})
        cls.client = cls.env["res.partner"].create(
            {
                "name": CLIENT,
                "is_company": True,
                "user_id": cls.salesman.id,
                "phone": "+442079460999",
            }
        )
        cls.customer = cls.create_user(
            "story_customer",
            "base.group_portal",
            email="story@example.com",
            partner_id=cls.env["res.partner"]
            .create({"name": "Stella Story", "parent_id": cls.client.id})
            .id,
        )
        cls.drill = cls.env["product.product"].create(
            {
                "name": "Story Drill",
                "type": "service",
                "invoice_policy": "order",
                "list_price": 100.0,
                "taxes_id": [Command.clear()],
            }
        )
        cls.deal = cls.env["crm.lead"].create(
            {
                "name": "Story deal",
                "type": "opportunity",
                "partner_id": cls.client.id,
                "user_id": cls.salesman.id,
                "expected_revenue": 5000.0,
            }
        )
        cls.agreement = cls._create_agreement()

    @classmethod
    def _create_agreement(cls):
        agreement = (
            cls.env["crm.agreement"]
            .with_user(cls.salesman)
            .create(
                {
                    "partner_id": cls.client.id,
                    "date_start": Date.today(),
                    "enforcement": "approve",
                    "discount_line_ids": [Command.create({"max_discount": 5.0})],
                }
            )
        )
        agreement.action_submit()
        agreement.with_user(cls.approver).action_approve()
        return agreement

    @classmethod
    def _create_order(cls, quantity, discount=0.0):
        return (
            cls.env["sale.order"]
            .with_user(cls.salesman)
            .create(
                {
                    "partner_id": cls.client.id,
                    "opportunity_id": cls.deal.id,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": cls.drill.id,
                                "product_uom_qty": quantity,
                                "discount": discount,
                            }
                        )
                    ],
                }
            )
        )

    # ------------------------------------------------------------
    # The complaint
    # ------------------------------------------------------------

    def test_complaint(self):
        order = self._create_order(5)
        order.action_confirm()
        order.sudo()._create_invoices().action_post()
        order_id, line_id = order.id, order.order_line.id

        with self.browsing():
            customer = self.open_window("story_customer", PHONE)
            self._file_claim(customer, order_id, line_id)
        claim = self.env["crm.claim"].search([("order_id", "=", order_id)])
        claim_id = claim.id
        self.assertEqual((claim.state, claim.channel), ("new", "portal"))
        self.assertEqual(claim.line_ids.quantity, 2)
        self.assertEqual(claim._portal_get_messages().attachment_ids.mimetype, "image/jpeg")
        self.assertTrue(claim.is_acknowledgement_sent)

        with self.browsing():
            staff = self.open_window("story_handler")
            self._handle_claim(staff, claim_id)
        self.assertEqual(claim.state, "investigating")
        self.assertEqual(claim.department_id, self.department)
        investigation = claim.investigation_ids
        self.assertEqual(investigation.state, "running")
        self.assertTrue(investigation.task_ids)
        self.assertTrue(all(investigation.task_ids.mapped("date_deadline")))
        investigation.task_ids.write({"state": "1_done"})
        self.assertEqual(investigation.progress, 100)

        with self.browsing():
            open_page(customer, f"/my/claims/{claim_id}", "#claim_status_title")
            expect(customer.locator("#claim_status_title")).to_contain_text("Being looked into")
            expect(customer.locator("main")).not_to_contain_text(DEPARTMENT)
            self._decide_claim(staff, claim_id)
        self.assertEqual((claim.state, claim.decision), ("decided", "satisfied"))
        credit_note = claim.credit_note_ids
        credit_note_id = credit_note.id
        self.assertRecordValues(
            credit_note, [{"state": "draft", "move_type": "out_refund", "amount_total": 200.0}]
        )

        with self.browsing():
            self._accept_and_rate(customer, claim_id)
        self.assertEqual((claim.customer_answer, claim.state), ("accepted", "closed"))
        self.assertEqual(claim.rating_ids.filtered("consumed").rating, 5)

        with self.browsing():
            accountant = self.open_window("story_accountant")
            self._look_at_money(accountant, credit_note_id)
            open_page(
                staff, "/odoo/action-crm_claims.crm_claim_report_action", ".o_switch_view.o_pivot"
            )
            staff.click(".o_switch_view.o_pivot")
            expect(staff.locator("div.o_pivot")).to_be_visible()
        report = self.env["crm.claim.report"].with_user(self.handler)
        [[amount]] = report._read_group(
            [("department_id", "=", self.department.id)], [], ["amount_granted:sum"]
        )
        self.assertEqual(amount, 200.0)
        self.assertFalse(self.page_errors)

    def _file_claim(self, page, order_id, line_id):
        """A customer with a phone: from the order to the number of the claim."""
        open_page(page, f"/my/orders/{order_id}", "#portal_report_problem")
        page.click("#portal_report_problem")
        page.fill(f"[name=quantity_{line_id}]", "2")
        page.fill("#claim_subject", "Two drills arrived broken")
        page.fill("#claim_description", "The housings are cracked.")
        page.click("label[for=remedy_refund]")
        page.wait_for_function(
            "() => document.querySelector('.o_crm_portal_claim_form').noValidate"
        )
        page.set_input_files(
            "#claim_photos",
            {"name": "cracked.jpg", "mimeType": "image/jpeg", "buffer": self._make_photo()},
        )
        expect(page.locator(".o_crm_portal_previews img")).to_be_visible()
        page.click("form.o_crm_portal_claim_form button.btn-lg")
        expect(page).to_have_url(re.compile("notice=filed$"))
        expect(page.locator(".alert-success")).to_contain_text("CLM")

    def _make_photo(self):
        stream = io.BytesIO()
        Image.new("RGB", (320, 240), "firebrick").save(stream, "JPEG")
        return stream.getvalue()

    def _handle_claim(self, page, claim_id):
        """The handler acknowledges, names cause and culprit, and starts the investigation."""
        self.open_record(page, CLAIMS, claim_id)
        self.press(page, "action_acknowledge")
        page.click(".o_notebook [name=guilt]")
        self.choose(page, "cause_id", CAUSE)
        page.click("[name=fault_ids] .o_field_x2many_list_row_add a")
        self.choose(page, "department_id", DEPARTMENT, within="[name=fault_ids]")
        page.fill("[name=fault_ids] [name=share] input", "100")
        page.fill("[name=fault_ids] [name=reason] input", "Packed without padding")
        self.save(page)
        self.press(page, "action_plan_investigation")
        self.press(page, "action_start")
        expect(page.locator("[name=task_ids] .o_data_row").first).to_be_visible()

    def _decide_claim(self, page, claim_id):
        self.open_record(page, CLAIMS, claim_id)
        self.press(page, "action_decide")
        self.write_html(page, "decision_text", "You are right.", within=".modal")
        self.press(page, "action_decide", within=".modal")
        expect(page.locator(".modal")).to_have_count(0)

    def _accept_and_rate(self, page, claim_id):
        open_page(page, f"/my/claims/{claim_id}", "#decision")
        expect(page.locator("#decision")).to_contain_text("You are right.")
        page.click("form[action$='/accept'] button")
        expect(page).to_have_url(re.compile("notice=accept$"))
        page.click("label[for=rate_5]")
        page.fill("#rate_feedback", "Quick and fair")
        page.click("form[action$='/rate'] button")
        expect(page).to_have_url(re.compile("notice=rate$"))

    def _look_at_money(self, page, credit_note_id):
        """The accountant finds the draft credit note, and the deal's figures in his report."""
        self.open_record(page, "account.action_move_out_refund_type", credit_note_id)
        expect(page.locator("[name=partner_id] input")).to_have_value(re.compile(CLIENT))
        open_page(
            page, "/odoo/action-crm_extended.crm_sale_deal_report_action", ".o_action_manager"
        )
        expect(page.locator(".o_action_manager")).to_contain_text(CLIENT)

    # ------------------------------------------------------------
    # The deal
    # ------------------------------------------------------------

    def test_deal(self):
        quotation = self._create_order(3, discount=30.0)
        self.assertEqual(quotation.agreement_id, self.agreement)
        outcome = self.env.ref("crm_extended.crm_interaction_outcome_no_answer")
        deal_id, quotation_id, outcome_id = self.deal.id, quotation.id, outcome.id

        with self.browsing():
            seller = self.open_window("story_sales")
            self.open_record(seller, DEALS, deal_id)
            seller.click(f".o_crm_outcome_buttons [data-outcome='{outcome_id}']")
            expect(seller.locator(".o_notification")).to_be_visible()
        self.assertTrue(self.deal.interaction_next_date, "the next attempt is planned")
        self.assertTrue(self.deal.interaction_ids)

        with self.browsing():
            self._try_to_confirm(seller, quotation_id)
        self.assertEqual(quotation.state, "draft")

        with self.browsing():
            self.open_record(seller, ORDERS, quotation_id)
            self.press(seller, "action_request_deviation_approval")
            seller.fill(".modal [name=reason] textarea", "A large customer")
            self.press(seller, "action_request", within=".modal")
            approver = self.open_window("story_approver")
            self.open_record(approver, ORDERS, quotation_id)
            self.press(approver, "action_decide_deviations")
            approver.fill(".modal [name=reason] textarea", "Once, to open the door")
            self.press(approver, "action_approve", within=".modal")
            self.open_record(seller, ORDERS, quotation_id)
            self.press(seller, "action_confirm")
        self.assertEqual(quotation.state, "sale")
        self.assertEqual(set(quotation.deviation_ids.mapped("state")), {"approved"})
        self.assertEqual(quotation.deviation_ids.approver_id, self.approver)

        invoice = quotation._create_invoices()
        invoice.action_post()
        invoice_id, agreement_name = invoice.id, self.agreement.name
        with self.browsing():
            accountant = self.open_window("story_accountant")
            self._trace_the_sale(accountant, invoice_id, agreement_name)

        class_before = self.deal.score_class_auto
        with self.browsing():
            manager = self.open_window("story_manager")
            self._raise_class(manager, deal_id)
        self.assertTrue(class_before)
        self.assertEqual(self.deal.class_adjustment, 1)
        self.assertEqual(self.deal.score_class, {"D": "C", "C": "B"}.get(class_before, "A"))
        self.assertEqual(self.deal.class_adjustment_reason, "They are building a second site")
        self.assertFalse(self.page_errors)

    def _trace_the_sale(self, page, invoice_id, agreement_name):
        """From the invoice to its deal, agreement and deviation, without a sales group."""
        self.open_record(page, "account.action_move_out_invoice_type", invoice_id)
        expect(page.locator("[name=opportunity_ids]")).to_contain_text("Story deal")
        expect(page.locator("[name=agreement_ids]")).to_contain_text(agreement_name)
        self.press(page, "action_view_agreements")
        expect(page.locator(".o_form_view [name=partner_id]")).to_contain_text(CLIENT)
        expect(page.locator("button[name=action_new_version]:visible")).to_have_count(0)
        self.press(page, "action_view_deviations")
        expect(page.locator(".o_list_view, .o_form_view").last).to_contain_text("Story Drill")
        open_page(
            page,
            "/odoo/action-crm_extended.crm_agreement_deviation_report_action",
            ".o_action_manager",
        )
        expect(page.locator(".o_action_manager")).to_contain_text("story_sales")

    def _try_to_confirm(self, page, order_id):
        """Past the agreement there is no button, and no other road either."""
        self.open_record(page, ORDERS, order_id)
        expect(page.locator("button[name=action_confirm]:visible")).to_have_count(0)
        answer = page.evaluate(
            """id => fetch("/web/dataset/call_kw/sale.order/action_confirm", {
                method: "POST",
                headers: {"Content-Type": "application/json"},
                body: JSON.stringify({jsonrpc: "2.0", method: "call", params: {
                    model: "sale.order", method: "action_confirm", args: [[id]], kwargs: {},
                }}),
            }).then(response => response.json())""",
            order_id,
        )
        self.assertIn("error", answer)

    def _raise_class(self, page, deal_id):
        self.open_record(page, DEALS, deal_id)
        page.click(".o_notebook [name=scoring]")
        self.press(page, "action_raise_class")
        page.fill(".modal [name=reason] textarea", "They are building a second site")
        self.press(page, "action_apply", within=".modal")
        expect(page.locator(".modal")).to_have_count(0)
