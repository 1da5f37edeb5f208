from unittest.mock import patch

from odoo.addons.crm_claims.models import crm_claim_cost
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimCost(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warehouse.claim_hourly_rate = 30
        cls.claim = cls._create_claim(
            user_id=cls.user_own.id,
            fault_ids=[
                Command.create({"department_id": cls.warehouse.id, "share": 70, "reason": "Seen"}),
                Command.create({"department_id": cls.production.id, "share": 30, "reason": "Seen"}),
            ],
        )

    def _by_department(self, claim, user=None):
        report = self.env["crm.claim.cost.report"].with_user(user or self.user_manager)
        self.env.flush_all()
        return dict(
            report._read_group([("claim_id", "=", claim.id)], ["department_id"], ["amount:sum"])
        )

    def _add(self, **values):
        return (
            self.env["crm.claim.cost"]
            .with_user(self.user_own)
            .create({"claim_id": self.claim.id, "name": "Cost", **values})
        )

    def test_ledger_is_split_by_guilt(self):
        self._add(kind="transport", amount=100)
        labour = self._add(kind="labour", hours=2, employee_id=self.employee.id)
        self.assertEqual(
            (labour.department_id, labour.rate, labour.amount), (self.warehouse, 30, 60)
        )
        self._decide(self.claim, remedy_granted="discount", amount_granted=40)
        totals = self._by_department(self.claim)
        self.assertEqual(totals, {self.warehouse: 140, self.production: 60})
        self.claim.invalidate_recordset()
        self.assertEqual(self.claim.cost_total, 200)

    def test_rate_of_an_employee_is_for_who_may_read_it(self):
        self.employee.distance_home_work = 99  # a figure for the personnel department only
        personnel = self._new_user("claims_hr", "hr.group_hr_user,crm_claims.crm_claims_group_user")
        self.claim.user_id = personnel
        values = {
            "claim_id": self.claim.id,
            "name": "Cost",
            "kind": "labour",
            "hours": 2,
            "employee_id": self.employee.id,
        }
        rates = {}
        with patch.object(crm_claim_cost, "EMPLOYEE_RATE", "distance_home_work"):
            for user in (personnel, self.user_all):
                cost = self.env["crm.claim.cost"].with_user(user).create(values)
                rates[user] = cost.rate
        self.assertEqual(rates, {personnel: 99, self.user_all: 30})

    def test_remedies_count_unless_cancelled(self):
        claim = self._create_claim(user_id=self.user_own.id)
        claim._move_to("acknowledged")
        claim._apply_decision(
            {"decision": "satisfied", "decision_text": "x", "cause_id": self.cause.id},
            [{"kind": "discount", "amount": 25}, {"kind": "other", "amount": 5, "name": "Flowers"}],
            False,
        )
        nobody = self.env["hr.department"]
        self.assertEqual(self._by_department(claim), {nobody: 30})
        claim.remedy_ids[0].with_user(self.user_manager).action_cancel()
        self.assertEqual(self._by_department(claim), {nobody: 5})
        self.assertEqual(claim.amount_granted, 5)

    def test_bad_entries(self):
        with self.assertRefused(ValidationError, "give an amount"):
            self._add(kind="transport")
        with self.assertRefused(Exception, "crm_claim_cost_positive"):
            self._add(kind="transport", amount=-5)

    def test_who_sees_costs(self):
        cost = self._add(kind="transport", amount=100)
        cost.with_user(self.user_accountant).read(["amount"])
        self.assertEqual(sum(self._by_department(self.claim, self.user_accountant).values()), 100)
        with self.assertRaises(AccessError):
            cost.with_user(self.user_accountant).write({"amount": 1})
        with self.assertRaises(AccessError):
            cost.with_user(self.user_employee).read(["amount"])
        self.claim.confidential = True
        with self.assertRaises(AccessError):
            cost.with_user(self.user_accountant).read(["amount"])
        self.assertFalse(self._by_department(self.claim, self.user_accountant))
        self.assertFalse(self._by_department(self.claim, self.user_all))
