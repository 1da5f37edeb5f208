from odoo.addons.crm_extended.tools.process_path import get_next, get_previous, judge_move
from odoo.tests import BaseCase, tagged


@tagged("post_install", "-at_install")
class TestProcessPath(BaseCase):
    """Moves along the steps. No database."""

    def test_strict_moves(self):
        path = [10, 5, 7, 9]
        for old, new, verdict in (
            (10, 10, "same"),
            (10, 5, "forward"),
            (10, 7, "skip"),
            (10, 9, "skip"),
            (7, 5, "back"),
            (9, 10, "back"),
            (5, 8, "outside"),
            (5, None, "outside"),
            (None, None, "same"),
            (None, 10, "forward"),
            (None, 5, "skip"),
            (8, 10, "forward"),
            (8, 9, "skip"),
        ):
            with self.subTest(old=old, new=new):
                self.assertEqual(judge_move(path, old, new), verdict)

    def test_free_moves(self):
        for old, new, verdict in ((1, 3, "forward"), (3, 1, "forward"), (1, 4, "outside")):
            with self.subTest(old=old, new=new):
                self.assertEqual(judge_move([1, 2, 3], old, new, one_by_one=False), verdict)

    def test_every_stage_is_reached_one_by_one(self):
        path = list(range(6))
        stage, seen = None, []
        while (following := get_next(path, stage)) is not None:
            self.assertEqual(judge_move(path, stage, following), "forward")
            self.assertEqual(get_previous(path, following), seen)
            stage = following
            seen.append(stage)
        self.assertEqual(seen, path)
        self.assertEqual(get_previous(path, 99), [])
