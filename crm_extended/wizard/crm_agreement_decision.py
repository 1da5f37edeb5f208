from odoo import api, fields, models
from odoo.exceptions import UserError


class CrmAgreementDecision(models.TransientModel):
    """The approver reads what is asked for, on one page, comments and decides."""

    _name = "crm.agreement.decision"
    _description = "Decide on an Agreement"

    agreement_id = fields.Many2one("crm.agreement", required=True)
    partner_id = fields.Many2one(related="agreement_id.partner_id", related_sudo=False)
    user_id = fields.Many2one(related="agreement_id.user_id", related_sudo=False)
    requested_by_id = fields.Many2one(related="agreement_id.requested_by_id", related_sudo=False)
    date_start = fields.Date(related="agreement_id.date_start", related_sudo=False)
    date_end = fields.Date(related="agreement_id.date_end", related_sudo=False)
    difference_html = fields.Html(related="agreement_id.difference_html", related_sudo=False)
    change_html = fields.Html(related="agreement_id.change_html", related_sudo=False)
    comment = fields.Text(help="Kept with the agreement. Required when it is sent back.")

    @api.constrains("agreement_id")
    def _check_agreement_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        # constraints run as superuser
        self.sudo(False).agreement_id.check_access("write")

    def action_replay(self):
        """Look at the last twelve months under the proposed terms."""
        self.ensure_one()
        return self.agreement_id.action_replay()

    def action_approve(self):
        """Put the agreement in force."""
        self.ensure_one()
        self.agreement_id._approve(self.comment)
        return {"type": "ir.actions.act_window_close"}

    def action_return(self):
        """Send the agreement back for changes."""
        self.ensure_one()
        if not (self.comment or "").strip():
            raise UserError(self.env._("Say what has to change."))
        self.agreement_id._send_back(self.comment)
        return {"type": "ir.actions.act_window_close"}
