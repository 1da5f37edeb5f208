from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimAccess(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        fault = [Command.create({"employee_id": cls.employee.id, "share": 100, "reason": "Seen"})]
        cls.claim_own = cls._create_claim(user_id=cls.user_own.id, fault_ids=fault)
        cls.claim_free = cls._create_claim()
        cls.claim_all = cls._create_claim(user_id=cls.user_all.id)
        cls.claim_secret = cls._create_claim(
            user_id=cls.user_manager.id, confidential=True, fault_ids=fault
        )
        cls.claims = cls.claim_own | cls.claim_free | cls.claim_all | cls.claim_secret

    def _seen(self, user, model="crm.claim", field="id"):
        records = self.env[model].with_user(user).search([(field, "in", self.claims.ids)])
        return self.claims.browse(records.mapped(field) if field == "id" else records[field].ids)

    def test_who_reads_which_claims(self):
        self.assertEqual(self._seen(self.user_own), self.claim_own | self.claim_free)
        self.assertEqual(self._seen(self.user_all), self.claims - self.claim_secret)
        self.assertEqual(self._seen(self.user_manager), self.claims)
        self.assertEqual(self._seen(self.user_accountant), self.claims - self.claim_secret)
        with self.assertRaises(AccessError):
            self._seen(self.user_employee)

    def test_analysis_shows_what_claims_show(self):
        self.env.flush_all()
        for user in (self.user_own, self.user_all, self.user_manager, self.user_accountant):
            with self.subTest(user=user.login):
                self.assertEqual(
                    set(self._seen(user, "crm.claim.report", "claim_id").ids),
                    set(self._seen(user).ids),
                )

    def test_confidential_claims_and_their_parts(self):
        for user in (self.user_own, self.user_all):
            with self.assertRaises(AccessError):
                self.claim_secret.with_user(user).read(["subject"])
            with self.assertRaises(AccessError):
                self.claim_secret.fault_ids.with_user(user).read(["reason"])
        self.claim_secret.message_subscribe(self.user_all.partner_id.ids)
        self.claim_secret.with_user(self.user_all).read(["subject"])
        self.claim_secret.fault_ids.with_user(self.user_all).read(["reason"])

    def test_unassigned_confidential_claim(self):
        self.claim_free.confidential = True
        self.assertNotIn(self.claim_free, self._seen(self.user_own))

    @mute_logger("odoo.models.unlink")
    def test_accountants_read_only_and_no_guilt(self):
        claim = self.claim_own.with_user(self.user_accountant)
        self.assertTrue(claim.read(["name", "amount_claimed", "credit_note_count"]))
        for method in (
            lambda: claim.write({"subject": "x"}),
            lambda: claim.unlink(),
            lambda: claim.create({"subject": "x", "partner_name": "y"}),
            lambda: claim.fault_ids.read(["reason"]),
            lambda: self.claim_own.fault_ids.with_user(self.user_accountant).read(["reason"]),
        ):
            with self.assertRaises(AccessError):
                method()

    def test_accountants_open_the_form(self):
        view = self.env["crm.claim"].with_user(self.user_accountant).get_view(view_type="form")
        self.assertNotIn("fault_ids", view["arch"])
        self.assertNotIn("action_decide", view["arch"])
        self.assertIn("amount_granted", view["arch"])

    def test_own_user_leaves_claims_of_others_alone(self):
        with self.assertRaises(AccessError):
            self.claim_all.with_user(self.user_own).write({"subject": "x"})
        self.claim_free.with_user(self.user_own).write({"user_id": self.user_own.id})

    def test_handlers_neither_delete_nor_configure(self):
        user = self.user_all
        with self.assertRaises(AccessError):
            self.claim_free.with_user(user).unlink()
        for model in ("stage", "team", "cause", "category", "investigation.template"):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[f"crm.claim.{model}"].with_user(user).create({"name": "x"})

    def test_two_companies(self):
        other = self.env["res.company"].create({"name": "Second Claims Ltd"})
        foreign = self.env["crm.claim"].create(
            {"subject": "Other", "partner_id": self.customer.id, "company_id": other.id}
        )
        with self.assertRaises(AccessError):
            foreign.with_user(self.user_manager).read(["subject"])
        with self.assertRaises(AccessError):
            self.env["crm.claim"].with_user(self.user_manager).create(
                {"subject": "x", "partner_id": self.customer.id, "company_id": other.id}
            )
        with self.assertRefused(Exception, "company"):
            foreign.team_id = self.team

    def test_handlers_read_sold_lines_and_invoices_only(self):
        order = self._create_order(user_id=self.env.user.id)
        order.with_user(self.user_own).read(["name", "amount_total"])
        order.order_line.with_user(self.user_own).read(["price_unit"])
        with self.assertRaises(AccessError):
            order.with_user(self.user_own).write({"client_order_ref": "x"})
        moves = self.env["account.move"].with_user(self.user_own)
        self.assertTrue(moves.has_access("read"))
        self.assertFalse(moves.has_access("write") or moves.has_access("create"))
