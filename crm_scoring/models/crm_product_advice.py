from odoo import api, fields, models


class CrmProductAdvice(models.Model):
    """How a company finds product rules and recommends products, and what came of it.

    One record per company, made when it is first needed. Sales managers set it; *facts* are written
    by the refresh alone.
    """

    _name = "crm.product.advice"
    _description = "Recommendation of Products"
    _rec_name = "company_id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade", index=True
    )
    # rules
    rule_level = fields.Selection(
        [("product", "Products"), ("category", "Product categories")],
        string="Rules Between",
        required=True,
        default="product",
    )
    rule_months = fields.Integer(string="Baskets of the Last (months)", default=12)
    rule_min_count = fields.Integer(
        string="Baskets at Least", default=10, help="Rules seen more rarely are chance."
    )
    rule_support = fields.Float(
        string="Support from (%)",
        default=1.0,
        digits=(6, 3),
        help="Share of the baskets that hold all products of a rule.",
    )
    rule_confidence = fields.Float(
        string="Confidence from (%)",
        default=20.0,
        digits=(6, 2),
        help="Share of the baskets with the left side that hold the right side too.",
    )
    rule_lift = fields.Float(
        string="Lift from",
        default=1.2,
        digits=(8, 2),
        help="How many times as often as by chance. 1 is chance.",
    )
    rule_leverage = fields.Float(
        string="Leverage from (%)",
        default=0.0,
        digits=(6, 3),
        help="Share of the baskets beyond what chance would give.",
    )
    rule_max_size = fields.Integer(
        string="Products per Rule at Most", default=3, help="Both sides together, from 2."
    )
    # recommendations
    history_months = fields.Integer(string="Learn from the Last (months)", default=24)
    list_size = fields.Integer(string="New Products per Client", default=12)
    just_bought_days = fields.Integer(
        string="Just Bought (days)",
        default=14,
        help="A product bought so lately is not recommended, unless it is due again.",
    )
    due_days = fields.Integer(
        string="Due Again Within (days)",
        default=14,
        help="A product is recommended again so long before it is due.",
    )
    excluded_product_ids = fields.Many2many(
        "product.product", string="Never Recommend", check_company=True
    )
    excluded_categ_ids = fields.Many2many("product.category", string="Never Recommend Categories")
    # measurement
    holdout_percent = fields.Integer(
        string="Hold-Out (%)",
        default=0,
        help="Share of the clients to whom nothing is shown, for comparison: what they buy anyway "
        "is not owed to the recommendations.",
    )
    offer_days = fields.Integer(
        string="Counts as Taken Within (days)",
        default=30,
        help="A recommended product bought so soon counts as taken.",
    )
    # facts
    datetime_refreshed = fields.Datetime(string="Refreshed on", readonly=True)
    basket_count = fields.Integer(string="Baskets", readonly=True)
    rule_count = fields.Integer(string="Rules", readonly=True)
    client_count = fields.Integer(string="Clients with Recommendations", readonly=True)
    report = fields.Json(readonly=True)
    report_text = fields.Text(string="Quality", compute="_compute_report_text")
    error = fields.Text(readonly=True)

    _company_unique = models.Constraint(
        "UNIQUE(company_id)", "A company recommends products in one way."
    )
    _check_rules = models.Constraint(
        "CHECK(rule_support > 0 AND rule_support <= 100 AND rule_confidence >= 0"
        " AND rule_confidence <= 100 AND rule_lift >= 0 AND rule_min_count >= 1"
        " AND rule_max_size BETWEEN 2 AND 6 AND rule_months >= 1)",
        "Rules: support lies above 0 and up to 100%, confidence between 0 and 100%, lift is not "
        "negative, baskets and months are at least 1, a rule has 2 to 6 products.",
    )
    _check_lists = models.Constraint(
        "CHECK(history_months >= 1 AND list_size BETWEEN 1 AND 50 AND just_bought_days >= 0"
        " AND due_days >= 0 AND holdout_percent BETWEEN 0 AND 90 AND offer_days >= 1)",
        "Recommendations: at least a month to learn from, 1 to 50 products per client, days not "
        "negative, a hold-out of 0 to 90%, and at least a day to take an offer.",
    )

    @api.depends("report")
    def _compute_report_text(self):
        for advice in self:
            report = advice.report or {}
            advice.report_text = (
                self.env._(
                    "Tested on the last %(days)s days, held back, with %(clients)s clients. Of "
                    "what they bought for the first time the first ten recommendations name "
                    "%(new).1f%% (the best sellers %(new_crowd).1f%%); of all they bought "
                    "%(all).1f%% (their own usual products %(all_own).1f%%, the best sellers "
                    "%(all_crowd).1f%%).",
                    days=report["horizon"],
                    clients=report["clients"],
                    **{
                        name: 100 * report[name]
                        for name in ("new", "new_crowd", "all", "all_own", "all_crowd")
                    },
                )
                if report.get("clients")
                else self.env._(
                    "Fewer than 20 clients bought again in the last part of the time: the mix of "
                    "habits, similar clients and best sellers is the usual one, not a tested one."
                )
            )

    @api.model
    def _get_for(self, company):
        """Return the record of a company; make it when there is none yet."""
        # sudo: the refresh needs it whoever asked for it
        records_sudo = self.sudo()
        found = records_sudo.search([("company_id", "=", company.id)])
        return found or records_sudo.create({"company_id": company.id})

    @api.model
    def action_open(self):
        """Open the settings of the current company."""
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Settings of the Recommendations"),
            "res_model": self._name,
            "res_id": self._get_for(self.env.company).id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def action_refresh(self):
        """Find rules and recommendations anew, in the background."""
        self.check_access("write")
        # sudo: only a time is noted
        self.env.ref("crm_scoring.ir_cron_crm_product_recommendation").sudo()._trigger()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("Rules and recommendations are being computed."),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    @api.model
    def _cron_refresh(self):
        """Rules and recommendations company by company, each in a transaction of its own."""
        cron = self.env["ir.cron"]
        companies = self.env["res.company"].search([])
        for done, company in enumerate(companies, 1):
            self._get_for(company)._refresh()
            if not cron._commit_progress(1, remaining=len(companies) - done):
                break

    @api.model
    def _refresh_companies(self):
        """Rules and recommendations of all companies, in the present transaction."""
        for company in self.env["res.company"].search([]):
            self._get_for(company)._refresh()

    def _refresh(self, today=None):
        """Find the rules and the recommendations of a company, and count what was taken.

        :param datetime.date today: by default the day in the time zone of the company
        """
        self.ensure_one()
        today = today or self.env["crm.customer.profile"]._get_today(self.company_id)
        self.env["crm.customer.profile"]._flush_inputs()
        self.env["crm.product.rule"]._refresh(self, today)
        self.env["crm.product.recommendation"]._refresh(self, today)
        self.env["crm.product.offer"]._refresh_taken(self, today)
        self.datetime_refreshed = fields.Datetime.now()

    def _get_excluded_products(self):
        """Return the ids of products that are never recommended, as a set."""
        self.ensure_one()
        products = self.excluded_product_ids
        if self.excluded_categ_ids:
            # sudo: settings of the company hold for everybody
            products |= (
                self.env["product.product"]
                .sudo()
                .with_context(active_test=False)
                .search([("categ_id", "child_of", self.excluded_categ_ids.ids)])
            )
        return set(products.ids)
