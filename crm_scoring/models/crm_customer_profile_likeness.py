import math

from odoo import api, models
from odoo.tools import SQL

MIN_WEIGHT = 0.02  # below which a value tells nothing
MIN_BEST = 10  # clients of class A below which there is nobody to compare with
SMOOTHING = 5  # clients that the share among all is worth against what is observed
SHOWN = 3  # reasons


class CrmCustomerProfile(models.Model):
    """Prospects and small clients that resemble the best ones.

    What is known of a prospect too is compared: country, state, industry, company or person,
    tags, source of the first deal. Each value weighs the logarithm of how much more frequent it
    is among the clients of class A than among the others who bought (naive Bayes; shares are
    drawn towards the share among all while clients are few); what is not known weighs nothing.
    The likeness is the sum as a probability with even odds: 50 % tells nothing, more speaks for
    the client.

    It is computed by the full refresh for prospects, and for buyers of class C by turnover who are
    not in class A. How well it tells the two groups apart is kept with it (area under the curve,
    each client judged without himself).
    """

    _inherit = "crm.customer.profile"

    @api.model
    def _get_attribute_query(self, company):
        """Return the SELECT of (profile, group, kind, value); the group is best, other or none."""
        return SQL(
            """
            WITH judged AS (
                SELECT id, partner_id, customer_class = 'A' AS is_best, frequency > 0 AS bought,
                       frequency = 0 OR (abc_turnover = 'C' AND customer_class != 'A')
                           AS is_judged
                  FROM crm_customer_profile WHERE company_id = %(company)s
            )
            SELECT j.id, j.is_best, j.bought, j.is_judged, a.kind, a.value
              FROM judged j
              JOIN res_partner r ON r.id = j.partner_id
        CROSS JOIN LATERAL (
                    VALUES ('country_id', r.country_id), ('state_id', r.state_id),
                           ('industry_id', r.industry_id), ('is_company', r.is_company::integer)
                   ) AS a (kind, value)
             WHERE a.value IS NOT NULL
             UNION ALL
            SELECT j.id, j.is_best, j.bought, j.is_judged, 'category_id', t.category_id
              FROM judged j
              JOIN res_partner_res_partner_category_rel t ON t.partner_id = j.partner_id
             UNION ALL
            SELECT j.id, j.is_best, j.bought, j.is_judged, 'source_id', first.source_id
              FROM judged j
              JOIN (
                    SELECT DISTINCT ON (partner_id) partner_id, source_id
                      FROM crm_lead
                     WHERE source_id IS NOT NULL AND partner_id IS NOT NULL
                       AND (company_id = %(company)s OR company_id IS NULL)
                  ORDER BY partner_id, id
                   ) first ON first.partner_id = j.partner_id
            """,
            company=company.id,
        )

    @api.model
    def _refresh_likeness(self, analysis):
        company = analysis.company_id
        [(best, others)] = self.env.execute_query(
            SQL(
                """SELECT COUNT(*) FILTER (WHERE customer_class = 'A'),
                          COUNT(*) FILTER (WHERE customer_class != 'A')
                     FROM crm_customer_profile WHERE company_id = %s AND frequency > 0""",
                company.id,
            )
        )
        if best < MIN_BEST or not others:
            self.env.cr.execute(
                SQL(
                    "UPDATE crm_customer_profile SET likeness = NULL"
                    " WHERE company_id = %s AND likeness IS NOT NULL",
                    company.id,
                )
            )
            analysis._set_facts(likeness_weights=False)
            return
        names = {"attributes": self._get_attribute_query(company), "company": company.id}
        names |= {"best": best, "others": others, "k": SMOOTHING}
        # own: the client himself is left out of the counts that judge him
        weight = """
            LN(((c.best - %(own_best)s + %(k)s * c.share) / (%(best)s - %(own_best)s + %(k)s))
             / ((c.others - %(own_other)s + %(k)s * c.share)
                / (%(others)s - %(own_other)s + %(k)s)))
        """
        self.env.cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE crm_tmp_attribute ON COMMIT DROP AS %(attributes)s;"
                "CREATE TEMPORARY TABLE crm_tmp_weight ON COMMIT DROP AS"
                " SELECT kind, value, COUNT(*) FILTER (WHERE is_best) AS best,"
                " COUNT(*) FILTER (WHERE NOT is_best) AS others,"
                " COUNT(*)::float8 / (%(best)s + %(others)s) AS share"
                " FROM crm_tmp_attribute WHERE bought GROUP BY kind, value",
                **names,
            )
        )
        plain = SQL(weight, **names, own_best=0, own_other=0)
        # what is the same for nearly all, or equally frequent in both groups, tells nothing
        self.env.cr.execute(
            SQL("DELETE FROM crm_tmp_weight c WHERE ABS(%s) < %s", plain, MIN_WEIGHT)
        )
        weights = {}
        for kind, value, number in self.env.execute_query(
            SQL("SELECT kind, value, %s FROM crm_tmp_weight c", plain)
        ):
            weights.setdefault(kind, {})[str(value)] = round(number, 3)
        left_out = SQL(
            weight,
            **names,
            own_best=SQL("is_best::integer"),
            own_other=SQL("(NOT is_best)::integer"),
        )
        [(auc,)] = self.env.execute_query(
            SQL(
                """
                SELECT (SUM(rank) FILTER (WHERE is_best) - %(best)s::float8 * (%(best)s + 1) / 2)
                       / (%(best)s::float8 * %(others)s)
                  FROM (
                        SELECT is_best,
                               RANK() OVER (ORDER BY score)
                               + (COUNT(*) OVER (PARTITION BY score) - 1) / 2.0 AS rank
                          FROM (
                                SELECT p.id, p.customer_class = 'A' AS is_best,
                                       ROUND(COALESCE(s.score, 0)::numeric, 6) AS score
                                  FROM crm_customer_profile p
                             LEFT JOIN (
                                       SELECT a.id, SUM(%(left_out)s) AS score
                                         FROM crm_tmp_attribute a
                                         JOIN crm_tmp_weight c USING (kind, value)
                                        WHERE a.bought
                                     GROUP BY a.id
                                       ) s ON s.id = p.id
                                 WHERE p.company_id = %(company)s AND p.frequency > 0
                               ) scored
                       ) ranked
                """,
                left_out=left_out,
                **names,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_customer_profile p SET likeness = f.likeness
                  FROM (
                        SELECT p.id, CASE WHEN s.id IS NOT NULL THEN
                                   ROUND((100 / (1 + EXP(-s.score)))::numeric, 1) END AS likeness
                          FROM crm_customer_profile p
                     LEFT JOIN (
                               SELECT a.id, SUM(%(plain)s) AS score
                                 FROM crm_tmp_attribute a
                                 JOIN crm_tmp_weight c USING (kind, value)
                                WHERE a.is_judged
                             GROUP BY a.id
                               ) s ON s.id = p.id
                         WHERE p.company_id = %(company)s
                       ) f
                 WHERE f.id = p.id AND p.likeness IS DISTINCT FROM f.likeness;
                DROP TABLE crm_tmp_attribute, crm_tmp_weight
                """,
                plain=plain,
                **names,
            )
        )
        analysis._set_facts(
            likeness_weights={"best": best, "auc": round(float(auc), 4), "weights": weights}
        )

    def _compute_likeness_reasons(self):
        weights = {
            company: (self.env["crm.customer.analysis"]._get_for(company).likeness_weights or {})
            for company in self.company_id
        }
        for profile in self:
            profile.likeness_reasons = (
                profile._explain_likeness(weights[profile.company_id].get("weights") or {})
                if profile.likeness
                else False
            )

    def _explain_likeness(self, weights):
        """Return what the client shares with the best ones, the strongest first, in words."""
        partner = self.partner_id
        found = []
        for kind, by_value in weights.items():
            if kind == "source_id":
                continue
            field = partner._fields[kind]
            values = partner[kind]
            options = [(str(int(values)), values)] if kind == "is_company" else [
                (str(record.id), record) for record in values
            ]  # fmt: skip
            for key, value in options:
                weight = by_value.get(key, 0)
                if weight < 0.05:
                    continue
                label = field._description_string(self.env)
                if kind == "is_company":
                    label = self.env._("Company") if value else self.env._("Person")
                else:
                    label = f"{label}: {value.display_name}"
                found.append((weight, label))
        return "; ".join(
            self.env._(
                "%(what)s (%(times).1f times as frequent among the best)",
                what=label,
                times=math.exp(weight),
            )
            for weight, label in sorted(found, reverse=True)[:SHOWN]
        )
