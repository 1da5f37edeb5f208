from odoo import api, fields, models
from odoo.tools import SQL

CLASSES = [(letter, letter) for letter in "ABCD"]
MONTHS_SHOWN = 24  # by the sparkline


class CrmCustomerProfile(models.Model):
    """What a client is worth to a company, computed from sales facts.

    - One record for each client (commercial entity) and company with at least one sales fact, and
      for each *prospect*: a client with a deal or a quotation there and no sales fact yet. The
      walk-in client of imported sales is nobody in particular and has none.
    - A *purchase* is a document (order, invoice, receipt) of a year whose lines add up to more than
      zero; its date is that of its last line. Lines without a document number count as one purchase
      a day. Frequency counts purchases, recency is the days since the last one. The numbers of
      documents may start anew each year.
    - *Monetary* is what all facts add up to, returns included, untaxed in company currency; also
      for the last twelve months. The average purchase is the mean amount of the purchases. *Trend*
      compares the last 182 days with the 182 days before. Margin is turnover less cost, over the
      sales whose cost is known.
    - *Rhythm* is the median of days between the days with purchases. It is *broken* when a client
      with a rhythm of his own (three days with purchases or more) is late by the factor of the
      settings, and not lost yet.
    - Scores from 1 to 5 by fifths of the company's clients (ties together, see ``tools.rfm``) or by
      fixed bounds, and the segment named after them. Clients with returns only have no scores.
    - *ABC*: clients by falling turnover (or margin); A while those before add up to less than 80 %
      of all, B while less than 95 %, then C; equal clients together; nothing or less is C. *XYZ*:
      standard deviation by mean of the turnover of the last twelve whole months, or those since the
      first purchase, three at least; months without sales count. X up to 10 %, Y up to 25 %.
    - *Stage*, the first that holds: prospect; lost, at risk (late by their factors); new; returned
      (the last interval was long enough to be lost); slowing; growing; loyal. A client without an
      interval of his own is measured by the median of all.
    - Chance to be active and what to expect: BG/NBD and Gamma-Gamma (``tools.purchase_model``).
    - *Class* A to D by the factors of ``crm.customer.analysis``, moved one step by hand if somebody
      knows better. All bounds are settings.
    - Everything is written by one statement (``_refresh``) that touches only what has changed;
      nobody edits a profile. It is refreshed at night, every hour for clients with new facts, by a
      button and after an import.
    - Salespersons see the profiles of their own clients and of clients without a salesperson.
    """

    _name = "crm.customer.profile"
    _description = "Client Profile"
    _order = "monetary desc, id"
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one(
        "res.partner",
        string="Client",
        required=True,
        readonly=True,
        # indexed by the constraint
        ondelete="cascade",
        help="The commercial entity: purchases of its contacts and addresses are included.",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    country_id = fields.Many2one(related="partner_id.country_id", string="Country")

    # purchases
    date_first = fields.Date(string="First Purchase", readonly=True)
    date_last = fields.Date(string="Last Purchase", readonly=True)
    recency = fields.Integer(
        string="Recency (days)",
        readonly=True,
        aggregator="avg",
        help="Days since the last purchase.",
    )
    frequency = fields.Integer(string="Purchases", readonly=True, help="Number of purchases.")
    monetary = fields.Monetary(
        string="Turnover", readonly=True, help="Untaxed, less returns, of all time."
    )
    monetary_year = fields.Monetary(
        string="Turnover, 12 Months", readonly=True, help="Untaxed, less returns."
    )
    average_purchase = fields.Monetary(
        string="Average Purchase", readonly=True, aggregator="avg", help="Returns not counted."
    )
    amount_returned = fields.Monetary(
        string="Returned", readonly=True, help="Amount of the returns, as a positive number."
    )

    purchase_days = fields.Integer(string="Days with Purchases", readonly=True)
    return_rate = fields.Float(
        string="Returned (%)",
        readonly=True,
        digits=(8, 1),
        aggregator="avg",
        help="Returns in percent of what was sold.",
    )
    margin = fields.Monetary(readonly=True, help="Of the sales whose cost is known.")
    margin_rate = fields.Float(
        string="Margin (%)",
        readonly=True,
        digits=(8, 1),
        aggregator="avg",
        help="In percent of the sales whose cost is known.",
    )
    amount_half = fields.Monetary(
        string="Turnover, Half a Year", readonly=True, help="Last 182 days."
    )
    amount_half_before = fields.Monetary(
        string="Turnover, Half a Year Before", readonly=True, help="The 182 days before those."
    )
    trend = fields.Float(
        string="Trend (%)",
        readonly=True,
        digits=(10, 1),
        aggregator="avg",
        help="Turnover of the last half year against the one before.",
    )

    # rhythm
    rhythm = fields.Float(
        string="Usual Interval (days)",
        readonly=True,
        digits=(8, 1),
        aggregator="avg",
        help="Median of the days between purchases.",
    )
    rhythm_ratio = fields.Float(
        string="Intervals Passed",
        readonly=True,
        digits=(8, 1),
        aggregator="avg",
        help="Days since the last purchase, in usual intervals of the client.",
    )
    gap_last = fields.Integer(string="Last Interval (days)", readonly=True, aggregator="avg")
    date_next = fields.Date(
        string="Next Purchase Due", readonly=True, help="Last purchase and the usual interval."
    )
    is_rhythm_broken = fields.Boolean(
        string="Rhythm Broken",
        readonly=True,
        help="The client is late by his own measure, and not lost yet.",
    )
    stage = fields.Selection(
        [
            ("prospect", "Prospect"),
            ("new", "New"),
            ("growing", "Growing"),
            ("loyal", "Loyal"),
            ("slowing", "Slowing"),
            ("at_risk", "At Risk"),
            ("lost", "Lost"),
            ("returned", "Returned"),
        ],
        string="Life-Cycle Stage",
        readonly=True,
    )

    # ABC, XYZ
    abc_turnover = fields.Selection(
        [("A", "A"), ("B", "B"), ("C", "C")],
        string="ABC",
        readonly=True,
        help="By turnover: A are the clients who together bring the first 80%.",
    )
    abc_margin = fields.Selection(
        [("A", "A"), ("B", "B"), ("C", "C")], string="ABC by Margin", readonly=True
    )
    variation = fields.Float(
        string="Variation (%)",
        readonly=True,
        digits=(8, 1),
        aggregator="avg",
        help="Standard deviation of the monthly turnover in percent of its mean.",
    )
    xyz = fields.Selection(
        [("X", "X"), ("Y", "Y"), ("Z", "Z")],
        string="XYZ",
        readonly=True,
        help="X buys evenly, Z irregularly.",
    )

    # what to expect
    repeat_mean = fields.Float(readonly=True, digits=(16, 2), aggregator=None)
    p_alive = fields.Float(
        string="Still Active (%)",
        readonly=True,
        digits=(5, 1),
        aggregator="avg",
        help="Probability that the client has not left for good.",
    )
    expected_orders_30 = fields.Float("Purchases in 30 Days", readonly=True, digits=(10, 2))
    expected_orders_90 = fields.Float("Purchases in 90 Days", readonly=True, digits=(10, 2))
    expected_orders_365 = fields.Float("Purchases in a Year", readonly=True, digits=(10, 2))
    expected_amount_30 = fields.Monetary("Expected in 30 Days", readonly=True)
    expected_amount_90 = fields.Monetary("Expected in 90 Days", readonly=True)
    expected_amount_365 = fields.Monetary("Expected in a Year", readonly=True)

    # class
    class_score = fields.Float(string="Points", readonly=True, digits=(5, 1), aggregator="avg")
    class_auto = fields.Selection(CLASSES, string="Computed Class", readonly=True)
    class_adjustment = fields.Integer(readonly=True, aggregator=None)
    customer_class = fields.Selection(
        CLASSES,
        string="Class",
        readonly=True,
        help="Computed class with the manual adjustment, from A (best) to D.",
    )
    class_reasons = fields.Text(compute="_compute_class_reasons")
    likeness = fields.Float(
        string="Likeness (%)",
        readonly=True,
        digits=(5, 1),
        aggregator="avg",
        help="How much a prospect or a small client resembles the clients of class A.",
    )
    likeness_reasons = fields.Char(compute="_compute_likeness_reasons")
    month_amounts = fields.Json(string="By Month", compute="_compute_month_amounts")
    history_ids = fields.One2many(
        "crm.customer.profile.history", compute="_compute_history_ids", string="History"
    )

    # scores
    score_recency = fields.Integer(string="R", readonly=True, aggregator="avg", help="5 is best.")
    score_frequency = fields.Integer(string="F", readonly=True, aggregator="avg", help="5 is best.")
    score_monetary = fields.Integer(string="M", readonly=True, aggregator="avg", help="5 is best.")
    rfm = fields.Char(
        string="RFM", readonly=True, help="Scores of recency, frequency and turnover, 5 is best."
    )
    segment = fields.Selection(
        [
            ("champion", "Champions"),
            ("loyal", "Loyal"),
            ("potential", "Potential Loyalists"),
            ("new", "New"),
            ("promising", "Promising"),
            ("attention", "Need Attention"),
            ("about_to_sleep", "About to Sleep"),
            ("cannot_lose", "Cannot Lose Them"),
            ("at_risk", "At Risk"),
            ("hibernating", "Hibernating"),
            ("lost", "Lost"),
            ("no_purchase", "No Purchases"),
        ],
        readonly=True,
    )
    date_refreshed = fields.Date(string="As of", readonly=True)

    _partner_company_unique = models.Constraint(
        "UNIQUE(partner_id, company_id)", "A client has one profile per company."
    )

    def init(self):
        # recency moves every night: room on the page spares each row its entries in the indexes
        self.env.cr.execute("ALTER TABLE crm_customer_profile SET (fillfactor = 50)")

    # ------------------------------------------------------------------
    # computes
    # ------------------------------------------------------------------

    def _compute_month_amounts(self):
        """Turnover of the last months, the present one included, for the sparkline."""
        months = {}
        today = fields.Date.context_today(self)
        if self.ids:
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT p.id, m.month, m.amount
                      FROM crm_customer_profile p
              CROSS JOIN LATERAL (
                        SELECT date_trunc('month', f.date)::date AS month, SUM(f.amount) AS amount
                          FROM crm_sale_fact f
                         WHERE f.commercial_partner_id = p.partner_id
                           AND f.company_id = p.company_id
                           AND f.date >= date_trunc('month', %(today)s::date) - %(back)s
                               * INTERVAL '1 month'
                           AND f.date <= %(today)s
                      GROUP BY 1
                           ) m
                     WHERE p.id = ANY(%(ids)s)
                    """,
                    today=today,
                    back=MONTHS_SHOWN - 1,
                    ids=self.ids,
                )
            )
            for profile, month, amount in rows:
                months.setdefault(profile, {})[month] = float(amount)
        first = fields.Date.start_of(today, "month")
        shown = [fields.Date.subtract(first, months=back) for back in range(MONTHS_SHOWN)][::-1]
        for profile in self:
            own = months.get(profile.id, {})
            profile.month_amounts = {
                "months": [fields.Date.to_string(month) for month in shown],
                "amounts": [own.get(month, 0.0) for month in shown],
                "currency_id": profile.currency_id.id,
            }

    @api.depends("partner_id", "company_id")
    def _compute_history_ids(self):
        history = self.env["crm.customer.profile.history"]
        rows = history.search(
            [
                ("partner_id", "in", self.partner_id.ids),
                ("company_id", "in", self.company_id.ids),
            ]
        )
        by_client = rows.grouped(lambda row: (row.partner_id, row.company_id))
        for profile in self:
            profile.history_ids = by_client.get((profile.partner_id, profile.company_id), history)

    # ------------------------------------------------------------------
    # actions
    # ------------------------------------------------------------------

    @api.model
    def action_refresh(self):
        """Refresh the profiles of the companies the user works in, with a progress bar."""
        self.check_access("read")
        return self.env["crm.customer.refresh"]._start(self.env.companies)

    def action_view_facts(self):
        """Open the sales facts behind the figures of this profile."""
        self.ensure_one()
        return self._get_facts_action(["list", "pivot", "graph"], {})

    def action_view_months(self):
        """Open the turnover of this client by month."""
        self.ensure_one()
        return self._get_facts_action(
            ["graph", "pivot", "list"], {"group_by": ["date:month"], "graph_mode": "bar"}
        )

    def _get_facts_action(self, views, context):
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_extended.crm_sale_fact_action")
        return {
            **action,
            "view_mode": ",".join(views),
            "views": [(False, view) for view in views],
            "name": self.env._("Sales of %(name)s", name=self.partner_id.display_name),
            "domain": [
                ("commercial_partner_id", "=", self.partner_id.id),
                ("company_id", "=", self.company_id.id),
            ],
            "context": context,
        }
