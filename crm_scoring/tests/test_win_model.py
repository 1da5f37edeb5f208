import random

from odoo.tests import TransactionCase, tagged

from ..tools import win_model, win_quality


@tagged("post_install", "-at_install")
class TestWinModel(TransactionCase):
    """The mathematics of the model of winning, without deals."""

    def _make(self, count, strength=2.0, seed=1):
        """Deals of which the source and the size tell something, the colour nothing."""
        rng = random.Random(seed)
        columns = {"source": [], "size": [], "colour": []}
        won = []
        for _number in range(count):
            source, size = rng.choice("abcd"), rng.random()
            columns["source"].append(source if rng.random() > 0.1 else None)
            columns["size"].append(size if rng.random() > 0.1 else None)
            columns["colour"].append(rng.choice("rgb"))
            odds = strength * ((source in "ab") - 0.5 + size - 0.5) - 0.5
            won.append(rng.random() < win_model.sigmoid(odds))
        return columns, won

    inputs = [
        {"name": "source", "kind": "category"},
        {"name": "size", "kind": "number"},
        {"name": "colour", "kind": "category"},
    ]

    def test_few_deals_are_never_all_alike(self):
        """Whatever the order: what was won more often ranks higher, if by little."""
        deals = [("a", 1)] * 2 + [("a", 0)] * 5 + [("b", 1)] + [("b", 0)] * 12
        rng = random.Random(7)
        for _order in range(30):
            order = rng.sample(deals, len(deals))
            model, _unseen = win_model.fit(
                [{"name": "source", "kind": "category"}],
                {"source": [source for source, _won in order]},
                [won for _source, won in order],
            )
            good, bad = win_model.predict(model, {"source": ["a", "b"]})
            self.assertGreater(good, bad)
            self.assertLess(good - bad, 0.2)

    def test_learns_what_matters(self):
        columns, won = self._make(2000)
        model, unseen = win_model.fit(self.inputs, columns, won)
        spread = {item["name"]: item["spread"] for item in model["inputs"]}
        self.assertGreater(spread["source"], 4 * spread["colour"])
        self.assertGreater(win_model.get_auc(unseen, won), 0.68)
        later, truth = self._make(2000, seed=2)
        quality = win_quality.measure(win_model.predict(model, later), truth, 0.4)
        self.assertGreater(quality["auc"], 0.68)
        self.assertLess(quality["error"], 0.05)
        self.assertLess(quality["log_loss"], quality["rate_loss"])

    def test_noise_gets_the_win_rate(self):
        columns, won = self._make(3000, strength=0.0)
        model, _unseen = win_model.fit(self.inputs, columns, won)
        chance = win_model.predict(model, columns)
        self.assertLess(chance.max() - chance.min(), 0.1)
        self.assertAlmostEqual(chance.mean(), sum(won) / len(won), delta=0.02)
        quality = win_quality.judge(self.inputs, columns, won)
        self.assertEqual(win_quality.get_verdict(quality, 3000, sum(won)), "not_ready")

    def test_few_deals_stay_near_the_rate(self):
        columns, won = self._make(10)
        model, _unseen = win_model.fit(self.inputs, columns, [True] * 3 + [False] * 7)
        chance = win_model.predict(model, columns)
        self.assertGreater(chance.min(), 0.1)
        self.assertLess(chance.max(), 0.7)

    def test_never_certain(self):
        columns = {"source": ["a"] * 500 + ["b"] * 20, "size": [0.0] * 520, "colour": ["r"] * 520}
        won = [True] * 500 + [True] * 19 + [False]
        model, _unseen = win_model.fit(self.inputs, columns, won)
        chance = win_model.predict(model, columns)
        self.assertLessEqual(chance.max(), 0.99)
        self.assertGreaterEqual(chance.min(), 0.01)

    def test_same_data_same_model(self):
        columns, won = self._make(300)
        first, _unseen = win_model.fit(self.inputs, columns, won)
        second, _unseen = win_model.fit(self.inputs, columns, won)
        self.assertEqual(first, second)

    def test_unknown_and_missing_values(self):
        columns, won = self._make(500)
        model, _unseen = win_model.fit(self.inputs, columns, won)
        odd = {"source": ["never seen", None], "size": [1e12, None], "colour": [None, "r"]}
        chance = win_model.predict(model, odd)
        self.assertEqual(len(chance), 2)
        self.assertTrue(((chance > 0.01) & (chance < 0.99)).all())

    def test_leaks_are_left_out_and_named(self):
        columns, won = self._make(400)
        columns["signed"] = ["yes" if w else None for w in won]
        columns["reason"] = [f"r{n % 3}" if not w else f"w{n % 3}" for n, w in enumerate(won)]
        inputs = [
            *self.inputs,
            {"name": "signed", "kind": "category"},
            {"name": "reason", "kind": "category"},
        ]
        model, _unseen = win_model.fit(inputs, columns, won)
        self.assertEqual(model["leaks"], {"signed": "empty", "reason": "perfect"})
        self.assertNotIn("signed", [item["name"] for item in model["inputs"]])

    def test_many_rare_categories_are_no_leak(self):
        columns, won = self._make(400)
        columns["client"] = [f"c{n // 2}" for n in range(400)]
        inputs = [*self.inputs, {"name": "client", "kind": "category"}]
        model, _unseen = win_model.fit(inputs, columns, won)
        self.assertFalse(model["leaks"])

    def test_monotone_where_told(self):
        rng = random.Random(3)
        values = [rng.random() for _n in range(600)]
        won = [rng.random() < 0.2 + 0.5 * v + 0.2 * (0.4 < v < 0.5) for v in values]
        inputs = [{"name": "score_value", "kind": "number", "monotone": 1}]
        model, _unseen = win_model.fit(inputs, {"score_value": values}, won)
        weights = model["inputs"][0]["weights"]
        self.assertEqual(weights, sorted(weights))
        self.assertLess(weights[0], weights[-1])

    def test_level_follows_a_drift(self):
        rng = random.Random(4)
        won = [rng.random() < (0.5 if n < 1200 else 0.2) for n in range(2000)]
        columns = {"colour": [rng.choice("rgb") for _n in won]}
        model, _unseen = win_model.fit([{"name": "colour", "kind": "category"}], columns, won)
        self.assertTrue(model["half_life"])
        self.assertLess(win_model.predict(model, columns).mean(), 0.32)

    def test_auc_and_its_error(self):
        self.assertEqual(win_model.get_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 0.75)
        self.assertEqual(win_model.get_auc([0.5, 0.5], [0, 1]), 0.5)
        self.assertIsNone(win_model.get_auc([0.5], [1]))
        # Hanley and McNeil 1982, table II: AUC 0.893, 51 and 58 cases, error 0.032
        error = win_quality.get_auc_error(0.893, [1] * 51 + [0] * 58)
        self.assertAlmostEqual(error, 0.032, delta=0.001)

    def test_verdicts(self):
        good = {"auc": 0.75, "auc_low": 0.68, "log_loss": 0.5, "rate_loss": 0.6, "error": 0.03}
        self.assertEqual(win_quality.get_verdict(good, 500, 200), "ready")
        self.assertEqual(win_quality.get_verdict(good, 120, 50), "usable")
        self.assertEqual(win_quality.get_verdict(good, 40, 20), "not_ready")
        self.assertEqual(win_quality.get_verdict(good, 500, 3), "not_ready")
        self.assertEqual(win_quality.get_verdict(good | {"error": 0.2}, 500, 200), "usable")
        self.assertEqual(win_quality.get_verdict(good | {"auc_low": 0.49}, 500, 200), "not_ready")
        self.assertEqual(win_quality.get_verdict(good | {"log_loss": 0.7}, 500, 200), "not_ready")
