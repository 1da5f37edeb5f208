from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim_stage import CLAIM_STATES, OPEN_STATES


class CrmClaim(models.Model):
    """Who handles a claim, and how far it is.

    - The team comes from the category, else it is the first one that serves the company.
    - A new claim gets its responsible by the rule of its team, unless one is named.
    - A stage has a state, which tells what the stage means (``crm_claim_workflow.py``).
    """

    _inherit = "crm.claim"

    team_id = fields.Many2one(
        "crm.claim.team",
        compute="_compute_team_id",
        store=True,
        readonly=False,
        precompute=True,
        index=True,
        tracking=True,
        check_company=True,
    )
    user_id = fields.Many2one(
        "res.users",
        "Responsible",
        index=True,
        tracking=True,
        check_company=True,
        domain="[('share', '=', False)]",
    )
    stage_id = fields.Many2one(
        "crm.claim.stage",
        index=True,
        tracking=True,
        copy=False,
        ondelete="restrict",
        group_expand="_read_group_stage_ids",
        domain="['|', ('team_ids', '=', False), ('team_ids', 'in', team_id)]",
        default=lambda self: self._get_stage_of_state("new"),
    )
    state = fields.Selection(CLAIM_STATES, compute="_compute_state", store=True, index=True)
    is_open = fields.Boolean("Open", compute="_compute_state", store=True)

    @api.depends("company_id", "category_id")
    def _compute_team_id(self):
        teams = self.env["crm.claim.team"]
        defaults = {}
        for claim in self:
            if claim.team_id and claim.team_id.company_id in (
                claim.company_id,
                self.env["res.company"],
            ):
                continue
            wanted = claim.category_id.team_id
            if wanted.company_id and wanted.company_id != claim.company_id:
                wanted = teams
            company = claim.company_id
            if not wanted and company not in defaults:
                defaults[company] = teams._get_default_team(company)
            claim.team_id = wanted or defaults[company]

    @api.depends("stage_id")
    def _compute_state(self):
        for claim in self:
            claim.state = claim.stage_id.state or "new"
            claim.is_open = claim.state in OPEN_STATES

    @api.model
    def _read_group_stage_ids(self, stages, domain):
        return stages.search([])

    def _assign_responsible(self, claims):
        """Give unassigned ``claims`` their responsible by the rule of their team."""
        for (team, company), group in (
            claims.filtered(lambda c: c.is_open and c.team_id and not c.user_id)
            .grouped(lambda claim: (claim.team_id, claim.company_id))
            .items()
        ):
            for claim, user in zip(group, team._get_assignees(len(group), company), strict=True):
                if user:
                    claim.user_id = user
        claims._hand_over_at_once()
