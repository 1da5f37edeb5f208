from odoo import api, fields, models
from odoo.tools import SQL


class CrmProductOffer(models.Model):
    """A recommendation that was shown, or held back for comparison, and what came of it.

    - One row per client, product and period of ``offer_days``: showing it again is no new offer.
    - *Taken*: the client bought the product from the day of the offer on, within those days.
    - *Hold-out*: clients to whom nothing is shown on purpose. What they take anyway is what the
      others would have taken anyway; the difference is owed to the recommendations.
    """

    _name = "crm.product.offer"
    _description = "Recommendation Shown"
    _order = "date desc, id desc"
    _rec_name = "product_id"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Client", required=True, readonly=True, ondelete="cascade", index=True
    )
    user_id = fields.Many2one("res.users", string="Shown to", readonly=True, ondelete="set null")
    product_id = fields.Many2one(
        "product.product", required=True, readonly=True, ondelete="cascade"
    )
    source = fields.Selection(
        lambda self: self.env["crm.product.recommendation"]
        ._fields["source"]
        ._description_selection(self.env),
        readonly=True,
    )
    channel = fields.Selection(
        [("order", "Order"), ("deal", "Deal"), ("client", "Client"), ("portal", "Portal")],
        string="Shown on",
        readonly=True,
    )
    date = fields.Date(readonly=True)
    is_holdout = fields.Boolean(string="Hold-Out", readonly=True)
    is_added = fields.Boolean(string="Added by Click", readonly=True)
    date_taken = fields.Date(string="Taken on", readonly=True)
    offered_count = fields.Integer(string="Offered", readonly=True, default=1)
    taken_count = fields.Integer(string="Taken", readonly=True)
    taken_rate = fields.Float(string="Taken (%)", readonly=True, digits=(5, 1), aggregator="avg")
    amount = fields.Monetary(string="Turnover", readonly=True)

    _client_date = models.Index("(company_id, partner_id, product_id, date)")

    @api.model
    def _is_held_out(self, advice, partner):
        """Whether nothing is shown for a client; always the same answer while the share stays."""
        return (partner.id * 2654435761 >> 7) % 100 < advice.holdout_percent

    @api.model
    def _log(self, advice, partner, rows, channel, held_out):
        """Note what is shown.

        :param rows: list of (product id, source)
        """
        if not rows:
            return
        today = fields.Date.context_today(self)
        since = fields.Date.subtract(today, days=advice.offer_days)
        # sudo: users see offers, the display alone writes them
        offers_sudo = self.sudo()
        known = set(
            offers_sudo.search(
                [
                    ("company_id", "=", advice.company_id.id),
                    ("partner_id", "=", partner.id),
                    ("date", ">", since),
                ]
            ).product_id.ids
        )
        offers_sudo.create(
            [
                {
                    "company_id": advice.company_id.id, "partner_id": partner.id,
                    "product_id": product, "source": source, "channel": channel, "date": today,
                    "user_id": self.env.uid, "is_holdout": held_out, "offered_count": 1,
                }
                for product, source in rows
                if product not in known
            ]
        )  # fmt: skip

    @api.model
    def _mark_added(self, company, partner, product):
        """Note that the product was put on an order by a click."""
        # sudo: see _log
        offer_sudo = self.sudo().search(
            [
                ("company_id", "=", company.id),
                ("partner_id", "=", partner.id),
                ("product_id", "=", product.id),
            ],
            limit=1,
        )
        offer_sudo.is_added = True

    @api.model
    def _refresh_taken(self, advice, today):
        """Find what was bought after it was offered."""
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_product_offer o
                   SET date_taken = t.date, amount = t.amount,
                       taken_count = (t.date IS NOT NULL)::int,
                       taken_rate = CASE WHEN t.date IS NOT NULL THEN 100 ELSE 0 END
                  FROM (
                        SELECT o.id, MIN(f.date) FILTER (WHERE f.amount > 0) AS date,
                               COALESCE(SUM(f.amount), 0) AS amount
                          FROM crm_product_offer o
                     LEFT JOIN crm_sale_fact f
                            ON f.commercial_partner_id = o.partner_id
                           AND f.company_id = o.company_id AND f.product_id = o.product_id
                           AND f.date >= o.date AND f.date <= o.date + %(days)s
                         WHERE o.company_id = %(company)s AND o.date >= %(since)s
                      GROUP BY o.id
                       ) t
                 WHERE t.id = o.id
                   AND (o.date_taken, o.amount, o.taken_rate) IS DISTINCT FROM
                       (t.date, t.amount, CASE WHEN t.date IS NOT NULL THEN 100 ELSE 0 END)
                """,
                company=advice.company_id.id,
                days=advice.offer_days,
                since=fields.Date.subtract(today, days=2 * advice.offer_days + 7),
            )
        )
        self.invalidate_model()
