from odoo import fields, models


class CrmClaimApprovalRefuse(models.TransientModel):
    """Why a decision is not approved; the approval checks who says so."""

    _name = "crm.claim.approval.refuse"
    _description = "Refuse a Claim Decision"

    approval_id = fields.Many2one(
        "crm.claim.approval", required=True, readonly=True, ondelete="cascade"
    )
    reason = fields.Text(required=True)

    def action_refuse(self):
        self.ensure_one()
        self.approval_id._refuse(self.reason)
        return {"type": "ir.actions.act_window_close"}
