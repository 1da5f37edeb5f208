# ruff: noqa: RUF001, RUF002, RUF003 Cyrillic is meant
import stdnum
from odoo import api, fields, models
from odoo.tools import SQL, sql

from ..tools.address_folding import fold_address
from ..tools.duplicate_evidence import Fingerprint
from ..tools.duplicate_keys import (
    encode,
    get_email_keys,
    get_exact_keys,
    get_hash,
    get_number_key,
    get_phone_keys,
    get_readings,
    get_sounds,
)
from ..tools.name_folding import fold_name

# raise it when folding or keys change: all cards are folded anew in the background
VERSION = 2
# cards folded in one go
BATCH = 2000
PARAMETER = "crm_extended.fingerprint_version"


class CrmPartnerFingerprint(models.Model):
    """What a partner is compared by when duplicates are looked for: one narrow row per card.

    Kept beside the partner because the table of partners is the widest and busiest of all: a
    change of a name costs one small row here. Two more tables belong to it, which only SQL reads:

    * ``crm_partner_key``: hashes of whatever cards of one client have in common (tax number,
      phone, e-mail, account, reference, address, name, each word of the name), one row each;
    * ``crm_partner_word`` with ``crm_partner_word_part``: the words of all names as they sound
      and are written, how many names have them, and what remains of them without any one sound
      or letter, so that a misspelt word finds its neighbours.

    Rows are written whenever a partner changes, in three statements for any number of partners.
    Partners of an old database, and all after a change of the legal forms, are folded in batches
    by a scheduled job. Delivery and invoice addresses are no clients and have no fingerprint.
    """

    _name = "crm.partner.fingerprint"
    _description = "Partner Fingerprint"
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one("res.partner", required=True, ondelete="cascade", index=True)
    data = fields.Char(required=True)
    version = fields.Integer(required=True)
    is_unchecked = fields.Boolean(help="Entered where nobody could be asked: looked at later.")

    _partner_uniq = models.Constraint(
        "unique(partner_id)",
        "A partner has one fingerprint.",
    )
    _unchecked_idx = models.Index("(partner_id) WHERE is_unchecked")
    _version_idx = models.Index("(version, partner_id)")

    def init(self):
        for table, columns in (
            (
                "crm_partner_key",
                # no foreign key: checking it would cost more than the row; see _gc_keys
                "key bigint NOT NULL, partner_id integer NOT NULL, size smallint NOT NULL",
            ),
            (
                "crm_partner_word",
                """id serial PRIMARY KEY, key bigint NOT NULL, sound varchar NOT NULL,
                   amount integer NOT NULL""",
            ),
            (
                "crm_partner_guard",
                """key bigint PRIMARY KEY, turn integer NOT NULL DEFAULT 0""",
            ),
            (
                "crm_partner_word_part",
                """part bigint NOT NULL,
                   word_id integer NOT NULL REFERENCES crm_partner_word ON DELETE CASCADE""",
            ),
        ):
            self.env.cr.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
        # words of earlier versions have none until their cards are folded anew
        self.env.cr.execute("ALTER TABLE crm_partner_word ADD COLUMN IF NOT EXISTS letters varchar")
        # short names are read first
        self.env.cr.execute("DROP INDEX IF EXISTS crm_partner_key_key_idx")
        for name, table, expressions in (
            ("crm_partner_key_size_idx", "crm_partner_key", ["key", "size", "partner_id"]),
            ("crm_partner_key_partner_idx", "crm_partner_key", ["partner_id"]),
            ("crm_partner_word_key_idx", "crm_partner_word", ["key"]),
            ("crm_partner_word_part_part_idx", "crm_partner_word_part", ["part", "word_id"]),
            ("crm_partner_word_part_word_idx", "crm_partner_word_part", ["word_id"]),
        ):
            sql.create_index(self.env.cr, name, table, expressions)
        if self.env.registry.has_trigram:
            sql.create_index(
                self.env.cr,
                "crm_partner_word_trgm_idx",
                "crm_partner_word",
                ["sound gin_trgm_ops"],
                "gin",
            )

    # ------------------------------------------------------------
    # FOLDING
    # ------------------------------------------------------------

    @api.model
    def _get_partner_fields(self):
        """Fields of a partner that go into its fingerprint."""
        return [
            "name", "is_company", "parent_id", "type", "vat", "kpp", "company_registry",
            "country_id", "phone", "email", "ref", "crm_birthdate", "street", "street2", "city",
            "zip",
        ]  # fmt: skip

    @api.model
    def _fold(self, values):
        """Fold one card.

        :param dict values: of the fields of a partner (see `_get_partner_fields`), any of them;
            `country` is the code of the country, `accounts` a list of account numbers,
            `employer` the id of the company whose contact this is
        :return: Fingerprint
        """
        country = values.get("country") or ""
        vat = get_number_key(values.get("vat"), country)
        registry = get_number_key(values.get("company_registry"))
        birthdate = fields.Date.to_date(values.get("crm_birthdate") or None)
        street = " ".join(filter(None, (values.get("street"), values.get("street2"))))
        ref = get_number_key(values.get("ref"))
        return Fingerprint(
            fold_name(values.get("name"), self.env["crm.legal.form"]._get_forms()),
            values.get("is_company"),
            vat,
            self._is_vat_valid(vat, country),
            get_number_key(values.get("kpp")),
            registry if registry != vat else "",
            get_phone_keys(values.get("phone")),
            get_email_keys(values.get("email")),
            frozenset(map(get_number_key, values.get("accounts") or ())) - {""},
            ref,
            birthdate.strftime("%Y%m%d") if birthdate else "",
            str(values.get("employer") or ""),
            fold_address(street, values.get("city"), values.get("zip")),
        )

    @api.model
    def _is_vat_valid(self, vat, country):
        """Whether the check digits of a tax number hold; a number that has none counts as right."""
        if not vat:
            return False
        if vat.isdigit() and len(vat) in (10, 12) and country in ("", "RU"):
            country = "RU"
        module = stdnum.get_cc_module(country, "vat") if country else None
        return module.is_valid(vat) if module else True

    @api.model
    def _read_cards(self, partner_ids):
        """Fold partners as they are stored, in one statement.

        :param partner_ids: list of ids
        :return: dict of Fingerprint by id; without partners that are no clients
        """
        Partner = self.env["res.partner"]
        Partner.flush_model(
            [*self._get_partner_fields(), "commercial_partner_id"],
        )
        self.env["res.partner.bank"].flush_model(["sanitized_acc_number", "partner_id"])
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT p.id, p.name, p.is_company, p.phone, p.email, p.ref, p.crm_birthdate,
                       p.street, p.street2, p.city, p.zip, p.vat, p.kpp, p.company_registry,
                       p.parent_id, p.commercial_partner_id, c.code AS country,
                       (SELECT array_agg(b.sanitized_acc_number)
                          FROM res_partner_bank b WHERE b.partner_id = p.id) AS accounts
                  FROM res_partner p
             LEFT JOIN res_country c ON c.id = p.country_id
                 WHERE p.id = ANY(%s)
                   AND (p.parent_id IS NULL OR p.is_company OR p.type = 'contact')
                """,
                list(partner_ids),
            )
        )
        cards = {}
        for row in rows:
            if row["commercial_partner_id"] not in (row["id"], None):
                row["employer"] = row["commercial_partner_id"]
                # numbers and address of a contact are those of its company
                row.update(dict.fromkeys(("vat", "kpp", "company_registry")))
            if row["parent_id"]:
                row.update(dict.fromkeys(("street", "street2", "city", "zip")))
            row["is_company"] = bool(row["is_company"])
            cards[row["id"]] = self._fold(row)
        return cards

    # ------------------------------------------------------------
    # STORING
    # ------------------------------------------------------------

    @api.model
    def _refresh(self, partner_ids, unchecked=None):
        """Store the fingerprints of partners anew.

        :param partner_ids: list of ids
        :param unchecked: whether a later search is to look at them; None leaves that as it is
        """
        partner_ids = sorted(set(partner_ids))
        for start in range(0, len(partner_ids), BATCH):
            self._refresh_batch(partner_ids[start : start + BATCH], unchecked)

    @api.model
    def _refresh_batch(self, partner_ids, unchecked):
        cards = self._read_cards(partner_ids)
        data = {partner_id: encode(card) for partner_id, card in cards.items()}
        version = self._get_version()
        same = {
            partner_id
            for partner_id, old, old_version in self.env.execute_query(
                SQL(
                    """
                    SELECT partner_id, data, version FROM crm_partner_fingerprint
                     WHERE partner_id = ANY(%s)
                    """,
                    list(partner_ids),
                )
            )
            if old == data.get(partner_id) and old_version == version
        }
        if unchecked is None:
            data = {partner_id: line for partner_id, line in data.items() if partner_id not in same}
        keys = [
            (hashed, partner_id, len(cards[partner_id].name.words))
            for partner_id in data
            if partner_id not in same
            for hashed in self._get_keys(cards[partner_id])
        ]
        columns = list(zip(*keys, strict=True)) or [(), (), ()]
        self.env.execute_query(
            SQL(
                """
                WITH gone AS (
                    DELETE FROM crm_partner_fingerprint WHERE partner_id = ANY(%(gone)s)
                ), stale AS (
                    DELETE FROM crm_partner_key WHERE partner_id = ANY(%(stale)s)
                ), cards AS (
                    INSERT INTO crm_partner_fingerprint
                           (partner_id, data, version, is_unchecked)
                    SELECT c.id, c.data, %(version)s, COALESCE(%(unchecked)s, false)
                      FROM unnest(%(ids)s::int[], %(data)s::text[]) c(id, data)
               ON CONFLICT (partner_id) DO UPDATE
                       SET data = excluded.data, version = excluded.version,
                           is_unchecked = COALESCE(
                               %(unchecked)s, crm_partner_fingerprint.is_unchecked)
                ), keys AS (
                    INSERT INTO crm_partner_key (key, partner_id, size)
                    SELECT * FROM unnest(%(keys)s::bigint[], %(owners)s::int[],
                                         %(sizes)s::smallint[])
                ) SELECT
                """,
                gone=[partner_id for partner_id in partner_ids if partner_id not in cards],
                stale=[partner_id for partner_id in partner_ids if partner_id not in same],
                ids=list(data),
                data=list(data.values()),
                version=version,
                unchecked=unchecked,
                keys=list(columns[0]),
                owners=list(columns[1]),
                sizes=list(columns[2]),
            )
        )
        self._add_words(
            {
                reading
                for partner_id in data
                if partner_id not in same
                for reading in get_readings(cards[partner_id].name)
            }
        )
        self.invalidate_model()

    @api.model
    def _get_keys(self, card):
        """Hashes under which a card is found."""
        keys = {get_hash(kind, value) for kind, value in get_exact_keys(card)}
        keys |= {get_hash("word", sound) for sound in get_sounds(card.name)}
        return keys

    @api.autovacuum
    def _gc_keys(self):
        """Forget the keys of partners that were deleted; searches do not find them anyway."""
        self.env.cr.execute(
            """
            DELETE FROM crm_partner_key k
             WHERE NOT EXISTS (
                   SELECT FROM crm_partner_fingerprint f WHERE f.partner_id = k.partner_id)
            """
        )

    @api.autovacuum
    def _gc_guard(self):
        """Forget which keys were being entered."""
        self.env.cr.execute("DELETE FROM crm_partner_guard")

    # ------------------------------------------------------------
    # FILLING
    # ------------------------------------------------------------

    @api.model
    def _get_version(self):
        """Version of the folding: of the code and of the table of legal forms."""
        parameter = self.env["ir.config_parameter"].sudo().get_param(PARAMETER)
        return VERSION * 1_000_000 + int(parameter or 0)

    @api.model
    def _outdate(self):
        """Have all names folded anew in the background."""
        # sudo: a count that nobody sees, raised by whoever may change the legal forms
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        parameters_sudo.set_param(PARAMETER, int(parameters_sudo.get_param(PARAMETER) or 0) + 1)
        self.env.ref("crm_extended.ir_cron_crm_partner_fingerprint").sudo()._trigger()

    @api.model
    def _get_stale(self, limit):
        """Ids of partners without a fingerprint of the current version.

        :return: list of ids
        """
        rows = self.env.execute_query(
            SQL(
                """
                (SELECT partner_id FROM crm_partner_fingerprint
                  WHERE version < %(version)s ORDER BY version, partner_id LIMIT %(limit)s)
                UNION ALL
                (SELECT p.id FROM res_partner p
                  WHERE (p.parent_id IS NULL OR p.is_company OR p.type = 'contact')
                    AND NOT EXISTS (
                        SELECT FROM crm_partner_fingerprint f WHERE f.partner_id = p.id)
                  LIMIT %(limit)s)
                """,
                version=self._get_version(),
                limit=limit,
            )
        )
        return [partner_id for (partner_id,) in rows]

    @api.model
    def _cron_fill(self, batch_size=BATCH):
        """Fold the partners of an old database, and all after a change of the legal forms."""
        cron = self.env["ir.cron"]
        while partner_ids := self._get_stale(batch_size):
            self._refresh(partner_ids)
            if not cron._commit_progress(len(partner_ids), remaining=1):
                return
        self._count_words()
        cron._commit_progress(remaining=0)
