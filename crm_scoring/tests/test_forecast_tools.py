import math

import numpy as np
from odoo.addons.crm_scoring.tools import forecast, smoothing
from odoo.tests import BaseCase, tagged


@tagged("post_install", "-at_install")
class TestSmoothing(BaseCase):
    """Each method against its formula written out, and against what must hold for any series."""

    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(7)

    def get_series(self, count, season=0.3):
        months = np.arange(count)
        level = 200 + np.cumsum(self.random.normal(0, 4, count))
        return level * (1 + season * np.sin(2 * np.pi * months / 12)) + self.random.normal(
            0, 8, count
        )

    def test_naive(self):
        values = np.arange(1.0, 15.0)
        rows = smoothing.naive(values, 14, 12)
        self.assertTrue(np.isnan(rows[11]).all(), "there is no month a year ago yet")
        self.assertEqual(rows[12].tolist(), [*range(1, 13), 1, 2])
        self.assertEqual(smoothing.naive(values, 2)[-1].tolist(), [14, 14])

    def test_damped_by_hand(self):
        """The recursion with one set of constants, in scalars."""
        values = self.get_series(30, season=0)
        rows = smoothing.damped(values, 4)
        best = None
        for alpha, beta, _gamma, phi in smoothing._get_grid(False).T:
            half = smoothing.START // 2
            start = values[: smoothing.START]
            trend = (start[half:].mean() - start[:half].mean()) / half
            level = start.mean() - trend * (smoothing.START + 1) / 2
            squares = 0.0
            for value in values:
                error = value - level - phi * trend
                squares += error**2
                level, trend = (
                    level + phi * trend + alpha * error,
                    phi * trend + alpha * beta * error,
                )
            if best is None or squares < best[0] - 1e-9:
                ahead = [
                    level + sum(phi**step for step in range(1, h + 1)) * trend for h in range(1, 5)
                ]
                best = (squares, ahead)
        np.testing.assert_allclose(rows[-1], best[1], rtol=1e-9)

    def test_season_is_found(self):
        months = np.arange(48)
        values = (100 + months) * (1 + 0.4 * np.sin(2 * np.pi * months / 12))
        ahead = np.arange(48, 60)
        wanted = (100 + ahead) * (1 + 0.4 * np.sin(2 * np.pi * ahead / 12))
        for multiplicative, tolerance in ((True, 0.05), (False, 0.12)):
            rows = smoothing.damped(values, 12, 12, multiplicative)
            self.assertLess(np.abs(rows[-1] / wanted - 1).max(), tolerance)

    def test_multiplicative_needs_positive_values(self):
        values = self.get_series(36)
        values[5] = 0
        self.assertIsNone(smoothing.damped(values, 3, 12, multiplicative=True))

    def test_croston_by_hand(self):
        values = [0, 0, 6, 0, 0, 0, 9, 3, 0]
        expected = {}
        for alpha in smoothing.CROSTON_ALPHAS:
            size, interval = 6 + alpha * (9 - 6), 3 + alpha * (4 - 3)
            size, interval = size + alpha * (3 - size), interval + alpha * (1 - interval)
            expected[alpha] = (1 - alpha / 2) * size / interval
        rows = smoothing.croston(values, 3)
        self.assertEqual(len(set(rows[-1].tolist())), 1, "the same for all months ahead")
        self.assertTrue(
            any(math.isclose(rows[-1][0], value) for value in expected.values()), rows[-1]
        )

    def test_ceasing_by_hand(self):
        values = [0, 0, 6, 0, 0]
        expected = []
        for beta in smoothing.CROSTON_ALPHAS:
            chance = 1 / 3 * (1 - beta) ** 2
            expected.append(6 * chance)
        rows = smoothing.ceasing(values, 2)
        self.assertEqual(rows[1].tolist(), [0, 0], "nothing sold yet")
        self.assertTrue(any(math.isclose(rows[-1][0], value) for value in expected))
        self.assertLess(rows[-1][0], rows[-2][0], "it falls while nothing is sold")

    def test_theta_by_hand(self):
        """Of a straight line: the last level, and half the slope on top."""
        values = 10 + 3.0 * np.arange(20)
        row = smoothing.theta(values, 3)[-1]
        np.testing.assert_allclose(np.diff(row), 1.5)
        alpha = 0.99  # follows the line best
        level = values[:6].mean()
        for value in values:
            level += alpha * (value - level)
        self.assertAlmostEqual(row[0], level + 1.5 * (1 - (1 - alpha) ** 20) / alpha, 9)

    def test_season_by_moving_averages(self):
        shape = np.array([0.5, 1, 1.5, 1])
        np.testing.assert_allclose(smoothing.find_season(np.tile(shape, 4) * 80, 4), shape)
        np.testing.assert_allclose(
            smoothing.find_season(np.tile(shape - 1, 4), 4), shape - 1, atol=1e-12
        )
        rows = smoothing.theta(np.tile(shape, 5) * 80, 4, 4)
        np.testing.assert_allclose(rows[-1], shape * 80)

    def test_nothing_looks_ahead(self):
        """What comes later changes no earlier forecast."""
        values = np.maximum(self.get_series(40), 1)
        other = values.copy()
        other[30:] = self.random.uniform(1, 900, 10)
        for name, rows in forecast.get_candidates(values, 6).items():
            changed = forecast.get_candidates(other, 6)[name]
            np.testing.assert_array_equal(rows[:31], changed[:31], name)

    def test_scale_of_the_currency_does_not_matter(self):
        values = np.maximum(self.get_series(40), 1)
        one, other = forecast.forecast_series(values), forecast.forecast_series(values * 1000)
        self.assertEqual(one.method, other.method)
        np.testing.assert_allclose(one.mean * 1000, other.mean, rtol=1e-6)
        self.assertAlmostEqual(one.mase, other.mase, 6)


