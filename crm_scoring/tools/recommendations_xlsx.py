"""Product rules, recommendations and what was taken as an xlsx file with native charts. No ORM."""

import io

import xlsxwriter

_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_FORBIDDEN_IN_SHEET_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_FORMATS = {
    "text": {},
    "number": {"num_format": "#,##0"},
    "decimal": {"num_format": "#,##0.00"},
    "date": {"num_format": "yyyy-mm-dd"},
}
_WIDTHS = {"text": 36, "number": 11, "decimal": 12, "date": 12}
CHARTED = 15  # lines of a table that its chart shows


def build_tables_workbook(tables):
    """Write a sheet per table, each with a chart of its first lines if it asks for one.

    :param list tables: dicts with ``title``, ``columns`` (list of (label, kind); kind is text,
        number, decimal or date), ``rows`` (iterable of lists, one value per column; False and None
        are left empty) and, for a chart, ``chart``: (place of the column of names, places of the
        columns of numbers)
    :return: the file
    :rtype: bytes
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as workbook:
        heading = workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        formats = {kind: workbook.add_format(how) for kind, how in _FORMATS.items()}
        for table in tables:
            name = table["title"].translate(_FORBIDDEN_IN_SHEET_NAME).strip()[:31] or "-"
            sheet = workbook.add_worksheet(name)
            for column, (label, kind) in enumerate(table["columns"]):
                sheet.set_column(column, column, _WIDTHS[kind])
                sheet.write_string(0, column, label, heading)
            last = 0
            for last, row in enumerate(table["rows"], start=1):
                _write_row(sheet, last, row, table["columns"], formats)
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, last, len(table["columns"]) - 1)
            if last and table.get("chart"):
                _add_chart(workbook, sheet, name, table, min(last, CHARTED))
    return buffer.getvalue()


def _write_row(sheet, place, row, columns, formats):
    for column, ((_label, kind), value) in enumerate(zip(columns, row, strict=True)):
        if value is None or value is False:
            continue
        if kind == "text":
            sheet.write_string(place, column, str(value))
        elif kind == "date":
            sheet.write_datetime(place, column, value, formats[kind])
        else:
            sheet.write_number(place, column, value, formats[kind])


def _add_chart(workbook, sheet, name, table, lines):
    names, numbers = table["chart"]
    chart = workbook.add_chart({"type": "bar" if len(numbers) == 1 else "column"})
    for number in numbers:
        chart.add_series(
            {
                "name": [name, 0, number],
                "categories": [name, 1, names, lines, names],
                "values": [name, 1, number, lines, number],
                "data_labels": {"value": True},
            }
        )
    if len(numbers) == 1:
        chart.set_y_axis({"reverse": True})
        chart.set_legend({"none": True})
    else:
        chart.set_legend({"position": "bottom"})
    chart.set_title({"name": table["title"], "name_font": {"size": 12}})
    chart.set_size({"width": 760, "height": 140 + 24 * lines})
    sheet.insert_chart(1, len(table["columns"]) + 1, chart)
