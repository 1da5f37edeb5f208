from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimMetric(ClaimCommon):
    def test_metrics_can_be_told(self):
        metrics = self.env["crm.metric"].search([("code", "=like", "claims_%")])
        self.assertEqual(len(metrics), 8)
        self.assertFalse(metrics.filtered("problem"), metrics.mapped("problem"))
        today = metrics._get_today()
        self.assertEqual(set(metrics._get_figures([(today, today)], "user")), set(metrics.ids))
