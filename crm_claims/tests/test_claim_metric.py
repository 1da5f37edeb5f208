from datetime import date, datetime

from freezegun import freeze_time
from odoo import Command
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
