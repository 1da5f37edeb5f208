from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.tools import SQL

HALF_YEAR = 182  # days


class CrmCustomerProfile(models.Model):
    """From sales facts to the figures of each client, in temporary tables.

    ``crm_tmp_document``: a row per client and document, amounts in the smallest unit of the
    currency as whole numbers: they are added up a dozen times, exactly, and much faster than
    decimals. ``crm_tmp_figure``: a row per client, with the columns of the profile that need
    nobody else's figures. They hold one company.
    """

    _inherit = "crm.customer.profile"

    @api.model
    def _get_excluded_partners(self):
        """Return clients that are nobody in particular."""
        return (
            self.env.ref("crm_extended.partner_walk_in", raise_if_not_found=False)
            or (self.env["res.partner"])
        )

    @api.model
    def _get_fact_query(self, company, today, clients=None):
        """Return the SELECT of the documents of a company: the one statement that reads all facts.

        :param list clients: ids, all clients by default
        """
        cost, join = self._get_cost(company)
        return SQL(
            """
            SELECT f.commercial_partner_id AS partner_id,
                   MAX(f.date) AS date,
                   SUM(f.amount) AS amount,
                   SUM(f.amount) FILTER (WHERE f.is_return) AS returned,
                   %(margin)s
              FROM crm_sale_fact f%(join)s
             WHERE f.company_id = %(company)s AND f.date <= %(today)s%(clients)s
          GROUP BY f.commercial_partner_id, date_part('year', f.date),
                   COALESCE(f.document, f.date::text)
            """,
            margin=SQL(
                "SUM(f.amount - f.quantity * %(cost)s) AS margin,"
                " SUM(f.amount) FILTER (WHERE %(cost)s IS NOT NULL) AS costed",
                cost=cost,
            )
            if cost
            else SQL("NULL::numeric AS margin, NULL::numeric AS costed"),
            join=join,
            company=company.id,
            today=today,
            clients=SQL("")
            if clients is None
            else SQL(" AND f.commercial_partner_id = ANY(%s)", clients),
        )

    @api.model
    def _get_cost(self, company):
        """Return the SQL of the cost of a unit (NULL: not known) and the joins it needs.

        The cost kept on the order line where Margins is installed, else the present cost of the
        product in the company. (None, nothing) when no product has a cost.
        """
        key = str(company.root_id.id)
        [(known,)] = self.env.execute_query(
            SQL(
                "SELECT EXISTS (SELECT FROM product_product"
                " WHERE (standard_price ->> %s)::numeric > 0)",
                key,
            )
        )
        with_line = "purchase_price" in self.env["sale.order.line"]._fields
        if not known and not with_line:
            return None, SQL("")
        cost = SQL("NULLIF((pp.standard_price ->> %s)::numeric, 0)", key)
        join = SQL(" LEFT JOIN product_product pp ON pp.id = f.product_id")
        if with_line:
            cost = SQL(
                "COALESCE(NULLIF(sl.purchase_price * so.factor, 0), %s)",
                cost,
            )
            join = SQL(
                """%s
                LEFT JOIN sale_order_line sl ON sl.id = f.order_line_id
                LEFT JOIN LATERAL (
                    SELECT COALESCE(pu.factor, 1) / COALESCE(lu.factor, 1)
                           / COALESCE(NULLIF(o.currency_rate, 0), 1)::numeric AS factor
                      FROM sale_order o
                 LEFT JOIN uom_uom lu ON lu.id = sl.product_uom_id
                 LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
                 LEFT JOIN uom_uom pu ON pu.id = pt.uom_id
                     WHERE o.id = sl.order_id
                ) so ON TRUE""",
                join,
            )
        return cost, join

    @api.model
    def _fill_documents(self, company, today, clients):
        self.env.cr.execute(
            SQL(
                """
                CREATE TEMPORARY TABLE crm_tmp_document ON COMMIT DROP AS
                SELECT partner_id, date, (amount * %(units)s)::bigint AS amount,
                       (returned * %(units)s)::bigint AS returned, margin, costed
                  FROM (%(facts)s) documents
                """,
                units=self._get_units(company),
                facts=self._get_fact_query(company, today, clients),
            )
        )
        # how many rows and clients: what is planned with
        self.env.cr.execute("ANALYZE crm_tmp_document (partner_id, date)")

    @api.model
    def _get_units(self, company):
        """Return how many of the smallest unit make one of the currency, 100 kopecks a rouble."""
        return 10**company.currency_id.decimal_places

    @api.model
    def _get_prospect_query(self, company):
        """Return the SELECT of clients with a deal or a quotation of the company."""
        return SQL(
            """
            SELECT DISTINCT p.commercial_partner_id AS partner_id
              FROM (
                    SELECT l.partner_id
                      FROM crm_lead l
                 LEFT JOIN crm_team t ON t.id = l.team_id
                 LEFT JOIN res_users u ON u.id = l.user_id
                     WHERE COALESCE(l.company_id, t.company_id, u.company_id) = %(company)s
                     UNION
                    SELECT partner_id FROM sale_order
                     WHERE company_id = %(company)s AND state IN ('draft', 'sent')
                   ) asked
              JOIN res_partner p ON p.id = asked.partner_id
              JOIN res_partner client ON client.id = p.commercial_partner_id
             WHERE client.active
               AND NOT EXISTS (
                    SELECT FROM res_users u WHERE u.partner_id = client.id AND NOT u.share
                   )
               AND NOT EXISTS (SELECT FROM res_company c WHERE c.partner_id = client.id)
            """,
            company=company.id,
        )

    @api.model
    def _fill_figures(self, company, today, clients):
        month = fields.Date.start_of(today, "month")
        self.env.cr.execute(
            SQL(
                """
                CREATE TEMPORARY TABLE crm_tmp_figure ON COMMIT DROP AS
                WITH gaps AS (
                    SELECT *, amount > 0 AS is_purchase,
                           date - LAG(date) OVER by_date AS gap,
                           date = FIRST_VALUE(date) OVER by_date AS is_first
                      FROM crm_tmp_document
                    WINDOW by_date AS (PARTITION BY partner_id, amount > 0 ORDER BY date)
                ),
                sums AS (
                    SELECT partner_id,
                           MIN(date) FILTER (WHERE is_purchase) AS date_first,
                           MAX(date) FILTER (WHERE is_purchase) AS date_last,
                           COUNT(*) FILTER (WHERE is_purchase) AS frequency,
                           SUM(amount) AS monetary,
                           COALESCE(SUM(amount) FILTER (WHERE date > %(year_ago)s), 0)
                               AS monetary_year,
                           AVG(amount) FILTER (WHERE is_purchase) AS average_purchase,
                           -COALESCE(SUM(returned), 0) AS amount_returned,
                           COALESCE(SUM(amount) FILTER (WHERE date > %(half)s), 0) AS amount_half,
                           COALESCE(SUM(amount) FILTER (
                               WHERE date > %(half_before)s AND date <= %(half)s), 0
                           ) AS amount_half_before,
                           SUM(margin) AS margin,
                           SUM(costed) AS costed,
                           COUNT(*) FILTER (WHERE is_purchase AND gap > 0)
                               + (COUNT(*) FILTER (WHERE is_purchase) > 0)::integer
                               AS purchase_days,
                           percentile_cont(0.5) WITHIN GROUP (ORDER BY gap)
                               FILTER (WHERE is_purchase AND gap > 0) AS rhythm,
                           -- of the last day, which has the largest number of days and gap
                           MAX((date - '1900-01-01'::date)::bigint * 1000000 + gap)
                               FILTER (WHERE is_purchase AND gap > 0) %% 1000000 AS gap_last,
                           SUM(amount) FILTER (WHERE is_purchase AND NOT is_first)
                               / NULLIF(COUNT(*) FILTER (WHERE is_purchase AND gap > 0), 0)
                               AS repeat_mean
                      FROM gaps
                  GROUP BY partner_id
                ),
                months AS (
                    -- twelve of them, so that the number of a month is enough
                    SELECT partner_id, SUM(amount) AS total, SUM(amount * amount) AS squares
                      FROM (
                            SELECT partner_id, SUM(amount)::float8 AS amount
                              FROM crm_tmp_document
                             WHERE date >= %(months_from)s AND date < %(month)s
                          GROUP BY partner_id, date_part('month', date)
                           ) by_month
                  GROUP BY partner_id
                ),
                spans AS (
                    SELECT s.*, m.total / NULLIF(n.months, 0) AS month_mean,
                           m.squares / NULLIF(n.months, 0) AS month_squares, n.months
                      FROM sums s
                 LEFT JOIN months m USING (partner_id)
                CROSS JOIN LATERAL (
                           SELECT LEAST(12, (
                                  12 * (date_part('year', %(month)s::date)
                                        - date_part('year', s.date_first))
                                  + date_part('month', %(month)s::date)
                                  - date_part('month', s.date_first))::integer) AS months
                           ) n
                )
                SELECT p.id AS partner_id, s.date_first, s.date_last,
                       COALESCE(s.frequency, 0)::integer AS frequency,
                       COALESCE(s.purchase_days, 0)::integer AS purchase_days,
                       ROUND(COALESCE(s.monetary, 0) / %(units)s, %(digits)s) AS monetary,
                       ROUND(COALESCE(s.monetary_year, 0) / %(units)s, %(digits)s) AS monetary_year,
                       ROUND(s.average_purchase / %(units)s, %(digits)s) AS average_purchase,
                       ROUND(COALESCE(s.amount_returned, 0) / %(units)s, %(digits)s)
                           AS amount_returned,
                       ROUND(100 * s.amount_returned
                             / NULLIF(s.monetary + s.amount_returned, 0), 1) AS return_rate,
                       ROUND(s.amount_half / %(units)s, %(digits)s) AS amount_half,
                       ROUND(s.amount_half_before / %(units)s, %(digits)s) AS amount_half_before,
                       CASE WHEN s.amount_half_before > 0 THEN
                           ROUND(100 * (s.amount_half / s.amount_half_before - 1), 1)
                       END AS trend,
                       ROUND(s.margin, %(digits)s) AS margin,
                       ROUND(100 * s.margin / NULLIF(s.costed, 0), 1) AS margin_rate,
                       ROUND(s.rhythm::numeric, 1) AS rhythm,
                       s.gap_last::integer AS gap_last,
                       ROUND(s.repeat_mean / %(units)s, 2) AS repeat_mean,
                       CASE WHEN s.months >= 3 AND s.month_mean > 0 THEN
                           ROUND((100 * sqrt(GREATEST(
                               s.month_squares - s.month_mean * s.month_mean, 0
                           )) / s.month_mean)::numeric, 1)
                       END AS variation
                  FROM %(clients)s c
                  JOIN res_partner p ON p.id = c.partner_id
             LEFT JOIN spans s ON s.partner_id = p.id
                 WHERE p.id != ALL(%(excluded)s)
                """,
                month=month,
                months_from=month - relativedelta(years=1),
                year_ago=today - relativedelta(years=1),
                half=fields.Date.subtract(today, days=HALF_YEAR),
                half_before=fields.Date.subtract(today, days=2 * HALF_YEAR),
                digits=company.currency_id.decimal_places,
                units=self._get_units(company),
                excluded=self._get_excluded_partners().ids,
                clients=SQL(
                    "(SELECT partner_id FROM sums UNION %s)", self._get_prospect_query(company)
                )
                if clients is None
                else SQL(
                    "(SELECT partner_id FROM sums UNION SELECT partner_id FROM (%s) asked"
                    " WHERE partner_id = ANY(%s))",
                    self._get_prospect_query(company),
                    clients,
                ),
            )
        )
        self.env.cr.execute(
            SQL(
                """
                ALTER TABLE crm_tmp_figure ADD PRIMARY KEY (partner_id);
                ANALYZE crm_tmp_figure (partner_id);
                CREATE TEMPORARY TABLE crm_tmp_changed ON COMMIT DROP AS
                SELECT unnest(%(clients)s::integer[]) AS partner_id
                """,
                clients=clients or [],
            )
        )
