from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..tools.duplicate_keys import get_hash, get_reading_parts


class CrmPartnerFingerprint(models.Model):
    """The words of all names: added as they come, counted by the scheduled jobs."""

    _inherit = "crm.partner.fingerprint"

    @api.model
    def _add_words(self, readings):
        """Add words that no name has had before, in any spelling that is new.

        Two transactions may add one word at the same moment: both rows stay, which harms nobody,
        until the next count.

        :param readings: set of Reading
        """
        by_key = defaultdict(set)
        for reading in readings:
            by_key[get_hash("word", reading.sound)].add(reading)
        known = set(
            self.env.execute_query(
                SQL("SELECT key, letters FROM crm_partner_word WHERE key = ANY(%s)", list(by_key))
            )
        )
        new = [
            (key, reading)
            for key, spellings in by_key.items()
            for reading in spellings
            if (key, reading.letters) not in known
        ]
        if not new:
            return
        parts = [
            (get_hash("part", part), number)
            for number, (_key, reading) in enumerate(new, 1)
            for part in get_reading_parts(reading)
        ]
        self.env.execute_query(
            SQL(
                """
                WITH added AS (
                    INSERT INTO crm_partner_word (key, sound, letters, amount)
                    SELECT key, sound, letters, 1
                      FROM unnest(%(keys)s::bigint[], %(sounds)s::text[], %(letters)s::text[])
                           n(key, sound, letters)
                 RETURNING id, key, letters
                ), numbered AS (
                    SELECT added.id, n.number
                      FROM unnest(%(keys)s::bigint[], %(letters)s::text[])
                           WITH ORDINALITY n(key, letters, number)
                      JOIN added ON added.key = n.key AND added.letters = n.letters
                )
                INSERT INTO crm_partner_word_part (part, word_id)
                SELECT p.part, numbered.id
                  FROM unnest(%(parts)s::bigint[], %(words)s::bigint[]) p(part, number)
                  JOIN numbered ON numbered.number = p.number
             RETURNING 1
                """,
                keys=[key for key, _reading in new],
                sounds=[reading.sound for _key, reading in new],
                letters=[reading.letters for _key, reading in new],
                parts=[part for part, _number in parts],
                words=[number for _part, number in parts],
            )
        )

    @api.model
    def _count_words(self):
        """Count how many names have each word, and forget words that none has any more."""
        self.env.cr.execute(
            """
            CREATE TEMPORARY TABLE crm_word_count ON COMMIT DROP AS
            SELECT id, (SELECT count(*) FROM crm_partner_key k WHERE k.key = w.key) AS amount
              FROM (SELECT key, MIN(id) AS id FROM crm_partner_word GROUP BY key, letters) w;
            DELETE FROM crm_partner_word w
             WHERE NOT EXISTS (SELECT FROM crm_word_count c WHERE c.id = w.id AND c.amount > 0)
                OR (w.letters IS NULL AND EXISTS (
                    SELECT FROM crm_partner_word o
                     WHERE o.key = w.key AND o.letters IS NOT NULL));
            UPDATE crm_partner_word w SET amount = c.amount
              FROM crm_word_count c WHERE c.id = w.id AND c.amount != w.amount;
            DROP TABLE crm_word_count;
            """
        )
