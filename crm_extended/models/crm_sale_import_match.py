from odoo import models
from odoo.addons.crm_extended.tools import sales_typing, sales_values
from odoo.tools import SQL


class CrmSaleImport(models.Model):
    """Who the clients and which the products of a file are.

    - A client or product is looked up once for all of its rows, by the identifiers in the order
      the user chose; the first one that finds something wins. Companies come before their
      contacts, active records before archived ones, older before newer.
    - A weak identifier (name, e-mail) never joins what a strong one tells apart: a client of
      another reference or VAT number is somebody else, however equal the names, and a name that
      several clients of the file share finds nobody.
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
            sales_values.clean_code(code).casefold()
            for code in (self.service_codes or "").split(",")
            if code.strip()
        }
        services = sales_values.find_service_codes(codes, listed)
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
