from collections import Counter

from odoo import models
from odoo.addons.crm_extended.tools import sales_typing
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

# names of countries met in exports that are neither codes nor Odoo's names
COUNTRY_ALIASES = {
    "eire": "IE", "usa": "US", "rsa": "ZA", "uk": "GB", "great britain": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "uae": "AE", "korea": "KR", "holland": "NL",
    "russia": "RU", "czechia": "CZ", "россия": "RU", "рф": "RU",
}  # fmt: skip


class CrmSaleImport(models.Model):
    """From the waiting room to the history: clients, products, occurrences, rows.

    - A client or product is looked up once for all of its rows, by the identifiers in the order
      the user chose; the first one that finds something wins. Companies come before their
      contacts, active records before archived ones, older before newer.
    - A weak identifier (name, e-mail) never joins what a strong one tells apart: a client of
      another reference or VAT number is somebody else, however equal the names, and a name that
      several clients of the file share finds nobody.
    - Products are created as goods (or services, for charges) under the most frequent name, at
      the median price; charges cannot be sold.
    """

    _inherit = "crm.sale.import"

    # ------------------------------------------------------------------
    # keys
    # ------------------------------------------------------------------

    def _store_keys(self, collector):
        """Add the clients and products of a batch to those known; counts and gaps are merged."""
        items = list(collector.variants.items())
        for start in range(0, len(items), 1000):
            values = [
                SQL(
                    "(%s, %s, %s, %s, %s, %s, %s, %s, %s, false)",
                    self.id,
                    kind,
                    key,
                    self._printable(name),
                    ref,
                    vat,
                    email,
                    country,
                    count,
                )  # fmt: skip
                for (kind, key, name), (ref, vat, email, country, count) in items[
                    start : start + 1000
                ]
            ]
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO crm_sale_import_key AS k
                           (import_id, kind, key, name, ref, vat, email, country, row_count,
                            is_service)
                    VALUES %s
               ON CONFLICT (import_id, kind, key, name) DO UPDATE
                       SET row_count = k.row_count + excluded.row_count,
                           ref = COALESCE(NULLIF(k.ref, ''), excluded.ref),
                           vat = COALESCE(NULLIF(k.vat, ''), excluded.vat),
                           email = COALESCE(NULLIF(k.email, ''), excluded.email),
                           country = COALESCE(NULLIF(k.country, ''), excluded.country)
                    """,
                    SQL(", ").join(values),
                )
            )

    def _settle_keys(self):
        """Leave one record for each key, with its most frequent name; mark the charges."""
        self.env.cr.execute(
            SQL(
                """
                WITH ranked AS (
                    SELECT id,
                           SUM(row_count) OVER same AS row_count,
                           MAX(ref) OVER same AS ref,
                           MAX(vat) OVER same AS vat,
                           MAX(email) OVER same AS email,
                           MAX(country) OVER same AS country,
                           ROW_NUMBER() OVER (
                               PARTITION BY kind, key ORDER BY name = '', row_count DESC, name
                           ) AS place
                      FROM crm_sale_import_key
                     WHERE import_id = %(id)s
                    WINDOW same AS (PARTITION BY kind, key)
                ), dropped AS (
                    DELETE FROM crm_sale_import_key k
                     USING ranked r
                     WHERE k.id = r.id AND r.place > 1
                )
                UPDATE crm_sale_import_key k
                   SET row_count = r.row_count, ref = r.ref, vat = r.vat, email = r.email,
                       country = r.country
                  FROM ranked r
                 WHERE k.id = r.id AND r.place = 1
                """,
                id=self.id,
            )
        )
        codes = [
            code
            for (code,) in self.env.execute_query(
                SQL(
                    "SELECT ref FROM crm_sale_import_key WHERE import_id = %s AND kind = 'product'",
                    self.id,
                )
            )
        ]
        listed = {
            sales_typing.clean_code(code).casefold()
            for code in (self.service_codes or "").split(",")
            if code.strip()
        }
        services = sales_typing.find_service_codes(codes, listed)
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_sale_import_key SET is_service = true
                 WHERE import_id = %s AND kind = 'product' AND ref = ANY(%s)
                """,
                self.id,
                list(services),
            )
        )

    def _count_occurrences(self):
        """Number equal rows of the file, so that the second of two equal lines is a fact too."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_sale_import_row r
                   SET occurrence = n.occurrence
                  FROM (
                        SELECT id,
                               ROW_NUMBER() OVER (
                                   PARTITION BY content_key ORDER BY row_no
                               ) AS occurrence
                          FROM crm_sale_import_row
                         WHERE import_id = %(id)s AND reason IS NULL
                       ) n
                 WHERE r.id = n.id AND n.occurrence > 1 AND r.occurrence != n.occurrence
                """,
                id=self.id,
            )
        )

    # ------------------------------------------------------------------
    # matching
    # ------------------------------------------------------------------

    def _match_keys(self):
        """Look up every client and product that has no record yet."""
        for field in sales_typing.CLIENT_ORDERS[self.client_match]:
            self._match(
                "client",
                field,
                self._get_client_expressions(field),
                SQL(
                    """
                    FROM res_partner p
                    WHERE p.company_id IS NULL OR p.company_id = %s
                    """,
                    self.company_id.id,
                ),
                SQL("p.active DESC, p.parent_id IS NOT NULL, p.id"),
            )
        for field in sales_typing.PRODUCT_ORDERS[self.product_match]:
            for expressions in self._get_product_expressions(field):
                self._match(
                    "product",
                    field,
                    expressions,
                    SQL(
                        """
                        FROM product_product p
                        JOIN product_template t ON t.id = p.product_tmpl_id
                        WHERE t.company_id IS NULL OR t.company_id = %s
                        """,
                        self.company_id.id,
                    ),
                    SQL("p.active DESC, p.id"),
                )

    def _get_client_expressions(self, field):
        """Return (value in the file, value in Odoo, condition against contradiction)."""

        def vat(column):
            # with or without the prefix of the country
            return SQL(
                "regexp_replace(regexp_replace(upper(%s), '[^A-Z0-9]', '', 'g'), "
                "'^[A-Z]{2}(?=[0-9]{8,}$)', '')",
                column,
            )

        same_ref = SQL(
            "(COALESCE(k.ref, '') = '' OR COALESCE(p.ref, '') = '' OR lower(k.ref) = lower(p.ref))"
        )
        same_vat = SQL(
            "(COALESCE(k.vat, '') = '' OR COALESCE(p.vat, '') = '' OR %s = %s)",
            vat(SQL("k.vat")),
            vat(SQL("p.vat")),
        )
        return {
            "ref": (SQL("lower(k.ref)"), SQL("lower(trim(p.ref))"), SQL("true")),
            "vat": (vat(SQL("k.vat")), vat(SQL("p.vat")), SQL("true")),
            "email": (
                SQL("k.email"),
                SQL("lower(p.email_normalized)"),
                SQL("%s AND %s", same_ref, same_vat),
            ),
            "name": (
                SQL("lower(k.name)"),
                SQL("lower(regexp_replace(trim(p.name), '\\s+', ' ', 'g'))"),
                SQL("%s AND %s", same_ref, same_vat),
            ),
        }[field]

    def _get_product_expressions(self, field):
        same_code = SQL(
            "(COALESCE(k.ref, '') = '' OR COALESCE(p.default_code, '') = '' "
            "OR lower(k.ref) = lower(p.default_code))"
        )
        if field == "code":
            return [
                (SQL("lower(k.ref)"), SQL("lower(trim(p.default_code))"), SQL("true")),
                (SQL("lower(k.ref)"), SQL("lower(trim(p.barcode))"), SQL("true")),
            ]
        return [
            (
                SQL("lower(k.name)"),
                SQL("lower(regexp_replace(trim(t.name->>%s), '\\s+', ' ', 'g'))", lang),
                same_code,
            )
            for lang in dict.fromkeys((self.env.lang or "en_US", "en_US"))
        ]

    def _match(self, kind, field, expressions, source, order):
        """Match the keys that have no record by one identifier, in one statement."""
        in_file, in_odoo, compatible = expressions
        self.env["res.partner"].flush_model()
        self.env["product.product"].flush_model()
        self.env["product.template"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH wanted AS (
                    SELECT k.id, k.key, k.ref, k.vat, %(in_file)s AS value,
                           COUNT(*) OVER (PARTITION BY %(in_file)s) AS sharers
                      FROM crm_sale_import_key k
                     WHERE k.import_id = %(id)s
                       AND k.kind = %(kind)s
                       AND COALESCE(%(in_file)s, '') != ''
                ), known AS (
                    SELECT p.*, %(in_odoo)s AS value,
                           ROW_NUMBER() OVER (ORDER BY %(order)s) AS place
                    %(source)s
                ), found AS (
                    SELECT DISTINCT ON (k.id) k.id, p.id AS res_id
                      FROM wanted k
                      JOIN known p ON p.value = k.value
                     WHERE k.sharers = 1 AND %(compatible)s
                  ORDER BY k.id, p.place
                )
                UPDATE crm_sale_import_key k
                   SET res_id = found.res_id, matched_by = %(field)s
                  FROM found
                 WHERE k.id = found.id AND k.res_id IS NULL
                """,
                id=self.id,
                kind=kind,
                field=field,
                in_file=in_file,
                in_odoo=in_odoo,
                source=source,
                order=order,
                compatible=compatible,
            )
        )
        self.env["crm.sale.import.key"].invalidate_model()

    def _drop_dead_keys(self):
        """Forget matches with records that were deleted since."""
        for kind, table in (("client", "res_partner"), ("product", "product_product")):
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE crm_sale_import_key k
                       SET res_id = NULL, matched_by = NULL
                     WHERE k.import_id = %s AND k.kind = %s AND k.res_id IS NOT NULL
                       AND NOT EXISTS (SELECT FROM %s t WHERE t.id = k.res_id)
                    """,
                    self.id,
                    kind,
                    SQL.identifier(table),
                )
            )

    # ------------------------------------------------------------------
    # creating
    # ------------------------------------------------------------------

    def _get_missing_condition(self):
        """Return the SQL condition of keys to create."""
        kinds = [kind for kind in ("client", "product") if self[f"create_{kind}s"]]
        return SQL(
            """
            import_id = %s AND res_id IS NULL AND matched_by IS NULL AND kind = ANY(%s)
            AND NOT (is_service AND %s)
            """,
            self.id,
            kinds,
            self.services == "refuse",
        )

    def _count_missing(self):
        [(count,)] = self.env.execute_query(
            SQL("SELECT count(*) FROM crm_sale_import_key WHERE %s", self._get_missing_condition())
        )
        return count

    def _create_missing(self, limit=None):
        """Create clients and products for keys without a record.

        :param int limit: at most so many
        :return: Counter of created records by kind
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT kind, id, ref, vat, email, name, country, is_service, key
                  FROM crm_sale_import_key
                 WHERE %s
              ORDER BY kind, id
                 LIMIT %s
                """,
                self._get_missing_condition(),
                limit,
            )
        )
        counts = Counter()
        for kind, model, prepare in (
            ("client", "res.partner", self._prepare_client_values),
            ("product", "product.product", self._prepare_product_values),
        ):
            wanted = [row for row in rows if row[0] == kind]
            if not wanted:
                continue
            context = self._get_create_lookups(kind, wanted)
            created = self._create_each(model, [(row[1], prepare(row, context)) for row in wanted])
            counts[kind] = sum(1 for _key_id, res_id in created if res_id)
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE crm_sale_import_key k
                       SET res_id = c.res_id,
                           matched_by = CASE WHEN c.res_id IS NULL THEN 'refused'
                                             ELSE 'created' END
                      FROM (SELECT unnest(%s::int[]) AS id, unnest(%s::int[]) AS res_id) c
                     WHERE k.id = c.id
                    """,
                    [key_id for key_id, _res_id in created],
                    [res_id for _key_id, res_id in created],
                )
            )
        return counts

    def _create_each(self, model, values):
        """Create records in one go; one by one when Odoo refuses one of them.

        :return: list of (key id, id of the record or None)
        """
        # no messages, no followers, no look-ups of pictures for thousands of records
        records = self.env[model].with_context(
            mail_create_nolog=True, mail_create_nosubscribe=True, mail_notrack=True,
            tracking_disable=True, no_vat_validation=True, import_file=False,
        )  # fmt: skip
        try:
            with self.env.cr.savepoint():
                created = records.create([vals for _key_id, vals in values])
            return [
                (key_id, record.id) for (key_id, _vals), record in zip(values, created, strict=True)
            ]
        except AccessError:
            raise
        except (UserError, ValidationError):
            if len(values) == 1:
                return [(values[0][0], None)]
        return [pair for value in values for pair in self._create_each(model, [value])]

    def _get_create_lookups(self, kind, rows):
        """Return what the preparation of values needs, looked up once for the batch."""
        if kind == "client":
            countries = self.env["res.country"].search([])
            by_name = {country.code.casefold(): country.id for country in countries}
            for lang, _label in self.env["res.lang"].get_installed():
                for country in countries.with_context(lang=lang):
                    by_name[country.name.casefold()] = country.id
            for alias, code in COUNTRY_ALIASES.items():
                by_name.setdefault(alias, by_name.get(code.casefold()))
            return by_name
        company_currency = self.company_id.currency_id
        rate = self.currency_id._get_conversion_rate(
            self.currency_id, company_currency, self.company_id
        )
        return {
            key: company_currency.round(float(price) * rate)
            for key, price in self.env.execute_query(
                SQL(
                    """
                    SELECT product_key,
                           percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_currency / quantity)
                      FROM crm_sale_import_row
                     WHERE import_id = %s AND product_key = ANY(%s) AND reason IS NULL
                       AND quantity > 0 AND amount_currency > 0 AND currency_id = %s
                  GROUP BY product_key
                    """,
                    self.id,
                    [row[8] for row in rows],
                    self.currency_id.id,
                )
            )
        }

    def _prepare_client_values(self, row, countries):
        _kind, _id, ref, vat, email, name, country, _is_service, _key = row
        return {
            "name": name or email or self.env._("Client %(number)s", number=ref or vat),
            "ref": ref or False,
            "vat": vat or False,
            "email": email or False,
            "is_company": bool(vat),
            "country_id": countries.get((country or "").casefold()) or False,
            "company_id": False,
        }

    def _prepare_product_values(self, row, prices):
        _kind, _id, code, _vat, _email, name, _country, is_service, key = row
        return {
            "name": name or code,
            "default_code": code or False,
            "type": "service" if is_service else "consu",
            "sale_ok": not is_service,
            "purchase_ok": False,
            "list_price": 0.0 if is_service else prices.get(key, 0.0),
        }

    # ------------------------------------------------------------------
    # booking
    # ------------------------------------------------------------------

    def _refuse_unmatched(self):
        """Refuse rows of charges if told to, and rows whose client or product is not there."""
        for kind, reason, condition in (
            ("product", "service", SQL("k.is_service AND %s", self.services == "refuse")),
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
