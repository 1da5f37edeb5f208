from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class ResPartner(models.Model):
    """The profile of the client in the current company, on the client and its contacts.

    Nothing is stored here: the figures live in ``crm.customer.profile`` and are those of the
    commercial entity.
    """

    _inherit = "res.partner"

    customer_profile_id = fields.Many2one(
        "crm.customer.profile",
        compute="_compute_customer_profile",
        search="_search_customer_profile_id",
        groups="sales_team.group_sale_salesman",
    )
    rfm_segment = fields.Selection(
        selection=lambda self: self.env["crm.customer.profile"]._fields["segment"].selection,
        string="Segment",
        compute="_compute_customer_profile",
        search="_search_rfm_segment",
        groups="sales_team.group_sale_salesman",
    )
    rfm_cell = fields.Char(
        string="RFM",
        compute="_compute_customer_profile",
        groups="sales_team.group_sale_salesman",
        help="Scores of recency, frequency and turnover, 5 is best.",
    )
    profile_recency = fields.Integer(
        string="Recency (days)",
        compute="_compute_customer_profile",
        groups="sales_team.group_sale_salesman",
    )
    profile_frequency = fields.Integer(
        string="Purchases",
        compute="_compute_customer_profile",
        groups="sales_team.group_sale_salesman",
    )
    profile_monetary = fields.Monetary(
        string="Turnover",
        compute="_compute_customer_profile",
        currency_field="profile_currency_id",
        groups="sales_team.group_sale_salesman",
    )
    profile_monetary_year = fields.Monetary(
        string="Turnover, 12 Months",
        compute="_compute_customer_profile",
        currency_field="profile_currency_id",
        groups="sales_team.group_sale_salesman",
    )
    profile_average = fields.Monetary(
        string="Average Purchase",
        compute="_compute_customer_profile",
        currency_field="profile_currency_id",
        groups="sales_team.group_sale_salesman",
    )
    profile_date_last = fields.Date(
        string="Last Purchase",
        compute="_compute_customer_profile",
        groups="sales_team.group_sale_salesman",
    )
    profile_currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_customer_profile",
        groups="sales_team.group_sale_salesman",
    )

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
            partner.rfm_segment = profile.segment
            partner.rfm_cell = profile.rfm
            partner.profile_recency = profile.recency
            partner.profile_frequency = profile.frequency
            partner.profile_monetary = profile.monetary
            partner.profile_monetary_year = profile.monetary_year
            partner.profile_average = profile.average_purchase
            partner.profile_date_last = profile.date_last
            partner.profile_currency_id = profile.currency_id

    def _search_customer_profile_id(self, operator, value):
        return self._search_by_profile(operator, value, "id")

    def _search_rfm_segment(self, operator, value):
        return self._search_by_profile(operator, value, "segment")

    @api.model
    def _search_by_profile(self, operator, value, field):
        """Return the domain of clients whose profile in the current company fits.

        False stands for clients without a profile.
        """
        if operator != "in":
            return NotImplemented
        profile = self.env["crm.customer.profile"]
        of_company = Domain("company_id", "=", self.env.company.id)
        values = [item for item in value if item]
        domain = Domain.FALSE
        if values:
            found = profile._search(of_company & Domain(field, "in", values))
            domain |= Domain("commercial_partner_id", "in", self._select_partners(found))
        if len(values) < len(list(value)):
            every = profile._search(of_company)
            domain |= Domain("commercial_partner_id", "not in", self._select_partners(every))
        return domain

    @api.model
    def _select_partners(self, query):
        # the column is named with its table: record rules may join the clients themselves
        return query.subselect(SQL.identifier(query.table, "partner_id"))

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
