# ruff: noqa: RUF001, RUF002, RUF003 Cyrillic is meant
"""How alike two folded names are. Plain Python, no database."""

import math
from functools import lru_cache
from typing import NamedTuple

from .name_folding import get_letters, get_sound, get_twin_reading

# words that differ more than this are other words
ALIKE = 0.6
# another spelling of the same sounds
SAME_SOUND = 0.94
# how much a word counts that only one of the names has: it may have been left out
EXTRA = 0.6
# or that only says what the firm does, outside the quotes
BESIDE = 0.15
# a name that is all in the other one says little, but does not contradict
CONTAINED = 0.72
CONTAINED_POWER = 0.5
SURE = 0.9  # its words are all there, but for a slip
# share of the weight of a name that a number in it has at least: School 5 is not School 7
NUMBER_WEIGHT = 0.6


class Rarity:
    """How much a word says: rare words identify, frequent ones hardly count.

    A word that a share p of all names has says log2(1/p); measured against what would pick one
    name out of all, so that 1 is a word that nobody else has, and words like "restaurant" or
    "торговый" come near 0.

    :param frequencies: dict: number of names by sound; a word that is not in it is rare
    :param int total: number of names
    """

    def __init__(self, frequencies=None, total=0):
        self._frequencies = frequencies or {}
        # counts among a few hundred names are chance
        self._bits = math.log2(max(total, 1000) + 1)
        self._weights = {}

    def get_weight(self, word):
        """Weight of a folded word, from 0.05 to 1."""
        weight = self._weights.get(word)
        if weight is None:
            sound = get_sound(word)
            weight = self.get_amount_weight(self._frequencies.get(sound, 1))
            if any(character.isdigit() for character in word):
                weight = max(weight, NUMBER_WEIGHT)
            elif len(word) < 3:
                # initials and particles
                weight = min(weight, 0.35 * len(word))
            weight = max(weight, 0.05)
            if len(self._weights) < 200_000:
                self._weights[word] = weight
        return weight

    def get_amount(self, word):
        """Number of names that have a folded word, or one that sounds like it."""
        return self._frequencies.get(get_sound(word), 1)

    def get_amount_weight(self, amount):
        """Weight of a word that so many names have."""
        return 1 - math.log2(max(amount, 1)) / self._bits


class NameSimilarity(NamedTuple):
    """Outcome of the comparison of two names."""

    ratio: float  # 0 to 1: the share of both names that agrees
    power: float  # what the agreeing words say: 1 picks one name out of all
    conflict: float  # what contradicts: the weight of words on both sides without a partner


NOTHING = NameSimilarity(0.0, 0.0, 0.0)


def compare_names(first, second, rarity, places=frozenset()):
    """Compare two names, whatever the order of their words.

    :param FoldedName first, second: names
    :param Rarity rarity: how much each word says
    :param places: set of folded words that one name may have and the other not: the towns
    :return: NameSimilarity
    """
    if not first.words or not second.words:
        return NOTHING
    crossed = first.cyrillic != second.cyrillic
    twins = first.cyrillic or second.cyrillic
    weights = rarity.get_weight
    mine = list(first.words)
    others = list(second.words)
    agreed = weighed = power = 0.0
    for word in list(mine):
        if word in others:
            mine.remove(word)
            others.remove(word)
            agreed += 2 * weights(word)
            power += weights(word)
    weighed, sure = agreed, True
    numbers = _differ_in_numbers(mine, others)
    for quality, word, other in sorted(
        (
            (quality, word, other)
            for word in mine
            for other in others
            if (quality := compare_words(word, other, crossed, twins)) >= ALIKE
        ),
        reverse=True,
    ):
        if word in mine and other in others:
            mine.remove(word)
            others.remove(other)
            weight = weights(word) + weights(other)
            agreed += quality * weight
            weighed += weight
            sure = sure and quality >= SURE
            power += quality * min(weights(word), weights(other))
    rest = [sum(weights(word) for word in left if word not in places) for left in (mine, others)]
    conflict = min(rest)
    # the same weight on both sides contradicts, what one side has more is only missing
    longer, left = (first, mine) if rest[0] > rest[1] else (second, others)
    extra = max(rest) - conflict
    beside = sum(weights(word) for word in left if word in longer.outside and word not in places)
    whole = weighed + 2 * conflict + EXTRA * max(extra - beside, 0) + BESIDE * min(beside, extra)
    ratio = agreed / whole if whole else 0.0
    if not conflict and sure and power >= CONTAINED_POWER:
        ratio = max(ratio, CONTAINED)
    if ratio < 0.9 and not numbers and (mine or others):
        glued = _compare_glued(first, second, crossed)
        if glued > ratio:
            ratio, conflict = glued, 0.0
            power = max(power, min(sum(map(weights, names)) for names in (first[0], second[0])))
    if numbers:
        ratio = min(ratio, 0.6)
        conflict = max(conflict, NUMBER_WEIGHT)
    return NameSimilarity(ratio, power, conflict)


