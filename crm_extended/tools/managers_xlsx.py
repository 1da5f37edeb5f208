"""The comparison of managers as an xlsx file. No ORM, so that it is tested without a database."""

import io

import xlsxwriter

# Text stays text: a team called "=1+1" must not become a formula.
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_FORBIDDEN_IN_SHEET_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_FORMATS = {
    "number": "#,##0",
    "money": "#,##0.00",
    "percent": "0.0%",
    "hours": "#,##0.0",
    "days": "#,##0.0",
}
_BLUE, _GREY, _GREEN, _RED = "#3B82C4", "#B8C4CE", "#1E7B34", "#B02A37"


def build_managers_workbook(labels, report):
    """Write the comparison: a sheet with the table, and one with a chart for each metric.

    :param dict labels: ``title``, ``who``, ``total``, ``average``, ``charts``, ``change``,
        ``period``, ``other`` (texts) and ``compared`` (whether there is something beside)
    :param dict report: as ``crm.manager.performance.get_report`` gives it; percentages are 0
        to 100, and None where there is none
    :return: the file
    :rtype: bytes
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as workbook:
        formats = {unit: workbook.add_format({"num_format": f}) for unit, f in _FORMATS.items()}
        for name, options in {
            "title": {"bold": True, "font_size": 14},
            "heading": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
            "bold": {"bold": True, "top": 1},
            "grey": {"font_color": "#666666"},
            "good": {"num_format": "+0.0%;\N{MINUS SIGN}0.0%;0.0%", "font_color": _GREEN},
            "bad": {"num_format": "+0.0%;\N{MINUS SIGN}0.0%;0.0%", "font_color": _RED},
            "plain": {"num_format": "+0.0%;\N{MINUS SIGN}0.0%;0.0%"},
        }.items():
            formats[name] = workbook.add_format(options)
        name = _get_sheet_name(labels["title"])
        last = _write_table(workbook.add_worksheet(name), labels, report, formats)
        if report["rows"]:
            _write_charts(workbook, labels, report, name, last)
    return buffer.getvalue()


def _write_table(sheet, labels, report, formats):
    """:return: (row of the heading, last row of people)"""
    sheet.write_string(0, 0, labels["title"], formats["title"])
    sheet.write_string(1, 0, labels["period"])
    if labels["compared"]:
        sheet.write_string(2, 0, labels["other"], formats["grey"])
    head = 4
    width = 3 if labels["compared"] else 1
    sheet.write_string(head, 0, labels["who"], formats["heading"])
    for number, metric in enumerate(report["metrics"]):
        column = 1 + width * number
        sheet.write_string(head, column, metric["name"], formats["heading"])
        if labels["compared"]:
            text = f"{metric['name']}: {labels['other']}"
            sheet.write_string(head, column + 1, text, formats["heading"])
            text = f"{metric['name']}: {labels['change']}"
            sheet.write_string(head, column + 2, text, formats["heading"])
    row = head
    for row, line in enumerate(report["rows"], start=head + 1):
        sheet.write_string(row, 0, line["name"])
        _write_cells(sheet, row, report["metrics"], line["cells"], width, formats)
    last = row
    for text, cells in ((labels["total"], report["total"]), (labels["average"], report["average"])):
        row += 1
        sheet.write_string(row, 0, text, formats["bold"])
        _write_cells(sheet, row, report["metrics"], cells, width, formats)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, width * len(report["metrics"]), 14)
    sheet.freeze_panes(head + 1, 1)
    return head, last


def _write_cells(sheet, row, metrics, cells, width, formats):
    for number, (metric, cell) in enumerate(zip(metrics, cells, strict=True)):
        column = 1 + width * number
        _write_number(sheet, row, column, cell["value"], metric["unit"], formats)
        if width == 3:
            _write_number(sheet, row, column + 1, cell["other"], metric["unit"], formats)
            if cell["change"] is not None:
                change = formats[cell["mood"] or "plain"]
                sheet.write_number(row, column + 2, cell["change"] / 100, change)


def _write_number(sheet, row, column, value, unit, formats):
    """Percentages become fractions, as spreadsheets have them; nothing stays empty."""
    if value is None or value is False:
        return
    sheet.write_number(row, column, value / 100 if unit == "percent" else value, formats[unit])


def _write_charts(workbook, labels, report, table, rows):
    """A chart for each metric, drawn by the spreadsheet from the table."""
    head, last = rows
    sheet = workbook.add_worksheet(_get_sheet_name(labels["charts"]))
    width = 3 if labels["compared"] else 1
    height = max(260, 90 + 26 * (last - head))
    place = 0
    for number, metric in enumerate(report["metrics"]):
        if all(line["cells"][number]["value"] is None for line in report["rows"]):
            continue
        chart = workbook.add_chart({"type": "bar"})
        series = [(labels["period"], 1 + width * number, _BLUE)]
        if labels["compared"] and any(
            line["cells"][number]["other"] is not None for line in report["rows"]
        ):
            series.append((labels["other"], 2 + width * number, _GREY))
        for name, column, color in series:
            chart.add_series(
                {
                    "name": name,
                    "categories": [table, head + 1, 0, last, 0],
                    "values": [table, head + 1, column, last, column],
                    "fill": {"color": color},
                    "gap": 60,
                }
            )
        chart.set_title({"name": metric["name"], "name_font": {"size": 12}})
        chart.set_legend({"position": "bottom"} if len(series) > 1 else {"none": True})
        chart.set_y_axis({"reverse": True})
        chart.set_x_axis(
            {"num_format": _FORMATS[metric["unit"]], "major_gridlines": {"visible": False}}
        )
        chart.set_size({"width": 620, "height": height})
        row, column = divmod(place, 2)
        sheet.insert_chart(row * (height // 20 + 2), column * 10, chart)
        place += 1


def _get_sheet_name(text):
    return text.translate(_FORBIDDEN_IN_SHEET_NAME).strip()[:31] or "-"
