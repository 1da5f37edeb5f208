"""A claim in the portal, both sides: two photos, a question, two decisions, a rating.

The customer files on his phone and ends at his desk; every page that he sees on the way passes
axe-core and fits its window.
"""

import io
import re
from datetime import timedelta

from odoo.fields import Command, Datetime
from odoo.tests import tagged
from PIL import Image
from playwright.sync_api import expect

from .accessibility import find_barriers, find_overflow
from .common import DESKTOP, PHONE, TIMEOUT, StoryCase, open_page

CLAIMS = "crm_claims.crm_claim_action"
SMALL = {"width": 360, "height": 740}


def make_photo(color):
    stream = io.BytesIO()
    Image.new("RGB", (640, 480), color).save(stream, "JPEG")
    return {"name": f"{color}.jpg", "mimeType": "image/jpeg", "buffer": stream.getvalue()}


class PortalStoryCase(StoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.ref("base.main_company")
        cls.handler = cls.create_user(
            "portal_story_handler", "crm_claims.crm_claims_group_user_all"
        )
        cls.north = cls.env["res.partner"].create(
            {
                "name": "Portal Story Ltd",
                "is_company": True,
                "email": "north@example.com",
                "user_id": cls.handler.id,
            }
        )
        cls.contact = cls.env["res.partner"].create(
            {"name": "Paula Portal", "parent_id": cls.north.id, "email": "paula@example.com"}
        )
        cls.customer = cls.create_user(
            "portal_story_customer",
            "base.group_portal",
            name="Paula Portal",
            partner_id=cls.contact.id,
        )
        cls.drill = cls.env["product.product"].create(
            {"name": "Story Drill", "list_price": 100.0, "taxes_id": [Command.clear()]}
        )
        cls.cause = cls.env["crm.claim.cause"].create({"name": "Story cause"})
        cls.order = cls.env["sale.order"].create(
            {
                "partner_id": cls.contact.id,
                "order_line": [Command.create({"product_id": cls.drill.id, "product_uom_qty": 5})],
            }
        )
        cls.order.action_confirm()

    def look(self, page):
        """The page as it is now has no barriers and fits its window."""
        page.wait_for_load_state("load")
        self.assertEqual(find_barriers(page), [])
        self.assertLessEqual(find_overflow(page), 0, page.url)


@tagged("post_install", "-at_install")
class TestPortalClaim(PortalStoryCase):
    def test_claim(self):
        order_id, line_id = self.order.id, self.order.order_line.id
        with self.browsing():
            phone = self.open_window("portal_story_customer", PHONE)
            self._file(phone, order_id, line_id)
        claim = self.env["crm.claim"].search([("order_id", "=", order_id)])
        claim_id = claim.id
        self.assertEqual((claim.state, claim.channel), ("new", "portal"))
        self.assertEqual(claim.line_ids.quantity, 2)
        self.assertEqual(len(claim._portal_get_messages().attachment_ids), 2)
        self.assertTrue(claim.is_acknowledgement_sent)
        claim.cause_id = self.cause

        with self.browsing():
            staff = self.open_window("portal_story_handler")
            self._ask(staff, claim_id)
            self._answer_question(phone, claim_id)
        self.assertEqual(claim.state, "investigating")
        self.assertEqual(len(claim._portal_get_messages().attachment_ids), 3)

        with self.browsing():
            self._decide(staff, claim_id, "Half of it.")
            self._reject(phone, claim_id)
        self.assertEqual((claim.state, claim.reopen_count), ("investigating", 1))

        with self.browsing():
            self._decide(staff, claim_id, "You are right, all of it.")
            desk = self.open_window("portal_story_customer", DESKTOP)
            self._accept_and_rate(desk, claim_id)
        self.assertEqual((claim.customer_answer, claim.state), ("accepted", "closed"))
        self.assertEqual(claim.rating_ids.filtered("consumed").rating, 5)
        self._go_on(order_id)

    def _file(self, page, order_id, line_id):
        open_page(page, f"/my/orders/{order_id}", "#portal_report_problem")
        page.click("#portal_report_problem")
        page.wait_for_selector(".o_crm_portal_drop.o_enhanced")
        page.fill(f"[name=quantity_{line_id}]", "2")
        page.fill("#claim_subject", "Two drills arrived broken")
        page.fill("#claim_description", "The housings are cracked.")
        page.click("label[for=remedy_refund]")
        photos = [make_photo("firebrick"), make_photo("navy"), make_photo("green")]
        page.set_input_files("#claim_photos", photos)
        expect(page.locator(".o_crm_portal_previews img")).to_have_count(3)
        page.click(".o_crm_portal_previews li:nth-child(3) button")
        expect(page.locator(".o_crm_portal_previews img")).to_have_count(2)
        self.look(page)
        # the tab is closed by mistake: everything is still there
        page.wait_for_timeout(1000)
        page.reload()
        expect(page.locator(".o_crm_portal_draft")).to_be_visible()
        expect(page.locator(".o_crm_portal_previews img")).to_have_count(2)
        expect(page.locator("#claim_subject")).to_have_value("Two drills arrived broken")
        expect(page.locator(f"[name=quantity_{line_id}]")).to_have_value("2")
        # no network: nothing is lost either
        page.context.set_offline(True)
        page.click(".o_crm_portal_send")
        expect(page.locator(".o_crm_portal_summary")).to_contain_text("no connection")
        page.context.set_offline(False)
        page.click(".o_crm_portal_send")
        expect(page).to_have_url(re.compile("notice=filed$"))
        expect(page.locator(".alert-success")).to_contain_text("CLM")
        expect(page.locator("#discussion img")).to_have_count(2)
        self.look(page)

    def _ask(self, page, claim_id):
        self.open_record(page, CLAIMS, claim_id)
        self.press(page, "action_acknowledge")
        self.press(page, "action_ask_customer")
        page.fill(".modal [name=question] textarea", "Which lot number is on the label?")
        self.press(page, "action_ask", within=".modal")
        expect(page.locator(".modal")).to_have_count(0)

    def _answer_question(self, page, claim_id):
        open_page(page, f"/my/claims/{claim_id}", "#question .o_crm_portal_drop.o_enhanced")
        expect(page.locator("#question")).to_contain_text("Which lot number is on the label?")
        self.look(page)
        page.fill("#message_body", "Lot 2214")
        page.set_input_files("#message_photos", [make_photo("gold")])
        page.click("#question .o_crm_portal_send")
        expect(page).to_have_url(re.compile("notice=message$"))
        expect(page.locator("#discussion")).to_contain_text("Lot 2214")

    def _decide(self, page, claim_id, text):
        self.open_record(page, CLAIMS, claim_id)
        self.press(page, "action_decide")
        self.write_html(page, "decision_text", text, within=".modal")
        self.press(page, "action_decide", within=".modal")
        expect(page.locator(".modal")).to_have_count(0)

    def _reject(self, page, claim_id):
        open_page(page, f"/my/claims/{claim_id}", "#decision")
        expect(page.locator("#decision")).to_contain_text("Half of it.")
        self.look(page)
        page.click("#decision summary")
        page.fill("#reject_reason", "Both are broken.")
        page.click("form[action$='/reject'] button")
        expect(page).to_have_url(re.compile("notice=reject$"))

    def _accept_and_rate(self, page, claim_id):
        open_page(page, f"/my/claims/{claim_id}", "#decision")
        expect(page.locator("#decision")).to_contain_text("all of it.")
        self.look(page)
        page.click("form[action$='/accept'] button")
        expect(page).to_have_url(re.compile("notice=accept$"))
        page.click("label[for=rate_5]")
        page.fill("#rate_feedback", "Fair in the end")
        page.click("form[action$='/rate'] button")
        expect(page).to_have_url(re.compile("notice=rate$"))
        self.look(page)

    def _go_on(self, order_id):
        """What the customer does besides: repeat the order, ask for a call."""
        with self.browsing():
            page = self.open_window("portal_story_customer", PHONE)
            open_page(page, f"/my/orders/{order_id}", "#portal_repeat_order")
            page.click("#portal_repeat_order")
            expect(page.locator(".alert-success")).to_contain_text("We have your request.")
            self.look(page)
            open_page(page, "/my", "#portal_manager_title")
            self.look(page)
            page.click(".o_crm_portal_manager a[href='/my/call']")
            day = page.locator(".o_crm_portal_days details").nth(1)
            day.locator("summary").click()
            day.locator("label").first.click()
            page.fill("#call_topic", "Drills for next year")
            page.fill("#call_phone", "+49 30 901820")
            self.look(page)
            page.click("form[action='/my/call'] button[type=submit]")
            expect(page.locator(".alert-success")).to_contain_text("the time is yours")
            expect(page.locator(".list-group")).to_contain_text("Drills for next year")
            self.look(page)
        call = self.env["crm.interaction"].search([("subject", "=", "Drills for next year")])
        self.assertEqual((call.kind, call.state, call.user_id), ("call", "planned", self.handler))
        self.assertEqual(call.portal_request_partner_id, self.contact)
        repeated = self.env["sale.order"].search([("portal_origin_id", "=", order_id)])
        self.assertEqual(repeated.order_line.product_uom_qty, 5)


@tagged("post_install", "-at_install")
class TestPortalWithoutScript(PortalStoryCase):
    """The basic form of the pages: an old phone, or a browser that runs no JavaScript."""

    def test_claim_from_scratch(self):
        with self.browsing():
            # Odoo's own form to sign in needs JavaScript
            signed_in = self.open_window("portal_story_customer", SMALL).context.storage_state()
            context = self.browser.new_context(
                viewport=SMALL,
                base_url=self.base_url(),
                java_script_enabled=False,
                service_workers="block",
                storage_state=signed_in,
            )
            context.set_default_timeout(TIMEOUT)
            self.addCleanup(self._close_window, context)
            page = context.new_page()
            page.goto("/my")
            page.click("a[href='/my/claims/new']")
            page.fill("#claim_subject", "A drill without a plug")
            page.fill("#claim_description", "There is only a wire.")
            page.click("label[for=remedy_replacement]")
            page.set_input_files("#claim_photos", [make_photo("navy"), make_photo("gold")])
            page.click(".o_crm_portal_send")
            expect(page).to_have_url(re.compile("notice=filed$"))
            expect(page.locator("#discussion img")).to_have_count(2)
            page.fill("#message_body", "It is the red wire.")
            page.click("#discussion .o_crm_portal_send")
            expect(page.locator("#discussion")).to_contain_text("It is the red wire.")
            page.goto("/my")
            page.click("a[href='/my/claims']")
            page.click("text=A drill without a plug")
            page.click("#withdraw summary")
            page.fill("#withdraw_reason", "Found the plug")
            page.click("#withdraw button")
            expect(page).to_have_url(re.compile("notice=withdraw$"))
        claim = self.env["crm.claim"].search([("subject", "=", "A drill without a plug")])
        self.assertEqual((claim.state, claim.remedy), ("cancelled", "replacement"))
        self.assertEqual(len(claim._portal_get_messages().attachment_ids), 2)


@tagged("post_install", "-at_install")
class TestPortalLooks(PortalStoryCase):
    """Every page of claims on the smallest phone and on a desk, every other page on the phone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        values = {
            "description": "<p>It does not turn.</p>",
            "partner_id": cls.contact.id,
            "user_id": False,
            "remedy": "refund",
            "cause_id": cls.cause.id,
            "decision": "satisfied",
            "decision_text": "<p>You get your money back.</p>",
            "recourse": "<p>You may ask the arbitration board.</p>",
            "waiting_question": "Which one?",
        }
        states = list(cls.env["crm.claim"]._portal_get_state_labels())
        cls.claims = cls.env["crm.claim"].create(
            [
                {
                    **values,
                    "state": state,
                    "subject": f"A drill in state {state}",
                    **({"decision": "rejected"} if state == "rejected" else {}),
                }
                for state in states
            ]
        )
        cls.claims[0].message_post(
            body="A picture",
            author_id=cls.contact.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachments=[("drill.jpg", make_photo("navy")["buffer"]), ("list.pdf", b"%PDF-1.7")],
        )
        link = cls.env["crm.claim.link"]._issue(cls.claims[1], days=1)
        link.date_expire = Datetime.now() - timedelta(days=1)
        cls.ended = f"{cls.claims[1].access_url}?access_token={link._get_token()}"
        working = cls.env["crm.claim.link"]._issue(cls.claims[4], days=2)
        cls.working = f"{cls.claims[4].access_url}?access_token={working._get_token()}"

    def check(self, window, urls):
        found = []
        for url in urls:
            window.goto(url)
            window.wait_for_load_state("networkidle")
            found += find_barriers(window)
            if overflow := find_overflow(window):
                found.append(f"{url}: {overflow} pixels too wide")
        return found

    def test_pages(self):
        urls = ["/my", "/my/claims", "/my/claims?groupby=state", "/my/claims?search=unicorn"]
        urls += ["/my/claims/new", f"/my/claims/new?order_id={self.order.id}"]
        urls += self.claims.mapped("access_url")
        service = [f"/my/orders/{self.order.id}", "/my/call", "/my/call?kind=meeting", "/my/debt"]
        service += ["/my/agreements", "/my/company", "/my/company/edit", "/my/notices", "/my/data"]
        service += ["/my/recommended", "/my/news"]
        with self.browsing():
            found = []
            for size in (SMALL, DESKTOP):
                window = self.open_window("portal_story_customer", size)
                found += self.check(window, urls + (service if size == SMALL else []))
                stranger = self.browser.new_context(viewport=size, base_url=self.base_url())
                self.addCleanup(self._close_window, stranger)
                found += self.check(stranger.new_page(), [self.working, self.ended])
        self.assertFalse(found, "\n".join(found))
