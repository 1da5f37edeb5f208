from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..tools.scoring import MIN_SAMPLE

# Points of the small chart of a deal's score.
TREND_POINTS = 60

# Fields of the deal that live in the side table, with their column there.
SIDE_FIELDS = {
    "score_class_auto": "class_auto",
    "score_value": "score_value",
    "score_probability": "score_probability",
    "score_sample_size": "sample_size",
    "score_expected_amount": "score_expected_amount",
    "score_peak": "score_peak",
    "score_peak_date": "peak_date",
    "score_drop": "score_drop",
    "score_drop_percent": "score_drop_percent",
    "score_amount_at_risk": "amount_at_risk",
    "score_worth": "deal_worth",
    "scorecard_id": "scorecard_id",
}


class CrmLead(models.Model):
    """The numbers of a deal's score, shown as its fields and kept in a table of their own
    (``crm.lead.scoring``): they can be searched, sorted, grouped and summed."""

    _inherit = "crm.lead"

    score_worth = fields.Monetary(
        "Worth of the Deal",
        currency_field="company_currency",
        aggregator="sum",
        compute="_compute_score",
        search="_search_score_worth",
        help="Expected revenue times the potential of the client, scaled by the score.",
    )
    scorecard_id = fields.Many2one("crm.scorecard", compute="_compute_score")
    score_class_auto = fields.Selection(
        [("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")],
        "Computed class",
        compute="_compute_score",
        search="_search_score_class_auto",
    )
    score_value = fields.Float(
        "Score",
        digits=(5, 1),
        aggregator="avg",
        compute="_compute_score",
        search="_search_score_value",
        help="From 0 to 100: what the scorecard makes of the deal.",
    )
    score_probability = fields.Float(
        "Scored Probability (%)",
        digits=(5, 1),
        aggregator="avg",
        compute="_compute_score",
        search="_search_score_probability",
        help="Learned from the company's own closed deals as they were while they were open. "
        "Never 0 or 100.",
    )
    score_sample_size = fields.Integer(
        "Closed Deals Behind It",
        aggregator=None,
        compute="_compute_score",
        help="Closed deals of the company that the probability was learned from.",
    )
    score_data_enough = fields.Boolean("Enough Data", compute="_compute_score_data_enough")
    score_expected_amount = fields.Monetary(
        "Expected Amount",
        currency_field="company_currency",
        aggregator="sum",
        compute="_compute_score",
        search="_search_score_expected_amount",
        help="Expected revenue times scored probability, in company currency.",
    )
    score_peak = fields.Float(
        "Highest Score",
        digits=(5, 1),
        aggregator="max",
        compute="_compute_score",
        search="_search_score_peak",
    )
    score_peak_date = fields.Datetime("Highest on", compute="_compute_score")
    score_drop = fields.Float(
        "Drop (points)",
        digits=(5, 1),
        aggregator="avg",
        compute="_compute_score",
        search="_search_score_drop",
        help="Highest score minus the present one.",
    )
    score_drop_percent = fields.Float(
        "Drop (%)",
        digits=(5, 1),
        aggregator="avg",
        compute="_compute_score",
        search="_search_score_drop_percent",
    )
    score_amount_at_risk = fields.Monetary(
        "Money at Risk",
        currency_field="company_currency",
        aggregator="sum",
        compute="_compute_score",
        search="_search_score_amount_at_risk",
        help="Expected revenue times the drop in percent.",
    )
    score_history_ids = fields.One2many("crm.lead.score", "lead_id", "Score History", readonly=True)
    score_history_count = fields.Integer(compute="_compute_score_history_count")

    score_trend = fields.Json("Trend", compute="_compute_score_trend")

    # Computes

    def _compute_score(self):
        self._flush_scoring()
        # sudo: who reads the deal reads its score
        rows = (
            self.env["crm.lead.scoring"]
            .sudo()
            .search_fetch([("lead_id", "in", self._origin.ids)], list(SIDE_FIELDS.values()))
        )
        by_lead = {row.lead_id.id: row for row in rows}
        empty = rows.browse()
        for lead in self:
            row = by_lead.get(lead._origin.id, empty)
            for name, column in SIDE_FIELDS.items():
                lead[name] = row[column]

    @api.depends("score_sample_size", "company_id")
    def _compute_score_data_enough(self):
        models = self.env["crm.lead.scoring.model"]._get_active()
        for lead in self:
            model = models.get(lead.company_id.id or False)
            lead.score_data_enough = (
                model["verdict"] != "not_ready" if model else lead.score_sample_size >= MIN_SAMPLE
            )

    def _compute_score_history_count(self):
        rows_sudo = self.env["crm.lead.score"].sudo()  # who reads the deal may count
        counts = dict(
            rows_sudo._read_group([("lead_id", "in", self._origin.ids)], ["lead_id"], ["__count"])
        )
        for lead in self:
            lead.score_history_count = counts.get(lead._origin, 0)

    @api.depends("score_value")
    def _compute_score_trend(self):
        """Prepare the points of the small chart: the last scores, oldest first."""
        rows_sudo = self.env["crm.lead.score"].sudo()  # who reads the deal reads its history
        for lead in self:
            rows = rows_sudo.search([("lead_id", "=", lead._origin.id)], limit=TREND_POINTS)
            lead.score_trend = [
                {
                    "date": 1000 * int(row.date.timestamp()),
                    "value": row.score_value,
                    "label": f"{format_date(self.env, row.date)}: {row.score_value:g}",
                }
                for row in reversed(rows)
            ]

    # Search, order and group by numbers of the side table

    def _field_to_sql(self, alias, field_expr, query=None):
        column = SIDE_FIELDS.get(field_expr)
        if not column or query is None:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        side = query.make_alias(alias, "scoring")
        query.add_join(
            "LEFT JOIN",
            side,
            "crm_lead_scoring",
            SQL("%s = %s", SQL.identifier(side, "lead_id"), SQL.identifier(alias, "id")),
        )
        return SQL.identifier(side, column)

    def _search_side(self, column, operator, value):
        # sudo: who reads the deal reads its score
        rows = self.env["crm.lead.scoring"].sudo()._search(Domain(column, operator, value))
        return Domain("id", "in", rows.subselect("lead_id"))

    def _search_score_class_auto(self, operator, value):
        return self._search_side("class_auto", operator, value)

    def _search_score_value(self, operator, value):
        return self._search_side("score_value", operator, value)

    def _search_score_probability(self, operator, value):
        return self._search_side("score_probability", operator, value)

    def _search_score_expected_amount(self, operator, value):
        return self._search_side("score_expected_amount", operator, value)

    def _search_score_peak(self, operator, value):
        return self._search_side("score_peak", operator, value)

    def _search_score_drop(self, operator, value):
        return self._search_side("score_drop", operator, value)

    def _search_score_drop_percent(self, operator, value):
        return self._search_side("score_drop_percent", operator, value)

    def _search_score_amount_at_risk(self, operator, value):
        return self._search_side("amount_at_risk", operator, value)

    def _search_score_worth(self, operator, value):
        return self._search_side("deal_worth", operator, value)

    # Buttons

    def action_view_score_history(self):
        """Open the history of the deal's score as a chart and a list."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_scoring.crm_lead_score_action")
        action["domain"] = [("lead_id", "=", self.id)]
        action["display_name"] = self.env._("Score of %(deal)s", deal=self.display_name)
        return action
