import random
from math import prod

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, tagged

from ..tools.plan_miss import FACTORS, get_expected, get_factors, split_difference
from .common_managers import ManagersCommon


class TestPlanMiss(BaseCase):
    def test_parts_add_up(self):
        """Exactly the difference, whatever the factors, zeros included."""
        numbers = random.Random(7)
        for _trial in range(200):
            expected, actual = (
                {name: numbers.choice((0, numbers.uniform(0, 50))) for name in FACTORS}
                for _side in range(2)
            )
            parts = split_difference(expected, actual)
            difference = prod(actual.values()) - prod(expected.values())
            self.assertAlmostEqual(sum(parts.values()), difference, delta=1e-6 * 50**4)

    def test_one_factor_takes_all(self):
        expected = {"traffic": 10, "quality": 0.5, "conversion": 0.2, "cheque": 100}
        parts = split_difference(expected, {**expected, "conversion": 0.1})
        self.assertAlmostEqual(parts["conversion"], -50)
        self.assertEqual([parts[name] for name in FACTORS if name != "conversion"], [0, 0, 0])

    def test_no_leads_at_all(self):
        """What was not received has no conversion to blame."""
        usual = get_factors(10, 5, 2, 400)
        expected = get_expected(800, usual)
        self.assertAlmostEqual(prod(expected.values()), 800)
        self.assertEqual(expected["traffic"], 20)
        parts = split_difference(expected, get_factors(0, 0, 0, 0, usual=expected))
        self.assertAlmostEqual(parts["traffic"], -800)
        self.assertIsNone(get_expected(800, get_factors(0, 0, 0, 0)))


