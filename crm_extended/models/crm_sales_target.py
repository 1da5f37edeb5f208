from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmSalesTarget(models.Model):
    """What is planned for a person, a team or the company in a month, by any metric.

    - One target for each metric, month and bearer. Without a person and a team it is the
      company's.
    - A team without a target of its own is expected to reach the sum of its members' targets,
      the company that of its teams and of people without a team. Averages and shares are not
      added up: they count for the bearer they were set for.
    - Money is in the currency of the target's company.
    - The head of a team sets the targets of his team and its people, sales administrators set
      all; everybody reads his own and those of his team.
    """

    _name = "crm.sales.target"
    _description = "Sales Target"
    _order = "month desc, metric_id, team_id, user_id, id"
    _rec_name = "month"
    _check_company_auto = True

    metric_id = fields.Many2one(
        "crm.metric",
        required=True,
        index=True,
        ondelete="restrict",
        domain=[("kind", "!=", "plan")],
    )
    month = fields.Date(
        required=True,
        default=lambda self: fields.Date.context_today(self).replace(day=1),
        help="Any day of the month; kept as its first day.",
    )
    user_id = fields.Many2one(
        "res.users", string="Person", index="btree_not_null", domain=[("share", "=", False)]
    )
    team_id = fields.Many2one(
        "crm.team", string="Team", index="btree_not_null", check_company=True, ondelete="cascade"
    )
    scope = fields.Selection(
        [("person", "Person"), ("team", "Team"), ("company", "Company")],
        string="For",
        compute="_compute_scope",
        store=True,
    )
    value = fields.Float(string="Target", required=True, digits=(16, 2))
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )

    _bearer_uniq = models.UniqueIndex(
        "(metric_id, company_id, month, COALESCE(user_id, 0), COALESCE(team_id, 0))",
        "There is a target for this metric, month and bearer already.",
    )
    _one_bearer = models.Constraint(
        "CHECK (user_id IS NULL OR team_id IS NULL)",
        "A target is for a person or for a team, not for both.",
    )
    _first_day = models.Constraint(
        "CHECK (EXTRACT(DAY FROM month) = 1)", "A target is for a whole month."
    )
    _not_negative = models.Constraint("CHECK (value >= 0)", "A target cannot be negative.")

    @api.depends("user_id", "team_id")
    def _compute_scope(self):
        for target in self:
            target.scope = "person" if target.user_id else "team" if target.team_id else "company"

    @api.depends("metric_id", "month", "user_id", "team_id")
    def _compute_display_name(self):
        for target in self:
            bearer = target.user_id.name or target.team_id.name or target.company_id.name or ""
            month = fields.Date.to_string(target.month)[:7] if target.month else ""
            target.display_name = f"{target.metric_id.name or ''}: {bearer}, {month}"

    @api.constrains("metric_id")
    def _check_metric(self):
        for target in self:
            if target.metric_id.kind == "plan":
                raise ValidationError(
                    self.env._("Set the target for the metric itself, not for how it is reached.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._normalise_month(vals) for vals in vals_list])

    def write(self, vals):
        res = super().write(self._normalise_month(vals))
        if not {"user_id", "team_id", "company_id"}.isdisjoint(vals):
            self.check_access("write")  # nobody gives a target to whom he does not lead
        return res

    @api.model
    def _normalise_month(self, vals):
        if not vals.get("month"):
            return vals
        return {**vals, "month": fields.Date.to_date(vals["month"]).replace(day=1)}
