import math
from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..tools.duplicate_evidence import POSSIBLE, compare
from ..tools.duplicate_keys import (
    decode,
    get_exact_keys,
    get_hash,
    get_reading_parts,
    get_readings,
)
from ..tools.name_folding import get_neighbours, get_sound
from ..tools.name_similarity import Rarity, get_distance, get_surprise

# cards with one key: a business centre has a thousand firms at one address
MOST_PER_KEY = 60
# cards of one name before those of others: ten namesakes would hide the right one
NAMESAKES = 3
# the same of a name that is only alike
ALIKE_NAMESAKES = 1
# words alike that stand for one that is misspelt
MOST_WORDS = 80
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
       letters left out. The cards of the rarest word are listed, with those of the others as
       long as they are few; of frequent words only those in names of about the same length, and
       the best of the list are asked whether they have the frequent words as well.
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
        total = self._get_total()
        found = self._find_by_keys(cards)
        for number, partner_ids in self._find_by_words(cards, words, total).items():
            found[number] |= partner_ids
        if exclude:
            for number, partner_ids in enumerate(exclude):
                found[number] -= set(partner_ids)
        stored = self._get_cards(set().union(*found.values()) if found else ())
        rarity = self._get_rarity([*cards, *stored.values()], total)
        result = []
        for number, card in enumerate(cards):
            weighed = []
            for partner_id in found[number]:
                if partner_id in stored:
                    evidence = compare(card, stored[partner_id], rarity)
                    if self._is_shown(evidence) if minimum is None else evidence.score >= minimum:
                        weighed.append((partner_id, evidence))
            weighed.sort(key=lambda pair: (-pair[1].score, pair[0]))
            likely = self._sort_alike(card, weighed, stored, rarity)
            chosen = {pair[0] for pair in self._mix_names(likely, stored)[:limit]}
            mixed = self._mix_names(weighed, stored)
            result.append([pair for pair in mixed if pair[0] in chosen])
        return result

    @api.model
    def _sort_alike(self, card, weighed, stored, rarity):
        """Let those with nothing in common but a name that is alike change places, so that the
        name which has most probably been meant comes first.

        A short word has dozens of others one slip away, each as like it as the next. That it was
        meant is the more probable the commoner the slip is, and the more cards have the name.
        """
        places, alike = [], []
        for place, (partner_id, evidence) in enumerate(weighed):
            if self._is_alike_only(evidence):
                [(_code, ratio)] = evidence.reasons
                name = stored[partner_id].name
                bits = sum(
                    min(get_surprise(word, other) for other in name.words)
                    for word in card.name.words
                )
                if len(name.words) == 1:
                    bits -= math.log2(rarity.get_amount(name.words[0]))
                places.append(place)
                alike.append((-round(ratio * 20), bits, place))
        result = list(weighed)
        for place, (_ratio, _bits, source) in zip(places, sorted(alike), strict=True):
            result[place] = weighed[source]
        return result

    @api.model
    def _is_alike_only(self, evidence):
        """Whether nothing is in common but a name that is alike."""
        return (
            any(code == "name" and value < 1 for code, value in evidence.reasons)
            and len(evidence.reasons) == 1
        )

    @api.model
    def _mix_names(self, weighed, stored):
        """Put further cards of one name behind those of other names.

        Those with something more in common than a name that is alike stay where they are longer.
        """
        counts = defaultdict(int)
        first, rest = [], []
        for partner_id, evidence in weighed:
            key = stored[partner_id].name.key
            counts[key] += 1
            most = ALIKE_NAMESAKES if self._is_alike_only(evidence) else NAMESAKES
            (first if counts[key] <= most else rest).append((partner_id, evidence))
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

        :return: dict: for each Reading of the cards a list of (key, amount, quality)
        """
        readings = {reading for card in cards for reading in get_readings(card.name)}
        words = self._find_words(readings)
        lost = {
            reading for reading in readings if len(reading.sound) > 4 and not words.get(reading)
        }
        if lost:
            words.update(self._find_lost_words(lost))
        return words

    @api.model
    def _get_rarity(self, cards, total=None):
        """How much each word of the names of some cards says.

        :param int total: number of all cards, if it is known
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
        return Rarity(amounts, self._get_total() if total is None else total)

    @api.model
    def _find_words(self, readings, slips=1):
        """Look up words by what remains of them without a letter."""
        by_part = defaultdict(set)
        for reading in readings:
            for part in get_reading_parts(reading):
                by_part[get_hash("part", part)].add(reading)
                if slips > 1:
                    for rest in get_neighbours(part):
                        by_part[get_hash("part", rest)].add(reading)
        return self._choose_words(
            (
                (reading, *row)
                for part, *row in self.env.execute_query(self._get_words_query(list(by_part)))
                for reading in by_part[part]
            ),
            slips,
        )

    @api.model
    def _get_words_query(self, parts):
        return SQL(
            """
            SELECT p.part, w.key, w.sound, w.letters, w.amount
              FROM unnest(%s::bigint[]) n(part)
              JOIN crm_partner_word_part p ON p.part = n.part
              JOIN crm_partner_word w ON w.id = p.word_id
            """,
            parts,
        )

    @api.model
    def _find_lost_words(self, readings):
        """Look up words that have no neighbours: two slips or more."""
        if not self.env.registry.has_trigram:
            return self._find_words(readings, slips=2)
        by_sound = defaultdict(list)
        for reading in readings:
            by_sound[reading.sound].append(reading)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT n.sound, w.key, w.sound, w.letters, w.amount
                  FROM unnest(%(sounds)s::text[]) n(sound)
            CROSS JOIN LATERAL (
                       SELECT key, sound, letters, amount FROM crm_partner_word
                        WHERE sound %% n.sound AND similarity(sound, n.sound) >= %(limit)s
                     ORDER BY similarity(sound, n.sound) DESC LIMIT 20) w
                """,
                sounds=list(by_sound),
                limit=TRIGRAM_LIMIT,
            )
        )
        return self._choose_words(
            ((reading, *row) for sound, *row in rows for reading in by_sound[sound]), 3
        )

    @api.model
    def _choose_words(self, rows, slips):
        """Of the words found, those that are alike.

        A word is as near as it sounds or is written, whichever is nearer; of two that sound the
        same, the one written alike is nearer.

        :param rows: (Reading looked for, key, sound and letters found, amount)
        :return: dict of lists of (key, amount, quality) by Reading
        """
        found = defaultdict(dict)
        for reading, key, sound, letters, amount in rows:
            spoken = 0 if reading.sound == sound else get_distance(reading.sound, sound)
            written = spoken
            if letters:
                written = (
                    0 if reading.letters == letters else get_distance(reading.letters, letters)
                )
            distance = min(spoken, written)
            if distance > slips:
                continue
            quality = 1 - 0.25 * distance - 0.04 * min(max(spoken, written) - distance, 3)
            if quality > found[reading].get(key, (0, 0, 0))[2]:
                found[reading][key] = (key, amount, quality)
        return {
            reading: sorted(words.values(), key=lambda word: (-word[2], -word[1]))[:MOST_WORDS]
            for reading, words in found.items()
        }
