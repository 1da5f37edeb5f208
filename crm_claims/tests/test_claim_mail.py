from odoo.addons.mail.tests.common import MailCommon
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimMail(ClaimCommon, MailCommon):
    def _claim_mails(self, claim):
        return (
            self.env["mail.mail"]
            .sudo()
            .search([("model", "=", "crm.claim"), ("res_id", "in", claim.ids)])
        )

    def test_creating_sends_nothing(self):
        stage = self.env["crm.claim"]._get_stage_of_state("closed")
        with self.mock_mail_gateway():
            claims = self._create_claim() | self._create_claim(
                stage_id=stage.id, decision="satisfied", decision_text="Old"
            )
        self.assertFalse(self._claim_mails(claims))

    def test_acknowledgement_goes_out_once(self):
        with self.mock_mail_gateway():
            claim = self._create_claim()
            claim._confirm_registration()
            claim._confirm_registration()
            claim.action_acknowledge()
        mails = self._claim_mails(claim)
        self.assertEqual(len(mails), 1)
        self.assertIn(claim.name, mails.subject)
        self.assertEqual(mails.recipient_ids, self.contact)
        self.assertTrue(claim.is_acknowledgement_sent)

    def test_acknowledgement_without_a_card(self):
        with self.mock_mail_gateway():
            claim = self._create_claim(
                partner_id=False, partner_name="Passer-by", email_from="p@test.example.com"
            )
            claim.with_user(self.user_all).action_acknowledge()
        self.assertEqual(self._claim_mails(claim).email_to, "p@test.example.com")

    def test_no_address_no_mail(self):
        with self.mock_mail_gateway():
            claim = self._create_claim(partner_id=False, partner_phone="123")
            claim.action_acknowledge()
        self.assertFalse(self._claim_mails(claim))
        self.assertFalse(claim.is_acknowledgement_sent)
        self.assertEqual(claim.state, "acknowledged")

    def test_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("crm_claims.mail_template_acknowledgement")
        template.with_context(lang="fr_FR").subject = "Votre reclamation {{ object.name }}"
        self.contact.lang = "fr_FR"
        with self.mock_mail_gateway():
            claim = self._create_claim()
            claim._confirm_registration()
        self.assertEqual(self._claim_mails(claim).subject, f"Votre reclamation {claim.name}")

    def test_mail_to_the_alias_registers_a_claim(self):
        with self.mock_mail_gateway():
            claim = self.env["crm.claim"].message_new(
                {
                    "subject": "It broke",
                    "from": '"Nora" <nora@unknown.example.com>',
                    "body": "<p>It broke.</p>",
                },
                custom_values={"team_id": self.team.id, "company_id": self.company.id},
            )
        self.assertEqual((claim.subject, claim.channel), ("It broke", "email"))
        self.assertFalse(claim.partner_id)
        self.assertEqual(len(self._claim_mails(claim)), 1)

    def test_alias_of_a_team_makes_claims(self):
        self.assertEqual(self.team.alias_id.alias_model_id.model, "crm.claim")
        self.assertIn(str(self.team.id), self.team.alias_defaults)

    def test_rating_on_closing(self):
        claim = self._create_claim(user_id=self.user_all.id)
        self._decide(claim)
        with self.mock_mail_gateway():
            claim._customer_accept(self.contact)
        self.assertIn("/rate/", self._claim_mails(claim).body_html)
        token = claim._rating_get_access_token(self.contact)
        claim.rating_apply(5, token=token, feedback="Well done")
        self.assertEqual(claim.rating_last_value, 5)
        self.assertEqual(claim.rating_ids.rated_partner_id, self.user_all.partner_id)
        self.assertEqual(self.team.rating_avg, 5)
