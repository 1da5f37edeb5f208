"""How a phone number is looked up however somebody has spelt it. Plain Python, no database."""

import re

# what is dialled before a number inside one's own country: 8 in Russia and around, 0 in most others
TRUNK_PREFIXES = ("8", "0")
# from so many digits on, a number is taken to hold its area code
LONG_NUMBER = 9
# fewer digits than this would fit half of all numbers
MIN_DIGITS = 3


def get_digits(text):
    """The digits of a text, in their order; empty if there are none."""
    return re.sub(r"\D", "", text or "")


def get_phone_patterns(text, national=None, phone_code=None):
    """Digits with which the numbers meant by `text` may end or begin.

    A whole number is recognised by its end, because only its beginning depends on the spelling:
    8 495..., +7 495... and 495... end alike. Whoever types the last digits means an end, whoever
    is still typing means a beginning: both are answered.

    :param str text: what somebody has typed
    :param str national: digits of the number without its country, if `text` is a valid number
    :param phone_code: calling code of the own country (int or str)
    :return: (endings, beginnings): sets of strings of digits; empty if there are too few digits
    """
    text = (text or "").strip()
    digits = get_digits(text)
    international = text.startswith(("+", "00"))
    if international and digits.startswith("00"):
        digits = digits[2:]
    if len(digits) < MIN_DIGITS:
        return set(), set()
    endings = {digits}
    beginnings = {digits}
    local = digits
    if not international and digits.startswith(TRUNK_PREFIXES):
        local = digits[1:]
        if len(local) >= LONG_NUMBER:
            endings.add(local)
    if national and len(national) >= LONG_NUMBER - 2:
        endings.add(national)
    if not international and phone_code and len(local) >= MIN_DIGITS:
        beginnings.add(f"{phone_code}{local}")
    return endings, beginnings
