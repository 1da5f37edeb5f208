import re
from datetime import timedelta

from odoo import fields
from odoo.addons.mail.tests.common import MailCase
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import PortalCase, make_picture

TOKEN = re.compile(r"access_token=([\w-]+)")


@tagged("post_install", "-at_install")
class TestClaimLinks(PortalCase, MailCase):
    """A link opens one claim to one person, until it ends."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.claim = cls._create_decided_claim(subject="Burnt Orchard Affair")
        cls.other_claim = cls._create_decided_claim(cls.boris, subject="Of Balt")
        cls.link = cls.env["crm.claim.link"]._issue(cls.claim)
        cls.token = cls.link._get_token()

    def setUp(self):
        super().setUp()
        self.login(None)

    def open(self, token=None, claim=None):
        with mute_logger("odoo.http"):
            return self.url_open(
                f"/my/claims/{(claim or self.claim).id}?access_token={token or self.token}",
                allow_redirects=False,
            )

    # ------------------------------------------------------------
    # What it opens
    # ------------------------------------------------------------

    def test_read_answer_and_accept(self):
        page = self.open()
        self.assertEqual(page.status_code, 200)
        self.assertIn("Do you accept this decision?", page.text)
        self.assertNotIn("Colleagues who follow", page.text, "it names no colleagues")
        response = self.post(
            f"/my/claims/{self.claim.id}/message",
            {"body": "By the way", "access_token": self.token},
            files=[("files", ("more.png", make_picture(), "image/png"))],
        )
        self.assertEqual(response.status_code, 303)
        self.assertIn(self.token, response.headers["Location"])
        message = self.claim._portal_get_messages()
        self.assertEqual(message.author_id, self.nina.partner_id)
        url = f"/my/claims/{self.claim.id}/files/{message.attachment_ids.id}"
        self.assertEqual(self.url_open(f"{url}?access_token={self.token}").content, make_picture())
        self.post(f"/my/claims/{self.claim.id}/accept", {"access_token": self.token})
        self.assertEqual(self.claim.customer_answer, "accepted")
        kinds = self.link.event_ids.sorted("id").mapped("kind")
        self.assertEqual(kinds, ["opened", "message", "accept"])
        self.assertTrue(all(self.link.event_ids.mapped("ip_address")))

    def test_opening_changes_nothing_but_the_log(self):
        self.open()
        before = self.claim.write_date
        for __ in range(3):
            self.open()
        self.assertRecordValues(self.claim, [{"state": "decided", "write_date": before}])
        self.assertEqual(self.link.open_count, 1, "within an hour from one address it is once")

    def test_one_claim_only(self):
        self.assertEqual(self.open(claim=self.other_claim).status_code, 303)
        for url in ("/my/claims", "/my/orders", "/my", f"/my/orders/{self.order.id}"):
            response = self.url_open(f"{url}?access_token={self.token}", allow_redirects=False)
            self.assertNotEqual(response.status_code, 200, url)

    def test_forged(self):
        for token in (
            "x",
            self.token[:-4],
            self.token[:-4] + "AAAA",
            self.token + "AAAA",
            self.token.swapcase(),
            "A" * 5000,
            "=" * 20,
            self.claim.access_token,
            self.link._get_token()[::-1],
        ):
            with self.subTest(token[:30]):
                response = self.open(token)
                self.assertEqual(response.status_code, 303)
                self.assertIn("/web/login", response.headers["Location"])

    # ------------------------------------------------------------
    # How it ends
    # ------------------------------------------------------------

    def assertEnded(self):
        response = self.open()
        self.assertEqual(response.status_code, 410)
        self.assertNotIn("Burnt Orchard Affair", response.text)
        self.assertNotIn(self.claim.name, response.text)
        with mute_logger("odoo.http"):
            for action in ("accept", "reject", "withdraw", "rate", "message", "reopen"):
                data = {"access_token": self.token, "reason": "x", "body": "x", "rate": "5"}
                answer = self.post(f"/my/claims/{self.claim.id}/{action}", data)
                self.assertEqual(answer.status_code, 404, action)
        self.assertRecordValues(self.claim, [{"state": "decided", "customer_answer": False}])
        self.assertIn("refused", self.link.event_ids.mapped("kind"))
        return response

    def test_expired(self):
        self.link.date_expire = fields.Datetime.now() + timedelta(seconds=30)
        self.token = self.link._get_token()
        self.assertEqual(self.open().status_code, 200)
        self.link.date_expire = fields.Datetime.now() - timedelta(seconds=30)
        self.assertEqual(self.open().status_code, 303, "the end is signed, it cannot be moved")
        self.token = self.link._get_token()
        self.assertIn("Send me a new link", self.assertEnded().text)

    def test_revoked(self):
        self.link.with_user(self.handler).action_revoke()
        self.assertRecordValues(self.link, [{"state": "revoked", "revoked_by_id": self.handler.id}])
        self.assertNotIn("Send me a new link", self.assertEnded().text)

    def test_links_switched_off_for_the_claim(self):
        self.claim.portal_link_allowed = False
        self.assertEnded()
        self.assertFalse(self.env["crm.claim.link"]._issue(self.claim))
        self.assertEqual(self.claim.get_portal_url(), f"/my/claims/{self.claim.id}")

    def test_the_claim_went_to_another_contact(self):
        self.claim.partner_id = self.ned.partner_id
        self.assertEnded()

    def test_the_customer_was_archived(self):
        self.nina.active = False
        self.nina.partner_id.active = False
        self.assertEnded()

    def test_files_end_with_the_link(self):
        self.claim._portal_post_message(
            self.nina.partner_id, "photo", [("a.png", make_picture(), "image/png")]
        )
        attachment = self.claim._portal_get_messages().attachment_ids
        url = f"/my/claims/{self.claim.id}/files/{attachment.id}"
        page = self.open().text
        self.assertIn(f"{url}?access_token={self.token}", page)
        self.assertNotIn("/web/content", page, "no file has an address that outlives the link")
        self.link.with_user(self.handler).action_revoke()
        with mute_logger("odoo.http"):
            self.assertEqual(self.url_open(f"{url}?access_token={self.token}").status_code, 404)
            self.assertEqual(self.url_open(url).status_code, 404)

    # ------------------------------------------------------------
    # A new one
    # ------------------------------------------------------------

    def renew(self, token=None):
        with mute_logger("odoo.http"):
            return self.post(
                f"/my/claims/{self.claim.id}/link", {"access_token": token or self.token}
            )

    def test_renew(self):
        self.link.date_expire = fields.Datetime.now() - timedelta(days=1)
        self.token = self.link._get_token()
        with self.mock_mail_gateway():
            self.assertIn("look into your mailbox", self.renew().text)
            self.assertIn("look into your mailbox", self.renew().text)
        mails = self._new_mails
        self.assertEqual(len(mails), 1, "one mail an hour, however often the button is pressed")
        self.assertEqual(mails.recipient_ids, self.nina.partner_id)
        self.assertEqual(self.open(TOKEN.search(mails.body_html)[1]).status_code, 200)

    def test_no_new_link_for_others(self):
        self.assertEqual(self.renew().status_code, 404, "the link still works")
        self.assertEqual(self.renew("wrong").status_code, 404)
        self.link.with_user(self.handler).action_revoke()
        self.assertEqual(self.renew().status_code, 404, "what was revoked stays revoked")

    # ------------------------------------------------------------
    # Mails
    # ------------------------------------------------------------

    def test_mails_carry_links_that_end(self):
        self.claim._send_decision()
        mail = self.env["mail.mail"].search(
            [("model", "=", "crm.claim"), ("res_id", "=", self.claim.id)]
        )
        [token] = set(TOKEN.findall(mail.body_html))
        self.assertEqual(self.env["crm.claim.link"]._read_token(self.claim.id, token), self.link)

    def test_notifications_carry_links_of_their_own(self):
        self.claim.portal_follower_ids = self.ned.partner_id
        with self.mock_mail_gateway():
            self.claim.with_user(self.handler).message_post(
                body="We have found it.",
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=self.nina.partner_id.ids,
            )
        links = self.env["crm.claim.link"]
        for user in (self.nina, self.ned):
            mail = self._new_mails.filtered(
                lambda mail, user=user: user.partner_id in mail.recipient_ids
            )
            tokens = set(TOKEN.findall(mail.body_html))
            people = {
                links._read_token(self.claim.id, token).partner_id
                for token in tokens
                if links._read_token(self.claim.id, token)
            }
            self.assertEqual(people, {user.partner_id}, user.login)

    def test_one_link_serves_the_mails_of_half_its_life(self):
        links = self.env["crm.claim.link"]
        self.assertEqual(links._issue(self.claim), self.link)
        self.link.date_expire = fields.Datetime.now() + timedelta(
            days=self.company.portal_link_days / 2 - 1
        )
        self.assertNotEqual(links._issue(self.claim), self.link)
        self.company.portal_link_days = 0
        self.assertFalse(links._issue(self.claim))
        self.assertEqual(self.claim.get_portal_url(), f"/my/claims/{self.claim.id}")

    def test_claim_without_a_card(self):
        claim = self._create_decided_claim(partner_id=False, email_from="walk-in@example.com")
        link = self.env["crm.claim.link"]._issue(claim)
        page = self.open(link._get_token(), claim)
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("Do you accept this decision?", page.text, "nobody to act for")
        claim.email_from = "somebody-else@example.com"
        self.assertEqual(self.open(link._get_token(), claim).status_code, 410)

    # ------------------------------------------------------------
    # Staff
    # ------------------------------------------------------------

    def test_send_from_the_claim(self):
        action = self.claim.with_user(self.handler).action_send_portal_link()
        wizard = (
            self.env["crm.claim.link.send"]
            .with_user(self.handler)
            .create({"claim_id": action["context"]["default_claim_id"]})
        )
        self.assertEqual(wizard.partner_ids, self.nina.partner_id)
        wizard.partner_ids |= self.ned.partner_id
        wizard.days = 3
        with self.mock_mail_gateway():
            wizard.action_send()
        self.assertEqual(self._new_mails.recipient_ids, self.nina.partner_id | self.ned.partner_id)
        self.assertEqual(self.claim.portal_follower_ids, self.ned.partner_id)
        for mail in self._new_mails:
            self.assertEqual(self.open(TOKEN.search(mail.body_html)[1]).status_code, 200)
        new = self.claim.portal_link_ids - self.link
        self.assertEqual(len(new), 2)
        self.assertTrue(
            all(link.date_expire < fields.Datetime.now() + timedelta(days=4) for link in new)
        )
        self.assertEqual(new.event_ids.filtered(lambda e: e.kind == "sent").link_id, new)

    def test_send_refuses(self):
        def send(**values):
            wizard = (
                self.env["crm.claim.link.send"]
                .with_user(self.handler)
                .create({"claim_id": self.claim.id, **values})
            )
            return wizard.action_send()

        for days in (0, -1, 366):
            with self.assertRaisesRegex(UserError, "between 1 and 365"):
                send(days=days)
        with self.assertRaisesRegex(UserError, "own company"):
            send(partner_ids=self.boris.partner_id.ids)
        self.nina.partner_id.email = False
        with self.assertRaisesRegex(UserError, "no e-mail address"):
            send()
        self.claim.portal_link_allowed = False
        with self.assertRaisesRegex(UserError, "are off"):
            send()

    def test_who_may_hand_out_and_revoke(self):
        reader = new_test_user(
            self.env, "portal_reader", "base.group_user,account.group_account_invoice"
        )
        for user in (reader, self.nina, self.ned, self.boris):
            with self.subTest(user.login), mute_logger("odoo.addons.base.models.ir_rule"):
                claim = self.claim.with_user(user)
                for method in (
                    claim._portal_ensure_token,
                    claim.get_portal_url,
                    claim.action_send_portal_link,
                    self.link.with_user(user).action_revoke,
                    self.link.with_user(user).action_copy_url,
                ):
                    with self.assertRaises(AccessError):
                        method()
        for values in ({"date_expire": "2099-01-01"}, {"date_revoked": False}):
            with self.assertRaises(AccessError):
                self.link.with_user(self.handler).write(values)
        with self.assertRaises(AccessError):
            self.env["crm.claim.link"].with_user(self.handler).create(
                {"claim_id": self.claim.id, "date_expire": "2099-01-01"}
            )
        self.assertEqual(self.link.state, "active")

    def test_links_are_read_with_their_claim(self):
        own = new_test_user(self.env, "portal_own", "crm_claims.crm_claims_group_user")
        self.claim.write({"user_id": self.handler.id, "confidential": True})
        other_company = new_test_user(
            self.env,
            "portal_sister",
            "crm_claims.crm_claims_group_manager",
            company_id=self.other_company.id,
            company_ids=[(6, 0, self.other_company.ids)],
        )
        links = self.env["crm.claim.link"]
        self.link._log_event("opened")
        for user, seen in ((self.handler, True), (own, False), (other_company, False)):
            with self.subTest(user.login):
                found = links.with_user(user).search([("id", "=", self.link.id)])
                self.assertEqual(bool(found), seen)
                events = self.env["crm.claim.link.event"].with_user(user)
                self.assertEqual(bool(events.search([("link_id", "=", self.link.id)])), seen)

    def test_old_uses_are_forgotten(self):
        self.link._log_event("opened")
        event = self.link.event_ids
        event.date = fields.Datetime.now() - timedelta(days=366)
        self.link._log_event("message")
        self.env["crm.claim.link.event"]._gc_events()
        self.assertEqual(self.link.event_ids.mapped("kind"), ["message"])
