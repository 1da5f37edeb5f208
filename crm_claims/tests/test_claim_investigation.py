from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged, users

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimInvestigation(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.resource_calendar_id.tz = "UTC"
        cls.template = cls.env["crm.claim.investigation.template"].create(
            {
                "name": "Test Plan",
                "approval_required": False,
                "step_ids": [
                    Command.create(
                        {"name": "Facts", "code": "A", "role": "responsible", "duration_days": 1}
                    ),
                    Command.create({"name": "Ask", "role": "department_head", "duration_days": 3}),
                    Command.create({"name": "Prove", "role": "quality", "duration_days": 2}),
                ],
            }
        )
        facts, ask, prove = cls.template.step_ids
        ask.depend_on_ids = facts
        prove.depend_on_ids = facts | ask
        cls.claim = cls._create_claim(
            user_id=cls.user_own.id,
            fault_ids=[
                Command.create({"department_id": cls.warehouse.id, "share": 100, "reason": "Seen"})
            ],
        )
        cls.claim._move_to("acknowledged")

    def _investigate(self, claim=None, **values):
        claim = claim or self.claim
        return self.env["crm.claim.investigation"].create(
            {
                "name": "Why",
                "company_id": self.company.id,
                "template_id": self.template.id,
                "team_id": self.team.id,
                "user_id": self.user_all.id,
                "claim_ids": [Command.set(claim.ids)],
                "date_start": date(2026, 3, 5),  # a Thursday
                **values,
            }
        )

    def test_plan_becomes_tasks(self):
        investigation = self._investigate()
        investigation.with_user(self.user_own).action_start()
        facts, ask, prove = investigation.task_ids.sorted("sequence").sorted("claim_step_id")
        self.assertEqual(self.claim.state, "investigating")
        self.assertEqual(facts.name, "A Facts (Why)")
        self.assertEqual(facts.user_ids, self.user_own)
        self.assertEqual(ask.user_ids, self.user_employee, "head of the guilty department")
        self.assertEqual(prove.user_ids, self.user_manager)
        self.assertEqual(prove.depend_on_ids, facts | ask)
        self.assertEqual(facts.claim_date_start, date(2026, 3, 5))
        self.assertEqual(facts.date_deadline.date(), date(2026, 3, 5))
        self.assertEqual(ask.claim_date_start, date(2026, 3, 6))
        self.assertEqual(ask.date_deadline.date(), date(2026, 3, 10), "over the weekend")
        self.assertEqual(prove.date_deadline.date(), date(2026, 3, 12))
        self.assertEqual(investigation.date_deadline, date(2026, 3, 12))
        self.assertEqual(investigation.task_ids.project_id, self.team.project_id)
        self.assertEqual(self.team.project_id.privacy_visibility, "followers")
        investigation.action_start()
        self.assertEqual(len(investigation.task_ids), 3, "a second start adds nothing")

    def test_nobody_in_the_role(self):
        self.team.quality_user_id = False
        investigation = self._investigate()
        investigation.action_start()
        prove = investigation.task_ids.filtered(lambda task: task.claim_step_id.role == "quality")
        self.assertEqual(prove.user_ids, self.user_all)

    def test_an_employee_works_without_reading_the_claim(self):
        self.claim.confidential = True
        investigation = self._investigate()
        investigation.action_start()
        task = investigation.task_ids.filtered(
            lambda task: task.user_ids == self.user_employee
        ).with_user(self.user_employee)
        self.assertIn("Ask", task.name)
        with Form(task) as form:
            form.claim_result = "<p>Counted once</p>"
        task.write({"claim_result": "<p>Counted twice</p>", "state": "1_done"})
        self.assertIn("Counted twice", investigation.task_ids.mapped("claim_result")[1] or "")
        self.assertAlmostEqual(investigation.progress, 100 / 3, 1)
        self.assertAlmostEqual(self.claim.investigation_progress, 100 / 3, 1)
        for record in (self.claim, investigation):
            with self.assertRaises(AccessError):
                record.with_user(self.user_employee).read(["display_name"])
        other = investigation.task_ids.filtered(lambda t: t.user_ids == self.user_manager)
        with self.assertRaises(AccessError):
            other.with_user(self.user_employee).read(["name"])
        with self.assertRaises(AccessError):
            other.with_user(self.user_employee).write({"state": "1_done"})

    def test_tasks_of_confidential_claims(self):
        self.claim.confidential = True
        investigation = self._investigate(user_id=self.user_manager.id)
        investigation.action_start()
        self.assertTrue(investigation.confidential)
        tasks = self.env["project.task"]
        domain = [("claim_investigation_id", "=", investigation.id)]
        self.assertFalse(tasks.with_user(self.user_all).search(domain))
        self.assertEqual(len(tasks.with_user(self.user_own).search(domain)), 3)
        self.assertEqual(len(tasks.with_user(self.user_manager).search(domain)), 3)
        self.claim.confidential = False
        self.assertEqual(len(tasks.with_user(self.user_all).search(domain)), 3)

    def test_an_employee_writes_no_other_tasks(self):
        task = self.env["project.task"].create(
            {
                "name": "Not an investigation",
                "project_id": self.env["project.project"].create({"name": "P"}).id,
                "user_ids": [Command.set(self.user_employee.ids)],
            }
        )
        with self.assertRaises(AccessError):
            task.with_user(self.user_employee).write({"name": "x"})

    def test_done_tasks_ask_for_the_conclusion(self):
        investigation = self._investigate()
        investigation.action_start()
        for task in investigation.task_ids.sorted("claim_step_id"):
            self.assertFalse(investigation.activity_ids)
            task.state = "1_done"
        self.assertEqual(investigation.activity_ids.user_id, self.user_all)
        self.assertEqual(investigation.progress, 100)

    @users("claims_all")
    def test_done_needs_root_cause_and_conclusion(self):
        investigation = self._investigate(cause_id=self.cause.id).with_user(self.env.user)
        with self.assertRefused(UserError, "cannot go from Draft to Done"):
            investigation.action_done()
        with self.assertRaises(UserError):
            investigation.write({"state": "done"})
        investigation.action_start()
        investigation.sudo().task_ids[1:].state = "1_done"
        with self.assertRefused(UserError, "Root Cause, Conclusion"):
            investigation.action_done()
        investigation.write({"root_cause": "<p>Switch</p>", "conclusion": "<p>Pay</p>"})
        with self.assertRefused(UserError, "open steps: A Facts"):
            investigation.action_done()
        investigation.sudo().task_ids.state = "1_done"
        investigation.action_done()
        self.assertEqual(self.claim.cause_id, self.cause)
        told = str(self.claim.message_ids[0].body)
        self.assertIn("is done", told)
        self.assertIn(f'data-oe-id="{investigation.id}"', told)
        # accountants and the accused may read the chatter: it does not tell the conclusion
        self.assertNotIn("Pay", " ".join(self.claim.message_ids.mapped("body")))

    def test_cancel_closes_open_tasks(self):
        investigation = self._investigate()
        investigation.action_start()
        first = investigation.task_ids.sorted("claim_step_id")[0]
        first.state = "1_done"
        investigation.with_user(self.user_all).action_cancel()
        self.assertEqual(
            sorted(investigation.task_ids.mapped("state")), ["1_canceled", "1_canceled", "1_done"]
        )

    def test_template_of_the_cause(self):
        self.assertEqual(self.claim._get_investigation_template().method, "plain")
        self.claim.severity = "3"
        self.assertEqual(self.claim._get_investigation_template().method, "8d")
        self.cause.template_id = self.template
        self.claim.cause_id = self.env["crm.claim.cause"].create(
            {"name": "Detail", "parent_id": self.cause.id}
        )
        self.assertEqual(self.claim._get_investigation_template(), self.template)
        action = self.claim.with_user(self.user_own).action_plan_investigation()
        investigation = self.env["crm.claim.investigation"].browse(action["res_id"])
        self.assertEqual(investigation.template_id, self.template)
        again = self.claim.with_user(self.user_own).action_plan_investigation()
        self.assertEqual(again["res_id"], action["res_id"], "the open one is shown again")

    def test_steps_in_a_circle(self):
        facts, __, prove = self.template.step_ids
        with self.assertRaises(ValidationError):
            facts.depend_on_ids = prove

    def test_copy_of_a_template(self):
        copy = self.template.copy()
        facts, ask, prove = copy.step_ids
        self.assertEqual(prove.depend_on_ids, facts | ask)
        self.assertEqual(copy.total_days, 6)

    def test_shipped_plans(self):
        plain = self.env.ref("crm_claims.investigation_template_plain")
        eight = self.env.ref("crm_claims.investigation_template_8d")
        self.assertEqual((plain.step_count, plain.total_days), (4, 6))
        self.assertEqual(eight.step_ids.mapped("code"), [f"D{number}" for number in range(9)])
        self.assertEqual(eight.total_days, 21)

    def test_one_investigation_for_many_claims(self):
        other = self._create_claim(user_id=self.user_all.id)
        other._move_to("acknowledged")
        investigation = self._investigate(self.claim | other)
        investigation.action_start()
        self.assertEqual(other.state, "investigating")
        self.assertEqual(other.investigation_ids, investigation)
