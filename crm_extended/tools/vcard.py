"""vCards: what address books and business-card scanners hand out. Plain Python, no database."""

import vobject

from .contact_text import ContactText


def is_vcard(text):
    """Whether a text holds a vCard."""
    return "BEGIN:VCARD" in (text or "").upper()


def read_vcards(text):
    """Read all cards of a text; what cannot be read is left out.

    :param str text: one or several vCards, version 2.1 to 4
    :return: list of ContactText
    """
    cards = []
    try:
        for card in vobject.readComponents(text, ignoreUnreadable=True, allowQP=True):
            if card.name == "VCARD":
                cards.append(_read_vcard(card.contents))
    except (vobject.base.ParseError, UnicodeError, AttributeError, IndexError, ValueError):
        # the cards before the broken one are good
        pass
    return [card for card in cards if card]


def _read_vcard(contents):
    def first(name):
        return contents[name][0].value if name in contents else None

    name = _flatten(first("fn")) or _read_name(first("n"))
    organisation = first("org")
    # the first part is the organisation, the others are its departments
    company = organisation[0] if isinstance(organisation, list) else organisation
    found = ContactText(
        name=name,
        company=_flatten(company),
        function=_flatten(first("title") or first("role")),
        website=_flatten(first("url")),
        emails=[_flatten(line.value).lower() for line in contents.get("email", ())],
        phones=_read_phones(contents.get("tel", ())),
    )
    if found.name == found.company:
        found.name = ""
    if address := first("adr"):
        found.street = ", ".join(
            part for part in (_flatten(address.street), _flatten(address.extended)) if part
        )
        found.city = _flatten(address.city)
        found.zip = _flatten(address.code)
    return found


def _read_name(name):
    if not name:
        return ""
    parts = (name.given, name.additional, name.family)
    return " ".join(text for text in map(_flatten, parts) if text)


def _read_phones(lines):
    """Mobile numbers first, no fax numbers."""
    phones = []
    for line in lines:
        kinds = {kind.upper() for kind in line.params.get("TYPE", ())}
        number = _flatten(line.value).removeprefix("tel:")
        if number and "FAX" not in kinds:
            phones.append((not kinds & {"CELL", "MOBILE"}, number))
    return [number for _rank, number in sorted(phones, key=lambda phone: phone[0])]


def _flatten(value):
    """Text of a value that may have come in parts."""
    if isinstance(value, list):
        value = ", ".join(part for part in value if part)
    return (value or "").strip()
