from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..tools.duplicate_keys import get_readings
from ..tools.name_similarity import Rarity
from .crm_partner_fingerprint_search import NAMESAKES

# enough cards to choose from: those of more words are not listed
ENOUGH = 2_500
# cards of one size with one word that are looked at however many words are alike
LEAST_PER_WORD = 100
# of the cards listed so many go on, to be asked for the frequent words...
ASKED = 600
# ...of which so many are asked for, each in so many spellings
MOST_ASKED = 2
MOST_SPELLINGS = 3
# cards weighed in full for each one that is looked for
WEIGHED = 150
# cards of one name where town, phone or numbers tell which of them it is
PLACED_NAMESAKES = 12


class CrmPartnerFingerprint(models.Model):
    """Finds cards by the words of their names: rare words list them, frequent ones confirm them."""

    _inherit = "crm.partner.fingerprint"

    @api.model
    def _find_by_words(self, cards, words, total):
        """The cards with most words in common, rare ones counting more.

        :param int total: number of all cards
        :return: dict of sets of partner ids by the number of the card
        """
        weigher = Rarity({}, max(total, 1000))
        listed, asked, sizes, namesakes = [], [], [], []
        for number, card in enumerate(cards):
            size = max(len(card.name.words), 1)
            sizes.append(size)
            # where the card tells more than a name, one of them may be the right one
            namesakes.append(NAMESAKES if card.is_name_only else PLACED_NAMESAKES)
            groups = []
            for reading in get_readings(card.name):
                if group := words.get(reading):
                    groups.append((sum(word[1] for word in group), reading, group))
            read = known = 0
            for place, (amount, _reading, group) in enumerate(sorted(groups, key=lambda g: g[:2])):
                # of the words alike, the frequent ones are as good as the rare ones
                weight = weigher.get_amount_weight(min(word[1] for word in group))
                rows = [(number, place, key, quality * weight) for key, _n, quality in group]
                if read + amount <= ENOUGH:
                    # whoever has this word alone for a name is a namesake of the others
                    listed += [(*row, 0, 1, namesakes[-1]) for row in rows]
                    listed += [(*row, 2, 32767, ENOUGH) for row in rows]
                    read += amount
                elif not place:
                    most = max(ENOUGH // len(group) // 3, LEAST_PER_WORD)
                    listed += [
                        (*row, length, length, namesakes[-1] if length == 1 else most)
                        for row in rows
                        for length in range(max(size - 1, 1), size + 2)
                    ]
                    read = ENOUGH
                elif known < MOST_ASKED:
                    known += 1
                    asked += rows[:MOST_SPELLINGS]
        found = defaultdict(set)
        if not listed:
            return found
        query = self._get_names_query(listed, asked, sizes, namesakes)
        for number, partner_id in self.env.execute_query(query):
            found[number].add(partner_id)
        return found

    @api.model
    def _get_names_query(self, listed, asked, sizes, namesakes):
        """The best cards by their words.

        Cards that have one name, as far as words tell, stand behind each other: a few of each
        name are enough, or those of a frequent one would hide the others.
        """
        columns = list(zip(*listed, strict=True))
        asked_columns = list(zip(*asked, strict=True)) or [()] * 4
        return SQL(
            """
            SELECT c.number, b.partner_id
              FROM unnest(%(all)s::int[], %(card_sizes)s::int[], %(namesakes)s::int[])
                   c(number, size, namesakes)
CROSS JOIN LATERAL (
                SELECT partner_id FROM (
                    SELECT partner_id,
                           (weight + COALESCE(a.more, 0)) / (names.size + c.size) AS rank,
                           amount + COALESCE(a.amount_more, 0) >= names.size AS is_whole,
                           row_number() OVER (
                               PARTITION BY word + COALESCE(a.word_more, 0), names.size
                                   ORDER BY partner_id) AS turn
                      FROM (
                        SELECT partner_id, MAX(size) AS size, SUM(weight) AS weight,
                               count(*) AS amount, SUM(hashint4(key_hash)) AS word
                          FROM (
                            SELECT k.partner_id, w.place, MAX(w.weight) AS weight,
                                   MAX(k.size) AS size, MIN(hashint8(w.key)) AS key_hash
                              FROM unnest(%(numbers)s::int[], %(places)s::int[],
                                          %(keys)s::bigint[], %(weights)s::float[], %(low)s::int[],
                                          %(high)s::int[], %(most)s::int[])
                                   w(number, place, key, weight, low, high, most)
                        CROSS JOIN LATERAL (
                                SELECT partner_id, size FROM crm_partner_key
                                 WHERE key = w.key AND size BETWEEN w.low AND w.high
                              ORDER BY size, partner_id LIMIT w.most) k
                             WHERE w.number = c.number
                          GROUP BY k.partner_id, w.place) hits
                      GROUP BY partner_id
                      ORDER BY SUM(weight) / GREATEST(MAX(size), c.size) DESC, partner_id
                         LIMIT %(asked)s) names
         LEFT JOIN LATERAL (
                        SELECT SUM(weight) AS more, count(*) AS amount_more,
                               SUM(hashint4(word)) AS word_more
                          FROM (
                            SELECT MAX(o.weight) AS weight, MIN(hashint8(o.key)) AS word
                              FROM unnest(%(o_numbers)s::int[], %(o_places)s::int[],
                                          %(o_keys)s::bigint[], %(o_weights)s::float[])
                                   o(number, place, key, weight)
                             WHERE o.number = c.number AND names.amount < names.size
                               AND EXISTS (
                                   SELECT FROM crm_partner_key k
                                    WHERE k.key = o.key AND k.size = names.size
                                      AND k.partner_id = names.partner_id)
                          GROUP BY o.place) others) a ON %(asks)s) ranked
                 WHERE turn <= c.namesakes OR NOT is_whole
              ORDER BY rank DESC, turn, partner_id
                 LIMIT %(limit)s) b
            """,
            all=list(range(len(sizes))),
            card_sizes=sizes,
            namesakes=namesakes,
            **dict(
                zip(
                    ("numbers", "places", "keys", "weights", "low", "high", "most"),
                    map(list, columns),
                    strict=True,
                )
            ),
            **dict(
                zip(
                    ("o_numbers", "o_places", "o_keys", "o_weights"),
                    map(list, asked_columns),
                    strict=True,
                )
            ),
            asks=bool(asked),
            asked=ASKED,
            limit=WEIGHED,
        )