@tagged("post_install", "-at_install")
class TestForecast(BaseCase):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(11)

    def test_too_little_history(self):
        self.assertIsNone(forecast.forecast_series([5.0] * 11))
        self.assertIsNone(forecast.forecast_sales([5.0] * 11, [1] * 11, [1] * 11))
        self.assertTrue(forecast.forecast_series([5.0] * 12))

    def test_choice_and_error_by_hand(self):
        """MASE of each candidate from its definition; the least, or the mean, wins."""
        values = self.random.uniform(50, 90, 40).round(1)
        found = forecast.forecast_series(values, 6)
        scale = sum(abs(values[t] - values[t - 12]) for t in range(12, 40)) / 28
        for name, rows in forecast.get_candidates(values, 6).items():
            errors = [
                abs(values[t + h] - max(rows[t, h], 0))
                for t in range(forecast.get_first_origin(40), 40)
                for h in range(6)
                if t + h < 40
            ]
            self.assertAlmostEqual(found.scores[name], sum(errors) / len(errors) / scale, 9)
        self.assertEqual(found.mase_naive, found.scores["seasonal_naive"])
        scores = dict(found.scores)
        together = scores.pop("combination")
        best = min(scores, key=scores.get)
        clearly = scores[best] < 0.9 * together
        self.assertEqual(found.method, best if clearly else "combination")
        self.assertLess(found.mase, found.mase_naive)

    def test_combination_by_hand(self):
        """Weights are errors to the power of minus three; what is clearly better is taken alone."""
        rows = {name: np.full((3, 2), value) for name, value in (("a", 10.0), ("b", 40.0))}
        together = forecast.combine(rows, {"a": 0.5, "b": 1.0})
        np.testing.assert_allclose(together, (8 * 10 + 40) / 9)
        season = 100 * (1 + 0.5 * np.sin(2 * np.pi * np.arange(60) / 12))
        self.assertNotEqual(forecast.forecast_series(season).method, "combination")

    def test_seasons_of_weeks_and_days(self):
        """A year of days knows the week; a year of weeks knows no year before."""
        days = np.tile([5.0, 6, 7, 8, 9, 0, 1], 30) + self.random.normal(0, 0.2, 210)
        found = forecast.forecast_series(days, 7, period=7)
        self.assertEqual(found.naive, "seasonal_naive")
        np.testing.assert_allclose(found.mean, np.roll(days[:7], 0).round(), atol=0.6)
        found = forecast.forecast_series(days[:52], 4, period=52)
        self.assertEqual(found.naive, "naive")

    def test_constant_series(self):
        found = forecast.forecast_series([100.0] * 24)
        np.testing.assert_allclose(found.mean, 100)
        np.testing.assert_allclose(found.bounds[95], 100)

    def test_sparse_series(self):
        values = np.where(self.random.random(48) < 0.3, self.random.gamma(3, 10, 48), 0)
        self.assertIn("croston", forecast.get_candidates(values, 12))
        found = forecast.forecast_series(values)
        self.assertTrue((found.bounds[80][0] >= 0).all(), "sales of months without returns")

    def test_returns_may_go_below_zero(self):
        values = self.random.normal(0, 50, 36)
        self.assertLess(forecast.forecast_series(values).bounds[95][0].min(), 0)

    def test_average_cheque_is_turnover_by_orders(self):
        orders = self.random.integers(5, 30, 36).astype(float)
        turnover = orders * self.random.uniform(80, 120, 36)
        clients = np.minimum(orders, 12)
        found = forecast.forecast_sales(turnover, orders, clients)
        np.testing.assert_allclose(
            found["average"].mean, found["turnover"].mean / found["orders"].mean
        )
        self.assertTrue((found["clients"].mean <= found["orders"].mean + 1e-9).all())
        for one in found.values():
            for level in forecast.LEVELS:
                low, high = one.bounds[level]
                self.assertTrue((low <= one.mean + 1e-9).all() and (one.mean <= high + 1e-9).all())
            self.assertTrue((one.bounds[95][1] >= one.bounds[80][1]).all(), "95 is the wider")

    def test_months_without_orders(self):
        orders = np.array([3, 0, 0, 2] * 6, float)
        found = forecast.forecast_sales(orders * 50, orders, orders)
        self.assertAlmostEqual(found["average"].mean[0], 50)
        zeros = np.zeros(24)
        found = forecast.forecast_sales(self.random.normal(-5, 1, 24), zeros, zeros)
        self.assertEqual(found["average"].bounds, {}, "never an order: nothing to test")

    def test_intervals_do_not_narrow(self):
        values = 100 + np.cumsum(self.random.normal(0, 5, 48))
        spread = forecast.get_spread(forecast.get_errors(values, smoothing.naive(values, 12), 24))
        self.assertTrue((np.diff(spread) >= -1e-9).all())
        self.assertGreater(spread[-1], spread[0], "a random walk is less known later")

    def test_coverage(self):
        """Of what follows 80 and 95 in 100 lie within, roughly, on series of several kinds."""
        inside = {level: [] for level in forecast.LEVELS}
        months = np.arange(72)
        for number in range(120):
            noise = self.random.normal(0, 1, 72)
            values = {
                0: 100 + 15 * noise,
                1: 100 + 0.8 * months + 8 * noise,
                2: 150 + 40 * np.sin(2 * np.pi * months / 12) + 10 * noise,
                3: 200 + np.cumsum(4 * noise),
            }[number % 4]
            found = forecast.forecast_series(values[:60])
            for level, (low, high) in found.bounds.items():
                inside[level] += ((values[60:] >= low) & (values[60:] <= high)).tolist()
        self.assertTrue(0.74 <= np.mean(inside[80]) <= 0.9, np.mean(inside[80]))
        self.assertTrue(0.9 <= np.mean(inside[95]) <= 0.99, np.mean(inside[95]))

    def test_quantiles_of_student(self):
        """Against published tables."""
        for freedom, t_80, t_95 in (
            (1, 3.078, 12.706), (2, 1.886, 4.303), (3, 1.638, 3.182), (5, 1.476, 2.571),
            (10, 1.372, 2.228), (30, 1.310, 2.042),
        ):  # fmt: skip
            self.assertAlmostEqual(forecast.get_t_quantile(80, freedom) / t_80, 1, 2)
            self.assertAlmostEqual(forecast.get_t_quantile(95, freedom) / t_95, 1, 2)
