import datetime
from itertools import product
from unittest.mock import patch

from odoo.addons.base.tests.common import BaseCommon
from odoo.addons.crm_scoring.tools import rfm
from odoo.exceptions import AccessError
from odoo.tests import BaseCase, new_test_user, tagged

TODAY = datetime.date(2024, 6, 30)


@tagged("post_install", "-at_install")
class TestRfm(BaseCase):
    def test_every_cell_has_one_segment(self):
        cells = [cell for cells in rfm.SEGMENTS.values() for cell in cells]
        self.assertEqual(len(cells), 25)
        self.assertEqual(set(cells), set(product(range(1, 6), repeat=2)))
        self.assertEqual(len(rfm.get_segment_grid()), 25)

    def test_segments(self):
        self.assertEqual(rfm.get_segment(5, 5, 5), "champion")
        self.assertEqual(rfm.get_segment(1, 5, 5), "cannot_lose")
        self.assertEqual(rfm.get_segment(5, 1, 1), "new")
        self.assertEqual(rfm.get_segment(1, 1, 1), "lost")
        self.assertEqual(rfm.get_segment(5, 3, 4), "champion", "halves are rounded up")

    def test_quintiles(self):
        self.assertEqual([rfm.get_quintile(less, 1, 10) for less in range(10)],
                         [1, 1, 2, 2, 3, 3, 4, 4, 5, 5])  # fmt: skip
        self.assertEqual(rfm.get_quintile(0, 1, 1), 3, "the only client is average")
        self.assertEqual(rfm.get_quintile(0, 7, 7), 3, "all the same")
        self.assertEqual(rfm.get_quintile(0, 6, 10), 2, "ties take the fifth of their middle")


