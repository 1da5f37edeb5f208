from odoo import api, models, tools
from odoo.tools import SQL

from ..tools import scoring

# Columns of the side table that a refresh writes.
COLUMNS = (
    "scorecard_id",
    "class_auto",
    "score_value",
    "score_probability",
    "sample_size",
    "score_expected_amount",
    "score_peak",
    "peak_date",
    "score_drop",
    "score_drop_percent",
    "amount_at_risk",
    "deal_worth",
    "inputs_hash",
    "reasons",
)


class Placeholder:
    """Stands in a statement for a parameter that is given later."""


LEAD_IDS, NOW, AUTHOR = Placeholder(), Placeholder(), Placeholder()
# So few deals are scored by a statement that was built before.
FEW = 10


def _literals(values):
    return SQL(", ").join(SQL("%s::float8", value) for value in values)


class CrmLeadScoring(models.Model):
    """The statement that scores a batch of deals of one scorecard and one company.

    Its steps, from the inside: a look at the deals (measured values, conditions, inputs of the
    model), their points, their sum, the chance of winning, and a comparison with what is there
    (*fresh*); the other parts write scores, history and classes that changed.
    """

    _inherit = "crm.lead.scoring"

    @api.model
    @tools.ormcache()
    def _get_templates(self):
        """Return statements for few deals that were built before: a dictionary to be filled.

        It goes whenever rules or models change. Looking up domains takes longer than running the
        statement for one deal.
        """
        return {}

    @api.model
    def _get_statement(self, rule_id, company_id, lead_ids, now, author):
        """Return the statement that scores deals; see :meth:`crm.lead.scoring._score`."""
        factor_model = self.env["crm.scorecard.factor"]
        if len(lead_ids) > FEW:
            rule = factor_model._get_working_rule(rule_id, lead_ids, now)
            return self._build_statement(rule, company_id, lead_ids, now, author)
        hour = now.replace(minute=0, second=0, microsecond=0)
        templates = self._get_templates()
        known, template = templates.get((rule_id, company_id), (None, None))
        if known != hour:
            ids = SQL("(SELECT unnest(%s::int[]))", LEAD_IDS)
            rule = factor_model._get_working_rule(rule_id, ids, now)
            template = self._build_statement(rule, company_id, LEAD_IDS, NOW, AUTHOR)
            if not any(map(factor_model._is_by_the_minute, rule["factors"])):
                templates[rule_id, company_id] = (hour, template)
        given = {LEAD_IDS: lead_ids, NOW: now, AUTHOR: author}
        params = [
            given[param] if isinstance(param, Placeholder) else param for param in template.params
        ]
        return SQL(template.code, *params)

    @api.model
    def _build_statement(self, rule, company_id, lead_ids, now, author):
        """Build the statement; see ``crm.scorecard.factor._get_working_rule`` for ``rule``."""
        factors = rule["factors"]
        model = self.env["crm.lead.scoring.model"]._get_active().get(company_id or False)
        inputs = self._get_query_inputs(now)
        company = self.env["res.company"].browse(company_id) or self.env.company
        own = [SQL.identifier(name) for name in COLUMNS]
        # OFFSET 0 keeps the planner from computing a step anew wherever its columns are used
        chance = SQL(
            """SELECT v.*, %(chance)s FROM (
               SELECT p.*,
                      round(LEAST(100, GREATEST(0, %(base)s::float8%(sum)s))::numeric, 1)
                          AS score_value
                 FROM (SELECT d.*%(points)s FROM (%(deals)s OFFSET 0) d OFFSET 0) p OFFSET 0) v
              OFFSET 0""",
            deals=self._get_deals_query(factors, inputs, lead_ids, now),
            points=SQL().join(self._get_points(factor) for factor in factors),
            base=rule["base"],
            sum=SQL().join(SQL(" + p.%s", self._name_of("p", factor)) for factor in factors),
            chance=self._get_chance(model, company_id, inputs),
        )
        return SQL(
            """WITH fresh AS MATERIALIZED (%(fresh)s),
            updated AS (
                UPDATE crm_lead_scoring s SET (%(own)s) = ROW(%(fresh_own)s)
                  FROM fresh f
                 WHERE %(side_range)s AND s.id = f.scoring_id AND f.changed
            ),
            inserted AS (
                INSERT INTO crm_lead_scoring (lead_id, %(own)s)
                SELECT lead_id, %(fresh_own)s FROM fresh f WHERE scoring_id IS NULL
                ON CONFLICT (lead_id) DO UPDATE SET %(assignments)s
            ),
            history AS (
                INSERT INTO crm_lead_score (
                    lead_id, date, user_id, score_value, score_probability,
                    score_expected_amount, amount, score_class, class_auto,
                    class_adjustment, score_peak, reasons, inputs)
                SELECT lead_id, %(now)s::timestamp,
                       %(author)s::int, score_value,
                       score_probability, score_expected_amount, amount, new_class, class_auto,
                       adjustment, score_peak, reasons, inputs
                  FROM fresh f WHERE log
            ),
            moved AS (
                UPDATE crm_lead l SET score_class = f.new_class FROM fresh f
                 WHERE %(lead_range)s AND l.id = f.lead_id
                   AND f.new_class IS DISTINCT FROM f.old_class
             RETURNING l.id
            )
            SELECT (SELECT array_agg(lead_id) FROM fresh WHERE changed),
                   (SELECT array_agg(id) FROM moved),
                   (SELECT array_agg(lead_id) FROM fresh WHERE alarmed)""",
            fresh=self._get_fresh_query(rule, model, company, inputs, chance, lead_ids, now),
            side_range=self._get_range("s", "lead_id", lead_ids),
            lead_range=self._get_range("l", "id", lead_ids),
            own=SQL(", ").join(own),
            fresh_own=SQL(", ").join(SQL("f.%s", name) for name in own),
            assignments=SQL(", ").join(SQL("%s = EXCLUDED.%s", name, name) for name in own),
            now=now,
            author=author,
        )

    @api.model
    def _get_inputs_json(self, inputs):
        """Return the JSON of the inputs that have a value, for the history."""
        pairs = [SQL("%s::text, n.%s", i["name"], SQL.identifier(f"i_{i['name']}")) for i in inputs]
        # a function takes a hundred arguments at most
        parts = [
            SQL("jsonb_strip_nulls(jsonb_build_object(%s))", SQL(", ").join(pairs[n : n + 40]))
            for n in range(0, len(pairs), 40)
        ]
        # those of the row before hold as long as nothing changed
        return SQL(
            "CASE WHEN n.inputs_hash IS DISTINCT FROM n.old_inputs_hash THEN %s END",
            SQL(" || ").join(parts),
        )

    @staticmethod
    def _name_of(prefix, factor):
        return SQL.identifier(f"{prefix}_{factor['id']}")

    @api.model
    def _get_query_inputs(self, now):
        model = self.env["crm.lead.scoring.model"]
        return model._get_inputs() + model._get_moment_inputs(SQL("%s::timestamp", now))

    @api.model
    def _get_deals_query(self, factors, inputs, lead_ids, now):
        """Return the look at the deals: a row each, a column for each factor and input."""
        columns = []
        for factor in factors:
            if factor["kind"] == "condition":
                columns.append(SQL(", %s AS %s", factor["applies"], self._name_of("c", factor)))
            else:
                column = factor["column"]
                if factor["dated"]:
                    # as dates, so that a deal does not change its band in the middle of a day
                    value = SQL("(%s::timestamp::date - %s::date)::float8", now, column)
                else:
                    value = SQL("round(%s::numeric, 2)::float8", column)
                columns.append(SQL(", %s AS %s", value, self._name_of("m", factor)))
        columns += [SQL(", %s AS %s", i["sql"], SQL.identifier(f"i_{i['name']}")) for i in inputs]
        return SQL(
            """SELECT crm_lead.id AS lead_id, crm_lead.team_id,
                      COALESCE(crm_lead.expected_revenue, 0)::numeric AS amount,
                      crm_lead.automated_probability AS automated,
                      crm_lead.score_class AS old_class,
                      COALESCE(crm_lead.class_adjustment, 0) AS adjustment,
                      COALESCE(crm_lead.score_waiting_until >= %s::timestamp::date, FALSE)
                          AS waiting,
                      %s AS potential%s
                 FROM crm_lead
            LEFT JOIN res_partner client ON client.id = crm_lead.partner_id
            LEFT JOIN crm_customer_profile profile
                   ON profile.partner_id = client.commercial_partner_id
                  AND profile.company_id = crm_lead.company_id
                WHERE %s AND crm_lead.active
                  AND crm_lead.won_status = 'pending'""",
            now,
            self._get_potential(),
            SQL().join(columns),
            self._get_among(lead_ids),
        )

    @api.model
    def _get_potential(self):
        """Return the SQL of the client's potential: what the amount of a deal is multiplied by.

        From 0.8 for clients with the smallest turnover to 1.2 for those with the largest, by
        the fifths of the client's profile; 1 for a client who has not bought yet.
        """
        return SQL(
            """CASE WHEN profile.score_monetary > 0
                    THEN 0.8 + 0.1 * (profile.score_monetary - 1) ELSE 1.0 END"""
        )

    @api.model
    def _get_points(self, factor):
        """Return the column of the points that a factor gives."""
        name = self._name_of("p", factor)
        if factor["kind"] == "condition":
            value = SQL(
                "CASE WHEN d.%s THEN %s::float8 ELSE 0 END",
                self._name_of("c", factor),
                factor["points"],
            )
        else:
            value = SQL(
                """COALESCE((ARRAY[0, %s]::float8[])[
                       width_bucket(d.%s, ARRAY[%s]::float8[]) + 1], 0)""",
                _literals(points for _bound, points in factor["bands"]),
                self._name_of("m", factor),
                _literals(bound for bound, _points in factor["bands"]),
            )
        return SQL(", %s AS %s", value, name)

    @api.model
    def _get_chance(self, model, company_id, inputs):
        """Return the columns chance (0 to 1), start, sample and sample_won."""
        if not model:
            return self.env["crm.lead.scoring.rate"]._get_chance(company_id)
        columns = {i["name"]: SQL("v.%s", SQL.identifier(f"i_{i['name']}")) for i in inputs}
        columns["score_value"] = SQL("v.score_value::float8")
        data = model["data"]
        return SQL(
            """LEAST(%s, GREATEST(%s, 1 / (1 + exp(-LEAST(35, GREATEST(-35, %s))))))::numeric
                   AS chance,
               round(100.0 * %s / %s, 1) AS start, %s AS sample, %s AS sample_won""",
            scoring.MAX_PROBABILITY,
            scoring.MIN_PROBABILITY,
            self.env["crm.lead.scoring.model"]._get_log_odds(data, columns),
            data["won"],
            data["deals"],
            data["deals"],
            data["won"],
        )

    @api.model
    def _get_reasons(self, rule, model):
        """Return the array of the reasons; see ``crm.lead.scoring._read_reasons``.

        An array of numbers, because building, comparing and storing an object for every deal
        every night costs more than everything else together.
        """
        parts = [
            SQL(
                "%s::float8, c.potential::float8, c.start::float8, c.sample, c.sample_won, %s",
                rule["base"],
                model["id"] if model else 0,
            )
        ]
        for factor in rule["factors"]:
            parts.append(
                SQL(
                    "%s, c.%s, %s",
                    factor["id"],
                    self._name_of("p", factor),
                    SQL("c.%s", self._name_of("m", factor))
                    if factor["kind"] == "measure"
                    else SQL("NULL"),
                )
            )
        return SQL("ARRAY[%s]::float8[]", SQL(", ").join(parts))

    @api.model
    def _get_fresh_query(self, rule, model, company, inputs, chance, lead_ids, now):
        """Return the new scores beside the old ones."""
        digits = company.currency_id.decimal_places
        bound_a, bound_b, bound_c = rule["bounds"]
        compared = SQL(", ").join(SQL("n.%s", SQL.identifier(name)) for name in COLUMNS)
        old = SQL(", ").join(SQL("n.%s", SQL.identifier(f"old_{name}")) for name in COLUMNS)
        return SQL(
            """SELECT n.lead_id, n.scoring_id, n.amount, n.adjustment, n.old_class, n.new_class,
                      %(compared)s, %(inputs)s AS inputs,
                      NOT n.waiting AND n.score_drop_percent >= %(alarm)s
                      AND COALESCE(n.old_score_drop_percent, 0) < %(alarm)s AS alarmed,
                      n.new_class IS DISTINCT FROM n.old_class
                      OR ROW(%(compared)s) IS DISTINCT FROM ROW(%(old)s) AS changed,
                      n.scoring_id IS NULL OR n.new_class IS DISTINCT FROM n.old_class
                      OR n.score_peak > n.old_score_peak
                      OR round(n.score_value) <> round(n.old_score_value)
                      OR round(n.score_probability) <> round(n.old_score_probability)
                      OR round(n.score_expected_amount) <> round(n.old_score_expected_amount)
                          AS log
                 FROM (
                SELECT b.*,
                       (ARRAY['D', 'C', 'B', 'A'])[LEAST(4, GREATEST(1,
                           strpos('DCBA', b.class_auto) + b.adjustment))] AS new_class,
                       round(b.amount * b.score_drop_percent / 100, %(digits)s) AS amount_at_risk
                  FROM (
                 SELECT q.*,
                        CASE WHEN q.score_peak > 0
                             THEN round(100 * q.score_drop / q.score_peak, 1) ELSE 0.0 END
                            AS score_drop_percent
                   FROM (
                  SELECT c.*, %(rule)s AS scorecard_id,
                         CASE WHEN c.score_value >= %(a)s THEN 'A'
                              WHEN c.score_value >= %(b)s THEN 'B'
                              WHEN c.score_value >= %(c)s THEN 'C' ELSE 'D' END AS class_auto,
                         round(100 * c.chance, 1) AS score_probability,
                         c.sample AS sample_size,
                         GREATEST(
                             round(c.amount * round(100 * c.chance, 1) / 100, %(digits)s),
                             CASE WHEN c.waiting
                                  THEN LEAST(s.score_expected_amount, c.amount) END)
                             AS score_expected_amount,
                         round(c.amount * c.potential * c.score_value / 100, %(digits)s)
                             AS deal_worth,
                         GREATEST(c.score_value, s.score_peak) AS score_peak,
                         CASE WHEN s.score_peak >= c.score_value THEN s.peak_date
                              ELSE %(now)s::timestamp END AS peak_date,
                         GREATEST(0, s.score_peak - c.score_value) AS score_drop,
                         %(reasons)s AS reasons,
                         hashtextextended(ROW(%(hashed)s)::text, 0) AS inputs_hash,
                         s.id AS scoring_id,
                         %(old_columns)s
                    FROM (%(chance)s) c
               LEFT JOIN crm_lead_scoring s ON s.lead_id = c.lead_id AND %(side_range)s
                  OFFSET 0) q
                 OFFSET 0) b
                OFFSET 0) n""",
            compared=compared,
            old=old,
            inputs=self._get_inputs_json(inputs),
            side_range=self._get_range("s", "lead_id", lead_ids),
            chance=chance,
            digits=digits,
            alarm=rule["alarm"],
            rule=rule["id"],
            a=bound_a,
            b=bound_b,
            c=bound_c,
            now=now,
            reasons=self._get_reasons(rule, model),
            hashed=SQL(", ").join(
                SQL("c.%s", SQL.identifier(f"i_{i['name']}"))
                for i in inputs
                if not i.get("derived")
            ),
            old_columns=SQL(", ").join(
                SQL("s.%s AS %s", SQL.identifier(name), SQL.identifier(f"old_{name}"))
                for name in COLUMNS
            ),
        )
