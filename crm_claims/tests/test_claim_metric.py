from datetime import date, datetime

from freezegun import freeze_time
from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ClaimCommon

FEB = (date(2026, 2, 1), date(2026, 2, 28))


@tagged("post_install", "-at_install")
class TestClaimMetric(ClaimCommon):
    def test_metrics_can_be_told(self):
        metrics = self.env["crm.metric"].search([("code", "=like", "claims_%")])
        self.assertEqual(len(metrics), 8)
        self.assertFalse(metrics.filtered("problem"), metrics.mapped("problem"))
        today = metrics._get_today()
        self.assertEqual(set(metrics._get_figures([(today, today)], "user")), set(metrics.ids))

    def test_teams_of_then(self):
        """Registered while he was in one team, decided while he was in another."""
        north, south = self.env["crm.team"].create(
            [{"name": name, "company_id": self.company.id} for name in ("North", "South")]
        )
        with freeze_time(datetime(2026, 1, 1)):
            north.member_ids = [Command.link(self.user_own.id)]
        claim = self._create_claim(
            user_id=self.user_own.id, date_registered=datetime(2026, 2, 5, 9)
        )
        with freeze_time(datetime(2026, 2, 10)):
            north.member_ids = [Command.unlink(self.user_own.id)]
            south.member_ids = [Command.link(self.user_own.id)]
        claim.sudo().date_decided = datetime(2026, 2, 20, 9)
        metrics = self.env["crm.metric"].search([("code", "in", ("claims_new", "claims_handled"))])
        figures = metrics._get_figures([FEB], "team")
        new, handled = (
            figures[metrics.filtered(lambda m, c=code: m.code == c).id][0]
            for code in ("claims_new", "claims_handled")
        )
        self.assertEqual((new.get(north.id), new.get(south.id)), (1, None))
        self.assertEqual((handled.get(north.id), handled.get(south.id)), (None, 1))

    def test_dashboard(self):
        """Each tile and bar says as many claims as it opens, to whoever looks."""
        for day in (3, 14, 14):
            self._create_claim(
                user_id=self.user_own.id,
                date_registered=datetime(2026, 2, day, 9),
                cause_id=self.cause.id,
            )
        self._create_claim(user_id=self.user_all.id, date_registered=datetime(2026, 2, 5, 9))
        self._create_claim(
            user_id=self.user_manager.id, confidential=True,
            date_registered=datetime(2026, 2, 6, 9),
        )  # fmt: skip
        self.env.flush_all()
        options = {"period": "custom", "date_from": str(FEB[0]), "date_to": str(FEB[1])}
        for user in (self.user_own, self.user_all, self.user_manager):
            Dashboard = self.env(user=user, context={})["crm.dashboard"]
            self.assertEqual(Dashboard.get_choices("claims")["name"], "Claims by Period")
            board = Dashboard.get_dashboard("claims", options)
            tiles = {tile["key"]: tile for tile in board["tiles"]}
            for key in ("claims_new", "claims_handled", "claims_open", "claims_overdue"):
                action = tiles[key]["action"]
                Claims = self.env["crm.claim"].with_user(user).with_context(action["context"])
                number = Claims.search_count(action["domain"])
                self.assertEqual(tiles[key]["text"], f"{number:,}", (user.login, key))
            checked = 0
            for chart in board["charts"]:
                values = chart["series"][0]["data"]
                for value, action in zip(values, chart["actions"], strict=True):
                    Claims = self.env["crm.claim"].with_user(user).with_context(action["context"])
                    self.assertEqual(Claims.search_count(action["domain"]), value, chart["key"])
                    checked += 1
            self.assertGreater(checked, 12)
        for user in (self.user_employee, self.user_accountant):
            with self.assertRaises(AccessError):
                self.env(user=user)["crm.dashboard"].get_dashboard("claims", options)
