from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestClaimReopen(PortalCase):
    """A closed claim is taken up again within the company's days."""

    def setUp(self):
        super().setUp()
        self.company.claim_reopen_days = 14
        self.claim = self._create_decided_claim(user_id=self.handler.id)
        self.login(self.nina)
        self.post(f"/my/claims/{self.claim.id}/accept")

    def reopen(self, reason="It broke again", **data):
        return self.post(f"/my/claims/{self.claim.id}/reopen", {"reason": reason, **data})

    def test_reopen(self):
        self.assertEqual(self.claim.state, "closed")
        self.assertIn(
            "The problem is still there?", self.url_open(f"/my/claims/{self.claim.id}").text
        )
        self.assertEqual(self.reopen().status_code, 303)
        self.assertEqual((self.claim.state, self.claim.reopen_count), ("investigating", 1))
        self.assertEqual(self.claim.activity_ids.user_id, self.handler)
        page = self.url_open(f"/my/claims/{self.claim.id}?notice=reopen").text
        self.assertIn("looking into your claim once more", page)
        self.assertNotIn("The problem is still there?", page)
        self.assertEqual(self.reopen().status_code, 422, "it is open already")
        self.assertEqual(self.claim.reopen_count, 1)

    def test_needs_a_reason(self):
        response = self.reopen("   ")
        self.assertEqual(response.status_code, 422)
        self.assertIn("Please tell us the reason", response.text)
        self.assertEqual(self.claim.state, "closed")

    def test_too_late(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_claim SET date_closed = %s WHERE id = %s",
            [fields.Datetime.now() - timedelta(days=15), self.claim.id],
        )
        self.claim.invalidate_recordset()
        self.assertNotIn(
            "The problem is still there?", self.url_open(f"/my/claims/{self.claim.id}").text
        )
        response = self.reopen()
        self.assertEqual(response.status_code, 422)
        self.assertEqual(self.claim.state, "closed")

    def test_never_where_the_company_does_not_want_it(self):
        self.company.claim_reopen_days = 0
        self.assertEqual(self.reopen().status_code, 422)

    def test_by_link_and_by_nobody_else(self):
        token = self.claim._portal_ensure_token()
        self.login(self.boris)
        self.assertEqual(self.reopen().status_code, 404)
        self.login(None)
        self.assertEqual(self.reopen().status_code, 404)
        self.assertEqual(self.reopen(access_token=token).status_code, 303)
        self.assertEqual(self.claim.state, "investigating")
