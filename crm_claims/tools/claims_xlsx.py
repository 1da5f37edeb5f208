"""Workbook of claims by month and guilty department."""

import io

import xlsxwriter

FIGURES = ("registered", "handled", "unhandled", "amount_claimed", "amount_granted")
# Text stays text: a department called "=1+1" must not become a formula.
WORKBOOK_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def build_claims_workbook(labels, rows, currency=""):
    """Build the workbook.

    Two sheets: the rows with their totals, and a table month by department of registered
    claims with a stacked column chart.

    :param dict labels: texts by name (``title``, ``detail``, ``summary``, ``month``,
        ``department``, each of ``FIGURES``, ``total``)
    :param rows: list of ``(month, department, *figures)``, in the order they are to be shown;
        figures as in ``FIGURES``
    :param str currency: symbol behind amounts
    :return: the bytes of an xlsx file
    """
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, WORKBOOK_OPTIONS)
    formats = {
        "title": workbook.add_format({"bold": True, "font_size": 14}),
        "head": workbook.add_format({"bold": True, "bg_color": "#E9E1EB", "bottom": 1}),
        "number": workbook.add_format({"num_format": "#,##0.##"}),
        "money": workbook.add_format({"num_format": _money_format(currency)}),
        "total": workbook.add_format({"bold": True, "top": 1, "num_format": "#,##0.##"}),
        "total_money": workbook.add_format(
            {"bold": True, "top": 1, "num_format": _money_format(currency)}
        ),
    }
    _write_detail(workbook, labels, rows, formats)
    _write_summary(workbook, labels, rows, formats)
    workbook.close()
    return buffer.getvalue()


def _money_format(currency):
    quoted = currency.replace('"', "")
    return f'#,##0.00 "{quoted}"' if quoted else "#,##0.00"


def _write_detail(workbook, labels, rows, formats):
    sheet = workbook.add_worksheet(_sheet_name(labels["detail"]))
    sheet.write_string(0, 0, labels["title"], formats["title"])
    heads = [labels["month"], labels["department"], *(labels[name] for name in FIGURES)]
    for column, head in enumerate(heads):
        sheet.write_string(2, column, head, formats["head"])
    for index, (month, department, *figures) in enumerate(rows, start=3):
        sheet.write_string(index, 0, month)
        sheet.write_string(index, 1, department)
        for column, (name, value) in enumerate(zip(FIGURES, figures, strict=True), start=2):
            style = "money" if name.startswith("amount") else "number"
            sheet.write_number(index, column, value or 0, formats[style])
    last = 3 + len(rows)
    sheet.write_string(last, 0, labels["total"], formats["total"])
    sheet.write_blank(last, 1, None, formats["total"])
    for column, name in enumerate(FIGURES, start=2):
        style = "total_money" if name.startswith("amount") else "total"
        value = sum(row[column] or 0 for row in rows)
        sheet.write_number(last, column, value, formats[style])
    sheet.set_column(0, 0, 12)
    sheet.set_column(1, 1, 32)
    sheet.set_column(2, 6, 16)
    sheet.freeze_panes(3, 2)
    if rows:
        sheet.autofilter(2, 0, last - 1, len(heads) - 1)


def _write_summary(workbook, labels, rows, formats):
    name = _sheet_name(labels["summary"])
    sheet = workbook.add_worksheet(name)
    months = sorted({row[0] for row in rows})
    departments = sorted({row[1] for row in rows})
    registered = {}
    for month, department, value, *__ in rows:
        registered[month, department] = registered.get((month, department), 0) + (value or 0)
    sheet.write_string(0, 0, labels["title"], formats["title"])
    sheet.write_string(2, 0, labels["month"], formats["head"])
    for column, department in enumerate(departments, start=1):
        sheet.write_string(2, column, department, formats["head"])
    for index, month in enumerate(months, start=3):
        sheet.write_string(index, 0, month)
        for column, department in enumerate(departments, start=1):
            value = registered.get((month, department), 0)
            sheet.write_number(index, column, value, formats["number"])
    sheet.set_column(0, 0, 12)
    sheet.set_column(1, max(len(departments), 1), 22)
    if not months:
        return
    chart = workbook.add_chart({"type": "column", "subtype": "stacked"})
    last = 2 + len(months)
    for column in range(1, len(departments) + 1):
        chart.add_series(
            {
                "name": [name, 2, column],
                "categories": [name, 3, 0, last, 0],
                "values": [name, 3, column, last, column],
                "gap": 60,
            }
        )
    chart.set_title({"name": labels["summary"], "name_font": {"size": 12}})
    chart.set_legend({"position": "bottom"})
    chart.set_y_axis({"major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}})
    chart.set_size({"width": 860, "height": 380})
    sheet.insert_chart(last + 2, 0, chart)


def _sheet_name(text):
    """A name that Excel accepts: up to 31 characters, without ``[]:*?/\\``."""
    return "".join("-" if char in "[]:*?/\\" else char for char in text)[:31].strip("'") or "-"
