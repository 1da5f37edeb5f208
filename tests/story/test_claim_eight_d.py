"""A complaint by mail, investigated by 8D, decided above the limit of its team, closed."""

from odoo.fields import Command
from odoo.tests import tagged
from playwright.sync_api import expect

from .common import StoryCase, open_page

CLAIMS = "crm_claims.crm_claim_action"
INVESTIGATIONS = "crm_claims.crm_claim_investigation_action"
APPROVALS = "crm_claims.crm_claim_approval_action"
DEPARTMENT = "Story Assembly"
CAUSE = "Story wrong setting"

MAIL = """From: Cora Complaint <cora@story.example.com>
To: story-claims@claims.example.com
Subject: The drill stops
Message-Id: <story-8d@story.example.com>
Date: Mon, 2 Mar 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

It stops whenever I drill into concrete.
"""


@tagged("post_install", "-at_install")
class TestClaimEightD(StoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "crm_claims.crm_claims_group_"
        cls.handler = cls.create_user("story_handler", f"{groups}user_all")
        cls.leader = cls.create_user("story_leader", f"{groups}user_all")
        cls.manager = cls.create_user("story_quality", f"{groups}manager")
        cls.worker = cls.create_user("story_worker", "base.group_user")
        cls.department = cls.env["hr.department"].create({"name": DEPARTMENT})
        cls.department.manager_id = cls.env["hr.employee"].create(
            {
                "name": "Will Worker",
                "department_id": cls.department.id,
                "user_id": cls.worker.id,
            }
        )
        cls.cause = cls.env["crm.claim.cause"].create(
            {
                "name": CAUSE,
                "template_id": cls.env.ref("crm_claims.investigation_template_8d").id,
            }
        )
        cls.team = cls.env["crm.claim.team"].create(
            {
                "name": "Story Team",
                "user_id": cls.leader.id,
                "quality_user_id": cls.manager.id,
                "member_ids": [Command.set(cls.handler.ids)],
                "alias_name": "story-claims",
                "approval_limit": 50.0,
            }
        )

    def test_from_mail_to_closed_eight_d(self):
        claim = self._receive_mail()
        claim_id = claim.id
        self.assertEqual((claim.state, claim.channel), ("new", "email"))
        self.assertEqual(claim.user_id, self.handler)

        with self.browsing():
            handler = self.open_window("story_handler")
            self._start_investigation(handler, claim_id)
        investigation = claim.investigation_ids
        investigation_id = investigation.id
        self.assertEqual((claim.state, investigation.method), ("investigating", "8d"))
        self.assertEqual(len(investigation.task_ids), 9)
        containment = investigation.task_ids.filtered(lambda t: t.claim_step_id.code == "D3")
        self.assertEqual(containment.user_ids, self.worker, "the head of the guilty department")
        task_id = containment.id

        with self.browsing():
            worker = self.open_window("story_worker")
            self._do_a_step(worker, task_id, claim_id)
        self.assertEqual(containment.state, "1_done")
        self.assertIn("Forty drills blocked", containment.claim_result)

        with self.browsing():
            self._ask_why(handler, investigation_id)
        root = investigation.why_ids.filtered("is_root")
        self.assertEqual((root.name, root.share, root.kind), ("Wrong value set", 100, "occurrence"))
        self.assertEqual(root.parent_id.name, "Sensor trips early")
        self._finish_the_plan(investigation)

        with self.browsing():
            self._submit_conclusion(handler, investigation_id)
            quality = self.open_window("story_quality")
            self.open_record(quality, INVESTIGATIONS, investigation_id)
            quality.click("button[name=action_done]:has-text('Approve Conclusion')")
            expect(quality.locator(".o_arrow_button_current:has-text('Done')")).to_be_visible()
        self.assertEqual(investigation.state, "done")
        self.assertEqual(investigation.approved_by_id, self.manager)
        self.assertFalse(
            [gap for gap in investigation._get_eight_d_gaps() if "effect" not in gap],
            "only the effect of the measures is still to be checked",
        )

        with self.browsing():
            self._ask_for_approval(handler, claim_id)
        approval = claim.approval_ids
        approval_id = approval.id
        self.assertEqual((claim.state, approval.state), ("investigating", "requested"))

        with self.browsing():
            leader = self.open_window("story_leader")
            self.open_record(leader, APPROVALS, approval_id)
            self.press(leader, "action_approve")
            expect(leader.locator(".o_arrow_button_current:has-text('Approved')")).to_be_visible()
        self.assertEqual((claim.state, claim.amount_granted), ("decided", 80))
        self.assertEqual(claim.remedy_ids.mapped("state"), ["granted"])

        with self.browsing():
            self._record_answer(quality, claim_id)
        self.assertEqual((claim.state, claim.customer_answer), ("closed", "accepted"))
        self.assertEqual(
            [gap for gap in claim._get_dossier_gaps() if "Granted" in gap],
            ["Granted, but not carried out: Discount on Next Order"],
        )

        with self.browsing():
            open_page(quality, "/odoo/claims-dashboard", "[data-chart=trend] canvas")
            quality.click("[data-key=answer]")
            expect(quality.locator(".o_list_view")).to_be_visible()
        self.assertFalse(self.page_errors)

    def _receive_mail(self):
        self.env["mail.alias.domain"].search([], limit=1) or self.env["mail.alias.domain"].create(
            {"name": "claims.example.com"}
        )
        alias = self.team.alias_id
        mail = MAIL.replace(
            "story-claims@claims.example.com", alias.alias_full_name or "story-claims"
        )
        claim_id = self.env["mail.thread"].message_process("crm.claim", mail)
        claim = self.env["crm.claim"].browse(claim_id)
        claim.team_id = self.team
        claim.user_id = self.handler
        return claim

    def _start_investigation(self, page, claim_id):
        self.open_record(page, CLAIMS, claim_id)
        self.press(page, "action_acknowledge")
        page.click(".o_notebook [name=guilt]")
        self.choose(page, "cause_id", CAUSE)
        page.click("[name=fault_ids] .o_field_x2many_list_row_add a")
        self.choose(page, "department_id", DEPARTMENT, within="[name=fault_ids]")
        page.fill("[name=fault_ids] [name=share] input", "100")
        page.fill("[name=fault_ids] [name=reason] input", "Set up wrongly")
        self.save(page)
        self.press(page, "action_plan_investigation")
        self.press(page, "action_start")
        expect(page.locator("[name=task_ids] .o_data_row").first).to_be_visible()

    def _do_a_step(self, page, task_id, claim_id):
        """The head of the department reports on his step; the claim is not his to read."""
        open_page(page, f"/odoo/my-tasks/{task_id}", ".o_form_view")
        page.click(".o_notebook_headers [name=claim_result]")
        self.write_html(page, "claim_result", "Forty drills blocked")
        page.click(".o_field_widget[name=state] button")
        page.click(".dropdown-item:has-text('Done')")
        self.save(page)
        answer = page.evaluate(
            """id => fetch("/web/dataset/call_kw/crm.claim/read", {
                method: "POST",
                headers: {"Content-Type": "application/json"},
                body: JSON.stringify({jsonrpc: "2.0", method: "call", params: {
                    model: "crm.claim", method: "read", args: [[id], ["subject"]], kwargs: {},
                }}),
            }).then(response => response.json())""",
            claim_id,
        )
        self.assertIn("error", answer)

    def _ask_why(self, page, investigation_id):
        self.open_record(page, INVESTIGATIONS, investigation_id)
        page.click(".o_notebook_headers [name=why]")
        tree = page.locator(".o_crm_why_tree [data-kind=occurrence]")
        tree.locator(".o_crm_why_add").click()
        self._answer(tree, "Sensor trips early")
        tree.locator(".o_crm_why_ask").first.click()
        self._answer(tree, "Wrong value set")
        tree.locator(".o_crm_why_mark").last.click()
        expect(tree.locator(".o_crm_why_share")).to_have_value("100")

    def _answer(self, tree, text):
        field = tree.locator("input[aria-label=Because]")
        field.fill(text)
        field.press("Enter")
        expect(tree.locator(f".o_crm_why_text:has-text('{text}')")).to_be_visible()

    def _finish_the_plan(self, investigation):
        """What the others contribute, by the same doors as their screens."""
        lead = investigation.with_user(self.handler)
        lead.write(
            {
                "root_cause_escape": "<p>No load test</p>",
                "conclusion": "<p>Our fault</p>",
                "preventive_measures": "<p>Load test for all</p>",
                "measure_ids": [
                    Command.create({"kind": "containment", "name": "Block", "check_days": 0}),
                    Command.create({"kind": "corrective", "name": "Reset the sensor"}),
                ],
            }
        )
        lead.measure_ids.action_done()
        investigation.task_ids.filtered(lambda task: not task.is_closed).state = "1_done"

    def _submit_conclusion(self, page, investigation_id):
        self.open_record(page, INVESTIGATIONS, investigation_id)
        self.press(page, "action_submit")
        expect(page.locator(".o_arrow_button_current:has-text('To Approve')")).to_be_visible()
        expect(page.locator("button[name=action_done]:visible")).to_have_count(0)

    def _ask_for_approval(self, page, claim_id):
        self.open_record(page, CLAIMS, claim_id)
        self.press(page, "action_decide")
        page.wait_for_selector(".modal [name=remedy_ids]")
        row = page.locator(".modal [name=remedy_ids] .o_data_row").first
        row.locator("[name=kind]").click()
        self._choose_kind(page)
        row.locator("[name=amount] input").fill("80")
        self.write_html(page, "decision_text", "You are right.", within=".modal")
        self.press(page, "action_request_approval", within=".modal")
        expect(page.locator(".modal")).to_have_count(0)
        expect(page.locator(".o_form_view")).to_contain_text("A decision waits for approval.")

    def _choose_kind(self, page):
        page.click(".modal [name=kind] input, .modal [name=kind] select")
        page.click(".o_select_menu_item:has-text('Discount on Next Order')")

    def _record_answer(self, page, claim_id):
        self.open_record(page, CLAIMS, claim_id)
        self.press(page, "action_answer_for_customer")
        page.fill(".modal [name=reason] textarea", "Accepted on the phone")
        self.press(page, "action_record", within=".modal")
        expect(page.locator(".modal")).to_have_count(0)
