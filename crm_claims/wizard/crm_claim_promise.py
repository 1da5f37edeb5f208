from odoo import api, fields, models


class CrmClaimPromise(models.TransientModel):
    """A new promised date with its reason; the claim tells the client."""

    _name = "crm.claim.promise"
    _description = "Move the Promised Date"

    claim_id = fields.Many2one("crm.claim", required=True, readonly=True, ondelete="cascade")
    date_promised = fields.Date("New Date", required=True)
    reason = fields.Text(required=True, help="The client reads this.")

    @api.constrains("claim_id")
    def _check_claim_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        # constraints run as superuser
        self.sudo(False).claim_id.check_access("write")

    def action_move(self):
        self.ensure_one()
        self.claim_id.write({"date_promised": self.date_promised, "promise_reason": self.reason})
        return {"type": "ir.actions.act_window_close"}
