import io
import json
import zipfile
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.crm_claim_filing import PortalFormError
from .common import PortalCase


@tagged("post_install", "-at_install")
class TestPrivateAttacks(PortalCase):
    """What colleagues of a customer, other clients and colleagues of ours must not get at."""

    # ------------------------------------------------------------
    # Colleagues of the customer
    # ------------------------------------------------------------

    def test_export_names_employees_as_the_page_does(self):
        claim = self._create_claim(self.nina)
        claim.with_user(self.handler).message_post(
            body="We look", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        cancelled = self._create_order(self.north, {self.drill: 1})
        cancelled._action_cancel()
        self.login(self.nina)
        archive = zipfile.ZipFile(io.BytesIO(self.post("/my/data/export").content))
        text = archive.read("data.json").decode()
        self.assertIn("We look", text)
        self.assertNotIn("Henry", text)
        messages = json.loads(text)["claims"][0]["messages"]
        self.assertEqual(messages[-1]["author"], self.company.name)
        self.assertNotIn(cancelled.name, text)  # no page lists what we called off

    def test_requests_of_a_colleague_about_himself(self):
        changes = self.env["crm.portal.change"].with_user(self.ned)
        own, company = self.ned.partner_id.sudo(), self.north.sudo()
        changes._portal_request_change("erasure", own, {}, "a")
        changes._portal_request_change("address_edit", own, {"street": "Privet Drive 4"}, "b")
        changes._portal_request_change("company", company, {"city": "Northampton"}, "c")
        open_to = {
            user: set(changes._portal_get_open(user).mapped("kind"))
            for user in (self.ned, self.nina)
        }
        self.assertEqual(open_to[self.ned], {"erasure", "address_edit", "company"})
        self.assertEqual(open_to[self.nina], {"company"})

    def test_birthdays_of_colleagues(self):
        partner = self.ned.partner_id
        partner.write({"crm_birthdate": "1980-05-05", "birthday": "1980-05-05"})
        self.login(self.nina)
        for name in ("crm_birthdate", "birthday", "birthday_key"):
            self.assertIn("error", self.rpc("res.partner", "read", [partner.id], [name]))
            domain = [["id", "=", partner.id], [name, "!=", False]]
            self.assertIn("error", self.rpc("res.partner", "search_count", domain))
        self.assertEqual(partner.with_user(self.env.ref("base.user_admin")).birthday.year, 1980)
        self.env["crm.portal.change"].with_user(self.ned)._portal_request_change(
            "erasure", partner, {}, "birthday"
        )
        change = self.env["crm.portal.change"].search([("partner_id", "=", partner.id)])
        change.with_user(self.env.ref("base.user_admin")).action_approve()
        self.assertRecordValues(partner, [{"crm_birthdate": False, "birthday": False}])

    def test_contacts_of_a_daughter_company(self):
        daughter = self.env["res.partner"].create(
            {"name": "North Daughter", "is_company": True, "parent_id": self.north.id}
        )
        stranger = self.env["res.partner"].create(
            {"name": "Dora Daughter", "email": "dora@example.com", "parent_id": daughter.id}
        )
        self.login(self.nina)
        page = self.url_open("/my/company").text
        self.assertIn("Ned", page)
        self.assertNotIn("Dora", page)
        answer = self.post(f"/my/company/contact/{stranger.id}/remove", {"form_key": "k"})
        self.assertEqual(answer.status_code, 404)

    def test_script_as_web_address(self):
        changes = self.env["crm.portal.change"].with_user(self.nina)
        for number, address in enumerate(("javascript://%0aalert(1)", "data:text/html,x")):
            with self.assertRaises(PortalFormError) as caught:
                changes._portal_request_change(
                    "company", self.north.sudo(), {"website": address}, f"w{number}"
                )
            self.assertIn("website", caught.exception.errors)
        for number, address in enumerate(("north.example.com", "https://north.example.com:81/a")):
            self.assertTrue(
                changes._portal_request_change(
                    "company", self.north.sudo(), {"website": address}, f"ok{number}"
                )
            )

    def test_nobody_of_the_customer_subscribes_himself(self):
        """A follower gets the mails of a claim, also after it was closed to him."""
        claim = self._create_claim(self.nina)
        self.login(self.ned)
        partner = self.ned.partner_id
        self.rpc("crm.claim", "message_subscribe", [claim.id], [partner.id])
        self.jsonrpc(
            "/mail/thread/subscribe",
            res_model="crm.claim", res_id=claim.id, partner_ids=partner.ids,
        )  # fmt: skip
        self.assertNotIn(partner, claim.message_partner_ids)

    def test_the_former_customer_hears_nothing(self):
        claim = self._create_claim(self.nina)
        claim.message_subscribe(self.nina.partner_id.ids)
        claim.partner_id = self.boris.partner_id
        self.assertNotIn(self.nina.partner_id, claim.message_partner_ids)

    def test_colleagues_are_not_flooded(self):
        claim = self._create_claim(self.nina)
        ned = self.ned.partner_id
        for _again in range(3):
            claim._portal_add_followers(self.nina.partner_id, [str(ned.id)])
            claim._portal_remove_follower(self.nina.partner_id, str(ned.id))
        events = claim.portal_link_ids.event_ids.filtered(lambda event: event.kind == "sent")
        self.assertEqual(len(events), 1)

    def test_who_invites_does_not_read_the_link_of_the_invited(self):
        claim = self._create_claim(self.nina)
        self.login(self.nina)
        self.post(f"/my/claims/{claim.id}/followers", {"follower_id": self.ned.partner_id.id})
        self.assertIn(self.ned.partner_id, claim.portal_follower_ids)
        self.env.flush_all()
        token = claim.portal_link_ids.filtered(lambda link: link.event_ids)._get_token()
        mails = self.env["mail.mail"].search(
            [("recipient_ids", "in", self.ned.partner_id.ids)], order="id desc", limit=1
        )
        self.assertIn(token, mails.body_html)
        found = self.call("mail.message", "search_read", [["body", "like", "access_token"]], ["id"])
        self.assertEqual(found, [])
        answer = self.rpc("mail.message", "read", [mails.mail_message_id.id], ["body"])
        self.assertIn("error", answer)

    def test_no_bank_account_by_way_of_the_own_user(self):
        account = self.env["res.partner.bank"].create(
            {"acc_number": "PORTAL-OURS", "partner_id": self.company.partner_id.id}
        )
        self.login(self.nina)
        for command in (
            [0, 0, {"acc_number": "PORTAL-FORGED", "partner_id": self.north.id}],
            [1, account.id, {"acc_number": "PORTAL-FORGED"}],
            [2, account.id],
        ):
            values = {"employee_bank_account_ids": [command]}
            self.assertIn("error", self.rpc("res.users", "write", [self.nina.id], values))
        for values in (
            {"api_key_ids": [[5]]},
            {"category_ids": [[0, 0, {"name": "PORTAL-FORGED"}]]},
            {"private_email": "x@example.com"},
        ):
            self.assertIn("error", self.rpc("res.users", "write", [self.nina.id], values))
        accounts = self.env["res.partner.bank"].search([("acc_number", "like", "PORTAL-")])
        self.assertEqual(accounts.mapped("acc_number"), ["PORTAL-OURS"])
        self.assertIn("result", self.rpc("res.users", "write", [self.nina.id], {"lang": "en_US"}))

    # ------------------------------------------------------------
    # Orders
    # ------------------------------------------------------------

    @mute_logger("odoo.http")
    def test_a_request_is_not_paid_before_it_was_checked(self):
        self.login(self.nina)
        self.post(f"/my/orders/{self.order.id}/repeat", {"form_key": "pay"})
        quotation = self.env["sale.order"].search([("portal_origin_id", "=", self.order.id)])
        self.assertEqual(quotation.state, "draft")
        answer = self.jsonrpc(
            f"/my/orders/{quotation.id}/transaction",
            access_token=quotation._portal_ensure_token(),
            provider_id=None, payment_method_id=None, token_id=None, amount=1.0, flow="direct",
            tokenization_requested=False, landing_route="/my",
        )  # fmt: skip
        self.assertIn("We check", answer["error"]["data"]["message"])

    def test_orders_of_others(self):
        self.login(self.nina)
        for url in ("/my/orders/%s/repeat", "/my/orders/%s/repeat?access_token=x"):
            answer = self.post(url % self.order_balt.id, {"form_key": "x"})
            self.assertEqual(answer.status_code, 404)
        draft = self.env["sale.order"].create({"partner_id": self.north.id})
        answer = self.post(f"/my/orders/{draft.id}/repeat", {"form_key": "y"})
        self.assertEqual(answer.status_code, 404)
        data = {"form_key": "q", f"quantity_{self.line_drill.id}": "900", "partner_id": "1"}
        self.post(f"/my/orders/{self.order.id}/repeat", data)
        quotation = self.env["sale.order"].search([("portal_origin_id", "=", self.order.id)])
        self.assertEqual(quotation.order_line.mapped("product_uom_qty"), [5, 2])
        self.assertEqual(quotation.partner_id, self.north)

    # ------------------------------------------------------------
    # Colleagues of ours
    # ------------------------------------------------------------

    def _ask(self, **values):
        self.company.feedback_orders = True
        seller = new_test_user(self.env, "asked_about", "sales_team.group_sale_salesman")
        order = self._create_order(self.nina.partner_id, {self.drill: 2})
        order.user_id = seller
        self.env["crm.portal.feedback"]._send(self.company, "order", order.sudo())
        return seller, self.env["crm.portal.feedback"].search([("order_id", "=", order.id)])

    def test_the_marked_does_not_find_the_link_to_the_survey(self):
        seller, feedback = self._ask()
        token = feedback.user_input_id.access_token
        mail = self.env["mail.mail"].search([("recipient_ids", "in", self.nina.partner_id.ids)])
        self.assertTrue(any(token in body for body in mail.mapped("body_html")))
        found = self.env["mail.message"].with_user(seller).search([("body", "like", token)])
        self.assertFalse(found)
        self.assertFalse(
            self.env["mail.message"]
            .with_user(seller)
            .search([("model", "=", feedback._name), ("res_id", "=", feedback.id)])
            .filtered(lambda message: token in message.body)
        )

    def test_surveys_after_a_confidential_claim(self):
        self.company.feedback_claims = True
        colleague = new_test_user(
            self.env, "reads_all_deals", "sales_team.group_sale_salesman_all_leads"
        )
        manager = new_test_user(
            self.env, "claims_head",
            "sales_team.group_sale_salesman,crm_claims.crm_claims_group_manager",
        )  # fmt: skip
        claims = self._create_decided_claim(confidential=True, user_id=manager.id)
        claims |= self._create_decided_claim(self.boris, user_id=manager.id)
        self.env["crm.portal.feedback"]._send(self.company, "claim", claims.sudo())
        surveys = self.env["crm.portal.feedback"].search([("claim_id", "in", claims.ids)])
        self.assertEqual(len(surveys), 2)
        secret = surveys.filtered("claim_id.confidential")
        self.assertEqual(surveys.with_user(colleague).search([("id", "in", surveys.ids)]),
                         surveys - secret)  # fmt: skip
        with self.assertRaises(AccessError):
            secret.with_user(colleague).read(["comment"])
        self.assertEqual(surveys.with_user(manager).search([("id", "in", surveys.ids)]), surveys)

    def test_surveys_are_not_read_by_the_accused(self):
        accused = new_test_user(
            self.env, "accused_seller", "sales_team.group_sale_salesman_all_leads"
        )
        self.company.feedback_claims = True
        claim = self._create_decided_claim()
        self.env["crm.portal.feedback"]._send(self.company, "claim", claim.sudo())
        survey = self.env["crm.portal.feedback"].search([("claim_id", "=", claim.id)])
        mine = survey.with_user(accused)
        self.assertTrue(mine.search([("id", "=", survey.id)]))
        employee = self.env["hr.employee"].create({"name": "Accused", "user_id": accused.id})
        claim.fault_ids = [Command.create({"employee_id": employee.id, "reason": "Late"})]
        self.env.invalidate_all()
        self.assertFalse(mine.search([("id", "=", survey.id)]))

    # ------------------------------------------------------------
    # Appointments
    # ------------------------------------------------------------

    def test_appointments_of_others(self):
        start = fields.Datetime.now() + timedelta(days=2)
        contact = self.env["crm.interaction"].create(
            {
                "kind": "call", "subject": "Secret talk", "user_id": self.handler.id,
                "partner_id": self.boris.partner_id.id, "date_start": start, "state": "planned",
            }
        )  # fmt: skip
        contact.sudo().portal_request_partner_id = self.boris.partner_id
        self.login(self.ned)
        self.assertEqual(self.post(f"/my/call/{contact.id}/cancel").status_code, 404)
        self.assertNotIn("Secret talk", self.url_open("/my/call").text)
        self.assertEqual(contact.state, "planned")
