# ruff: noqa: RUF001 Cyrillic month names and typographic signs are meant
"""Turn the cells of a sales table into typed facts, or into a refusal with its reason.

Numbers and dates are read in *one* style for the whole file (decimal comma or point, day or month
first), guessed from as many values as there are, because a single value such as ``03/04/2011`` or
``1,234`` cannot tell.

**Row key.** What makes a row the same row when a file is imported again:

- when the file numbers the lines of a document: document + line number. The other values may then
  change, and a repeated import updates the row;
- otherwise the content: document, moment, client, product, quantity, price, amount, currency. The
  key is a digest of the typed values, so that the same table in another encoding, delimiter,
  number style, row order or file format gives the same keys. Equal rows of one file are told apart
  by their occurrence (first, second...), which the import counts: two equal lines of an invoice
  are two facts, and stay two when the file comes again.
"""

import datetime
import hashlib
import re
from collections import namedtuple
from decimal import Decimal, InvalidOperation

DATE_STYLES = ("ymd", "dmy", "mdy", "serial")
MAX_TEXT = 128  # characters of a reference, code or document number
MAX_NAME = 256
MAX_NUMBER = Decimal(10) ** 12
OLDEST = datetime.date(1970, 1, 1)
CACHE_SIZE = 50_000

SEPARATOR = "\x1f"
EXCEL_EPOCH = datetime.datetime(1899, 12, 30)
YES = {"1", "1.0", "true", "yes", "y", "x", "return", "returned", "refund", "refunded", "cancelled"}
YES |= {"canceled", "да", "возврат", "истина", "+", "c"}

CLIENT_ORDERS = {
    "ref": ("ref", "vat", "email", "name"),
    "vat": ("vat", "ref", "email", "name"),
    "email": ("email", "ref", "vat", "name"),
    "name": ("name", "ref", "vat", "email"),
}
PRODUCT_ORDERS = {"code": ("code", "name"), "name": ("name", "code")}

# what a typed row holds; texts are "" when absent, numbers are Decimal
SalesRow = namedtuple(
    "SalesRow",
    "date document client_key client product_key product quantity amount currency is_return "
    "content_key",
)
Client = namedtuple("Client", "ref vat email name country")
Product = namedtuple("Product", "code name")
Refusal = namedtuple("Refusal", "reason detail")

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january янв января январь",
            "feb february фев февраля февраль",
            "mar march мар марта март",
            "apr april апр апреля апрель",
            "may май мая",
            "jun june июн июня июнь",
            "jul july июл июля июль",
            "aug august авг августа август",
            "sep sept september сен сент сентября сентябрь",
            "oct october окт октября октябрь",
            "nov november ноя нояб ноября ноябрь",
            "dec december дек декабря декабрь",
        ),
        1,
    )
    for name in names.split()
}
_TIME = (
    r"(?:[T\s,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?"
    r"\s*([AaPp]\.?[Mm]\.?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?)?"
)
_YMD = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})" + _TIME)
_PLAIN = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_XXY = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?:\s*г\.?)?" + _TIME)
_DAY_NAME = re.compile(
    r"(\d{1,2})[-\s./]+([^\W\d_]{3,9})\.?[-\s./,]+(\d{4}|\d{2})(?:\s*г\.?)?" + _TIME
)
_NAME_DAY = re.compile(r"([^\W\d_]{3,9})\.?\s+(\d{1,2}),?\s+(\d{4})" + _TIME)
_NUMBER = re.compile(r"[+-]?(?:\d[\d.,'’ \u00a0\u202f]*|[.,]\d+)(?:[eE][+-]?\d{1,2})?")
_MONEY_SIGNS = re.compile(r"^\s*(?:[$€£¥₽]|[A-Z]{3})\s*|\s*(?:[$€£¥₽%]|[A-Z]{3}|руб\.?|р\.)\s*$")
_SPACES = re.compile(r"\s+")
_FLOAT_ID = re.compile(r"-?\d+\.0+")


# ------------------------------------------------------------------
# numbers
# ------------------------------------------------------------------


