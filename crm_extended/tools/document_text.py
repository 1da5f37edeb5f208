"""Placeholders of document templates: ``{{ client.name }}``. No ORM, and nothing is evaluated."""

import re

from markupsafe import Markup, escape

PLACEHOLDER = re.compile(r"\{\{\s*([a-z_]+(?:\.[a-z_]+)?)\s*\}\}")
BLANK = Markup('<span style="border-bottom: 1px solid">&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;</span>')


def find_placeholders(body):
    """Names of the placeholders of a text, in the order in which they first appear.

    :param str body: HTML
    :rtype: list[str]
    """
    return list(dict.fromkeys(PLACEHOLDER.findall(body or "")))


def fill_placeholders(body, values):
    """The text with every placeholder replaced; values are escaped, `Markup` is taken as it is.

    :param str body: HTML
    :param dict values: text or `Markup` by name; what is empty or absent becomes a blank line
    :rtype: Markup
    """

    def replace(match):
        return str(escape(values.get(match[1]) or BLANK))

    return Markup(PLACEHOLDER.sub(replace, str(body or "")))
