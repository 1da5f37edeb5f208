# ruff: noqa: RUF001 Cyrillic month names and typographic signs are meant
"""Numbers, dates and texts as exports of sales write them.

Numbers and dates are read in *one* style for the whole file (decimal comma or point, day or month
first), guessed from as many values as there are, because a single value such as ``03/04/2011`` or
``1,234`` cannot tell.
"""

import datetime
import re
from decimal import Decimal, InvalidOperation

MAX_NUMBER = Decimal(10) ** 12
CACHE_SIZE = 50_000

EXCEL_EPOCH = datetime.datetime(1899, 12, 30)


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
