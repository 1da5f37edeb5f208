from odoo import models
from odoo.tools import SQL


class CrmSaleImport(models.Model):
    """From the waiting room to the history: rows, set-based, batch by batch."""

    _inherit = "crm.sale.import"

    def _refuse_unmatched(self):
        """Refuse rows of charges if told to, and rows whose client or product is not there."""
        for kind, reason, condition in (
            ("product", "service", SQL("k.is_service AND %s", self.services == "refuse")),
            ("client", "known_client", SQL("k.matched_by = 'known'")),
            ("client", "unknown_client", SQL("k.res_id IS NULL")),
            ("product", "unknown_product", SQL("k.res_id IS NULL")),
        ):
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE crm_sale_import_row r
                       SET reason = %(reason)s,
                           detail = COALESCE(NULLIF(k.ref, ''), NULLIF(k.vat, ''),
                                             NULLIF(k.email, ''), k.name)
                      FROM crm_sale_import_key k
                     WHERE k.import_id = %(id)s AND k.kind = %(kind)s AND %(condition)s
                       AND r.import_id = %(id)s AND r.reason IS NULL
                       AND r.%(column)s = k.key
                    """,
                    id=self.id,
                    kind=kind,
                    reason=reason,
                    condition=condition,
                    column=SQL.identifier(f"{kind}_key"),
                )
            )

    def _get_walk_in_partner(self):
        """Return the client of sales over the counter."""
        return self.env.ref("crm_extended.partner_walk_in")

    def _book(self, position, limit):
        """Book the next rows of the waiting room.

        :return: (last row number, new, updated, already there)
        """
        [(end,)] = self.env.execute_query(
            SQL(
                """
                SELECT MAX(row_no)
                  FROM (SELECT row_no FROM crm_sale_import_row
                         WHERE import_id = %s AND row_no > %s ORDER BY row_no LIMIT %s) rows
                """,
                self.id,
                position,
                limit,
            )
        )
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        self.env["res.currency.rate"].flush_model()
        [(good, new, updated)] = self.env.execute_query(
            SQL(
                """
                WITH batch AS MATERIALIZED (
                    SELECT * FROM crm_sale_import_row
                     WHERE import_id = %(id)s AND row_no > %(position)s AND row_no <= %(end)s
                       AND reason IS NULL
                ), rates AS (
                    SELECT d.currency_id, d.date, %(company_rate)s / %(rate)s AS factor
                      FROM (SELECT DISTINCT currency_id, date FROM batch) d
                     WHERE d.currency_id != %(company_currency)s
                ), booked AS (
                    INSERT INTO crm_sale_history AS h
                           (date, document, partner_id, commercial_partner_id, product_id,
                            quantity, amount, amount_currency, currency_id, is_return, source,
                            row_key, import_id, company_id)
                    SELECT b.date, b.document, p.id, p.commercial_partner_id, pk.res_id,
                           b.quantity,
                           ROUND(b.amount_currency * COALESCE(r.factor, 1), %(decimals)s),
                           ROUND(b.amount_currency, c.decimal_places), b.currency_id,
                           b.is_return, %(source)s, b.content_key || '-' || b.occurrence,
                           %(id)s, %(company)s
                      FROM batch b
                      JOIN res_currency c ON c.id = b.currency_id
                 LEFT JOIN rates r ON r.currency_id = b.currency_id AND r.date = b.date
                 LEFT JOIN crm_sale_import_key ck
                        ON ck.import_id = %(id)s AND ck.kind = 'client' AND ck.key = b.client_key
                 LEFT JOIN res_partner p
                        ON p.id = CASE WHEN b.client_key IS NULL THEN %(walk_in)s
                                       ELSE ck.res_id END
                 LEFT JOIN crm_sale_import_key pk
                        ON pk.import_id = %(id)s AND pk.kind = 'product'
                       AND pk.key = b.product_key
                  ORDER BY b.row_no
               ON CONFLICT (company_id, source, row_key) DO UPDATE
                       SET date = excluded.date, document = excluded.document,
                           partner_id = excluded.partner_id,
                           commercial_partner_id = excluded.commercial_partner_id,
                           product_id = excluded.product_id, quantity = excluded.quantity,
                           amount = excluded.amount, amount_currency = excluded.amount_currency,
                           currency_id = excluded.currency_id, is_return = excluded.is_return
                     WHERE (h.date, h.document, h.partner_id, h.commercial_partner_id,
                            h.product_id, h.quantity, h.amount, h.amount_currency, h.currency_id,
                            h.is_return)
                           IS DISTINCT FROM
                           (excluded.date, excluded.document, excluded.partner_id,
                            excluded.commercial_partner_id, excluded.product_id,
                            excluded.quantity, excluded.amount, excluded.amount_currency,
                            excluded.currency_id, excluded.is_return)
                 RETURNING xmax = 0 AS is_new
                )
                SELECT (SELECT COUNT(*) FROM batch),
                       COUNT(*) FILTER (WHERE is_new),
                       COUNT(*) FILTER (WHERE NOT is_new)
                  FROM booked
                """,
                id=self.id,
                position=position,
                end=end,
                company=self.company_id.id,
                company_currency=self.company_id.currency_id.id,
                decimals=self.company_id.currency_id.decimal_places,
                source=self.source,
                walk_in=self._get_walk_in_partner().id,
                company_rate=self._get_rate_query(SQL("%s", self.company_id.currency_id.id)),
                rate=self._get_rate_query(SQL("d.currency_id")),
            )
        )
        self.env["crm.sale.history"].invalidate_model()
        return end, new, updated, good - new - updated

    def _get_rate_query(self, currency):
        """Return the rate of a currency on ``d.date`` the way Odoo finds it: the last one until
        then, else the first one, else 1; a rate of the company before a shared one."""
        rate = SQL(
            """
            SELECT rate FROM res_currency_rate
             WHERE currency_id = %s AND (company_id IS NULL OR company_id = %s)
            """,
            currency,
            self.company_id.root_id.id,
        )
        return SQL(
            """
            COALESCE((%(rate)s AND name <= d.date ORDER BY company_id, name DESC LIMIT 1),
                     (%(rate)s ORDER BY company_id, name LIMIT 1), 1)
            """,
            rate=rate,
        )

    def _delete_history(self):
        """Delete the rows of these imports, as the user may."""
        self.env["crm.sale.history"].search([("import_id", "in", self.ids)]).unlink()
        self._set(count_new=0, count_updated=0, count_present=0, phase=False)
        self._after_import()
