from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import float_is_zero


class _DeferredClaims(frozenset):
    """Ids of claims that check their guilt themselves; a client cannot send its kind."""


class CrmClaimFault(models.Model):
    """A part of the guilt for a claim: a department or an employee, a share and the reason.

    The shares of one claim add up to 100 % whichever way they are changed. An employee brings
    his department. Every change is kept in ``crm.claim.fault.log``, which accountants and the
    accused do not read; the chatter of the claim, which they may read, says nothing of guilt.
    Who is accused no longer follows the claim, unless he handles it or may see what is held
    against him.
    """

    _name = "crm.claim.fault"
    _description = "Guilt for a Claim"
    _order = "share desc, id"
    _check_company_auto = True

    claim_id = fields.Many2one("crm.claim", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="claim_id.company_id", store=True, index=True)
    employee_id = fields.Many2one("hr.employee", index="btree_not_null", check_company=True)
    accused_user_id = fields.Many2one(
        "res.users",
        "Accused User",
        related="employee_id.user_id",
        store=True,
        index="btree_not_null",
        help="Does not see the claim, unless employees may see claims against them.",
    )
    department_id = fields.Many2one(
        "hr.department",
        compute="_compute_department_id",
        store=True,
        readonly=False,
        precompute=True,
        index=True,
        check_company=True,
    )
    share = fields.Float("Share (%)", default=100.0, required=True, digits=(5, 2))
    reason = fields.Char(required=True)

    _share_range = models.Constraint(
        "CHECK(share > 0 AND share <= 100)", "A share of guilt lies above 0 and up to 100 %."
    )

    @api.depends("employee_id")
    def _compute_department_id(self):
        for fault in self:
            # sudo: which department an employee belongs to is not a secret
            department = fault.employee_id.sudo().department_id
            fault.department_id = department.sudo(False) or fault.department_id

    @api.depends("employee_id", "department_id", "share")
    def _compute_display_name(self):
        for fault in self:
            culprit = fault.employee_id.display_name or fault.department_id.display_name
            fault.display_name = f"{culprit or ''} {fault.share:g} %".strip()

    @api.constrains("employee_id", "department_id")
    def _check_culprit(self):
        for fault in self:
            if not fault.employee_id and not fault.department_id:
                raise ValidationError(
                    self.env._("Name the guilty department or employee in each line of guilt.")
                )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        faults = super().create(vals_list)
        # guilt that comes with its claim is that claim's: it checks it
        if self._get_deferred_claims() is None:
            faults.claim_id._after_fault_change()
        return faults

    def write(self, vals):
        claims = self.claim_id
        result = super().write(vals)
        (claims | self.claim_id)._after_fault_change()
        return result

    def unlink(self):
        claims = self.claim_id
        result = super().unlink()
        claims.exists()._after_fault_change()
        return result

    @api.model
    def _get_deferred_claims(self):
        """Ids of the claims that check their guilt later; ``None`` outside of such a change.

        Commands of one claim may name the guilt of another, which is checked at once.
        """
        deferred = self.env.context.get("crm_claim_fault_check")
        return deferred if isinstance(deferred, _DeferredClaims) else None

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    @api.model
    def _with_deferred_check(self, records, claims):
        """``records`` whose nested changes of the guilt of ``claims`` leave the check of the total
        to the caller."""
        return records.with_context(crm_claim_fault_check=_DeferredClaims(claims.ids))

    def _check_total_share(self):
        """Each claim of ``self`` has shares of exactly 100 % (to a hundredth)."""
        for claim in self.sudo().claim_id:
            total = sum(claim.fault_ids.mapped("share"))
            if claim.fault_ids and not float_is_zero(total - 100, precision_digits=2):
                raise ValidationError(
                    self.env._(
                        "Shares of guilt of claim %(claim)s add up to %(total)s %%; "
                        "they must add up to 100 %%.",
                        claim=claim.display_name,
                        total=f"{total:g}",
                    )
                )
