from odoo import fields, models


class CrmClaimFaultLog(models.Model):
    """What the guilt for a claim was after each change of it, and who changed it.

    Read by whoever reads the guilt itself: neither by accountants nor by the accused. Written by
    the change alone; nobody edits or deletes it.
    """

    _name = "crm.claim.fault.log"
    _description = "Change of Guilt"
    _order = "id desc"
    _log_access = True

    claim_id = fields.Many2one(
        "crm.claim", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="claim_id.company_id", store=True, index=True)
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one("res.users", "Changed By", readonly=True, index="btree_not_null")
    guilt = fields.Text(readonly=True, help="Who, by which share and why; empty: nobody.")
