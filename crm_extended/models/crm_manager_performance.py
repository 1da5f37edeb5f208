from odoo import api, fields, models

from ..tools.metric_period import PERIODS

COMPARISONS = [
    ("previous", "The period before"),
    ("year", "The same period a year before"),
    ("plan", "Plan"),
    ("average", "Average of the people shown"),
    ("none", "Nothing"),
]
PERIOD_LABELS = [
    ("today", "Today"),
    ("yesterday", "Yesterday"),
    ("this_week", "This week"),
    ("last_week", "Last week"),
    ("this_month", "This month"),
    ("last_month", "Last month"),
    ("this_quarter", "This quarter"),
    ("last_quarter", "Last quarter"),
    ("this_year", "This year"),
    ("last_year", "Last year"),
    ("this_fiscal_year", "This fiscal year"),
    ("last_fiscal_year", "Last fiscal year"),
    ("custom", "Other days"),
]
assert {key for key, _label in PERIOD_LABELS} == {*PERIODS, "custom"}


class CrmManagerPerformance(models.Model):
    """A saved comparison of managers: which figures, whose, when, compared with what.

    Only the settings are kept; figures are told anew whenever it is opened, and to each reader
    as far as he may see them (``crm.metric._get_audience``). An analysis belongs to whoever made
    it; a shared one is read by everybody and changed by its owner and administrators.
    """

    _name = "crm.manager.performance"
    _description = "Comparison of Managers"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=100)
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        default=lambda self: self.env.user,
        index=True,
        help="Left empty: comes with the program.",
    )
    shared = fields.Boolean(help="Everybody may open it; each sees what he may see.")
    metric_ids = fields.Many2many(
        "crm.metric", "crm_manager_performance_metric_rel", string="Metrics", required=True
    )
    group_by = fields.Selection(
        [("user", "People"), ("team", "Teams")], string="Compare", required=True, default="user"
    )
    period = fields.Selection(PERIOD_LABELS, required=True, default="this_month")
    date_from = fields.Date(string="From")
    date_to = fields.Date(string="To")
    comparison = fields.Selection(COMPARISONS, string="With", required=True, default="previous")
    user_ids = fields.Many2many(
        "res.users", "crm_manager_performance_user_rel", string="People", help="Empty: all."
    )
    team_ids = fields.Many2many(
        "crm.team", "crm_manager_performance_team_rel", string="Teams", help="Empty: all."
    )
    segment_ids = fields.Many2many(
        "crm.segment",
        "crm_manager_performance_segment_rel",
        string="Segments",
        help="Only what concerns clients of these segments.",
    )
    chart_metric_id = fields.Many2one("crm.metric", string="Chart", ondelete="set null")

    _dates_order = models.Constraint(
        "CHECK (period != 'custom' OR (date_from IS NOT NULL AND date_to IS NOT NULL "
        "AND date_from <= date_to))",
        "Other days need a first and a last day, in this order.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su and not self.env.user.has_group("sales_team.group_sale_manager"):
            # an analysis is made in one's own name
            vals_list = [{**vals, "user_id": self.env.uid} for vals in vals_list]
        return super().create(vals_list)

    def _get_options(self):
        """The settings as the screen sends them, see ``get_report``."""
        self.ensure_one()
        return {
            "metric_ids": self.metric_ids.ids,
            "group": self.group_by,
            "period": self.period,
            "date_from": fields.Date.to_string(self.date_from) or None,
            "date_to": fields.Date.to_string(self.date_to) or None,
            "comparison": self.comparison,
            "user_ids": self.user_ids.ids,
            "team_ids": self.team_ids.ids,
            "segment_ids": self.segment_ids.ids,
            "chart_metric_id": self.chart_metric_id.id,
        }

    def action_open(self):
        """Open the screen with this analysis."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "crm_extended.crm_manager_performance_action"
        )
        return {**action, "params": {"performance_id": self.id}}

    @api.model
    @api.readonly
    def get_settings(self, performance_id=None):
        """What the screen offers to choose from, and the settings it begins with.

        :return: dict of ``metrics``, ``users``, ``teams``, ``segments``, ``analyses``,
            ``periods``, ``comparisons`` (lists of dicts with ``id`` and ``name``) and
            ``options``, ``performance_id``
        """
        self.check_access("read")
        analyses = self.search([])
        chosen = analyses.filtered(lambda a: a.id == performance_id) or analyses[:1]
        metrics = self.env["crm.metric"].search([])
        labels = dict(metrics._fields["category"]._description_selection(self.env))
        users, teams = self._get_people()
        Segment = self.env["crm.segment"]
        segments = Segment.search([]) if Segment.has_access("read") else Segment
        return {
            "metrics": [
                {
                    "id": metric.id,
                    "name": metric.name,
                    "category": labels[metric.category],
                    "description": metric.description or "",
                    "problem": metric.problem or "",
                }
                for metric in metrics
            ],
            "users": [{"id": user.id, "name": user.name} for user in users],
            "teams": [{"id": team.id, "name": team.name} for team in teams],
            "segments": [{"id": segment.id, "name": segment.name} for segment in segments],
            "analyses": [
                {
                    "id": analysis.id,
                    "name": analysis.name,
                    "own": analysis.has_access("write"),
                    "options": analysis._get_options(),
                }
                for analysis in analyses
            ],
            "periods": self._get_choices("period"),
            "comparisons": self._get_choices("comparison"),
            "performance_id": chosen.id,
            "options": chosen._get_options() if chosen else {},
        }

    @api.model
    def _get_choices(self, name):
        selection = self._fields[name]._description_selection(self.env)
        return [{"id": key, "name": label} for key, label in selection]

    @api.model
    def _get_people(self):
        """People and teams that the user may compare: (users, teams), in order of name."""
        audience = self.env["crm.metric"]._get_audience()
        # sudo: names of colleagues and their teams
        Team = self.env["crm.team"].sudo()
        User = self.env["res.users"].sudo()
        if audience["kind"] == "self":
            user = User.browse(self.env.uid)
            return user, user.sale_team_id
        domain = [("company_id", "in", [*self.env.companies.ids, False])]
        if audience["kind"] == "head":
            domain.append(("id", "in", audience["team_ids"]))
        teams = Team.search(domain)
        users = teams.crm_team_member_ids.user_id | User.browse(self.env.uid)
        if audience["kind"] == "all":
            salesmen = self.env.ref("sales_team.group_sale_salesman")
            users |= User.search(
                [
                    ("all_group_ids", "in", salesmen.ids),
                    ("company_ids", "in", self.env.companies.ids),
                ]
            )
        return users.sorted("name"), teams.sorted("name")
