import random
from collections import Counter
from itertools import chain, combinations

import numpy as np
from odoo.addons.crm_scoring.tools import association, recommender
from odoo.tests import BaseCase, tagged


def as_arrays(baskets):
    pairs = [(number, item) for number, basket in enumerate(baskets) for item in sorted(basket)]
    array = np.array(pairs).reshape(-1, 2)
    return array[:, 0], array[:, 1]


@tagged("post_install", "-at_install")
class TestAssociation(BaseCase):
    """Against counting every subset of every basket."""

    def count_all(self, baskets, min_count, max_size):
        counts = Counter(
            chain.from_iterable(
                combinations(sorted(basket), size)
                for basket in baskets
                for size in range(1, max_size + 1)
            )
        )
        return {members: count for members, count in counts.items() if count >= min_count}

    def get_baskets(self, seed, number=300, items=14):
        rng = random.Random(seed)
        baskets = []
        for _basket in range(number):
            basket = {item for item in range(items) if rng.random() < 0.5 / (1 + item / 3)}
            if 1 in basket and rng.random() < 0.8:
                basket |= {7, 11}
            baskets.append(basket)
        return baskets

    def test_sets_equal_counting(self):
        for seed in range(4):
            baskets = self.get_baskets(seed)
            basket, item = as_arrays(baskets)
            found = association.find_frequent_sets(basket, item, len(baskets), 6, 5)
            self.assertEqual(found, self.count_all(baskets, 6, 5))

    def test_blocks_change_nothing(self):
        baskets = self.get_baskets(9, number=500)
        basket, item = as_arrays(baskets)
        whole = association.find_frequent_sets(basket, item, len(baskets), 5)
        block, association._BLOCK = association._BLOCK, 50
        try:
            self.assertEqual(association.find_frequent_sets(basket, item, len(baskets), 5), whole)
        finally:
            association._BLOCK = block

    def test_measures(self):
        baskets = [{1, 2}, {1, 2}, {1, 2}, {1}, {2}, {3}, {3}, {3}, {3}, {3}]
        basket, item = as_arrays(baskets)
        sets = association.find_frequent_sets(basket, item, 10, 1)
        [rule] = [r for r in association.find_rules(sets, 10) if r.antecedent == (1,)]
        self.assertEqual((rule.consequent, rule.count, rule.support), ((2,), 3, 0.3))
        self.assertAlmostEqual(rule.confidence, 3 / 4)
        self.assertAlmostEqual(rule.lift, (3 / 4) / (4 / 10))
        self.assertAlmostEqual(rule.leverage, 0.3 - 0.4 * 0.4)

    def test_thresholds(self):
        baskets = self.get_baskets(1)
        basket, item = as_arrays(baskets)
        sets = association.find_frequent_sets(basket, item, len(baskets), 5)
        every = association.find_rules(sets, len(baskets))
        chosen = association.find_rules(sets, len(baskets), 0.5, 1.5, 0.01, max_consequents=1)
        expected = [
            r
            for r in every
            if r.confidence >= 0.5 and r.lift >= 1.5 and r.leverage >= 0.01
            and len(r.consequent) == 1
        ]  # fmt: skip
        self.assertEqual(chosen, expected)
        self.assertTrue(chosen)

    def test_trivial_duplicates_are_left_out(self):
        # 1 alone leads to 2 in all cases: 1 and 3 together tell no more
        baskets = [{1, 2, 3}] * 5 + [{1, 2}] * 5 + [{3}] * 5
        basket, item = as_arrays(baskets)
        sets = association.find_frequent_sets(basket, item, 15, 1)
        strong = association.find_rules(sets, 15, 0.6, max_consequents=1, strong_only=True)
        lefts = {r.antecedent for r in strong if r.consequent == (2,)}
        self.assertEqual(lefts, {(1,)})

    def test_nothing(self):
        self.assertEqual(association.find_frequent_sets([], [], 0, 1), {})
        self.assertEqual(association.find_rules({}, 0), [])

    def test_too_many(self):
        limit, association.MAX_ITEMSETS = association.MAX_ITEMSETS, 50
        try:
            basket, item = as_arrays([set(range(12))] * 3)
            with self.assertRaises(association.TooManySets):
                association.find_frequent_sets(basket, item, 3, 1)
        finally:
            association.MAX_ITEMSETS = limit


