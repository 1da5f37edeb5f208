"""DaData: the state registers EGRUL and EGRIP by number or by name. Plain Python.

Source: https://dadata.ru/api/find-party/ and https://dadata.ru/api/suggest/party/. A free account
has 10,000 requests a day; above them it answers 403 until midnight in Moscow. More than 30 in
a second are answered by 429.
"""

from .registry import Address, Party, RegistryError
from .registry_http import post_json

DADATA_URL = "https://suggestions.dadata.ru/suggestions/api/4_1/rs"
# of one organisation with its branches; the service has no more in one answer
MAX_PARTIES = 300
STATUS = {
    "ACTIVE": "active",
    "LIQUIDATING": "liquidating",
    "LIQUIDATED": "liquidated",
    "BANKRUPT": "bankrupt",
    "REORGANIZING": "reorganising",
}


def find_party(url, key, number, kpp=None):
    """Ask for everything that has an INN, OGRN or OGRNIP: the organisation and its branches.

    :param str number: digits
    :param str kpp: only the unit with this KPP
    :return: list of Party, the head office first; empty if nobody has the number
    :raise RegistryError: if it did not answer
    """
    body = {"query": number, "count": MAX_PARTIES}
    if kpp:
        body["kpp"] = kpp
    return parse_parties(_ask(url, key, "findById/party", body))


def suggest_party(url, key, text, count=10):
    """Ask for organisations and entrepreneurs by a piece of their name, number or address.

    :return: list of Party, best first
    :raise RegistryError: if it did not answer
    """
    return parse_parties(_ask(url, key, "suggest/party", {"query": text[:300], "count": count}))


def _ask(url, key, method, body):
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Authorization": f"Token {key}",
    }
    return post_json(f"{url.rstrip('/')}/{method}", body, headers)


def parse_parties(answer):
    """Read an answer of either method.

    :param dict answer: `{"suggestions": [{"value": ..., "data": {...}}]}`
    :raise RegistryError: `broken` if it is built otherwise
    """
    suggestions = answer.get("suggestions")
    if not isinstance(suggestions, list):
        raise RegistryError("broken")
    try:
        parties = [parse_party(suggestion) for suggestion in suggestions]
    except (AttributeError, KeyError, TypeError) as error:
        raise RegistryError("broken") from error
    return sorted(parties, key=lambda party: party.is_branch)


def parse_party(suggestion):
    """Read one organisation.

    :return: Party
    """
    data = suggestion["data"]
    name = data.get("name") or {}
    state = data.get("state") or {}
    is_person = data.get("type") == "INDIVIDUAL"
    management = data.get("management") or {}
    short = name.get("short_with_opf") or suggestion.get("value") or name.get("full_with_opf")
    return Party(
        kind="entrepreneur" if is_person else "company",
        inn=data.get("inn") or "",
        kpp=data.get("kpp") or "",
        ogrn=data.get("ogrn") or "",
        name=short or "",
        full_name=name.get("full_with_opf") or short or "",
        # a status this version does not know is no reason to warn of a client
        status=STATUS.get(state.get("status"), "active"),
        is_branch=data.get("branch_type") == "BRANCH",
        head_name=_parse_person(data) if is_person else management.get("name") or "",
        head_position="" if is_person else (management.get("post") or "").capitalize(),
        industry_code=data.get("okved") or "",
        phone=_get_first(data.get("phones")),
        email=_get_first(data.get("emails")),
        address=_parse_address(data.get("address") or {}),
    )


def _parse_person(data):
    fio = data.get("fio") or {}
    parts = (fio.get("surname"), fio.get("name"), fio.get("patronymic"))
    return " ".join(part for part in parts if part)


def _get_first(values):
    """The first phone number or e-mail address; only paid accounts are told."""
    for value in values or []:
        if text := value.get("value") or value.get("unrestricted_value"):
            return text
    return ""


def _parse_address(address):
    """Split the address as far as the register has it in pieces."""
    data = address.get("data") or {}
    full = address.get("unrestricted_value") or address.get("value") or ""
    settlement = data.get("city") or data.get("settlement_with_type") or ""
    street = ", ".join(
        part
        for part in (
            data.get("settlement_with_type") if data.get("city") else None,
            data.get("street_with_type"),
            _join(data.get("house_type"), data.get("house")),
            _join(data.get("block_type"), data.get("block")),
        )
        if part
    )
    region = data.get("region") or ""
    return Address(
        full=full,
        # an address in one piece is better than none
        street=street or ("" if data.get("street_with_type") else address.get("value") or ""),
        street2=_join(data.get("flat_type"), data.get("flat")),
        # Moscow, Saint Petersburg and Sevastopol are regions and cities at once
        city=settlement or (region if data.get("region_type") == "\u0433" else ""),
        zip=data.get("postal_code") or "",
        state=region,
        country_code=data.get("country_iso_code") or "RU",
    )


def _join(kind, number):
    return " ".join(part for part in (kind, number) if part) if number else ""