def looks_like_number(value):
    """Tell whether a cell can be read as a number in some style."""
    if isinstance(value, str):
        text = _MONEY_SIGNS.sub("", value).strip()
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1]
        return bool(_NUMBER.fullmatch(text.rstrip("-").strip()))
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def guess_decimal(values):
    """Return the decimal separator "." or "," that most values speak for.

    Evidence: both separators present (the last one is the decimal), a separator that occurs twice
    (it groups thousands), or a single one not followed by exactly three digits.
    """
    votes = {".": 0, ",": 0}
    for value in values:
        if not isinstance(value, str):
            continue
        text = value.strip()
        dots, commas = text.count("."), text.count(",")
        if dots and commas:
            votes["." if text.rfind(".") > text.rfind(",") else ","] += 2
        elif dots > 1:
            votes[","] += 1
        elif commas > 1:
            votes["."] += 1
        elif (dots or commas) and not re.search(r"[.,]\d{3}\D*$", text):
            votes["." if dots else ","] += 1
    return "," if votes[","] > votes["."] else "."


def parse_number(value, decimal="."):
    """Read a number: sign before or behind, brackets for negative, thousands, currency signs.

    :param str decimal: the decimal separator of the file
    :return: Decimal
    :raise ValueError: not a number, or 10^12 and more
    """
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise ValueError("not a number")
        number = Decimal(repr(value) if isinstance(value, float) else value)
    else:
        text = value.strip()
        if not text.isascii() or not text.replace(".", "", 1).isdigit():
            text = _MONEY_SIGNS.sub("", text).strip().replace("−", "-")
        negative = False
        if text.startswith("(") and text.endswith(")"):
            negative, text = True, text[1:-1].strip()
        elif text.endswith("-"):
            negative, text = True, text[:-1].strip()
        if not _NUMBER.fullmatch(text):
            raise ValueError("not a number")
        text = re.sub(r"['’ \u00a0\u202f]", "", text)
        other = "," if decimal == "." else "."
        if other in text:
            # the other sign can only group thousands, and must do it properly
            if not re.fullmatch(rf"[+-]?\d{{1,3}}(?:\{other}\d{{3}})+(?:\{decimal}\d*)?", text):
                raise ValueError("not a number in the style of this file")
            text = text.replace(other, "")
        if text.count(decimal) > 1:
            raise ValueError("not a number")
        try:
            number = Decimal(text.replace(decimal, "."))
        except InvalidOperation as error:
            raise ValueError("not a number") from error
        if negative:
            number = -number
    if not number.is_finite() or abs(number) >= MAX_NUMBER:
        raise ValueError("out of range")
    return number


# ------------------------------------------------------------------
# dates
# ------------------------------------------------------------------


def looks_like_date(text):
    """Tell whether a text is written as a date (not as a bare number)."""
    text = text.strip()
    if _YMD.fullmatch(text) or _XXY.fullmatch(text):
        return True
    match = _DAY_NAME.fullmatch(text)
    if match:
        return match.group(2).casefold() in _MONTHS
    match = _NAME_DAY.fullmatch(text)
    return bool(match and match.group(1).casefold() in _MONTHS)


class DateEvidence:
    """Collect what the values of a date column say about the order of day and month.

    Feed every value there is; ``style`` is then the order that most values allow, ``is_proven``
    tells whether at least one value excludes the other order.
    """

    def __init__(self):
        self.first_over_12 = self.second_over_12 = self.ambiguous = 0
        self.year_first = self.serial = self.other = 0
        self._separators = {}
        self._seen = set()

    def feed(self, value):
        if isinstance(value, datetime.datetime | datetime.date):
            self.other += 1
            return
        text = str(value).strip()
        key = text[:10]
        if key in self._seen:
            return
        if len(self._seen) < CACHE_SIZE:
            self._seen.add(key)
        match = _XXY.fullmatch(text)
        if match:
            first, second = int(match.group(1)), int(match.group(2))
            self._separators[text[len(match.group(1))]] = True
            if first > 12 >= second:
                self.first_over_12 += 1
            elif second > 12 >= first:
                self.second_over_12 += 1
            else:
                self.ambiguous += 1
        elif _YMD.fullmatch(text) or _PLAIN.fullmatch(text):
            self.year_first += 1
        elif looks_like_number(text):
            self.serial += 1
        else:
            self.other += 1

    @property
    def is_proven(self):
        return bool(self.first_over_12) != bool(self.second_over_12) or not self.ambiguous

    @property
    def style(self):
        counts = {
            "ymd": self.year_first,
            "serial": self.serial,
            "dmy": self.first_over_12,
            "mdy": self.second_over_12,
        }
        # days and months that could be either follow the proven ones, else the separator:
        # dots are never month first, slashes without proof are read the European way
        counts["mdy" if self.second_over_12 > self.first_over_12 else "dmy"] += self.ambiguous
        best = max(counts, key=counts.get)
        return best if counts[best] else "ymd"


