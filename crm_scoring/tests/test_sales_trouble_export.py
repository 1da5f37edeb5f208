import io
import json

from odoo.tests import HttpCase, new_test_user, tagged
from openpyxl import load_workbook


@tagged("post_install", "-at_install")
class TestSalesTroubleExport(HttpCase):
    def test_workbook(self):
        """What the page says, as tables with charts; an employee without sales rights gets none."""
        new_test_user(self.env, "trouble_head", "sales_team.group_sale_manager")
        reason = self.env["crm.lost.reason"].create({"name": "=Too dear"})
        source = self.env["utm.source"].create({"name": "Fair"})
        lead = self.env["crm.lead"].create(
            {
                "name": "Deal", "type": "opportunity", "expected_revenue": 500,
                "source_id": source.id,
            }
        )  # fmt: skip
        lead.action_set_lost(lost_reason_id=reason.id)
        self.authenticate("trouble_head", "trouble_head")
        url = "/crm_scoring/trouble.xlsx?options="
        response = self.url_open(url + json.dumps({"period": "this_month"}))
        book = load_workbook(io.BytesIO(response.content))
        self.assertEqual(
            book.sheetnames,
            ["Plan and Fact", "The largest levers", "Lost deals", "Objections",
             "Quality of channels"],
        )  # fmt: skip
        lost = {row[0]: row[2:] for row in list(book["Lost deals"].values)[1:]}
        self.assertEqual(lost["=Too dear"], (1, 500))
        channels = {row[0]: row[1:4] for row in list(book["Quality of channels"].values)[1:]}
        self.assertEqual(channels["Fair"], (1, 1, 0))
        self.assertTrue(book["Lost deals"]._charts)
        rows = list(book["Plan and Fact"].values)[1:]
        self.assertEqual([row[0] for row in rows[-3:]], ["Expected", "Actual", "Difference"])
        self.assertAlmostEqual(rows[-1][4], rows[-2][4] - rows[-3][4])
        self.assertEqual(self.url_open(url + "[]").status_code, 400)
        new_test_user(self.env, "trouble_none", "base.group_user")
        self.authenticate("trouble_none", "trouble_none")
        response = self.url_open(url + json.dumps({"period": "this_month"}))
        self.assertNotIn("spreadsheet", response.headers["Content-Type"])
