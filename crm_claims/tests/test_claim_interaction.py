from odoo.addons.mail.tests.common import MailCommon
from odoo.tests import Form, new_test_user, tagged

from .common import ClaimCommon

MAIL = """To: {to}
Cc: {cc}
From: {email_from}
Subject: {subject}
Message-ID: {msg_id}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
{extra}

It does not start.
"""


@tagged("post_install", "-at_install")
class TestClaimInteraction(ClaimCommon, MailCommon):
    """What is written about a claim becomes interactions of its conversation."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.alias_domain_id = cls.mail_alias_domain
        cls.team.write({"alias_name": "broken", "alias_contact": "everyone"})
        cls.team.alias_id.alias_domain_id = cls.mail_alias_domain

    def _receive(self, email_from, subject="It broke", **kwargs):
        with self.mock_mail_gateway():
            return self.format_and_process(
                MAIL,
                email_from,
                f"broken@{self.alias_domain}",
                subject=subject,
                target_model="crm.claim",
                target_field="subject",
                **kwargs,
            )

    def _get_interactions(self, claim):
        return (
            self.env["crm.interaction"]
            .search([("res_model", "=", "crm.claim"), ("res_id", "=", claim.id)])
            .sorted("id")
        )

    def _ask(self, claim, user, question="Which lot number?"):
        with self.mock_mail_gateway():
            self.env["crm.claim.question"].with_user(user).create(
                {"claim_id": claim.id, "question": question}
            ).action_ask()

    def test_alias_with_acknowledgement(self):
        """The complaint waits, though a machine has confirmed it, and confirmed it again."""
        claim = self._receive(self.contact.email_formatted)
        interaction = self._get_interactions(claim)
        self.assertEqual(len(interaction), 1)
        self.assertEqual(
            (interaction.kind, interaction.direction, interaction.state), ("email", "in", "new")
        )
        self.assertEqual(interaction.partner_id, self.contact)
        self.assertEqual(interaction.company_id, self.company)
        self.assertTrue(claim.is_acknowledgement_sent)
        claim.with_user(self.user_all).action_acknowledge()
        self.assertEqual(self._get_interactions(claim), interaction)
        self.assertEqual(interaction.state, "new")
        self.assertEqual(claim.interaction_chain_id.unhandled_count, 1)
        self.assertTrue(claim.with_user(self.user_all).is_unanswered)

    def test_unknown_customer(self):
        claim = self._receive('"Nora" <nora@unknown.example.com>')
        interaction = self._get_interactions(claim)
        self.assertFalse(interaction.partner_id)
        self.assertEqual(interaction.participant_ids.email, "nora@unknown.example.com")

    def test_question_answers(self):
        claim = self._receive(self.contact.email_formatted)
        incoming = self._get_interactions(claim)
        claim.with_user(self.user_all).action_acknowledge()
        self._ask(claim, self.user_all)
        question = self._get_interactions(claim) - incoming
        self.assertEqual(
            (question.kind, question.direction, question.state), ("email", "out", "done")
        )
        self.assertEqual(question.user_id, self.user_all)
        self.assertEqual(question.partner_id, self.contact)
        self.assertIn("lot number", question.with_user(self.user_all).message_body)
        self.assertEqual((incoming.state, incoming.answer_id), ("done", question))

    def test_who_waits_for_us(self):
        claim = self._receive(self.contact.email_formatted)
        quiet = self._create_claim(user_id=self.user_own.id)
        claims = self.env["crm.claim"].with_user(self.user_all)
        own = [("id", "in", (claim | quiet).ids)]
        waiting = [*own, ("is_unanswered", "=", True)]
        self.assertEqual(claims.search(waiting), claim)
        self.assertEqual(claims.search([*own, ("is_unanswered", "=", False)]), quiet)
        claim.with_user(self.user_all).action_acknowledge()
        self._ask(claim, self.user_all)
        self.assertFalse(claims.search(waiting))
        claim.invalidate_recordset()
        self.assertFalse(claim.is_unanswered)
        claim.confidential = True
        self.assertFalse(claims.with_user(self.user_own).search(waiting))

    def test_decision_answers(self):
        claim = self._create_claim(user_id=self.user_all.id)
        claim.message_post(
            body="When?",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            author_id=self.contact.id,
        )
        incoming = self._get_interactions(claim)
        self.assertEqual((incoming.kind, incoming.state), ("message", "new"))
        self.assertEqual(incoming.user_id, self.user_all)
        claim.with_user(self.user_all).action_acknowledge()
        self.assertEqual(incoming.state, "new")
        with self.mock_mail_gateway():
            wizard = Form(
                self.env["crm.claim.decision"]
                .with_user(self.user_all)
                .with_context(default_claim_id=claim.id)
            )
            wizard.decision = "rejected"
            wizard.decision_text = "<p>Out of warranty</p>"
            wizard.recourse = "<p>Court</p>"
            wizard.cause_id = self.cause
            wizard.save().action_decide()
        decision = self._get_interactions(claim) - incoming
        self.assertEqual((decision.direction, decision.state), ("out", "done"))
        self.assertEqual((incoming.state, incoming.answer_id), ("done", decision))

    def test_question_that_cannot_be_sent(self):
        """A question that does not leave the house is no contact."""
        claim = self._receive(self.contact.email_formatted)
        incoming = self._get_interactions(claim)
        claim.with_user(self.user_all).action_acknowledge()
        self._ask(claim, self.user_all)
        question = self._get_interactions(claim) - incoming
        mail = self.env["mail.mail"].search([("mail_message_id", "=", question.mail_message_id.id)])
        mail.write({"state": "exception", "failure_reason": "No such mailbox"})
        self.assertEqual((question.state, incoming.state), ("cancelled", "new"))
        self.assertIn("No such mailbox", question.with_user(self.user_all).message_failure)
        mail.write({"state": "sent", "failure_reason": False})
        self.assertEqual((question.state, incoming.state), ("done", "done"))

    def test_rating_is_no_contact(self):
        claim = self._create_claim(user_id=self.user_all.id)
        self._decide(claim)
        with self.mock_mail_gateway():
            claim._customer_accept(self.contact)
        self.assertFalse(self._get_interactions(claim))

    def test_words_of_a_claim_stay_with_its_readers(self):
        """A salesperson who sees all conversations knows that somebody wrote, not what."""
        seller = new_test_user(
            self.env,
            "claims_seller",
            groups="sales_team.group_sale_salesman_all_leads",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        interaction = self._get_interactions(self._receive(self.contact.email_formatted))
        self.env.invalidate_all()
        seen = interaction.with_user(seller)
        self.assertEqual(seen.subject, "It broke")
        self.assertFalse(seen.message_body)
        self.assertIn("not start", interaction.with_user(self.user_all).message_body)

    def test_claim_from_a_mail(self):
        """A claim that is registered from a mail begins with the words of the mail."""
        order = self._create_order()
        order.message_post(
            body="The drill is dead",
            message_type="email",
            subtype_xmlid="mail.mt_comment",
            author_id=self.contact.id,
            email_from=self.contact.email_formatted,
        )
        interaction = self.env["crm.interaction"].search(
            [("res_model", "=", "sale.order"), ("res_id", "=", order.id)]
        )
        context = interaction.action_register_claim()["context"]
        self.assertIn("drill is dead", context["default_description"])
        self.assertEqual(context["default_order_id"], order.id)
        self.assertEqual(context["default_channel"], "email")
