"""A table as an xlsx file. No ORM, so that it is tested without a database."""

import io

import xlsxwriter

# Excel refuses these in the name of a sheet, and more than 31 characters.
_FORBIDDEN_IN_SHEET_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_WIDTH = {"date": 12, "money": 14, "text": 24}


def build_workbook(title, columns, rows):
    """Write one sheet with a heading, filters and a line of totals.

    Text stays text: a title that starts with ``=`` is no formula, an address no link.

    :param str title: name of the sheet
    :param columns: list of ``(label, kind)``; kind is ``text``, ``date`` or ``money``
    :param rows: iterable of lists, one value per column; False and None are left empty
    :return: the file
    :rtype: bytes
    """
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as workbook:
        sheet = workbook.add_worksheet(title.translate(_FORBIDDEN_IN_SHEET_NAME).strip()[:31])
        heading = workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        formats = {
            "date": workbook.add_format({"num_format": "yyyy-mm-dd"}),
            "money": workbook.add_format({"num_format": "#,##0.00"}),
            "text": None,
        }
        total = workbook.add_format({"bold": True, "top": 1, "num_format": "#,##0.00"})
        for index, (label, kind) in enumerate(columns):
            sheet.write_string(0, index, label, heading)
            sheet.set_column(index, index, _WIDTH[kind])
        sums = [0.0] * len(columns)
        last = 0
        for last, row in enumerate(rows, start=1):
            for index, ((_label, kind), value) in enumerate(zip(columns, row, strict=True)):
                if kind == "money":
                    sheet.write_number(last, index, value or 0.0, formats[kind])
                    sums[index] += value or 0.0
                elif not value:
                    continue
                elif kind == "date":
                    sheet.write_datetime(last, index, value, formats[kind])
                else:
                    sheet.write_string(last, index, str(value))
        for index, (_label, kind) in enumerate(columns):
            if kind == "money" and last:
                sheet.write_number(last + 1, index, sums[index], total)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, last, max(len(columns) - 1, 0))
    return buffer.getvalue()
