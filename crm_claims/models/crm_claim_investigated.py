from odoo import api, fields, models


class CrmClaim(models.Model):
    """The investigations that serve a claim, and how far they are."""

    _inherit = "crm.claim"

    investigation_ids = fields.Many2many(
        "crm.claim.investigation",
        "crm_claim_investigation_rel",
        "claim_id",
        "investigation_id",
        string="Investigations",
        copy=False,
        groups="crm_claims.crm_claims_group_user",
    )
    investigation_count = fields.Integer(
        compute="_compute_investigation_count", groups="crm_claims.crm_claims_group_user"
    )
    task_count = fields.Integer(
        compute="_compute_investigation_count", groups="crm_claims.crm_claims_group_user"
    )
    investigation_progress = fields.Float(
        compute="_compute_investigation_count", groups="crm_claims.crm_claims_group_user"
    )

    @api.depends("investigation_ids.task_ids.state")
    def _compute_investigation_count(self):
        for claim in self:
            # sudo: counters of a claim the user reads; the tasks keep their own access
            investigations_sudo = claim.sudo().investigation_ids
            claim.investigation_count = len(investigations_sudo)
            claim.task_count = sum(investigations_sudo.mapped("task_count"))
            done = sum(investigations_sudo.mapped("task_done_count"))
            claim.investigation_progress = 100 * done / claim.task_count if claim.task_count else 0