def parse_date(value, style="ymd"):
    """Read a date or a moment.

    Dates with the year first and dates with the name of the month are read whatever the style.

    :param str style: "ymd", "dmy", "mdy" or "serial" (days since 1899-12-30, as in Excel)
    :return: (date, moment as ISO text; a midnight is shown as the bare date)
    :raise ValueError: not a date
    """
    if isinstance(value, datetime.datetime):
        return _result(value.replace(tzinfo=None))
    if isinstance(value, datetime.date):
        return value, value.isoformat()
    if isinstance(value, str):
        text = value.strip()
        match = _YMD.fullmatch(text)
        if match:
            return _build(match, 1, 2, 3)
        match = _XXY.fullmatch(text)
        if match:
            if style == "mdy":
                return _build(match, 3, 1, 2)
            return _build(match, 3, 2, 1)
        match = _PLAIN.fullmatch(text)
        if match and style != "serial":
            return _result(datetime.datetime(*map(int, match.groups())))
        match = _DAY_NAME.fullmatch(text)
        if match and match.group(2).casefold() in _MONTHS:
            return _build(match, 3, 2, 1)
        match = _NAME_DAY.fullmatch(text)
        if match and match.group(1).casefold() in _MONTHS:
            return _build(match, 3, 1, 2)
        if style != "serial":
            raise ValueError("not a date")
        try:
            value = float(text.replace(",", "."))
        except ValueError as error:
            raise ValueError("not a date") from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value < 2_958_466:
        raise ValueError("not a date")
    moment = EXCEL_EPOCH + datetime.timedelta(seconds=round(value * 86400))
    return _result(moment)


def _build(match, year, month, day):
    groups = match.groups()
    month_text = match.group(month)
    number = int(month_text) if month_text.isdigit() else _MONTHS[month_text.casefold()]
    year_number = int(match.group(year))
    if len(match.group(year)) == 2:
        year_number += 2000 if year_number < 70 else 1900
    hour, minute, second = (int(part or 0) for part in groups[3:6])
    half = (groups[6] or "").replace(".", "").lower()
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    return _result(
        datetime.datetime(year_number, number, int(match.group(day)), hour, minute, second)
    )


def _result(moment):
    moment = moment.replace(microsecond=0)
    date = moment.date()
    text = date.isoformat() if moment.time() == datetime.time() else moment.isoformat(" ")
    return date, text


# ------------------------------------------------------------------
# texts
# ------------------------------------------------------------------


def clean_text(value):
    """Return a cell as text: outer and repeated spaces gone, 17850.0 of a spreadsheet as 17850."""
    if value is None:
        return ""
    if not isinstance(value, str):
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return str(value)
    return _SPACES.sub(" ", value).strip()


def clean_code(value):
    """Return a reference or code: as text, without the ".0" a number column was exported with."""
    text = clean_text(value)
    return text[: text.index(".")] if _FLOAT_ID.fullmatch(text) else text


def clean_vat(value):
    """Return a VAT number or INN: capital letters and digits only."""
    return "".join(char for char in clean_code(value).upper() if char.isalnum())


