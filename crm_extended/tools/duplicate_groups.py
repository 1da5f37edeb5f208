"""Puts cards of one client together. Plain Python, no database."""

from collections import defaultdict

# cards are one client by way of a third card, too, but not by a long chain: at least this share of
# the pairs between two groups must speak for putting them together
AGREEING = 0.3
# more cards in one group are a mistake (a phone number that everybody has)
MOST = 50


def group_pairs(pairs, least, apart=(), numbers=None):
    """Form groups of cards.

    The best pair comes first. Two groups become one if enough of the pairs between them count, no
    two of their cards were told apart by a person, and they do not hold two different tax numbers.

    :param pairs: iterable of (score, card, other)
    :param float least: score from which a pair counts
    :param apart: iterable of pairs of cards that are not the same client
    :param dict numbers: tax number by card, of cards that have a valid one
    :return: list of sorted lists of two cards or more
    """
    numbers = numbers or {}
    scores = defaultdict(dict)
    for score, card, other in pairs:
        scores[card][other] = scores[other][card] = score
    enemies = defaultdict(set)
    for card, other in apart:
        enemies[card].add(other)
        enemies[other].add(card)
    groups = {card: [card] for card in scores}
    number_of = {card: {numbers[card]} if card in numbers else set() for card in scores}
    place = {card: card for card in scores}
    good = sorted(
        ((score, card, other) for card, others in scores.items()
         for other, score in others.items() if card < other and score >= least),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )  # fmt: skip
    for _score, card, other in good:
        first, second = place[card], place[other]
        if first == second or len(groups[first]) + len(groups[second]) > MOST:
            continue
        if len(number_of[first] | number_of[second]) > 1:
            continue
        if len(groups[first]) < len(groups[second]):
            first, second = second, first
        if not _may_join(groups[first], groups[second], scores, enemies, least):
            continue
        for member in groups[second]:
            place[member] = first
        groups[first] += groups.pop(second)
        number_of[first] |= number_of.pop(second)
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def _may_join(group, others, scores, enemies, least):
    agreeing = 0
    for card in others:
        known, hostile = scores[card], enemies.get(card, ())
        for member in group:
            if member in hostile:
                return False
            agreeing += known.get(member, 0) >= least
    return agreeing >= AGREEING * len(group) * len(others)
