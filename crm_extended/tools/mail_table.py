"""The managers' mails as plain text. No ORM, no database."""

import textwrap

WIDTH = 76


def render_plain_text(mail):
    """Text of a mail, for programs that show no HTML.

    A table that fits the usual 76 columns is one; a wider one becomes a block for each row.

    :param dict mail: ``title``, ``intro``, ``sections`` (``title``, ``columns``, ``rows`` with
        ``cells``, ``note``), ``links`` (``name``, ``url``) and ``footer``; see
        ``crm.manager.mail._build_mail``
    :rtype: str
    """
    lines = [mail["title"], "=" * min(len(mail["title"]), WIDTH), ""]
    if mail["intro"]:
        lines += [*textwrap.wrap(mail["intro"], WIDTH), ""]
    for section in mail["sections"]:
        lines += [section["title"], "-" * min(len(section["title"]), WIDTH)]
        lines += _render_table(section["columns"], section["rows"])
        if section.get("note"):
            lines += textwrap.wrap(section["note"], WIDTH)
        lines.append("")
    lines += [f"{link['name']}: {link['url']}" for link in mail["links"]]
    lines += ["", "-- ", *textwrap.wrap(mail["footer"], WIDTH)]
    lines += [mail["unsubscribe_url"]] if mail.get("unsubscribe_url") else []
    return "\n".join(lines).strip() + "\n"


def _render_table(columns, rows):
    table = [[str(cell["text"]) for cell in row["cells"]] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(columns, *table, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > WIDTH:
        return _render_blocks(columns, table)
    return [
        "  ".join(
            text.ljust(size) if not index else text.rjust(size)
            for index, (text, size) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [columns, *table]
    ]


def _render_blocks(columns, table):
    lines = []
    for row in table:
        lines.append(row[0])
        lines += [f"  {name}: {text}" for name, text in zip(columns[1:], row[1:], strict=True)]
    return lines
