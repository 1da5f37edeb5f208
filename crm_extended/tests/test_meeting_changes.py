from datetime import datetime, timedelta

from odoo.tests import BaseCase, tagged

from ..tools.meeting_changes import MeetingChanges, match_occurrences

DAY = datetime(2031, 3, 3, 10, 0)


@tagged("post_install", "-at_install")
class TestMeetingChanges(BaseCase):
    """Which occurrence of a rewritten series stands for which one before."""

    def _get_series(self, first_id, number, shift=None):
        shift = shift or timedelta()
        return [(first_id + index, DAY + timedelta(days=index) + shift) for index in range(number)]

    def test_same_day(self):
        """Moved by hours: day by day, whatever is done already."""
        old = [(*item, index > 1) for index, item in enumerate(self._get_series(1, 4))]
        new = self._get_series(11, 4, timedelta(hours=2))
        self.assertEqual(match_occurrences(old, new), {11: 1, 12: 2, 13: 3, 14: 4})

    def test_other_days(self):
        """Moved by days: what is still to come moves along in order, what is done stays."""
        old = [(*item, index > 0) for index, item in enumerate(self._get_series(1, 3))]
        new = self._get_series(11, 3, timedelta(days=30))
        self.assertEqual(match_occurrences(old, new), {11: 2, 12: 3})

    def test_shorter_and_longer(self):
        old = [(*item, True) for item in self._get_series(1, 3)]
        self.assertEqual(match_occurrences(old, self._get_series(11, 2)), {11: 1, 12: 2})
        pairs = match_occurrences(old, self._get_series(11, 5))
        self.assertEqual(pairs, {11: 1, 12: 2, 13: 3})

    def test_several_a_day(self):
        old = [(1, DAY, True), (2, DAY + timedelta(hours=3), True)]
        new = [(11, DAY + timedelta(hours=3)), (12, DAY + timedelta(hours=6))]
        self.assertEqual(match_occurrences(old, new), {11: 2, 12: 1})

    def test_nothing(self):
        self.assertEqual(match_occurrences([], self._get_series(1, 2)), {})
        self.assertEqual(match_occurrences([(1, DAY, True)], []), {})

    def test_gathered(self):
        changes = MeetingChanges()
        changes.add_written([5, 3], {"name"})
        changes.add_written([3], {"start"})
        changes.add_created([7])
        changes.uninvited.add(9)
        self.assertEqual(changes.get_event_ids(), [3, 5, 7, 9])
        self.assertEqual(changes.names[3], {"name", "start"})
        self.assertEqual(changes.names[7], set())
