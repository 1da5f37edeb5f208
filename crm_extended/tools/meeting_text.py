import html as html_lib
import re

_BREAK = r"(?:\s*<br\s*/?>\s*)"
_LINK = r"<a\b[^>]*\bhref=[\"'](?:mailto|tel):[^>]*>[^<]*</a>"


def strip_contact_block(html, names):
    """What somebody wrote about a meeting, without the contacts that Odoo has put below it.

    Odoo appends the organiser and the first attendee to the description of a meeting: a heading
    in the language of whoever entered it, the name, the e-mail address, the phone number.

    :param str html: description of a calendar event (sanitised HTML)
    :param names: names of the organiser and of the attendees
    :return: HTML; as it was if it does not end with such a block
    """
    people = "|".join(re.escape(html_lib.escape(name, quote=False)) for name in names if name)
    if not html or not people:
        return html or ""
    section = rf"<strong>[^<]*</strong>{_BREAK}(?:{people})(?:{_BREAK}{_LINK})*"
    block = rf"{_BREAK}*(?:{section}{_BREAK}*)+(?=(?:\s*</(?:div|p)>)*\s*$)"
    return re.sub(block, "", str(html))
