# ruff: noqa: RUF001, RUF002, RUF003 Cyrillic is meant
"""By which keys cards are found that may be one client. Plain Python, no database."""

import hashlib
import re
from itertools import combinations
from typing import NamedTuple

from .address_folding import FoldedAddress
from .duplicate_evidence import Fingerprint
from .name_folding import (
    FoldedName,
    get_letters,
    get_neighbours,
    get_sound,
    get_twin_reading,
)

# digits of a telephone number that count: however country and trunk prefix are written
PHONE_DIGITS = 10
# shorter numbers are extensions
MIN_PHONE_DIGITS = 7
_EXTENSION = re.compile(r"(доб|вн|ext|x|#)[\w.: ]*$", re.IGNORECASE)
_NUMBERS = re.compile(r"[;,/\n]|(?<=\d)\s+(?=\+)|\bили\b|\bor\b")
_EMAIL = re.compile(r"[^\s<>\"',;:()\[\]]+@[^\s<>\"',;:()\[\]]+\.[^\s<>\"',;:()\[\]]+")
# words of a name of which pairs are formed
MAX_PAIRED = 6


def get_phone_keys(text):
    """Keys of the telephone numbers in a text, equal however a number is spelt.

    +7 495 123-45-67, 8 (495) 1234567 and 495 123 45 67 доб. 12 have one key.

    :return: frozenset of str
    """
    keys = set()
    text = text or ""
    # 310/246-1501 is one number, two numbers are longer
    parts = _NUMBERS.split(text) if len(re.sub(r"\D", "", text)) > 15 else [text]
    for part in parts:
        digits = re.sub(r"\D", "", _EXTENSION.sub("", part.strip()))
        digits = digits.removeprefix("00")
        if len(digits) >= MIN_PHONE_DIGITS and len(set(digits)) > 1:
            keys.add(digits[-PHONE_DIGITS:])
    return frozenset(keys)


def get_email_keys(text):
    """The e-mail addresses in a text, in lower case.

    :return: frozenset of str
    """
    return frozenset(address.casefold().strip(".") for address in _EMAIL.findall(text or ""))


def get_number_key(text, country=""):
    """A tax number without blanks, signs and the code of its country; "" if there is none."""
    number = re.sub(r"[\W_]", "", text or "").upper()
    if country and number.startswith(country.upper()) and number[len(country) :][:1].isdigit():
        number = number[len(country) :]
    return number if len(number) >= 4 else ""


