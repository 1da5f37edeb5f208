"""Association rules: what is bought together. Pure functions over whole numbers, no ORM.

**Measures** (Agrawal 1993; Piatetsky-Shapiro 1991): support of a set = share of the baskets that
hold all of it; confidence of A → C = support(A and C) / support(A); lift = confidence / support(C),
1 when A tells nothing about C; leverage = support(A and C) - support(A) · support(C).

**Search.** Pairs are counted for all frequent items at once: the items of each basket beside each
other, one, two, three... places apart; a long basket adds all of its pairs itself. Larger sets grow
from frequent pairs depth first (Zaki's Eclat), each held as a bit per basket. Everything is read in
blocks of rows, none is copied as a whole: beside the rows, memory is the bits of the items that are
frequent and the counts of their pairs. Work is linear in the number of baskets.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

MAX_ITEMSETS = 200_000
_BLOCK = 1 << 15  # rows that are looked at at a time, at most
_SMALL_BLOCK = 1 << 13  # the same of few rows
_LONG = 64  # frequent items of a basket whose pairs are counted by itself
_BITS = np.array([bin(number).count("1") for number in range(1 << 16)], np.uint8)


class TooManySets(ValueError):
    """The thresholds let through more sets than anybody can read."""


@dataclass(frozen=True)
class Rule:
    """antecedent -> consequent, tuples of items in rising order, with the measures."""

    antecedent: tuple
    consequent: tuple
    count: int
    support: float
    confidence: float
    lift: float
    leverage: float


def find_frequent_sets(basket, item, baskets, min_count, max_size=None):
    """Return all sets of items that at least ``min_count`` baskets hold.

    :param basket: array of whole numbers from 0, in rising order
    :param item: array of whole numbers from 0; a pair of basket and item occurs once
    :param int baskets: number of all baskets, those without frequent items included
    :param int min_count: at least 1
    :param int max_size: largest number of items of a set; any by default
    :return: dict of tuple of items in rising order -> number of baskets
    :raise TooManySets: more than ``MAX_ITEMSETS``
    """
    basket, item = np.asarray(basket), np.asarray(item)
    if not len(item):
        return {}
    counts = np.zeros(int(item.max()) + 1, np.int64)
    for begin in range(0, len(item), _BLOCK):
        found = np.bincount(item[begin : begin + _BLOCK])
        counts[: len(found)] += found
    frequent = np.flatnonzero(counts >= max(min_count, 1))
    sets = {(int(one),): int(counts[one]) for one in frequent}
    if max_size == 1 or len(frequent) < 2:
        return sets
    place = np.full(len(counts), -1, np.int32)
    place[frequent] = np.arange(len(frequent), dtype=np.int32)
    pairs = _count_pairs(basket, item, place, len(frequent))
    first, second = np.nonzero(pairs >= max(min_count, 1))
    if len(first) > MAX_ITEMSETS:
        raise TooManySets(len(first))
    names = frequent.tolist()
    for left, right in zip(first.tolist(), second.tolist(), strict=True):
        sets[(names[left], names[right])] = int(pairs[left, right])
    if max_size == 2 or not len(first):
        return sets
    bits = _pack(basket, item, place, len(frequent), baskets)
    del pairs
    partners = [set() for _name in names]  # frequent pairs: a set may only grow by them
    for left, right in zip(first.tolist(), second.tolist(), strict=True):
        partners[left].add(right)
    for left in range(len(names)):
        tails = sorted(partners[left])
        for right in tails:
            common = [one for one in tails if one > right and one in partners[right]]
            if common:
                _grow(
                    (left, right), bits[left] & bits[right], common, bits, partners, sets,
                    names, max(min_count, 1), max_size,
                )  # fmt: skip
    return sets


def find_rules(
    sets,
    baskets,
    min_confidence=0.0,
    min_lift=0.0,
    min_leverage=-1.0,
    max_consequents=None,
    strong_only=False,
):
    """Return the rules that the frequent sets give.

    :param dict sets: of :func:`find_frequent_sets`
    :param int baskets: number of all baskets
    :param max_consequents: largest number of items on the right; any by default
    :param strong_only: leave out a rule when a part of its left side alone tells the same on the
        right with at least the same confidence: the longer one is a trivial duplicate
    :return: list of :class:`Rule`, the strongest lift first, reproducibly
    """
    rules = []
    for members, count in sets.items():
        size = len(members)
        if size < 2:
            continue
        support = count / baskets
        for right in range(1, min(size - 1, max_consequents or size) + 1):
            for consequent in combinations(members, right):
                antecedent = tuple(one for one in members if one not in consequent)
                confidence = count / sets[antecedent]
                if confidence < min_confidence:
                    continue
                share = sets[consequent] / baskets
                lift = confidence / share
                leverage = support - sets[antecedent] / baskets * share
                if lift < min_lift or leverage < min_leverage:
                    continue
                rules.append(
                    Rule(antecedent, consequent, count, support, confidence, lift, leverage)
                )
    if strong_only:
        rules = _drop_duplicates(rules, sets)
    return sorted(rules, key=lambda rule: (-rule.lift, -rule.count, rule.antecedent))


def _drop_duplicates(rules, sets):
    strong = []
    for rule in rules:
        repeated = False
        for size in range(1, len(rule.antecedent)):
            for part in combinations(rule.antecedent, size):
                together = tuple(sorted(part + rule.consequent))
                if sets[together] / sets[part] >= rule.confidence - 1e-12:
                    repeated = True
        if not repeated:
            strong.append(rule)
    return strong


def _read_frequent(basket, item, place):
    """Yield the rows of frequent items, in blocks of whole baskets: (baskets, places of items)."""
    begin = 0
    size = min(max(len(basket) // 16, _SMALL_BLOCK), _BLOCK)
    while begin < len(basket):
        end = min(begin + size, len(basket))
        end = int(np.searchsorted(basket, basket[end - 1], side="right"))
        member = place[item[begin:end]]
        kept = member >= 0
        yield basket[begin:end][kept], member[kept]
        begin = end


def _count_pairs(basket, item, place, size):
    """Number of baskets of each pair of frequent items, in the upper triangle of a matrix."""
    counts = np.zeros((size, size), np.int32)
    flat = counts.reshape(-1)
    for own, member in _read_frequent(basket, item, place):
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        lengths = np.diff(starts, append=len(own))
        long = lengths > _LONG
        for start, length in zip(starts[long].tolist(), lengths[long].tolist(), strict=True):
            items = member[start : start + length]
            counts[np.ix_(items, items)] += np.tri(length, k=-1, dtype=np.int32)
        if long.any():
            short = np.repeat(~long, lengths)
            own, member = own[short], member[short]
        rows = np.arange(len(own) - 1)
        distance = 1
        while len(rows):
            rows = rows[: np.searchsorted(rows, len(own) - distance)]
            rows = rows[own[rows] == own[rows + distance]]
            keys = member[rows].astype(np.intp) * size + member[rows + distance]
            if 4 * len(keys) > len(flat):
                flat += np.bincount(keys, minlength=len(flat)).astype(np.int32)
            else:
                np.add.at(flat, keys, 1)
            distance += 1
    for row in range(size):  # each pair was met in one order or the other
        counts[row, row + 1 :] += counts[row + 1 :, row]
        counts[row, :row] = 0
    return counts


def _pack(basket, item, place, size, baskets):
    """One row of bits per item, a bit per basket, as words of 16."""
    bits = np.zeros((size, -(-baskets // 16)), np.uint16)
    for own, member in _read_frequent(basket, item, place):
        for bit in range(16):  # within one, no word is met twice
            chosen = own % 16 == bit
            bits[member[chosen], own[chosen] // 16] |= np.uint16(1 << bit)
    return bits


def _grow(prefix, held, tails, bits, partners, sets, names, min_count, max_size):
    """Add to ``sets`` all frequent sets that begin with ``prefix`` (depth first)."""
    both = bits[tails] & held
    counts = _BITS[both].sum(axis=1, dtype=np.int64)
    alive = np.flatnonzero(counts >= min_count).tolist()
    for place in alive:
        members = (*prefix, tails[place])
        sets[tuple(names[one] for one in members)] = int(counts[place])
    if len(sets) > MAX_ITEMSETS:
        raise TooManySets(len(sets))
    if max_size and len(prefix) + 1 >= max_size:
        return
    for position, place in enumerate(alive):
        new = tails[place]
        common = [tails[one] for one in alive[position + 1 :] if tails[one] in partners[new]]
        if common:
            _grow(
                (*prefix, new), both[place], common, bits, partners, sets, names, min_count,
                max_size,
            )  # fmt: skip
