"""RFM: recency, frequency and monetary value of a client as scores from 1 to 5, and their names.

**Scores.** Each measure is cut into five parts of (as far as possible) equal size over all clients
of a company that ever bought: 5 is the best fifth (bought most recently, most often, for most).
Equal values always get equal scores: a client takes the fifth in which the *middle* of its ties
lies, ``floor(5 · (less + equal / 2) / all) + 1``, where ``less`` counts clients with a worse value
and ``equal`` those with the same one. So no score depends on the order of rows, a measure that is
the same for everybody gives 3 to everybody, and so does the only client there is.

**Names.** The cell is recency by value, value being the mean of frequency and monetary score,
halves rounded up. The grid below covers every cell once.
"""

# segment -> its cells (recency score, value score)
SEGMENTS = {
    "champion": {(5, 4), (5, 5), (4, 5)},
    "loyal": {(4, 4), (3, 4), (3, 5)},
    "potential": {(5, 2), (5, 3), (4, 2), (4, 3)},
    "new": {(5, 1)},
    "promising": {(4, 1)},
    "attention": {(3, 3)},
    "about_to_sleep": {(3, 1), (3, 2)},
    "cannot_lose": {(2, 5), (1, 5)},
    "at_risk": {(2, 3), (2, 4), (1, 3), (1, 4)},
    "hibernating": {(2, 1), (2, 2)},
    "lost": {(1, 1), (1, 2)},
}
NO_PURCHASE = "no_purchase"


def get_quintile(less, equal, total):
    """Return the score 1..5 of a value from its rank.

    :param int less: clients with a worse value
    :param int equal: clients with the same value, this one included
    :param int total: all clients
    """
    return min(5, 5 * (2 * less + equal) // (2 * total) + 1)


def get_value_score(frequency, monetary):
    """Return the mean of the two scores, halves rounded up."""
    return (frequency + monetary + 1) // 2


def get_segment(recency, frequency, monetary):
    """Return the code of the segment for three scores from 1 to 5."""
    cell = (recency, get_value_score(frequency, monetary))
    return next(code for code, cells in SEGMENTS.items() if cell in cells)


def get_segment_grid():
    """Return the grid as sorted (recency, value, code), for a join in SQL."""
    return sorted(
        (recency, value, code) for code, cells in SEGMENTS.items() for recency, value in cells
    )
