import datetime
import io

import numpy as np
from odoo.addons.crm_scoring.tools import campaign
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import BaseCase, tagged
from openpyxl import load_workbook

from .test_segment_forecast import ForecastCommon

DATE = datetime.date(2024, 3, 1)


def simulate(random, count, effect, selection):
    """Clients of known habits; the addressed ones buy for ``effect`` more, all a fifth less.

    :param float selection: how much better clients are preferred when addressing
    """
    rate, size = random.gamma(1.2, 2, count), random.lognormal(4, 0.6, count)

    def buy(factor=1.0):
        orders = random.poisson(rate * factor)
        return orders, orders * size * random.lognormal(-0.02, 0.2, count)

    before_orders, before = buy()
    _orders, earlier = buy()
    good = np.log1p(before + earlier)
    addressed = random.random(count) < 1 / (1 + np.exp(1.2 - selection * (good - good.mean())))
    after_orders, after = buy(0.8)
    more = random.poisson(0.3, count) * addressed
    after, after_orders = after + more * effect / 0.3, after_orders + more
    figures = np.column_stack([good, np.log1p(before), np.log1p(earlier), before_orders])
    return addressed, figures, (before, after), (before_orders, after_orders)


def simulate_others(random, count, share, selection):
    """A second family, unlike the first: clients come, go and buy by months with a season,
    cheques have heavy tails; who was silent is addressed and buys by a share more often.

    It was looked at before the wider calipers and the least number of pairs were adopted.

    :return: addressed, figures, (before, after) and what each would buy more if addressed
    """
    rate, size = np.exp(random.normal(-0.9, 0.8, count)), np.exp(random.normal(4, 1, count))
    start = random.integers(0, 22, count)
    month = np.arange(27)
    present = (month >= start[:, None]) & (month < (start + random.geometric(0.05, count))[:, None])
    orders = random.poisson(rate[:, None] * (1 + 0.3 * np.sin(np.pi * month / 6)) * present)
    sales = orders * size[:, None] * random.gamma(2, 0.5, orders.shape)
    known = orders[:, :24].any(axis=1)
    rate, size, present, orders, sales = (
        part[known] for part in (rate, size, present, orders, sales)
    )
    bought = orders[:, :24] > 0
    silent, tenure = np.argmax(bought[:, ::-1], axis=1) + 1, 24 - np.argmax(bought, axis=1)
    figures = np.log1p(
        np.column_stack(
            [30 * silent, 30 * tenure, orders[:, 12:24].sum(1), sales[:, 12:24].sum(1),
             sales[:, 21:24].sum(1), sales[:, 18:21].sum(1)]
        )
    )  # fmt: skip
    far = np.log1p(silent) - np.log1p(silent).mean()
    addressed = random.random(len(rate)) < 1 / (1 + np.exp(1.0 - selection * far))
    more = 3 * rate * share * np.where(present[:, 24:].any(axis=1), 1, 0.25)
    gained = random.poisson(more) * size * random.gamma(2, 0.5, len(rate)) * addressed
    amounts = (sales[:, 21:24].sum(axis=1), sales[:, 24:].sum(axis=1) + gained)
    return addressed, figures, amounts, more * size


