from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimDossier(ClaimCommon):
    """The printed record says what is there and what is missing."""

    def _print(self, xmlid, records, user=None):
        report = self.env["ir.actions.report"].with_user(user or self.user_own)
        html, __ = report._render_qweb_html(xmlid, records.ids)
        return html.decode()

    def test_gaps_close_one_by_one(self):
        claim = self._create_claim(user_id=self.user_own.id)
        gaps = claim._get_dossier_gaps()
        self.assertIn("The cause is not found.", gaps)
        self.assertIn("Receipt was not acknowledged to the client.", gaps)
        self.assertIn("No decision is announced.", gaps)
        claim.write(
            {
                "description": "<p>Broken</p>",
                "category_id": self.env["crm.claim.category"].search([], limit=1).id,
                "cause_id": self.cause.id,
                "fault_ids": [
                    Command.create(
                        {"department_id": self.warehouse.id, "share": 100, "reason": "x"}
                    )
                ],
            }
        )
        claim.action_acknowledge()
        claim.action_plan_investigation()
        claim._apply_decision(
            {"decision": "satisfied", "decision_text": "<p>Sorry</p>", "cause_id": self.cause.id},
            [{"kind": "other", "name": "Flowers"}],
            False,
        )
        gaps = claim._get_dossier_gaps()
        self.assertEqual(
            gaps,
            [
                f"Investigation {claim.investigation_ids.name} is not concluded.",
                "Granted, but not carried out: Other: Flowers",
                "The client has not answered the decision.",
                "The claim is not closed.",
            ],
        )
        text = self._print("crm_claims.report_claim_dossier", claim)
        for part in (claim.name, "Broken", "Sorry", "Flowers", "Test Warehouse", *gaps):
            self.assertIn(part, text)

    def test_who_prints(self):
        claim = self._create_claim(user_id=self.user_own.id, confidential=True)
        with self.assertRaises(AccessError):
            self._print("crm_claims.report_claim_dossier", claim, self.user_all)
        open_claim = self._create_claim(
            user_id=self.user_own.id,
            fault_ids=[
                Command.create({"employee_id": self.employee.id, "share": 100, "reason": "Asleep"})
            ],
        )
        self.assertIn("Asleep", self._print("crm_claims.report_claim_dossier", open_claim))
        with self.assertRaises(AccessError):
            self._print("crm_claims.report_claim_dossier", open_claim, self.user_employee)

    def test_eight_d(self):
        claim = self._create_claim(user_id=self.user_own.id, description="<p>It stops</p>")
        claim._move_to("acknowledged")
        investigation = self.env["crm.claim.investigation"].create(
            {
                "name": "Stops",
                "company_id": self.company.id,
                "team_id": self.team.id,
                "user_id": self.user_own.id,
                "claim_ids": [Command.set(claim.ids)],
                "template_id": self.env.ref("crm_claims.investigation_template_8d").id,
            }
        )
        investigation.action_start()
        top = self.env["crm.claim.why"].create(
            {"investigation_id": investigation.id, "name": "Too hot", "kind": "occurrence"}
        )
        self.env["crm.claim.why"].create(
            {
                "investigation_id": investigation.id,
                "parent_id": top.id,
                "name": "No fan",
                "is_root": True,
                "share": 100,
            }
        )
        measure = self.env["crm.claim.measure"].create(
            {"investigation_id": investigation.id, "name": "Add a fan"}
        )
        gaps = investigation._get_eight_d_gaps()
        self.assertIn("D6: not carried out yet: Add a fan", gaps)
        self.assertNotIn("D4: why it happened is not found.", gaps)
        self.assertIn("D4: why it was not noticed is not found.", gaps)
        measure.action_done()
        self.assertIn(
            "D6: the effect is not checked yet: Add a fan", investigation._get_eight_d_gaps()
        )
        text = self._print("crm_claims.report_investigation_eight_d", investigation)
        for part in ("Too hot", "No fan", "root cause, 100 %", "Add a fan", "It stops", *gaps[-2:]):
            self.assertIn(part, text)
