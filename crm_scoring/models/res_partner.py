from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# field of the client -> field of the profile
PROFILE_FIELDS = {
    "customer_class": "customer_class",
    "rfm_segment": "segment",
    "profile_stage": "stage",
    "profile_abc": "abc_turnover",
    "profile_xyz": "xyz",
    "rfm_cell": "rfm",
    "profile_date_first": "date_first",
    "profile_date_last": "date_last",
    "profile_date_next": "date_next",
    "profile_recency": "recency",
    "profile_frequency": "frequency",
    "profile_monetary": "monetary",
    "profile_monetary_year": "monetary_year",
    "profile_average": "average_purchase",
    "profile_margin_rate": "margin_rate",
    "profile_return_rate": "return_rate",
    "profile_trend": "trend",
    "profile_rhythm": "rhythm",
    "profile_p_alive": "p_alive",
    "profile_expected_amount": "expected_amount_90",
    "profile_likeness": "likeness",
    "is_rhythm_broken": "is_rhythm_broken",
}


class ResPartner(models.Model):
    """The profile of the client in the current company, on the client and its contacts.

    Nothing is stored here: the figures live in ``crm.customer.profile`` and are those of the
    commercial entity. All can be searched, so that a segment may ask for them.
    """

    _inherit = "res.partner"

    customer_profile_id = fields.Many2one(
        "crm.customer.profile",
        compute="_compute_customer_profile",
        search="_search_customer_profile_id",
        groups="sales_team.group_sale_salesman",
    )
    profile_currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_customer_profile",
        groups="sales_team.group_sale_salesman",
    )
    profile_month_amounts = fields.Json(
        string="By Month",
        compute="_compute_profile_month_amounts",
        groups="sales_team.group_sale_salesman",
    )
    customer_class = fields.Selection(
        selection=lambda self: self._get_profile_selection("customer_class"),
        string="Class",
        compute="_compute_customer_profile",
        search="_search_customer_class",
        groups="sales_team.group_sale_salesman",
    )
    rfm_segment = fields.Selection(
        selection=lambda self: self._get_profile_selection("segment"),
        string="Segment",
        compute="_compute_customer_profile",
        search="_search_rfm_segment",
        groups="sales_team.group_sale_salesman",
    )
    profile_stage = fields.Selection(
        selection=lambda self: self._get_profile_selection("stage"),
        string="Life-Cycle Stage",
        compute="_compute_customer_profile",
        search="_search_profile_stage",
        groups="sales_team.group_sale_salesman",
    )
    profile_abc = fields.Selection(
        selection=lambda self: self._get_profile_selection("abc_turnover"),
        string="ABC",
        compute="_compute_customer_profile",
        search="_search_profile_abc",
        groups="sales_team.group_sale_salesman",
    )
    profile_xyz = fields.Selection(
        selection=lambda self: self._get_profile_selection("xyz"),
        string="XYZ",
        compute="_compute_customer_profile",
        search="_search_profile_xyz",
        groups="sales_team.group_sale_salesman",
    )
    rfm_cell = fields.Char(
        string="RFM",
        compute="_compute_customer_profile",
        search="_search_rfm_cell",
        help="Scores of recency, frequency and turnover, 5 is best.",
        groups="sales_team.group_sale_salesman",
    )
    profile_date_first = fields.Date(
        string="First Purchase",
        compute="_compute_customer_profile",
        search="_search_profile_date_first",
        groups="sales_team.group_sale_salesman",
    )
    profile_date_last = fields.Date(
        string="Last Purchase",
        compute="_compute_customer_profile",
        search="_search_profile_date_last",
        groups="sales_team.group_sale_salesman",
    )
    profile_date_next = fields.Date(
        string="Next Purchase Due",
        compute="_compute_customer_profile",
        search="_search_profile_date_next",
        groups="sales_team.group_sale_salesman",
    )
    profile_recency = fields.Integer(
        string="Recency (days)",
        compute="_compute_customer_profile",
        search="_search_profile_recency",
        groups="sales_team.group_sale_salesman",
    )
    profile_frequency = fields.Integer(
        string="Purchases",
        compute="_compute_customer_profile",
        search="_search_profile_frequency",
        groups="sales_team.group_sale_salesman",
    )
    profile_monetary = fields.Monetary(
        string="Turnover",
        compute="_compute_customer_profile",
        search="_search_profile_monetary",
        currency_field="profile_currency_id",
        groups="sales_team.group_sale_salesman",
    )
    profile_monetary_year = fields.Monetary(
        string="Turnover, 12 Months",
        compute="_compute_customer_profile",
        search="_search_profile_monetary_year",
        currency_field="profile_currency_id",
        groups="sales_team.group_sale_salesman",
    )
    profile_average = fields.Monetary(
        string="Average Purchase",
        compute="_compute_customer_profile",
        search="_search_profile_average",
        currency_field="profile_currency_id",
        groups="sales_team.group_sale_salesman",
    )
    profile_margin_rate = fields.Float(
        string="Margin (%)",
        compute="_compute_customer_profile",
        search="_search_profile_margin_rate",
        digits=(10, 1),
        groups="sales_team.group_sale_salesman",
    )
    profile_return_rate = fields.Float(
        string="Returned (%)",
        compute="_compute_customer_profile",
        search="_search_profile_return_rate",
        digits=(10, 1),
        groups="sales_team.group_sale_salesman",
    )
    profile_trend = fields.Float(
        string="Trend (%)",
        compute="_compute_customer_profile",
        search="_search_profile_trend",
        digits=(10, 1),
        groups="sales_team.group_sale_salesman",
    )
    profile_rhythm = fields.Float(
        string="Usual Interval (days)",
        compute="_compute_customer_profile",
        search="_search_profile_rhythm",
        digits=(10, 1),
        groups="sales_team.group_sale_salesman",
    )
    profile_p_alive = fields.Float(
        string="Still Active (%)",
        compute="_compute_customer_profile",
        search="_search_profile_p_alive",
        digits=(10, 1),
        groups="sales_team.group_sale_salesman",
    )
    profile_expected_amount = fields.Monetary(
        string="Expected in 90 Days",
        compute="_compute_customer_profile",
        search="_search_profile_expected_amount",
        currency_field="profile_currency_id",
        groups="sales_team.group_sale_salesman",
    )
    profile_likeness = fields.Float(
        string="Likeness (%)",
        compute="_compute_customer_profile",
        search="_search_profile_likeness",
        digits=(10, 1),
        groups="sales_team.group_sale_salesman",
    )
    is_rhythm_broken = fields.Boolean(
        string="Rhythm Broken",
        compute="_compute_customer_profile",
        search="_search_is_rhythm_broken",
        groups="sales_team.group_sale_salesman",
    )

    def _get_profile_selection(self, name):
        return self.env["crm.customer.profile"]._fields[name]._description_selection(self.env)

    @api.depends("commercial_partner_id")
    @api.depends_context("company", "uid")
    def _compute_customer_profile(self):
        profiles = self.env["crm.customer.profile"].search(
            [
                ("partner_id", "in", self.commercial_partner_id.ids),
                ("company_id", "=", self.env.company.id),
            ]
        )
        by_partner = {profile.partner_id.id: profile for profile in profiles}
        for partner in self:
            profile = by_partner.get(partner.commercial_partner_id.id, profiles.browse())
            partner.customer_profile_id = profile
            partner.profile_currency_id = profile.currency_id
            # sudo: found with the user's rights; each field of the client has rights of its own
            profile_sudo = profile.sudo()
            for name, source in PROFILE_FIELDS.items():
                partner[name] = profile_sudo[source]

    @api.depends("customer_profile_id")
    def _compute_profile_month_amounts(self):
        for partner in self:
            partner.profile_month_amounts = partner.customer_profile_id.month_amounts

    def _search_customer_profile_id(self, operator, value):
        return self._search_by_profile(operator, value, "id")

    def _search_customer_class(self, operator, value):
        return self._search_by_profile(operator, value, "customer_class")

    def _search_rfm_segment(self, operator, value):
        return self._search_by_profile(operator, value, "segment")

    def _search_profile_stage(self, operator, value):
        return self._search_by_profile(operator, value, "stage")

    def _search_profile_abc(self, operator, value):
        return self._search_by_profile(operator, value, "abc_turnover")

    def _search_profile_xyz(self, operator, value):
        return self._search_by_profile(operator, value, "xyz")

    def _search_rfm_cell(self, operator, value):
        return self._search_by_profile(operator, value, "rfm")

    def _search_profile_date_first(self, operator, value):
        return self._search_by_profile(operator, value, "date_first")

    def _search_profile_date_last(self, operator, value):
        return self._search_by_profile(operator, value, "date_last")

    def _search_profile_date_next(self, operator, value):
        return self._search_by_profile(operator, value, "date_next")

    def _search_profile_recency(self, operator, value):
        return self._search_by_profile(operator, value, "recency")

    def _search_profile_frequency(self, operator, value):
        return self._search_by_profile(operator, value, "frequency")

    def _search_profile_monetary(self, operator, value):
        return self._search_by_profile(operator, value, "monetary")

    def _search_profile_monetary_year(self, operator, value):
        return self._search_by_profile(operator, value, "monetary_year")

    def _search_profile_average(self, operator, value):
        return self._search_by_profile(operator, value, "average_purchase")

    def _search_profile_margin_rate(self, operator, value):
        return self._search_by_profile(operator, value, "margin_rate")

    def _search_profile_return_rate(self, operator, value):
        return self._search_by_profile(operator, value, "return_rate")

    def _search_profile_trend(self, operator, value):
        return self._search_by_profile(operator, value, "trend")

    def _search_profile_rhythm(self, operator, value):
        return self._search_by_profile(operator, value, "rhythm")

    def _search_profile_p_alive(self, operator, value):
        return self._search_by_profile(operator, value, "p_alive")

    def _search_profile_expected_amount(self, operator, value):
        return self._search_by_profile(operator, value, "expected_amount_90")

    def _search_profile_likeness(self, operator, value):
        return self._search_by_profile(operator, value, "likeness")

    def _search_is_rhythm_broken(self, operator, value):
        return self._search_by_profile(operator, value, "is_rhythm_broken")

    @api.model
    def _search_by_profile(self, operator, value, field):
        """Return the domain of clients whose profile in the current company fits.

        False stands for clients without a profile, or without the figure.
        """
        profile = self.env["crm.customer.profile"]
        of_company = Domain("company_id", "=", self.env.company.id)
        if operator in ("any", "<", ">", "<=", ">=", "like", "ilike", "=like", "=ilike"):
            found = profile._search(of_company & Domain(field, operator, value))
            return Domain("commercial_partner_id", "in", self._select_partners(found))
        if operator != "in":
            return NotImplemented
        values = [item for item in value if item]
        domain = Domain.FALSE
        if values:
            found = profile._search(of_company & Domain(field, "in", values))
            domain |= Domain("commercial_partner_id", "in", self._select_partners(found))
        if len(values) < len(list(value)):
            every = profile._search(of_company & Domain(field, "!=", False))
            domain |= Domain("commercial_partner_id", "not in", self._select_partners(every))
        return domain

    @api.model
    def _select_partners(self, query):
        # the column is named with its table: record rules may join the clients themselves
        return query.subselect(SQL.identifier(query.table, "partner_id"))

    def action_view_customer_profile(self):
        """Open the profile of this client in the current company."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Client Analytics"),
            "res_model": "crm.customer.profile",
            "res_id": self.customer_profile_id.id,
            "views": [(False, "form")],
        }

    def action_view_sale_facts(self):
        """Open the sales of this client: orders and imported history."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_extended.crm_sale_fact_action")
        return {
            **action,
            "view_mode": "list,pivot,graph",
            "views": [(False, "list"), (False, "pivot"), (False, "graph")],
            "domain": [("commercial_partner_id", "=", self.commercial_partner_id.id)],
            "context": {},
        }
