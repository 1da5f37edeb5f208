from odoo import fields, models


class CrmClaimTeam(models.Model):
    """What a team may grant without asking."""

    _inherit = "crm.claim.team"

    approval_limit = fields.Float(
        help="A decision that grants more in all, in the currency of the claim's company, is for "
        "the team leader or a claims administrator. 0: no limit.",
    )

    _approval_limit_positive = models.Constraint(
        "CHECK(COALESCE(approval_limit, 0) >= 0)", "The limit of a team cannot be negative."
    )


class CrmClaim(models.Model):
    """The limit that counts for a claim.

    - It is the strictest of its team and of the teams it was taken from: nobody moves a claim to
      a team that may grant more, decides on it and moves it back.
    - Only who may decide above the limit hands the claim over with the limit of the new team.
    """

    _inherit = "crm.claim"

    limit_team_id = fields.Many2one(
        "crm.claim.team",
        "Team of the Limit",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Earlier team of the claim, whose limit still counts.",
    )

    def _get_limit_team(self):
        """The team, as superuser, whose limit counts and whose leader may go beyond it."""
        self.ensure_one()
        claim_sudo = self.sudo()  # sudo: teams of others
        teams_sudo = claim_sudo.team_id | claim_sudo.limit_team_id
        limited_sudo = teams_sudo.filtered("approval_limit").sorted("approval_limit")
        return limited_sudo[:1] or claim_sudo.team_id

    def _keep_limit(self):
        """Before ``self`` gets another team: by whose limit it is decided from now on."""
        for claim in self:
            team_sudo = claim._get_limit_team()
            if not team_sudo.approval_limit or claim._is_approver(self.env.user):
                team_sudo = team_sudo.browse()
            if claim.sudo().limit_team_id != team_sudo:
                claim.sudo().limit_team_id = team_sudo  # sudo: controlled field

    def write(self, vals):
        if "company_id" in vals:
            self._keep_limit()
        elif "team_id" in vals:
            self.filtered(lambda claim: claim.team_id.id != vals["team_id"])._keep_limit()
        return super().write(vals)
