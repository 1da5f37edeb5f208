from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install", "-standard", "crm_claims_timesheet")
class TestClaimTimesheet(ClaimCommon):
    """Labour from Odoo's time sheets; run where these are installed (tests/lifecycle)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.employee.hourly_cost = 25
        cls.claim = cls._create_claim(
            user_id=cls.user_own.id,
            fault_ids=[
                Command.create({"department_id": cls.warehouse.id, "share": 70, "reason": "Seen"}),
                Command.create({"department_id": cls.production.id, "share": 30, "reason": "Seen"}),
            ],
        )
        cls.sister = cls._create_claim(user_id=cls.user_own.id, subject="Of the same kind")
        cls.claims = cls.claim | cls.sister
        cls.claims._move_to("acknowledged")
        cls.investigation = cls.env["crm.claim.investigation"].create(
            {
                "name": "Why",
                "company_id": cls.company.id,
                "template_id": cls.env.ref("crm_claims.investigation_template_plain").id,
                "team_id": cls.team.id,
                "user_id": cls.user_own.id,
                "claim_ids": [Command.set(cls.claims.ids)],
            }
        )
        cls.investigation.action_start()
        cls.step = cls.investigation.task_ids[0]

    def _book(self, task, hours):
        return self.env["account.analytic.line"].create(
            {
                "name": "Looked into it",
                "project_id": task.project_id.id,
                "task_id": task.id,
                "employee_id": self.employee.id,
                "unit_amount": hours,
            }
        )

    def _labour(self, claim, user=None):
        """Hours and cost by department, as ``user`` may read them."""
        self.env.flush_all()
        report = self.env["crm.claim.cost.report"].with_user(user or self.user_manager)
        return {
            department: (round(hours, 4), round(amount, 4))
            for department, hours, amount in report._read_group(
                [("claim_id", "=", claim.id), ("source", "=", "timesheet")],
                ["department_id"],
                ["hours:sum", "amount:sum"],
            )
        }

    def test_hours_are_split_over_claims_and_departments(self):
        line = self._book(self.step, 4)
        self.assertEqual(line.amount, -100)
        nobody = self.env["hr.department"]
        self.assertEqual(
            self._labour(self.claim), {self.warehouse: (1.4, 35), self.production: (0.6, 15)}
        )
        self.assertEqual(self._labour(self.sister), {nobody: (2, 50)})
        self.assertEqual(self.claim.cost_total, 50)
        self.env["crm.claim.cost"].create(
            {"claim_id": self.claim.id, "name": "Courier", "kind": "transport", "amount": 10}
        )
        self.assertEqual(self.claim.cost_total, 60)
        line.unit_amount = 8
        self.assertEqual(self._labour(self.sister), {nobody: (4, 100)})
        line.unlink()
        self.assertFalse(self._labour(self.sister))

    def test_parts_of_a_step_and_measures_count_once(self):
        part = self.env["project.task"].create(
            {"name": "Part", "parent_id": self.step.id, "project_id": self.step.project_id.id}
        )
        self.investigation.measure_ids = [
            Command.create({"name": "Guard", "user_id": self.user_employee.id})
        ]
        self._book(part, 1)
        self._book(self.investigation.measure_ids.task_id, 2)
        self.assertEqual(self._labour(self.sister), {self.env["hr.department"]: (1.5, 37.5)})

    def test_repair(self):
        self.sister._apply_decision(
            {"decision": "satisfied", "decision_text": "x", "cause_id": self.cause.id},
            [{"kind": "repair", "name": "New switch"}],
            False,
        )
        self._book(self.sister.remedy_ids.task_id, 2)
        self.assertEqual(self._labour(self.sister), {self.env["hr.department"]: (2, 50)})
        self.assertFalse(self._labour(self.claim))

    def test_who_reads_them(self):
        self._book(self.step, 4)
        for user in (self.user_own, self.user_all, self.user_accountant):
            self.assertTrue(self._labour(self.claim, user), user.login)
        self.claim.confidential = True
        self.assertTrue(self._labour(self.claim, self.user_own))
        for user in (self.user_all, self.user_accountant):
            self.assertFalse(self._labour(self.claim, user), user.login)

    def test_workbook(self):
        self._book(self.step, 4)
        wizard = (
            self.env["crm.claim.report.export"]
            .with_user(self.user_manager)
            .create({"company_id": self.company.id})
        )
        self.env.flush_all()
        table = wizard._get_cost_table()
        self.assertEqual([label for label, __ in table["columns"]][1:], ["Labour", "Total"])
        self.assertEqual(table["total"][1:], (100, 100))
