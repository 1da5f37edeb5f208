from odoo import api, fields, models
from odoo.fields import Command


class CrmClaimTeam(models.Model):
    """The people who handle claims of one kind, and how they share them.

    - *Assignment* decides who becomes responsible for a new claim: nobody, the leader, or the
      member with the fewest open claims.
    - *Promise* is the number of working days after registration in which the customer is
      promised a decision, whatever the deadline policies say; 0: as they say.
    - Mail sent to the team's alias registers a claim.
    - Investigation tasks live in the team's project, created when first needed.
    """

    _name = "crm.claim.team"
    _description = "Claim Team"
    _inherit = ["mail.alias.mixin", "mail.thread", "rating.parent.mixin"]
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    company_id = fields.Many2one("res.company", index=True)
    user_id = fields.Many2one("res.users", string="Team Leader", check_company=True)
    member_ids = fields.Many2many(
        "res.users",
        "crm_claim_team_member_rel",
        "team_id",
        "user_id",
        string="Members",
        domain="[('share', '=', False)]",
        check_company=True,
    )
    quality_user_id = fields.Many2one(
        "res.users",
        string="Quality Lead",
        check_company=True,
        help="Takes the investigation steps with the role Quality.",
    )
    assignment = fields.Selection(
        [("none", "Nobody"), ("leader", "Team leader"), ("balanced", "Member with fewest claims")],
        required=True,
        default="balanced",
        help="Who becomes responsible for a new claim of this team.",
    )
    promise_days = fields.Integer(
        "Days to Decide",
        help="Working days in which this team decides, whatever the deadline policies say; 0: as "
        "they say.",
    )
    project_id = fields.Many2one(
        "project.project",
        string="Investigation Project",
        check_company=True,
        index="btree_not_null",
        help="Project of the investigation tasks; created when the first plan starts.",
    )
    claim_ids = fields.One2many("crm.claim", "team_id", string="Claims")
    open_claim_count = fields.Integer(compute="_compute_claim_counts")
    unassigned_claim_count = fields.Integer(compute="_compute_claim_counts")
    overdue_claim_count = fields.Integer(compute="_compute_claim_counts")

    _promise_days_positive = models.Constraint(
        "CHECK(promise_days >= 0)", "Days to decide cannot be negative."
    )

    def _compute_claim_counts(self):
        claims = self.env["crm.claim"]
        domain = [("team_id", "in", self.ids), ("is_open", "=", True)]

        def count(extra):
            return dict(claims._read_group(domain + extra, ["team_id"], ["__count"]))

        total = count([])
        unassigned = count([("user_id", "=", False)])
        overdue = count([("date_promised", "<", fields.Date.context_today(self))])
        for team in self:
            team.open_claim_count = total.get(team, 0)
            team.unassigned_claim_count = unassigned.get(team, 0)
            team.overdue_claim_count = overdue.get(team, 0)

    def write(self, vals):
        result = super().write(vals)
        if "promise_days" in vals:
            self.env["crm.claim"]._mark_deadlines_stale([("team_id", "in", self.ids)])
        return result

    # ------------------------------------------------------------------
    # Mail alias
    # ------------------------------------------------------------------

    def _alias_get_creation_values(self):
        values = super()._alias_get_creation_values()
        values["alias_model_id"] = self.env["ir.model"]._get_id("crm.claim")
        if self.id:
            values["alias_defaults"] = {"team_id": self.id}
        return values

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    @api.model
    def _get_default_team(self, company):
        """First team that may serve ``company``; an own team wins over a shared one."""
        domain = [("company_id", "in", [company.id, False])]
        teams = self.sudo().search(domain)  # sudo: portal customers register claims, too
        own = teams.filtered("company_id")
        return (own or teams)[:1].sudo(False)

    def _get_assignees(self, count, company):
        """Users responsible for the next ``count`` claims, by the team's way of assignment.

        :return: list of ``count`` ``res.users`` records, each possibly empty
        """
        self.ensure_one()
        team_sudo = self.sudo()  # sudo: assignment must not depend on who registers
        nobody = self.env["res.users"]
        away = {
            user_id
            for (company_id, user_id) in self.env["crm.absence"]._get_cover()
            if company_id == company.id
        }
        if team_sudo.assignment == "leader":
            return [team_sudo.user_id] * count
        members = team_sudo.member_ids.filtered(
            lambda user: user.active and company in user.company_ids
        )
        # who is away gets nothing, unless all are: then it goes to a substitute
        members = members.filtered(lambda user: user.id not in away) or members
        if team_sudo.assignment == "none" or not members:
            return [nobody] * count
        groups = (
            self.env["crm.claim"]
            .sudo()
            ._read_group(
                [("user_id", "in", members.ids), ("is_open", "=", True)], ["user_id"], ["__count"]
            )
        )
        load = {member: 0 for member in members} | dict(groups)
        assignees = []
        for __ in range(count):
            member = min(members, key=lambda user: (load[user], user.id))
            load[member] += 1
            assignees.append(member)
        return assignees

    def _get_project(self):
        """The team's investigation project, created when there is none yet.

        Only followers see the project, and a follower of one task sees that task only, so that
        the plan of a confidential claim stays with those who work on it.
        """
        self.ensure_one()
        # sudo: handlers start plans but may not create projects
        team_sudo = self.sudo()
        if not team_sudo.project_id:
            team_sudo.project_id = team_sudo.env["project.project"].create(
                self._prepare_project_values()
            )
        return team_sudo.project_id

    def _prepare_project_values(self):
        stages = [
            (self.env._("To Do"), False),
            (self.env._("In Progress"), False),
            (self.env._("Done"), True),
        ]
        return {
            "name": self.env._("Investigations: %(team)s", team=self.name),
            "company_id": self.company_id.id,
            "privacy_visibility": "followers",
            "allow_task_dependencies": True,
            "user_id": self.user_id.id,
            "type_ids": [
                Command.create({"name": name, "sequence": index, "fold": fold})
                for index, (name, fold) in enumerate(stages)
            ],
        }

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_view_claims(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_claims.crm_claim_action")
        action["domain"] = [("team_id", "in", self.ids)]
        action["context"] = {"default_team_id": self[:1].id, "search_default_open": 1}
        return action
