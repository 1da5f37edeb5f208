import io
from dataclasses import asdict

import numpy as np
from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.addons.crm_scoring.tools import recommender
from odoo.addons.crm_scoring.tools.copying import copy_integers
from odoo.tools import SQL

EPOCH = fields.Date.to_date("2000-01-01")
TUNE_EVERY = 7  # days
RULES_SHOWN = 5  # products per client that come from rules
COLUMNS = (
    "partner_id", "product_id", "source", "rank", "score", "times", "interval_days", "date_last",
    "date_due", "because_product_id", "confidence",
)  # fmt: skip


class CrmProductRecommendation(models.Model):
    """What to offer to a client next, and why.

    - *Again*: products the client buys, due by his usual interval or overdue. *Similar clients*:
      products new to him that clients who buy the same buy. *Rule*: what goes with what he bought.
      *Best sellers*: for clients of whom nothing is known; these rows have no client.
    - Learnt for each company from its sales facts (``tools.recommender``). How the voices are mixed
      is chosen by a test on the last part of the time, once a week, and kept with its result.
    - Never what cannot be sold (archived, not for sale, of another company), is excluded by the
      settings or by the agreement of the client, or was just bought and is not due again.
    - Written by the refresh alone; rows that stay as they are are not written.
    - Salespersons see the rows of their own clients and of clients without a salesperson.
    """

    _name = "crm.product.recommendation"
    _description = "Recommended Product"
    _order = "partner_id, rank, id"
    _rec_name = "product_id"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one(
        "res.partner", string="Client", readonly=True, ondelete="cascade", index=True
    )
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    product_id = fields.Many2one(
        "product.product", required=True, readonly=True, ondelete="cascade", index=True
    )
    source = fields.Selection(
        [
            ("repeat", "Again"),
            ("similar", "Similar clients"),
            ("rule", "Rule"),
            ("popular", "Best sellers"),
        ],
        required=True,
        readonly=True,
    )
    rank = fields.Integer(readonly=True, aggregator=None)
    score = fields.Float(readonly=True, digits=(12, 4), aggregator="avg")
    times = fields.Integer(string="Bought (times)", readonly=True, aggregator=None)
    interval_days = fields.Integer(string="Usual Interval (days)", readonly=True, aggregator="avg")
    date_last = fields.Date(string="Last Bought", readonly=True)
    date_due = fields.Date(string="Due", readonly=True)
    because_product_id = fields.Many2one(
        "product.product", string="Because of", readonly=True, ondelete="set null"
    )
    confidence = fields.Float(string="Confidence (%)", readonly=True, digits=(6, 1))
    reason = fields.Char(compute="_compute_reason")

    _client_product_unique = models.UniqueIndex(
        "(company_id, COALESCE(partner_id, 0), product_id)",
        "A product is recommended to a client once.",
    )

    @api.depends("source", "times", "interval_days", "date_last", "date_due", "because_product_id")
    def _compute_reason(self):
        today = fields.Date.context_today(self)
        for row in self:
            row.reason = row._get_reason(today)

    def _get_reason(self, today):
        """Return in words why the product is recommended."""
        self.ensure_one()
        because = self.because_product_id.display_name
        if self.source == "similar":
            if because:
                return self.env._("Clients who buy “%(product)s” buy it too", product=because)
            return self.env._("Similar clients buy it")
        if self.source == "rule":
            return self.env._(
                "With “%(product)s” it is bought in %(percent).0f%% of cases",
                product=because,
                percent=self.confidence,
            )
        if self.source == "popular":
            return self.env._("Many clients buy it now")
        if not self.date_due:
            return self.env._("Bought %(times)s times", times=self.times)
        days = (self.date_due - today).days
        words = self.env._(
            "Bought %(times)s times, usually every %(interval)s days",
            times=self.times,
            interval=self.interval_days,
        )
        if days > 0:
            due = self.env._("due again in %(days)s days", days=days)
        elif days == 0:
            due = self.env._("due today")
        else:
            due = self.env._("overdue for %(days)s days", days=-days)
        return f"{words}; {due}"

    # ------------------------------------------------------------------
    # refresh
    # ------------------------------------------------------------------

    @api.model
    def _get_sales(self, advice, today):
        """Return (sales, ids of the clients, ids of the products) of the window of a company."""
        query = SQL(
            """
            SELECT f.commercial_partner_id, f.product_id, MAX(f.date) - %(epoch)s::date
              FROM crm_sale_fact f
             WHERE f.company_id = %(company)s AND f.quantity > 0 AND f.is_return IS NOT TRUE
               AND f.date > %(since)s AND f.date <= %(today)s
               AND f.commercial_partner_id IS NOT NULL AND f.product_id IS NOT NULL
               AND f.commercial_partner_id != ALL(%(nobody)s) AND f.product_id != ALL(%(excluded)s)
          GROUP BY f.commercial_partner_id, f.product_id, date_part('year', f.date),
                   COALESCE(f.document, f.date::text)
            """,
            epoch=EPOCH,
            company=advice.company_id.id,
            since=today - relativedelta(months=advice.history_months),
            today=today,
            nobody=self.env["crm.customer.profile"]._get_excluded_partners().ids,
            excluded=sorted(advice._get_excluded_products()),
        )
        text = self.env.cr.mogrify(query).decode()
        client, product, day = copy_integers(self.env.cr, text, 3)
        products, number = np.unique(product, return_counts=True)
        if len(products) > recommender.MAX_ITEMS:
            often = np.sort(
                np.argpartition(-number, recommender.MAX_ITEMS)[: recommender.MAX_ITEMS]
            )
            kept = np.isin(product, products[often])
            client, product, day = client[kept], product[kept], day[kept]
        clients, client = np.unique(client, return_inverse=True)
        products, product = np.unique(product, return_inverse=True)
        sales = recommender.Sales(client, product, day, len(clients), len(products))
        return sales, clients, products

    @api.model
    def _get_sellable(self, advice, product_ids):
        """Return the ids of the products that may be offered at all, as a set."""
        # sudo: what the company sells, whoever has the recommendations computed
        products = self.env["product.product"].sudo()
        return (
            set(
                products.search(
                    [
                        ("id", "in", product_ids),
                        ("sale_ok", "=", True),
                        ("company_id", "in", [False, *advice.company_id.parent_ids.ids]),
                    ]
                ).ids
            )
            - advice._get_excluded_products()
        )

    @api.model
    def _refresh(self, advice, today):
        """Compute the recommendations of a company and write those that have changed."""
        sales, clients, products = self._get_sales(advice, today)
        lines = []
        if len(sales.day):
            model, fresh = self._learn(advice, sales, today)
            sellable = self._get_sellable(advice, products.tolist())
            lines = self._compute_lines(
                advice, sales, model, fresh, clients.tolist(), products.tolist(), sellable, today
            )
        self._write_lines(advice.company_id, lines)
        advice.client_count = len({line[0] for line in lines if line[0] != r"\N"})

    @api.model
    def _learn(self, advice, sales, today):
        """Return (model, options for new products); tune the mix again once a week."""
        day = (today - EPOCH).days
        kept = advice.report or {}
        tuned = fields.Date.to_date(kept.get("date"))
        if not tuned or not 0 <= (today - tuned).days < TUNE_EVERY:
            fresh, usual, report = recommender.tune(sales, day + 1)
            kept = {
                **report,
                "date": fields.Date.to_string(today),
                "fresh": asdict(fresh),
                "usual": asdict(usual),
            }
            advice.report = kept
        fresh = recommender.Options(**kept["fresh"])
        usual = recommender.Options(**kept["usual"])
        return recommender.learn(sales, day + 1, usual), fresh

    @api.model
    def _compute_lines(self, advice, sales, model, fresh, clients, products, sellable, today):
        """Return the rows of ``COLUMNS``, as text for COPY."""
        day = (today - EPOCH).days
        allowed = np.array([product in sellable for product in products])
        forbidden = np.flatnonzero(~allowed)
        intervals, _own = recommender.find_intervals(sales, model)
        rules = self._get_simple_rules(advice, products)
        date = {}

        def text(number):
            return date.setdefault(number, str(EPOCH + relativedelta(days=int(number))))

        lines = []
        popular = model.crowd * model.trend**0.5
        for rank, product in enumerate(
            recommender.recommend(popular, advice.list_size, forbidden).tolist()
        ):
            lines.append(
                (r"\N", products[product], "popular", rank, f"{popular[product]:.4f}",
                 0, r"\N", r"\N", r"\N", r"\N", r"\N")
            )  # fmt: skip
        for client, partner in enumerate(clients):
            begin, end = model.starts[client], model.starts[client + 1]
            own = model.pair_product[begin:end]
            last, times = model.pair_last[begin:end], model.pair_times[begin:end]
            every = intervals[begin:end]
            due = last + np.where(np.isnan(every), 0, every)
            is_due = ~np.isnan(every) & (due <= day + advice.due_days)
            habitual = np.isnan(every) & (times >= 2) & (day - last > advice.just_bought_days)
            again = np.flatnonzero((is_due | habitual) & allowed[own])
            usual = model.pair_habit[begin:end]
            again = again[np.argsort(-usual[again], kind="stable")][: advice.list_size]
            for rank, place in enumerate(again.tolist()):
                known = not np.isnan(every[place])
                lines.append(
                    (partner, products[own[place]], "repeat", rank, f"{usual[place]:.4f}",
                     int(times[place]), int(every[place]) if known else r"\N", text(last[place]),
                     text(int(due[place])) if known else r"\N", r"\N", r"\N")
                )  # fmt: skip
            taken = set()
            for rank, (product, because, confidence) in enumerate(
                self._match_rules(rules, own.tolist(), allowed)
            ):
                taken.add(product)
                lines.append(
                    (partner, products[product], "rule", rank, f"{confidence:.4f}", 0, r"\N",
                     r"\N", r"\N", products[because], f"{100 * confidence:.1f}")
                )  # fmt: skip
            scores = model.score(client, fresh)
            barred = np.concatenate([forbidden, own, np.fromiter(taken, int, len(taken))])
            best = recommender.recommend(scores, advice.list_size, barred)
            for rank, product in enumerate(best.tolist()):
                because = model.explain(client, product)
                if scores[product] <= 0:
                    break
                lines.append(
                    (partner, products[product], "similar", rank, f"{scores[product]:.4f}", 0,
                     r"\N", r"\N", r"\N", r"\N" if because is None else products[because], r"\N")
                )  # fmt: skip
        return lines

    @api.model
    def _get_simple_rules(self, advice, products):
        """Return {place of a product: [(place of another, confidence)]} of rules with one product
        on the left, the surest first; longer ones fire on the order."""
        place = {product: number for number, product in enumerate(products)}
        rules = {}
        for rule in self.env["crm.product.rule"].search(
            [
                ("company_id", "=", advice.company_id.id),
                ("size", "=", 1),
                ("is_off", "=", False),
                ("consequent_product_id", "!=", False),
            ],
            order="confidence desc, id",
        ):
            left = place.get(rule.antecedent_product_ids.id)
            right = place.get(rule.consequent_product_id.id)
            if left is not None and right is not None:
                rules.setdefault(left, []).append((right, rule.confidence / 100))
        return rules

    @api.model
    def _match_rules(self, rules, own, allowed):
        """Return the surest (product, because, confidence) of products new to a client."""
        found = {}
        have = set(own)
        for product in own:
            for other, confidence in rules.get(product, ())[:RULES_SHOWN]:
                if other in have or not allowed[other]:
                    continue
                if confidence > found.get(other, (0, 0))[1]:
                    found[other] = (product, confidence)
        best = sorted(found.items(), key=lambda item: (-item[1][1], item[0]))[:RULES_SHOWN]
        return [(product, because, confidence) for product, (because, confidence) in best]

    @api.model
    def _write_lines(self, company, lines):
        """Upsert what differs and delete what is gone."""
        cr = self.env.cr
        names = SQL(", ").join(SQL.identifier(name) for name in COLUMNS)
        cr.execute(
            SQL(
                "DROP TABLE IF EXISTS crm_tmp_recommendation;"
                "CREATE TEMPORARY TABLE crm_tmp_recommendation ON COMMIT DROP AS"
                " SELECT %s FROM crm_product_recommendation WITH NO DATA",
                names,
            )
        )
        text = "\n".join("\t".join(map(str, line)) for line in lines)
        cr.copy_expert("COPY crm_tmp_recommendation FROM STDIN", io.StringIO(text))
        values = [name for name in COLUMNS if name not in ("partner_id", "product_id")]
        cr.execute(
            SQL(
                """
                DELETE FROM crm_product_recommendation r
                 WHERE r.company_id = %(company)s AND NOT EXISTS (
                        SELECT FROM crm_tmp_recommendation t
                         WHERE COALESCE(t.partner_id, 0) = COALESCE(r.partner_id, 0)
                           AND t.product_id = r.product_id);
                INSERT INTO crm_product_recommendation AS r (company_id, %(names)s)
                SELECT %(company)s, %(fresh)s FROM crm_tmp_recommendation t
             LEFT JOIN crm_product_recommendation o
                    ON o.company_id = %(company)s
                   AND COALESCE(o.partner_id, 0) = COALESCE(t.partner_id, 0)
                   AND o.product_id = t.product_id
                 WHERE o.id IS NULL OR (%(old)s) IS DISTINCT FROM (%(new)s)
           ON CONFLICT (company_id, COALESCE(partner_id, 0), product_id)
             DO UPDATE SET %(assignments)s
                """,
                company=company.id,
                names=names,
                fresh=SQL(", ").join(SQL("t.%s", SQL.identifier(name)) for name in COLUMNS),
                old=SQL(", ").join(SQL("o.%s", SQL.identifier(name)) for name in values),
                new=SQL(", ").join(SQL("t.%s", SQL.identifier(name)) for name in values),
                assignments=SQL(", ").join(
                    SQL("%s = excluded.%s", SQL.identifier(name), SQL.identifier(name))
                    for name in values
                ),
            )
        )
        self.invalidate_model()

    @api.model
    def _get_popular(self, company, category=None):
        """Return the ids of the best sellers of a company, of a category if given."""
        domain = [("company_id", "=", company.id), ("partner_id", "=", False)]
        if category:
            domain.append(("product_id.categ_id", "child_of", category.ids))
        # sudo: rows without a client are nobody's secret
        return self.sudo().search(domain, order="rank").product_id.ids
