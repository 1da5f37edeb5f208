from odoo import fields, models


class CrmClaimAnswer(models.TransientModel):
    """A claims administrator records what the customer answered outside the portal, and why
    he knows; the claim checks who he is."""

    _name = "crm.claim.answer"
    _description = "Record the Client's Answer"

    claim_id = fields.Many2one("crm.claim", required=True, readonly=True, ondelete="cascade")
    answer = fields.Selection(
        [("accepted", "Accepted"), ("rejected", "Not Accepted")],
        required=True,
        default="accepted",
    )
    reason = fields.Text(
        required=True, help="How you know: a call, a letter, silence. Kept on the claim."
    )

    def action_record(self):
        self.ensure_one()
        self.claim_id.action_record_answer(self.answer, self.reason)
        return {"type": "ir.actions.act_window_close"}
