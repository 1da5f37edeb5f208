"""Weighs what speaks for and against two cards being one client. Plain Python, no database.

Evidence is added up in bits, as in the theory of record linkage (I. Fellegi, A. Sunter, A Theory
for Record Linkage, JASA 64, 1969): a bit more doubles the odds. The weights are not fitted to any
set of records; each is the round number for how often the thing agrees by chance among cards that
are looked at together, and how often it differs on cards of one client.
"""

from itertools import pairwise
from typing import NamedTuple

from .address_folding import FoldedAddress, compare_addresses
from .name_folding import FoldedName
from .name_similarity import compare_names, get_distance

# cards are looked at together because something is alike: one pair in sixteen is one client
PRIOR = -4.0

# bits for names by the share that agrees; between the points, by straight lines
NAME_BITS = (
    (0.0, -8.0),
    (0.5, -5.0),
    (0.65, -2.0),
    (0.75, 1.0),
    (0.85, 4.5),
    (0.92, 6.5),
    (1.0, 7.5),
)
POWER_BITS = 3.0  # what a second rare word adds
CONFLICT_BITS = -5.0  # for each whole word that contradicts another
COMMON_WORD = 1.0  # somebody who has changed the other half of the name
WORST_NAME = -6.0  # people marry, companies are renamed: a name alone never refutes
SAME_EMAIL = 6.0
OTHER_EMAIL = -0.5
SAME_PHONE = 6.0
OTHER_PHONE = -1.5
SAME_ACCOUNT = 7.0
SAME_REFERENCE = 12.0
NEAR_REFERENCE = 6.0
OTHER_REFERENCE = -1.5  # who is entered twice gets two
SAME_BIRTHDATE = 9.0
NEAR_BIRTHDATE = 3.0  # one figure, or day and month, mistaken
OTHER_BIRTHDATE = -4.0
SAME_EMPLOYER = 3.0
OTHER_EMPLOYER = -4.0  # namesakes work everywhere
SAME_NUMBER = 12.0  # tax number, registration number
NEAR_NUMBER = 6.0
OTHER_NUMBER = -12.0
OTHER_REGISTRY = -3.0
SAME_STREET = 2.0
SAME_HOUSE = 2.0
OTHER_STREET = -2.0
OTHER_HOUSE = -1.5
SAME_CITY = 1.0
OTHER_CITY = -2.0
SAME_ZIP = 1.0
OTHER_ZIP = -0.5
BEST_ADDRESS = SAME_STREET + SAME_HOUSE + SAME_CITY + SAME_ZIP
WORST_ADDRESS = -4.0  # clients move and have several addresses
BEST_CONTACT = 9.0  # who shares a house often shares the telephone, too
OTHER_KIND = -1.5  # a person and a company
OTHER_FORM = -0.5

# from here on a card is not entered without a reason where duplicates are blocked
CERTAIN = 0.8
# from here on it is more likely than not that two cards are one client
LIKELY = 0.5
# from here on they are worth a look
POSSIBLE = 0.3


class Fingerprint(NamedTuple):
    """What a card is compared by."""

    name: FoldedName
    is_company: bool | None
    vat: str  # tax number, normalised
    is_vat_valid: bool  # whether its check digits hold
    kpp: str
    registry: str  # registration number (OGRN)
    phones: frozenset  # keys of phone numbers
    emails: frozenset
    accounts: frozenset  # bank accounts
    ref: str
    birthdate: str  # YYYYMMDD
    employer: str  # whose contact a person is
    address: FoldedAddress

    @property
    def is_name_only(self):
        """Whether nothing but a name is known."""
        return not any(self[2:-1]) and not any(self.address)


class Evidence(NamedTuple):
    """Outcome of a comparison.

    `kind` is "duplicate" or why it is none, however alike the cards are: "branch" (the same tax
    number, another KPP), "other_number" (two different tax numbers). `reasons` are pairs of a
    code and a value: ("phone", None), ("name", 0.93).
    """

    score: float
    kind: str
    reasons: tuple


def compare(first, second, rarity, least=None):
    """Weigh two cards.

    :param Fingerprint first, second: the cards
    :param Rarity rarity: how much each word of a name says
    :param float least: score below which nobody wants to know: addresses, which take longest, are
        not compared if they could not lift the score above it
    :return: Evidence; None if it is below `least`
    """
    reasons = []
    bits = PRIOR + _weigh_references(first, second, reasons)
    number_bits, kind = _weigh_numbers(first, second, reasons)
    bits += number_bits
    places = frozenset((*first.address.city, *second.address.city))
    names = compare_names(first.name, second.name, rarity, places)
    if first.name.words and second.name.words:
        bits += _weigh_names(names)
        if names.ratio >= 0.7:
            reasons.append(("name", round(names.ratio, 2)))
        if first.name.form and second.name.form and first.name.form != second.name.form:
            bits += OTHER_FORM
    contact = _weigh_keys(first, second, reasons)
    best = bits + min(contact + BEST_ADDRESS, BEST_CONTACT)
    if least and number_bits <= 0 and _get_score(best) < least:
        return None
    contact += _weigh_addresses(first.address, second.address, reasons)
    bits += min(contact, BEST_CONTACT)
    if first.is_company is not None and second.is_company is not None:
        bits += OTHER_KIND * (first.is_company != second.is_company)
    score = _get_score(bits)
    if kind == "branch":
        score = min(score, 0.7)
    elif kind == "other_number":
        score = min(score, 0.45)
    elif ("number", None) in reasons or ("number_kpp", None) in reasons:
        # one tax number is one client, whatever it is called
        score = max(score, 0.95)
    if least and score < least:
        return None
    return Evidence(round(score, 4), kind, tuple(reasons))


