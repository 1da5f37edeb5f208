"""What registers of companies tell, in one shape whoever told it. Plain Python, no database."""

from dataclasses import dataclass, field

# what a register may say of a client, from best to worst
STATUSES = (
    "active",
    "reorganising",
    "kpp_mismatch",
    "liquidating",
    "bankrupt",
    "liquidated",
    "not_found",
)


class RegistryError(Exception):
    """A register did not answer the question.

    :ivar str code: `timeout` (no connection or no answer in time), `unauthorized` (the key is
        refused), `quota` (the paid or free requests are used up), `rate` (too many at once),
        `server` (it failed itself), `broken` (its answer cannot be read), `request` (it refuses
        the question)
    :ivar int retry_after: seconds it asked us to wait, or None
    """

    def __init__(self, code, retry_after=None):
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True)
class Address:
    """A postal address; `full` is how the register writes it in one line."""

    full: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    zip: str = ""
    state: str = ""
    country_code: str = ""


@dataclass(frozen=True)
class Party:
    """An organisation, a branch of one or a sole entrepreneur as a register knows it."""

    kind: str = "company"  # company or entrepreneur
    inn: str = ""
    kpp: str = ""
    ogrn: str = ""
    name: str = ""
    full_name: str = ""
    status: str = "active"
    is_branch: bool = False
    head_name: str = ""
    head_position: str = ""
    industry_code: str = ""
    phone: str = ""
    email: str = ""
    address: Address = field(default_factory=Address)


def choose_status(parties, kpp=""):
    """The status of a client by what a register has under its number.

    :param parties: list of Party with this number, the head office first
    :param str kpp: of the client, if known; a closed branch is as bad as a closed organisation
    :return: one of STATUSES
    """
    if not parties:
        return "not_found"
    main = parties[0]
    if main.kind != "company" or not kpp:
        return main.status
    unit = next((party for party in parties if party.kpp == kpp), None)
    found = [main.status, unit.status if unit else "kpp_mismatch"]
    return max(found, key=STATUSES.index)
