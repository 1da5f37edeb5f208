from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import ScoringCommon


@tagged("post_install", "-at_install")
class TestMyCalls(ScoringCommon):
    """Calls about the best deals come first, whatever has no class last."""

    def test_order_by_class(self):
        now = fields.Datetime.now()
        user = self.env.user
        leads = self.env["crm.lead"].create(
            [
                {"name": f"Deal {name}", "type": "opportunity", "user_id": user.id}
                for name in ("D", "A", "C", "A too", "later")
            ]
        )
        self.env.flush_all()
        leads._flush_scoring()
        # the classes of the test, whatever the scorecard makes of these deals
        for lead, score_class in zip(leads, "DACAA", strict=True):
            self.env.cr.execute(
                "UPDATE crm_lead SET score_class = %s WHERE id = %s", (score_class, lead.id)
            )
        leads.invalidate_recordset(["score_class"])
        partner = self.env["res.partner"].create({"name": "No deal"})
        calls = self.env["crm.interaction"].create(
            [
                {
                    "subject": document.display_name,
                    "res_model": document._name,
                    "res_id": document.id,
                    "state": "planned",
                    "date_start": now + timedelta(minutes=minutes),
                }
                for document, minutes in [
                    *zip(leads, (-50, -10, -20, -30, 60), strict=True),
                    (partner, -60),
                ]
            ]
        )
        ordered = self.env["crm.interaction"].search(
            [("id", "in", calls.ids)], order="call_rank, date_deadline, id"
        )
        self.assertEqual(
            ordered.mapped("subject"),
            ["Deal A too", "Deal A", "Deal C", "Deal D", "No deal", "Deal later"],
        )
        self.assertEqual(ordered.mapped("lead_score_class"), ["A", "A", "C", "D", False, "A"])