def _get_score(bits):
    """Odds in bits as a probability."""
    return 1 / (1 + 2 ** -max(min(bits, 40), -40))


def _weigh_names(names):
    bits = NAME_BITS[-1][1]
    for (low, low_bits), (high, high_bits) in pairwise(NAME_BITS):
        if names.ratio < high:
            bits = low_bits + (high_bits - low_bits) * (names.ratio - low) / (high - low)
            break
    if bits > 0:
        bits *= min(0.2 + 0.8 * names.power, 1)
        bits += POWER_BITS * min(max(names.power - 1, 0), 1)
    worst = WORST_NAME + COMMON_WORD * min(names.power, 1)
    return max(bits + CONFLICT_BITS * min(names.conflict, 1), worst)


def _weigh_keys(first, second, reasons):
    """Phone, e-mail and bank account."""
    bits = 0.0
    for code, mine, others, same, other in (
        ("email", first.emails, second.emails, SAME_EMAIL, OTHER_EMAIL),
        ("phone", first.phones, second.phones, SAME_PHONE, OTHER_PHONE),
        ("account", first.accounts, second.accounts, SAME_ACCOUNT, 0.0),
    ):
        if mine and others:
            if mine & others:
                bits += same
                reasons.append((code, None))
            else:
                bits += other
    return bits


def _weigh_references(first, second, reasons):
    """The reference we gave to a client, date of birth, employer."""
    bits = 0.0
    if first.employer and second.employer:
        bits += SAME_EMPLOYER if first.employer == second.employer else OTHER_EMPLOYER
    if first.birthdate and second.birthdate:
        mine, others = first.birthdate, second.birthdate
        if mine == others:
            bits += SAME_BIRTHDATE
            reasons.append(("birthdate", None))
        elif get_distance(mine, others) == 1 or mine == others[:4] + others[6:] + others[4:6]:
            bits += NEAR_BIRTHDATE
        else:
            bits += OTHER_BIRTHDATE
    if first.ref and second.ref:
        if first.ref == second.ref:
            bits += SAME_REFERENCE
            reasons.append(("reference", None))
        elif min(len(first.ref), len(second.ref)) >= 6 and get_distance(first.ref, second.ref) == 1:
            bits += NEAR_REFERENCE
            reasons.append(("near_reference", None))
        else:
            bits += OTHER_REFERENCE
    return bits


def _weigh_numbers(first, second, reasons):
    """Tax and registration numbers: who has another one is somebody else.

    A number that fails its own check digits and is one slip away from the other is a misprint.

    :return: (bits, kind)
    """
    if first.vat and second.vat:
        if first.vat == second.vat:
            if first.kpp and second.kpp and first.kpp != second.kpp:
                reasons.append(("branch", None))
                return SAME_NUMBER, "branch"
            both = first.kpp and second.kpp
            reasons.append(("number_kpp" if both else "number", None))
            return SAME_NUMBER, "duplicate"
        misprint = not (first.is_vat_valid and second.is_vat_valid)
        if misprint and get_distance(first.vat, second.vat) == 1:
            reasons.append(("near_number", None))
            return NEAR_NUMBER, "duplicate"
        reasons.append(("other_number", None))
        return OTHER_NUMBER, "other_number"
    if first.registry and second.registry:
        if first.registry == second.registry:
            reasons.append(("registry", None))
            return SAME_NUMBER, "duplicate"
        return OTHER_REGISTRY, "duplicate"
    return 0.0, "duplicate"


def _weigh_addresses(first, second, reasons):
    compared = compare_addresses(first, second)
    bits = 0.0
    if compared.street is not None:
        bits += _between(compared.street, OTHER_STREET, SAME_STREET)
    if compared.numbers is not None:
        bits += _between(compared.numbers, OTHER_HOUSE, SAME_HOUSE)
    if compared.city is not None:
        bits += _between(compared.city, OTHER_CITY, SAME_CITY)
    if compared.zip is not None:
        bits += SAME_ZIP if compared.zip else OTHER_ZIP
    if (
        compared.street is not None
        and compared.street >= 0.85
        and compared.numbers == 1
        and compared.city != 0
    ):
        reasons.append(("address", None))
    return max(bits, WORST_ADDRESS)


def _between(share, low, high):
    """From `low` at a half or less to `high` at all."""
    return low + (high - low) * max(share - 0.5, 0) * 2