@tagged("post_install", "-at_install")
class TestSalesTrouble(ManagersCommon):
    OPTIONS = {
        "period": "custom",
        "date_from": "2026-02-01",
        "date_to": "2026-02-28",
        "comparison": "previous",
        "user_ids": [],
        "team_ids": [],
        "segment_ids": [],
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fair, cls.web = cls.env["utm.source"].create([{"name": "Fair X"}, {"name": "Web X"}])
        cls.price = cls.env["crm.lost.reason"].create({"name": "Too dear X"})
        deals = cls.env["crm.lead"]
        for number in range(8):  # January: eight leads, four of them deals
            deals |= cls._make_lead(1, cls.web, number < 4)
        for number in range(6):  # February: six leads, three of them deals
            deals |= cls._make_lead(2, cls.fair, number < 3)
        cls.february = deals[8:]
        for day in (3, 4):
            cls._make_order(cls.anna, 200, cls._at(day, month=1))
        cls._make_order(cls.anna, 100, cls._at(5))
        lost = cls.february[:2]
        lost.action_set_lost(lost_reason_id=cls.price.id)
        lost.date_closed = cls._at(20)
        cls.february[2].write({"stage_id": cls.won_stage.id, "probability": 100})
        cls.february[2].date_closed = cls._at(21)
        cls.env["crm.sales.target"].create(
            {"metric_id": cls.env["crm.metric"]._get_by_code("orders_amount").id,
             "month": "2026-02-01", "value": 600, "team_id": cls.north.id}
        )  # fmt: skip
        cls.objection = cls.env["crm.objection"].create({"name": "Dear X"})
        cls.env["crm.lead.objection"].create(
            {"lead_id": cls.february[3].id, "objection_id": cls.objection.id,
             "date": "2026-02-10"}
        )  # fmt: skip

    @classmethod
    def _make_lead(cls, month, source, is_deal):
        lead = cls._make_deal(
            cls.anna, 100, source_id=source.id, type="opportunity" if is_deal else "lead"
        )
        cls.env.cr.execute(
            "UPDATE crm_lead SET create_date = %s WHERE id = %s",
            [cls._at(10, month=month), lead.id],
        )
        lead.invalidate_recordset()
        return lead

    def _get_page(self, user=None, **options):
        env = self.env(user=user or self.head, context={"lang": "en_US"})
        return env["crm.sales.trouble"].get_trouble({**self.OPTIONS, **options})

    def test_split(self):
        """600 planned, 100 sold: every ruble is told of leads, their quality, conversion, cheque.

        January: 8 leads, 4 deals, 2 orders of 200. So the plan takes 12 leads, 6 deals, 3 orders.
        """
        split = self._get_page()["split"]
        self.assertEqual((split["fact"], split["plan"], split["planned"]), (100, 600, True))
        factors = {row["key"]: row for row in split["factors"]}
        self.assertEqual(
            {key: (row["expected"], row["actual"]) for key, row in factors.items()},
            {
                "traffic": (12, 6),
                "quality": (0.5, 0.5),
                "conversion": (0.5, 1 / 3),
                "cheque": (200, 100),
            },
        )
        self.assertAlmostEqual(sum(row["amount"] for row in split["factors"]), -500)
        self.assertEqual(factors["quality"]["amount"], 0)
        owners = {one["key"]: one["amount"] for one in split["owners"]}
        self.assertAlmostEqual(owners["marketing"], factors["traffic"]["amount"])

    def test_without_a_plan(self):
        self.env["crm.sales.target"].search([]).unlink()
        split = self._get_page()["split"]
        self.assertEqual((split["plan"], split["planned"]), (400, False))
        self.assertAlmostEqual(sum(row["amount"] for row in split["factors"]), -300)

    def test_reasons_channels_objections(self):
        page = self._get_page()
        (reason,) = page["reasons"]
        self.assertEqual((reason["reason"], reason["count"]), ("Too dear X", 2))
        self.assertEqual(reason["amount"], 200)
        leads = self.env["crm.lead"].with_context(active_test=False)
        self.assertEqual(leads.search(reason["action"]["domain"]), self.february[:2])
        (channel,) = page["channels"]
        self.assertEqual(
            (channel["source"], channel["leads"], channel["deals"], channel["won"]),
            ("Fair X", 6, 3, 1),
        )
        self.assertEqual(leads.search_count(channel["action"]["domain"]), 6)
        (objection,) = page["objections"]
        self.assertEqual((objection["objection"], objection["count"]), ("Dear X", 1))

    def test_levers(self):
        levers = self._get_page()["levers"]
        self.assertEqual(len(levers), 3)
        amounts = [lever["amount"] for lever in levers]
        self.assertEqual(amounts, sorted(amounts, reverse=True))
        self.assertEqual({lever["kind"] for lever in levers}, {"traffic", "conversion", "cheque"})
        self.assertIn("6", next(one["text"] for one in levers if one["kind"] == "traffic"))

    def test_roles(self):
        self.assertFalse(self._get_page(self.dan)["channels"])
        plain = self.env["res.users"].create(
            {"name": "P", "login": "trouble_plain",
             "group_ids": [(6, 0, [self.env.ref("base.group_user").id])]}
        )  # fmt: skip
        with self.assertRaises(AccessError):
            self._get_page(plain)

    # ------------------------------------------------------------
    # Dashboards
    # ------------------------------------------------------------

    def test_dashboards(self):
        """Each tile and bar opens what it counts."""
        Dashboard = self.env(user=self.head, context={"lang": "en_US"})["crm.dashboard"]
        for kind in ("sales", "clients"):
            Dashboard.get_choices(kind)
            board = Dashboard.get_dashboard(kind, self.OPTIONS)
            self.assertGreaterEqual(len(board["tiles"]), 8)
            for chart in board["charts"]:
                self.assertEqual(len(chart["labels"]), len(chart["actions"]), chart["key"])
                if chart["key"] in ("stages", "reasons", "sources", "kinds", "segments"):
                    for value, action in zip(
                        chart["series"][0]["data"], chart["actions"], strict=True
                    ):
                        records = Dashboard.env[action["res_model"]].with_context(action["context"])
                        self.assertEqual(records.search_count(action["domain"]), value)
        board = Dashboard.get_dashboard("sales", self.OPTIONS)
        tiles = {tile["key"]: tile for tile in board["tiles"]}
        self.assertIn("100", tiles["orders_amount"]["text"])
        orders = self.env["sale.order"].search(tiles["orders_amount"]["action"]["domain"])
        self.assertEqual(sum(orders.mapped("amount_untaxed")), 100)

    def test_dashboard_refuses(self):
        Dashboard = self.env(user=self.head)["crm.dashboard"]
        for kind in ("nothing", None, "__class__"):
            with self.assertRaises(UserError):
                Dashboard.get_dashboard(kind, self.OPTIONS)
        with self.assertRaises(UserError):
            Dashboard.get_dashboard("sales", {**self.OPTIONS, "user_ids": "all"})
        plain = self.env["res.users"].create(
            {"name": "P", "login": "board_plain",
             "group_ids": [(6, 0, [self.env.ref("base.group_user").id])]}
        )  # fmt: skip
        with self.assertRaises(AccessError):
            Dashboard.with_user(plain).get_dashboard("sales", self.OPTIONS)