@lru_cache(maxsize=200_000)
def compare_words(word, other, crossed=False, twins=False):
    """How alike two folded words are.

    One letter more, less, other or two swapped is a slip in any word of four letters; two in a
    word of seven. An initial stands for its word, a beginning for a word twice as long. Numbers
    are equal or not.

    :param bool crossed: whether they come from different alphabets: then sounds are compared
    :param bool twins: whether a word may have been typed on the wrong keyboard
    :return: float from 0 to 1
    """
    if twins and (get_twin_reading(word) == other or get_twin_reading(other) == word):
        return 1.0
    if crossed:
        word, other = get_sound(word), get_sound(other)
        if word == other:
            return 1.0
    if _has_digit(word) or _has_digit(other):
        return 1.0 if word.lstrip("0") == other.lstrip("0") else 0.0
    quality = _compare_letters(word, other)
    if quality < SURE and not crossed:
        # я is one letter, ya are two
        letters = get_letters(word), get_letters(other)
        if letters != (word, other):
            quality = max(quality, _compare_letters(*letters))
        sounds = get_sound(word), get_sound(other)
        # who writes otherwise what sounds the same is less near than who makes a slip
        spoken = SAME_SOUND if sounds[0] == sounds[1] else _compare_letters(*sounds) - 0.01
        quality = max(quality, spoken)
    return quality


def _compare_letters(word, other):
    short, long = sorted((word, other), key=len)
    if long.startswith(short):
        if len(short) == 1:
            return 0.75
        if len(short) >= 3 and len(long) >= 2 * len(short):
            return 0.75
    size = len(long)
    slips = 1 if size < 5 else 2 if size < 8 else 3
    if size - len(short) > slips or _count_strange_letters(short, long) > 2 * slips:
        return 0.0
    distance = get_distance(short, long)
    if distance == 0:
        return 1.0
    quality = 1 - distance / size if size >= 10 and distance <= 3 else 0.0
    if distance == 1:
        quality = 0.95 if size >= 8 else 0.92 if size >= 5 else 0.85 if size == 4 else 0.4
    elif distance == 2 and size >= 5:
        quality = max(quality, 0.87 if size >= 10 else 0.8 if size >= 7 else 0.6)
    elif distance == 3 and size >= 8:
        quality = max(quality, 0.78 if size >= 11 else 0.65)
    return quality


def _count_strange_letters(first, second):
    """How many letters only one of two words has: a slip changes two of them at most."""
    return (_get_letters(first) ^ _get_letters(second)).bit_count()


@lru_cache(maxsize=100_000)
def _get_letters(word):
    """The letters of a word, each as a bit; letters may share one."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 63)
    return bits


def get_distance(first, second):
    """Number of slips between two texts: missing, extra, other or two swapped letters.

    Optimal string alignment distance by bit vectors: H. Hyyrö, A Bit-Vector Algorithm for
    Computing Levenshtein and Damerau Edit Distances, Nordic Journal of Computing 10 (2003).

    :return: int
    """
    if not first or not second:
        return len(first) or len(second)
    size = len(first)
    full = (1 << size) - 1
    last = 1 << (size - 1)
    places = {}
    for position, letter in enumerate(first):
        places[letter] = places.get(letter, 0) | (1 << position)
    plus, minus, zeros, before = full, 0, 0, 0
    distance = size
    for letter in second:
        match = places.get(letter, 0)
        swapped = ((~zeros & match) << 1) & before
        zeros = ((((match & plus) + plus) ^ plus) | match | minus | swapped) & full
        rise = minus | (~(zeros | plus) & full)
        fall = zeros & plus
        if rise & last:
            distance += 1
        if fall & last:
            distance -= 1
        rise = ((rise << 1) | 1) & full
        fall = (fall << 1) & full
        plus = fall | (~(zeros | rise) & full)
        minus = zeros & rise
        before = match
    return distance


# bits by which it surprises that somebody has typed another letter, or one more: which of 33 it is.
# A letter left out, doubled or swapped with the next one is one of a few ways to go wrong.
STRANGE_LETTER = 5
# a word that is no slip of any
STRANGE_WORD = 4 * STRANGE_LETTER


@lru_cache(maxsize=100_000)
def get_surprise(typed, meant):
    """How much it surprises, in bits, that somebody who meant one folded word typed another.

    :param str typed, meant: words of folded names
    :return: int, from 0 for the same word or the commonest slips
    """
    if get_sound(typed) == get_sound(meant):
        return 0
    readings = ((get_letters(typed), get_letters(meant)), (get_sound(typed), get_sound(meant)))
    return min(STRANGE_WORD, *(_get_slip_bits(*reading) for reading in readings))


def _get_slip_bits(typed, meant):
    distance = get_distance(typed, meant)
    if distance != 1:
        return distance * STRANGE_LETTER
    if len(typed) < len(meant) or sorted(typed) == sorted(meant):
        return 0
    is_doubled = len(typed) > len(meant) and any(
        typed[place] == typed[place - 1] and typed[:place] + typed[place + 1 :] == meant
        for place in range(1, len(typed))
    )
    return 0 if is_doubled else STRANGE_LETTER


def _compare_glued(first, second, crossed):
    """How alike the names are when words are written together: СтройМонтаж, Строй Монтаж."""
    texts = [name.compact for name in (first, second)]
    if crossed:
        texts = ["".join(map(get_sound, name.words)) for name in (first, second)]
    size = max(map(len, texts))
    if size < 5 or abs(len(texts[0]) - len(texts[1])) > size * 0.2:
        return 0.0
    ratio = 1 - get_distance(*texts) / size
    return ratio if ratio >= 0.85 else 0.0


def _differ_in_numbers(mine, others):
    """Whether both names have numbers of their own."""
    return any(map(_has_digit, mine)) and any(map(_has_digit, others))


@lru_cache(maxsize=200_000)
def _has_digit(word):
    return any(character.isdigit() for character in word)
