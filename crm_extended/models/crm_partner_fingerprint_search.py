from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..tools.duplicate_evidence import POSSIBLE, compare
from ..tools.duplicate_keys import decode, get_exact_keys, get_hash, get_sounds
from ..tools.name_folding import get_neighbours, get_sound
from ..tools.name_similarity import Rarity, get_distance

# cards with one key: a business centre has a thousand firms at one address
MOST_PER_KEY = 60
# cards with one word that are looked at before rarer words must do
MOST_PER_WORD = 15_000
# enough cards to choose from: more words are not looked up
ENOUGH = 4_000
# cards weighed in full for each one that is looked for
WEIGHED = 80
# cards of one name before those of others: ten namesakes would hide the right one
NAMESAKES = 3
# words alike that stand for one that is misspelt
MOST_WORDS = 40
# what two cards seldom have in common by chance
TELLING = {"number", "number_kpp", "branch", "registry", "email", "phone", "account", "reference"}
ALIKE_NAME = 0.8
# spelling of a word that is not one slip away: by trigrams
TRIGRAM_LIMIT = 0.4


class CrmPartnerFingerprint(models.Model):
    """Finds the cards that may be the client who is being entered.

    1. Exact keys (tax number, registration number, phone, e-mail, account, reference, address,
       the name whatever its spelling) in one statement over one index.
    2. Words: each word of the name is looked up together with its neighbours, words one slip
       away; where pg_trgm is there, a word without neighbours by trigrams, otherwise with two
       letters left out. Rare words come first, and frequent ones are only counted, never listed.
    3. The best of both are weighed with all that is known of them (`tools/duplicate_evidence.py`).

    Any number of cards is looked for with the same four statements.
    """

    _inherit = "crm.partner.fingerprint"

    @api.model
    def _search_cards(self, cards, limit=10, exclude=(), minimum=None):
        """Find the stored cards that are alike, whoever may see them.

        :param cards: list of Fingerprint
        :param int limit: at most so many for each
        :param exclude: list of one set of partner ids for each card, never found; or empty
        :param float minimum: of the score; by default whatever is worth a look (`_is_shown`)
        :return: list, for each card a list of (partner id, Evidence), best first
        """
        words = self._get_words(cards)
        found = self._find_by_keys(cards)
        for number, partner_ids in self._find_by_words(cards, words).items():
            found[number] |= partner_ids
        if exclude:
            for number, partner_ids in enumerate(exclude):
                found[number] -= set(partner_ids)
        stored = self._get_cards(set().union(*found.values()) if found else ())
        rarity = self._get_rarity([*cards, *stored.values()])
        result = []
        for number, card in enumerate(cards):
            weighed = []
            for partner_id in found[number]:
                if partner_id in stored:
                    evidence = compare(card, stored[partner_id], rarity)
                    if self._is_shown(evidence) if minimum is None else evidence.score >= minimum:
                        weighed.append((partner_id, evidence))
            weighed.sort(key=lambda pair: (-pair[1].score, pair[0]))
            result.append(self._mix_names(weighed, stored)[:limit])
        return result

    @api.model
    def _mix_names(self, weighed, stored):
        """Put the fourth and further cards of one name behind those of other names."""
        counts = defaultdict(int)
        first, rest = [], []
        for partner_id, evidence in weighed:
            key = stored[partner_id].name.key
            counts[key] += 1
            (first if counts[key] <= NAMESAKES else rest).append((partner_id, evidence))
        return first + rest

    @api.model
    def _is_shown(self, evidence):
        """Whether a card is worth a look: likely, or with something in common that is seldom so.

        Branches and namesakes are shown although they are other clients: so that nobody mistakes
        one for the other.
        """
        return evidence.score >= POSSIBLE or any(
            code in TELLING or (code == "name" and value >= ALIKE_NAME)
            for code, value in evidence.reasons
        )

    @api.model
    def _get_cards(self, partner_ids):
        """Fingerprints by id of partner."""
        rows = self.env.execute_query(
            SQL(
                "SELECT partner_id, data FROM crm_partner_fingerprint WHERE partner_id = ANY(%s)",
                list(partner_ids),
            )
        )
        return {partner_id: decode(data) for partner_id, data in rows}

    @api.model
    def _get_total(self):
        """About how many cards there are."""
        [(total,)] = self.env.execute_query(
            SQL("SELECT GREATEST(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass",
                self._table)
        )  # fmt: skip
        return total

    @api.model
    def _find_by_keys(self, cards):
        """Cards with an exact key in common.

        :return: defaultdict of sets of partner ids by the number of the card
        """
        wanted = [
            (number, get_hash(kind, value))
            for number, card in enumerate(cards)
            for kind, value in get_exact_keys(card)
        ]
        found = defaultdict(set)
        for number, partner_id in self.env.execute_query(self._get_keys_query(wanted)):
            found[number].add(partner_id)
        return found

    @api.model
    def _get_keys_query(self, wanted):
        return SQL(
            """
            SELECT w.number, k.partner_id
              FROM unnest(%(numbers)s::int[], %(keys)s::bigint[]) w(number, key)
CROSS JOIN LATERAL (SELECT partner_id FROM crm_partner_key
                     WHERE key = w.key LIMIT %(limit)s) k
            """,
            numbers=[number for number, _key in wanted],
            keys=[key for _number, key in wanted],
            limit=MOST_PER_KEY,
        )

    # ------------------------------------------------------------
    # WORDS
    # ------------------------------------------------------------

    @api.model
    def _get_words(self, cards):
        """Words of all names that are alike those of the cards.

        :return: dict: for each sound of the cards a list of (key, amount, quality)
        """
        sounds = {sound for card in cards for sound in get_sounds(card.name)}
        words = self._find_words(sounds)
        lost = {sound for sound in sounds if len(sound) > 4 and not words.get(sound)}
        if lost:
            words.update(self._find_lost_words(lost))
        return words

    @api.model
    def _get_rarity(self, cards):
        """How much each word of the names of some cards says.

        :return: Rarity
        """
        sounds = {get_sound(word) for card in cards for word in card.name.words}
        amounts = dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT sound, MAX(amount) FROM crm_partner_word
                     WHERE key = ANY(%s) GROUP BY sound
                    """,
                    [get_hash("word", sound) for sound in sounds],
                )
            )
        )
        return Rarity(amounts, self._get_total())

    @api.model
    def _find_words(self, sounds, slips=1):
        """Look up words by what remains of them without a letter."""
        by_part = defaultdict(set)
        for sound in sounds:
            for part in get_neighbours(sound):
                by_part[get_hash("part", part)].add(sound)
                if slips > 1:
                    for rest in get_neighbours(part):
                        by_part[get_hash("part", rest)].add(sound)
        return self._choose_words(
            (
                (sound, key, found, amount)
                for part, key, found, amount in self.env.execute_query(
                    self._get_words_query(list(by_part))
                )
                for sound in by_part[part]
            ),
            slips,
        )

    @api.model
    def _get_words_query(self, parts):
        return SQL(
            """
            SELECT p.part, w.key, w.sound, w.amount
              FROM unnest(%s::bigint[]) n(part)
              JOIN crm_partner_word_part p ON p.part = n.part
              JOIN crm_partner_word w ON w.id = p.word_id
            """,
            parts,
        )

    @api.model
    def _find_lost_words(self, sounds):
        """Look up words that have no neighbours: two slips or more."""
        if not self.env.registry.has_trigram:
            return self._find_words(sounds, slips=2)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT n.sound, w.key, w.sound, w.amount
                  FROM unnest(%(sounds)s::text[]) n(sound)
            CROSS JOIN LATERAL (
                       SELECT key, sound, amount FROM crm_partner_word
                        WHERE sound %% n.sound AND similarity(sound, n.sound) >= %(limit)s
                     ORDER BY similarity(sound, n.sound) DESC LIMIT 20) w
                """,
                sounds=list(sounds),
                limit=TRIGRAM_LIMIT,
            )
        )
        return self._choose_words(rows, 3)

    @api.model
    def _choose_words(self, rows, slips):
        """Of the words found, those that are alike.

        :param rows: (sound looked for, key, sound found, amount)
        :return: dict of lists of (key, amount, quality) by sound
        """
        found = defaultdict(dict)
        for sound, key, other, amount in rows:
            distance = 0 if sound == other else get_distance(sound, other)
            if distance <= slips:
                found[sound][key] = (key, amount, 1 - 0.25 * distance)
        return {
            sound: sorted(words.values(), key=lambda word: (-word[2], word[1]))[:MOST_WORDS]
            for sound, words in found.items()
        }

    @api.model
    def _find_by_words(self, cards, words):
        """The cards with most words in common, rare ones counting more.

        :return: dict of sets of partner ids by the number of the card
        """
        total = max(self._get_total(), 1000)
        weigher = Rarity({}, total)
        wanted, sizes = [], []
        for number, card in enumerate(cards):
            groups = []
            for sound in get_sounds(card.name):
                group = [word for word in words.get(sound, ()) if word[1] <= MOST_PER_WORD]
                if group:
                    groups.append((sum(word[1] for word in group), sound, group))
            read = 0
            for place, (amount, _sound, group) in enumerate(sorted(groups, key=lambda g: g[:2])):
                if place and read + amount > ENOUGH and (place > 1 or read > 50):
                    break
                read += amount
                # of the words alike, the frequent ones are as good as the rare ones
                weight = weigher.get_amount_weight(min(word[1] for word in group))
                wanted += [(number, place, key, quality * weight) for key, _n, quality in group]
            sizes.append(max(len(card.name.words), 1))
        found = defaultdict(set)
        if not wanted:
            return found
        for number, partner_id in self.env.execute_query(self._get_names_query(wanted, sizes)):
            found[number].add(partner_id)
        return found

    @api.model
    def _get_names_query(self, wanted, sizes):
        return SQL(
            """
            SELECT c.number, b.partner_id
              FROM unnest(%(all)s::int[], %(card_sizes)s::int[]) c(number, size)
CROSS JOIN LATERAL (
                SELECT partner_id FROM (
                    SELECT k.partner_id, w.place, MAX(w.weight) AS weight, MAX(k.size) AS size
                      FROM unnest(%(numbers)s::int[], %(places)s::int[], %(keys)s::bigint[],
                                  %(weights)s::float[]) w(number, place, key, weight)
                      JOIN crm_partner_key k ON k.key = w.key
                     WHERE w.number = c.number
                  GROUP BY k.partner_id, w.place) hits
              GROUP BY partner_id
              ORDER BY SUM(weight) / (MAX(hits.size) + c.size) DESC, partner_id
                 LIMIT %(limit)s) b
            """,
            all=list(range(len(sizes))),
            card_sizes=sizes,
            numbers=[row[0] for row in wanted],
            places=[row[1] for row in wanted],
            keys=[row[2] for row in wanted],
            weights=[row[3] for row in wanted],
            limit=WEIGHED,
        )
