"""Association rules: what is bought together. Pure functions over whole numbers, no ORM.

**Measures** (Agrawal 1993; Piatetsky-Shapiro 1991): support of a set = share of the baskets that
hold all of it; confidence of A → C = support(A and C) / support(A); lift = confidence / support(C),
1 when A tells nothing about C; leverage = support(A and C) - support(A) · support(C).

**Search.** Pairs are counted for all frequent items at once: the items of each basket beside each
other, one, two, three... places apart. Larger sets grow from frequent pairs depth first (Zaki's
Eclat), each held as a bit per basket. Work and memory are linear in the number of baskets, and the
bits are only of items that are frequent.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

MAX_ITEMSETS = 200_000
_BLOCK = 100_000  # rows of which pairs are counted at a time
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
    counts = np.bincount(item)
    frequent = np.flatnonzero(counts >= max(min_count, 1))
    sets = {(int(one),): int(counts[one]) for one in frequent}
    if max_size == 1 or len(frequent) < 2:
        return sets
    place = np.full(len(counts), -1, np.int32)
    place[frequent] = np.arange(len(frequent), dtype=np.int32)
    kept = place[item] >= 0
    key = basket[kept].astype(np.int64)  # one number a row: sorted in its place
    key *= len(frequent)
    key += place[item[kept]]
    key.sort()
    basket = (key // len(frequent)).astype(np.int32)
    item = (key % len(frequent)).astype(np.int32)
    del key, kept
    pairs = _count_pairs(basket, item, len(frequent))
    first, second = np.nonzero(pairs >= max(min_count, 1))
    if len(first) > MAX_ITEMSETS:
        raise TooManySets(len(first))
    names = frequent.tolist()
    for left, right in zip(first.tolist(), second.tolist(), strict=True):
        sets[(names[left], names[right])] = int(pairs[left, right])
    if max_size == 2 or not len(first):
        return sets
    bits = _pack(basket, item, len(frequent), baskets)
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


def _count_pairs(basket, item, size):
    """Number of baskets of each pair of items, in the upper triangle of a matrix."""
    counts = np.zeros(size * size, np.int32)
    starts = np.flatnonzero(np.r_[True, basket[1:] != basket[:-1]])
    for begin, end in _get_blocks(starts, len(basket)):
        own, member = basket[begin:end], item[begin:end].astype(np.int64)
        distance = 1
        rows = np.arange(len(own) - 1)
        while len(rows):
            rows = rows[own[rows] == own[rows + distance]]
            if not len(rows):
                break
            keys = member[rows] * size + member[rows + distance]
            found = np.bincount(keys)
            counts[: len(found)] += found.astype(np.int32)
            distance += 1
            rows = rows[: np.searchsorted(rows, len(own) - distance)]
    return counts.reshape(size, size)


def _get_blocks(starts, rows):
    """Cut the rows into blocks of whole baskets."""
    begin = 0
    for start in starts.tolist():
        if start - begin >= _BLOCK:
            yield begin, start
            begin = start
    yield begin, rows


def _pack(basket, item, size, baskets):
    """One row of bits per item, a bit per basket, as words of 16."""
    words = -(-baskets // 16)
    bits = np.zeros((size, words), np.uint16)
    np.bitwise_or.at(bits, (item, basket // 16), (np.uint16(1) << (basket % 16).astype(np.uint16)))
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
