from odoo import api, fields, models
from odoo.api import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.scoring import MIN_SAMPLE, adjust_class

# Deals changed by one transaction that are scored at its end; more wait for the job.
REFRESH_AT_ONCE = 50

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
    "scorecard_id": "scorecard_id",
}


class CrmLead(models.Model):
    """A deal with its score.

    The score is computed, never entered: a change of a score field from outside, by
    whatever road, is refused. Whoever disagrees adjusts the class by one step with a
    reason (:meth:`adjust_class`): the salesperson of the deal, the leader of its team
    and those who manage all deals may, while the deal is open.

    A deal whose inputs changed is scored again at the end of the transaction, however
    many times it was written in between; the deals of a mass change wait for the job.
    """

    _inherit = "crm.lead"

    score_class = fields.Selection(
        [("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")],
        "Class",
        readonly=True,
        copy=False,
        help="Computed class with the manual adjustment, from A (best) to D.",
    )
    class_adjustment = fields.Integer(
        "Class Adjustment",
        readonly=True,
        copy=False,
        tracking=True,
        aggregator=None,
        help="+1 raises the computed class by one step, -1 lowers it.",
    )
    class_adjustment_ids = fields.One2many(
        "crm.lead.class.adjustment", "lead_id", "Class Adjustments", readonly=True
    )
    class_adjustment_user_id = fields.Many2one(
        "res.users", "Adjusted by", compute="_compute_class_adjustment_log"
    )
    class_adjustment_date = fields.Datetime("Adjusted on", compute="_compute_class_adjustment_log")
    class_adjustment_reason = fields.Text("Reason", compute="_compute_class_adjustment_log")
    can_adjust_class = fields.Boolean(compute="_compute_can_adjust_class")

    # Numbers of the side table
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
        help="Estimated from closed deals with a similar score, Odoo's own estimate and the "
        "win rates of team and company. Never 0 or 100.",
    )
    score_sample_size = fields.Integer(
        "Similar Closed Deals",
        aggregator=None,
        compute="_compute_score",
        help="Closed deals of the company with a similar score behind the probability.",
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
    score_leaving = fields.Boolean(
        "Leaving",
        compute="_compute_score_leaving",
        search="_search_score_leaving",
        help="Open, and its score dropped past the limit of its scorecard.",
    )
    score_history_ids = fields.One2many("crm.lead.score", "lead_id", "Score History", readonly=True)
    score_history_count = fields.Integer(compute="_compute_score_history_count")

    _check_class_adjustment = models.Constraint(
        "CHECK(class_adjustment BETWEEN -1 AND 1)", "A class is adjusted by one step at most."
    )

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

    @api.depends("score_sample_size")
    def _compute_score_data_enough(self):
        for lead in self:
            lead.score_data_enough = lead.score_sample_size >= MIN_SAMPLE

    @api.depends("score_drop_percent", "scorecard_id.drop_alert_percent", "won_status", "active")
    def _compute_score_leaving(self):
        for lead in self:
            limit = lead.sudo().scorecard_id.drop_alert_percent
            lead.score_leaving = bool(
                limit
                and lead.active
                and lead.won_status == "pending"
                and lead.score_drop_percent >= limit
            )

    def _compute_class_adjustment_log(self):
        logs = self.env["crm.lead.class.adjustment"].sudo()  # who reads the deal reads why
        latest = dict(
            logs._read_group([("lead_id", "in", self._origin.ids)], ["lead_id"], ["id:max"])
        )
        for lead in self:
            log = logs.browse(latest.get(lead._origin) if lead.class_adjustment else None)
            lead.class_adjustment_user_id = log.user_id
            lead.class_adjustment_date = log.date
            lead.class_adjustment_reason = log.reason

    @api.depends_context("uid")
    @api.depends("user_id", "team_id.user_id", "won_status", "active")
    def _compute_can_adjust_class(self):
        writable = self._origin._filtered_access("write") if self._origin else self
        for lead in self:
            lead.can_adjust_class = lead._origin in writable and not lead._get_adjust_obstacle()

    def _compute_score_history_count(self):
        rows_sudo = self.env["crm.lead.score"].sudo()  # who reads the deal may count
        counts = dict(
            rows_sudo._read_group([("lead_id", "in", self._origin.ids)], ["lead_id"], ["__count"])
        )
        for lead in self:
            lead.score_history_count = counts.get(lead._origin, 0)

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

    def _search_score_leaving(self, operator, value):
        if operator != "in":
            return NotImplemented
        leaving = SQL(
            """(SELECT s.lead_id FROM crm_lead_scoring s
                  JOIN crm_scorecard c ON c.id = s.scorecard_id
                 WHERE s.score_drop_percent >= c.drop_alert_percent)"""
        )
        domain = (
            Domain("id", "in", leaving)
            & Domain("won_status", "=", "pending")
            & Domain("active", "=", True)
        )
        return domain if True in value else ~domain

    # CRUD

    @api.model
    def _get_score_fields(self):
        """Fields that only the refresh and :meth:`adjust_class` write."""
        return [
            *SIDE_FIELDS,
            "score_class",
            "class_adjustment",
            "class_adjustment_ids",
            "class_adjustment_user_id",
            "class_adjustment_date",
            "class_adjustment_reason",
            "score_details",
            "score_reason",
            "score_data_enough",
            "score_leaving",
            "score_history_ids",
            "score_history_count",
        ]

    def _check_score_untouched(self, vals):
        touched = vals.keys() & set(self._get_score_fields())
        if touched:
            name = min(touched)
            raise AccessError(
                self.env._(
                    "“%(field)s” is computed and cannot be entered. To disagree with the score, "
                    "raise or lower the class of the deal and say why.",
                    field=self._fields[name]._description_string(self.env),
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_score_untouched(vals)
        # named, so that a default which the client has stored does not take their place
        named = {"class_adjustment": 0, "score_class": False}
        vals_list = [{**vals, **named} for vals in vals_list]
        # defaults come from the client too
        names = {f"default_{name}" for name in self._get_score_fields()}
        context = {key: val for key, val in self.env.context.items() if key not in names}
        leads = super(CrmLead, self.with_context(context)).create(vals_list)
        leads._schedule_scoring()
        return leads

    def write(self, vals):
        self._check_score_untouched(vals)
        res = super().write(vals)
        if vals.keys() & self.env["crm.scorecard"]._get_input_fields():
            self._schedule_scoring()
        return res

    def web_read(self, specification):
        self._flush_scoring()  # a saved form shows the new score at once
        return super().web_read(specification)

    # Refresh

    def _schedule_scoring(self):
        """Score the deals at the end of the transaction, once, however often asked."""
        precommit = self.env.cr.precommit
        if "crm_scoring.pending" not in precommit.data:
            precommit.data["crm_scoring.pending"] = {}
            precommit.add(self.browse()._flush_scoring)
        precommit.data["crm_scoring.pending"].update(dict.fromkeys(self.ids, self.env.uid))
        # whoever reads a number before the end gets the new one
        self.invalidate_recordset([*SIDE_FIELDS, "score_details", "score_reason"], flush=False)

    def _flush_scoring(self):
        """Score the deals scheduled in this transaction, if any, now."""
        pending = self.env.cr.precommit.data.pop("crm_scoring.pending", {})
        if len(pending) > REFRESH_AT_ONCE:
            self.env["crm.lead.scoring.queue"].sudo()._enqueue(sorted(pending))
            return
        now = fields.Datetime.now()
        for author in sorted(set(pending.values())):
            self.env["crm.lead.scoring"]._refresh(
                sorted(lead_id for lead_id, uid in pending.items() if uid == author),
                now,
                None if author == SUPERUSER_ID else author,
            )

    def _merge_dependences_history(self, opportunities):
        """The merged deal keeps the scores and adjustments of all."""
        res = super()._merge_dependences_history(opportunities)
        # sudo: nobody may edit these logs, they only follow their deal
        for model in ("crm.lead.score", "crm.lead.class.adjustment"):
            logs_sudo = self.env[model].sudo().search([("lead_id", "in", opportunities.ids)])
            logs_sudo.write({"lead_id": self.id})
        self._schedule_scoring()
        return res

    # Class adjustment

    def _get_adjust_obstacle(self):
        """Return why the user may not adjust the class of the deal, or None."""
        self.ensure_one()
        if not self.active or self.won_status != "pending":
            return self.env._("The class of a closed deal cannot be adjusted. Reopen it first.")
        user = self.env.user
        if user not in (self.user_id | self.team_id.user_id) and not user.has_group(
            "sales_team.group_sale_salesman_all_leads"
        ):
            return self.env._(
                "Only the salesperson of the deal, the leader of its team and those who see all "
                "deals may adjust its class."
            )
        return None

    def adjust_class(self, adjustment, reason):
        """Adjust the computed class of open deals by hand.

        The adjustment stays until it is changed; it is logged in the chatter and kept in
        ``crm.lead.class.adjustment``.

        :param int adjustment: +1, -1, or 0 to follow the computed class again
        :param str reason: why, in words; required
        :raise UserError: unknown step, no reason, deal closed or not yet scored
        :raise AccessError: the user may not adjust the deal
        """
        if isinstance(adjustment, bool) or adjustment not in (-1, 0, 1):
            raise UserError(self.env._("A class is raised or lowered by one step: -1, 0 or +1."))
        reason = reason.strip() if isinstance(reason, str) else ""
        if not reason:
            raise UserError(self.env._("Say why you adjust the class: a reason is required."))
        self.check_access("write")
        self._flush_scoring()
        now = fields.Datetime.now()
        logs = []
        for lead in self:
            if obstacle := lead._get_adjust_obstacle():
                raise AccessError(obstacle)
            if not lead.score_class_auto:
                raise UserError(
                    self.env._("“%(deal)s” has no class to adjust yet.", deal=lead.display_name)
                )
            logs.append(lead._prepare_class_adjustment_values(adjustment, reason, now))
            lead._track_set_log_message(reason)
        # past our own write, which refuses this field
        super().write({"class_adjustment": adjustment})
        # sudo: nobody may write the log but this method
        self.env["crm.lead.class.adjustment"].sudo().create(logs)
        self.env["crm.lead.scoring"]._refresh(self.ids, now, self.env.uid)
        return True

    def _prepare_class_adjustment_values(self, adjustment, reason, now):
        self.ensure_one()
        return {
            "lead_id": self.id,
            "company_id": self.company_id.id,
            "user_id": self.env.uid,
            "date": now,
            "adjustment_before": self.class_adjustment,
            "adjustment": adjustment,
            "class_auto": self.score_class_auto,
            "class_before": self.score_class,
            "class_after": adjust_class(self.score_class_auto, adjustment),
            "score_value": self.score_value,
            "score_probability": self.score_probability,
            "reason": reason,
        }

    # Buttons

    def action_raise_class(self):
        return self._action_adjust_class(min(self.class_adjustment + 1, 1))

    def action_lower_class(self):
        return self._action_adjust_class(max(self.class_adjustment - 1, -1))

    def _action_adjust_class(self, adjustment):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Adjust class"),
            "res_model": "crm.lead.class.adjust",
            "view_mode": "form",
            "target": "new",
            "context": {"default_lead_id": self.id, "default_adjustment": str(adjustment)},
        }

    def action_view_score_history(self):
        """Open the history of the deal's score as a chart and a list."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_scoring.crm_lead_score_action")
        action["domain"] = [("lead_id", "=", self.id)]
        action["display_name"] = self.env._("Score of %(deal)s", deal=self.display_name)
        return action
