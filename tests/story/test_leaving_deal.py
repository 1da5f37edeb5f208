"""A deal quietly loses value; its salesperson is told why, and the manager disagrees."""

from datetime import timedelta

from odoo.fields import Datetime
from odoo.tests import tagged
from playwright.sync_api import expect

from .common import StoryCase, open_page

LEAVING = "crm_scoring.crm_lead_action_leaving"
DEALS = "crm.crm_lead_opportunities"


@tagged("post_install", "-at_install")
class TestLeavingDeal(StoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesman = cls.create_user("leaving_sales", "sales_team.group_sale_salesman")
        cls.manager = cls.create_user("leaving_manager", "sales_team.group_sale_manager")
        scorecard = cls.env.ref("crm_scoring.crm_scorecard_b2b")
        cls.env["crm.scorecard"].search([("id", "!=", scorecard.id)]).active = False
        cls.deal = cls.env["crm.lead"].create(
            {
                "name": "Story fleet of drills",
                "type": "opportunity",
                "user_id": cls.salesman.id,
                "company_id": cls.env.ref("base.main_company").id,
                "email_from": "fleet@story.example.com",
                "phone": "+442079460555",
                "expected_revenue": 60000,
            }
        )
        cls.deal._flush_scoring()
        # two months go by in which nobody touches it
        cls.env.cr.execute(
            """UPDATE crm_lead SET create_date = create_date - interval '70 days',
                      date_last_stage_update = date_last_stage_update - interval '70 days'
                WHERE id = %s""",
            [cls.deal.id],
        )
        cls.env.invalidate_all()
        cls.env["crm.lead.scoring"]._refresh(cls.deal.ids, Datetime.now() + timedelta(seconds=1))

    def test_deal_loses_value_and_the_manager_disagrees(self):
        computed = self.deal.score_class
        self.assertTrue(self.deal.score_leaving)
        with self.browsing():
            page = self.open_window("leaving_sales")
            open_page(page, f"/odoo/action-{LEAVING}", ".o_list_view")
            row = page.locator(".o_data_row", has_text="Story fleet of drills")
            expect(row).to_contain_text("In the same stage for 70 days")
            self.open_record(page, DEALS, self.deal.id)
            expect(page.locator(".o-mail-Activity").first).to_contain_text("Leaving: down")

            page = self.open_window("leaving_manager")
            self.open_record(page, DEALS, self.deal.id)
            page.click("a[name=scoring]")
            story = page.locator("[name=score_story]")
            expect(story).to_contain_text("In the same stage for 70 days")
            expect(page.locator(".o_crm_score_trend")).to_be_visible()
            self.press(page, "action_raise_class")
            page.fill(".modal [name=reason] textarea", "The director promised me the order")
            self.press(page, "action_apply", ".modal")
            expect(page.locator("[name=class_adjustment_reason]")).to_contain_text("promised")
            self.assertFalse(self.page_errors)
        self.assertEqual(self.deal.score_class_auto, computed)
        self.assertEqual(self.deal.class_adjustment, 1)
        self.assertLess(self.deal.score_class, computed, "one class better")
        self.assertEqual(self.deal.class_adjustment_ids.user_id, self.manager)
