from odoo import api, fields, models
from odoo.fields import Domain


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
    fault_log_ids = fields.One2many(
        "crm.claim.fault.log",
        "claim_id",
        string="Changes of Guilt",
        groups="crm_claims.crm_claims_group_user",
    )
    is_against_me = fields.Boolean(
        "Against Me",
        compute="_compute_is_against_me",
        compute_sudo=True,
        search="_search_is_against_me",
        help="You are held guilty, alone or with others.",
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

    @api.depends("fault_ids.accused_user_id")
    @api.depends_context("uid")
    def _compute_is_against_me(self):
        for claim in self:
            claim.is_against_me = self.env.user in claim.fault_ids.accused_user_id

    @api.model
    def _search_is_against_me(self, operator, value):
        if operator != "in":
            return NotImplemented
        faults = (
            self.env["crm.claim.fault"].sudo()._search([("accused_user_id", "=", self.env.uid)])
        )
        # sudo: the record rules decide which of these claims are shown
        mine = Domain("id", "in", faults.subselect("claim_id"))
        return mine if True in value else ~mine

    @api.depends("fault_ids.share", "fault_ids.department_id")
    def _compute_department_id(self):
        for claim in self:
            shares = {}
            for fault in claim.fault_ids:
                if fault.department_id:
                    shares[fault.department_id] = shares.get(fault.department_id, 0) + fault.share
            claim.department_id = max(shares, key=shares.get) if shares else False

    def _defer_fault_check(self, claims):
        """Self whose nested changes of the guilt of ``claims`` are checked once, after the last."""
        return self.env["crm.claim.fault"]._with_deferred_check(self, claims)

    def _after_fault_change(self):
        """After guilt was changed: check the shares, log them, keep the accused out.

        Nested changes of one save leave this to the claim, which calls it once.
        """
        deferred = self.env["crm.claim.fault"]._get_deferred_claims() or ()
        # sudo: who may change a part of the guilt may not see all of it
        claims_sudo = self.filtered(lambda claim: claim.id not in deferred).sudo()
        claims_sudo.fault_ids._check_total_share()
        claims_sudo._log_faults()
        claims_sudo._unfollow_accused()

    def _log_faults(self):
        """Keep who is guilty by which share, and why, where only those who judge read it."""
        self.env["crm.claim.fault.log"].sudo().create(
            [
                {
                    "claim_id": claim.id,
                    "user_id": self.env.uid,
                    "guilt": "\n".join(
                        self.env._(
                            "%(culprit)s: %(reason)s",
                            culprit=fault.display_name,
                            reason=fault.reason,
                        )
                        for fault in claim.fault_ids.sorted(lambda fault: (-fault.share, fault.id))
                    ),
                }
                for claim in self
            ]
        )

    def _unfollow_accused(self):
        """The accused no longer follow the claim, unless they handle it or may see it."""
        for claim in self:
            accused = claim.fault_ids.accused_user_id - claim.user_id
            accused = accused.filtered(lambda user: not user._may_see_claims_against_him())
            claim.message_unsubscribe(accused.partner_id.ids)