@tagged("post_install", "-at_install")
class TestCampaignTools(BaseCase):
    def compare(self, random, count, effect, selection):
        mine, figures, (before, after), _orders = simulate(random, count, effect, selection)
        own, others = figures[mine], figures[~mine]
        strata = np.minimum(figures[:, 3], 3).astype(int)
        scores = campaign.get_scores(own, others, np.log1p(after[~mine]))
        matched, pairs = campaign.match(*scores, strata[mine], strata[~mine])
        found = campaign.Comparison(own, others, matched, pairs).measure(
            before[mine], after[mine], before[~mine], after[~mine]
        )
        plain = after[mine].mean() - after[~mine].mean()
        return found, plain, campaign.get_balance(own, others, matched, pairs)

    def test_known_effect_is_found(self):
        """95 of 100 intervals hold the truth, also when the best clients were addressed."""
        random = np.random.default_rng(5)
        for selection in (0.0, 0.8):
            inside, effects, plains = [], [], []
            for _run in range(60):
                found, plain, _balance = self.compare(random, 500, 40, selection)
                inside.append(found.low <= 40 <= found.high)
                effects.append(found.effect)
                plains.append(plain)
            self.assertGreaterEqual(np.mean(inside), 0.88, f"selection {selection}")
            self.assertAlmostEqual(np.mean(effects), 40, delta=10)
            if selection:
                self.assertGreater(np.mean(plains), 100, "the plain difference is far off")

    def test_no_effect_is_not_claimed(self):
        random = np.random.default_rng(6)
        claims = sum(
            self.compare(random, 400, 0, 0.8)[0].verdict in ("more", "less") for _run in range(60)
        )
        self.assertLessEqual(claims, 8, "about 5 in 100 by chance")

    def test_other_families_and_small_data(self):
        """Intervals hold the truth on a second family too, with 120 clients as with 400."""
        random = np.random.default_rng(11)
        for count in (120, 400):
            for share in (0, 0.5):
                inside, claims, kept = [], [], []
                for _run in range(50):
                    mine, figures, (before, after), truth = simulate_others(
                        random, count, share, 0.8
                    )
                    own, others = figures[mine], figures[~mine]
                    scores = campaign.get_scores(own, others, np.log1p(after[~mine]))
                    zeros = np.zeros(len(mine))
                    matched, pairs = campaign.match(*scores, zeros[mine], zeros[~mine])
                    found = campaign.Comparison(own, others, matched, pairs).measure(
                        before[mine], after[mine], before[~mine], after[~mine]
                    )
                    inside.append(found.low <= truth[mine][matched].mean() <= found.high)
                    claims.append(found.verdict in ("more", "less"))
                    kept.append(len(matched) / mine.sum())
                self.assertGreaterEqual(np.mean(inside), 0.88, (count, share))
                self.assertGreater(np.mean(kept), 0.8, "few clients find a pair all the same")
                if not share:
                    self.assertLessEqual(np.mean(claims), 0.12)

    def test_matching_makes_alike(self):
        _found, _plain, (everybody, alike) = self.compare(np.random.default_rng(8), 1500, 0, 0.8)
        self.assertGreater(np.abs(everybody).max(), 0.5)
        self.assertLess(np.abs(alike).max(), campaign.ALIKE)

    def test_pairs(self):
        own = np.array([[0.0], [1.0], [50.0]])
        others = np.array([[0.05], [1.02], [1.01], [9.0]])
        matched, pairs = campaign.match(own, others, ["a", "a", "a"], ["a", "a", "b", "a"])
        self.assertEqual(matched.tolist(), [0, 1], "nobody is like the third")
        self.assertEqual([p.tolist() for p in pairs], [[0], [1]], "strata are kept, each once")

    def test_nobody_twice(self):
        random = np.random.default_rng(9)
        matched, pairs = campaign.match(
            random.normal(size=(20, 2)), random.normal(size=(200, 2)), [0] * 20, [0] * 200
        )
        used = np.concatenate(pairs)
        self.assertEqual(len(used), len(set(used.tolist())))
        self.assertTrue(len(matched) and max(map(len, pairs)) <= campaign.MAX_RATIO)

    def test_too_few(self):
        found, _plain, _balance = self.compare(np.random.default_rng(1), 60, 500, 0)
        self.assertEqual(found.verdict, "few")

    def test_quotient_by_hand(self):
        """With pairs of equal figures the effect is the difference of the quotients."""
        random = np.random.default_rng(2)
        count = 60
        figures = np.zeros((count, 1))
        pairs = [np.array([number]) for number in range(count)]
        comparison = campaign.Comparison(figures, figures, np.arange(count), pairs)
        above = [random.uniform(50, 100, count) for _part in range(4)]
        below = [random.integers(1, 4, count).astype(float) for _part in range(4)]
        found = comparison.measure_ratio(above, below)
        ratios = [up.sum() / down.sum() for up, down in zip(above, below, strict=True)]
        self.assertAlmostEqual(found.effect, ratios[1] - ratios[0] - ratios[3] + ratios[2], 6)
        below[3] = np.zeros(count)
        self.assertIsNone(comparison.measure_ratio(above, below), "nothing to divide by")


