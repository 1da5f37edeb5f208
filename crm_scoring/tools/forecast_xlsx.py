"""Forecasts of segments as an xlsx file with native charts. No ORM."""

import io

import xlsxwriter

# Text stays text: a segment called "=1+1" must not become a formula.
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_FORBIDDEN_IN_SHEET_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
CHARTED = 20  # segments that get a sheet with charts of their own
_SUMMARY = {
    "name": "text", "kind": "text", "state": "text", "months": "number", "turnover_past": "money",
    "turnover_next": "money", "turnover_change": "decimal", "method": "text", "mase": "decimal",
    "mase_naive": "decimal",
}  # fmt: skip
_WIDTHS = {"text": 26, "number": 11, "money": 16, "decimal": 12}


def build_forecast_workbook(labels, forecasts, measures):
    """Write a summary with a chart, a sheet with charts for each of the first, and all months.

    :param dict labels: texts by name: columns of the summary and of the lines, ``summary_sheet``,
        ``months_sheet``, ``actual``, ``forecast``
    :param list forecasts: dicts with the columns of the summary, ``explanation`` and ``lines``:
        dicts with ``date``, ``is_forecast`` and, for each measure, its columns
    :param tuple measures: names of the measures
    :return: the file
    :rtype: bytes
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as workbook:
        formats = {
            "heading": workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
            "title": workbook.add_format({"bold": True, "font_size": 14}),
            "wrap": workbook.add_format({"text_wrap": True, "valign": "top"}),
            "text": None,
            "month": workbook.add_format({"num_format": "yyyy-mm"}),
            "number": workbook.add_format({"num_format": "#,##0"}),
            "decimal": workbook.add_format({"num_format": "#,##0.00"}),
            "money": workbook.add_format({"num_format": "#,##0.00"}),
        }
        used = set()
        _write_summary(workbook, labels, forecasts, formats, used)
        for forecast in [f for f in forecasts if f["lines"]][:CHARTED]:
            _write_forecast(workbook, labels, forecast, measures, formats, used)
        _write_months(workbook, labels, forecasts, measures, formats, used)
    return buffer.getvalue()


def _write_summary(workbook, labels, forecasts, formats, used):
    name = _get_sheet_name(labels["summary_sheet"], used)
    sheet = workbook.add_worksheet(name)
    for column, (key, kind) in enumerate(_SUMMARY.items()):
        sheet.set_column(column, column, _WIDTHS[kind])
        sheet.write_string(0, column, labels[key], formats["heading"])
    for row, forecast in enumerate(forecasts, start=1):
        for column, (key, kind) in enumerate(_SUMMARY.items()):
            _write(sheet, row, column, forecast[key], kind, formats)
    sheet.freeze_panes(1, 1)
    last = min(len(forecasts), CHARTED)
    if last:
        chart = workbook.add_chart({"type": "column"})
        for column in (4, 5):
            chart.add_series(
                {
                    "name": [name, 0, column],
                    "categories": [name, 1, 0, last, 0],
                    "values": [name, 1, column, last, column],
                }
            )
        chart.set_title({"name": labels["turnover_next"], "name_font": {"size": 12}})
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 900, "height": 360})
        sheet.insert_chart(len(forecasts) + 2, 0, chart)


def _write_forecast(workbook, labels, forecast, measures, formats, used):
    """The months of a segment, each measure with its bounds, and a chart of each measure."""
    name = _get_sheet_name(forecast["name"], used)
    sheet = workbook.add_worksheet(name)
    sheet.write_string(0, 0, forecast["name"], formats["title"])
    if forecast["explanation"]:
        sheet.merge_range(1, 0, 1, 12, "", formats["wrap"])
        sheet.write_string(1, 0, forecast["explanation"], formats["wrap"])
        sheet.set_row(1, 110)
    heads = ["date"]
    for measure in measures:
        heads += [f"{measure}|actual", measure, *_get_bounds(measure)]
    head = 3
    sheet.set_column(0, len(heads) - 1, 13)
    for column, key in enumerate(heads):
        base, _bar, actual = key.partition("|")
        label = labels[base]
        if actual:
            label = f"{label}: {labels['actual']}"
        elif base in measures:
            label = f"{label}: {labels['forecast']}"
        sheet.write_string(head, column, label, formats["heading"])
    for row, line in enumerate(forecast["lines"], start=head + 1):
        sheet.write_datetime(row, 0, line["date"], formats["month"])
        for column, key in enumerate(heads[1:], start=1):
            base, _bar, actual = key.partition("|")
            if bool(actual) != line["is_forecast"]:
                sheet.write_number(row, column, line[base] or 0.0, formats["decimal"])
    sheet.freeze_panes(head + 1, 1)
    last = head + len(forecast["lines"])
    first = max(head + 1, last - 47)
    for number, measure in enumerate(measures):
        start = 1 + number * 6
        chart = workbook.add_chart({"type": "line"})
        looks = [
            {"color": "#3B82C4", "width": 2},
            {"color": "#3FA35B", "width": 2},
            *[{"color": "#3FA35B", "width": 1, "dash_type": "dash"}] * 2,
            *[{"color": "#9CA3AF", "width": 1, "dash_type": "round_dot"}] * 2,
        ]
        for offset, look in enumerate(looks):
            chart.add_series(
                {
                    "name": [name, head, start + offset],
                    "categories": [name, first, 0, last, 0],
                    "values": [name, first, start + offset, last, start + offset],
                    "line": look,
                }
            )
        chart.set_title({"name": labels[measure], "name_font": {"size": 12}})
        chart.set_x_axis({"date_axis": True, "num_format": "yyyy-mm"})
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 720, "height": 320})
        sheet.insert_chart(last + 2 + 17 * (number // 2), 8 * (number % 2), chart)


def _write_months(workbook, labels, forecasts, measures, formats, used):
    sheet = workbook.add_worksheet(_get_sheet_name(labels["months_sheet"], used))
    columns = [name for measure in measures for name in (measure, *_get_bounds(measure))]
    heads = ["name", "kind", "date", "is_forecast", *columns]
    for column, key in enumerate(heads):
        sheet.set_column(column, column, 26 if column == 0 else 13)
        sheet.write_string(0, column, labels[key], formats["heading"])
    row = 0
    for forecast in forecasts:
        for line in forecast["lines"]:
            row += 1
            sheet.write_string(row, 0, forecast["name"])
            sheet.write_string(row, 1, forecast["kind"])
            sheet.write_datetime(row, 2, line["date"], formats["month"])
            sheet.write_boolean(row, 3, line["is_forecast"])
            for column, key in enumerate(columns, start=4):
                if key in measures or line["is_forecast"]:
                    sheet.write_number(row, column, line[key] or 0.0, formats["decimal"])
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, row, len(heads) - 1)


def _get_bounds(measure):
    return [f"{measure}_{end}_{level}" for level in (80, 95) for end in ("low", "high")]


def _write(sheet, row, column, value, kind, formats):
    if value is None or value is False:
        return
    if kind == "text":
        sheet.write_string(row, column, str(value))
    else:
        sheet.write_number(row, column, value, formats[kind])


def _get_sheet_name(text, used):
    """Return a name Excel takes and that no other sheet has."""
    base = (text or "").translate(_FORBIDDEN_IN_SHEET_NAME).strip()[:31] or "-"
    name, number = base, 1
    while name.lower() in used:
        number += 1
        name = f"{base[:27]} {number}"
    used.add(name.lower())
    return name
