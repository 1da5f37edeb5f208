from unittest.mock import patch

from lxml import html
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PortalCase, make_picture

XHR = {"X-Requested-With": "XMLHttpRequest"}


@tagged("post_install", "-at_install")
class TestClaimFiling(PortalCase):
    def setUp(self):
        super().setUp()
        self.login(self.nina)
        self.keys = 0

    def file(self, files=None, headers=None, **data):
        """Send the filing form; fields left out have plausible values."""
        self.keys += 1
        values = {
            "subject": "Two drills are broken",
            "description": "They fell apart.\nOn the first day.",
            "remedy": "refund",
            "form_key": f"key-{self.keys}",
            **data,
        }
        return self.post("/my/claims/new", values, files=files, headers=headers)

    def get_claims(self):
        return self.env["crm.claim"].search([("commercial_partner_id", "=", self.north.id)])

    def assertRefused(self, response, field, text):
        """The form comes back with a message next to the field, and nothing was written."""
        self.assertEqual(response.status_code, 422)
        page = html.fromstring(response.text)
        message = (
            page.find_class("o_crm_portal_summary")[0]
            if field == "form"
            else page.get_element_by_id(f"error_{field}")
        )
        self.assertIn(text, message.text_content())
        self.assertFalse(self.get_claims(), "a refused form must not write anything")
        return page

    # ------------------------------------------------------------
    # What works
    # ------------------------------------------------------------

    def test_form_from_scratch(self):
        page = html.fromstring(self.url_open("/my/claims/new").text)
        form = page.find_class("o_crm_portal_claim_form")[0]
        self.assertEqual(form.get("enctype"), "multipart/form-data")
        self.assertTrue(form.fields["csrf_token"])
        self.assertTrue(form.fields["form_key"])
        orders = form.xpath(".//select[@name='order_id']/option/@value")
        self.assertEqual(orders, ["", str(self.order.id)], "own confirmed orders only")
        for field in form.xpath(".//input[not(@type='hidden')] | .//textarea | .//select"):
            label = form.xpath(f".//label[@for='{field.get('id')}']")
            self.assertTrue(label or field.get("aria-label"), f"{field.get('name')} needs a label")

    def test_form_from_order(self):
        page = html.fromstring(self.url_open(f"/my/orders/{self.order.id}").text)
        link = page.get_element_by_id("portal_report_problem").get("href")
        page = html.fromstring(self.url_open(link).text)
        breadcrumbs = page.find_class("o_portal_submenu")[0].xpath("./li[position() > 1]")
        self.assertEqual(
            [item.text_content().strip() for item in breadcrumbs], ["Claims", "Report a problem"]
        )
        form = page.find_class("o_crm_portal_claim_form")[0]
        self.assertEqual(form.fields["order_id"], str(self.order.id))
        quantity = form.get_element_by_id(f"quantity_{self.line_drill.id}")
        self.assertEqual((quantity.get("value"), quantity.get("max")), (None, "5"))

    def test_lines_of_chosen_order(self):
        fragment = self.url_open(f"/my/claims/new/lines?order_id={self.order.id}").text
        self.assertIn("Test Drill", fragment)
        self.assertNotIn("<html", fragment)
        fragment = self.url_open(f"/my/claims/new/lines?order_id={self.order_balt.id}").text
        self.assertNotIn("Test Drill", fragment)

    def test_choose_order_without_javascript(self):
        response = self.file(order_id=self.order.id, choose_order="1", subject="Half written")
        self.assertEqual(response.status_code, 200)
        form = html.fromstring(response.text).find_class("o_crm_portal_claim_form")[0]
        self.assertEqual(form.fields["subject"], "Half written")
        self.assertIn(f"quantity_{self.line_drill.id}", form.fields)
        self.assertFalse(self.get_claims())

    def test_file_from_scratch(self):
        response = self.file()
        claim = self.get_claims()
        self.assertEqual(len(claim), 1)
        self.assertEqual(response.status_code, 303)
        self.assertURLEqual(response.headers["Location"], f"/my/claims/{claim.id}?notice=filed")
        self.assertRecordValues(
            claim,
            [
                {
                    "subject": "Two drills are broken",
                    "remedy": "refund",
                    "channel": "portal",
                    "state": "new",
                    "partner_id": self.nina.partner_id.id,
                    "company_id": self.company.id,
                    "order_id": False,
                }
            ],
        )
        self.assertIn("They fell apart.<br", claim.description)
        self.assertNotEqual(claim.user_id, self.nina)
        page = self.url_open(f"/my/claims/{claim.id}?notice=filed").text
        self.assertIn(claim.name, page)
        self.assertIn("You will have our answer by", page)

    def test_file_from_order_lines_with_photos(self):
        photo = make_picture("JPEG")
        response = self.file(
            order_id=self.order.id,
            **{
                f"quantity_{self.line_drill.id}": "2",
                f"quantity_{self.line_battery.id}": "0",
            },
            files=[
                ("photos", ("broken drill.jpg", photo, "image/jpeg")),
                ("photos", ("box.png", make_picture("PNG"), "image/png")),
                ("files", ("letter.pdf", b"%PDF-1.4 letter", "application/pdf")),
                ("files", ("", b"", "application/octet-stream")),  # an input left empty
            ],
        )
        self.assertEqual(response.status_code, 303)
        claim = self.get_claims()
        self.assertEqual(claim.order_id, self.order)
        self.assertRecordValues(
            claim.line_ids,
            [
                {
                    "order_line_id": self.line_drill.id,
                    "product_id": self.drill.id,
                    "quantity": 2.0,
                    "amount": 200.0,
                }
            ],
        )
        message = claim._portal_get_messages()
        self.assertEqual(message.author_id, self.nina.partner_id)
        self.assertEqual(
            sorted(message.attachment_ids.mapped("name")),
            ["box.png", "broken drill.jpg", "letter.pdf"],
        )
        self.assertEqual(set(message.attachment_ids.mapped("res_id")), {claim.id})
        page = html.fromstring(self.url_open(f"/my/claims/{claim.id}").text)
        links = [a.get("href") for a in page.find_class("o_crm_portal_files")[0].iter("a")]
        self.assertEqual(len(links), 3)
        for link in links:
            self.assertEqual(self.url_open(link).status_code, 200)

    def test_acknowledgement_mail(self):
        self.file()
        claim = self.get_claims()
        mail = (
            self.env["mail.mail"]
            .sudo()
            .search([("model", "=", "crm.claim"), ("res_id", "=", claim.id)])
        )
        self.assertTrue(mail)
        self.assertIn(self.nina.partner_id, mail.recipient_ids | mail.partner_ids)

    def test_answers_as_json(self):
        response = self.file(headers=XHR, subject="")
        self.assertEqual(list(response.json()["errors"]), ["subject"])
        response = self.file(headers=XHR)
        self.assertEqual(
            response.json(), {"redirect": f"/my/claims/{self.get_claims().id}?notice=filed"}
        )

    def test_same_form_twice_is_one_claim(self):
        first = self.file(form_key="nervous-thumb")
        second = self.file(form_key="nervous-thumb")
        self.assertEqual(len(self.get_claims()), 1)
        self.assertURLEqual(second.headers["Location"], first.headers["Location"])
        other = self.file(form_key="nervous-thumb", subject="Another problem", headers=XHR)
        self.assertIn(self.get_claims().name, other.json()["errors"]["form"])
        self.assertEqual(len(self.get_claims()), 1)

    def test_form_key_of_another_user(self):
        self.file(form_key="shared-key")
        self.login(self.boris)
        self.file(form_key="shared-key")
        claim = self.env["crm.claim"].search([("commercial_partner_id", "=", self.balt.id)])
        self.assertEqual(len(claim), 1)

    def test_colleagues_count_for_quantities(self):
        self._create_claim(
            self.ned,
            order_id=self.order.id,
            line_ids=[(0, 0, {"order_line_id": self.line_drill.id, "quantity": 4})],
        )
        claimable = self.order._portal_get_claimable_lines()
        self.assertEqual([c["available"] for c in claimable], [1.0, 2.0])

    # ------------------------------------------------------------
    # What is refused
    # ------------------------------------------------------------

    def test_missing_fields_keep_the_rest(self):
        page = self.assertRefused(
            self.file(description="  ", remedy="", subject="Kept words"),
            "description",
            "describe what happened",
        )
        form = page.find_class("o_crm_portal_claim_form")[0]
        self.assertEqual(form.fields["subject"], "Kept words")
        self.assertIn("choose", page.get_element_by_id("error_remedy").text_content())

    def test_remedy_out_of_list(self):
        self.assertRefused(self.file(remedy="million"), "remedy", "choose")

    def test_quantities(self):
        field = f"quantity_{self.line_drill.id}"
        for quantity, message in (
            ("6", "at most 5"),
            ("5.5", "at most 5"),
            ("-1", "how many"),
            ("many", "how many"),
            ("nan", "how many"),
            ("inf", "how many"),
            ("1e308", "how many"),
            ("0.0000001", "how many"),
        ):
            with self.subTest(quantity):
                self.assertRefused(
                    self.file(order_id=self.order.id, **{field: quantity}),
                    field,
                    message,
                )

    def test_orders_of_others(self):
        draft = self.order.copy()
        for order_id in (self.order_balt.id, draft.id, 0, -1, 2**31, 2**70, "abc", "1; drop"):
            with self.subTest(order_id):
                self.assertRefused(self.file(order_id=order_id), "order_id", "your own orders")

    def test_lines_of_another_order_are_ignored(self):
        line = self.order_balt.order_line
        self.file(order_id=self.order.id, **{f"quantity_{line.id}": "1"})
        self.assertFalse(self.get_claims().line_ids)

    def test_fields_out_of_the_list_are_ignored(self):
        self.file(
            state="closed",
            user_id=self.handler.id,
            partner_id=self.boris.partner_id.id,
            company_id=self.other_company.id,
            decision="satisfied",
            amount_granted="1000000",
            severity="3",
            confidential="1",
            name="HACK/1",
        )
        claim = self.get_claims()
        self.assertRecordValues(
            claim,
            [
                {
                    "state": "new",
                    "partner_id": self.nina.partner_id.id,
                    "company_id": self.company.id,
                    "decision": False,
                    "amount_granted": 0.0,
                    "severity": "1",
                    "confidential": False,
                }
            ],
        )
        self.assertNotEqual(claim.name, "HACK/1")

    def test_markup_is_text(self):
        self.file(subject="<script>alert(1)</script>", description="<img src=x onerror=alert(1)>")
        claim = self.get_claims()
        self.assertNotIn("<img", claim.description)
        for url in ("/my/claims", f"/my/claims/{claim.id}"):
            text = self.url_open(url).text
            self.assertNotIn("<script>alert(1)", text)
            self.assertNotIn("<img src=x", text)
            self.assertIn("&lt;script&gt;alert(1)", text, url)

    def test_odd_characters_and_length(self):
        response = self.file(subject="null\0byte" + "x" * 500, description="\0\x08a" * 20_000)
        self.assertEqual(response.status_code, 303)
        claim = self.get_claims()
        self.assertTrue(claim.subject.startswith("nullbyte"))
        self.assertLessEqual(len(claim.subject), 120)

    def test_files(self):
        self.company.portal_claim_max_file_size = 1
        self.company.portal_claim_max_total_size = 2
        self.company.portal_claim_max_files = 3
        megabyte = b"x" * (1024 * 1024)
        attachments = self.env["ir.attachment"].sudo().search_count([])
        for files, message in (
            ([("page.jpg", b"<html><script>1</script></html>")], "page.jpg cannot be accepted"),
            ([("icon.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>')], "cannot be accepted"),
            ([("setup.pdf", b"MZ\x90\0\3\0\0\0")], "cannot be accepted"),
            ([("empty.txt", b"")], "empty.txt is empty"),
            ([("big.txt", megabyte + b"x")], "big.txt is larger than 1 MB"),
            ([(f"{i}.txt", megabyte) for i in range(3)], "together are larger than 2 MB"),
            ([(f"{i}.txt", b"x") for i in range(4)], "no more than 3 files"),
        ):
            with self.subTest(message):
                response = self.file(files=[("files", file) for file in files])
                page = self.assertRefused(response, "files", message)
                self.assertIn(
                    "choose your photos and files again",
                    page.find_class("o_crm_portal_summary")[0].text_content(),
                )
        self.assertEqual(self.env["ir.attachment"].sudo().search_count([]), attachments)

    def test_announced_type_is_not_believed(self):
        self.file(files=[("photos", ("fun.html", make_picture("PNG"), "text/html"))])
        attachment = self.get_claims()._portal_get_messages().attachment_ids
        self.assertRecordValues(attachment, [{"name": "fun.html.png", "mimetype": "image/png"}])

    def test_nothing_half_written(self):
        """An error after the claim was created takes claim, lines, files and message with it."""
        attachments = self.env["ir.attachment"].sudo().search_count([])

        def fail(claims):
            raise UserError("The postman is ill.")

        with patch.object(self.env.registry["crm.claim"], "_send_acknowledgement", fail):
            self.assertRefused(
                self.file(files=[("photos", ("a.png", make_picture(), "image/png"))]),
                "form",
                "The postman is ill.",
            )
        self.assertEqual(self.env["ir.attachment"].sudo().search_count([]), attachments)

    def test_rate_limit(self):
        self.company.portal_claims_per_hour = 2
        self.file()
        self.file()
        response = self.file()
        self.assertEqual(response.status_code, 422)
        self.assertIn("within the last hour", response.text)
        self.assertEqual(len(self.get_claims()), 2)
        self.login(self.ned)
        self.assertEqual(self.file().status_code, 303, "the limit is each customer's own")

    def test_filing_closed(self):
        self.company.portal_claims_per_hour = 0
        self.assertRefused(self.file(), "form", "cannot be filed here at the moment")

    def test_without_form_key(self):
        self.assertRefused(self.file(form_key=""), "form", "out of date")

    @mute_logger("odoo.http")
    def test_csrf(self):
        response = self.url_open(
            "/my/claims/new", data={"subject": "x", "description": "x", "csrf_token": "wrong"}
        )
        self.assertEqual(response.status_code, 400)
        self.assertFalse(self.get_claims())

    def test_signed_out(self):
        self.login(None)
        for response in (
            self.url_open("/my/claims/new", allow_redirects=False),
            self.file(),
        ):
            self.assertEqual(response.status_code, 303)
            self.assertIn("/web/login", response.headers["Location"])
        self.assertFalse(self.get_claims())

    def test_staff_do_not_file_here(self):
        self.authenticate("portal_handler", "portal_handler")
        with mute_logger("odoo.http"):
            self.assertEqual(self.file().status_code, 404)
