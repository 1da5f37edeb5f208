from odoo import api, fields, models


class CrmClaimInvestigationTemplate(models.Model):
    """A reusable plan of an investigation: steps with roles, days and dependencies.

    Two are shipped: a plain one for everyday claims and 8D for those worth a team.
    """

    _name = "crm.claim.investigation.template"
    _description = "Investigation Template"
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    method = fields.Selection(
        [("plain", "Plain"), ("8d", "8D")],
        required=True,
        default="plain",
        help="8D adds containment, the escape point and preventive measures to the record.",
    )
    company_id = fields.Many2one("res.company", index=True)
    description = fields.Text(translate=True)
    step_ids = fields.One2many(
        "crm.claim.investigation.step", "template_id", string="Steps", copy=True
    )
    approval_required = fields.Boolean(
        "Conclusion Needs Approval", default=True, help="By another person than the lead."
    )
    step_count = fields.Integer(compute="_compute_plan")
    total_days = fields.Integer(
        "Working Days", compute="_compute_plan", help="From the start to the end of the last step."
    )
    active = fields.Boolean(default=True)

    @api.depends("step_ids.offset_days", "step_ids.duration_days", "step_ids.depend_on_ids")
    def _compute_plan(self):
        for template in self:
            template.step_count = len(template.step_ids)
            try:
                plan = template.step_ids._get_schedule()
            except ValueError:
                plan = {}
            template.total_days = max((end for __, end in plan.values()), default=0)

    def copy(self, default=None):
        """Dependencies of the copied steps point at the copied steps, not at the originals."""
        copies = super().copy(default)
        for original, duplicate in zip(self, copies, strict=True):
            mapping = dict(zip(original.step_ids, duplicate.step_ids, strict=True))
            for step, new_step in mapping.items():
                new_step.depend_on_ids = self.env["crm.claim.investigation.step"].union(
                    *(mapping[needed] for needed in step.depend_on_ids if needed in mapping)
                )
        return copies
