from collections import Counter

from odoo import models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ..exceptions import KnownClient

# names of countries met in exports that are neither codes nor Odoo's names
COUNTRY_ALIASES = {
    "eire": "IE", "usa": "US", "rsa": "ZA", "uk": "GB", "great britain": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "uae": "AE", "korea": "KR", "holland": "NL",
    "russia": "RU", "czechia": "CZ", "россия": "RU", "рф": "RU",
}  # fmt: skip


class CrmSaleImport(models.Model):
    """Creating the clients and products of a file that nobody knows yet.

    Products are created as goods (or services, for charges) under the most frequent name, at the
    median price; charges cannot be sold.
    """

    _inherit = "crm.sale.import"

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
            counts[kind] = sum(1 for _key_id, res_id, _matched_by in created if res_id)
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE crm_sale_import_key k
                       SET res_id = c.res_id, matched_by = c.matched_by
                      FROM unnest(%s::int[], %s::int[], %s::text[]) c(id, res_id, matched_by)
                     WHERE k.id = c.id
                    """,
                    *(list(column) for column in zip(*created, strict=True)),
                )
            )
        return counts

    def _create_each(self, model, values):
        """Create records in one go; one by one when Odoo refuses one of them.

        :return: list of (key id, id of the record or None, "created" or why it was refused:
            "known" for a client who seems to be there already, "refused")
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
                (key_id, record.id, "created")
                for (key_id, _vals), record in zip(values, created, strict=True)
            ]
        except AccessError:
            raise
        except (UserError, ValidationError) as error:
            if len(values) == 1:
                reason = "known" if isinstance(error, KnownClient) else "refused"
                return [(values[0][0], None, reason)]
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
