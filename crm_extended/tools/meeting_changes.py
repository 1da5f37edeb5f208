from collections import defaultdict


class MeetingChanges:
    """What happened to calendar events during one call.

    The calendar writes one event many times, and a series event by event; what is derived from
    events is brought up to date once, from the ids that are gathered here.
    """

    def __init__(self):
        self.created = set()
        """ids of events that were created"""
        self.names = defaultdict(set)
        """event id → names of the fields that were written"""
        self.uninvited = set()
        """ids of events that lost an external attendee"""
        self.planned = {}
        """event id → id of the planned interaction for which it was scheduled"""
        self.orphans = set()
        """ids of interactions whose events were deleted"""

    def add_created(self, event_ids):
        """Note that events were created."""
        self.created.update(event_ids)

    def add_written(self, event_ids, names):
        """Note that fields of events were written."""
        for event_id in event_ids:
            self.names[event_id].update(names)

    def get_event_ids(self):
        """All events that something happened to, in the order of their ids."""
        return sorted(self.created | self.names.keys() | self.uninvited | self.planned.keys())


def match_occurrences(old, new):
    """Tell which occurrence of a rewritten series stands for which one before.

    First those that begin at the same moment, then those on the same day, then the rest that is
    still to come, in order of time.

    :param old: list of (id, datetime start, bool pending) of the occurrences that are gone
    :param new: list of (id, datetime start) of those that took their place
    :return: dict new id → old id
    """
    old = sorted(old, key=lambda item: (item[1], item[0]))
    new = sorted(new, key=lambda item: (item[1], item[0]))
    pairs = {}
    for get_key in (lambda item: item[1], lambda item: item[1].date()):
        free = defaultdict(list)
        for item in old:
            free[get_key(item)].append(item)
        for item in new:
            if item[0] not in pairs and free.get(get_key(item)):
                pairs[item[0]] = free[get_key(item)].pop(0)[0]
        taken = set(pairs.values())
        old = [item for item in old if item[0] not in taken]
    rest = [item for item in new if item[0] not in pairs]
    pairs.update(
        (item[0], before[0])
        for item, before in zip(rest, (item for item in old if item[2]), strict=False)
    )
    return pairs
