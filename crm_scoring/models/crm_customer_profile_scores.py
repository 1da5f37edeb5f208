from odoo import api, fields, models
from odoo.addons.crm_scoring.tools import rfm
from odoo.tools import SQL

# columns that follow from the facts of the client alone, and from the purchase model
FIGURES = (
    "date_first", "date_last", "frequency", "purchase_days", "monetary", "monetary_year",
    "average_purchase", "amount_returned", "return_rate", "amount_half", "amount_half_before",
    "trend", "margin", "margin_rate", "rhythm", "gap_last", "repeat_mean", "variation",
)  # fmt: skip
FORECASTS = (
    "p_alive", "expected_orders_30", "expected_orders_90", "expected_orders_365",
    "expected_amount_30", "expected_amount_90", "expected_amount_365",
)  # fmt: skip
# columns derived from those and from all clients together; the class that counts comes last
SCORES = (
    "recency", "rhythm_ratio", "date_next", "is_rhythm_broken", "stage", "score_recency",
    "score_frequency", "score_monetary", "rfm", "segment", "abc_turnover", "abc_margin", "xyz",
    "class_score", "class_auto", "customer_class",
)  # fmt: skip


class CrmCustomerProfile(models.Model):
    """Scores, classes and stages, and the statement that writes the profiles.

    What a client is compared with is boiled down to *cut values* first (the lowest turnover that
    scores 5, the lowest of class A...). With them every row can be judged for itself, without an
    ordering of all clients. ``OFFSET 0`` keeps the planner from pasting the expressions of
    one step into those of the next, where they would be computed many times.
    """

    _inherit = "crm.customer.profile"

    @api.model
    def _fill_base(self, company, full):
        """Gather what is compared: the fresh figures and, of clients that have not changed, the
        stored ones."""
        # floats are sorted much faster, and hold amounts of 15 digits exactly
        columns = SQL(
            "frequency, date_last, monetary::float8 AS monetary,"
            " monetary_year::float8 AS monetary_year, margin::float8 AS margin"
        )
        query = SQL("SELECT %s FROM crm_tmp_figure", columns)
        if not full:
            query = SQL(
                "%s UNION ALL SELECT %s FROM crm_customer_profile p WHERE company_id = %s AND NOT"
                " EXISTS (SELECT FROM crm_tmp_changed c WHERE c.partner_id = p.partner_id)",
                query,
                columns,
                company.id,
            )
        self.env.cr.execute(SQL("CREATE TEMPORARY TABLE crm_tmp_base ON COMMIT DROP AS %s", query))

    @api.model
    def _compute_cuts(self, analysis, today, full):
        """Return the lowest value of each score and of each class of ABC.

        :return: {measure: {score or letter: lowest value}}, all as text
        """
        self._fill_base(analysis.company_id, full)
        cuts = {}
        fifths = ("date_last", "frequency", "monetary")
        if analysis.rfm_method == "fixed":
            days = analysis._parse_bounds("bounds_recency")
            cuts["date_last"] = {
                score: fields.Date.subtract(today, days=int(bound))
                for score, bound in zip((5, 4, 3, 2), days, strict=True)
            }
            for measure in ("frequency", "monetary"):
                bounds = analysis._parse_bounds(f"bounds_{measure}")
                cuts[measure] = dict(zip((2, 3, 4, 5), bounds, strict=True))
            fifths = ()
        for measure in fifths:
            rows = self.env.execute_query(self._get_fifths_query(measure))
            cuts[measure] = dict(rows)
        period = "monetary_year" if analysis.abc_period == "year" else "monetary"
        for name, measure in (("abc_turnover", period), ("abc_margin", "margin")):
            [(bound_a, bound_b)] = self.env.execute_query(
                SQL(
                    """
                    SELECT MIN(value) FILTER (WHERE before < total * %(share_a)s / 100)::numeric,
                           MIN(value) FILTER (WHERE before < total * %(share_b)s / 100)::numeric
                      FROM (
                            SELECT value,
                                   SUM(clients * value) OVER (ORDER BY value DESC)
                                   - clients * value AS before,
                                   SUM(clients * value) OVER () AS total
                              FROM (
                                    SELECT %(measure)s AS value, COUNT(*) AS clients
                                      FROM crm_tmp_base
                                     WHERE %(measure)s > 0
                                  GROUP BY 1
                                   ) counted
                           ) cumulated
                    """,
                    measure=SQL.identifier(measure),
                    share_a=analysis.abc_bound_a,
                    share_b=analysis.abc_bound_b,
                )
            )
            cuts[name] = {"A": bound_a, "B": bound_b} if bound_a is not None else {}
        return {
            measure: {str(code): str(bound) for code, bound in bounds.items()}
            for measure, bounds in cuts.items()
        }

    @api.model
    def _get_fifths_query(self, measure):
        """Return the SELECT of (score, lowest value); ties lie in the middle (``tools.rfm``)."""
        return SQL(
            """
            SELECT score, %(lowest)s
              FROM (
                    SELECT value,
                           LEAST(5, 5 * (2 * SUM(clients) OVER (ORDER BY value)::bigint - clients)
                                    / (2 * SUM(clients) OVER ()::bigint) + 1)::integer AS score
                      FROM (
                            SELECT %(measure)s AS value, COUNT(*) AS clients
                              FROM crm_tmp_base
                             WHERE frequency > 0
                          GROUP BY 1
                           ) counted
                   ) scored
          GROUP BY score
            """,
            measure=SQL.identifier(measure),
            lowest=SQL("MIN(value)::numeric") if measure == "monetary" else SQL("MIN(value)"),
        )

    @api.model
    def _get_score_expression(self, measure, cuts):
        """Return the SQL of a score from its cut values; NULL for who never bought."""
        cases = [
            SQL("WHEN %s THEN %s", self._get_reached(measure, cuts[score]), int(score))
            for score in sorted(cuts, reverse=True)
        ]
        return SQL(
            "CASE WHEN frequency > 0 THEN CASE %s ELSE 1 END END",
            SQL(" ").join(cases or [SQL("WHEN FALSE THEN 1")]),
        )

    @api.model
    def _get_abc_expression(self, measure, cuts):
        cases = [
            SQL("WHEN %s THEN %s", self._get_reached(measure, cuts[code]), code)
            for code in sorted(cuts)
        ]
        return SQL(
            "CASE WHEN stage_known AND %s IS NOT NULL THEN CASE %s ELSE 'C' END END",
            SQL.identifier(measure),
            SQL(" ").join(cases or [SQL("WHEN FALSE THEN 'A'")]),
        )

    @api.model
    def _get_reached(self, measure, bound):
        """Return the SQL of whether a column reaches a cut value."""
        kind = SQL("date") if measure == "date_last" else SQL("numeric")
        return SQL("%s >= %s::%s", SQL.identifier(measure), bound, kind)

    @api.model
    def _get_moved_condition(self, analysis, cuts):
        """Return the SQL of whether a client is judged otherwise than by the last cut values."""
        measures = {"date_last": "date_last", "frequency": "frequency", "monetary": "monetary"}
        measures["abc_turnover"] = "monetary_year" if analysis.abc_period == "year" else "monetary"
        measures["abc_margin"] = "margin"
        moved = []
        for name, measure in measures.items():
            last, bounds = (analysis.cuts or {}).get(name, {}), cuts[name]
            for code in last.keys() | bounds.keys():
                if last.get(code) == bounds.get(code):
                    continue
                if code not in last or code not in bounds:
                    return SQL("TRUE")
                moved.append(
                    SQL(
                        "(%s) != (%s)",
                        self._get_reached(measure, last[code]),
                        self._get_reached(measure, bounds[code]),
                    )
                )
        return SQL("(%s)", SQL(" OR ").join(moved)) if moved else SQL("FALSE")

    @api.model
    def _get_stage_expression(self, analysis):
        """Return the SQL of the stage; the order of the cases is the rule."""
        return SQL(
            """
            CASE WHEN frequency = 0 THEN 'prospect'
                 WHEN recency > GREATEST(%(lost)s * pace, %(lost_days)s) THEN 'lost'
                 WHEN recency > %(risk)s * pace THEN 'at_risk'
                 WHEN date_first > today - %(new_days)s THEN 'new'
                 WHEN gap_last > GREATEST(%(lost)s * pace, %(lost_days)s) THEN 'returned'
                 WHEN recency > %(slow)s * pace OR trend < -%(growth)s THEN 'slowing'
                 WHEN trend > %(growth)s THEN 'growing'
                 ELSE 'loyal' END
            """,
            lost=analysis.lost_factor,
            lost_days=analysis.lost_days,
            risk=analysis.risk_factor,
            new_days=analysis.new_days,
            slow=analysis.slow_factor,
            growth=analysis.growth_percent,
        )

    @api.model
    def _get_source_query(self, analysis, cuts, full):
        """Return the SELECT of the clients to judge: the fresh ones and those the cuts passed."""
        figures = SQL(", ").join(SQL("f.%s", SQL.identifier(name)) for name in FIGURES)
        forecasts = SQL(", ").join(SQL("m.%s", SQL.identifier(name)) for name in FORECASTS)
        fresh = SQL(
            "SELECT f.partner_id, %s, %s FROM crm_tmp_figure f"
            " LEFT JOIN crm_tmp_forecast m ON m.partner_id = f.partner_id",
            figures,
            forecasts,
        )
        if full:
            return fresh
        return SQL(
            "%s UNION ALL SELECT p.partner_id, %s FROM crm_customer_profile p"
            " WHERE p.company_id = %s"
            " AND NOT EXISTS (SELECT FROM crm_tmp_changed c WHERE c.partner_id = p.partner_id)"
            " AND %s",
            fresh,
            SQL(", ").join(SQL("p.%s", SQL.identifier(name)) for name in FIGURES + FORECASTS),
            analysis.company_id.id,
            self._get_moved_condition(analysis, cuts),
        )

    @api.model
    def _write_profiles(self, analysis, today, cuts, full):
        """Judge every client by the cut values, upsert what differs, delete what is gone.

        :return: (written, deleted)
        """
        company = analysis.company_id
        period = "monetary_year" if analysis.abc_period == "year" else "monetary"
        names = [SQL.identifier(name) for name in FIGURES + FORECASTS + SCORES]
        fresh = [SQL("c.%s", name) for name in names[:-1]] + [self._get_adjusted_class_expression()]
        self.env.cr.execute(
            SQL(
                """
                CREATE TEMPORARY TABLE crm_tmp_judged ON COMMIT DROP AS
                WITH source AS (%(source)s),
                judged AS (
                    SELECT *,
                           %(today)s::date AS today,
                           %(today)s - date_last AS recency,
                           GREATEST(COALESCE(rhythm, NULLIF(%(rhythm)s, 0), 90), 7) AS pace,
                           ROUND((%(today)s - date_last) / NULLIF(rhythm, 0), 1) AS rhythm_ratio,
                           date_last + ROUND(rhythm)::integer AS date_next,
                           frequency > 0 OR amount_returned != 0 OR monetary != 0 AS stage_known,
                           %(score_recency)s AS score_recency,
                           %(score_frequency)s AS score_frequency,
                           %(score_monetary)s AS score_monetary,
                           CASE WHEN variation <= %(bound_x)s THEN 'X'
                                WHEN variation <= %(bound_y)s THEN 'Y'
                                WHEN variation IS NOT NULL THEN 'Z' END AS xyz
                      FROM source
                    OFFSET 0
                ),
                named AS (
                    SELECT j.*,
                           score_recency::text || score_frequency || score_monetary AS rfm,
                           COALESCE(g.code, %(no_purchase)s) AS segment,
                           %(stage)s AS stage,
                           COALESCE(purchase_days >= 3 AND recency > %(slow)s * pace
                               AND recency <= GREATEST(%(lost)s * pace, %(lost_days)s), FALSE)
                               AS is_rhythm_broken,
                           %(abc_turnover)s AS abc_turnover,
                           %(abc_margin)s AS abc_margin
                      FROM judged j
                 LEFT JOIN (VALUES %(grid)s) AS g (recency_score, value_score, code)
                        ON g.recency_score = score_recency
                       AND g.value_score = (score_frequency + score_monetary + 1) / 2
                    OFFSET 0
                ),
                pointed AS (
                    SELECT *, CASE WHEN frequency > 0 THEN
                               ROUND(GREATEST(0, LEAST(100, %(base)s + %(points)s))::numeric, 1)
                           END AS class_score
                      FROM named
                    OFFSET 0
                ),
                classed AS (
                    SELECT *, CASE WHEN class_score >= %(bound_a)s THEN 'A'
                                WHEN class_score >= %(bound_b)s THEN 'B'
                                WHEN class_score >= %(bound_c)s THEN 'C'
                                WHEN class_score IS NOT NULL THEN 'D' END AS class_auto
                      FROM pointed
                    OFFSET 0
                )
                SELECT o.id AS profile_id, c.partner_id, %(fresh_names)s
                  FROM classed c
             LEFT JOIN crm_customer_profile o
                    ON o.partner_id = c.partner_id AND o.company_id = %(company)s
                 WHERE o.id IS NULL OR (%(old_names)s) IS DISTINCT FROM (%(fresh_values)s)
                """,
                source=self._get_source_query(analysis, cuts, full),
                today=today,
                rhythm=analysis.rhythm,
                score_recency=self._get_score_expression("date_last", cuts["date_last"]),
                score_frequency=self._get_score_expression("frequency", cuts["frequency"]),
                score_monetary=self._get_score_expression("monetary", cuts["monetary"]),
                bound_x=analysis.xyz_bound_x,
                bound_y=analysis.xyz_bound_y,
                no_purchase=rfm.NO_PURCHASE,
                stage=self._get_stage_expression(analysis),
                slow=analysis.slow_factor,
                lost=analysis.lost_factor,
                lost_days=analysis.lost_days,
                abc_turnover=self._get_abc_expression(period, cuts["abc_turnover"]),
                abc_margin=self._get_abc_expression("margin", cuts["abc_margin"]),
                grid=SQL(", ").join(SQL("(%s, %s, %s)", *cell) for cell in rfm.get_segment_grid()),
                base=analysis.base_points,
                points=analysis.factor_ids._get_points_expression(),
                bound_a=analysis.bound_a,
                bound_b=analysis.bound_b,
                bound_c=analysis.bound_c,
                company=company.id,
                fresh_names=SQL(", ").join(
                    SQL("%s AS %s", value, name) for value, name in zip(fresh, names, strict=True)
                ),
                fresh_values=SQL(", ").join(fresh),
                old_names=SQL(", ").join(SQL("o.%s", name) for name in names),
            )
        )
        return self._write_judged(company, today, names, full)

    @api.model
    def _write_judged(self, company, today, names, full):
        """Bring the profiles in line with ``crm_tmp_judged``; nobody else writes them meanwhile.

        :param list names: SQL of the columns
        :return: (written, deleted)
        """
        cr = self.env.cr
        cr.execute(
            SQL(
                "UPDATE crm_customer_profile p SET date_refreshed = %s, %s FROM crm_tmp_judged j"
                " WHERE p.id = j.profile_id",
                today,
                SQL(", ").join(SQL("%s = j.%s", name, name) for name in names),
            )
        )
        written = cr.rowcount
        names = SQL(", ").join(names)
        cr.execute(
            SQL(
                """
                INSERT INTO crm_customer_profile
                       (company_id, partner_id, date_refreshed, class_adjustment, %s)
                SELECT %s, partner_id, %s, 0, %s FROM crm_tmp_judged WHERE profile_id IS NULL
                """,
                names,
                company.id,
                today,
                names,
            )
        )
        written += cr.rowcount
        cr.execute(
            SQL(
                """
                DELETE FROM crm_customer_profile p
                 WHERE p.company_id = %s
                   AND NOT EXISTS (SELECT FROM crm_tmp_figure f WHERE f.partner_id = p.partner_id)
                   %s
                """,
                company.id,
                SQL("")
                if full
                else SQL("AND p.partner_id IN (SELECT partner_id FROM crm_tmp_changed)"),
            )
        )
        return written, cr.rowcount

    @api.model
    def _get_adjusted_class_expression(self):
        """Return the SQL of the class that counts: the computed one moved by hand."""
        return SQL(
            "CASE WHEN c.class_auto IS NOT NULL THEN SUBSTR('ABCD', GREATEST(1, LEAST(4,"
            " STRPOS('ABCD', c.class_auto) - COALESCE(o.class_adjustment, 0))), 1) END"
        )
