from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimAccused(ClaimCommon):
    """Who is held guilty sees nothing of it, unless the company allows it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accused_handler = cls._new_user(
            "claims_accused", "crm_claims.crm_claims_group_user_all"
        )
        cls.accused_accountant = cls._new_user(
            "claims_accused_accountant", "account.group_account_invoice"
        )
        workers = cls.env["hr.employee"].create(
            [
                {
                    "name": user.name,
                    "company_id": cls.company.id,
                    "department_id": cls.production.id,
                    "user_id": user.id,
                }
                for user in (cls.accused_handler, cls.accused_accountant)
            ]
        )
        cls.accused = cls.user_employee | cls.accused_handler | cls.accused_accountant
        cls.claim = cls._create_claim(
            user_id=cls.user_all.id,
            line_ids=[Command.create({"product_id": cls.product.id})],
        )
        cls.claim.message_subscribe(cls.accused.partner_id.ids)
        cls.claim.fault_ids = [
            Command.create({"employee_id": worker.id, "share": share, "reason": "Seen"})
            for worker, share in zip(workers | cls.employee, (20, 30, 50), strict=True)
        ]
        cls.other = cls._create_claim(user_id=cls.user_all.id)

    def _records(self):
        return (
            self.claim,
            self.claim.line_ids,
            self.claim.fault_ids,
            self.claim.fault_log_ids,
            self.env["crm.claim.report"].search([("claim_id", "=", self.claim.id)]),
        )

    def _sees(self, records, user):
        self.env.flush_all()
        self.env.invalidate_all()
        return bool(records.with_user(user)._filtered_access("read"))

    def _allow(self, users):
        users.group_ids = [Command.link(self.env.ref("crm_claims.crm_claims_group_accused").id)]

    def test_accused_see_nothing(self):
        for records in self._records():
            for user in self.accused:
                self.assertFalse(self._sees(records, user), (records._name, user.login))
            self.assertTrue(self._sees(records, self.user_all), records._name)
        self.assertTrue(self._sees(self.other, self.accused_handler))
        with self.assertRaises(AccessError):
            self.claim.with_user(self.accused_handler).write({"subject": "Nothing happened"})
        for user in self.accused:
            messages = self.claim.message_ids.with_user(user)
            self.assertFalse(messages._filtered_access("read"), user.login)

    def test_accused_no_longer_follow(self):
        self.assertFalse(self.claim.message_partner_ids & self.accused.partner_id)

    def test_accused_handler_keeps_his_own_claim(self):
        self.other.user_id = self.accused_handler
        own = self.other.with_user(self.accused_handler)
        own.fault_ids = [
            Command.create(
                {
                    "employee_id": self.accused_handler.employee_id.id,
                    "share": 100,
                    "reason": "My own slip",
                }
            )
        ]
        self.assertTrue(self._sees(own, self.accused_handler))

    def test_accused_see_the_claim_when_allowed(self):
        self._allow(self.accused)
        for user in self.accused:
            self.assertTrue(self._sees(self.claim, user), user.login)
            self.assertTrue(self._sees(self.claim.line_ids, user), user.login)
        mine = self.env["crm.claim"].with_user(self.user_employee)
        self.assertEqual(mine.search([("is_against_me", "=", True)]), self.claim)
        self.assertFalse(self._sees(self.other, self.user_employee))
        self.assertFalse(self.other.with_user(self.user_all).is_against_me)
        # he knows that he is accused, not who else is, and changes nothing
        for records in (self.claim.fault_ids, self.claim.fault_log_ids):
            with self.assertRaises(AccessError):
                records.with_user(self.user_employee).read()
        with self.assertRaises(AccessError):
            self.claim.with_user(self.user_employee).write({"subject": "x"})
        self.assertIn("subject", mine.get_view(view_type="form")["arch"])

    def test_confidential_claims_stay_confidential(self):
        self._allow(self.accused)
        self.claim.confidential = True
        for user in self.accused:
            self.assertFalse(self._sees(self.claim, user), user.login)

    def test_accountants_do_not_read_guilt(self):
        self.assertTrue(self._sees(self.claim, self.user_accountant))
        for records in (self.claim.fault_ids, self.claim.fault_log_ids):
            with self.assertRaises(AccessError):
                records.with_user(self.user_accountant).read()
        text = " ".join(
            str(body)
            for body in self.claim.message_ids.with_user(self.user_accountant).mapped("body")
        )
        self.assertNotIn("Seen", text)

    def test_setting_gives_every_employee_the_group(self):
        settings = self.env["res.config.settings"].create({"group_claims_about_me": True})
        settings.execute()
        self.assertTrue(self.user_employee.has_group("crm_claims.crm_claims_group_accused"))
        self.env["res.config.settings"].create({"group_claims_about_me": False}).execute()
        self.assertFalse(self.user_employee.has_group("crm_claims.crm_claims_group_accused"))
