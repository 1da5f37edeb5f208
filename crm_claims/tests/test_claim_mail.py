from odoo.addons.mail.tests.common import MailCommon
from odoo.tests import tagged

from .common import ClaimCommon

MAIL = """\
From: Nora <nora@unknown.example.com>
To: %(to)s
Subject: It broke
Message-ID: %(message_id)s
%(in_reply_to)sMIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=="

--==
Content-Type: text/plain; charset="utf-8"

It broke, and smoke came out.
--==
Content-Type: image/png; name="photo.png"
Content-Disposition: attachment; filename="photo.png"
Content-Transfer-Encoding: base64

iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==
--==--
"""


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

    def test_letter_of_a_stranger_with_a_photo(self):
        self.team.write({"alias_name": "test-claims", "alias_contact": "everyone"})
        with self.mock_mail_gateway():
            claim = self.env["crm.claim"].browse(
                self.env["mail.thread"].message_process(
                    False,
                    MAIL
                    % {
                        "in_reply_to": "",
                        "message_id": "<first@unknown.example.com>",
                        "to": self.team.alias_id.alias_full_name,
                    },
                )
            )
        self.assertEqual((claim.team_id, claim.subject), (self.team, "It broke"))
        self.assertIn("smoke came out", str(claim.description))
        self.assertEqual(claim.company_id, self.company)
        self.assertIn("nora@unknown.example.com", claim.email_from)
        attachment = self.env["ir.attachment"].search(
            [("res_model", "=", "crm.claim"), ("res_id", "=", claim.id)]
        )
        self.assertEqual(attachment.mapped("name"), ["photo.png"])
        self.assertEqual(len(self._claim_mails(claim)), 1, "the acknowledgement")
        # her answer to it, while we wait for her, comes to the same claim and takes it up again
        claim._move_to("acknowledged")
        claim._move_to("waiting_client", waiting_question="Which lot?")
        ours = claim.message_ids.sorted("id")[:1]
        with self.mock_mail_gateway():
            self.env["mail.thread"].message_process(
                False,
                MAIL
                % {
                    "in_reply_to": f"In-Reply-To: {ours.message_id}\n",
                    "message_id": "<second@unknown.example.com>",
                    "to": self.team.alias_id.alias_full_name,
                },
            )
        self.assertEqual(
            self.env["crm.claim"].search_count([("email_from", "ilike", "nora@unknown")]), 1
        )
        self.assertEqual(claim.state, "investigating")

    def test_watchers_hear_of_confidential_claims_they_follow(self):
        claim = self._create_claim(confidential=True, user_id=self.user_manager.id)
        claim.message_subscribe(self.user_all.partner_id.ids)
        with self.mock_mail_gateway():
            message = claim.with_user(self.user_manager).message_post(
                body="News", message_type="comment", subtype_xmlid="mail.mt_comment"
            )
        self.assertIn(self.user_all.partner_id, message.notified_partner_ids)
        self.assertTrue(claim.with_user(self.user_all).subject)

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
