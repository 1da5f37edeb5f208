from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    claim_line_id = fields.Many2one(
        "crm.claim.line", "Claimed Item", index="btree_not_null", copy=False, readonly=True
    )
