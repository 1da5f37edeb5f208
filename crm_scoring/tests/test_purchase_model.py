import csv
from pathlib import Path

import numpy as np
from odoo.addons.crm_scoring.tools import purchase_model
from odoo.tests import BaseCase, tagged

# counts of the 2,357 clients of the CDNOW 1/10 sample by (x, t_x, T); times in weeks
CDNOW = Path(__file__).parent / "data" / "cdnow.csv"


@tagged("post_install", "-at_install")
class TestPurchaseModel(BaseCase):
    """Against the published figures of Fader, Hardie and Lee (2005) and Fader and Hardie (2013)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(CDNOW, encoding="ascii") as source:
            rows = [list(map(float, row)) for row in csv.reader(source)]
        cls.x, cls.t_x, cls.age, cls.clients = np.array(rows).T

    def fit(self):
        return purchase_model.fit_bgnbd(self.x, self.t_x, self.age, self.clients)

    def test_published_parameters(self):
        self.assertEqual(self.clients.sum(), 2357)
        fit = self.fit()
        self.assertTrue(fit.converged)
        for found, published in zip(fit.parameters, (0.243, 4.414, 0.793, 2.426), strict=True):
            self.assertLess(abs(found / published - 1), 0.01)
        self.assertAlmostEqual(fit.log_likelihood, -9582.43, places=2)

    def test_any_start_finds_the_same(self):
        best = self.fit()
        for start in ((3, 30, 3, 3), (0.05, 0.5, 0.1, 0.5)):
            fit = purchase_model.fit_bgnbd(self.x, self.t_x, self.age, self.clients, start)
            self.assertAlmostEqual(fit.log_likelihood, best.log_likelihood, places=2)

    def test_gradient_is_exact(self):
        """A step to any side of the optimum is worse."""
        best = self.fit()
        for index in range(4):
            for factor in (0.97, 1.03):
                parameters = list(best.parameters)
                parameters[index] *= factor
                self.assertLess(self.log_likelihood(parameters), best.log_likelihood)
        self.assertAlmostEqual(self.log_likelihood(best.parameters), best.log_likelihood, places=4)

    def log_likelihood(self, parameters):
        """The likelihood as it stands in the paper, equation (6), client by client."""
        from math import lgamma, log

        r, alpha, a, b = parameters
        total = 0.0
        for x, t_x, age, clients in zip(self.x, self.t_x, self.age, self.clients, strict=True):
            beta = lgamma(a + b) + lgamma(b + x) - lgamma(b) - lgamma(a + b + x)
            rate = lgamma(r + x) - lgamma(r) + r * log(alpha)
            stayed = (1 / (alpha + age)) ** (r + x)
            left = a / (b + x - 1) * (1 / (alpha + t_x)) ** (r + x) if x else 0.0
            total += clients * (beta + rate + log(stayed + left))
        return total

    def test_expected_purchases(self):
        """The worked example of the authors' spreadsheet: x=2, t_x=30.43, T=38.86, 39 weeks."""
        parameters = (0.2426, 4.4136, 0.7930, 2.4259)
        [expected] = purchase_model.expected_purchases(parameters, [2], [30.43], [38.86], 39)
        self.assertAlmostEqual(expected, 1.226, places=3)
        none = purchase_model.expected_purchases(parameters, [0], [0.0], [38.86], 39)[0]
        self.assertLess(none, 0.5)

    def test_probability_alive(self):
        parameters = (0.2426, 4.4136, 0.7930, 2.4259)
        alive = purchase_model.probability_alive(
            parameters, [0, 2, 10, 10], [0, 30, 38, 5], [38.86, 38.86, 38.86, 38.86]
        )
        self.assertEqual(alive[0], 1, "by the model nobody leaves before a second purchase")
        self.assertGreater(alive[2], 0.8, "bought often and lately")
        self.assertLess(alive[3], 0.01, "bought often and stopped")

    def test_large_numbers_do_not_overflow(self):
        parameters = (0.2426, 4.4136, 0.7930, 2.4259)
        found = purchase_model.expected_purchases(parameters, [5000], [700.0], [701.0], 52)
        self.assertTrue(np.isfinite(found).all())
        self.assertTrue(250 < found[0] < 5000 / 705 * 52, "his rate, less the chance to leave")
        gone = purchase_model.probability_alive(parameters, [5000], [100.0], [701.0])
        self.assertAlmostEqual(gone[0], 0, places=9)

    def test_amounts(self):
        """Drawn from known parameters, these are found again, in any currency."""
        rng = np.random.default_rng(7)
        p, q, v = 6.25, 3.74, 15.4
        x = rng.integers(1, 9, 20_000)
        mean = rng.gamma(p * x, 1 / (rng.gamma(q, 1 / v, len(x)) * x))
        for unit in (1.0, 1000.0):
            fit = purchase_model.fit_gamma_gamma(x, mean * unit)
            self.assertTrue(fit.converged)
            population = fit.parameters[0] * fit.parameters[2] / (fit.parameters[1] - 1)
            self.assertAlmostEqual(population / unit, p * v / (q - 1), delta=1)
        often = purchase_model.expected_mean((p, q, v), [50], [100.0])[0]
        once = purchase_model.expected_mean((p, q, v), [1], [100.0])[0]
        self.assertGreater(often, 90)
        self.assertLess(once, often, "one purchase says less than fifty")

    def test_nonsense(self):
        for x, t_x, age in (([], [], []), ([-1], [0], [1]), ([1], [5], [3])):
            with self.assertRaises(ValueError):
                purchase_model.fit_bgnbd(x, t_x, age)
        with self.assertRaises(ValueError):
            purchase_model.fit_gamma_gamma([1], [0])

    def test_everybody_the_same_is_no_model(self):
        fit = purchase_model.fit_bgnbd([3] * 50, [10.0] * 50, [11.0] * 50)
        self.assertFalse(fit.converged)
