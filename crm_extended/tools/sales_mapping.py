# ruff: noqa: RUF001 Cyrillic names of columns are meant
"""Guess which column of a sales table means what, from its header and from its values."""

import re
import unicodedata

from . import sales_values

# target -> names of columns met in exports of shops, tills and accounting programs (folded: see
# fold()). The first target that matches takes the column; the first column takes the target.
SYNONYMS = {
    "date": "invoicedate date orderdate saledate salesdate transactiondate purchasedate datetime "
    "timestamp orderdatetime docdate documentdate posteddate postingdate closedate day "
    "дата датапродажи датадокумента датазаказа датасчета датаотгрузки период",
    "document": "invoiceno invoice invoicenumber invoiceid order orderno ordernumber orderid "
    "orderref document documentno documentnumber docno number receipt receiptno receiptid "
    "transactionid transaction billno basketid salesorder номер номердокумента документ "
    "номерзаказа заказ номерсчета счет чек номерчека накладная реализация",
    "line": "line lineno linenumber lineid position pos rowid rowno itemno строка номерстроки "
    "позиция",
    "client_ref": "customerid customerno customernumber customercode customerref clientid clientno "
    "clientcode clientref customer client partnerid accountid accountno accountnumber buyerid "
    "memberid userid reference кодклиента idклиента номерклиента кодконтрагента кодпокупателя",
    "client_vat": "vat vatno vatnumber vatid taxid tin inn customervat иннконтрагента инн "
    "иннклиента иннпокупателя",
    "client_email": "email customeremail clientemail mail emailaddress электроннаяпочта почта "
    "имейл емейл емайл",
    "client_name": "customername clientname company companyname account accountname partner "
    "partnername buyer buyername клиент контрагент покупатель наименованиеклиента "
    "наименованиеконтрагента имяклиента организация",
    "client_country": "country customercountry shipcountry countryname countrycode страна",
    "product_code": "stockcode sku productcode productid product itemcode itemid article articleno "
    "barcode ean ean13 gtin partnumber upc код артикул кодтовара кодноменклатуры штрихкод",
    "product_name": "description productname itemname item name itemdescription productdescription "
    "goods товар номенклатура наименование наименованиетовара название описание",
    "quantity": "quantity qty units pieces count volume количество колво колчество штук шт",
    "price_unit": "unitprice price priceunit saleprice salesprice itemprice rate цена "
    "ценазаединицу ценабезндс",
    "discount": "discount discountpercent discountpct скидка процентскидки",
    "amount": "amount total sum subtotal linetotal revenue sales turnover net netamount "
    "untaxedamount lineamount value salesamount closevalue сумма суммабезндс выручка стоимость "
    "итого",
    "currency": "currency currencycode curr валюта кодвалюты",
    "is_return": "return isreturn returned refund isrefund cancelled canceled возврат",
}
TARGETS = tuple(SYNONYMS)
_NAMES = {name: target for target, names in SYNONYMS.items() for name in names.split()}
# how a column may be called when the exact name is unknown
_PARTS = (
    ("date", "date"),
    ("дата", "date"),
    ("email", "client_email"),
    ("qty", "quantity"),
    ("quantity", "quantity"),
    ("количество", "quantity"),
    ("unitprice", "price_unit"),
    ("customername", "client_name"),
    ("customerid", "client_ref"),
    ("amount", "amount"),
    ("сумма", "amount"),
    ("invoice", "document"),
    ("order", "document"),
    ("sku", "product_code"),
    ("артикул", "product_code"),
    ("currency", "currency"),
    ("country", "client_country"),
)


def fold(text):
    """Reduce a column name to its letters and digits, without case, accents and separators."""
    text = unicodedata.normalize("NFKD", str(text or "").casefold().replace("ё", "е"))
    return "".join(char for char in text if char.isalnum())


def find_header(rows, search):
    """Return the record number of the header among the first rows, 0 if there is none.

    :param list rows: ``(row_no, cells)`` as read
    :param int search: how many rows may be the header; titles may come first
    """
    for row_no, cells in rows[:search]:
        known = {_NAMES[name] for name in map(fold, cells) if name in _NAMES}
        if len(known) >= 2:
            return row_no
    row_no, first = rows[0]
    if any(fold(cell) in _NAMES for cell in first) and not any(map(_is_value, first)):
        return row_no
    # names of columns are words; data below hold numbers or dates
    if not any(map(_is_value, first)) and any(
        any(map(_is_value, cells)) for _row_no, cells in rows[1:]
    ):
        return row_no
    return 0


