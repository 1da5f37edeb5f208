from odoo.tests import tagged, users

from .common_sale_process import SaleProcessCommon


@tagged("post_install", "-at_install")
class TestInteractionOutcomeProcess(SaleProcessCommon):
    """A deal whose client cannot be reached moves by the rules of its process, or not at all."""

    def _give_up(self, stage):
        outcome = self.env["crm.interaction.outcome"].create(
            {"name": "Silence", "final_action": "stage", "final_stage_id": stage.id}
        )
        lead = self.lead.with_user(self.user_sales)
        self.assertIs(lead.action_record_outcome(outcome.id), True)
        self.assertEqual(lead.interaction_ids.outcome_id, outcome)
        return self.lead.activity_ids

    def test_forward_refused(self):
        """The outcome is recorded; the salesperson reads what the process asks for."""
        warning = self._give_up(self.need)
        self.assertEqual(self.lead.stage_id, self.contact)
        self.assertEqual(warning.user_id, self.user_sales)
        self.assertIn("Need", warning.note)
        self.assertIn("Email", warning.note)

    def test_stage_outside_of_the_process(self):
        self.assertTrue(self._give_up(self.elsewhere))
        self.assertEqual(self.lead.stage_id, self.contact)

    def test_forward_allowed(self):
        self.lead.email_from = "mill@birch.example.com"
        self.assertFalse(self._give_up(self.need))
        self.assertEqual(self.lead.stage_id, self.need)

    def test_backwards_with_the_reason(self):
        self.lead.write({"email_from": "mill@birch.example.com", "stage_id": self.need.id})
        self.assertFalse(self._give_up(self.contact))
        self.assertEqual(self.lead.stage_id, self.contact)
        self.assertIn("Silence", "".join(self.lead.message_ids.mapped("body")))

    @users("proc_sales2")
    def test_by_a_colleague(self):
        """Whoever only calls does not move the deal of somebody else."""
        outcome = (
            self.env["crm.interaction.outcome"]
            .sudo()
            .create({"name": "Silence", "final_action": "stage", "final_stage_id": self.need.id})
        )
        self.lead.email_from = "mill@birch.example.com"
        call = (
            self.env["crm.interaction"]
            .sudo()
            .create(
                {
                    "subject": "Call",
                    "res_model": "crm.lead",
                    "res_id": self.lead.id,
                    "state": "planned",
                    "user_id": self.env.uid,
                }
            )
        )
        call.sudo(False).action_record_outcome(outcome.id)
        self.assertEqual(call.state, "done")
        self.assertEqual(self.lead.stage_id, self.contact)
        self.assertTrue(
            self.lead.activity_ids.filtered(lambda item: item.user_id == self.user_sales)
        )
