# ruff: noqa: RUF001 Cyrillic samples are meant
import csv
import datetime
import io
import lzma
import struct
import time
import zipfile
from decimal import Decimal
from unittest.mock import patch

import xlsxwriter
from odoo.addons.crm_extended.tools import sales_file, sales_mapping, sales_typing, sales_values
from odoo.addons.crm_extended.tools.sales_file import BrokenRow, TableError
from odoo.tests import BaseCase, tagged

HEADER = "Date,Invoice,Customer ID,SKU,Quantity,Price\n"
GOOD = "2024-03-31,A1,C7,P1,2,3.50\n"


def read(content, **options):
    """Return (format, header, rows) of a file in memory."""
    stream = io.BytesIO(content)
    fmt = sales_file.detect(stream, "sales", **options)
    return fmt, sales_file.read_header(stream, fmt), list(sales_file.read_rows(stream, fmt))


def pack(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def workbook(rows, write=None):
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet("Sales")
    style = book.add_format({"num_format": "yyyy-mm-dd"})
    for line, cells in enumerate(rows):
        for place, cell in enumerate(cells):
            if isinstance(cell, datetime.date):
                sheet.write_datetime(line, place, cell, style)
            else:
                sheet.write(line, place, cell)
    if write:
        write(sheet)
    book.close()
    return buffer.getvalue()


@tagged("post_install", "-at_install")
class TestSalesFile(BaseCase):
    def assertTableError(self, code, content, **options):
        with self.assertRaises(TableError) as caught:
            read(content, **options)
        self.assertEqual(caught.exception.code, code)

    def test_encodings(self):
        text = (
            "Дата;Клиент;Товар;Количество;Сумма\n31.03.2024;ООО «Ромашка»;Дрель ударная;2;10,50\n"
        )
        cases = {
            "utf-8": text.encode(),
            "utf-8-sig": text.encode("utf-8-sig"),
            "cp1251": text.encode("cp1251"),
            "utf-16": text.encode("utf-16"),
            "utf-16-le": text.encode("utf-16-le"),
            "utf-16-be": text.encode("utf-16-be"),
        }
        for encoding, content in cases.items():
            with self.subTest(encoding=encoding):
                if encoding in ("utf-16-le", "utf-16-be"):
                    # zero bytes tell these two only where most letters are Latin
                    latin = "Date;Client;Product;Quantity;Amount\n31.03.2024;Daisy Ltd;Drill;2;10\n"
                    fmt, header, rows = read(latin.encode(encoding))
                    self.assertEqual(header[0], "Date")
                    self.assertEqual(fmt.encoding, encoding)
                    continue
                fmt, header, rows = read(content)
                self.assertEqual(fmt.encoding, encoding)
                self.assertEqual(fmt.delimiter, ";")
                self.assertEqual(header[0], "Дата")
                self.assertEqual(rows[0][1][1], "ООО «Ромашка»")

    def test_western_code_page(self):
        text = "Date,Customer,Product,Amount\n2024-01-02,Société Générale,Café crème,12\n"
        _fmt, _header, rows = read(text.encode("latin-1"))
        self.assertEqual(rows[0][1][1], "Société Générale")

    def test_wrong_encoding_marks_rows(self):
        lines = [f"2024-01-02,I{n},Клиент {n},P1,1,2\n" for n in range(50)]
        content = (HEADER + "".join(lines)).encode() + b"2024-01-02,I99,\xff\xfe bad,P1,1,2\n"
        fmt, _header, rows = read(content)
        self.assertEqual(fmt.encoding, "utf-8", "one broken row does not change the alphabet")
        self.assertIn("\ufffd", rows[-1][1][2])
        self.assertEqual(rows[0][1][2], "Клиент 0")

    def test_encoding_named_by_user(self):
        content = "Дата;Сумма\n2024-01-02;5\n".encode("koi8-r")
        fmt, header, _rows = read(content, encoding="koi8-r")
        self.assertEqual((fmt.encoding, header[0]), ("koi8-r", "Дата"))
        self.assertTableError("bad_encoding_name", content, encoding="klingon")

    def test_delimiters(self):
        for delimiter in sales_file.DELIMITERS:
            lines = [["Date", "Client", "Amount"], ["2024-01-02", "Smith, John; Sons", "1"]]
            buffer = io.StringIO()
            csv.writer(buffer, delimiter=delimiter).writerows(lines * 1 + lines[1:] * 5)
            fmt, header, rows = read(buffer.getvalue().encode())
            self.assertEqual(fmt.delimiter, delimiter)
            self.assertEqual(len(header), 3)
            self.assertEqual(rows[0][1][1], "Smith, John; Sons")

    def test_packed(self):
        content = (HEADER + GOOD).encode()
        for packed in (
            lzma.compress(content),
            pack({"a/../../etc/sales.csv": content, "readme.md": b"x"}),
            pack({"__MACOSX/sales.csv": b"junk", "deep/er/sales.csv": content}),
        ):
            _fmt, _header, rows = read(packed)
            self.assertEqual(rows, [(2, ["2024-03-31", "A1", "C7", "P1", "2", "3.50"])])

    def test_archives_refused(self):
        content = (HEADER + GOOD).encode()
        self.assertTableError("several_tables", pack({"a.csv": content, "b.csv": content}))
        fmt, _header, _rows = read(pack({"a.csv": content, "b.csv": content}), sheet="b.csv")
        self.assertEqual(fmt.member, "b.csv")
        self.assertTableError("no_table", pack({"readme.md": b"hello"}))
        self.assertTableError("no_table", pack({"inner.zip": pack({"a.csv": content})}))
        self.assertTableError("broken_archive", pack({"a.csv": content})[:60])
        self.assertTableError("broken_archive", lzma.compress(content * 1000)[:80])

    def test_encrypted_archive(self):
        packed = bytearray(pack({"a.csv": (HEADER + GOOD).encode()}))
        packed[6] |= 1  # flag of the local header
        place = packed.rfind(b"PK\x01\x02")
        packed[place + 8] |= 1
        self.assertTableError("encrypted", bytes(packed))

    def test_zip_bomb(self):
        bomb = pack({"sales.csv": (HEADER + GOOD).encode() + b"0" * (80 * 1024**2)})
        self.assertLess(len(bomb), 200_000)
        self.assertTableError("bomb", bomb)
        # the header of the archive lies about the size: counted while it is unpacked
        lie = bytearray(bomb)
        place = lie.rfind(b"PK\x01\x02")
        lie[place + 24 : place + 28] = struct.pack("<I", 1000)
        with self.assertRaises(TableError):
            read(bytes(lie))
        self.assertTableError("bomb", lzma.compress(HEADER.encode() + b"0" * (80 * 1024**2)))

    def test_too_big(self):
        with patch.object(sales_file, "MAX_UNPACKED", 100_000):
            self.assertTableError("too_big", lzma.compress(HEADER.encode() + GOOD.encode() * 9000))

    def test_not_a_table(self):
        self.assertTableError("empty", b"")
        self.assertTableError("empty", b"\n\r\n  ")
        self.assertTableError("empty", b"\xef\xbb\xbf")
        self.assertTableError("empty", b"\n" * 5000)
        self.assertTableError("not_a_table", b"%PDF-1.7 ...")
        self.assertTableError("not_a_table", bytes(range(256)) * 100 + b"\x00" * 9000)
        self.assertTableError("old_xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)
        self.assertTableError("not_a_table", pack({"[Content_Types].xml": b"<Types/>"}))

    def test_header_only(self):
        _fmt, header, rows = read(HEADER.encode())
        self.assertEqual((len(header), rows), (6, []))

    def test_header_missing(self):
        content = "2024-03-31,ann@example.com,Drill,2,3.50\n2024-04-01,bob@example.com,Saw,1,9.90\n"
        fmt, header, rows = read(content.encode())
        self.assertEqual((fmt.header_row, header, len(rows)), (0, [], 2))
        targets = sales_mapping.guess_targets(header, [cells for _no, cells in rows])
        self.assertEqual(
            targets, ["date", "client_email", "product_name", "quantity", "price_unit"]
        )

    def test_title_before_header(self):
        fmt, header, rows = read(("Sales of 2024,,,,,\n\n" + HEADER + GOOD).encode())
        self.assertEqual((fmt.header_row, header[0], len(rows)), (3, "Date", 1))
        self.assertEqual(rows[0][0], 4, "rows are numbered as a spreadsheet shows them")

    def test_many_columns(self):
        wide = ",".join(["Date", "Amount", *(f"x{n}" for n in range(298))])
        row = ",".join(["2024-01-02", "5", *["1"] * 298])
        _fmt, header, rows = read(f"{wide}\n{row}\n".encode())
        self.assertEqual((len(header), len(rows[0][1])), (300, 300))
        huge = ",".join(f"x{n}" for n in range(600))
        self.assertTableError("too_many_columns", f"{huge}\n{huge}\n".encode())

    def test_ten_megabytes_in_one_row(self):
        limit = csv.field_size_limit()
        content = HEADER + GOOD + "2024-01-02," + "x" * (10 * 1024**2) + ",,,1,1\n" + GOOD
        started = time.monotonic()
        _fmt, _header, rows = read(content.encode())
        self.assertLess(time.monotonic() - started, 20)
        self.assertEqual(csv.field_size_limit(), limit, "a global setting stays as it was")
        self.assertEqual([number for number, _cells in rows], [2, 3, 4])
        self.assertEqual(rows[1][1].reason, "row_too_long")
        self.assertLessEqual(len(rows[1][1].excerpt), sales_file.EXCERPT)

    def test_long_cell(self):
        content = HEADER + "2024-01-02," + "x" * 200_000 + ",C,P,1,1\n" + GOOD
        _fmt, _header, rows = read(content.encode())
        self.assertEqual([type(cells) for _no, cells in rows], [BrokenRow, list])

    def test_stray_quote_costs_its_own_row(self):
        """A quote that is never closed must not swallow the rows after it."""
        lines = [f"2024-01-02,I{n},C7,P1,1,2\n" for n in range(20)]
        lines[5] = '2024-01-02,I5,"C7,P1,1,2\n'
        _fmt, _header, rows = read((HEADER + "".join(lines)).encode())
        self.assertEqual(len(rows), 20)
        broken = [cells for _no, cells in rows if isinstance(cells, BrokenRow)]
        self.assertEqual([row.reason for row in broken], ["broken_row"])
        self.assertIn('"C7', broken[0].excerpt)

    def test_quoted_line_break_is_data(self):
        content = HEADER + '2024-01-02,I1,C7,"P\n1",1,2\n' + GOOD
        _fmt, _header, rows = read(content.encode())
        self.assertEqual(rows[0][1][3], "P\n1")
        self.assertEqual(len(rows), 2)

    def test_nul_bytes(self):
        content = HEADER.encode() + b"2024-01-02,I1,C\x007,P1,1,2\n" + GOOD.encode() * 20
        _fmt, _header, rows = read(content)
        self.assertIn("\ufffd", rows[0][1][2])
        self.assertEqual(len(rows), 21)

    def test_workbook(self):
        def formula(sheet):
            sheet.write_formula(2, 3, "=1+1", None, 42)

        content = workbook(
            [
                ["Date", "Client", "Product", "Amount"],
                [datetime.date(2024, 3, 31), "Ann", "Drill", 10.5],
                [datetime.date(2024, 4, 1), "Bob", "Saw", 0],
            ],
            formula,
        )
        fmt, header, rows = read(content)
        self.assertEqual((fmt.kind, fmt.sheet, header[3]), ("xlsx", "Sales", "Amount"))
        self.assertEqual(rows[0][1][0], datetime.datetime(2024, 3, 31))
        self.assertEqual(rows[1][1][3], 42, "a formula counts with its last value")
        self.assertTableError("no_sheet", content, sheet="Nope")
        self.assertTableError("broken_archive", content[: len(content) // 2] + content[-400:])

    def test_workbook_with_entities(self):
        parts = {}
        with zipfile.ZipFile(io.BytesIO(workbook([["Date"], ["x"]]))) as archive:
            for name in archive.namelist():
                parts[name] = archive.read(name)
        bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><sst>&a;</sst>'
        self.assertTableError("broken_xlsx", pack({**parts, "xl/sharedStrings.xml": bomb}))


@tagged("post_install", "-at_install")
class TestSalesTyping(BaseCase):
    def type_row(self, header, *cells, **options):
        options = {
            "date_style": "dmy",
            "decimal": ".",
            "today": datetime.date(2026, 11, 22),
            "currency": "EUR",
            "currencies": ["EUR", "USD"],
            **options,
        }
        at = {name: place for place, name in enumerate(header.split())}
        return sales_typing.RowTyper(at, **options).type_row(list(cells))

    def test_numbers(self):
        for text, decimal, expected in (
            ("1,234.56", ".", "1234.56"),
            ("1.234,56", ",", "1234.56"),
            ("1 234,56", ",", "1234.56"),
            ("1\u00a0234\u202f567,8", ",", "1234567.8"),
            ("1'234.5", ".", "1234.5"),
            ("(12.50)", ".", "-12.50"),
            ("12.50-", ".", "-12.50"),
            ("−7", ".", "-7"),
            ("£2.55", ".", "2.55"),
            ("2,55 €", ",", "2.55"),
            ("100 руб.", ",", "100"),
            ("1e3", ".", "1000"),
            (".5", ".", "0.5"),
            (2.55, ".", "2.55"),
        ):
            with self.subTest(text=text):
                self.assertEqual(sales_values.parse_number(text, decimal), Decimal(expected))
        for text in ("", "abc", "1.2.3", "1,23", "12-5", "=1+1", "NaN", "inf", "1e99", "--5", True):
            with self.subTest(text=text), self.assertRaises(ValueError):
                sales_values.parse_number(text, ".")

    def test_decimal_guess(self):
        self.assertEqual(sales_values.guess_decimal(["1,5", "2", "1.234,5"]), ",")
        self.assertEqual(sales_values.guess_decimal(["1.5", "1,234.5"]), ".")
        self.assertEqual(sales_values.guess_decimal(["1,234", "5"]), ".")
        self.assertEqual(sales_values.guess_decimal(["1.234.567", "1.234"]), ",")

    def test_dates(self):
        day = datetime.date(2024, 3, 31)
        for text, style in (
            ("2024-03-31", "dmy"),
            ("2024-03-31T08:26:00Z", "ymd"),
            ("20240331", "ymd"),
            ("31.03.2024", "dmy"),
            ("31.3.24 08:26", "dmy"),
            ("31.03.2024 г.", "dmy"),
            ("03/31/2024 8:26 PM", "mdy"),
            ("31-Mar-2024", "ymd"),
            ("31 марта 2024", "ymd"),
            ("March 31, 2024", "ymd"),
            ("45382", "serial"),
            ("45382,35", "serial"),
            (45382.35, "serial"),
            (datetime.datetime(2024, 3, 31, 8), "ymd"),
        ):
            with self.subTest(text=text):
                self.assertEqual(sales_values.parse_date(text, style)[0], day)
        for text in ("31/02/2024", "2024-13-01", "yesterday", "12", "0", "", "99.99.9999"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                sales_values.parse_date(text, "dmy")

    def test_date_order_from_the_whole_sample(self):
        evidence = sales_values.DateEvidence()
        for day in range(1, 13):
            evidence.feed(f"{day:02}/04/2024")
        self.assertFalse(evidence.is_proven)
        self.assertEqual(evidence.style, "dmy")
        evidence.feed("04/13/2024")
        self.assertTrue(evidence.is_proven)
        self.assertEqual(evidence.style, "mdy", "one late value decides about all")

    def test_row(self):
        row = self.type_row(
            "date document client_ref product_code product_name quantity price_unit",
            "31.03.2024 10:00", "A-1", "17850.0", " p 1 ", "Drill", "2", "3.50",
        )  # fmt: skip
        self.assertEqual(row.date, datetime.date(2024, 3, 31))
        self.assertEqual((row.client.ref, row.client_key), ("17850", "ref:17850"))
        self.assertEqual((row.product.code, row.product_key), ("p 1", "code:p 1"))
        self.assertEqual((row.amount, row.currency, row.is_return), (Decimal("7.00"), "EUR", False))

    def test_returns(self):
        header = "date client_ref quantity price_unit amount is_return"
        row = self.type_row(header, "31.03.2024", "C", "-2", "3", "", "")
        self.assertEqual((row.amount, row.is_return), (Decimal(-6), True))
        row = self.type_row(header, "31.03.2024", "C", "2", "3", "", "yes")
        self.assertEqual(
            (row.quantity, row.amount, row.is_return), (Decimal(-2), Decimal(-6), True)
        )
        row = self.type_row(header, "31.03.2024", "C", "-2", "", "6", "")
        self.assertEqual((row.amount, row.is_return), (Decimal(-6), True))
        row = self.type_row(header, "31.03.2024", "C", "1", "-50", "", "")
        self.assertEqual(
            (row.amount, row.is_return), (Decimal(-50), False), "a bad-debt correction"
        )
        row = self.type_row(header, "31.03.2024", "C", "5", "0", "", "")
        self.assertEqual(row.amount, 0, "given for nothing, and a fact")

    def test_refusals(self):
        header = "date client_ref quantity price_unit currency"
        for reason, cells in {
            "no_date": ["", "C", "1", "1", ""],
            "bad_date": ["31.02.2024", "C", "1", "1", ""],
            "future_date": ["31.12.2030", "C", "1", "1", ""],
            "no_client": ["31.03.2024", " ", "1", "1", ""],
            "no_quantity": ["31.03.2024", "C", "", "1", ""],
            "no_amount": ["31.03.2024", "C", "1", "", ""],
            "bad_number": ["31.03.2024", "C", "one", "1", ""],
            "unknown_currency": ["31.03.2024", "C", "1", "1", "XYZ"],
            "bad_characters": ["31.03.2024", "C\ufffd", "1", "1", ""],
            "too_long": ["31.03.2024", "C" * 200, "1", "1", ""],
            "columns": ["31.03.2024", "C", "1", "1", "", "one more"],
        }.items():
            with self.subTest(reason=reason):
                refusal = self.type_row(header, *cells, width=5)
                self.assertEqual(refusal.reason, reason)
        row = self.type_row(header, "31.03.2024", "", "1", "1", "usd", walk_in=True)
        self.assertEqual((row.client_key, row.currency), ("", "USD"))

    def test_key_is_the_content(self):
        """The same sale in another style of writing is the same row; another sale is not."""
        header = "date document client_ref product_code quantity price_unit"
        row = self.type_row(header, "31.03.2024", "A1", "17850.0", "p1", "2", "3.50")
        same = self.type_row(
            header, datetime.datetime(2024, 3, 31), "A1", 17850, "P1", 2.0, "3,5", decimal=","
        )
        self.assertEqual(row.content_key, same.content_key)
        other = self.type_row(header, "31.03.2024", "A1", "17850", "P1", "3", "3.50")
        self.assertNotEqual(row.content_key, other.content_key)

    def test_key_is_the_line_number(self):
        header = "date document line client_ref amount"
        row = self.type_row(header, "31.03.2024", "A1", "1", "C", "5")
        changed = self.type_row(header, "30.03.2024", "A1", "1", "D", "6")
        self.assertEqual(row.content_key, changed.content_key)

    def test_client_order(self):
        header = "date client_ref client_vat client_email client_name amount"
        cells = ["31.03.2024", "C1", "DE 123-456.789", "Ann@Example.COM", "Ann  Lee", "5"]
        for order, key in (
            ("ref", "ref:c1"),
            ("vat", "vat:de123456789"),
            ("email", "email:ann@example.com"),
            ("name", "name:ann lee"),
        ):
            self.assertEqual(self.type_row(header, *cells, client_order=order).client_key, key)

    def test_service_codes(self):
        codes = [f"{1000 + n}A" for n in range(50)] + ["POST", "D", "C2", "BANK CHARGES"]
        self.assertEqual(
            sales_values.find_service_codes(codes), {"POST", "D", "C2", "BANK CHARGES"}
        )
        words = ["APPLE", "PEAR", "PLUM", "POST"]
        self.assertEqual(sales_values.find_service_codes(words), set(), "codes are words here")
        self.assertEqual(sales_values.find_service_codes(words, {"post"}), {"POST"})

    def test_mapping(self):
        for header, expected in (
            (
                "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country",
                "document product_code product_name quantity date price_unit client_ref "
                "client_country",
            ),
            (
                "Дата Номер_документа ИНН Контрагент Артикул Номенклатура Кол-во Сумма",
                "date document client_vat client_name product_code product_name quantity amount",
            ),
            ("Дата ИНН Артикул Сумма", "date client_vat product_code amount"),
            ("close_date account product close_value", "date client_name product_name amount"),
        ):
            names = header.split()
            sample = {
                "date": "2024-01-02", "document": "55", "client_ref": "17",
                "client_vat": "7707083893",
                "client_name": "Daisy Ltd", "product_code": "АРТ-001",
                "product_name": "Cordless drill",
                "quantity": "2", "price_unit": "3.5", "amount": "7.0", "client_country": "France",
            }  # fmt: skip
            cells = [sample[target] for target in expected.split()]
            self.assertEqual(sales_mapping.guess_targets(names, [cells] * 3), expected.split())
