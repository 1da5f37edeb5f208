def shorten(text, size):
    """The beginning of a text, cut between words.

    :param str text: words with one space between them
    :param int size: most characters to return, the ellipsis included
    :rtype: str
    """
    if len(text) <= size:
        return text
    beginning, space, _rest = text[:size].rpartition(" ")
    return f"{(beginning if space else text[: size - 1]).rstrip()}…"
