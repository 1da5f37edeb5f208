from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.sql import drop_view_if_exists

from ..tools.recommendations_xlsx import build_tables_workbook

# ratio -> what is divided by what, and by how much it is multiplied
RATIOS = {
    "roi": ("revenue - cost", "cost", 100),
    "conversion": ("won", "leads", 100),
    "cost_per_lead": ("cost", "leads", 1),
    "cost_per_won": ("cost", "won", 1),
    "average": ("revenue", "orders", 1),
}


class CrmChannelReport(models.Model):
    """Sources and channels: what they cost and what they brought.

    - A row is a deal or lead on the day it came, the same deal on the day it was won, an order on
      its day, or a part of a cost in a month. So each figure stands in the period it belongs to;
      the revenue of this month may come from leads of an earlier one.
    - Revenue is that of the sales facts: confirmed orders, untaxed, in company currency, returned
      lines deducted. The channel of an order is its own, else that of its deal. Imported history
      knows no channel and is left out.
    - Days are those of the time zone of the company. A lead without company is counted with that
      of its team or salesperson, else with the first company.
    - Ratios are of sums, never means of ratios: return = (revenue - cost) / cost, conversion =
      won / leads, average cheque = revenue / orders. Nothing to divide by: no ratio.
    """

    _name = "crm.channel.report"
    _description = "Sources and Channels"
    _auto = False
    _order = "date desc, id"
    _rec_name = "source_id"

    date = fields.Date(readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    source_id = fields.Many2one("utm.source", string="Source", readonly=True)
    medium_id = fields.Many2one("utm.medium", string="Medium", readonly=True)
    campaign_id = fields.Many2one("utm.campaign", string="Campaign", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    leads = fields.Integer(readonly=True, help="Leads and deals that came.")
    won = fields.Integer(readonly=True, help="Deals won.")
    orders = fields.Integer(readonly=True, help="Confirmed orders.")
    revenue = fields.Monetary(readonly=True, help="Untaxed, less returns.")
    cost = fields.Monetary(readonly=True)
    roi = fields.Float(
        string="Return (%)",
        readonly=True,
        digits=(10, 1),
        aggregator="avg",
        help="Revenue less cost, in percent of the cost. 0 is: the money has just come back.",
    )
    conversion = fields.Float(
        string="Conversion (%)",
        readonly=True,
        digits=(6, 1),
        aggregator="avg",
        help="Won by leads.",
    )
    cost_per_lead = fields.Monetary(string="Cost per Lead", readonly=True, aggregator="avg")
    cost_per_won = fields.Monetary(string="Cost per Won Deal", readonly=True, aggregator="avg")
    average = fields.Monetary(
        string="Average Cheque", readonly=True, aggregator="avg", help="Revenue by orders."
    )

    def init(self):
        drop_view_if_exists(self.env.cr, self._table)
        self.env.cr.execute(
            SQL(
                """
                CREATE VIEW %(table)s AS (
                SELECT row_number() OVER () AS id, r.date, r.company_id, c.currency_id,
                       r.source_id, r.medium_id, r.campaign_id, r.team_id, r.user_id,
                       r.leads, r.won, r.orders, r.revenue, r.cost,
                       NULL::numeric AS roi, NULL::numeric AS conversion,
                       NULL::numeric AS cost_per_lead, NULL::numeric AS cost_per_won,
                       NULL::numeric AS average
                  FROM (%(leads)s UNION ALL %(won)s UNION ALL %(orders)s UNION ALL %(costs)s) r
                  JOIN res_company c ON c.id = r.company_id
                )
                """,
                table=SQL.identifier(self._table),
                leads=self._get_lead_query(
                    SQL("l.create_date"), SQL("1 AS leads, 0 AS won"), SQL("TRUE")
                ),
                won=self._get_lead_query(
                    SQL("COALESCE(l.date_closed, l.write_date)"),
                    SQL("0 AS leads, 1 AS won"),
                    SQL("l.won_status = 'won'"),
                ),
                orders=self._get_order_query(),
                costs=self._get_cost_query(),
            )
        )

    def _get_lead_query(self, date, counts, condition):
        """Return the SELECT of deals; ``counts`` are leads and won."""
        return SQL(
            """
            SELECT timezone(COALESCE(cp.tz, 'UTC'), timezone('UTC', %(date)s))::date AS date,
                   lc.id AS company_id, l.source_id, l.medium_id, l.campaign_id, l.team_id,
                   l.user_id, %(counts)s, 0 AS orders, 0::numeric AS revenue, 0::numeric AS cost
              FROM crm_lead l
         LEFT JOIN crm_team t ON t.id = l.team_id
         LEFT JOIN res_users u ON u.id = l.user_id
              JOIN res_company lc ON lc.id = COALESCE(
                       l.company_id, t.company_id, u.company_id,
                       (SELECT MIN(id) FROM res_company)
                   )
              JOIN res_partner cp ON cp.id = lc.partner_id
             WHERE %(condition)s
            """,
            date=date,
            counts=counts,
            condition=condition,
        )

    def _get_order_query(self):
        """Return the SELECT of confirmed orders, one row each."""
        return SQL(
            """
            SELECT f.date, o.company_id, COALESCE(o.source_id, l.source_id),
                   COALESCE(o.medium_id, l.medium_id), COALESCE(o.campaign_id, l.campaign_id),
                   o.team_id, o.user_id, 0, 0, 1, f.amount, 0::numeric
              FROM (
                    SELECT sl.order_id, MAX(s.date) AS date, SUM(s.amount) AS amount
                      FROM crm_sale_fact s
                      JOIN sale_order_line sl ON sl.id = s.order_line_id
                     WHERE s.origin = 'order'
                  GROUP BY sl.order_id
                   ) f
              JOIN sale_order o ON o.id = f.order_id
         LEFT JOIN crm_lead l ON l.id = o.opportunity_id
            """
        )

    def _get_cost_query(self):
        """Return the SELECT of the costs, spread evenly over their days, one row a month."""
        return SQL(
            """
            SELECT GREATEST(k.date_from, m.month::date), k.company_id, k.source_id, k.medium_id,
                   k.campaign_id, NULL::integer, NULL::integer, 0, 0, 0, 0::numeric,
                   k.amount_company
                   * (LEAST(k.date_to, (m.month + INTERVAL '1 month')::date - 1)
                      - GREATEST(k.date_from, m.month::date) + 1)
                   / (k.date_to - k.date_from + 1)
              FROM crm_channel_cost k
        CROSS JOIN LATERAL generate_series(
                       date_trunc('month', k.date_from::timestamp), k.date_to::timestamp,
                       INTERVAL '1 month'
                   ) m (month)
            """
        )

    def _read_group_select(self, aggregate_spec, query):
        """Ratios of the sums of a group."""
        name = aggregate_spec.split(":")[0]
        if name not in RATIOS:
            return super()._read_group_select(aggregate_spec, query)
        above, below, times = RATIOS[name]

        def add_up(text):
            first, _minus, second = text.partition(" - ")
            terms = [
                SQL("SUM(%s)", self._field_to_sql(self._table, term, query))
                for term in (first, second)
                if term
            ]
            return SQL(" - ").join(terms)

        return SQL("%s * (%s)::numeric / NULLIF(%s, 0)", times, add_up(above), add_up(below))

    @api.model
    def _export_xlsx(self, model, domain):
        """Return the workbook of sources, media and campaigns, as far as the user may see them.

        :rtype: bytes
        """
        if model not in (self._name, "crm.channel.cost"):
            raise ValueError(model)
        own = Domain("company_id", "in", self.env.companies.ids)
        if model == self._name:
            own &= Domain(domain)
        names = ("leads", "won", "conversion", "orders", "revenue", "average", "cost", "roi",
                 "cost_per_lead", "cost_per_won")  # fmt: skip
        specs = [f"{name}:{'avg' if name in RATIOS else 'sum'}" for name in names]
        kinds = {"leads": "number", "won": "number", "orders": "number"}
        tables = []
        for key in ("source_id", "medium_id", "campaign_id"):
            groups = self._read_group(own, [key], specs)
            tables.append(
                {
                    "title": self._fields[key]._description_string(self.env),
                    "columns": [
                        (self._fields[key]._description_string(self.env), "text"),
                        *(
                            (
                                self._fields[name]._description_string(self.env),
                                kinds.get(name, "decimal"),
                            )
                            for name in names
                        ),
                    ],
                    "rows": [
                        [record.display_name or self.env._("Not known"), *numbers]
                        for record, *numbers in sorted(groups, key=lambda group: -(group[5] or 0))
                    ],
                    "chart": (0, [5, 7]),
                }
            )
        return build_tables_workbook(tables)
