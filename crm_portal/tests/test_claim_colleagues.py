from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestClaimColleagues(PortalCase):
    """What contacts of one customer see of each other's claims."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.claim = cls._create_claim(subject="Of Nina")
        cls.line = cls.env["crm.claim.line"].create(
            {"claim_id": cls.claim.id, "product_id": cls.drill.id}
        )
        cls.nora = cls._create_customer("nora", cls.north)

    def assertSees(self, user, seen, claim=None):
        claim = claim or self.claim
        self.login(user)
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_rule"):
            page = self.url_open(f"/my/claims/{claim.id}")
            self.assertEqual(page.status_code, 200 if seen else 404, user.login)
            self.assertEqual(claim.subject in self.url_open("/my/claims").text, seen)
            self.assertEqual(
                claim.id in self.call("crm.claim", "search", [["id", "=", claim.id]]), seen
            )
            lines = self.call("crm.claim.line", "search", [["claim_id", "=", claim.id]])
            self.assertEqual(bool(lines), seen and bool(claim.line_ids))
            answer = self.rpc("crm.claim", "read", [claim.id], ["subject"])
            self.assertEqual("result" in answer, seen)
            counted = self.jsonrpc("/my/counters", counters=["claim_count"])["result"]
            self.assertEqual(bool(counted["claim_count"]), seen)

    def test_whole_company(self):
        self.assertSees(self.ned, True)
        self.assertSees(self.boris, False)

    def test_own_only(self):
        self.company.portal_claim_scope = "own"
        self.assertSees(self.nina, True)
        self.assertSees(self.ned, False)

    def test_claims_of_the_company_itself(self):
        self.company.portal_claim_scope = "own"
        self.claim.partner_id = self.north
        self.assertSees(self.ned, True)
        self.assertSees(self.boris, False)

    def test_follower(self):
        self.company.portal_claim_scope = "own"
        self.claim.confidential = True
        self.claim.portal_follower_ids = self.ned.partner_id
        self.assertIn(self.ned.partner_id, self.claim.message_partner_ids)
        self.assertSees(self.ned, True)
        self.assertSees(self.nora, False)
        self.assertEqual(
            self.post(f"/my/claims/{self.claim.id}/message", {"body": "x"}).status_code, 404
        )
        self.login(self.ned)
        self.post(f"/my/claims/{self.claim.id}/message", {"body": "I was there, too"})
        self.assertEqual(self.claim._portal_get_messages().author_id, self.ned.partner_id)
        self.claim.portal_follower_ids -= self.ned.partner_id
        self.assertNotIn(self.ned.partner_id, self.claim.message_partner_ids)
        self.assertSees(self.ned, False)

    def test_a_follower_who_left(self):
        self.company.portal_claim_scope = "own"
        self.claim.portal_follower_ids = self.ned.partner_id
        self.ned.partner_id.parent_id = self.balt
        self.assertSees(self.ned, False)
        self.assertNotIn(self.ned.partner_id, self.claim._portal_get_people())

    def test_strangers_do_not_follow(self):
        with self.assertRaises(ValidationError):
            self.claim.portal_follower_ids = self.boris.partner_id
        with self.assertRaises(ValidationError):
            self._create_claim(portal_follower_ids=[(4, self.boris.partner_id.id)])

    def test_followers_do_not_go_to_another_customer(self):
        self.claim.portal_follower_ids = self.ned.partner_id
        self.claim.partner_id = self.boris.partner_id
        self.assertFalse(self.claim.portal_follower_ids)
        self.assertNotIn(self.ned.partner_id, self.claim.message_partner_ids)

    # ------------------------------------------------------------
    # Chosen by the customer
    # ------------------------------------------------------------

    def follow(self, *partners, claim=None):
        claim = claim or self.claim
        return self.post(
            f"/my/claims/{claim.id}/followers",
            {"follower_id": [partner.id for partner in partners]},
        )

    def test_choose_colleagues(self):
        self.company.portal_claim_scope = "own"
        self.login(self.nina)
        page = self.url_open(f"/my/claims/{self.claim.id}").text
        self.assertIn("Ned", page)
        self.assertNotIn("Boris", page)
        response = self.follow(
            self.ned.partner_id, self.boris.partner_id, self.handler.partner_id, self.balt
        )
        self.assertEqual(response.status_code, 303)
        self.assertEqual(self.claim.portal_follower_ids, self.ned.partner_id)
        mail = self.env["mail.mail"].search([("recipient_ids", "in", self.ned.partner_id.ids)])
        self.assertIn(f"/my/claims/{self.claim.id}?access_token=", mail.body_html)
        self.post(
            f"/my/claims/{self.claim.id}/followers/remove",
            {"follower_id": str(self.ned.partner_id.id)},
        )
        self.assertFalse(self.claim.portal_follower_ids)

    def test_nonsense_is_ignored(self):
        self.login(self.nina)
        for value in ("", "abc", "-1", "1" * 50, "ключ", str(self.nina.partner_id.id)):
            with self.subTest(value):
                data = {"follower_id": value}
                for path in ("followers", "followers/remove"):
                    response = self.post(f"/my/claims/{self.claim.id}/{path}", data)
                    self.assertEqual(response.status_code, 303)
        self.assertFalse(self.claim.portal_follower_ids)

    def test_who_may_choose(self):
        self.company.portal_claim_scope = "own"
        with mute_logger("odoo.http"):
            for user, status in ((self.ned, 404), (self.boris, 404), (None, 303)):
                self.login(user)
                response = self.follow(self.nora.partner_id)
                self.assertEqual(response.status_code, status)
            self.claim.write(
                {"confidential": True, "portal_follower_ids": [(4, self.ned.partner_id.id)]}
            )
            self.login(self.ned)
            self.assertEqual(self.follow(self.nora.partner_id).status_code, 404)
            self.authenticate("portal_handler", "portal_handler")
            self.assertEqual(self.follow(self.nora.partner_id).status_code, 404)
        self.assertEqual(self.claim.portal_follower_ids, self.ned.partner_id)

    def test_who_takes_himself_off(self):
        self.company.portal_claim_scope = "own"
        self.claim.portal_follower_ids = self.ned.partner_id
        self.login(self.ned)
        response = self.post(
            f"/my/claims/{self.claim.id}/followers/remove",
            {"follower_id": str(self.ned.partner_id.id)},
        )
        self.assertURLEqual(response.headers["Location"], "/my/claims")
        self.assertFalse(self.claim.portal_follower_ids)

    # ------------------------------------------------------------
    # Who handles it
    # ------------------------------------------------------------

    def test_who_handles_it(self):
        self.claim.user_id = self.handler
        self.claim.team_id.name = "Friendly Team"
        self.claim.with_user(self.handler).message_post(
            body="From us", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        self.login(self.nina)
        page = self.url_open(f"/my/claims/{self.claim.id}").text
        self.assertIn("Friendly Team", page)
        self.assertIn("From us", page)
        self.assertNotIn(self.handler.name, page)
        self.company.portal_claim_contact = "person"
        page = self.url_open(f"/my/claims/{self.claim.id}").text
        self.assertIn(self.handler.name, page)
