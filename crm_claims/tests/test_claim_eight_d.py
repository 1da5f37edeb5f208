from datetime import date, datetime

from freezegun import freeze_time
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimEightD(ClaimCommon):
    """Whys, measures, approval of the conclusion, and a plan that moves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.resource_calendar_id.tz = "UTC"
        cls.claim = cls._create_claim(user_id=cls.user_own.id)
        cls.claim._move_to("acknowledged")
        cls.investigation = cls.env["crm.claim.investigation"].create(
            {
                "name": "Drills",
                "company_id": cls.company.id,
                "template_id": cls.env.ref("crm_claims.investigation_template_8d").id,
                "team_id": cls.team.id,
                "user_id": cls.user_own.id,
                "claim_ids": [Command.set(cls.claim.ids)],
                "date_start": date(2026, 3, 5),  # a Thursday
                "cause_id": cls.cause.id,
            }
        )
        cls.investigation.action_start()
        cls.lead = cls.investigation.with_user(cls.user_own)

    def _task(self, code):
        return self.investigation.task_ids.filtered(lambda t: t.claim_step_id.code == code)

    def _run(self, cron):
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def _why(self, name, parent=None, **values):
        return (
            self.env["crm.claim.why"]
            .with_user(self.user_own)
            .create(
                {
                    "investigation_id": self.investigation.id,
                    "name": name,
                    "parent_id": parent and parent.id,
                    **values,
                }
            )
        )

    def _measure(self, **values):
        return (
            self.env["crm.claim.measure"]
            .with_user(self.user_own)
            .create({"investigation_id": self.investigation.id, "name": "Do it", **values})
        )

    def _complete(self):
        self.lead.write({"conclusion": "<p>Done</p>"})
        self._why("Wrong limit", is_root=True, share=100)
        self._why("No test", kind="escape", is_root=True, share=100)
        for kind in ("containment", "corrective"):
            self._measure(kind=kind, name=kind)
        self.investigation.task_ids.state = "1_done"

    # ------------------------------------------------------------------
    # Whys
    # ------------------------------------------------------------------

    def test_tree(self):
        top = self._why("It stops", kind="escape")
        deeper = self._why("Too hot", top)
        self._why("No fan", deeper, is_root=True, share=60)
        self._why("Dust", deeper, is_root=True, share=40)
        self.assertEqual(deeper.kind, "escape")
        occurrence, escape = self.lead.get_why_trees()
        self.assertEqual((occurrence["nodes"], escape["share"]), ([], 100))
        [node] = escape["nodes"]
        self.assertEqual(node["name"], "It stops")
        [node] = node["children"]
        self.assertEqual([child["name"] for child in node["children"]], ["No fan", "Dust"])
        with self.assertRefused(Exception, "itself"):
            top.parent_id = deeper
        with self.assertRaises(AccessError):
            self.investigation.with_user(self.user_employee).get_why_trees()

    def test_shares_of_root_causes(self):
        self._complete()
        self._why("Another", is_root=True, share=20)
        with self.assertRefused(UserError, "add up to 120 %"):
            self.lead.action_submit()
        self.investigation.why_ids.filtered(lambda w: w.name == "Wrong limit").share = 80
        self.lead.action_submit()

    # ------------------------------------------------------------------
    # Conclusion
    # ------------------------------------------------------------------

    def test_what_an_8d_needs(self):
        with self.assertRefused(
            UserError, "Root Cause, Conclusion, Containment, Escape Point, Corrective Measures"
        ):
            self.lead.action_submit()

    def test_approval_by_another_person(self):
        self._complete()
        with self.assertRefused(UserError, "needs approval"):
            self.lead.action_done()
        with self.assertRefused(UserError, "needs approval"):
            self.lead.write({"state": "done"})
        self.lead.action_submit()
        self.assertEqual(self.investigation.activity_ids.user_id, self.user_manager)
        for method in (self.lead.action_done, lambda: self.lead.write({"state": "done"})):
            with self.assertRefused(AccessError, "Another person than the lead"):
                method()
        # handing the lead over does not let him approve what he has asked for himself
        self.lead.user_id = self.user_all
        with self.assertRefused(AccessError, "Another person"):
            self.lead.action_done()
        self.investigation.user_id = self.user_own
        with self.assertRefused(AccessError, "recorded by the buttons"):
            self.lead.submitted_by_id = self.user_all
        self.investigation.with_user(self.user_all).action_send_back()
        self.assertEqual(self.investigation.state, "running")
        self.lead.action_submit()
        self.investigation.with_user(self.user_manager).action_done()
        self.assertEqual(self.investigation.approved_by_id, self.user_manager)
        self.assertEqual((self.investigation.state, self.claim.cause_id), ("done", self.cause))
        for change in (
            lambda: self._why("Too late"),
            lambda: self.investigation.why_ids[0].write({"name": "x"}),
            lambda: self._measure(),
        ):
            with self.assertRefused(UserError, "is finished"):
                change()

    # ------------------------------------------------------------------
    # Measures
    # ------------------------------------------------------------------

    def test_a_measure_is_a_task_of_anybody(self):
        self.claim.confidential = True
        measure = self._measure(user_id=self.user_employee.id, date_deadline="2026-03-20")
        task = measure.sudo().task_id
        self.assertEqual(
            (task.user_ids, task.project_id), (self.user_employee, self.team.project_id)
        )
        self.assertEqual(task.date_deadline.date(), date(2026, 3, 20))
        task.with_user(self.user_employee).write({"state": "1_done"})
        self.assertEqual(measure.state, "done")
        task.with_user(self.user_employee).write({"state": "01_in_progress"})
        self.assertEqual((measure.state, measure.date_done), ("planned", False))
        with self.assertRaises(AccessError):
            measure.with_user(self.user_employee).read(["name"])
        with self.assertRefused(AccessError, "by its buttons only"):
            measure.write({"state": "effective"})
        measure.action_done()
        self.assertEqual(task.state, "1_done")

    def test_check_of_the_effect(self):
        with freeze_time("2026-03-10 12:00:00"):
            measure = self._measure(check_days=30, checker_id=self.user_all.id)
            measure.action_done()
        self.assertEqual(measure.date_check, date(2026, 4, 9))
        cron = self.env.ref("crm_claims.ir_cron_crm_claim_measure_effects")
        with freeze_time("2026-04-08 12:00:00"):
            self._run(cron)
        self.assertFalse(measure.activity_ids)
        with freeze_time("2026-04-09 12:00:00"):
            self._run(cron)
            self._run(cron)
        self.assertEqual(measure.activity_ids.user_id, self.user_all, "asked once")
        self._create_claim(cause_id=self.cause.id, date_registered="2026-04-01 10:00:00")
        self._create_claim(cause_id=self.cause.id, date_registered="2026-03-01 10:00:00")
        measure.invalidate_recordset()
        self.assertEqual(measure.recurrence_count, 1)
        with self.assertRefused(UserError, "write what the check found"):
            measure.with_user(self.user_all).action_ineffective()
        measure.check_note = "Came again"
        measure.with_user(self.user_all).action_ineffective()
        self.assertFalse(measure.activity_ids)
        self.assertIn("Without effect", self.investigation.activity_ids.sorted("id")[-1].summary)
        measure.with_user(self.user_all).action_effective()
        self.assertEqual(measure.state, "effective")

    # ------------------------------------------------------------------
    # The plan moves
    # ------------------------------------------------------------------

    def test_a_late_step_pushes_what_depends_on_it(self):
        before = {task: task.date_deadline for task in self.investigation.task_ids}
        self.assertEqual(self._task("D4").claim_date_start, date(2026, 3, 11))
        self._task("D3").with_user(self._task("D3").user_ids[0]).sudo().write(
            {"date_deadline": datetime(2026, 3, 13, 18)}
        )
        self.assertEqual(self._task("D4").claim_date_start, date(2026, 3, 16), "after a weekend")
        self.assertEqual(self._task("D4").date_deadline.date(), date(2026, 3, 20), "still 5 days")
        self.assertEqual(self._task("D5").claim_date_start, date(2026, 3, 23))
        self.assertGreater(self._task("D8").date_deadline, before[self._task("D8")])
        self.assertEqual(self._task("D1").date_deadline, before[self._task("D1")])

    def test_a_new_start_moves_open_steps(self):
        with freeze_time("2026-03-05 12:00:00"):
            first = self._task("D0")
            first.state = "1_done"
            kept = first.date_deadline
            self.lead.date_start = date(2026, 3, 12)
        self.assertEqual(first.date_deadline, kept)
        self.assertEqual(self._task("D1").claim_date_start, date(2026, 3, 12))
        self.assertEqual(self._task("D2").claim_date_start, date(2026, 3, 13))
        self.assertEqual(self.investigation.date_deadline, self._task("D8").date_deadline.date())

    def test_late_steps_are_reported_once(self):
        late = self._task("D0") | self._task("D1")
        with freeze_time("2026-03-06 19:00:00"):
            cron = self.env.ref("crm_claims.ir_cron_crm_claim_investigation_late")
            self._run(cron)
            self._run(cron)
        activity = self.investigation.activity_ids
        self.assertEqual(len(activity), 1)
        self.assertIn("D0", activity.summary)
        self.assertEqual(activity.user_id, self.user_own)
        self.assertTrue(all(late.mapped("claim_escalated")))
        note = self.env["mail.message"].search(
            [("model", "=", "crm.claim.investigation"), ("res_id", "=", self.investigation.id)]
        )
        self.assertIn(self.user_all.partner_id, note.notified_partner_ids, "the team's leader")
        with freeze_time("2026-03-07 10:00:00"):
            self._task("D1").date_deadline = datetime(2026, 3, 12, 18)
        self.assertFalse(self._task("D1").claim_escalated)

    # ------------------------------------------------------------------
    # Secrecy
    # ------------------------------------------------------------------

    def test_project_administrators_and_secrets(self):
        boss = self._new_user("claims_project", "project.group_project_manager")
        tasks = self.env["project.task"].with_user(boss)
        domain = [("claim_investigation_id", "=", self.investigation.id)]
        self.assertEqual(len(tasks.search(domain)), 9)
        self.claim.confidential = True
        self.assertFalse(tasks.search(domain))
        with self.assertRaises(AccessError):
            self._task("D4").with_user(boss).read(["name"])
        self._task("D4").user_ids = boss
        self.assertEqual(tasks.search(domain), self._task("D4"))

    def test_titles_lose_the_subject_of_a_claim_that_becomes_confidential(self):
        claim = self._create_claim(user_id=self.user_own.id, subject="Theft by X")
        claim._move_to("acknowledged")
        action = claim.action_plan_investigation()
        investigation = self.env["crm.claim.investigation"].browse(action["res_id"])
        investigation.action_start()
        self.assertIn("Theft", investigation.task_ids[0].name)
        claim.confidential = True
        self.assertEqual(investigation.name, claim.name)
        self.assertFalse(investigation.task_ids.filtered(lambda task: "Theft" in task.name))