def clean_email(value):
    """Return an e-mail address in lower case, "" for anything that is none."""
    text = clean_text(value).lower()
    return text if re.fullmatch(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+", text) else ""


def has_digit(text):
    return any(char.isdigit() for char in text)


def find_service_codes(codes, listed=()):
    """Return the codes that stand for a charge (postage, discount, bank fee), not for goods.

    Where nearly all codes of a file carry digits (nine of ten), a code without any is not an
    article: POST, D, M, BANK CHARGES, ADJUST. Where nearly all have four characters or more, one
    of one or two is none either: C2. In a file whose codes are words, or short, that says
    nothing, and only the listed codes are services.

    :param codes: all product codes of the file
    :param listed: folded codes that the user named as services
    :rtype: set
    """
    codes = [code for code in codes if code]
    with_digits = sum(map(has_digit, codes)) >= 0.9 * len(codes)
    long = sum(len(code) >= 4 for code in codes) >= 0.9 * len(codes)
    return {
        code
        for code in codes
        if code.casefold() in listed
        or (with_digits and not has_digit(code))
        or (with_digits and long and len(code) <= 2)
    }


def plain(number):
    """Write a Decimal without exponent and without trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# ------------------------------------------------------------------
# rows
# ------------------------------------------------------------------


class _Cache(dict):
    """Results of a parser by input; emptied when full, so that memory is bounded."""

    def __init__(self, parse):
        super().__init__()
        self._parse = parse

    def __missing__(self, key):
        if len(self) >= CACHE_SIZE:
            self.clear()
        try:
            value = self._parse(key)
        except (ValueError, OverflowError):
            value = None
        self[key] = value
        return value


class RowTyper:
    """Type rows of one file.

    :param dict targets: field -> position of its column
    :param str date_style: see :func:`parse_date`
    :param str decimal: "." or ","
    :param datetime.date today: later dates are refused (a day of grace for time zones)
    :param str currency: code for rows without one
    :param currencies: known currency codes, upper case
    :param bool walk_in: rows without a client are good (client_key is "")
    :param str client_order, product_order: key of CLIENT_ORDERS, PRODUCT_ORDERS
    :param int width: number of columns of the header; 0 not to check
    """

    def __init__(
        self,
        targets,
        *,
        date_style,
        decimal,
        today,
        currency,
        currencies=(),
        walk_in=False,
        client_order="ref",
        product_order="code",
        width=0,
    ):
        self._at = targets
        self._walk_in = walk_in
        self._width = width
        self._currency = currency
        self._currencies = set(currencies) | {currency}
        self._client_order = CLIENT_ORDERS[client_order]
        self._product_order = PRODUCT_ORDERS[product_order]
        self._latest = today + datetime.timedelta(days=1)
        self._dates = _Cache(lambda value: parse_date(value, date_style))
        self._numbers = _Cache(lambda value: parse_number(value, decimal))
        self._clients = _Cache(self._read_client)
        self._products = _Cache(self._read_product)
        self._client_cells = [
            targets.get(name)
            for name in (
                "client_ref",
                "client_vat",
                "client_email",
                "client_name",
                "client_country",
            )
        ]
        self._product_cells = [targets.get(name) for name in ("product_code", "product_name")]

    def type_row(self, cells):
        """Return a :class:`SalesRow`, or a :class:`Refusal` for the first thing that is wrong."""
        refusal = self._check_shape(cells)
        if refusal:
            return refusal
        get = self._getter(cells)
        raw_date = get("date")
        if raw_date in (None, ""):
            return Refusal("no_date", "")
        parsed = self._dates[raw_date]
        if parsed is None or parsed[0] < OLDEST:
            return Refusal("bad_date", clean_text(raw_date)[:MAX_TEXT])
        if parsed[0] > self._latest:
            return Refusal("future_date", clean_text(raw_date)[:MAX_TEXT])
        numbers = self._read_numbers(get)
        if isinstance(numbers, Refusal):
            return numbers
        quantity, amount, price, is_return = numbers
        currency = clean_text(get("currency")).upper() or self._currency
        if currency not in self._currencies:
            return Refusal("unknown_currency", currency[:MAX_TEXT])
        client_key, client = self._clients[self._pick(cells, self._client_cells)]
        if not client_key and not self._walk_in:
            return Refusal("no_client", "")
        product_key, product = self._products[self._pick(cells, self._product_cells)]
        document, line = clean_code(get("document")), clean_code(get("line"))
        for text in (document, line, client.ref, client.vat, client.email, product.code):
            if len(text) > MAX_TEXT:
                return Refusal("too_long", text[:MAX_TEXT])
        if document and line:
            identity = ("line", document, line)
        else:
            identity = (
                "content",
                document,
                parsed[1],
                client_key,
                product_key,
                plain(quantity),
                "" if price is None else plain(price),
                plain(amount),
                currency,
            )
        digest = hashlib.blake2b(
            SEPARATOR.join(identity).encode("utf-8", "replace"), digest_size=12
        ).hexdigest()
        return SalesRow(
            parsed[0], document, client_key, client, product_key, product, quantity, amount,
            currency, is_return, digest,
        )  # fmt: skip

    def _check_shape(self, cells):
        width = self._width
        if width and len(cells) > width and any(cell not in (None, "") for cell in cells[width:]):
            return Refusal("columns", str(len(cells)))
        for cell in cells:
            if isinstance(cell, str) and ("\ufffd" in cell or "\x00" in cell):
                return Refusal("bad_characters", clean_text(cell)[:MAX_TEXT].replace("\x00", ""))
        return None

    def _getter(self, cells):
        at, count = self._at, len(cells)

        def get(name):
            position = at.get(name)
            return cells[position] if position is not None and position < count else None

        return get

    @staticmethod
    def _pick(cells, positions):
        count = len(cells)
        return tuple(
            cells[position] if position is not None and position < count else None
            for position in positions
        )

    def _read_numbers(self, get):
        """Return (quantity, amount, price or None, is_return), or a refusal."""
        values = {}
        for name in ("quantity", "price_unit", "discount", "amount"):
            raw = get(name)
            if raw is None or raw == "" or (isinstance(raw, str) and not raw.strip()):
                values[name] = None
                continue
            # True equals 1 as a key of the cache, but is no number
            values[name] = None if isinstance(raw, bool) else self._numbers[raw]
            if values[name] is None:
                return Refusal("bad_number", clean_text(raw)[:MAX_TEXT])
        quantity, price, amount = values["quantity"], values["price_unit"], values["amount"]
        if quantity is None:
            if "quantity" in self._at and amount is None:
                return Refusal("no_quantity", "")
            quantity = Decimal(1)
        if amount is None:
            if price is None:
                return Refusal("no_amount", "")
            amount = quantity * price
            if values["discount"]:
                amount *= 1 - values["discount"] / 100
            price_key = price
        else:
            price_key = None
            if quantity < 0 < amount:
                amount = -amount
        is_return = quantity < 0
        mark = get("is_return")
        if mark is not None and clean_text(mark).casefold() in YES:
            quantity, amount, is_return = -abs(quantity), -abs(amount), True
        if abs(amount) >= MAX_NUMBER:
            return Refusal("bad_number", plain(amount)[:MAX_TEXT])
        return quantity, amount, price_key, is_return

    def _read_client(self, cells):
        ref, vat, email, name, country = cells
        client = Client(
            clean_code(ref),
            clean_vat(vat),
            clean_email(email),
            clean_text(name)[:MAX_NAME],
            clean_text(country)[:MAX_NAME],
        )
        return self._strongest(client, self._client_order), client

    def _read_product(self, cells):
        product = Product(clean_code(cells[0]), clean_text(cells[1])[:MAX_NAME])
        return self._strongest(product, self._product_order), product

    @staticmethod
    def _strongest(record, order):
        """Return the first identifier there is, as "field:folded value"; "" if there is none."""
        for name in order:
            value = getattr(record, name)
            if value:
                return f"{name}:{value.casefold()}"
        return ""


class KeyCollector:
    """Collect the distinct clients and products of typed rows, with what is known of each.

    ``variants`` maps (kind, key, name) to [ref, vat, email, country, rows]; a key with several
    spellings of its name has several variants, the most frequent of which wins later.
    """

    def __init__(self):
        self.variants = {}

    def add(self, row):
        client, product = row.client, row.product
        if row.client_key:
            entry = self.variants.get(("client", row.client_key, client.name))
            if entry is None:
                self.variants["client", row.client_key, client.name] = [
                    client.ref, client.vat, client.email, client.country, 1
                ]  # fmt: skip
            else:
                entry[4] += 1
                for place, value in enumerate(client[:3]):
                    entry[place] = entry[place] or value
                entry[3] = entry[3] or client.country
        if row.product_key:
            entry = self.variants.get(("product", row.product_key, product.name))
            if entry is None:
                self.variants["product", row.product_key, product.name] = [
                    product.code, "", "", "", 1
                ]  # fmt: skip
            else:
                entry[4] += 1
