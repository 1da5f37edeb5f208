import io
import logging
import time

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools.duplicate_evidence import POSSIBLE, compare
from ..tools.duplicate_keys import get_block_keys, get_hash
from ..tools.name_similarity import Rarity

_logger = logging.getLogger(__name__)

# cards whose keys are collected, or whose pairs are weighed, between two commits
PAGE = 5000
# cards with one key: more have it by chance
MOST_PER_BLOCK = 40
# a pair is weighed if its keys add up to this
ENOUGH = 2
# what a key says; the others say 1
STRONG = {
    "vat", "registry", "phone", "email", "account", "ref", "name", "glued", "near", "near-ref",
    "near-vat", "address", "born-house", "born-town", "born-zip",
}  # fmt: skip
# memory of the database server while keys are sorted
SORT_MEMORY = "128MB"
# words that more names have are known by their number, others count as rare
FREQUENT = 5


class CrmPartnerDuplicateSearch(models.Model):
    """A search for duplicates through all clients, in the background.

    Three steps, each in pages that are committed, so that a search which is stopped or killed goes
    on where it was: *keys* of all cards are collected (`get_block_keys`); keys that one card
    alone or too many have are dropped; the *pairs* that have enough keys in common are weighed
    page by page with the same arithmetic as in the form. Memory is that of one page, whatever
    the number of clients. At the end the *groups* are formed.
    """

    _name = "crm.partner.duplicate.search"
    _description = "Search for Duplicates"
    _order = "id desc"

    state = fields.Selection(
        [
            ("keys", "Collecting Keys"),
            ("pairs", "Comparing"),
            ("groups", "Forming Groups"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="keys",
    )
    position = fields.Integer(readonly=True, help="Number of the last card that was looked at.")
    last_position = fields.Integer(readonly=True)
    progress = fields.Integer(compute="_compute_progress", string="Progress (%)")
    card_count = fields.Integer("Clients", readonly=True)
    weighed_count = fields.Integer("Pairs Compared", readonly=True)
    pair_count = fields.Integer("Pairs Found", readonly=True)
    date_end = fields.Datetime("Finished on", readonly=True)

    @api.depends("state", "position", "last_position")
    def _compute_progress(self):
        base = {"keys": 0, "pairs": 40, "groups": 98, "done": 100}
        span = {"keys": 40, "pairs": 58}
        for search in self:
            share = search.position / max(search.last_position, 1)
            share = min(share, 1) * span.get(search.state, 0)
            search.progress = base.get(search.state, 0) + round(share)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    @api.model
    def action_start(self):
        """Start a search in the background, or show the one that is running."""
        if not self.env.user.has_group("crm_extended.crm_duplicates_group_manager"):
            raise UserError(self.env._("Only who may merge clients can look for duplicates."))
        # sudo: searches are written by the program alone; the right was checked
        search = self.sudo()._get_running() or self.sudo().create({})
        self.env.ref("crm_extended.ir_cron_crm_partner_duplicate_search").sudo()._trigger()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": search.id,
            "view_mode": "form",
            "target": "new",
            "name": self.env._("Search for Duplicates"),
        }

    def action_cancel(self):
        """Stop this search; what it has found stays."""
        if not self.env.user.has_group("crm_extended.crm_duplicates_group_manager"):
            raise UserError(self.env._("Only who may merge clients can stop the search."))
        # sudo: see action_start
        self.sudo().filtered(lambda search: search.state not in ("done", "cancelled")).write(
            {"state": "cancelled", "date_end": fields.Datetime.now()}
        )

    def action_refresh(self):
        """Show how far the search is."""
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "name": self.env._("Search for Duplicates"),
        }

    @api.model
    def _get_running(self):
        return self.search([("state", "not in", ("done", "cancelled"))], limit=1, order="id")

    # ------------------------------------------------------------
    # WORK
    # ------------------------------------------------------------

    @api.model
    def _cron_search(self):
        """Do the running search, or the weekly one of a database where duplicates are checked."""
        cron = self.env["ir.cron"]
        search = self._get_running()
        if not search:
            # sudo: whether any company wants it
            if not self.env["res.company"].sudo().search_count(
                [("crm_duplicate_mode", "!=", "off")], limit=1
            ):  # fmt: skip
                return
            search = self.create({})
        while search._run_page():
            if not cron._commit_progress(1, remaining=1):
                return
            search.invalidate_recordset()
        cron._commit_progress(remaining=0)

    def _run_page(self):
        """Do one page of the work.

        :return: bool: whether there is more to do
        """
        self.ensure_one()
        if self.state in ("done", "cancelled"):
            return False
        return getattr(self, f"_run_{self.state}")()

    def _run_keys(self):
        """Collect the keys of one page of cards."""
        Fingerprint = self.env["crm.partner.fingerprint"]
        if not self.position:
            if partner_ids := Fingerprint._get_stale(PAGE):
                # cards of an old version first, a page between two commits
                Fingerprint._refresh(partner_ids)
                return True
            Fingerprint._count_words()
            self.env.cr.execute(
                """
                DROP TABLE IF EXISTS crm_partner_block, crm_partner_block_all;
                CREATE UNLOGGED TABLE crm_partner_block_all
                       (key bigint NOT NULL, partner_id integer NOT NULL, says smallint NOT NULL);
                """
            )
            [(last,)] = self.env.execute_query(
                SQL("SELECT COALESCE(MAX(partner_id), 0) FROM crm_partner_fingerprint")
            )
            self.last_position = last
        cards = self._get_page()
        lines = [
            f"{get_hash(kind, value)}\t{partner_id}\t{ENOUGH if kind in STRONG else 1}\n"
            for partner_id, card in cards.items()
            for kind, value in get_block_keys(card)
        ]
        self.env.cr.copy_expert(
            "COPY crm_partner_block_all (key, partner_id, says) FROM STDIN",
            io.StringIO("".join(lines)),
        )
        self.card_count += len(cards)
        if cards:
            self.position = max(cards)
        else:
            self._drop_useless_keys()
            self.write({"state": "pairs", "position": 0})
        return True

    def _get_page(self):
        """The next page of cards.

        :return: dict of Fingerprint by partner
        """
        Fingerprint = self.env["crm.partner.fingerprint"]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner_id FROM crm_partner_fingerprint
                 WHERE partner_id > %s ORDER BY partner_id LIMIT %s
                """,
                self.position,
                PAGE,
            )
        )
        return Fingerprint._get_cards([partner_id for (partner_id,) in rows])

    def _drop_useless_keys(self):
        """Keep the keys that a few cards have in common."""
        # for these two sorts alone
        self.env.cr.execute(SQL("SET LOCAL work_mem = %s", SORT_MEMORY))
        self.env.cr.execute(SQL("SET LOCAL maintenance_work_mem = %s", SORT_MEMORY))
        self.env.cr.execute(
            SQL(
                """
                CREATE UNLOGGED TABLE crm_partner_block AS
                SELECT key, partner_id, says
                  FROM (SELECT *, count(*) OVER (PARTITION BY key) AS cards
                          FROM crm_partner_block_all) b
                 WHERE cards BETWEEN 2 AND %s;
                DROP TABLE crm_partner_block_all;
                CREATE INDEX ON crm_partner_block (key, partner_id, says);
                CREATE INDEX ON crm_partner_block (partner_id);
                ANALYZE crm_partner_block;
                """,
                MOST_PER_BLOCK,
            )
        )

    def _run_pairs(self):
        """Weigh the pairs of one page of cards."""
        [(last,)] = self.env.execute_query(
            SQL(
                """
                SELECT MAX(partner_id) FROM (
                    SELECT partner_id FROM crm_partner_fingerprint
                     WHERE partner_id > %s ORDER BY partner_id LIMIT %s) page
                """,
                self.position,
                PAGE,
            )
        )
        if last is None:
            self.env.cr.execute("DROP TABLE IF EXISTS crm_partner_block")
            self.state = "groups"
            return True
        pairs = self._get_pairs(self.position, last)
        found = self._weigh(pairs)
        self.env["crm.partner.duplicate"]._store_found(found, self.position, last)
        self.write(
            {
                "position": last,
                "weighed_count": self.weighed_count + len(pairs),
                "pair_count": self.pair_count + len(found),
            }
        )
        return True

    def _get_pairs(self, first, last):
        """Pairs of cards with enough keys in common, the first one of which is in a page."""
        return self.env.execute_query(
            SQL(
                """
                SELECT a.partner_id, b.partner_id
                  FROM crm_partner_block a
                  JOIN crm_partner_block b ON b.key = a.key AND b.partner_id > a.partner_id
                 WHERE a.partner_id > %s AND a.partner_id <= %s
              GROUP BY a.partner_id, b.partner_id
                HAVING SUM(a.says) >= %s
                """,
                first,
                last,
                ENOUGH,
            )
        )

    def _weigh(self, pairs):
        """Compare pairs of cards.

        :return: list of (partner id, other partner id, Evidence) of those that may be one client
        """
        Fingerprint = self.env["crm.partner.fingerprint"]
        cards = Fingerprint._get_cards({partner_id for pair in pairs for partner_id in pair})
        rarity = self._get_rarity()
        family = self._get_family(cards)
        found = []
        for partner_id, other_id in pairs:
            if partner_id not in cards or other_id not in cards:
                continue
            evidence = compare(cards[partner_id], cards[other_id], rarity, POSSIBLE)
            if not evidence or evidence.kind != "duplicate":
                continue
            parent, company = family.get(partner_id, (None, None))
            other_parent, other_company = family.get(other_id, (None, None))
            related = parent == other_id or other_parent == partner_id
            apart = company and other_company and company != other_company
            if not related and not apart:
                found.append((partner_id, other_id, evidence))
        return found

    @api.model
    def _get_family(self, partner_ids):
        """Parent and company of partners."""
        return {
            partner_id: (parent_id, company_id)
            for partner_id, parent_id, company_id in self.env.execute_query(
                SQL(
                    "SELECT id, parent_id, company_id FROM res_partner WHERE id = ANY(%s)",
                    list(partner_ids),
                )
            )
        }

    @api.model
    def _get_rarity(self):
        """How much each word says; frequent words are few, and rare ones need no number."""
        amounts = self.env.execute_query(
            SQL("SELECT sound, amount FROM crm_partner_word WHERE amount >= %s", FREQUENT)
        )
        return Rarity(dict(amounts), self.env["crm.partner.fingerprint"]._get_total())

    def _run_groups(self):
        self.env["crm.partner.duplicate.group"]._regroup()
        self.write({"state": "done", "date_end": fields.Datetime.now()})
        _logger.info(
            "Search for duplicates: %s clients, %s pairs compared, %s found",
            self.card_count,
            self.weighed_count,
            self.pair_count,
        )
        return False

    @api.model
    def _search_all(self):
        """Do a whole search at once.

        :return: the search
        """
        search = self.create({})
        started = time.monotonic()
        while search._run_page():
            pass
        _logger.info("Searched in %.1f s", time.monotonic() - started)
        return search
