from odoo import api, fields, models


class CrmClaimQuestion(models.TransientModel):
    """A question to the customer; the claim waits for the answer, and his answer brings it back."""

    _name = "crm.claim.question"
    _description = "Ask the Client"

    claim_id = fields.Many2one("crm.claim", required=True, readonly=True, ondelete="cascade")
    question = fields.Text(required=True, help="The client reads this.")
    waiting_until = fields.Date(
        "Answer Until", help="If the client has not answered by then, the responsible is told."
    )
    send_mail = fields.Boolean("Send by Email", default=True)

    @api.constrains("claim_id")
    def _check_claim_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        # constraints run as superuser
        self.sudo(False).claim_id.check_access("write")

    def action_ask(self):
        self.ensure_one()
        self.claim_id._move_to(
            "waiting_client",
            waiting_question=self.question,
            waiting_until=self.waiting_until,
        )
        if self.send_mail:
            self.claim_id._send_question()
        return {"type": "ir.actions.act_window_close"}
