from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged, users

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimAnswer(ClaimCommon):
    def setUp(self):
        super().setUp()
        self.claim = self._create_claim(user_id=self.user_all.id)

    def test_customer_accepts(self):
        self._decide(self.claim)
        self.claim._customer_accept(self.contact, "Thank you")
        self.assertEqual((self.claim.state, self.claim.customer_answer), ("closed", "accepted"))
        self.assertEqual(self.claim.customer_answer_reason, "Thank you")
        self.assertTrue(self.claim.customer_answer_date)
        with self.assertRefused(UserError, "no decision that waits"):
            self.claim._customer_accept(self.contact)

    def test_customer_does_not_accept(self):
        self._decide(self.claim)
        with self.assertRefused(UserError, "Say why"):
            self.claim._customer_reject(self.contact, "  ")
        self.claim._customer_reject(self.contact, "Too little")
        self.assertEqual((self.claim.state, self.claim.reopen_count), ("investigating", 1))
        self.assertIn("Too little", str(self.claim.message_ids.mapped("body")))
        self.assertEqual(self.claim.activity_ids.user_id, self.user_all)

    def test_a_rejected_claim_is_answered_too(self):
        self._decide(self.claim, "rejected")
        self.claim._customer_accept(self.customer)
        self.assertEqual(self.claim.state, "closed")

    def test_nothing_to_answer(self):
        with self.assertRefused(UserError, "no decision that waits"):
            self.claim._customer_accept(self.contact)

    def test_another_customer(self):
        self._decide(self.claim)
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        for partner in (stranger, self.env["res.partner"]):
            with self.assertRaises(AccessError):
                self.claim._customer_accept(partner)
            with self.assertRaises(AccessError):
                self.claim._customer_cancel(partner, "x")

    def test_claim_without_customer_is_nobodys(self):
        claim = self._create_claim(partner_id=False, partner_name="Passer-by")
        self._decide(claim)
        with self.assertRaises(AccessError):
            claim._customer_accept(self.env["res.partner"])

    def test_customer_withdraws(self):
        self.claim._customer_cancel(self.contact, "Found it")
        self.assertEqual(self.claim.state, "cancelled")
        claim = self._create_claim()
        self._decide(claim)
        with self.assertRaises(UserError):
            claim._customer_cancel(self.contact, "Too late")

    @users("claims_all")
    def test_handlers_do_not_answer(self):
        self._decide(self.claim)
        claim = self.claim.with_user(self.env.user)
        with self.assertRefused(AccessError, "administrator"):
            claim.action_record_answer("accepted", "He called")
        with self.assertRaises(AccessError):
            self.env["crm.claim.answer"].create({"claim_id": claim.id, "reason": "He called"})

    @users("claims_manager")
    def test_manager_answers_with_a_reason(self):
        self._decide(self.claim)
        claim = self.claim.with_user(self.env.user)
        with self.assertRefused(UserError, "reason"):
            claim.action_record_answer("accepted", " ")
        self.env["crm.claim.answer"].create(
            {"claim_id": claim.id, "answer": "accepted", "reason": "He called"}
        ).action_record()
        self.assertEqual((claim.state, claim.customer_answer_reason), ("closed", "He called"))
