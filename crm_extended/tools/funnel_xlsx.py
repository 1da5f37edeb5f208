"""The funnel of deals as an xlsx file. No ORM, so that it is tested without a database."""

import io

import xlsxwriter

# what is told of a stage, in the order of the columns, with its format
STAGE_FIGURES = {
    "reached": "number",
    "started": "number",
    "skipped": "number",
    "passed": "number",
    "conversion": "percent",
    "still_there": "number",
    "lost": "number",
    "lost_share": "percent",
    "went_back": "number",
    "won": "number",
    "days_median": "days",
}
# Text stays text: a stage called "=1+1" must not become a formula.
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_FORBIDDEN_IN_SHEET_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_BLUE, _RED, _GREEN, _GREY = "#3B82C4", "#D9534F", "#3FA35B", "#DDDDDD"


def build_funnel_workbook(labels, funnel):
    """Write the funnel: a sheet with its stages and a chart, and one that compares groups.

    :param dict labels: texts by name: ``title``, ``groups``, ``group``, ``deals``,
        ``win_rate``, ``stage_id``, ``days_to_win`` and each of ``STAGE_FIGURES``
    :param dict funnel: ``total``, ``stages`` and ``groups`` as the report gives them;
        percentages are 0 to 100, and None where there is none
    :return: the file
    :rtype: bytes
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as workbook:
        formats = {
            "title": workbook.add_format({"bold": True, "font_size": 14}),
            "heading": workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
            "number": workbook.add_format({"num_format": "#,##0"}),
            "percent": workbook.add_format({"num_format": "0.0%"}),
            "days": workbook.add_format({"num_format": "#,##0.0"}),
        }
        _write_stages(workbook, labels, funnel, formats)
        if funnel["groups"]:
            _write_groups(workbook, labels, funnel, formats)
    return buffer.getvalue()


def _write_stages(workbook, labels, funnel, formats):
    name = _get_sheet_name(labels["title"])
    sheet = workbook.add_worksheet(name)
    total = funnel["total"]
    sheet.write_string(0, 0, labels["title"], formats["title"])
    facts = [
        (labels["deals"], total["deals"], "number"),
        (labels["won"], total["won"], "number"),
        (labels["win_rate"], _get_share(total["won"], total["deals"]), "percent"),
        (labels["lost"], total["lost"], "number"),
        (labels["still_there"], total["still_there"], "number"),
        (labels["days_to_win"], total["days_to_win"], "days"),
    ]
    for row, (label, value, kind) in enumerate(facts, start=1):
        sheet.write_string(row, 0, label)
        _write_number(sheet, row, 1, value, kind, formats)
    head = len(facts) + 2
    sheet.write_string(head, 0, labels["stage_id"], formats["heading"])
    for column, figure in enumerate(STAGE_FIGURES, start=1):
        sheet.write_string(head, column, labels[figure], formats["heading"])
    last = head
    for last, stage in enumerate(funnel["stages"], start=head + 1):
        sheet.write_string(last, 0, stage["name"])
        for column, (figure, kind) in enumerate(STAGE_FIGURES.items(), start=1):
            _write_number(sheet, last, column, stage[figure], kind, formats)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, len(STAGE_FIGURES), 12)
    sheet.freeze_panes(head + 1, 1)
    if last > head:
        sheet.insert_chart(last + 2, 0, _build_chart(workbook, labels, name, head, last))


def _build_chart(workbook, labels, sheet_name, head, last):
    """Bars from the first stage above to the last one below, with what was lost beside."""
    chart = workbook.add_chart({"type": "bar"})
    for figure, color in (("reached", _BLUE), ("passed", _GREEN), ("lost", _RED)):
        column = 1 + list(STAGE_FIGURES).index(figure)
        chart.add_series(
            {
                "name": [sheet_name, head, column],
                "categories": [sheet_name, head + 1, 0, last, 0],
                "values": [sheet_name, head + 1, column, last, column],
                "fill": {"color": color},
                "data_labels": {"value": True},
                "gap": 40,
            }
        )
    chart.set_title({"name": labels["title"], "name_font": {"size": 12}})
    chart.set_legend({"position": "bottom"})
    chart.set_y_axis({"reverse": True})
    chart.set_x_axis({"major_gridlines": {"visible": True, "line": {"color": _GREY}}})
    chart.set_size({"width": 860, "height": 120 + 70 * (last - head)})
    return chart


def _write_groups(workbook, labels, funnel, formats):
    """One row per group: how many deals reached each stage and how many of them went on."""
    sheet = workbook.add_worksheet(_get_sheet_name(labels["groups"]))
    heads = [labels["group"], labels["deals"]]
    for stage in funnel["stages"]:
        heads.append(stage["name"])
        if not stage["is_won"]:
            heads.append(f"{stage['name']}: {labels['conversion']}")
    heads += [labels["won"], labels["win_rate"], labels["lost"], labels["days_to_win"]]
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, formats["heading"])
    for row, group in enumerate(funnel["groups"], start=1):
        sheet.write_string(row, 0, str(group["label"]))
        values = [(group["deals"], "number")]
        for stage in funnel["stages"]:
            figures = group["stages"].get(stage["id"], {})
            values.append((figures.get("reached", 0), "number"))
            if not stage["is_won"]:
                values.append((figures.get("conversion"), "percent"))
        values += [
            (group["won"], "number"),
            (_get_share(group["won"], group["deals"]), "percent"),
            (group["lost"], "number"),
            (group["days_to_win"], "days"),
        ]
        for column, (value, kind) in enumerate(values, start=1):
            _write_number(sheet, row, column, value, kind, formats)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, len(heads) - 1, 13)
    sheet.freeze_panes(1, 1)


def _write_number(sheet, row, column, value, kind, formats):
    """Percentages become fractions, as spreadsheets have them; nothing stays empty."""
    if value is None or value is False:
        return
    sheet.write_number(row, column, value / 100 if kind == "percent" else value, formats[kind])


def _get_share(part, whole):
    return 100 * part / whole if whole else None


def _get_sheet_name(text):
    return text.translate(_FORBIDDEN_IN_SHEET_NAME).strip()[:31] or "-"
