"""Numbers by which the state and banks know a client, checked without asking anybody.

What python-stdnum has is left to it (INN, IBAN, SWIFT codes, the tax numbers of other countries).
Its pinned version lacks the Russian KPP, OGRN and OGRNIP and the key of a Russian bank account;
these follow the orders named at each function. Plain Python, no database.
"""

import importlib
import re
from pathlib import Path

from stdnum import bic as stdnum_bic
from stdnum import numdb
from stdnum.exceptions import InvalidChecksum, InvalidLength
from stdnum.exceptions import ValidationError as StdnumError
from stdnum.ru import inn as stdnum_inn
from stdnum.util import get_cc_module

# letters of clearing currencies in the sixth place of a Russian account count as digits
ACCOUNT_LETTERS = dict(zip("ABCEHKMPTX", "0123456789", strict=True))
ACCOUNT_WEIGHTS = (7, 1, 3)
# the settlement centres of the Bank of Russia keep the correspondent accounts of banks
SETTLEMENT_CENTRES = ("000", "001", "002")


class LegalNumberError(ValueError):
    """A number that cannot be right.

    :ivar str code: `length`, `format`, `checksum` or `kind` (a number of another kind of client)
    """

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def compact(number):
    """A number without the spaces, dashes and label with which people write it down."""
    text = re.sub(r"[\s\u00a0\u202f\u2010-\u2015\-]", "", number or "").upper()
    return re.sub(r"^(ИНН|КПП|ОГРНИП|ОГРН|БИК|INN|KPP|OGRNIP|OGRN|BIK|№|:)+", "", text)


def check_inn(number):
    """Check a Russian taxpayer number.

    :return: its digits: 10 of an organisation, 12 of a person or a sole entrepreneur
    :raise LegalNumberError: `length`, `format` or `checksum`
    """
    digits = compact(number)
    if re.match(r"RU\d", digits):
        digits = digits[2:]
    try:
        return stdnum_inn.validate(digits)
    except InvalidLength as error:
        raise LegalNumberError("length") from error
    except InvalidChecksum as error:
        raise LegalNumberError("checksum") from error
    except StdnumError as error:
        raise LegalNumberError("format") from error


def check_kpp(number):
    """Check the form of a KPP: tax office (4 digits), reason (2 digits or capitals), number (3).

    Source: order of the Federal Tax Service of 29.06.2012, number 7-6/435. It has no check digit.

    :return: the nine characters
    :raise LegalNumberError: `length` or `format`
    """
    kpp = compact(number)
    if len(kpp) != 9:
        raise LegalNumberError("length")
    if not re.fullmatch(r"[0-9]{4}[0-9A-Z]{2}[0-9]{3}", kpp):
        raise LegalNumberError("format")
    return kpp


def check_ogrn(number):
    """Check the state registration number of an organisation (13) or an entrepreneur (15 digits).

    The last digit is that of the remainder of the others divided by 11 (OGRN) or 13 (OGRNIP).
    Source: order of the Ministry of Finance of 30.10.2017 165n. The first digit says what the
    number was given to: 1 and 5 a legal entity, 3 an entrepreneur; others number single records.

    :return: its digits
    :raise LegalNumberError: `length`, `format`, `checksum` or `kind`
    """
    digits = compact(number)
    if not re.fullmatch(r"[0-9]+", digits):
        raise LegalNumberError("format")
    if len(digits) not in (13, 15):
        raise LegalNumberError("length")
    divisor = 11 if len(digits) == 13 else 13
    if int(digits[:-1]) % divisor % 10 != int(digits[-1]):
        raise LegalNumberError("checksum")
    if digits[0] not in ("15" if len(digits) == 13 else "3"):
        raise LegalNumberError("kind")
    return digits


def is_bik(number):
    """Whether this is written like a Russian bank code: nine digits, the first a zero.

    Source: statement of the Bank of Russia N 732-П, appendix 5: 04 a bank, 00 to 03 the treasury
    and the Bank of Russia itself.
    """
    return bool(re.fullmatch(r"0[0-4][0-9]{7}", compact(number)))


def check_bik_account(bik, account):
    """Check an account of a Russian bank by its key.

    Digits are weighted 7, 1, 3 in turn; the last digits of the products add up to a multiple of
    ten. Before the account stand the last three digits of the code of its bank or, for accounts
    kept by the Bank of Russia itself, a zero and the fifth and sixth digit. Source: order of the
    Bank of Russia of 08.09.1997 N 515. Treasury accounts (they begin with 0) follow other rules
    and are checked for their form only.

    :param str bik: code of the bank
    :param str account: twenty characters
    :return: the account without spaces
    :raise LegalNumberError: `format` of the code, `length` or `checksum` of the account
    """
    bik, account = compact(bik), compact(account)
    if not is_bik(bik):
        raise LegalNumberError("format")
    if not re.fullmatch(r"[0-9]{5}[0-9ABCEHKMPTX][0-9]{14}", account):
        raise LegalNumberError("length")
    if account.startswith("0"):
        return account
    is_central = account.startswith(("30101", "40102")) or bik[6:] in SETTLEMENT_CENTRES
    prefix = f"0{bik[4:6]}" if is_central else bik[6:]
    key = prefix + "".join(ACCOUNT_LETTERS.get(char, char) for char in account)
    total = sum(
        int(digit) * ACCOUNT_WEIGHTS[position % 3] % 10 for position, digit in enumerate(key)
    )
    if total % 10:
        raise LegalNumberError("checksum")
    return account


def looks_like_iban(number):
    """Whether an account number is written as an IBAN: country, two digits, the rest."""
    return bool(re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}", compact(number)))


def _get_iban_module():
    """python-stdnum's rules for IBANs.

    Odoo wraps the loader of that library, which hides its list of countries from
    `importlib.resources`; then the list is read from its file.
    """
    try:
        numdb.get("iban")
    except FileNotFoundError:
        with Path(numdb.__file__).with_name("iban.dat").open(encoding="utf-8") as file:
            numdb._open_databases["iban"] = numdb.read(file)
    return importlib.import_module("stdnum.iban")


def check_iban(number):
    """Check an IBAN by its country's form and its check digits.

    :return: the number without spaces
    :raise LegalNumberError: `checksum` or `format`
    """
    try:
        return _get_iban_module().validate(compact(number))
    except InvalidChecksum as error:
        raise LegalNumberError("checksum") from error
    except StdnumError as error:
        raise LegalNumberError("format") from error


def check_bic(number):
    """Check the form of a SWIFT code or a Russian bank code.

    :return: the code without spaces
    :raise LegalNumberError: `format`
    """
    code = compact(number)
    if is_bik(code) or stdnum_bic.is_valid(code):
        return code
    raise LegalNumberError("format")


def check_tax_number(country_code, number):
    """Check a tax number by the rules of a country, where python-stdnum knows them.

    :param str country_code: two letters
    :return: the number as written officially; as given when the rules are not known
    :raise LegalNumberError: `length`, `format` or `checksum`
    """
    country_code = (country_code or "").lower()
    if country_code == "ru":
        return check_inn(number)
    module = get_cc_module(country_code, "vat") if country_code else None
    text = compact(number)
    if module is None:
        return text
    try:
        module.validate(text)
    except InvalidLength as error:
        raise LegalNumberError("length") from error
    except InvalidChecksum as error:
        raise LegalNumberError("checksum") from error
    except StdnumError as error:
        raise LegalNumberError("format") from error
    return text
