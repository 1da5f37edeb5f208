"""Workbook of several tables, each on a sheet of its own, with native charts."""

import io

import xlsxwriter

# Text stays text: a department called "=1+1" must not become a formula.
WORKBOOK_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
NUMBER_FORMATS = {"number": "#,##0.##", "integer": "#,##0", "percent": '0.0" %"'}
WIDTHS = {"text": 30, "number": 14, "integer": 12, "percent": 14, "money": 16}


def build_claims_workbook(tables, currency=""):
    """Build the workbook.

    :param tables: list of dictionaries:

        - ``name``: of the sheet; ``title``: above the table; ``note``: below the title, optional
        - ``columns``: list of ``(label, kind)``, kind one of text, number, integer, percent, money
        - ``rows``: list of tuples, one value a column; None leaves a cell empty. A row may start
          with a ``(text, level)`` pair, which is indented by its level
        - ``total``: last row in bold, optional
        - ``charts``: optional list of ``{type, title, columns}`` with ``type`` one of column,
          stacked, bar, line, pareto; ``columns`` the indexes drawn against the first column.
          The last column of a pareto is its cumulated line
        - ``rows_in_chart``: only the first so many rows are drawn, optional

    :param str currency: symbol behind amounts
    :return: the bytes of an xlsx file
    """
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, WORKBOOK_OPTIONS)
    formats = _Formats(workbook, currency)
    used = set()
    for table in tables:
        name = _unique_name(table["name"], used)
        sheet = workbook.add_worksheet(name)
        first = _write_table(sheet, table, formats)
        _add_charts(workbook, sheet, name, table, first)
    workbook.close()
    return buffer.getvalue()


class _Formats:
    """Cell formats, made when first asked for."""

    def __init__(self, workbook, currency):
        self._workbook = workbook
        self._known = {}
        quoted = currency.replace('"', "")
        self._numbers = NUMBER_FORMATS | {"money": f'#,##0.00 "{quoted}"' if quoted else "#,##0.00"}

    def get(self, kind="text", **properties):
        key = (kind, *sorted(properties.items()))
        if key not in self._known:
            if kind in self._numbers:
                properties["num_format"] = self._numbers[kind]
            self._known[key] = self._workbook.add_format(properties)
        return self._known[key]


def _write_table(sheet, table, formats):
    """Write title, heads, rows and total.

    :return: number of the sheet's row that holds the first row of the table
    """
    sheet.write_string(0, 0, table["title"], formats.get(bold=True, font_size=14))
    if table.get("note"):
        sheet.write_string(1, 0, table["note"], formats.get(italic=True, font_color="#666666"))
    head = formats.get(bold=True, bg_color="#E9E1EB", bottom=1, text_wrap=True, valign="vcenter")
    columns = table["columns"]
    for column, (label, kind) in enumerate(columns):
        sheet.write_string(2, column, label, head)
        sheet.set_column(column, column, WIDTHS[kind])
    first = 3
    row = first
    for row, values in enumerate(table["rows"], start=first):
        _write_row(sheet, row, columns, values, formats)
    last = first + len(table["rows"])
    if table.get("total"):
        _write_row(sheet, last, columns, table["total"], formats, bold=True, top=1)
    sheet.freeze_panes(first, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    if table["rows"]:
        sheet.autofilter(2, 0, last - 1, len(columns) - 1)
    return first


def _write_row(sheet, row, columns, values, formats, **properties):
    for column, ((__, kind), value) in enumerate(zip(columns, values, strict=True)):
        if isinstance(value, tuple):
            text, level = value
            sheet.write_string(row, column, text, formats.get(indent=level, **properties))
        elif value is None:
            sheet.write_blank(row, column, None, formats.get(**properties))
        elif kind == "text":
            sheet.write_string(row, column, value, formats.get(**properties))
        else:
            sheet.write_number(row, column, value, formats.get(kind, **properties))


def _add_charts(workbook, sheet, name, table, first):
    rows = min(len(table["rows"]), table.get("rows_in_chart") or len(table["rows"]))
    if not rows:
        return
    below = first + len(table["rows"]) + (2 if table.get("total") else 1)
    for number, spec in enumerate(table.get("charts", ())):
        chart = _make_chart(workbook, name, table, spec, first, first + rows - 1)
        sheet.insert_chart(below + number * 21, 0, chart)


def _make_chart(workbook, name, table, spec, first, last):
    kind = spec["type"]
    options = {
        "column": {"type": "column"},
        "stacked": {"type": "column", "subtype": "stacked"},
        "bar": {"type": "bar", "subtype": "percent_stacked"},
        "line": {"type": "line"},
        "pareto": {"type": "column"},
    }[kind]
    chart = workbook.add_chart(options)
    drawn = spec["columns"][:-1] if kind == "pareto" else spec["columns"]
    for column in drawn:
        chart.add_series(_make_series(name, column, first, last, kind))
    if kind == "pareto":
        line = workbook.add_chart({"type": "line"})
        series = _make_series(name, spec["columns"][-1], first, last, "line")
        line.add_series(series | {"y2_axis": True})
        line.set_y2_axis({"min": 0, "max": 100})
        chart.combine(line)
    if kind == "bar":
        chart.set_y_axis({"reverse": True})
    else:
        chart.set_y_axis({"major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}})
    chart.set_title({"name": spec["title"], "name_font": {"size": 12}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 860, "height": 380})
    return chart


def _make_series(name, column, first, last, kind):
    series = {
        "name": [name, 2, column],
        "categories": [name, first, 0, last, 0],
        "values": [name, first, column, last, column],
    }
    return series | ({"marker": {"type": "circle"}} if kind == "line" else {"gap": 60})


def _unique_name(text, used):
    """A name that Excel accepts: up to 31 characters, without ``[]:*?/\\``, once a workbook."""
    base = "".join("-" if char in "[]:*?/\\" else char for char in text)[:31].strip("'") or "-"
    name = base
    number = 2
    while name.lower() in used:
        name = f"{base[:27]} {number}"
        number += 1
    used.add(name.lower())
    return name
