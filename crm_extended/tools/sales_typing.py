# ruff: noqa: RUF001 Cyrillic month names and typographic signs are meant
"""Turn the cells of a sales table into typed facts, or into a refusal with its reason.

Cells are read by ``sales_values``.

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
from collections import namedtuple
from decimal import Decimal

from .sales_values import (
    CACHE_SIZE,
    MAX_NUMBER,
    clean_code,
    clean_email,
    clean_text,
    clean_vat,
    parse_date,
    parse_number,
    plain,
)

MAX_TEXT = 128  # characters of a reference, code or document number
MAX_NAME = 256
OLDEST = datetime.date(1970, 1, 1)

SEPARATOR = "\x1f"
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
