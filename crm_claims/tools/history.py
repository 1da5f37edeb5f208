"""What the records of other systems say about past complaints. Plain Python."""

import hashlib

YES = {"yes", "y", "true", "1", "satisfied", "да", "удовлетворён", "удовлетворен"}
NO = {"no", "n", "false", "0", "dissatisfied", "нет", "не удовлетворён", "не удовлетворен"}


def read_satisfaction(text):
    """Whether the client was satisfied, in the words of another system.

    :return: ``True``, ``False``, or ``None`` when it does not say
    """
    word = (text or "").strip().casefold()
    if word in YES:
        return True
    return False if word in NO else None


def derive_decision(satisfied, granted):
    """Decision on a past claim of which only the outcome is known.

    - the client was satisfied: satisfied
    - he was not, or nobody knows, but something was paid: partly
    - else: rejected

    :param satisfied: ``True``, ``False`` or ``None`` (unknown)
    :param granted: amount paid, may be empty
    :return: satisfied, partly or rejected
    """
    if satisfied:
        return "satisfied"
    return "partly" if (granted or 0) > 0 else "rejected"


def get_row_keys(rows):
    """A key for each row, which is the same whenever the same file is read again.

    Equal rows of one file are different claims: they are counted.

    :param rows: lists of values
    :return: list of texts of letters and digits
    """
    seen = {}
    keys = []
    for row in rows:
        content = "\x1f".join("" if value is None else str(value) for value in row)
        digest = hashlib.sha256(content.encode()).hexdigest()[:20]
        seen[digest] = number = seen.get(digest, 0) + 1
        keys.append(f"{digest}_{number}")
    return keys