@tagged("post_install", "-at_install")
class TestCampaignEffect(ForecastCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._new_user("effect_manager", "sales_team.group_sale_manager")
        random = np.random.default_rng(4)
        cls.people = cls.env["res.partner"].create(
            [{"name": f"Effect client {n}", "country_id": cls.germany.id} for n in range(160)]
        )
        cls.addressed = cls.people[:60]
        rows = []
        for number, client in enumerate(cls.people):
            for back in (1, 2, 3, 5):
                day = DATE - datetime.timedelta(days=30 * back + int(random.integers(0, 20)))
                rows.append((client, day, float(random.uniform(80, 120)), f"{number}-{back}"))
            day = DATE + datetime.timedelta(days=int(random.integers(1, 50)))
            extra = 150 if client in cls.addressed else 0
            rows.append((client, day, float(random.uniform(80, 120)) + extra, f"{number}-after"))
        cls.add_facts(rows)

    def create_effect(self, **values):
        return (
            self.env["crm.campaign.effect"]
            .with_user(self.manager)
            .create(
                {
                    "name": "Spring",
                    "company_id": self.company.id,
                    "date": DATE,
                    "days": 60,
                    "partner_ids": [Command.set(self.addressed.ids)],
                    **values,
                }
            )
        )

    def compute(self, effect):
        effect.sudo()._compute_effect()
        return effect

    def test_effect(self):
        effect = self.compute(self.create_effect())
        self.assertEqual(effect.state, "done", effect.error)
        self.assertEqual(effect.addressed_count, 60)
        self.assertGreater(effect.matched_count, 30)
        self.assertEqual(effect.verdict, "more")
        line = effect.line_ids.filtered(lambda line: line.measure == "turnover")
        self.assertTrue(line.low < 150 < line.high, (line.low, line.high))
        self.assertIn("more each than clients like them", effect.summary)
        self.assertAlmostEqual(effect.turnover_total, line.effect * effect.matched_count, delta=1)
        response = effect.line_ids.filtered(lambda line: line.measure == "response")
        self.assertEqual(response.verdict, "unclear", "everybody bought after")
        self.assertEqual(len(effect.balance_ids), 6)
        before, lines = effect.summary, effect.line_ids.mapped("effect")
        self.compute(effect)
        self.assertEqual((effect.summary, effect.line_ids.mapped("effect")), (before, lines))

    def test_nobody_knows_the_difference(self):
        effect = self.compute(
            self.create_effect(partner_ids=[Command.set(self.people[60:110].ids)])
        )
        self.assertEqual(effect.verdict, "less", "the better half was not addressed")
        self.assertIn("less each", effect.summary)
        effect = self.compute(
            self.create_effect(
                partner_ids=[Command.set(self.people[60:110].ids)],
                control_segment_id=self.make_segment(self.people[110:]).id,
            )
        )
        self.assertEqual(effect.verdict, "unclear", "compared with those left out")
        self.assertIn("cannot tell", effect.summary)

    def make_segment(self, clients, **values):
        return self.env["crm.segment"].create(
            {
                "name": "Group",
                "kind": "static",
                "company_id": self.company.id,
                "member_ids": [
                    Command.create({"partner_id": client.id, "date_entry": "2024-01-01"})
                    for client in clients
                ],
                **values,
            }
        )

    def test_segment_of_that_day(self):
        segment = self.make_segment(self.addressed)
        segment.member_ids[0].date_exit = "2024-02-01"
        effect = self.create_effect(source_ref=f"crm.segment,{segment.id}", partner_ids=False)
        self.assertEqual(self.compute(effect).addressed_count, 59)

    def test_contacts_stand_for_their_company(self):
        contact = self.env["res.partner"].create(
            {"name": "Contact", "parent_id": self.addressed[0].id}
        )
        effect = self.create_effect(
            partner_ids=[Command.set((contact | self.addressed[0] | self.addressed[1]).ids)]
        )
        self.compute(effect)
        self.assertEqual(effect.addressed_count, 2)
        self.assertEqual(effect.verdict, "few")
        self.assertIn("fewer than 30", effect.summary)

    def test_newcomers_are_counted_apart(self):
        newcomers = self.env["res.partner"].create([{"name": "New 1"}, {"name": "New 2"}])
        self.add_facts([(newcomers[0], DATE + datetime.timedelta(days=3), 9999, "N")])
        effect = self.create_effect(partner_ids=[Command.set((self.addressed | newcomers).ids)])
        self.compute(effect)
        self.assertEqual((effect.newcomer_count, effect.newcomer_bought), (2, 1))
        self.assertTrue(effect.line_ids[0].high < 1000, "their turnover is no effect")

    def test_mailing(self):
        if "mailing.mailing" not in self.env:
            self.skipTest("mailings are not installed")
        self.addressed[0].email = "First@effect.example.com"
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Spring mailing",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
            }
        )
        contact = self.env["mailing.contact"].create(
            {"name": "First", "email": "first@effect.example.com"}
        )
        self.env["mailing.trace"].create(
            [
                {
                    "mass_mailing_id": mailing.id,
                    "model": "res.partner",
                    "res_id": client.id,
                    "trace_status": status,
                }
                for client, status in zip(
                    self.addressed[1:4], ("sent", "open", "bounce"), strict=True
                )
            ]
            + [
                {
                    "mass_mailing_id": mailing.id,
                    "model": "mailing.contact",
                    "res_id": contact.id,
                    "email": "first@effect.example.com",
                    "trace_status": "reply",
                }
            ]
        )
        effect = self.env["crm.campaign.effect"].create(
            {
                "name": "Mailing",
                "company_id": self.company.id,
                "date": DATE,
                "source_ref": f"mailing.mailing,{mailing.id}",
            }
        )
        self.assertEqual(set(effect._get_addressed()), set(self.addressed[:3].ids))

    def test_too_early(self):
        today = self.env["crm.customer.profile"]._get_today(self.company)
        effect = self.create_effect(date=today - datetime.timedelta(days=3))
        self.compute(effect)
        self.assertEqual(effect.state, "failed")
        self.assertIn("Too early", effect.summary)
        effect.date = today - datetime.timedelta(days=20)
        self.assertEqual(effect.state, "draft", "the settings have changed")
        self.compute(effect)
        self.assertEqual((effect.state, effect.days_used), ("running", 20))
        effect.sudo().date_computed = "2024-01-01"
        with self.enter_registry_test_mode():
            self.env.ref("crm_scoring.ir_cron_crm_campaign_effect").method_direct_trigger()
        self.assertEqual(effect.date_computed.date(), datetime.date.today())

    def test_other_company(self):
        other = self.env["res.company"].create({"name": "Other effect company"})
        segment = self.make_segment(self.env["res.partner"], company_id=other.id)
        with self.assertRaises(ValidationError):
            self.env["crm.campaign.effect"].create(
                {
                    "name": "Wrong",
                    "company_id": self.company.id,
                    "source_ref": f"crm.segment,{segment.id}",
                }
            )
        with self.assertRaises(ValueError):
            self.create_effect(source_ref=f"res.users,{self.manager.id}")
        effect = self.create_effect()
        foreign = self._new_user("effect_foreign", "sales_team.group_sale_manager", other)
        self.assertFalse(self.env["crm.campaign.effect"].with_user(foreign).search([]))
        with self.assertRaises(AccessError):
            effect.with_user(foreign).action_compute()
        self.add_facts([(self.addressed[0], DATE, 10**6, "X")], company=other)
        self.compute(effect)
        self.assertLess(effect.turnover_effect, 1000, "sales of another company do not count")

    def test_roles_and_job(self):
        effect = self.create_effect()
        with self.assertRaises(AccessError):
            effect.with_user(self.salesman).read(["name"])
        with self.assertRaises(AccessError):
            effect.with_user(self.leader).action_compute()
        run = self.env["crm.customer.refresh"].browse(effect.action_compute()["res_id"])
        self.assertEqual((run.job, run.effect_id, run.state), ("effect", effect.sudo(), "queued"))
        self.assertEqual(run._work(lambda *_args: None), (1, 0))
        self.assertEqual(effect.with_user(self.leader).state, "done")
        with self.assertRaises(UserError):
            self.create_effect(partner_ids=False).action_compute()

    def test_results_are_not_written_by_hand(self):
        effect = self.create_effect()
        for vals in ({"turnover_effect": 9}, {"state": "done"}, {"verdict": "more"}):
            with self.assertRaises(AccessError):
                effect.write(vals)
            with self.assertRaises(AccessError):
                self.create_effect(**vals)
        forged = effect.with_context(default_verdict="more", default_state="done").create(
            {"name": "Forged", "date": DATE}
        )
        self.assertEqual((forged.verdict, forged.state), (False, "draft"))
        self.compute(effect)
        effect.days = 50
        self.assertEqual(effect.state, "draft")

    def test_workbook(self):
        effect = self.compute(self.create_effect(name="=2+2"))
        content = effect.with_user(self.leader)._export_xlsx(
            "crm.campaign.effect", [("id", "=", effect.id)]
        )
        book = load_workbook(io.BytesIO(content))
        self.assertEqual(len(book.worksheets), 3)
        self.assertTrue(all(sheet._charts for sheet in book.worksheets))
        self.assertEqual(book.worksheets[0]["A2"].data_type, "s")
        self.assertEqual(book.worksheets[1].max_row, 1 + len(effect.line_ids))
