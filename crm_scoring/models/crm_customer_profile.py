from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.addons.crm_scoring.tools import rfm
from odoo.tools import SQL


class CrmCustomerProfile(models.Model):
    """What a client is worth to a company, computed from sales facts.

    - One record for each client (commercial entity) and company with at least one sales fact. The
      walk-in client of imported sales is nobody in particular and has none.
    - A *purchase* is a document (order, invoice, receipt) whose lines add up to more than zero;
      lines without a document number count as one purchase a day. Frequency counts purchases,
      first and last purchase are their dates, recency is the days since the last one.
    - *Monetary* is what all facts add up to, returns included, untaxed in company currency; also
      for the last twelve months. The average purchase is the mean amount of the purchases.
    - Scores from 1 to 5 by fifths of the company's clients, ties together, and the segment named
      after them: see ``tools.rfm``. Clients with returns only have no scores.
    - Everything is written by one statement (``_refresh``) that touches only what has changed;
      nobody edits a profile. It is refreshed at night, by a button and after an import.
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
        index=True,
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
        index=True,
    )
    date_refreshed = fields.Date(string="As of", readonly=True)

    _partner_company_unique = models.Constraint(
        "UNIQUE(partner_id, company_id)", "A client has one profile per company."
    )

    # ------------------------------------------------------------------
    # refresh
    # ------------------------------------------------------------------

    @api.model
    def _refresh(self, companies=None, today=None):
        """Recompute the profiles from the sales facts; write those that have changed only.

        :param companies: ``res.company`` records, all by default
        :param datetime.date today: the day recency and the twelve months end at
        :return: (written, deleted) numbers of profiles
        """
        companies = companies or self.env["res.company"].sudo().search([])
        today = today or fields.Date.context_today(self)
        self._flush_inputs()
        [(written, deleted)] = self.env.execute_query(self._get_refresh_query(companies, today))
        self.invalidate_model()
        return written, deleted

    @api.model
    def _flush_inputs(self):
        """Write what the view of sales facts reads to the database."""
        for model in (
            "crm.sale.history", "sale.order", "sale.order.line", "res.partner", "res.company",
            "product.product", "product.template", "uom.uom",
        ):  # fmt: skip
            self.env[model].flush_model()
        self.flush_model()

    @api.model
    def _get_excluded_partners(self):
        """Return clients that are nobody in particular."""
        return (
            self.env.ref("crm_extended.partner_walk_in", raise_if_not_found=False)
            or (self.env["res.partner"])
        )

    @api.model
    def _get_fact_query(self, companies, today):
        """Return the aggregate of the sales facts by client: first by document, then by client,
        which is much faster than counting distinct documents."""
        return SQL(
            """
            SELECT company_id, partner_id,
                   MIN(date_first) FILTER (WHERE amount > 0) AS date_first,
                   MAX(date_last) FILTER (WHERE amount > 0) AS date_last,
                   COUNT(*) FILTER (WHERE amount > 0) AS frequency,
                   SUM(amount) AS monetary,
                   SUM(amount_year) AS monetary_year,
                   AVG(amount) FILTER (WHERE amount > 0) AS average_purchase,
                   -SUM(amount_returned) AS amount_returned
              FROM (
                    SELECT company_id, commercial_partner_id AS partner_id,
                           COALESCE(document, date::text) AS document,
                           MIN(date) AS date_first,
                           MAX(date) AS date_last,
                           SUM(amount) AS amount,
                           COALESCE(SUM(amount) FILTER (WHERE date > %(year_ago)s), 0)
                               AS amount_year,
                           COALESCE(SUM(amount) FILTER (WHERE is_return), 0) AS amount_returned
                      FROM crm_sale_fact
                     WHERE company_id = ANY(%(companies)s) AND date <= %(today)s
                  GROUP BY 1, 2, 3
                   ) documents
             WHERE partner_id != ALL(%(excluded)s)
          GROUP BY 1, 2
            """,
            companies=companies.ids,
            today=today,
            year_ago=today - relativedelta(years=1),
            excluded=self._get_excluded_partners().ids,
        )

    @api.model
    def _get_score_expression(self, measure, descending=False):
        """Return the SQL of a score by fifths with ties in the middle (see ``tools.rfm``)."""
        return SQL(
            """
            CASE WHEN frequency > 0 THEN LEAST(5, 5 * (
                2 * (RANK() OVER (PARTITION BY company_id, frequency > 0
                                  ORDER BY %(measure)s %(direction)s) - 1)
                + COUNT(*) OVER (PARTITION BY company_id, frequency > 0, %(measure)s)
            ) / (2 * COUNT(*) OVER (PARTITION BY company_id, frequency > 0)) + 1) END
            """,
            measure=SQL.identifier(measure),
            direction=SQL("DESC") if descending else SQL("ASC"),
        )

    @api.model
    def _get_refresh_query(self, companies, today):
        """Return the statement: aggregate, score, upsert what differs, delete what is gone."""
        columns = [
            "date_first", "date_last", "recency", "frequency", "monetary", "monetary_year",
            "average_purchase", "amount_returned", "score_recency", "score_frequency",
            "score_monetary", "rfm", "segment",
        ]  # fmt: skip
        names = [SQL.identifier(name) for name in columns]
        return SQL(
            """
            WITH facts AS MATERIALIZED (%(facts)s),
            scored AS (
                SELECT f.*,
                       %(today)s - date_last AS recency,
                       %(score_recency)s AS score_recency,
                       %(score_frequency)s AS score_frequency,
                       %(score_monetary)s AS score_monetary
                  FROM facts f
            ),
            fresh AS MATERIALIZED (
                SELECT s.company_id, s.partner_id, s.date_first, s.date_last,
                       s.recency, s.frequency::integer AS frequency,
                       ROUND(s.monetary, c.decimal_places) AS monetary,
                       ROUND(s.monetary_year, c.decimal_places) AS monetary_year,
                       ROUND(s.average_purchase, c.decimal_places) AS average_purchase,
                       ROUND(s.amount_returned, c.decimal_places) AS amount_returned,
                       s.score_recency::integer AS score_recency,
                       s.score_frequency::integer AS score_frequency,
                       s.score_monetary::integer AS score_monetary,
                       s.score_recency::text || s.score_frequency || s.score_monetary AS rfm,
                       COALESCE(g.code, %(no_purchase)s) AS segment
                  FROM scored s
                  JOIN res_company co ON co.id = s.company_id
                  JOIN res_currency c ON c.id = co.currency_id
             LEFT JOIN (VALUES %(grid)s) AS g (recency, value, code)
                    ON g.recency = s.score_recency
                   AND g.value = (s.score_frequency + s.score_monetary + 1) / 2
            ),
            written AS (
                INSERT INTO crm_customer_profile AS p
                       (company_id, partner_id, date_refreshed, %(names)s)
                SELECT f.company_id, f.partner_id, %(today)s, %(fresh_names)s
                  FROM fresh f
             LEFT JOIN crm_customer_profile old
                    ON old.company_id = f.company_id AND old.partner_id = f.partner_id
                 WHERE old.id IS NULL
                    OR (%(old_names)s) IS DISTINCT FROM (%(fresh_names)s)
           ON CONFLICT (partner_id, company_id) DO UPDATE
                   SET date_refreshed = excluded.date_refreshed, %(assignments)s
             RETURNING 1
            ),
            deleted AS (
                DELETE FROM crm_customer_profile p
                 WHERE p.company_id = ANY(%(companies)s)
                   AND NOT EXISTS (
                        SELECT FROM fresh f
                         WHERE f.company_id = p.company_id AND f.partner_id = p.partner_id
                       )
             RETURNING 1
            )
            SELECT (SELECT COUNT(*) FROM written), (SELECT COUNT(*) FROM deleted)
            """,
            facts=self._get_fact_query(companies, today),
            today=today,
            score_recency=self._get_score_expression("date_last"),
            score_frequency=self._get_score_expression("frequency"),
            score_monetary=self._get_score_expression("monetary"),
            no_purchase=rfm.NO_PURCHASE,
            grid=SQL(", ").join(SQL("(%s, %s, %s)", *cell) for cell in rfm.get_segment_grid()),
            names=SQL(", ").join(names),
            fresh_names=SQL(", ").join(SQL("f.%s", name) for name in names),
            old_names=SQL(", ").join(SQL("old.%s", name) for name in names),
            assignments=SQL(", ").join(SQL("%s = excluded.%s", name, name) for name in names),
            companies=companies.ids,
        )

    @api.model
    def _cron_refresh(self):
        """Refresh company by company; a batch is a company, for scores are relative to it."""
        cron = self.env["ir.cron"]
        companies = self.env["res.company"].search([])
        for done, company in enumerate(companies, 1):
            self._refresh(company)
            if not cron._commit_progress(1, remaining=len(companies) - done):
                break

    # ------------------------------------------------------------------
    # actions
    # ------------------------------------------------------------------

    @api.model
    def action_refresh(self):
        """Refresh the profiles of the companies the user works in."""
        self.check_access("read")
        # sudo: computed from all facts; what the user sees of it is left to the record rules
        self_sudo = self.sudo()
        self_sudo._refresh(self.env.companies)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_view_facts(self):
        """Open the sales facts behind the figures of this profile."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_extended.crm_sale_fact_action")
        return {
            **action,
            "view_mode": "list,pivot,graph",
            "views": [(False, "list"), (False, "pivot"), (False, "graph")],
            "name": self.env._("Sales of %(name)s", name=self.partner_id.display_name),
            "domain": [
                ("commercial_partner_id", "=", self.partner_id.id),
                ("company_id", "=", self.company_id.id),
            ],
            "context": {},
        }
