from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.fields import Command, Datetime
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimDashboard(ClaimCommon):
    """Each figure equals the records that it opens, as far as the user reads them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        now = Datetime.now()
        closed = cls.env["crm.claim"]._get_stage_of_state("closed").id
        cls.claims = cls.env["crm.claim"]
        for days in (0, 2, 5, 20, 45, 100):
            cls.claims |= cls._create_claim(
                user_id=cls.user_own.id, date_registered=now - timedelta(days=days)
            )
        cls.claims |= cls._create_claim(
            date_registered=now - timedelta(days=8),
            stage_id=closed,
            decision="partly",
            decision_text="x",
            cause_id=cls.cause.id,
        )
        cls.secret = cls._create_claim(user_id=cls.user_manager.id, confidential=True)
        cls.env.flush_all()

    def _get(self, user, mine=False):
        return self.env["crm.claim"].with_user(user).get_dashboard(mine)

    def _check(self, user, mine=False):
        data = self._get(user, mine)
        claims = self.env["crm.claim"].with_user(user)
        self.assertTrue(data["charts"]["trend"])
        for tile in data["tiles"]:
            count = self.env[tile["model"]].with_user(user).search_count(tile["domain"])
            self.assertEqual(tile["value"], count, tile["key"])
        for key, rows in data["charts"].items():
            for row in rows:
                self.assertEqual(row["value"], claims.search_count(row["domain"]), (key, row))
        return data

    def test_figures(self):
        data = self._check(self.user_all)
        tiles = {tile["key"]: tile["value"] for tile in data["tiles"]}
        self.assertEqual(tiles["open"], 6)
        self.assertEqual([row["value"] for row in data["charts"]["age"]], [2, 1, 1, 2])
        self.assertEqual(sum(row["value"] for row in data["charts"]["trend"]), 6)
        self.assertEqual([row["key"] for row in data["charts"]["decision"]], ["partly"])
        self.assertIn("Test Cause", [row["label"] for row in data["charts"]["cause"]])
        self._check(self.user_own, mine=True)

    def test_secrets_are_not_counted(self):
        manager = {tile["key"]: tile["value"] for tile in self._check(self.user_manager)["tiles"]}
        self.assertEqual(manager["open"], 7)
        with self.assertRaises(AccessError):
            self._get(self.user_employee)
        self._check(self.user_accountant)

    def test_other_companies_are_not_counted(self):
        other = self.env["res.company"].create({"name": "Second Claims Ltd"})
        self.env["crm.claim"].create(
            {"subject": "Other", "partner_id": self.customer.id, "company_id": other.id}
        )
        self.user_manager.company_ids = [Command.link(other.id)]
        tiles = (
            self.env["crm.claim"]
            .with_user(self.user_manager)
            .with_context(allowed_company_ids=other.ids)
        )
        [tile] = [tile for tile in tiles.get_dashboard()["tiles"] if tile["key"] == "open"]
        self.assertEqual(tile["value"], 1)

    def test_time_zone_of_the_user(self):
        self.user_all.tz = "Asia/Tokyo"
        self._check(self.user_all)
