from odoo import api, fields, models

from ..tools.forecast import MEASURES, MIN_MONTHS, SEASON_MONTHS

METHODS = [
    ("naive", "Last month"),
    ("seasonal_naive", "Same month of last year"),
    ("damped", "Damped trend"),
    ("theta", "Theta"),
    ("theta_seasonal", "Theta with a season"),
    ("damped_additive", "Damped trend, season added"),
    ("damped_multiplicative", "Damped trend, season multiplied"),
    ("croston", "Rare sales (Croston)"),
    ("ceasing", "Rare sales that cease (TSB)"),
    ("combination", "Mean of all methods, the better ones weigh more"),
    ("ratio", "Turnover by orders"),
]


class CrmSegmentForecast(models.Model):
    """What a part of the clients will bring in the next months, and how far that can be trusted.

    - One record for the whole company, each class, each RFM segment, each country, each state or
      region, and each client segment, with at least one sale. It is computed from sales facts:
      untaxed, in company currency, returns deducted in the month they came back.
    - Months are calendar months in the time zone of the company. The month that is not over yet is
      left out: half a month would look like a fall.
    - Clients count where they stand *today*, in the past too. A class or a segment that picks
      growing clients therefore looks back on a growing past; the total of the company does not.
    - An *order* is a document whose lines add up to more than zero, as in the profiles; an *active
      client* has one in the month. Sales to nobody in particular (walk-in) count as turnover and
      orders of the company, not as a client.
    - Methods, choice, error and intervals: ``tools.forecast``. Less than 12 months of history:
      nothing is forecast, and the record says so. No sales in the last 12 months: the same.
    - Written by the refresh alone; a record whose months are the same as last time is not computed
      again.
    - Sums over clients of all salespersons: seen by those who see all deals, and by accountants.
    """

    _name = "crm.segment.forecast"
    _description = "Forecast of a Segment"
    _order = "kind_order, turnover_past desc, id"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        [
            ("company", "Whole company"),
            ("class", "Class"),
            ("rfm", "RFM segment"),
            ("country", "Country"),
            ("state", "State or region"),
            ("segment", "Client segment"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    kind_order = fields.Integer(readonly=True, aggregator=None)
    key = fields.Char(required=True, readonly=True)
    country_id = fields.Many2one("res.country", readonly=True, ondelete="cascade")
    state_id = fields.Many2one("res.country.state", readonly=True, ondelete="cascade")
    segment_id = fields.Many2one(
        "crm.segment", string="Client Segment", readonly=True, ondelete="cascade", index=True
    )
    line_ids = fields.One2many("crm.segment.forecast.line", "forecast_id", string="Months")

    # what there was
    state = fields.Selection(
        [
            ("ok", "Forecast"),
            ("short", "Too little history"),
            ("idle", "No sales for a year"),
        ],
        string="Status",
        readonly=True,
    )
    months = fields.Integer(
        string="Months of History",
        readonly=True,
        aggregator="avg",
        help="Whole months since the first sale.",
    )
    date_last = fields.Date(string="History up to", readonly=True, help="Last whole month.")
    date_refreshed = fields.Datetime(string="Computed on", readonly=True)
    signature = fields.Char(readonly=True)

    # what is expected
    horizon = fields.Integer(string="Months Ahead", readonly=True, aggregator=None)
    turnover_past = fields.Monetary(
        string="Turnover Before",
        readonly=True,
        help="Of as many last months as are forecast.",
    )
    turnover_next = fields.Monetary(
        string="Turnover Expected", readonly=True, help="Of all months ahead together."
    )
    turnover_change = fields.Float(
        string="Change (%)",
        readonly=True,
        digits=(10, 1),
        aggregator=None,
        help="Expected turnover against that of as many months before.",
    )
    method = fields.Selection(METHODS, string="Method for Turnover", readonly=True)
    mase = fields.Float(
        string="Error",
        readonly=True,
        digits=(8, 2),
        aggregator="avg",
        help="Mean error of the test in the past, in usual changes from one year to the next "
        "(MASE). Below 1 is better than saying: as a year ago.",
    )
    mase_naive = fields.Float(
        string="Error of the Naive Forecast",
        readonly=True,
        digits=(8, 2),
        aggregator="avg",
        help="The same for the forecast: as in the same month a year ago (short history: as in the "
        "last month), in the same test.",
    )
    quality = fields.Json(readonly=True)
    quality_text = fields.Text(string="How It Was Found", compute="_compute_quality_text")
    chart = fields.Json(compute="_compute_chart")

    _key_unique = models.Constraint(
        "UNIQUE(company_id, kind, key)", "A segment has one forecast per company."
    )

    # ------------------------------------------------------------------
    # computes
    # ------------------------------------------------------------------

    @api.depends("kind", "key", "country_id", "state_id", "segment_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        profiles = self.env["crm.customer.profile"]._fields
        rfm = dict(profiles["segment"]._description_selection(self.env))
        for forecast in self:
            # sudo: the name of the segment only; who may see the sums may know whose they are
            named = forecast.sudo()
            forecast.display_name = {
                "company": lambda f=named: f.company_id.name,
                "class": lambda f=named: self.env._("Class %s", f.key),
                "rfm": lambda f=named: rfm.get(f.key, f.key),
                "country": lambda f=named: f.country_id.name or self.env._("Country not known"),
                "state": lambda f=named: f.state_id.display_name,
                "segment": lambda f=named: f.segment_id.name,
            }[forecast.kind]()

    @api.depends("quality", "state", "months")
    def _compute_quality_text(self):
        for forecast in self:
            forecast.quality_text = "\n".join(forecast._describe_quality())

    def _describe_quality(self):
        """Return the lines that tell how each number was forecast and how well that worked."""
        self.ensure_one()
        if self.state == "short":
            return [
                self.env._(
                    "There are %(months)s whole months of sales; a forecast needs %(needed)s. "
                    "Anything said earlier would be a guess.",
                    months=self.months,
                    needed=MIN_MONTHS,
                )
            ]
        if self.state == "idle" or not self.quality:
            return [self.env._("Nothing was sold in the last 12 months: nothing to forecast from.")]
        methods = dict(self._fields["method"]._description_selection(self.env))
        labels = self._get_measure_labels()
        lines = [
            self.env._(
                "%(measure)s: %(method)s. Error in the test %(error).2f, of the naive forecast "
                "%(naive).2f.",
                measure=labels[name],
                method=methods[found["method"]],
                error=found["mase"],
                naive=found["mase_naive"],
            )
            if found["mase"] is not None
            else self.env._(
                "%(measure)s: %(method)s.",
                measure=labels[name],
                method=methods[found["method"]],
            )
            for name, found in self.quality.items()
        ]
        lines.append(
            self.env._(
                "Tested from %(origins)s months of the past, each time with what was known then. "
                "The errors made there give the intervals (normal, with Student's t).",
                origins=self.quality["turnover"]["origins"],
            )
        )
        if self.months < SEASON_MONTHS:
            lines.append(
                self.env._(
                    "There are %(months)s months of sales; a season is learnt from %(needed)s on. "
                    "Until then do not read a holiday peak out of it.",
                    months=self.months,
                    needed=SEASON_MONTHS,
                )
            )
        return lines

    @api.model
    def _get_measure_labels(self):
        """Return dict of measure -> its name in the language of the user."""
        lines = self.env["crm.segment.forecast.line"]._fields
        return {name: lines[name]._description_string(self.env) for name in MEASURES}

    @api.depends("line_ids")
    def _compute_chart(self):
        labels = self._get_measure_labels()
        names = ["is_forecast"] + [
            column for measure in MEASURES for column in get_line_columns(measure)
        ]
        rows = self.env["crm.segment.forecast.line"].search_read(
            [("forecast_id", "in", self.ids)], ["forecast_id", "date", *names], order="date"
        )
        by_forecast = {}
        for row in rows:
            by_forecast.setdefault(row["forecast_id"][0], []).append(row)
        for forecast in self:
            own = by_forecast.get(forecast._origin.id, [])[-(36 + 12) :]
            forecast.chart = {
                "currency_id": forecast.currency_id.id,
                "labels": labels,
                "money": ["turnover", "average"],
                "months": [
                    {
                        name: fields.Date.to_string(row["date"]) if name == "date" else row[name]
                        for name in ("date", *names)
                    }
                    for row in own
                ],
            }

    # ------------------------------------------------------------------
    # actions
    # ------------------------------------------------------------------

    @api.model
    def action_refresh(self):
        """Compute the forecasts of the companies the user works in, with a progress bar."""
        self.check_access("read")
        return self.env["crm.customer.refresh"]._start_forecasts(self.env.companies)

    def action_view_months(self):
        """Open the months of this forecast as a table."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_scoring.crm_segment_forecast_line_action"
        )
        return {
            **action,
            "name": self.display_name,
            "domain": [("forecast_id", "=", self.id)],
            "context": {},
        }

    def action_view_clients(self):
        """Open the profiles of the clients this forecast is about."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_scoring.crm_customer_profile_action"
        )
        return {
            **action,
            "name": self.display_name,
            "domain": [("company_id", "=", self.company_id.id), *self._get_client_domain()],
            "context": {},
        }

    def _get_client_domain(self):
        """Return the domain of profiles of the clients who belong here now."""
        return {
            "company": [],
            "class": [("customer_class", "=", self.key)],
            "rfm": [("segment", "=", self.key)],
            "country": [("partner_id.country_id", "=", self.country_id.id)],
            "state": [("partner_id.state_id", "=", self.state_id.id)],
            "segment": [("partner_id.segment_ids", "in", self.segment_id.ids)],
        }[self.kind]


def get_line_columns(measure):
    """Return the names of a measure and its bounds in ``crm.segment.forecast.line``."""
    return [measure, *(f"{measure}_{end}_{level}" for level in (80, 95) for end in ("low", "high"))]
