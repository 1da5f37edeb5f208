def is_automatic(headers):
    """Whether a mail was sent by a machine in answer to another one, not by a person.

    RFC 3834: a mail with an `Auto-Submitted` other than `no` was not written by a person. Older
    responders say so by headers of their own, or by the precedence `auto_reply`, `bulk` or `junk`.
    A mail with an empty reverse path (RFC 5321) is a notice to which nobody may answer.
    `Precedence: list` proves nothing: an address shared by a group forwards with it what people
    write. Neither does `X-Auto-Response-Suppress`, by which a sender asks others not to answer.

    :param headers: mapping of header names to values, such as `email.message.EmailMessage`
    :rtype: bool
    """

    def first_word(name):
        value = str(headers.get(name) or "").strip().lower()
        return value.replace(";", " ").split(" ")[0]

    return (
        first_word("Auto-Submitted") not in ("", "no")
        or first_word("Precedence") in ("auto_reply", "bulk", "junk")
        or any(headers.get(name) is not None for name in ("X-Autoreply", "X-Autorespond"))
        or first_word("Return-Path") == "<>"
    )
