import json

from odoo import api, fields, models
from odoo.exceptions import ValidationError

# measure of a profile -> kind of its bands: a number from a bound on, or a value
NUMBER_MEASURES = (
    "recency", "frequency", "monetary", "monetary_year", "average_purchase", "rhythm_ratio",
    "trend", "return_rate", "margin_rate", "p_alive", "expected_amount_90",
    "score_recency", "score_frequency", "score_monetary",
)  # fmt: skip
VALUE_MEASURES = ("abc_turnover", "abc_margin", "xyz", "stage", "segment")
# what a new company starts with: measure, lower bound or value, points
DEFAULT_FACTORS = (
    ("abc_turnover", "A", 25), ("abc_turnover", "B", 10), ("abc_turnover", "C", -10),
    ("score_frequency", 1, -5), ("score_frequency", 3, 5), ("score_frequency", 5, 10),
    ("stage", "loyal", 10), ("stage", "growing", 15), ("stage", "slowing", -10),
    ("stage", "at_risk", -20), ("stage", "lost", -35),
    ("return_rate", 10, -5), ("return_rate", 30, -15),
    ("xyz", "X", 5), ("xyz", "Y", 3),
)  # fmt: skip


class CrmCustomerAnalysis(models.Model):
    """How a company analyses its clients, and what the last analysis found.

    - One record per company, made when it is first needed. Sales managers set the bounds and the
      factors of the class; a change makes the next refresh a full one.
    - *Facts*, not settings, are written by the refresh alone: cut values of the scores, fitted
      purchase models with their diagnostics, dates.
    - The class A to D of a client: base and points of the factors, kept between 0 and 100, against
      the bounds. Of the lines of a measured number the one with the highest bound that is reached
      counts; of a value, the line of that value.
    """

    _name = "crm.customer.analysis"
    _description = "Analysis of Clients"
    _rec_name = "company_id"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade", index=True
    )

    # settings: scores
    rfm_method = fields.Selection(
        [("quintile", "Fifths of the clients"), ("fixed", "Fixed bounds")],
        string="Scores by",
        required=True,
        default="quintile",
    )
    bounds_recency = fields.Char(
        string="Days Since the Last Purchase",
        default="30; 90; 180; 365",
        help="Four bounds: up to the first one a client scores 5, beyond the last one 1.",
    )
    bounds_frequency = fields.Char(
        string="Purchases", default="2; 4; 8; 16", help="Four bounds: from the first one on 2."
    )
    bounds_monetary = fields.Char(
        string="Turnover",
        default="1000; 5000; 20000; 100000",
        help="Four bounds in company currency: from the first one on 2.",
    )
    # settings: ABC and XYZ
    abc_period = fields.Selection(
        [("year", "Last 12 months"), ("all", "All time")],
        string="ABC of",
        required=True,
        default="year",
    )
    abc_bound_a = fields.Float(string="A up to (%)", default=80.0, digits=(5, 1))
    abc_bound_b = fields.Float(string="B up to (%)", default=95.0, digits=(5, 1))
    xyz_bound_x = fields.Float(string="X up to (%)", default=10.0, digits=(5, 1))
    xyz_bound_y = fields.Float(string="Y up to (%)", default=25.0, digits=(5, 1))
    # settings: life cycle
    new_days = fields.Integer(string="New for (days)", default=90, help="Since the first purchase.")
    slow_factor = fields.Float(
        string="Slowing from", default=1.5, digits=(5, 1), help="Times the usual interval."
    )
    risk_factor = fields.Float(
        string="At risk from", default=2.5, digits=(5, 1), help="Times the usual interval."
    )
    lost_factor = fields.Float(
        string="Lost from", default=5.0, digits=(5, 1), help="Times the usual interval."
    )
    lost_days = fields.Integer(
        string="Not Lost Before (days)",
        default=90,
        help="However short the usual interval of a client is.",
    )
    growth_percent = fields.Float(
        string="Growing from (%)",
        default=25.0,
        digits=(5, 1),
        help="Turnover of the last half year against the one before; as much less is slowing.",
    )
    # settings: class
    base_points = fields.Float(default=40.0, digits=(5, 1))
    bound_a = fields.Float("Class A from", default=70.0, digits=(5, 1))
    bound_b = fields.Float("Class B from", default=50.0, digits=(5, 1))
    bound_c = fields.Float("Class C from", default=25.0, digits=(5, 1))
    factor_ids = fields.One2many("crm.customer.factor", "analysis_id", string="Factors")

    # facts
    date_refreshed = fields.Date(string="Figures as of", readonly=True)
    datetime_refreshed = fields.Datetime(string="Refreshed on", readonly=True)
    date_full = fields.Date(string="All Clients Analysed on", readonly=True)
    is_stale = fields.Boolean(
        readonly=True, default=True, help="The next refresh takes all clients."
    )
    cuts = fields.Json(readonly=True)
    cuts_text = fields.Text(string="Scores Begin at", compute="_compute_cuts_text")
    rhythm = fields.Float(
        string="Usual Interval (days)",
        readonly=True,
        digits=(8, 1),
        help="Median of the clients' own intervals; stands in for clients with fewer than two.",
    )
    bgnbd = fields.Json(readonly=True)
    gamma_gamma = fields.Json(readonly=True)
    purchase_model_state = fields.Selection(
        [
            ("none", "Not fitted yet"),
            ("few", "Too few repeat purchases"),
            ("bad", "Does not fit these sales"),
            ("ok", "Fitted"),
        ],
        string="Purchase Model",
        readonly=True,
        default="none",
    )
    purchase_model_text = fields.Text(string="Diagnostics", compute="_compute_purchase_model_text")
    likeness_weights = fields.Json(readonly=True)
    likeness_text = fields.Text(string="Best Clients", compute="_compute_likeness_text")
    change_count = fields.Integer(string="Clients Waiting", compute="_compute_change_count")

    _company_unique = models.Constraint("UNIQUE(company_id)", "A company is analysed in one way.")
    _check_abc = models.Constraint(
        "CHECK(0 < abc_bound_a AND abc_bound_a < abc_bound_b AND abc_bound_b < 100)",
        "ABC: the bound of A must lie below that of B, both between 0 and 100 percent.",
    )
    _check_xyz = models.Constraint(
        "CHECK(0 < xyz_bound_x AND xyz_bound_x < xyz_bound_y)",
        "XYZ: the bound of X must lie above 0 and below that of Y.",
    )
    _check_stages = models.Constraint(
        "CHECK(1 <= slow_factor AND slow_factor < risk_factor AND risk_factor < lost_factor"
        " AND new_days >= 0 AND lost_days >= 0 AND growth_percent > 0)",
        "Life cycle: the intervals must grow from slowing (at least 1) to at risk to lost, days "
        "must not be negative, and growth must lie above 0%.",
    )
    _check_class_bounds = models.Constraint(
        "CHECK(0 < bound_c AND bound_c < bound_b AND bound_b < bound_a AND bound_a <= 100"
        " AND base_points BETWEEN 0 AND 100)",
        "Class bounds must decrease from A to C and lie, as the base does, between 0 and 100.",
    )

    # computes

    @api.depends("cuts", "rfm_method")
    def _compute_cuts_text(self):
        for analysis in self:
            cuts = analysis.cuts or {}
            lines = []
            for measure, label in (
                ("date_last", self.env._("Last purchase")),
                ("frequency", self.env._("Purchases")),
                ("monetary", self.env._("Turnover")),
            ):
                if bounds := cuts.get(measure):
                    parts = ", ".join(
                        f"{score}: {bounds[str(score)]}"
                        for score in range(2, 6)
                        if str(score) in bounds
                    )
                    lines.append(f"{label}: {parts}")
            analysis.cuts_text = "\n".join(lines)

    @api.depends("bgnbd", "gamma_gamma", "purchase_model_state")
    def _compute_purchase_model_text(self):
        for analysis in self:
            analysis.purchase_model_text = "\n".join(analysis._describe_purchase_models())

    def _describe_purchase_models(self):
        """Return the lines that tell what was fitted and how far it can be trusted."""
        self.ensure_one()
        if self.purchase_model_state in ("none", False):
            return [self.env._("The next full refresh fits the model.")]
        if self.purchase_model_state == "few":
            return [
                self.env._(
                    "Fewer than 20 clients bought on a second day. Until then nothing is forecast."
                )
            ]
        model = self.bgnbd or {}
        if self.purchase_model_state == "bad":
            return [
                self.env._(
                    "The fit did not converge: the sales do not look like clients who buy at "
                    "their own rate and leave one day. Nothing is forecast."
                )
            ]
        lines = [
            self.env._(
                "When (BG/NBD, in weeks): r=%(r).4f, alpha=%(alpha).4f, a=%(a).4f, b=%(b).4f; "
                "log-likelihood %(likelihood).1f over %(clients)s clients, %(repeaters)s of them "
                "with repeat purchases.",
                r=model["r"], alpha=model["alpha"], a=model["a"], b=model["b"],
                likelihood=model["log_likelihood"], clients=model["clients"],
                repeaters=model["repeaters"],
            )
        ]  # fmt: skip
        if money := self.gamma_gamma:
            lines.append(
                self.env._(
                    "How much (Gamma-Gamma): p=%(p).4f, q=%(q).4f, v=%(v).4f; log-likelihood "
                    "%(likelihood).1f; correlation of number and amount %(correlation).2f (the "
                    "model supposes none).",
                    p=money["p"], q=money["q"], v=money["v"],
                    likelihood=money["log_likelihood"], correlation=money["correlation"],
                )
            )  # fmt: skip
        if check := model.get("check"):
            lines.append(
                self.env._(
                    "Test on the last 90 days, unseen by the fit: %(expected).0f repeat purchases "
                    "expected, %(actual)s happened (%(deviation)+.0f%%).",
                    expected=check["expected"],
                    actual=check["actual"],
                    deviation=check["deviation"],
                )
            )
        return lines

    @api.depends("likeness_weights")
    def _compute_likeness_text(self):
        for analysis in self:
            weights = analysis.likeness_weights or {}
            analysis.likeness_text = (
                self.env._(
                    "Compared with %(count)s best clients. The likeness tells a best client from "
                    "another one in %(auc).0f of 100 pairs (50 is chance).",
                    count=weights["best"],
                    auc=100 * weights["auc"],
                )
                if weights.get("best")
                else self.env._("Fewer than 10 clients of class A: nobody to compare with yet.")
            )

    @api.depends_context("uid")
    def _compute_change_count(self):
        # sudo: only a number is shown
        counts = dict(
            self.env["crm.customer.change"]
            .sudo()
            ._read_group(
                [("company", "in", self.company_id.ids)], ["company"], ["partner:count_distinct"]
            )
        )
        for analysis in self:
            analysis.change_count = counts.get(analysis.company_id.id, 0)

    # checks

    @api.constrains("bounds_recency", "bounds_frequency", "bounds_monetary", "rfm_method")
    def _check_bounds_text(self):
        for analysis in self.filtered(lambda a: a.rfm_method == "fixed"):
            for name in ("bounds_recency", "bounds_frequency", "bounds_monetary"):
                analysis._parse_bounds(name)

    def _parse_bounds(self, name):
        """Return the four numbers of a field.

        :raise ValidationError: there are not four that grow
        """
        self.ensure_one()
        try:
            bounds = [float(part.replace(",", ".")) for part in (self[name] or "").split(";")]
        except ValueError:
            bounds = []
        if len(bounds) != 4 or bounds != sorted(set(bounds)):
            raise ValidationError(
                self.env._(
                    "“%(field)s”: enter four growing numbers with semicolons between them, for "
                    "example 2; 4; 8; 16.",
                    field=self._fields[name]._description_string(self.env),
                )
            )
        return bounds

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        analyses = super().create(vals_list)
        for analysis in analyses:
            if not analysis.factor_ids:
                analysis.factor_ids = [
                    fields.Command.create(
                        {
                            "measure": measure,
                            "sequence": number,
                            "points": points,
                            **(
                                {"value": bound}
                                if measure in VALUE_MEASURES
                                else {"lower_bound": bound}
                            ),
                        }
                    )
                    for number, (measure, bound, points) in enumerate(DEFAULT_FACTORS)
                ]
        return analyses

    def write(self, vals):
        if vals.keys() & self._get_setting_fields():
            vals = dict(vals, is_stale=True)
        return super().write(vals)

    @api.model
    def _get_setting_fields(self):
        """Fields a manager sets; the figures depend on all of them."""
        return {
            "rfm_method", "bounds_recency", "bounds_frequency", "bounds_monetary", "abc_period",
            "abc_bound_a", "abc_bound_b", "xyz_bound_x", "xyz_bound_y", "new_days", "slow_factor",
            "risk_factor", "lost_factor", "lost_days", "growth_percent", "base_points", "bound_a",
            "bound_b", "bound_c", "factor_ids",
        }  # fmt: skip

    @api.model
    def _get_for(self, company):
        """Return the analysis of a company; make it when there is none yet."""
        # sudo: the refresh needs it whoever asked for it
        analyses_sudo = self.sudo()
        found = analyses_sudo.search([("company_id", "=", company.id)])
        return found or analyses_sudo.create({"company_id": company.id})

    def _set_facts(self, **values):
        """Write facts; Json values are compared first, so that nothing is written in vain."""
        self.ensure_one()
        changed = {
            name: value
            for name, value in values.items()
            if json.dumps(self[name], default=str) != json.dumps(value, default=str)
        }
        if changed:
            super().write(changed)

    # buttons

    @api.model
    def action_open(self):
        """Open the analysis of the current company."""
        self.check_access("write")
        analysis = self._get_for(self.env.company)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Settings of the Client Analysis"),
            "res_model": self._name,
            "res_id": analysis.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def action_refresh_all(self):
        """Analyse all clients of the company anew."""
        self.check_access("write")
        return self.env["crm.customer.refresh"]._start(self.company_id, full=True)
