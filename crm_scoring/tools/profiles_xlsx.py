"""The analysis of clients as an xlsx file with native charts. No ORM."""

import io

import xlsxwriter

# Text stays text: a client called "=1+1" must not become a formula.
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}
_FORBIDDEN_IN_SHEET_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_WIDTHS = {"text": 20, "date": 12, "number": 11, "decimal": 11, "money": 15}
_BLUE, _GREEN = "#3B82C4", "#3FA35B"
ABC, XYZ = ("A", "B", "C"), ("X", "Y", "Z", None)


def build_profiles_workbook(labels, columns, rows, summaries):
    """Write a sheet of the summaries with charts, the RFM grid, ABC by XYZ, and all clients.

    :param dict labels: texts by name: each of ``columns``, ``clients_sheet``, ``summary_sheet``,
        ``rfm_sheet``, ``abc_sheet``, ``clients``, ``recency_score``, ``value_score``, ``share``,
        ``none``
    :param dict columns: name -> kind: text, date, number, decimal, money
    :param rows: iterable of lists, one value per column; False and None are left empty
    :param dict summaries: as ``crm.customer.profile._get_export_summaries`` gives them
    :return: the file
    :rtype: bytes
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as workbook:
        formats = {
            "title": workbook.add_format({"bold": True, "font_size": 14}),
            "heading": workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
            "text": None,
            "date": workbook.add_format({"num_format": "yyyy-mm-dd"}),
            "number": workbook.add_format({"num_format": "#,##0"}),
            "decimal": workbook.add_format({"num_format": "#,##0.0"}),
            "money": workbook.add_format({"num_format": "#,##0.00"}),
            "percent": workbook.add_format({"num_format": "0.0%"}),
        }
        _write_summary(workbook, labels, summaries, formats)
        _write_rfm(workbook, labels, summaries["rfm"], formats)
        _write_abc(workbook, labels, summaries["abc_xyz"], formats)
        _write_clients(workbook, labels, columns, rows, formats)
    return buffer.getvalue()


def _write_summary(workbook, labels, summaries, formats):
    """Tables below each other (rows are written once), a chart beside each."""
    name = _get_sheet_name(labels["summary_sheet"])
    sheet = workbook.add_worksheet(name)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 3, 16)
    row = 0
    for key in ("segment", "stage", "customer_class"):
        table = summaries[key]
        sheet.write_string(row, 0, labels[key], formats["title"])
        head = row + 1
        for column, label in enumerate(
            (labels[key], labels["clients"], labels["monetary_year"], labels["share"])
        ):
            sheet.write_string(head, column, label, formats["heading"])
        total = sum(line[2] for line in table)
        for offset, (label, clients, amount) in enumerate(table, start=1):
            sheet.write_string(head + offset, 0, label)
            sheet.write_number(head + offset, 1, clients, formats["number"])
            sheet.write_number(head + offset, 2, amount, formats["money"])
            if total:
                sheet.write_number(head + offset, 3, amount / total, formats["percent"])
        if table:
            chart = workbook.add_chart({"type": "column"})
            for column, color, second in ((1, _BLUE, False), (2, _GREEN, True)):
                chart.add_series(
                    {
                        "name": [name, head, column],
                        "categories": [name, head + 1, 0, head + len(table), 0],
                        "values": [name, head + 1, column, head + len(table), column],
                        "fill": {"color": color},
                        "y2_axis": second,
                    }
                )
            chart.set_title({"name": labels[key], "name_font": {"size": 12}})
            chart.set_legend({"position": "bottom"})
            chart.set_size({"width": 720, "height": 320})
            sheet.insert_chart(row, 5, chart)
        row = max(head + len(table) + 2, row + 17)


def _write_rfm(workbook, labels, cells, formats):
    """Clients by recency (down) and value (across), coloured; each row is a series of a chart."""
    name = _get_sheet_name(labels["rfm_sheet"])
    sheet = workbook.add_worksheet(name)
    sheet.set_column(0, 0, 24)
    sheet.write_string(0, 0, f"{labels['recency_score']} / {labels['value_score']}")
    for value in range(1, 6):
        sheet.write_number(1, value, value, formats["heading"])
    for row, recency in enumerate(range(5, 0, -1), start=2):
        sheet.write_string(row, 0, f"R{recency}", formats["heading"])
        for value in range(1, 6):
            sheet.write_number(row, value, cells.get((recency, value), 0), formats["number"])
    sheet.conditional_format(
        2, 1, 6, 5, {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#3FA35B"}
    )
    chart = workbook.add_chart({"type": "column", "subtype": "stacked"})
    for row in range(2, 7):
        chart.add_series(
            {
                "name": [name, row, 0],
                "categories": [name, 1, 1, 1, 5],
                "values": [name, row, 1, row, 5],
            }
        )
    chart.set_title({"name": labels["clients"], "name_font": {"size": 12}})
    chart.set_x_axis({"name": labels["value_score"]})
    chart.set_size({"width": 640, "height": 340})
    sheet.insert_chart(8, 0, chart)


def _write_abc(workbook, labels, cells, formats):
    name = _get_sheet_name(labels["abc_sheet"])
    sheet = workbook.add_worksheet(name)
    sheet.set_column(0, 9, 14)
    heads = [labels["abc_turnover"], *(letter or labels["none"] for letter in XYZ)]
    for column, head in enumerate([*heads, labels["clients"], labels["monetary_year"]]):
        sheet.write_string(0, column, head, formats["heading"])
    for row, abc in enumerate(ABC, start=1):
        sheet.write_string(row, 0, abc)
        own = [cells.get((abc, xyz), (0, 0.0)) for xyz in XYZ]
        for column, (clients, _amount) in enumerate(own, start=1):
            sheet.write_number(row, column, clients, formats["number"])
        sheet.write_number(row, 5, sum(cell[0] for cell in own), formats["number"])
        sheet.write_number(row, 6, sum(cell[1] for cell in own), formats["money"])
    for column, kind, place in ((5, "column", 0), (6, "pie", 5)):
        chart = workbook.add_chart({"type": kind})
        chart.add_series(
            {
                "name": [name, 0, column],
                "categories": [name, 1, 0, 3, 0],
                "values": [name, 1, column, 3, column],
                "data_labels": {"value": kind == "column", "percentage": kind == "pie"},
            }
        )
        chart.set_size({"width": 460, "height": 300})
        sheet.insert_chart(6, place, chart)


def _write_clients(workbook, labels, columns, rows, formats):
    sheet = workbook.add_worksheet(_get_sheet_name(labels["clients_sheet"]))
    for column, (name, kind) in enumerate(columns.items()):
        sheet.set_column(column, column, 32 if name == "partner_id" else _WIDTHS[kind])
        sheet.write_string(0, column, labels[name], formats["heading"])
    sheet.freeze_panes(1, 1)
    last = 0
    for last, row in enumerate(rows, start=1):
        for column, (kind, value) in enumerate(zip(columns.values(), row, strict=True)):
            if value is None or value is False:
                continue
            if kind == "text":
                sheet.write_string(last, column, str(value))
            elif kind == "date":
                sheet.write_datetime(last, column, value, formats[kind])
            else:
                sheet.write_number(last, column, value, formats[kind])
    sheet.autofilter(0, 0, last, len(columns) - 1)


def _get_sheet_name(text):
    return text.translate(_FORBIDDEN_IN_SHEET_NAME).strip()[:31] or "-"
