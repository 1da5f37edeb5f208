"""Distribution of a quantity over what is available, in order."""


def allocate(wanted, available, precision=1e-6):
    """Take ``wanted`` from ``available``, first come first served.

    :param float wanted: quantity to distribute, at least 0
    :param available: iterable of ``(key, quantity)``; quantities below zero count as zero
    :param float precision: what is smaller than this is nothing
    :return: ``(parts, short)``: a list of ``(key, quantity)`` with quantities above zero, and
        the quantity that could not be placed
    """
    parts = []
    left = wanted
    for key, quantity in available:
        if left <= precision:
            break
        taken = min(left, quantity)
        if taken > precision:
            parts.append((key, taken))
            left -= taken
    return parts, left if left > precision else 0.0
