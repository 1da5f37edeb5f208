from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimStrategies(ClaimCommon):
    """What is done about claims that end badly."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.env.ref("crm_claims.crm_strategy_claim_closed_badly")
        cls.rule.domain = f"[('company_id', '=', {cls.company.id})]"

    def _close(self, **values):
        """A claim as it is in the end; the way there is tested elsewhere."""
        claim = self._create_claim(user_id=self.user_own.id)
        self._decide(claim, values.pop("decision", "satisfied"))
        stage = claim._get_stage_of_state("closed")
        self.env.flush_all()
        values |= {"stage_id": stage.id, "state": "closed", "date_closed": fields.Datetime.now()}
        for name, value in values.items():
            self.env.cr.execute(  # pylint: disable=sql-injection
                f"UPDATE crm_claim SET {name} = %s WHERE id = %s", [value, claim.id]
            )
        claim.invalidate_recordset()
        return claim

    def _find(self):
        return self.env["crm.claim"].concat(
            *(record for record, __ in self.rule._get_occurrences(fields.Datetime.now()))
        )

    def test_confidential_claims_are_left_alone(self):
        claim = self._close(decision="rejected")
        self.assertEqual(self._find(), claim)
        claim.confidential = True
        self.env.flush_all()
        self.assertFalse(self._find(), "the log, the task and the interaction would tell of it")

    def test_whom_it_concerns(self):
        good = self._close()
        rejected = self._close(decision="rejected")
        unhappy = self._close(customer_answer="rejected")
        rated = self._close()
        for claim, value in ((rated, 1), (good, 5)):
            self.env["rating.rating"].create(
                {
                    "res_model_id": self.env["ir.model"]._get_id("crm.claim"),
                    "res_id": claim.id,
                    "rating": value,
                    "consumed": True,
                    "partner_id": self.contact.id,
                }
            )
        self.assertEqual(self._find().sudo(False), (rejected | unhappy | rated))

    def test_task(self):
        project = self.env["project.project"].create(
            {"name": "Win back", "company_id": self.company.id}
        )
        with self.assertRaisesRegex(ValidationError, "“Project” is missing"):
            self.rule.action_ids = [Command.create({"kind": "task"})]
        self.rule.action_ids = [
            Command.create({"kind": "task", "project_id": project.id, "summary": "Win back"})
        ]
        self.rule.start = "all"
        claim = self._close(decision="rejected")
        self.rule.action_switch_on()
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: 60.0
        ):
            self.env["crm.strategy"]._cron_strategies()
            self.env["crm.strategy"]._cron_strategies()
        self.assertEqual(self.rule.run_ids.state, "done", self.rule.run_ids.result)
        self.assertEqual(project.task_ids.name, "Win back")
        self.assertEqual(project.task_ids.user_ids, self.user_own)
        self.assertIn(claim.display_name, project.task_ids.description)

    def test_acts_soon_after_the_event(self):
        """Odoo's automation rules wake the job when a claim is closed, or rated badly."""
        cron = self.env.ref("crm_extended.ir_cron_crm_strategy")
        Trigger = self.env["ir.cron.trigger"]
        self.rule.action_switch_on()

        def count(method):
            self.env.flush_all()
            self.env.cr.precommit.data.pop("crm_strategy_woken", None)
            before = Trigger.search([("cron_id", "=", cron.id)])
            method()
            self.env.flush_all()
            return len(Trigger.search([("cron_id", "=", cron.id)]) - before)

        claim = self._create_claim(user_id=self.user_own.id)
        self.assertEqual(count(lambda: self._decide(claim, "rejected")), 0)
        self.env.cr.execute(
            "UPDATE crm_claim SET customer_answer = 'accepted' WHERE id = %s", [claim.id]
        )
        claim.invalidate_recordset()
        stage = claim._get_stage_of_state("closed")
        self.assertEqual(count(lambda: claim.sudo().write({"stage_id": stage.id})), 1)
        rating = self.env["rating.rating"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("crm.claim"),
                "res_id": claim.id,
                "partner_id": self.contact.id,
            }
        )
        self.assertEqual(count(lambda: rating.write({"rating": 5, "consumed": True})), 0)
        self.assertEqual(count(lambda: rating.write({"rating": 1})), 1)
