import math

import numpy as np
from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.addons.crm_scoring.tools import association
from odoo.addons.crm_scoring.tools.copying import copy_integers
from odoo.exceptions import AccessError
from odoo.tools import SQL


class CrmProductRule(models.Model):
    """What is bought together: whoever buys all products on the left tends to buy the one on the
    right too.

    - Found in the baskets (documents) of a company within a window, between products or between
      categories, by thresholds of ``crm.product.advice``. Returns are no baskets.
    - Only strong rules are kept: one whose left side could be shortened without losing confidence
      is a trivial duplicate of the shorter one.
    - Rules are found by the refresh alone; a manager may switch one off, which lasts.
    """

    _name = "crm.product.rule"
    _description = "Product Rule"
    _order = "lift desc, count desc, id"
    _rec_name = "text"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade", index=True
    )
    key = fields.Char(required=True, readonly=True)
    is_off = fields.Boolean(string="Off", help="Not used for recommendations.")
    antecedent_product_ids = fields.Many2many(
        "product.product", "crm_product_rule_product_rel", "rule_id", "product_id",
        string="Who Buys", readonly=True,
    )  # fmt: skip
    antecedent_categ_ids = fields.Many2many(
        "product.category", "crm_product_rule_categ_rel", "rule_id", "categ_id",
        string="Who Buys From", readonly=True,
    )  # fmt: skip
    consequent_product_id = fields.Many2one(
        "product.product", string="Buys Too", readonly=True, ondelete="cascade", index=True
    )
    consequent_categ_id = fields.Many2one(
        "product.category", string="Buys Too From", readonly=True, ondelete="cascade"
    )
    size = fields.Integer(string="Products on the Left", readonly=True, aggregator="avg")
    count = fields.Integer(
        string="Baskets", readonly=True, help="Baskets that hold all products of the rule."
    )
    support = fields.Float(
        string="Support (%)", readonly=True, digits=(8, 3), aggregator="avg",
        help="The same in percent of all baskets.",
    )  # fmt: skip
    confidence = fields.Float(
        string="Confidence (%)", readonly=True, digits=(8, 2), aggregator="avg",
        help="Of the baskets with the left side, how many hold the right side too.",
    )  # fmt: skip
    lift = fields.Float(
        readonly=True, digits=(10, 2), aggregator="avg",
        help="How many times as often as by chance.",
    )  # fmt: skip
    leverage = fields.Float(
        string="Leverage (%)", readonly=True, digits=(8, 3), aggregator="avg",
        help="Share of the baskets beyond what chance would give.",
    )  # fmt: skip
    text = fields.Char(string="Rule", compute="_compute_text")

    _key_unique = models.Constraint("UNIQUE(company_id, key)", "A rule is kept once.")

    @api.depends(
        "antecedent_product_ids", "antecedent_categ_ids", "consequent_product_id",
        "consequent_categ_id",
    )  # fmt: skip
    def _compute_text(self):
        for rule in self:
            left = rule.antecedent_product_ids or rule.antecedent_categ_ids
            right = rule.consequent_product_id or rule.consequent_categ_id
            rule.text = f"{' + '.join(left.mapped('display_name'))} → {right.display_name}"

    def write(self, vals):
        if not self.env.su and vals.keys() - {"is_off"}:
            raise AccessError(self.env._("Rules are found, not entered: switch one on or off."))
        return super().write(vals)

    # ------------------------------------------------------------------
    # refresh
    # ------------------------------------------------------------------

    @api.model
    def _get_basket_query(self, advice, today):
        """Return the SELECT of (basket, item), each pair once, in the order of the baskets."""
        item = SQL("f.product_id")
        join = SQL("")
        if advice.rule_level == "category":
            item = SQL("pt.categ_id")
            join = SQL(
                " JOIN product_product pp ON pp.id = f.product_id"
                " JOIN product_template pt ON pt.id = pp.product_tmpl_id"
            )
        return SQL(
            """
            SELECT (DENSE_RANK() OVER (ORDER BY client, year, document) - 1)::integer AS basket,
                   item
              FROM (
                    SELECT DISTINCT f.commercial_partner_id AS client,
                           date_part('year', f.date) AS year,
                           COALESCE(f.document, f.date::text) COLLATE "C" AS document,
                           %(item)s AS item
                      FROM crm_sale_fact f%(join)s
                     WHERE f.company_id = %(company)s AND f.quantity > 0
                       AND f.is_return IS NOT TRUE
                       AND f.date > %(since)s AND f.date <= %(today)s
                       AND f.commercial_partner_id IS NOT NULL AND f.product_id IS NOT NULL
                       AND f.product_id != ALL(%(excluded)s) AND %(item)s IS NOT NULL
                   ) lines
          ORDER BY basket
            """,
            item=item,
            join=join,
            company=advice.company_id.id,
            since=today - relativedelta(months=advice.rule_months),
            today=today,
            excluded=sorted(advice._get_excluded_products()),
        )

    @api.model
    def _find_rules(self, advice, today):
        """Return (rules with ids of products or categories, number of baskets)."""
        query = self._get_basket_query(advice, today)
        text = self.env.cr.mogrify(query).decode()
        basket, item = copy_integers(self.env.cr, text, 2)
        baskets = int(basket[-1]) + 1 if len(basket) else 0
        if not baskets:
            return [], 0
        ids, item = np.unique(item, return_inverse=True)
        smallest = max(advice.rule_min_count, math.ceil(advice.rule_support / 100 * baskets - 1e-9))
        sets = association.find_frequent_sets(basket, item, baskets, smallest, advice.rule_max_size)
        rules = association.find_rules(
            sets,
            baskets,
            advice.rule_confidence / 100,
            advice.rule_lift,
            advice.rule_leverage / 100,
            max_consequents=1,
            strong_only=True,
        )
        named = [
            (rule, [int(ids[one]) for one in rule.antecedent], int(ids[rule.consequent[0]]))
            for rule in rules
        ]
        return named, baskets

    @api.model
    def _refresh(self, advice, today):
        """Find the rules of a company; write those that are new or measured otherwise.

        Too many sets: the rules stay as they were and the settings say what to change.
        """
        company = advice.company_id
        try:
            found, baskets = self._find_rules(advice, today)
        except association.TooManySets:
            advice.error = self.env._(
                "More than 200,000 combinations pass these thresholds. Raise support or the "
                "number of baskets, or allow fewer products per rule."
            )
            return
        by_category = advice.rule_level == "category"
        letter = "c" if by_category else "p"
        values = {}
        for rule, left, right in found:
            key = f"{letter}:{','.join(map(str, sorted(left)))}>{right}"
            values[key] = {
                "count": rule.count,
                "support": round(100 * rule.support, 3),
                "confidence": round(100 * rule.confidence, 2),
                "lift": round(rule.lift, 2),
                "leverage": round(100 * rule.leverage, 3),
            }
        # sudo: rules are written by the refresh alone
        present = self.sudo().search([("company_id", "=", company.id)])
        by_key = {rule.key: rule for rule in present}
        present.filtered(lambda rule: rule.key not in values).unlink()
        created = []
        for key, measured in values.items():
            if rule := by_key.get(key):
                changed = {name: value for name, value in measured.items() if rule[name] != value}
                if changed:
                    rule.sudo().write(changed)
                continue
            left, right = key[2:].split(">")
            left, right = [int(one) for one in left.split(",")], int(right)
            names = ("antecedent_categ_ids", "consequent_categ_id") if by_category else (
                "antecedent_product_ids", "consequent_product_id"
            )  # fmt: skip
            created.append(
                {
                    "company_id": company.id, "key": key, "size": len(left),
                    names[0]: [fields.Command.set(left)], names[1]: right, **measured,
                }
            )  # fmt: skip
        self.sudo().create(created)
        advice.write({"basket_count": baskets, "rule_count": len(values), "error": False})

    @api.model
    def _get_fired(self, company, products, limit=10):
        """Return the rules whose whole left side is among products and whose right side is not.

        :param products: ``product.product`` records
        :return: list of (rule, product ids that the right side offers), the strongest first; a
            category stands for its best-selling products that may be recommended
        """
        if not products:
            return []
        rows = self.env.execute_query(
            SQL(
                """
                SELECT r.id FROM crm_product_rule r
                 WHERE r.company_id = %(company)s AND r.is_off IS NOT TRUE
                   AND r.id IN (
                        SELECT x.rule_id FROM (
                            SELECT rule_id, COUNT(*) AS hit FROM crm_product_rule_product_rel
                             WHERE product_id = ANY(%(products)s) GROUP BY rule_id
                             UNION ALL
                            SELECT rule_id, COUNT(*) FROM crm_product_rule_categ_rel
                             WHERE categ_id = ANY(%(categories)s) GROUP BY rule_id
                        ) x JOIN crm_product_rule y ON y.id = x.rule_id AND y.size = x.hit
                       )
                   AND (r.consequent_product_id IS NULL
                        OR r.consequent_product_id != ALL(%(products)s))
                   AND (r.consequent_categ_id IS NULL
                        OR r.consequent_categ_id != ALL(%(categories)s))
              ORDER BY r.confidence DESC, r.lift DESC, r.id
                 LIMIT %(limit)s
                """,
                company=company.id,
                products=products.ids,
                categories=products.categ_id.ids,
                limit=limit,
            )
        )
        fired = []
        for rule in self.browse([rule_id for (rule_id,) in rows]):
            offered = rule.consequent_product_id.ids or self._get_best_of_category(rule)
            fired.append((rule, offered))
        return fired

    @api.model
    def _get_best_of_category(self, rule):
        """Return the ids of the best-recommended products of a rule's category."""
        recommendations = self.env["crm.product.recommendation"]
        return recommendations._get_popular(rule.company_id, rule.consequent_categ_id)[:2]