@tagged("post_install", "-at_install")
class TestCustomerProfile(BaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # a company of its own: no fact of another test or of demo data
        cls.company = cls.env["res.company"].create({"name": "Profile company"})
        cls.manager = cls._new_user("profile_manager", "sales_team.group_sale_manager")
        cls.salesman = cls._new_user("profile_salesman", "sales_team.group_sale_salesman")
        cls.clients = cls.env["res.partner"].create(
            [{"name": f"Profile client {number}"} for number in range(10)]
        )
        cls.profiles = cls.env["crm.customer.profile"]

    @classmethod
    def _new_user(cls, login, group):
        return new_test_user(
            cls.env,
            login,
            f"base.group_user,{group}",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    def add_fact(self, client, date, amount, document=None, **values):
        return self.env["crm.sale.history"].create(
            {
                "partner_id": client.id,
                "date": date,
                "amount": amount,
                "document": document,
                "company_id": self.company.id,
                "currency_id": self.company.currency_id.id,
                **values,
            }
        )

    def refresh(self, today=TODAY):
        return self.profiles._refresh(self.company, today=today)

    def get_profile(self, client):
        return self.profiles.search(
            [("partner_id", "=", client.id), ("company_id", "=", self.company.id)]
        )

    def test_figures(self):
        client = self.clients[0]
        desk = self.env["res.partner"].create({"name": "Desk", "parent_id": client.id})
        self.add_fact(client, "2023-01-10", 100, "A")
        self.add_fact(client, "2023-01-10", 50, "A")
        self.add_fact(desk, "2024-06-20", 30, "B")
        self.add_fact(client, "2024-06-25", -20, "C", is_return=True)
        self.add_fact(client, "2024-06-26", 0, "D")
        self.add_fact(client, "2024-05-01", 10)
        self.add_fact(client, "2024-05-01", 10)
        self.add_fact(client, "2024-12-31", 999, "later than today")
        self.assertEqual(self.refresh(), (1, 0))
        profile = self.get_profile(client)
        self.assertEqual(profile.date_first, datetime.date(2023, 1, 10))
        self.assertEqual(profile.date_last, datetime.date(2024, 6, 20), "a return is no purchase")
        self.assertEqual(profile.recency, 10)
        self.assertEqual(profile.frequency, 3, "A, B and the day without a document number")
        self.assertEqual(profile.monetary, 180)
        self.assertEqual(profile.monetary_year, 30)
        self.assertAlmostEqual(profile.average_purchase, 66.67)
        self.assertEqual(profile.amount_returned, 20)
        self.assertEqual((profile.rfm, profile.segment), ("333", "attention"))

    def test_scores_equal_the_formula(self):
        amounts = [30, 60, 60, 60, 120, 180, 180, 240, 300, 360]
        for number, (client, amount) in enumerate(zip(self.clients, amounts, strict=True)):
            for purchase in range(1 + number % 3):
                self.add_fact(client, TODAY, amount / (1 + number % 3), f"{number}-{purchase}")
        self.refresh()
        found = [self.get_profile(client) for client in self.clients]
        for profile, amount in zip(found, amounts, strict=True):
            less = sum(1 for other in amounts if other < amount)
            expected = rfm.get_quintile(less, amounts.count(amount), len(amounts))
            self.assertEqual(profile.score_monetary, expected)
            frequencies = [other.frequency for other in found]
            less = sum(1 for other in frequencies if other < profile.frequency)
            expected = rfm.get_quintile(less, frequencies.count(profile.frequency), 10)
            self.assertEqual(profile.score_frequency, expected)
            self.assertEqual(profile.score_recency, 3)
            self.assertEqual(
                profile.segment,
                rfm.get_segment(3, profile.score_frequency, profile.score_monetary),
            )

    def test_only_changes_are_written(self):
        for client in self.clients[:5]:
            self.add_fact(client, "2024-06-01", 10, "A")
        self.assertEqual(self.refresh(), (5, 0))
        self.assertEqual(self.refresh(), (0, 0))
        fact = self.add_fact(self.clients[0], "2024-06-01", 10, "A")
        written, deleted = self.refresh()
        self.assertTrue(0 < written <= 5)
        self.assertFalse(deleted)
        fact.unlink()
        self.refresh()
        self.env["crm.sale.history"].search([("partner_id", "=", self.clients[4].id)]).unlink()
        self.assertEqual(self.refresh()[1], 1)
        self.assertFalse(self.get_profile(self.clients[4]))

    def test_returns_only(self):
        self.add_fact(self.clients[0], "2024-06-01", -10, "A", is_return=True)
        self.add_fact(self.clients[1], "2024-06-01", 10, "B")
        self.refresh()
        profile = self.get_profile(self.clients[0])
        self.assertEqual((profile.segment, profile.frequency), ("no_purchase", 0))
        self.assertFalse(profile.rfm)
        self.assertEqual(self.get_profile(self.clients[1]).rfm, "333", "compared with buyers only")

    def test_orders_count_from_confirmation(self):
        product = self.env["product.product"].create({"name": "Profile product"})
        order = (
            self.env["sale.order"]
            .with_company(self.company)
            .create(
                {
                    "partner_id": self.clients[0].id,
                    "company_id": self.company.id,
                    "order_line": [
                        (0, 0, {"product_id": product.id, "price_unit": 40, "tax_ids": False})
                    ],
                }
            )
        )
        today = datetime.date.today()
        self.refresh(today)
        profile = self.get_profile(self.clients[0])
        self.assertEqual((profile.stage, profile.frequency), ("prospect", 0), "asked, not bought")
        order.action_confirm()
        self.refresh(today)
        self.assertEqual(self.get_profile(self.clients[0]).monetary, 40)

    def test_walk_in_is_nobody(self):
        self.add_fact(self.env.ref("crm_extended.partner_walk_in"), "2024-06-01", 10, "A")
        self.assertEqual(self.refresh(), (0, 0))

    def test_companies_are_apart(self):
        other = self.env["res.company"].create({"name": "Profile company 2"})
        self.add_fact(self.clients[0], "2024-06-01", 10, "A")
        self.add_fact(self.clients[0], "2024-06-02", 70, "B", company_id=other.id)
        self.profiles._refresh(self.company | other, today=TODAY)
        self.assertEqual(self.get_profile(self.clients[0]).monetary, 10)
        self.assertEqual(self.profiles._refresh(self.company, today=TODAY), (0, 0))
        found = self.profiles.search([("partner_id", "=", self.clients[0].id)])
        self.assertEqual(sorted(found.mapped("monetary")), [10, 70])
        seen = self.profiles.with_user(self.manager).search(
            [("partner_id", "=", self.clients[0].id)]
        )
        self.assertEqual(seen.company_id, self.company)

    def test_access(self):
        self.clients[0].user_id = self.salesman
        self.clients[1].user_id = self.manager
        for client in self.clients[:3]:
            self.add_fact(client, "2024-06-01", 10, "A")
        self.refresh()
        domain = [("partner_id", "in", self.clients.ids)]
        mine = self.profiles.with_user(self.salesman).search(domain)
        self.assertEqual(mine.partner_id, self.clients[0] | self.clients[2])
        self.assertEqual(len(self.profiles.with_user(self.manager).search(domain)), 3)
        for values in ({"segment": "champion"}, {"monetary": 1}):
            with self.assertRaises(AccessError):
                mine.with_user(self.manager).write(values)
        outsider = new_test_user(self.env, "profile_outsider", "base.group_user")
        with self.assertRaises(AccessError):
            self.profiles.with_user(outsider).search(domain)
        with self.assertRaises(AccessError):
            self.profiles.with_user(outsider).action_refresh()

    def test_on_the_client(self):
        client = self.clients[0]
        desk = self.env["res.partner"].create({"name": "Desk", "parent_id": client.id})
        self.add_fact(client, "2024-06-01", 10, "A")
        self.refresh()
        partners = self.env["res.partner"].with_user(self.manager)
        seen = partners.browse(desk.id)
        self.assertEqual((seen.rfm_segment, seen.profile_monetary), ("attention", 10))
        own = [("id", "in", (self.clients | desk).ids)]
        self.assertEqual(
            partners.search([*own, ("rfm_segment", "=", "attention")]), partners.browse(
                (client | desk).ids
            ).sorted("display_name"),
        )  # fmt: skip
        self.assertEqual(len(partners.search([*own, ("rfm_segment", "=", False)])), 9)
        self.assertEqual(len(partners.search([*own, ("rfm_segment", "!=", False)])), 2)
        self.assertEqual(
            len(partners.search([*own, ("rfm_segment", "in", ["champion", False])])), 9
        )
        self.assertFalse(partners.search([*own, ("rfm_segment", "=", "lost")]))

    def test_refreshed_after_import(self):
        job = self.env["crm.sale.import"].create({"company_id": self.company.id})
        self.add_fact(self.clients[0], "2024-06-01", 10, "A")
        job._after_import()
        self.assertEqual(self.get_profile(self.clients[0]).frequency, 1)

    def test_button(self):
        self.add_fact(self.clients[0], "2024-06-01", 10, "A")
        action = self.profiles.with_user(self.salesman).action_refresh()
        run = self.env["crm.customer.refresh"].browse(action["res_id"])
        self.assertEqual((run.state, run.company_id), ("queued", self.company))
        again = self.profiles.with_user(self.salesman).action_refresh()
        self.assertEqual(again["res_id"], run.id, "it waits once")
        with self.enter_registry_test_mode():
            self.env.ref("crm_scoring.ir_cron_crm_customer_refresh").method_direct_trigger()
        run.invalidate_recordset()
        self.assertEqual((run.state, run.progress, run.written), ("done", 100, 1))
        self.assertTrue(self.get_profile(self.clients[0]))

    def test_failed_refresh_is_shown(self):
        self.profiles.action_refresh()
        run = self.env["crm.customer.refresh"].search([("state", "=", "queued")], limit=1)
        broken = patch.object(type(self.profiles), "_refresh", side_effect=ValueError("no luck"))
        logger = "odoo.addons.crm_scoring.models.crm_customer_refresh"
        with self.enter_registry_test_mode(), broken, self.assertLogs(logger, "ERROR"):
            self.env.ref("crm_scoring.ir_cron_crm_customer_refresh").method_direct_trigger()
        run.invalidate_recordset()
        self.assertEqual((run.state, run.error), ("failed", "no luck"))