def get_hash(kind, value):
    """A key as it is stored: 64 bits, signed."""
    digest = hashlib.blake2b(f"{kind}:{value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class Reading(NamedTuple):
    """One way to read a word of a name."""

    sound: str
    letters: str


def get_readings(name):
    """The readings by which a name is found, in the order of its words, each once.

    A word that may have been typed on the wrong keyboard is there in both readings.

    :param FoldedName name: name
    :return: list of Reading
    """
    words = []
    for word in name.words:
        words.append(word)
        reading = get_twin_reading(word)
        if reading and name.cyrillic:
            words.append(reading)
    return list(dict.fromkeys(Reading(get_sound(word), get_letters(word)) for word in words))


def get_reading_parts(reading):
    """What a word has in common with another one that is a slip away, as spoken or as written."""
    return get_neighbours(reading.sound) | get_neighbours(reading.letters)


def get_sounds(name):
    """The sounds by which a name is found, in the order of its words, each once.

    :param FoldedName name: name
    :return: list of str
    """
    return list(dict.fromkeys(reading.sound for reading in get_readings(name)))


def get_exact_keys(fingerprint):
    """Keys that two cards of one client may have in common.

    :param Fingerprint fingerprint: card
    :return: set of (kind, value)
    """
    keys = {("phone", phone) for phone in fingerprint.phones}
    keys |= {("email", email) for email in fingerprint.emails}
    keys |= {("account", account) for account in fingerprint.accounts}
    for kind in ("vat", "registry", "ref"):
        if value := getattr(fingerprint, kind):
            keys.add((kind, value))
    sounds = [get_sound(word) for word in fingerprint.name.words]
    if sounds:
        keys.add(("name", " ".join(sorted(sounds))))
        keys.add(("glued", "".join(sounds)))
    keys |= _get_address_keys(fingerprint.address)
    return keys


def get_block_keys(fingerprint):
    """Keys that bring together cards in a search through all of them.

    Cards of one client have at least one of these in common although the name is misspelt: two
    words as they sound, or without one letter each, the name as a whole without any one letter,
    a word together with the house or town, the date of birth together with these, the reference
    without one figure.

    :return: set of (kind, value)
    """
    keys = get_exact_keys(fingerprint)
    sounds = sorted(set(map(get_sound, fingerprint.name.words)))
    address = fingerprint.address
    glued = "".join(sounds)
    if glued:
        keys |= {("near", part) for part in get_neighbours(glued[:40])}
    skeletons = {sound: _get_skeleton(sound) for sound in sounds}
    for first, second in combinations(sounds[:MAX_PAIRED], 2):
        keys.add(("pair", " ".join(sorted((skeletons[first], skeletons[second])))))
        keys.add(("heads", " ".join(sorted((first[:3], second[:3])))))
        keys.add(("tails", " ".join(sorted((first[-3:], second[-3:])))))
    places = [("house", number) for number in address.numbers[:3]]
    places += [("town", " ".join(address.city))] * bool(address.city)
    places += [("zip", address.zip)] * bool(address.zip)
    if fingerprint.birthdate:
        # whatever the name: who was born on that day in that place
        keys |= {("born-" + kind, f"{fingerprint.birthdate} {value}") for kind, value in places}
        places.append(("born", fingerprint.birthdate))
    for sound in sounds[:MAX_PAIRED]:
        keys |= {("word-" + kind, f"{value} {skeletons[sound]}") for kind, value in places}
    for number in address.numbers[:3]:
        keys |= {("street", f"{number} {_get_skeleton(word)}") for word in address.street}
    if len(fingerprint.ref) >= 6:
        keys |= {("near-ref", part) for part in _get_parts(fingerprint.ref)}
    if fingerprint.vat and not fingerprint.is_vat_valid:
        keys |= {("near-vat", part) for part in _get_parts(fingerprint.vat)}
    return keys


def encode(fingerprint):
    """Write a card as one line of text; see `decode`."""
    name, address = fingerprint.name, fingerprint.address
    return "\t".join(
        (
            " ".join(name.words),
            name.form,
            "c" if name.cyrillic else "",
            " ".join(sorted(name.outside)),
            {True: "c", False: "p", None: ""}[fingerprint.is_company],
            fingerprint.vat,
            "v" if fingerprint.is_vat_valid else "",
            fingerprint.kpp,
            fingerprint.registry,
            " ".join(sorted(fingerprint.phones)),
            " ".join(sorted(fingerprint.emails)),
            " ".join(sorted(fingerprint.accounts)),
            fingerprint.ref,
            fingerprint.birthdate,
            fingerprint.employer,
            " ".join(sorted(address.street)),
            " ".join(address.numbers),
            " ".join(address.city),
            address.zip,
        )
    )


def decode(line):
    """Read a card from the text that `encode` made of it.

    :return: Fingerprint
    """
    (
        words, form, cyrillic, outside, kind, vat, valid, kpp, registry, phones, emails, accounts,
        ref, birthdate, employer, street, numbers, city, zip_code,
    ) = line.split("\t")  # fmt: skip
    return Fingerprint(
        FoldedName(tuple(words.split()), form, bool(cyrillic), frozenset(outside.split())),
        {"c": True, "p": False, "": None}[kind],
        vat,
        bool(valid),
        kpp,
        registry,
        frozenset(phones.split()),
        frozenset(emails.split()),
        frozenset(accounts.split()),
        ref,
        birthdate,
        employer,
        FoldedAddress(
            frozenset(street.split()), tuple(numbers.split()), tuple(city.split()), zip_code
        ),
    )


def _get_address_keys(address):
    """Street and house; the town is often written otherwise."""
    if not address.street or not address.numbers:
        return set()
    street = " ".join(sorted(map(get_sound, address.street)))
    return {("address", f"{street} {address.numbers[0]}")}


def _get_skeleton(sound):
    """First letter and consonants: vowels are mistaken most often."""
    if any(character.isdigit() for character in sound):
        return sound
    return sound[:1] + re.sub(r"[aeiouh]", "", sound[1:])


def _get_parts(number):
    return {number, *(number[:place] + number[place + 1 :] for place in range(len(number)))}
