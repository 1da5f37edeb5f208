from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PortalCase, make_picture


@tagged("post_install", "-at_install")
class TestClaimAnswers(PortalCase):
    def setUp(self):
        super().setUp()
        self.login(self.nina)

    def test_accept_and_rate(self):
        claim = self._create_decided_claim(user_id=self.handler.id)
        page = self.url_open(f"/my/claims/{claim.id}").text
        self.assertIn("You get your money back.", page)
        self.assertIn("Do you accept this decision?", page)
        response = self.post(f"/my/claims/{claim.id}/accept")
        self.assertEqual(response.status_code, 303)
        self.assertURLEqual(response.headers["Location"], f"/my/claims/{claim.id}?notice=accept")
        self.assertEqual((claim.customer_answer, claim.state), ("accepted", "closed"))
        page = self.url_open(f"/my/claims/{claim.id}").text
        self.assertNotIn("Do you accept this decision?", page)
        self.assertIn("How did we handle your claim?", page)

        response = self.post(f"/my/claims/{claim.id}/rate", {"rate": "5", "feedback": "Quick!"})
        self.assertEqual(response.status_code, 303)
        rating = claim.rating_ids.filtered("consumed")
        self.assertRecordValues(
            rating,
            [
                {
                    "rating": 5.0,
                    "feedback": "Quick!",
                    "partner_id": self.nina.partner_id.id,
                    "rated_partner_id": self.handler.partner_id.id,
                }
            ],
        )
        again = self.post(f"/my/claims/{claim.id}/rate", {"rate": "1"})
        self.assertEqual(again.status_code, 422)
        self.assertEqual(len(claim.rating_ids.filtered("consumed")), 1)

    def test_reject_needs_a_reason(self):
        claim = self._create_decided_claim()
        response = self.post(f"/my/claims/{claim.id}/reject", {"reason": "  "})
        self.assertEqual(response.status_code, 422)
        self.assertIn("Please tell us the reason", response.text)
        self.assertEqual(claim.state, "decided")
        self.assertEqual(
            self.post(f"/my/claims/{claim.id}/reject", {"reason": "Too little"}).status_code, 303
        )
        self.assertEqual(claim.state, "investigating")
        self.assertEqual(claim.reopen_count, 1)

    def test_answer_a_declined_claim(self):
        claim = self._create_decided_claim(
            state="rejected", decision="rejected", recourse="<p>Go to the ombudsman.</p>"
        )
        page = self.url_open(f"/my/claims/{claim.id}").text
        self.assertIn("Go to the ombudsman.", page)
        self.post(f"/my/claims/{claim.id}/accept")
        self.assertEqual(claim.customer_answer, "accepted")

    def test_no_answer_before_a_decision(self):
        claim = self._create_claim()
        for answer in ("accept", "reject", "rate"):
            response = self.post(f"/my/claims/{claim.id}/{answer}", {"reason": "x", "rate": "5"})
            self.assertEqual(response.status_code, 422, answer)
            self.assertRecordValues(claim, [{"state": "new", "customer_answer": False}])
        self.assertFalse(claim.rating_ids)

    def test_no_second_answer(self):
        claim = self._create_decided_claim()
        self.post(f"/my/claims/{claim.id}/accept")
        response = self.post(f"/my/claims/{claim.id}/reject", {"reason": "changed my mind"})
        self.assertEqual(response.status_code, 422)
        self.assertEqual(claim.customer_answer, "accepted")

    def test_withdraw(self):
        claim = self._create_claim()
        self.assertEqual(
            self.post(f"/my/claims/{claim.id}/withdraw", {"reason": ""}).status_code, 422
        )
        self.post(f"/my/claims/{claim.id}/withdraw", {"reason": "Found the battery"})
        self.assertEqual(claim.state, "cancelled")
        self.assertIn("Withdrawn", self.url_open(f"/my/claims/{claim.id}").text)

    def test_no_withdrawal_after_the_decision(self):
        claim = self._create_decided_claim()
        response = self.post(f"/my/claims/{claim.id}/withdraw", {"reason": "late"})
        self.assertEqual(response.status_code, 422)
        self.assertEqual(claim.state, "decided")

    def test_rate_out_of_range(self):
        claim = self._create_decided_claim()
        self.post(f"/my/claims/{claim.id}/accept")
        for rate in ("", "2", "100", "-1", "abc", "5.0"):
            response = self.post(f"/my/claims/{claim.id}/rate", {"rate": rate})
            self.assertEqual(response.status_code, 422, rate)
        self.assertFalse(claim.rating_ids.filtered("consumed"))

    def test_message_with_file(self):
        claim = self._create_claim()
        response = self.post(
            f"/my/claims/{claim.id}/message",
            {"body": "Here is <b>another</b> photo"},
            files=[("files", ("more.png", make_picture(), "image/png"))],
        )
        self.assertEqual(response.status_code, 303)
        message = claim._portal_get_messages()
        self.assertEqual(message.author_id, self.nina.partner_id)
        self.assertIn("&lt;b&gt;", message.body)
        self.assertEqual(message.attachment_ids.mimetype, "image/png")
        refused = self.post(
            f"/my/claims/{claim.id}/message",
            {"body": "and a page"},
            files=[("files", ("x.png", b"<svg/>", "image/png"))],
        )
        self.assertEqual(refused.status_code, 422)
        self.assertIn("and a page", refused.text)
        self.assertEqual(len(claim._portal_get_messages()), 1)
        self.assertEqual(self.post(f"/my/claims/{claim.id}/message").status_code, 422)

    def test_answering_a_question_takes_the_claim_up_again(self):
        claim = self._create_claim(state="waiting_client", waiting_question="Which battery was it?")
        self.assertIn("Which battery was it?", self.url_open(f"/my/claims/{claim.id}").text)
        self.post(f"/my/claims/{claim.id}/message", {"body": "The large one"})
        self.assertEqual(claim.state, "investigating")

    def test_answers_by_token(self):
        claim = self._create_decided_claim()
        token = claim._portal_ensure_token()
        self.login(None)
        page = self.url_open(f"/my/claims/{claim.id}?access_token={token}")
        self.assertIn("Do you accept this decision?", page.text)
        response = self.post(f"/my/claims/{claim.id}/accept", {"access_token": token})
        self.assertEqual(response.status_code, 303)
        self.assertIn(token, response.headers["Location"])
        self.assertEqual(claim.customer_answer, "accepted")

    def test_reading_changes_nothing(self):
        """Mail scanners open every link of a mail."""
        claim = self._create_decided_claim()
        token = claim._portal_ensure_token()
        self.login(None)
        with mute_logger("odoo.http"):
            for answer in ("accept", "reject", "withdraw", "rate", "message"):
                response = self.url_open(
                    f"/my/claims/{claim.id}/{answer}?access_token={token}&rate=5&reason=x&body=x"
                )
                self.assertIn(response.status_code, (404, 405))
        self.url_open(f"/my/claims/{claim.id}?access_token={token}&notice=accept")
        self.assertRecordValues(claim, [{"state": "decided", "customer_answer": False}])
        self.assertFalse(claim._portal_get_messages())

    def test_staff_do_not_answer(self):
        claim = self._create_decided_claim(user_id=self.handler.id)
        self.authenticate("portal_handler", "portal_handler")
        page = self.url_open(f"/my/claims/{claim.id}")
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("Do you accept this decision?", page.text)
        with mute_logger("odoo.http"):
            self.assertEqual(self.post(f"/my/claims/{claim.id}/accept").status_code, 404)
        self.assertFalse(claim.customer_answer)
