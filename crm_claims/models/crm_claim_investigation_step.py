from odoo import api, fields, models
from odoo.addons.crm_claims.tools.plan import schedule
from odoo.exceptions import ValidationError


class CrmClaimInvestigationStep(models.Model):
    """One step of an investigation template; it becomes a task of a started investigation."""

    _name = "crm.claim.investigation.step"
    _description = "Investigation Template Step"
    _order = "template_id, sequence, id"

    template_id = fields.Many2one(
        "crm.claim.investigation.template", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    code = fields.Char(help="Short mark in front of the task, such as D4.")
    name = fields.Char(required=True, translate=True)
    description = fields.Html(translate=True, help="What is to be done; goes into the task.")
    proof = fields.Char(
        "Expected Proof", translate=True, help="What the result must show: photo, report, count."
    )
    role = fields.Selection(
        [
            ("lead", "Investigation lead"),
            ("responsible", "Responsible for the claim"),
            ("department_head", "Head of a department"),
            ("quality", "Quality lead of the team"),
            ("team_leader", "Team leader"),
            ("user", "A certain user"),
        ],
        required=True,
        default="lead",
        help="Who gets the task. A head of department is that of the department given here, "
        "else of the guilty one. Nobody found: the investigation lead.",
    )
    department_id = fields.Many2one("hr.department")
    user_id = fields.Many2one("res.users", domain="[('share', '=', False)]")
    offset_days = fields.Integer(
        "Starts After", help="Working days after the start of the investigation."
    )
    duration_days = fields.Integer("Duration", default=1, help="Working days.")
    depend_on_ids = fields.Many2many(
        "crm.claim.investigation.step",
        "crm_claim_investigation_step_dependency_rel",
        "step_id",
        "depend_on_id",
        string="Depends On",
        copy=False,
        domain="[('template_id', '=', template_id), ('id', '!=', id)]",
    )

    _days_positive = models.Constraint(
        "CHECK(offset_days >= 0 AND duration_days >= 0)",
        "Offset and duration of a step cannot be negative.",
    )

    @api.depends("code", "name")
    def _compute_display_name(self):
        for step in self:
            step.display_name = f"{step.code} {step.name}" if step.code else step.name

    @api.constrains("depend_on_ids", "template_id")
    def _check_dependencies(self):
        if self._has_cycle("depend_on_ids"):
            raise ValidationError(self.env._("Steps cannot depend on each other in a circle."))
        for step in self:
            if step.depend_on_ids.template_id - step.template_id:
                raise ValidationError(
                    self.env._(
                        "Step %(step)s depends on a step of another template.", step=step.name
                    )
                )

    def _get_schedule(self):
        """Working days from the plan's start: dict step -> (start, end)."""
        return schedule(
            {
                step: (step.offset_days, step.duration_days, list(step.depend_on_ids))
                for step in self
            }
        )

    def _get_assignee(self, investigation):
        """User who gets the task of this step; the lead when the role is not filled."""
        self.ensure_one()
        claims_sudo = investigation.sudo().claim_ids
        team_sudo = investigation.sudo().team_id
        if self.role == "user":
            user = self.user_id
        elif self.role == "responsible":
            user = claims_sudo.user_id[:1]
        elif self.role == "quality":
            user = team_sudo.quality_user_id
        elif self.role == "team_leader":
            user = team_sudo.user_id
        elif self.role == "department_head":
            department = self.department_id or claims_sudo.department_id[:1]
            user = department.sudo().manager_id.user_id  # sudo: employees are HR's
        else:
            user = investigation.user_id
        return (user or investigation.user_id).sudo(False)
