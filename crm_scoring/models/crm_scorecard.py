from odoo import api, fields, models, tools
from odoo.fields import Domain

#: model -> how the names of the measures and of the deal's fields begin that look at its records
WATCHED = {
    "crm.interaction": (
        "measure_contact", "measure_answer", "measure_reached", "interaction",
    ),
    "crm.agreement": ("measure_agreements",),
    "crm.claim": ("measure_claims",),
    "crm.lead.objection": ("measure_objections", "measure_competitors", "objection"),
    "account.move": ("measure_debt",),
    "mail.activity": ("measure_step", "activity", "my_activity"),
    "mail.message": ("message",),
    "sale.order": ("measure_documents", "order", "quotation", "sale"),
}  # fmt: skip


class CrmScorecard(models.Model):
    """How a kind of deal is scored: factors, class bounds and when a drop is alarming.

    A deal is scored by the first scorecard, by sequence, of those that fit it best: one for
    its sale process, else one for its team and its company, else one for its team, else one
    for its company, else one for everybody. The score is the base plus the points of the
    factors that apply, kept between 0 and 100; the class follows from the bounds.
    """

    _name = "crm.scorecard"
    _description = "Scorecard"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index=True, help="Empty: every company.")
    team_ids = fields.Many2many(
        "crm.team", string="Sales Teams", check_company=True, help="Empty: every team."
    )
    process_ids = fields.Many2many(
        "crm.sale.process",
        string="Sale Processes",
        check_company=True,
        help="Empty: every process.",
    )
    description = fields.Text(translate=True)
    factor_ids = fields.One2many("crm.scorecard.factor", "scorecard_id", string="Factors")
    base_points = fields.Float(
        default=40.0,
        digits=(5, 1),
        help="Score of a deal to which no factor applies, from 0 to 100.",
    )
    bound_a = fields.Float("A from", default=70.0, digits=(5, 1))
    bound_b = fields.Float("B from", default=50.0, digits=(5, 1))
    bound_c = fields.Float("C from", default=30.0, digits=(5, 1))
    drop_alert_percent = fields.Float(
        "Leaving from (%)",
        digits=(5, 1),
        default=20.0,
        help="A deal that lost this much of its highest score is listed among Leaving deals.",
    )
    failing_count = fields.Integer("Failing Factors", compute="_compute_failing_count")
    deal_count = fields.Integer("Open Deals", compute="_compute_deal_count")

    _check_points = models.Constraint(
        "CHECK(base_points BETWEEN 0 AND 100)", "The base must lie between 0 and 100."
    )
    _check_bounds = models.Constraint(
        "CHECK(0 < bound_c AND bound_c < bound_b AND bound_b < bound_a AND bound_a <= 100)",
        "Class bounds must decrease from A to C and lie between 0 and 100.",
    )
    _check_drop = models.Constraint(
        "CHECK(drop_alert_percent > 0 AND drop_alert_percent <= 100)",
        "The drop that marks a deal as leaving must be above 0% and at most 100%.",
    )

    @api.depends("factor_ids.error", "factor_ids.active")
    def _compute_failing_count(self):
        for scorecard in self:
            scorecard.failing_count = len(scorecard.factor_ids.filtered("error"))

    @api.depends_context("uid")
    def _compute_deal_count(self):
        for scorecard in self:
            scorecard.deal_count = self.env["crm.lead"].search_count(scorecard._get_deal_domain())

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        scorecards = super().create(vals_list)
        scorecards._rules_changed()
        return scorecards

    def write(self, vals):
        res = super().write(vals)
        if vals.keys() - {"name", "description"}:
            self._rules_changed()
        return res

    def unlink(self):
        self.factor_ids.unlink()  # which keeps their names
        res = super().unlink()
        self._rules_changed()
        return res

    def copy(self, default=None):
        copies = super().copy(default)
        for scorecard, new in zip(self, copies, strict=True):
            scorecard.factor_ids.copy({"scorecard_id": new.id})
        return copies

    def copy_data(self, default=None):
        default = dict(default or {})
        return [
            dict(vals, name=default.get("name") or self.env._("%s (copy)", scorecard.name))
            for scorecard, vals in zip(self, super().copy_data(default), strict=True)
        ]

    # Buttons

    def action_try_out(self):
        """Show how many open deals each factor touches."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Try “%(scorecard)s” on deals", scorecard=self.name),
            "res_model": "crm.scorecard.factor",
            "view_mode": "list",
            "views": [
                (self.env.ref("crm_scoring.crm_scorecard_factor_view_list_try_out").id, "list")
            ],
            "domain": [("scorecard_id", "=", self.id)],
            "context": {"crm_scoring_try_out": True},
        }

    def action_suggest_factors(self):
        """Add the suggested factors that the scorecard does not have, for the owner to judge."""
        self.ensure_one()
        self.check_access("write")
        present = set(self.with_context(active_test=False).factor_ids.mapped("measure"))
        suggestions = [
            {**values, "scorecard_id": self.id, "sequence": 200}
            for values in self.env["crm.scorecard.factor"]._get_suggestions()
            if values["measure"] not in present
        ]
        self.env["crm.scorecard.factor"].create(suggestions)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if suggestions else "info",
                "message": self.env._("Factors added: %(count)s.", count=len(suggestions)),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_refresh(self):
        """Refresh the scores of the open deals soon, in the background."""
        self.check_access("write")
        self._request_full_refresh()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("Open deals are being scored again in the background."),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # Rules

    def _get_deal_domain(self):
        """Domain of the open deals that the scorecard may score."""
        self.ensure_one()
        domain = Domain("won_status", "=", "pending") & Domain("active", "=", True)
        if self.company_id:
            domain &= Domain("company_id", "=", self.company_id.id)
        if self.team_ids:
            domain &= Domain("team_id", "in", self.team_ids.ids)
        if self.process_ids:
            domain &= Domain("process_id", "in", self.process_ids.ids)
        return domain

    def _rules_changed(self):
        """Forget the cached rules; open deals are scored again in the background."""
        self.env.registry.clear_cache()
        self._request_full_refresh()

    @api.model
    def _request_full_refresh(self):
        cron = self.env.ref("crm_scoring.ir_cron_refresh_all", raise_if_not_found=False)
        if cron:
            # sudo: only a time is noted; several wishes of a transaction count once
            pending = self.env.cr.precommit.data.setdefault("crm_scoring.full_refresh", set())
            if not pending:
                pending.add(True)
                cron.sudo()._trigger()

    @api.model
    @tools.ormcache()
    def _get_rules(self):
        """Return all scorecards as plain data, in the order in which they are tried.

        :return: tuple of dict(id, company_id, team_ids, base, bounds, factors); factors
            are those of :meth:`crm.scorecard.factor._prepare_rule` that work
        """
        scorecards = self.env(su=True, context={})[self._name].search([])
        rules = [
            {
                "id": scorecard.id,
                "company_id": scorecard.company_id.id,
                "team_ids": frozenset(scorecard.team_ids.ids),
                "process_ids": frozenset(scorecard.process_ids.ids),
                "base": scorecard.base_points,
                "alarm": scorecard.drop_alert_percent,
                "bounds": (scorecard.bound_a, scorecard.bound_b, scorecard.bound_c),
                "factors": tuple(
                    rule
                    for factor in scorecard.factor_ids
                    if not factor.error and (rule := factor._prepare_rule())
                ),
            }
            for scorecard in scorecards
        ]
        rules.sort(
            key=lambda rule: (not rule["process_ids"], not rule["team_ids"], not rule["company_id"])
        )
        return tuple(rules)

    @api.model
    def _find_rule(self, company_id, team_id, process_id=None):
        """Return the rule of the scorecard that fits a deal best, or None."""
        for rule in self._get_rules():
            if rule["process_ids"] and process_id not in rule["process_ids"]:
                continue
            if rule["company_id"] and rule["company_id"] != company_id:
                continue
            if rule["team_ids"] and team_id not in rule["team_ids"]:
                continue
            return rule
        return None

    @api.model
    @tools.ormcache("model_name")
    def _is_watched(self, model_name):
        """Whether a scorecard looks at records of a model around the deals; see ``WATCHED``."""
        names = set()
        for rule in self._get_rules():
            for factor in rule["factors"]:
                names.add(factor.get("field") or "")
                names.update(factor["inputs"])
        return any(name.startswith(WATCHED[model_name]) for name in names)

    @api.model
    @tools.ormcache()
    def _get_input_fields(self):
        """Names of the fields of a deal whose change may change its score."""
        lead_model = self.env["crm.lead"]
        names = {
            "active",
            "company_id",
            "expected_revenue",
            "partner_id",
            "probability",
            "score_waiting_until",
            "stage_id",
            "team_id",
            "type",
        }
        names.update(self.env["crm.lead.scoring.model"]._get_field_names())
        for rule in self._get_rules():
            for factor in rule["factors"]:
                names.update(factor["inputs"])
        for name in tuple(names):
            field = lead_model._fields.get(name)
            if field is not None and field.compute:
                depends = self.env.registry.field_depends[field]
                names.update(path.split(".")[0] for path in depends)
        return frozenset(names)
