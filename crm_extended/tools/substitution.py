"""Who stands in for whom: chains of substitutes, without a database."""

from typing import NamedTuple


class Cover(NamedTuple):
    """Somebody who is away now.

    :ivar holder: id of who has the work meanwhile, the last of the chain of substitutes; None if
        the chain ends at nobody or runs in a circle
    :ivar absence: id of the absence that says so
    :ivar until: naive datetime in UTC at which the last of the overlapping absences ends
    """

    holder: int | None
    absence: int
    until: object


class Period(NamedTuple):
    """An absence: ids of company, user and substitute (or None), from ``start`` until ``stop``."""

    company: int
    user: int
    substitute: int | None
    start: object
    stop: object
    absence: int


def find_holder(user, substitutes):
    """Follow the chain of substitutes of somebody who may be away.

    :param user: whom the work is meant for
    :param dict substitutes: who is away → the substitute, or None for nobody
    :return: the first in the chain who is not away (``user``, when present), or None when the
        chain ends at nobody or comes back to somebody it has passed
    """
    passed = set()
    while user is not None and user in substitutes:
        if user in passed:
            return None
        passed.add(user)
        user = substitutes[user]
    return user


def find_circle(new, periods):
    """The circle of substitutes that an absence would close, if it does.

    A circle is one at some moment: all absences in it overlap. Two people may stand in for each
    other in different weeks.

    :param tuple new: (user, substitute, start, stop); ``stop`` is no longer part of it
    :param periods: the same of all other absences, in any order
    :return: list of users from ``new`` back to its user, and the moments between which nobody
        would be there; or None
    """
    by_user = {}
    for period in periods:
        by_user.setdefault(period[0], []).append(period)
    origin, substitute, start, stop = new
    pending = [([origin, substitute], start, stop)]
    while pending:
        path, start, stop = pending.pop()
        if path[-1] == origin:
            return path, start, stop
        for _user, following, other_start, other_stop in by_user.get(path[-1], ()):
            common = max(start, other_start), min(stop, other_stop)
            if common[0] >= common[1] or following is None:
                continue
            if following == origin or following not in path:
                pending.append(([*path, following], *common))
    return None
