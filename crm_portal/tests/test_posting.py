from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestPosting(PortalCase):
    """That customers write to their claims does not let readers among us do so."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.claim = cls._create_claim(cls.nina)
        cls.accountant = new_test_user(
            cls.env, "portal_accountant", "base.group_user,account.group_account_invoice"
        )

    def test_readers_do_not_post(self):
        claim = self.claim.with_user(self.accountant)
        claim.read(["subject"])
        with self.assertRaises(AccessError):
            claim.message_post(body="Posted", subtype_xmlid="mail.mt_comment")
        with self.assertRaises(AccessError):
            claim.activity_schedule("mail.mail_activity_data_todo")
        self.claim.with_user(self.handler).message_post(body="Posted")

    def test_customers_post_on_their_own_claims(self):
        self.claim.with_user(self.nina).message_post(body="Mine")
        with self.assertRaises(AccessError):
            self.claim.with_user(self.boris).message_post(body="Not mine")

    def test_confidential_subject_by_an_invoice(self):
        self.claim.confidential = True
        self.claim.subject = "Secret subject"
        self.env.flush_all()
        for user, shown in ((self.nina, True), (self.ned, False), (self.boris, False)):
            self.env.invalidate_all()
            name = self.claim.with_user(user).sudo().display_name
            self.assertEqual("Secret subject" in name, shown, user.login)