@tagged("post_install", "-at_install")
class TestRecommender(BaseCase):
    """Two groups of clients with tastes of their own; each buys some of the ten of his group."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rng = random.Random(2)
        rows = []
        cls.group = {}
        for client in range(120):
            cls.group[client] = client % 2
            for day in range(rng.randint(0, 40), 400, rng.randint(20, 60)):
                for _line in range(3):
                    product = 10 * (client % 2) + int(10 * rng.random() ** 1.5)
                    rows.append((client, product, day))
        client, product, day = np.array(sorted(set(rows))).T
        cls.sales = recommender.Sales(client, product, day, 120, 20)

    def test_new_products_are_of_the_own_group(self):
        model = recommender.learn(self.sales, 401, recommender.Options(crowd=1e-6, power=0))
        for client in range(20):
            own, _habit = model.get_own(client)
            best = recommender.recommend(model.score(client), 1, own)
            if len(own) == 10:
                continue
            self.assertEqual(best[0] // 10, self.group[client])
            because = model.explain(client, best[0])
            self.assertIn(because, own)

    def test_habit(self):
        model = recommender.learn(self.sales, 401, recommender.Options(similar=0, habit=1, crowd=0))
        bought = Counter(self.sales.product[self.sales.client == 3].tolist())
        best = recommender.recommend(model.score(3), 20).tolist()
        self.assertIn(best[0], dict(bought.most_common(3)))

    def test_forbidden(self):
        scores = np.array([3.0, 2.0, 1.0])
        self.assertEqual(recommender.recommend(scores, 2, np.array([0])).tolist(), [1, 2])
        self.assertEqual(recommender.recommend(scores, 9, np.array([0, 1, 2])).tolist(), [])
        self.assertEqual(scores.tolist(), [3.0, 2.0, 1.0], "the caller's array stays")

    def test_tuning_beats_the_crowd(self):
        fresh, usual, report = recommender.tune(self.sales, 401)
        self.assertGreater(report["clients"], 20)
        self.assertGreaterEqual(report["new"], report["new_crowd"])
        self.assertGreaterEqual(report["all"], report["all_crowd"])
        self.assertGreater(fresh.similar, 0)
        self.assertEqual(usual.penalty, fresh.penalty)

    def test_few_sales(self):
        few = recommender.Sales(
            np.array([0, 0]), np.array([0, 1]), np.array([1, 2]), clients=1, products=2
        )
        fresh, usual, report = recommender.tune(few, 3)
        self.assertEqual(report, {})
        model = recommender.learn(few, 3, usual)
        self.assertEqual(recommender.recommend(model.score(0, fresh), 5, [0, 1]).tolist(), [])
        nobody = recommender.Sales(*(np.zeros(0, int) for _n in range(3)), clients=0, products=0)
        self.assertEqual(recommender.tune(nobody, 3)[2], {})

    def test_intervals(self):
        rows = [(0, 0, day) for day in (0, 10, 30, 40)] + [(1, 0, 5)] + [(2, 1, 3), (2, 1, 9)]
        client, product, day = np.array(rows).T
        sales = recommender.Sales(client, product, day, 3, 2)
        model = recommender.learn(sales, 50, recommender.Options())
        days, own = recommender.find_intervals(sales, model)
        self.assertEqual(days[0], 10)
        self.assertTrue(own[0])
        self.assertTrue(np.isnan(days[1]), "three intervals of one client are too few for all")
        self.assertTrue(np.isnan(days[2]), "one interval is none")
