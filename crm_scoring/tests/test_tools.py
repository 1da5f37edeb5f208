from datetime import date, datetime

from odoo.fields import Domain
from odoo.tests import BaseCase, tagged

from ..tools import scoring
from ..tools.relative_dates import anchor_domain, resolve_relative_date


@tagged("post_install", "-at_install")
class TestScoringTools(BaseCase):
    def test_total_value_is_kept_between_0_and_100(self):
        self.assertEqual(scoring.total_value(40, [20, -5.5]), 54.5)
        self.assertEqual(scoring.total_value(40, [90]), 100)
        self.assertEqual(scoring.total_value(40, [-90]), 0)
        self.assertEqual(scoring.total_value(40, []), 40)

    def test_class_from_value_includes_the_bound(self):
        bounds = (80, 60, 30)
        values = {100: "A", 80: "A", 79.9: "B", 60: "B", 30: "C", 29.9: "D", 0: "D"}
        for value, letter in values.items():
            self.assertEqual(scoring.class_from_value(value, bounds), letter, value)

    def test_adjust_class_stops_at_the_ends(self):
        self.assertEqual(scoring.adjust_class("A", 1), "A")
        self.assertEqual(scoring.adjust_class("D", -1), "D")
        self.assertEqual(scoring.adjust_class("C", 1), "B")
        self.assertEqual(scoring.adjust_class("C", 0), "C")
        with self.assertRaises(ValueError):
            scoring.adjust_class("E", 0)

    def test_drop_from_peak(self):
        self.assertEqual(scoring.drop_from_peak(60, 80), (20, 25))
        self.assertEqual(scoring.drop_from_peak(80, 80), (0, 0))
        self.assertEqual(scoring.drop_from_peak(0, 0), (0, 0))

    def test_band_points(self):
        bands = ((-7, -1), (0, 0), (10, 5))
        self.assertEqual(scoring.band_points(10, bands), (5, 10))
        self.assertEqual(scoring.band_points(9.9, bands), (0, 0))
        self.assertEqual(scoring.band_points(-7, bands), (-1, -7))
        self.assertIsNone(scoring.band_points(-8, bands))
        self.assertIsNone(scoring.band_points(None, bands))
        self.assertIsNone(scoring.band_points(3, ()))

    def test_score_band_has_no_sixth(self):
        self.assertEqual([scoring.score_band(v) for v in (0, 19.9, 20, 99, 100)], [0, 0, 1, 4, 4])

    def test_shrunk_rate_moves_from_prior_to_observation(self):
        self.assertEqual(scoring.shrunk_rate(0, 0, 0.3), 0.3)
        self.assertEqual(scoring.shrunk_rate(20, 20, 0.5, strength=20), 0.75)
        self.assertAlmostEqual(scoring.shrunk_rate(9000, 10000, 0.1), 0.9, 2)

    def test_win_probability_is_never_certain(self):
        none = (0, 0)
        low, _start = scoring.win_probability((0, 10**6), none, none, none)
        high, _start = scoring.win_probability((10**6, 10**6), none, none, none)
        self.assertEqual((low, high), (scoring.MIN_PROBABILITY, scoring.MAX_PROBABILITY))

    def test_win_probability_without_data_is_one_half_or_odoo(self):
        none = (0, 0)
        self.assertEqual(scoring.win_probability(none, none, none, none), (0.5, 0.5))
        self.assertEqual(scoring.win_probability(none, none, none, none, 0.0), (0.5, 0.5))
        self.assertEqual(scoring.win_probability(none, none, none, none, 0.2)[0], 0.35)

    def test_rank_contributions_settles_ties(self):
        ranked = scoring.rank_contributions(
            [
                {"factor": 2, "points": 5},
                {"factor": 3, "points": -10},
                {"factor": 1, "points": -5},
            ],
            "factor",
        )
        self.assertEqual([entry["factor"] for entry in ranked], [3, 1, 2])

    def test_relative_dates(self):
        now = datetime(2026, 3, 31, 10, 30)
        self.assertEqual(resolve_relative_date("today", now), date(2026, 3, 31))
        self.assertEqual(resolve_relative_date("today -1m", now), date(2026, 2, 28))
        self.assertEqual(resolve_relative_date("-7d", now), datetime(2026, 3, 24, 10, 30))
        self.assertEqual(resolve_relative_date("now +2H", now), datetime(2026, 3, 31, 12, 30))
        for other in ("2026-01-01", "", "soon", "=monday"):
            self.assertEqual(resolve_relative_date(other, now), other)

    def test_anchor_domain_reaches_sub_domains(self):
        now = datetime(2026, 3, 31)
        domain = anchor_domain(
            [("a_ids", "any", [("date", ">", "-1d")]), ("name", "=", "today")], now
        )
        expected = Domain("a_ids", "any", Domain("date", ">", datetime(2026, 3, 30)))
        self.assertEqual(domain, expected & Domain("name", "=", "today"))