def _is_value(cell):
    if cell is None or cell == "":
        return False
    if not isinstance(cell, str):
        return True
    return bool(sales_values.looks_like_date(cell) or sales_values.looks_like_number(cell))


def guess_targets(header, samples):
    """Guess the field of each column.

    :param list header: names of the columns ([] without a header)
    :param list samples: rows of cells
    :return: list with a target or None for each column
    """
    width = max([len(header), *map(len, samples)], default=0)
    result = [None] * width
    taken = set()

    def take(position, target):
        if result[position] is None and target not in taken:
            result[position] = target
            taken.add(target)

    names = [fold(name) for name in header] + [""] * (width - len(header))
    for position, name in enumerate(names):
        if name in _NAMES:
            take(position, _NAMES[name])
    exact = set(taken)
    for position, name in enumerate(names):
        for part, target in _PARTS:
            if name and part in name:
                take(position, target)
                break
    columns = [
        [
            row[position]
            for row in samples
            if position < len(row) and row[position] not in (None, "")
        ]
        for position in range(width)
    ]
    _correct_by_values(result, columns, exact, taken, take)
    if not header:
        _guess_by_values(columns, result, take)
    return result


def _correct_by_values(result, columns, exact, taken, take):
    """Take back a guess that the values contradict, and use what the values say.

    A column that is called exactly so keeps its field: bad values in it are to be refused.
    """
    for position, target in enumerate(result):
        values = columns[position]
        if not values:
            continue
        numeric = _share(values, sales_values.looks_like_number)
        # "Customer" or "Product" holds a name as often as a number
        if target == "client_ref" and _words(values) > 0.6 and _share(values, _has_digit) < 0.5:
            _move(result, position, "client_name", taken)
        elif target == "product_code" and _words(values) > 0.6 and _share(values, _has_digit) < 0.5:
            _move(result, position, "product_name", taken)
        elif target == "client_name" and _share(values, _is_code) > 0.9:
            _move(result, position, "client_ref", taken)
        elif target not in exact and (
            (target == "date" and not _share(values, _is_date))
            or (target in ("quantity", "price_unit", "amount") and not numeric)
        ):
            _move(result, position, None, taken)
    if "date" not in taken:
        for position, values in enumerate(columns):
            if values and _share(values, _is_written_date) > 0.9:
                take(position, "date")


def _move(result, position, target, taken):
    taken.discard(result[position])
    result[position] = None
    if target and target not in taken:
        result[position] = target
        taken.add(target)


def _guess_by_values(columns, result, take):
    """Fill in what a table without a header shows by its values alone."""
    for position, values in enumerate(columns):
        if not values or result[position]:
            continue
        if _share(values, lambda value: isinstance(value, str) and "@" in value) > 0.8:
            take(position, "client_email")
        elif _share(values, sales_values.looks_like_number) > 0.95:
            whole = _share(values, lambda value: str(value).strip().lstrip("-").isdigit())
            if whole > 0.95 and max(len(str(value)) for value in values) <= 4:
                take(position, "quantity")
            elif whole < 0.95:
                take(position, "price_unit")
        elif _words(values) > 0.6:
            take(position, "product_name")


def _share(values, test):
    return sum(1 for value in values if test(value)) / len(values)


def _words(values):
    return _share(
        values, lambda value: isinstance(value, str) and bool(re.search(r"[^\W\d_]{3,}", value))
    )


def _has_digit(value):
    return any(char.isdigit() for char in str(value))


def _is_code(value):
    return not isinstance(value, str) or bool(re.fullmatch(r"\s*[\w.-]*\d[\w.-]*\s*", value))


def _is_date(value):
    return not isinstance(value, str) or bool(
        sales_values.looks_like_date(value) or sales_values.looks_like_number(value)
    )


def _is_written_date(value):
    return (hasattr(value, "year")) or (
        isinstance(value, str) and bool(sales_values.looks_like_date(value))
    )
