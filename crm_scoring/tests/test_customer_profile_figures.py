import datetime
import io
import random
import statistics
from itertools import pairwise

import openpyxl
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .test_customer_profile import TODAY, TestCustomerProfile


def month_back(date, months):
    index = date.year * 12 + date.month - 1 - months
    return datetime.date(index // 12, index % 12 + 1, 1)


class ProfileFiguresCommon(TestCustomerProfile):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.analysis = cls.env["crm.customer.analysis"]._get_for(cls.company)

    def add_series(self, client, amount, *days_ago, document=None):
        """Purchases so many days before TODAY, a document each."""
        for days in days_ago:
            date = TODAY - datetime.timedelta(days=days)
            self.add_fact(client, date, amount, document or f"{client.id}-{days}")


# what the base class tests is tested there
for _name in [name for name in dir(TestCustomerProfile) if name.startswith("test_")]:
    setattr(ProfileFiguresCommon, _name, None)


@tagged("post_install", "-at_install")
class TestCustomerProfileFigures(ProfileFiguresCommon):
    def test_equals_an_independent_calculation(self):
        """Random sales of 40 clients, added up again in plain Python."""
        rng = random.Random(3)
        clients = self.env["res.partner"].create([{"name": f"Random {n}"} for n in range(40)])
        rows = []
        for number, client in enumerate(clients):
            for document in range(rng.randint(1, 12)):
                date = TODAY - datetime.timedelta(days=rng.randint(0, 700))
                for _line in range(rng.randint(1, 3)):
                    amount = round(rng.choice((1, 1, 1, 0, -0.5)) * rng.uniform(1, 500), 2)
                    rows.append((client, date, amount, f"{number}/{document}"))
        self.env["crm.sale.history"].create(
            [
                {
                    "partner_id": client.id, "date": date, "amount": amount, "document": document,
                    "company_id": self.company.id, "currency_id": self.company.currency_id.id,
                    "is_return": amount < 0,
                }
                for client, date, amount, document in rows
            ]
        )  # fmt: skip
        self.refresh()
        start = month_back(TODAY, 12)
        found = {}
        for client in clients:
            documents = {}
            for other, date, amount, document in rows:
                if other == client:
                    entry = documents.setdefault(document, [date, 0])
                    entry[1] = round(entry[1] + amount, 2)
            bought = [(date, amount) for date, amount in documents.values() if amount > 0]
            days = sorted({date for date, _amount in bought})
            gaps = [(later - day).days for day, later in pairwise(days)]
            profile = self.get_profile(client)
            self.assertEqual(profile.frequency, len(bought))
            self.assertAlmostEqual(profile.monetary, sum(a for _d, a in documents.values()), 2)
            if not bought:
                self.assertEqual(profile.segment, "no_purchase")
                continue
            self.assertEqual(profile.date_first, days[0])
            self.assertEqual(profile.recency, (TODAY - days[-1]).days)
            self.assertEqual(profile.purchase_days, len(days))
            self.assertAlmostEqual(
                profile.average_purchase, statistics.mean(a for _d, a in bought), delta=0.011
            )
            if gaps:
                self.assertAlmostEqual(profile.rhythm, statistics.median(gaps), delta=0.06)
                self.assertEqual(profile.gap_last, gaps[-1])
            year_ago = TODAY.replace(year=TODAY.year - 1)
            year = sum(a for d, a in documents.values() if d > year_ago)
            self.assertAlmostEqual(profile.monetary_year, year, places=2)
            found[client] = year
            first = max(start, days[0].replace(day=1))
            end = TODAY.replace(day=1)
            months = (end.year - first.year) * 12 + end.month - first.month
            if months >= 3:
                sums = [
                    sum(
                        a
                        for d, a in documents.values()
                        if month_back(end, back) == d.replace(day=1)
                    )
                    for back in range(1, months + 1)
                ]
                mean = statistics.mean(sums)
                if mean > 0:
                    expected = 100 * statistics.pstdev(sums) / mean
                    self.assertAlmostEqual(profile.variation, expected, delta=0.1)
        total = sum(amount for amount in found.values() if amount > 0)
        passed = 0
        for client, amount in sorted(found.items(), key=lambda item: -item[1]):
            letter = "C" if amount <= 0 else "A" if passed < 0.8 * total else (
                "B" if passed < 0.95 * total else "C"
            )  # fmt: skip
            self.assertEqual(self.get_profile(client).abc_turnover, letter)
            passed += max(amount, 0)

    def test_numbers_of_documents_start_anew_each_year(self):
        self.add_fact(self.clients[0], "2023-02-01", 10, "1")
        self.add_fact(self.clients[0], "2024-02-01", 20, "1")
        self.refresh()
        self.assertEqual(self.get_profile(self.clients[0]).frequency, 2)

    def test_stages(self):
        stages = {
            "new": (10, 30, 50),
            "growing": (10, 40, 70, 100, 130, 160, 190, 300),
            "loyal": (10, 40, 70, 100, 130, 160, 190, 220, 250, 280, 310, 340),
            "slowing": (50, 80, 110, 140, 170, 200, 230, 260, 290, 320, 350),
            "at_risk": (80, 110, 140, 170, 200, 230, 260, 290, 320, 350),
            "lost": (300, 330, 360, 390),
            "returned": (5, 305, 335, 365, 395),
        }
        for client, days in zip(self.clients, stages.values(), strict=False):
            self.add_series(client, 100, *days)
        lead = self.env["crm.lead"].create(
            {"name": "Asked", "partner_id": self.clients[9].id, "company_id": self.company.id}
        )
        self.assertEqual(lead.company_id, self.company)
        self.refresh()
        for client, stage in zip(self.clients, stages, strict=False):
            self.assertEqual(self.get_profile(client).stage, stage)
        asked = self.get_profile(self.clients[9])
        self.assertEqual((asked.stage, asked.customer_class), ("prospect", False))
        broken = self.profiles.search(
            [("company_id", "=", self.company.id), ("is_rhythm_broken", "=", True)]
        )
        expected = {"slowing", "at_risk"}
        self.assertEqual(set(broken.mapped("stage")), expected, "listed before they are lost")
        self.assertEqual(
            self.get_profile(self.clients[3]).date_next, TODAY - datetime.timedelta(days=20)
        )

    def test_trend_and_returns(self):
        client = self.clients[0]
        self.add_fact(client, TODAY - datetime.timedelta(days=300), 100, "A")
        self.add_fact(client, TODAY - datetime.timedelta(days=20), 200, "B")
        self.add_fact(client, TODAY - datetime.timedelta(days=10), -50, "C", is_return=True)
        self.refresh()
        profile = self.get_profile(client)
        self.assertEqual((profile.amount_half, profile.amount_half_before), (150, 100))
        self.assertEqual((profile.trend, profile.return_rate), (50, 16.7))

    def test_margin_where_known(self):
        products = self.env["product.product"].with_company(self.company)
        known, unknown = products.create([{"name": "Known"}, {"name": "Unknown"}])
        known.standard_price = 6
        self.add_fact(self.clients[0], "2024-06-01", 100, "A", product_id=known.id, quantity=10)
        self.add_fact(self.clients[0], "2024-06-01", 900, "A", product_id=unknown.id, quantity=1)
        self.add_fact(self.clients[1], "2024-06-01", 5, "B", product_id=unknown.id, quantity=1)
        known.active = False
        self.refresh()
        profile = self.get_profile(self.clients[0])
        self.assertEqual((profile.margin, profile.margin_rate), (40, 40), "archived or not")
        self.assertEqual(profile.abc_margin, "A")
        self.assertFalse(self.get_profile(self.clients[1]).abc_margin)

    def test_month_end_is_that_of_the_company(self):
        """Confirmed at 22:30 UTC on 31 May: June in Moscow."""
        self.company.partner_id.tz = "Europe/Moscow"
        product = self.env["product.product"].create({"name": "Night"})
        order = self.env["sale.order"].create(
            {
                "partner_id": self.clients[0].id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 7, "tax_ids": False})
                ],
            }
        )
        order.action_confirm()
        order.date_order = "2024-05-31 22:30:00"
        self.refresh()
        self.assertEqual(self.get_profile(self.clients[0]).date_last, datetime.date(2024, 6, 1))

    def test_foreign_currency(self):
        currency = self.env["res.currency"].create({"name": "ZZQ", "symbol": "Z"})
        self.env["res.currency.rate"].create(
            {
                "currency_id": currency.id, "company_id": self.company.id,
                "name": "2024-01-01", "rate": 4,
            }
        )  # fmt: skip
        pricelist = self.env["product.pricelist"].create(
            {"name": "Z", "currency_id": currency.id, "company_id": self.company.id}
        )
        product = self.env["product.product"].create({"name": "Far"})
        order = self.env["sale.order"].create(
            {
                "partner_id": self.clients[0].id, "company_id": self.company.id,
                "pricelist_id": pricelist.id, "date_order": "2024-06-10 10:00:00",
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 100, "tax_ids": False})
                ],
            }
        )  # fmt: skip
        order.action_confirm()
        order.date_order = "2024-06-10 10:00:00"
        self.refresh()
        self.assertEqual(self.get_profile(self.clients[0]).monetary, 25)

    def test_fixed_bounds(self):
        self.analysis.write(
            {
                "rfm_method": "fixed", "bounds_recency": "10; 20; 30; 40",
                "bounds_frequency": "2; 3; 4; 5", "bounds_monetary": "10; 20; 30; 40",
            }
        )  # fmt: skip
        self.add_series(self.clients[0], 10, 10, 100, 200)
        self.add_series(self.clients[1], 50, 41)
        self.refresh()
        self.assertEqual(self.get_profile(self.clients[0]).rfm, "534")
        self.assertEqual(self.get_profile(self.clients[1]).rfm, "115")
        with self.assertRaisesRegex(ValidationError, "four growing numbers"):
            self.analysis.bounds_monetary = "10; 5; 30; 40"

    def test_abc_bounds_are_set_by_the_user(self):
        for client, amount in zip(self.clients, (50, 30, 20), strict=False):
            self.add_fact(client, "2024-06-01", amount, "A")
        self.refresh()
        letters = [self.get_profile(client).abc_turnover for client in self.clients[:3]]
        self.assertEqual(letters, ["A", "A", "B"])
        self.analysis.write({"abc_bound_a": 40, "abc_bound_b": 60})
        self.refresh()
        letters = [self.get_profile(client).abc_turnover for client in self.clients[:3]]
        self.assertEqual(letters, ["A", "B", "C"])

    def test_incremental_equals_full(self):
        """Orders, imports, deletions, merges: the changed clients, and what moves with them."""
        for number, client in enumerate(self.clients):
            self.add_series(client, 10 * (number + 1), *range(10 + number, 300, 30 + number))
        self.refresh()
        self.add_fact(self.clients[0], "2024-06-29", 5000, "new")
        self.env["crm.sale.history"].search([("partner_id", "=", self.clients[1].id)]).unlink()
        fact = self.env["crm.sale.history"].search(
            [("partner_id", "=", self.clients[2].id)], limit=1
        )
        fact.amount = 1
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        gone, kept = self.clients[3], self.clients[4]
        merge._merge((gone | kept).ids, kept)
        phases = []
        self.profiles._refresh(
            self.company, today=TODAY, progress=lambda _c, _p, phase: phases.append(phase)
        )
        self.assertNotIn("likeness", phases, "not a full one")
        names = [
            name
            for name, field in self.profiles._fields.items()
            if field.store and name not in ("id", "date_refreshed")
        ]
        domain = [("company_id", "=", self.company.id)]
        incremental = self.profiles.search(domain, order="id").read(names)
        self.assertEqual(
            {row["partner_id"][0] for row in incremental},
            set((self.clients - self.clients[1] - gone).ids),
        )
        self.profiles._refresh(self.company, today=TODAY, full=True)
        full = self.profiles.search(domain, order="id").read(names)
        # the usual interval of all, which stages of one-time clients follow, is of the full one
        self.assertEqual(incremental, full)

    def test_queue_notes_every_road(self):
        changes = self.env["crm.customer.change"]
        changes.search([]).unlink()
        client = self.clients[0]

        def taken():
            self.env.flush_all()
            return changes._take(self.company)

        self.env.cr.execute(
            """INSERT INTO crm_sale_history (date, partner_id, commercial_partner_id, amount,
                   currency_id, source, row_key, company_id)
               VALUES ('2024-06-01', %s, %s, 5, %s, 'x', 'y', %s)""",
            (client.id, client.id, self.company.currency_id.id, self.company.id),
        )
        self.assertEqual(taken(), client.ids, "past the ORM")
        self.assertEqual(taken(), [], "once")
        client.write({"comment": "no fact"})
        self.assertEqual(taken(), [])
        parent = self.env["res.partner"].create({"name": "Parent", "is_company": True})
        client.parent_id = parent
        self.assertEqual(taken(), sorted((client | parent).ids))

    def test_forecasts(self):
        rng = random.Random(5)
        clients = self.env["res.partner"].create([{"name": f"Often {n}"} for n in range(60)])
        rows = []
        for client in clients:
            start = rng.randint(150, 700)
            day, step = start, rng.choice((10, 20, 40, 90))
            while day >= 0:
                rows.append((client, day))
                if rng.random() < 0.12:
                    break
                day -= max(1, int(rng.expovariate(1 / step)))
        self.env["crm.sale.history"].create(
            [
                {
                    "partner_id": client.id, "date": TODAY - datetime.timedelta(days=day),
                    "amount": 50 + client.id % 7 * 20 + day % 11, "document": f"{client.id}-{day}",
                    "company_id": self.company.id, "currency_id": self.company.currency_id.id,
                }
                for client, day in rows
            ]
        )  # fmt: skip
        self.refresh()
        self.assertEqual(self.analysis.purchase_model_state, "ok")
        model = self.analysis.bgnbd
        self.assertGreater(model["check"]["expected"], 0)
        self.assertIn("BG/NBD", self.analysis.purchase_model_text)
        profiles = self.profiles.search([("company_id", "=", self.company.id)])
        self.assertEqual(len(profiles), 60)
        for profile in profiles:
            self.assertTrue(0 <= profile.p_alive <= 100)
            orders = (
                profile.expected_orders_30, profile.expected_orders_90, profile.expected_orders_365
            )  # fmt: skip
            self.assertEqual(list(orders), sorted(orders))
        fit_before = dict(model)
        self.profiles._refresh(self.company, today=TODAY, full=True)
        self.assertAlmostEqual(self.analysis.bgnbd["r"], fit_before["r"], places=3)

    def test_few_clients_are_not_forecast(self):
        self.add_series(self.clients[0], 10, 10, 20, 30)
        self.refresh()
        self.assertEqual(self.analysis.purchase_model_state, "few")
        self.assertFalse(self.get_profile(self.clients[0]).expected_orders_90)

    def test_likeness(self):
        germany, france = self.env.ref("base.de"), self.env.ref("base.fr")
        good = self.env["res.partner"].create(
            [{"name": f"Good {n}", "country_id": germany.id} for n in range(12)]
        )
        weak = self.env["res.partner"].create(
            [{"name": f"Weak {n}", "country_id": france.id} for n in range(15)]
        )
        for client in good:
            self.add_series(client, 1000, *range(5, 360, 30))
        for client in weak:
            self.add_series(client, 1, 200)
        asked = self.env["res.partner"].create(
            [
                {"name": "Asked de", "country_id": germany.id},
                {"name": "Asked fr", "country_id": france.id},
                {"name": "Asked nowhere"},
            ]
        )
        for client in asked:
            self.env["crm.lead"].create(
                {"name": "Asks", "partner_id": client.id, "company_id": self.company.id}
            )
        self.refresh()
        self.assertEqual(set(self.get_profile(good[0]).mapped("customer_class")), {"A"})
        like, unlike, unknown = (self.get_profile(client) for client in asked)
        self.assertGreater(like.likeness, 80)
        self.assertLess(unlike.likeness, 20)
        self.assertIn("Germany", like.likeness_reasons)
        self.assertFalse(unlike.likeness_reasons)
        self.assertGreater(like.likeness, unknown.likeness or 50)
        self.assertGreater(self.analysis.likeness_weights["auc"], 0.9)
        self.assertFalse(self.get_profile(good[0]).likeness, "the best are not judged")

    def test_history(self):
        self.add_series(self.clients[0], 10, 10, 40, 70)
        self.refresh(datetime.date(2024, 6, 30))
        self.refresh(datetime.date(2024, 7, 1))
        self.refresh(datetime.date(2024, 7, 2))
        self.refresh(datetime.date(2025, 3, 1))
        history = self.get_profile(self.clients[0]).history_ids
        self.assertEqual(
            [(str(row.date), row.stage) for row in history],
            [("2025-03-01", "lost"), ("2024-06-01", "new")],
            "a row where something changed",
        )

    def test_class_is_adjusted_with_a_reason(self):
        self.clients[0].user_id = self.salesman
        self.clients[1].user_id = self.manager
        for client in self.clients[:2]:
            self.add_series(client, 10, 10, 40)
        self.refresh()
        mine = self.get_profile(self.clients[0]).with_user(self.salesman)
        computed = mine.class_auto
        self.assertEqual(mine.customer_class, computed)
        with self.assertRaises(UserError):
            mine.adjust_class(-1, "  ")
        with self.assertRaises(UserError):
            mine.adjust_class(2, "too far")
        mine.adjust_class(-1, "They change the supplier")
        lower = "ABCD"[min(3, "ABCD".index(computed) + 1)]
        self.assertEqual((mine.customer_class, mine.class_auto), (lower, computed))
        self.assertIn("They change", mine.class_adjustment_reason)
        self.profiles._refresh(self.company, today=TODAY, full=True)
        self.assertEqual(mine.customer_class, lower, "a refresh keeps what a human knows")
        log = self.env["crm.customer.class.adjustment"].search(
            [("partner_id", "=", self.clients[0].id)]
        )
        self.assertEqual((log.user_id, log.class_before, log.class_after), (
            self.salesman, computed, lower
        ))  # fmt: skip
        with self.assertRaises(AccessError):
            self.get_profile(self.clients[1]).with_user(self.salesman).adjust_class(1, "Not mine")
        with self.assertRaises(AccessError):
            mine.write({"class_adjustment": 1})
        wizard = self.env["crm.customer.class.adjust"].with_user(self.salesman).create(
            {"profile_id": mine.id, "adjustment": "0", "reason": "Back"}
        )  # fmt: skip
        wizard.action_apply()
        self.assertEqual(mine.customer_class, computed)

    def test_class_says_why(self):
        self.add_series(self.clients[0], 10, *range(10, 360, 30))
        self.refresh()
        profile = self.get_profile(self.clients[0]).with_user(self.salesman)
        self.assertIn("ABC: A: +25", profile.class_reasons)
        analysis = self.analysis
        points = analysis.base_points + sum(
            points for _words, points in analysis.factor_ids._explain(profile)
        )
        self.assertAlmostEqual(profile.class_score, min(100, points), places=1)
        analysis.factor_ids.filtered(lambda f: f.measure == "abc_turnover").unlink()
        self.refresh()
        self.assertAlmostEqual(profile.class_score, min(100, points - 25), places=1)
        with self.assertRaisesRegex(ValidationError, "none of its values"):
            analysis.factor_ids.create(
                {"analysis_id": analysis.id, "measure": "stage", "value": "happy", "points": 1}
            )

    def test_heat_map_counts_what_the_user_may_see(self):
        self.clients[0].user_id = self.salesman
        self.clients[1].user_id = self.manager
        for client in self.clients[:3]:
            self.add_series(client, 10, 10)
        self.refresh()
        seen = self.profiles.with_user(self.salesman).get_rfm_cells()
        self.assertEqual(sum(cell["clients"] for cell in seen["cells"]), 2)
        every = self.profiles.with_user(self.manager).get_rfm_cells()
        self.assertEqual([(c["recency"], c["value"], c["clients"]) for c in every["cells"]],
                         [(3, 3, 3)])  # fmt: skip
        self.assertEqual(every["currency_id"], self.company.currency_id.id)

    def test_workbook(self):
        self.clients[0].name = "=1+1"
        for number, client in enumerate(self.clients):
            self.add_series(client, 10 + number, *range(10 + number, 300, 30 + number))
        self.refresh()
        content = self.profiles.with_user(self.manager)._export_profiles_xlsx([])
        book = openpyxl.load_workbook(io.BytesIO(content))
        self.assertEqual(book.sheetnames, ["Summary", "RFM", "ABC and XYZ", "Clients"])
        clients = list(book["Clients"].values)
        self.assertEqual(len(clients), 11)
        self.assertIn("=1+1", [row[0] for row in clients])
        column = clients[0].index("Turnover")
        facts = self.env["crm.sale.fact"].search([("company_id", "=", self.company.id)])
        self.assertAlmostEqual(
            sum(row[column] for row in clients[1:]), sum(facts.mapped("amount")), places=2
        )
        self.assertTrue(all(book[name]._charts for name in book.sheetnames[:3]))

    def test_sparkline_and_search_on_the_client(self):
        client = self.clients[0]
        self.add_fact(client, datetime.date.today(), 70, "A")
        self.add_fact(self.clients[1], datetime.date.today(), 5, "B")
        self.refresh(datetime.date.today())
        self.env["res.partner"].create({"name": "Desk", "parent_id": client.id})
        partners = self.env["res.partner"].with_user(self.manager)
        seen = partners.browse(client.id)
        self.assertEqual(seen.profile_month_amounts["amounts"][-1], 70)
        self.assertEqual(len(seen.profile_month_amounts["months"]), 24)
        own = [("id", "in", self.clients.ids)]
        for domain, expected in (
            ([("profile_monetary_year", ">", 50)], self.clients[0]),
            ([("profile_monetary", "<=", 5)], self.clients[1]),
            ([("profile_date_last", ">=", "today")], self.clients[:2]),
            ([("profile_stage", "=", "new")], self.clients[:2]),
            ([("customer_class", "!=", False)], self.clients[:2]),
            ([("customer_profile_id.frequency", ">", 0)], self.clients[:2]),
            ([("profile_abc", "=", "A"), ("profile_recency", "=", 0)], self.clients[0]),
        ):
            self.assertEqual(partners.search([*own, *domain]), expected, domain)

    def test_settings_are_the_managers(self):
        with self.assertRaises(AccessError):
            self.analysis.with_user(self.salesman).write({"abc_bound_a": 70})
        self.refresh()
        self.analysis.with_user(self.manager).write({"abc_bound_a": 70})
        self.assertTrue(self.analysis.is_stale)
        action = self.env["crm.customer.analysis"].with_user(self.manager).action_open()
        self.assertEqual(action["res_id"], self.analysis.id)
        self.assertTrue(self.analysis.with_user(self.salesman).likeness_text)
