# ruff: noqa: RUF001, RUF002, RUF003 Cyrillic is meant
"""What remains of an address when spelling does not count. Plain Python, no database."""

from typing import NamedTuple

from .name_folding import fold_words
from .name_similarity import ALIKE, compare_words

# kinds of streets, houses and rooms: written, shortened or left out at will
_KINDS = frozenset(
    fold_word
    for word in """
    street st str avenue ave av boulevard blvd bul road rd drive dr lane ln highway hwy place pl
    court ct square sq parkway pkwy terrace tce way crescent cres close circuit cct near off at
    between btwn the unit apt apartment suite ste floor fl room bldg building house flat no lot
    улица ул проспект просп пр пркт пр-кт переулок пер шоссе ш набережная наб площадь пл бульвар
    бул проезд аллея тупик туп тракт линия микрорайон мкр квартал дом д офис оф кв квартира корпус
    корп к стр строение литера лит помещение пом комната ком этаж эт вл владение зд здание
    город г гор область обл край респ республика район рн село пос поселок п россия рф
    strasse rue via calle
    """.split()
    for fold_word in fold_words(word)
)
_SAME = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6",
    "seventh": "7", "eighth": "8", "ninth": "9", "tenth": "10",
    "north": "n", "south": "s", "east": "e", "west": "w",
}  # fmt: skip
_ORDINALS = ("st", "nd", "rd", "th")


class FoldedAddress(NamedTuple):
    """An address without its spelling."""

    street: frozenset  # words of the street
    numbers: tuple  # of house, building, room, in their order
    city: tuple
    zip: str


class AddressSimilarity(NamedTuple):
    """Outcome of the comparison of two addresses; None where one of the two says nothing."""

    street: float | None
    numbers: float | None  # 1 equal, 0.5 one in common, 0 none
    city: float | None
    zip: bool | None


def fold_address(street, city, zip_code):
    """Fold the parts of an address.

    :param str street: all lines of it
    :return: FoldedAddress
    """
    words, numbers = [], []
    for word in fold_words(street):
        if word in _KINDS:
            continue
        word = _SAME.get(word, word)
        if word[0].isdigit() and word.endswith(_ORDINALS):
            word = word[:-2]
        if any(character.isdigit() for character in word):
            numbers.append(word)
        elif len(word) > 1:
            words.append(word)
    return FoldedAddress(
        frozenset(words),
        tuple(numbers),
        tuple(word for word in fold_words(city) if word not in _KINDS),
        "".join(fold_words(zip_code)),
    )


def compare_addresses(first, second):
    """Compare two addresses part by part.

    :return: AddressSimilarity
    """
    street = numbers = city = same_zip = None
    if first.street and second.street:
        street = _compare_sets(first.street, second.street)
    if first.numbers and second.numbers:
        numbers = _compare_numbers(first.numbers, second.numbers)
    if first.city and second.city:
        city = (
            1.0 if first.city == second.city else _compare_sets(set(first.city), set(second.city))
        )
    if first.zip and second.zip:
        same_zip = first.zip == second.zip
    return AddressSimilarity(street, numbers, city, same_zip)


def _compare_numbers(first, second):
    if first == second:
        return 1.0
    first, second = set(first), set(second)
    common = first & second
    if not common:
        return 0.0
    return 1.0 if len(common) == min(len(first), len(second)) else 0.5


def _compare_sets(first, second):
    """Share of the words of the shorter one that the other one has, alike or not."""
    if first == second:
        return 1.0
    short, long = (first, second) if len(first) <= len(second) else (second, first)
    agreed = 0.0
    for word in short:
        if word in long:
            agreed += 1
        else:
            best = max(compare_words(word, other) for other in long)
            agreed += best if best >= ALIKE else 0
    return agreed / len(short)
