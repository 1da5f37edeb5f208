from odoo import api, fields, models


class CrmClaim(models.Model):
    """Who is guilty: departments or employees whose shares add up to 100 %.

    The department with the largest share is the claim's main department.
    """

    _inherit = "crm.claim"

    fault_ids = fields.One2many(
        "crm.claim.fault",
        "claim_id",
        string="Guilt",
        groups="crm_claims.crm_claims_group_user",
    )
    department_id = fields.Many2one(
        "hr.department",
        "Guilty Department",
        compute="_compute_department_id",
        compute_sudo=True,
        store=True,
        index="btree_not_null",
        help="Department with the largest share of the guilt.",
    )

    @api.depends("fault_ids.share", "fault_ids.department_id")
    def _compute_department_id(self):
        for claim in self:
            shares = {}
            for fault in claim.fault_ids:
                if fault.department_id:
                    shares[fault.department_id] = shares.get(fault.department_id, 0) + fault.share
            claim.department_id = max(shares, key=shares.get) if shares else False

    def _defer_fault_check(self):
        """Self whose nested changes of guilt are checked once, after the last of them."""
        return self.env["crm.claim.fault"]._with_deferred_check(self)

    def _check_fault_shares(self):
        self.sudo().fault_ids._check_total_share()
