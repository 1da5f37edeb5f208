import datetime
import io

import openpyxl
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2.errors import CheckViolation

from .test_customer_profile import TestCustomerProfile


class RecommendationCommon(TestCustomerProfile):
    """Ten products; clients buy a printer with toner, or tea with cups."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = datetime.date.today()
        names = (
            "Printer",
            "Toner",
            "Paper",
            "Tea",
            "Cups",
            "Sugar",
            "Lamp",
            "Stapler",
            "Clip",
            "Ink",
        )
        cls.products = cls.env["product.product"].create(
            [
                {"name": name, "list_price": 10, "company_id": cls.company.id, "taxes_id": False}
                for name in names
            ]
        )
        (cls.printer, cls.toner, cls.paper, cls.tea, cls.cups, cls.sugar, cls.lamp, cls.stapler,
         cls.clip, cls.ink) = cls.products  # fmt: skip
        cls.advice = cls.env["crm.product.advice"]._get_for(cls.company)
        cls.advice.write({"rule_min_count": 2, "rule_support": 5})
        cls.recommendations = cls.env["crm.product.recommendation"]

    def buy(self, client, days_ago, *products, document=None):
        date = self.today - datetime.timedelta(days=days_ago)
        for product in products:
            self.add_fact(
                client,
                date,
                10,
                document or f"{client.id}/{days_ago}",
                product_id=product.id,
                quantity=1,
            )

    def fill(self):
        """Eight clients of two tastes."""
        for number, client in enumerate(self.clients[:8]):
            mine = (self.printer, self.toner, self.paper) if number % 2 else (
                self.tea, self.cups, self.sugar
            )  # fmt: skip
            self.buy(client, 60 + number, *mine)
            self.buy(client, 30 + number, *mine[:2])

    def get_rows(self, client, **domain):
        rows = self.recommendations.search(
            [("company_id", "=", self.company.id), ("partner_id", "=", client.id)]
        )
        return rows.filtered(lambda row: all(row[name] == value for name, value in domain.items()))


for _name in [name for name in dir(TestCustomerProfile) if name.startswith("test_")]:
    setattr(RecommendationCommon, _name, None)


@tagged("post_install", "-at_install")
class TestRecommendation(RecommendationCommon):
    def refresh_advice(self):
        self.env.flush_all()
        self.advice._refresh(self.today)

    def test_rules(self):
        self.fill()
        self.refresh_advice()
        rules = self.env["crm.product.rule"].search([("company_id", "=", self.company.id)])
        found = {rule.text: rule for rule in rules}
        rule = found["Printer → Toner"]
        self.assertEqual((rule.count, rule.support, rule.confidence), (8, 50, 100))
        self.assertEqual(rule.lift, 2)
        self.assertEqual(rule.leverage, 25)
        self.assertFalse([r for r in rules if r.size > 1 and r.consequent_product_id == self.toner],
                         "printer and paper tell no more than the printer alone")  # fmt: skip
        self.assertNotIn("Printer → Tea", found)
        rule.with_user(self.manager).is_off = True
        with self.assertRaises(AccessError):
            rule.with_user(self.manager).lift = 9
        with self.assertRaises(AccessError):
            rule.with_user(self.salesman).is_off = False
        self.refresh_advice()
        self.assertTrue(rule.exists().is_off, "switched off stays off")
        self.advice.rule_confidence = 100
        self.advice.rule_lift = 50
        self.refresh_advice()
        self.assertFalse(rule.exists())
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"):
            self.advice.rule_support = 0
            self.advice.flush_recordset()

    def test_rules_between_categories(self):
        office, kitchen, self.products.categ_id = self.env["product.category"].create(
            [{"name": "Office"}, {"name": "Tea"}, {"name": "Rest"}]
        )
        (self.printer | self.toner).categ_id = office
        (self.tea | self.cups).categ_id = kitchen
        for number, client in enumerate(self.clients[:6]):
            self.buy(client, 10, (self.printer, self.toner)[number % 2], self.tea)
        self.buy(self.clients[7], 10, self.lamp)
        self.advice.write({"rule_level": "category", "rule_lift": 1.1})
        self.refresh_advice()
        rules = self.env["crm.product.rule"].search([("company_id", "=", self.company.id)])
        self.assertIn("Office → Tea", [rule.text.split(" / ")[-1] for rule in rules])

    def test_returns_and_other_companies_are_no_baskets(self):
        self.fill()
        other = self.env["res.company"].create({"name": "Other"})
        self.add_fact(self.clients[0], self.today, 10, "x", product_id=self.lamp.id, quantity=-1)
        history = self.env["crm.sale.history"].search([("company_id", "=", self.company.id)])
        self.assertTrue(history)
        self.refresh_advice()
        self.assertEqual(self.advice.basket_count, 16)
        advice = self.env["crm.product.advice"]._get_for(other)
        advice._refresh(self.today)
        self.assertFalse(
            self.recommendations.search_count([("company_id", "=", other.id)]), "nothing leaks"
        )

    def test_similar_clients(self):
        self.fill()
        newcomer = self.clients[9]
        self.buy(newcomer, 40, self.printer)
        self.refresh_advice()
        rows = self.get_rows(newcomer)
        offered = rows.filtered(lambda r: r.source in ("similar", "rule")).product_id
        self.assertIn(self.toner, offered)
        self.assertNotIn(self.tea, rows[:1].product_id)
        toner = rows.filtered(lambda r: r.product_id == self.toner)
        self.assertIn("Printer", toner.reason)

    def test_due_again(self):
        client = self.clients[0]
        for days in (95, 65, 35):
            self.buy(client, days, self.ink)
        for days in (70, 40, 10):
            self.buy(client, days, self.paper)
        self.refresh_advice()
        [ink] = self.get_rows(client, source="repeat")
        self.assertEqual(ink.product_id, self.ink, "paper is due in 20 days: too early")
        self.assertEqual(ink.interval_days, 30)
        self.assertEqual(ink.date_due, self.today - datetime.timedelta(days=5))
        self.assertIn("overdue for 5 days", ink.reason)

    def test_never(self):
        self.fill()
        client = self.clients[9]
        self.buy(client, 40, self.printer)
        self.refresh_advice()
        self.assertIn(self.toner, self.get_rows(client).product_id)
        self.toner.sale_ok = False
        self.assertNotIn(self.toner.id, self.get_shown(client), "at once, before any refresh")
        self.toner.sale_ok = True
        self.toner.active = False
        self.assertNotIn(self.toner.id, self.get_shown(client))
        self.toner.active = True
        self.advice.excluded_product_ids = self.toner
        self.assertNotIn(self.toner.id, self.get_shown(client))
        self.advice.excluded_product_ids = False
        self.assertIn(self.toner.id, self.get_shown(client))
        self.buy(client, 2, self.toner)
        self.env.flush_all()
        self.assertNotIn(self.toner.id, self.get_shown(client), "just bought")

    def get_shown(self, client):
        found = self.recommendations.with_company(self.company).get_for("res.partner", client.id)
        return [row["product_id"] for row in found["rows"]]

    def test_agreement_excludes(self):
        self.fill()
        client = self.clients[9]
        self.buy(client, 40, self.printer)
        self.refresh_advice()
        order = self.create_order(client, self.printer)
        self.assertIn(self.toner.id, self.get_on_order(order))
        order.agreement_id = self.env["crm.agreement"].create(
            {"kind": "standard", "company_id": self.company.id}
        )
        order.agreement_id.excluded_product_ids = self.toner
        self.assertNotIn(self.toner.id, self.get_on_order(order))
        order.agreement_id.excluded_product_ids = False
        self.products.categ_id = self.env["product.category"].create({"name": "Not theirs"})
        order.agreement_id.excluded_categ_ids = self.toner.categ_id
        self.assertEqual(self.get_on_order(order), [], "all are of that category")

    def create_order(self, client, *products):
        return self.env["sale.order"].create(
            {
                "partner_id": client.id,
                "company_id": self.company.id,
                "user_id": self.salesman.id,
                "order_line": [Command.create({"product_id": p.id}) for p in products],
            }
        )

    def get_on_order(self, order, user=None):
        found = self.recommendations.with_user(user or self.env.user).get_for(
            "sale.order", order.id
        )
        return [row["product_id"] for row in found["rows"]]

    def test_on_the_order(self):
        self.fill()
        self.refresh_advice()
        order = self.create_order(self.clients[9], self.printer)
        found = self.recommendations.with_user(self.salesman).get_for("sale.order", order.id)
        first = found["rows"][0]
        self.assertEqual((first["product_id"], first["source"]), (self.toner.id, "rule"))
        self.assertIn("100% of the orders with “Printer”", first["reason"])
        self.assertTrue(found["can_add"])
        self.assertNotIn(self.printer.id, [row["product_id"] for row in found["rows"]])
        order.with_user(self.salesman).add_recommended_product(self.toner.id)
        self.assertEqual(order.order_line.product_id, self.printer | self.toner)
        self.assertNotIn(self.toner.id, self.get_on_order(order))
        order.action_confirm()
        with self.assertRaises(UserError):
            order.add_recommended_product(self.paper.id)
        self.toner.sale_ok = False
        with self.assertRaises(UserError):
            self.create_order(self.clients[9]).add_recommended_product(self.toner.id)

    def test_offered_and_taken(self):
        self.fill()
        client = self.clients[9]
        self.buy(client, 40, self.printer)
        self.refresh_advice()
        shown = self.get_shown(client)
        self.get_shown(client)
        offers = self.env["crm.product.offer"].search([("partner_id", "=", client.id)])
        self.assertEqual(sorted(offers.product_id.ids), sorted(shown), "noted once")
        self.assertFalse(sum(offers.mapped("taken_count")))
        self.buy(client, 0, self.toner)
        self.refresh_advice()
        taken = offers.filtered("date_taken")
        self.assertEqual(taken.product_id, self.toner)
        self.assertEqual((taken.amount, taken.taken_rate, taken.channel), (10, 100, "client"))

    def test_holdout_sees_nothing_and_is_counted(self):
        self.fill()
        client = self.clients[9]
        self.buy(client, 40, self.printer)
        self.refresh_advice()
        self.advice.holdout_percent = 90
        shares = [
            self.env["crm.product.offer"]._is_held_out(self.advice, partner)
            for partner in self.env["res.partner"].browse(range(1, 2001))
        ]
        self.assertAlmostEqual(sum(shares) / 2000, 0.9, delta=0.04)
        held = next(
            c for c in self.clients if self.env["crm.product.offer"]._is_held_out(self.advice, c)
        )
        self.assertEqual(self.get_shown(held), [])
        offers = self.env["crm.product.offer"].search([("partner_id", "=", held.id)])
        self.assertTrue(offers)
        self.assertEqual(set(offers.mapped("is_holdout")), {True})

    def test_unknown_client_gets_best_sellers(self):
        self.fill()
        self.refresh_advice()
        found = self.recommendations.with_company(self.company).get_for(
            "res.partner", self.clients[9].id
        )
        self.assertEqual({row["source"] for row in found["rows"]}, {"popular"})

    def test_access(self):
        self.fill()
        self.clients[0].user_id = self.manager
        self.refresh_advice()
        seen = self.recommendations.with_user(self.salesman).search([("partner_id", "!=", False)])
        self.assertNotIn(self.clients[0], seen.partner_id)
        self.assertIn(self.clients[1], seen.partner_id)
        with self.assertRaises(AccessError):
            seen[:1].write({"rank": 0})
        order = self.create_order(self.clients[0], self.printer)
        order.user_id = self.manager
        with self.assertRaises(AccessError):
            self.get_on_order(order, self.salesman)
        with self.assertRaises(AccessError):
            order.with_user(self.salesman).add_recommended_product(self.toner.id)
        with self.assertRaises(UserError):
            self.recommendations.get_for("res.users", self.salesman.id)
        with self.assertRaises(AccessError):
            self.advice.with_user(self.salesman).write({"list_size": 3})

    def test_workbook(self):
        self.fill()
        self.toner.name = "=Toner"
        self.refresh_advice()
        self.get_shown(self.clients[0])
        content = self.recommendations.with_user(self.manager)._export_xlsx(
            "crm.product.rule", [("confidence", "=", 100)]
        )
        book = openpyxl.load_workbook(io.BytesIO(content))
        self.assertEqual(
            book.sheetnames, ["Product Rules", "Recommended Products", "Offered and Taken"]
        )
        rules = list(book["Product Rules"].values)[1:]
        self.assertIn("Printer → =Toner", [row[0] for row in rules])
        self.assertEqual({row[3] for row in rules}, {100})
        self.assertTrue(book["Product Rules"]._charts)
        self.assertTrue(book["Offered and Taken"]._charts)
        with self.assertRaises(ValueError):
            self.recommendations._export_xlsx("res.users", [])

    def test_only_changes_are_written(self):
        self.fill()
        self.refresh_advice()
        domain = [("company_id", "=", self.company.id)]
        before = self.recommendations.search(domain, order="id").ids
        self.refresh_advice()
        self.assertEqual(self.recommendations.search(domain, order="id").ids, before)
        self.env["crm.sale.history"].search(domain).unlink()
        self.refresh_advice()
        self.assertFalse(self.recommendations.search(domain))
