from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from .common import ClaimCommon

DAY = timedelta(days=1)


@tagged("post_install", "-at_install")
class TestClaimAbsence(ClaimCommon):
    """Claims, investigations and their steps go to a substitute who may handle them."""

    def _absence(self, user, substitute, **values):
        now = fields.Datetime.now()
        return self.env["crm.absence"].create(
            {
                "user_id": user.id,
                "substitute_id": substitute.id,
                "date_from": now - DAY,
                "date_to": now + 3 * DAY,
                **values,
            }
        )

    def test_claims_go_and_come_back(self):
        claim = self._create_claim(user_id=self.user_own.id)
        closed = self._create_claim(user_id=self.user_own.id)
        closed._move_to("cancelled")
        todo = claim.activity_schedule("mail.mail_activity_data_todo", user_id=self.user_own.id)
        absence = self._absence(self.user_own, self.user_all)
        self.assertEqual(claim.user_id, self.user_all)
        self.assertEqual(todo.user_id, self.user_all)
        self.assertEqual(closed.user_id, self.user_own)
        absence.action_back()
        self.assertEqual((claim.user_id, todo.user_id), (self.user_own, self.user_own))

    def test_not_to_the_accused_nor_to_outsiders(self):
        """Who is accused does not get the claim, and who handles none gets none."""
        accused = self._create_claim(user_id=self.user_all.id)
        other = self._create_claim(user_id=self.user_all.id)
        employee = self.env["hr.employee"].create(
            {"name": "Own", "company_id": self.company.id, "user_id": self.user_own.id}
        )
        accused.fault_ids = [
            Command.create({"employee_id": employee.id, "share": 100, "reason": "Packed it"})
        ]
        todo = accused.activity_schedule("mail.mail_activity_data_todo", user_id=self.user_all.id)
        absence = self._absence(self.user_all, self.user_own)
        self.assertEqual(accused.user_id, self.user_all)
        self.assertEqual(todo.user_id, self.user_all, "he could not open it")
        self.assertEqual(other.user_id, self.user_own)
        states = {row.res_id: row.state for row in absence.transfer_ids
                  if row.res_model == "crm.claim"}  # fmt: skip
        self.assertEqual(states, {accused.id: "failed", other.id: "open"})
        absence.action_cancel()
        sales = self._new_user("claims_sales", "sales_team.group_sale_salesman")
        self._absence(self.user_all, sales)
        self.assertEqual(other.user_id, self.user_all)

    def test_steps_of_investigations(self):
        investigation = self.env["crm.claim.investigation"].create(
            {
                "name": "Why",
                "claim_ids": [Command.set(self._create_claim().ids)],
                "user_id": self.user_all.id,
                "team_id": self.team.id,
                "company_id": self.company.id,
            }
        )
        project = self.team._get_project()
        soon, later, free = self.env["project.task"].create(
            [
                {
                    "name": name,
                    "project_id": project.id,
                    "claim_investigation_id": investigation.id,
                    "user_ids": [Command.set((self.user_employee | self.user_manager).ids)],
                    "date_deadline": deadline,
                }
                for name, deadline in (
                    ("Soon", fields.Datetime.now() + DAY),
                    ("Later", fields.Datetime.now() + 9 * DAY),
                    ("Free", False),
                )
            ]
        )
        foreign = self.env["project.task"].create(
            {"name": "Other", "user_ids": [Command.set(self.user_employee.ids)]}
        )
        absence = self._absence(self.user_employee, self.user_own)
        both = self.user_own | self.user_manager
        self.assertEqual(soon.user_ids, both)
        self.assertEqual(free.user_ids, both)
        self.assertEqual(later.user_ids, self.user_employee | self.user_manager)
        self.assertEqual(foreign.user_ids, self.user_employee)
        new = self.env["project.task"].create(
            {
                "name": "New",
                "project_id": project.id,
                "claim_investigation_id": investigation.id,
                "user_ids": [Command.set(self.user_employee.ids)],
            }
        )
        self.assertEqual(new.user_ids, self.user_own, "at once")
        soon.state = "1_done"
        absence.action_back()
        self.assertEqual(soon.user_ids, both)
        self.assertEqual(free.user_ids, self.user_employee | self.user_manager)
        self.assertEqual(new.user_ids, self.user_employee)
        self._absence(self.user_all, self.user_own)
        self.assertEqual(investigation.user_id, self.user_own)

    def test_assignment(self):
        """New claims go to members who are there, and to the substitute of an absent leader."""
        self.team.write(
            {
                "assignment": "balanced",
                "member_ids": [Command.set((self.user_own | self.user_all).ids)],
            }
        )
        absence = self._absence(self.user_own, self.user_manager)
        claims = self.env["crm.claim"].concat(*(self._create_claim() for __ in range(3)))
        self.assertEqual(claims.user_id, self.user_all)
        absence.action_cancel()
        self.team.assignment = "leader"
        absence = self._absence(self.user_all, self.user_manager)
        claim = self._create_claim()
        self.assertEqual(claim.user_id, self.user_manager)
        absence.action_back()
        self.assertEqual(claim.user_id, self.user_all, "and comes back")

    def test_head_of_an_employee(self):
        boss = self.env["hr.employee"].create(
            {"name": "Boss", "company_id": self.company.id, "user_id": self.user_all.id}
        )
        employee = self.env["hr.employee"].create(
            {
                "name": "Own",
                "company_id": self.company.id,
                "user_id": self.user_own.id,
                "parent_id": boss.id,
            }
        )
        self.assertEqual(self.user_own._get_heads(), {self.user_own: self.user_all})
        employee.parent_id = False
        employee.department_id = self.warehouse
        self.assertEqual(self.user_own._get_heads(), {self.user_own: self.user_employee})
        absence = self._absence(self.user_own, self.user_manager)
        employee.parent_id = boss
        self.assertTrue(absence.with_user(self.user_all).read(["note"]))

    def test_late_step_is_told_to_its_owner(self):
        investigation = self.env["crm.claim.investigation"].create(
            {
                "name": "Why",
                "claim_ids": [Command.set(self._create_claim().ids)],
                "user_id": self.user_all.id,
                "team_id": self.team.id,
                "company_id": self.company.id,
            }
        )
        now = fields.Datetime.now()
        late, done = self.env["project.task"].create(
            [
                {
                    "name": "Look",
                    "project_id": self.team._get_project().id,
                    "company_id": self.company.id,
                    "claim_investigation_id": investigation.id,
                    "user_ids": [Command.set(self.user_employee.ids)],
                    "date_deadline": now - DAY,
                    "state": state,
                }
                for state in ("01_in_progress", "1_done")
            ]
        )
        Overdue = self.env["crm.overdue"]
        Overdue._refresh(now)
        found = Overdue.search(
            [("res_model", "=", "project.task"), ("res_id", "in", (late | done).ids)]
        )
        self.assertFalse(found, "the investigation has not begun")
        investigation.state = "running"
        Overdue._refresh(now)
        found = Overdue.search(
            [("res_model", "=", "project.task"), ("res_id", "in", (late | done).ids)]
        )
        self.assertEqual((found.res_id, found.user_id), (late.id, self.user_employee))
        self.assertEqual(found.name, late.display_name)
