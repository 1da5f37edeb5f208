from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalFeedback(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.head = new_test_user(cls.env, "portal_team_head", "sales_team.group_sale_manager")
        cls.seller = new_test_user(cls.env, "portal_asker", "sales_team.group_sale_salesman")
        cls.team = cls.env["crm.team"].create({"name": "T", "user_id": cls.head.id})
        cls.order_nina = cls._create_order(cls.nina.partner_id, {cls.drill: 2})
        cls.order_nina.write({"user_id": cls.seller.id, "team_id": cls.team.id})
        cls.company.write({"feedback_orders": True, "feedback_claims": True})
        cls.company.feedback_since = fields.Datetime.now() - timedelta(hours=1)
        cls.Feedback = cls.env["crm.portal.feedback"]

    def _run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref("crm_portal.ir_cron_portal_feedback").method_direct_trigger()
        self.env.invalidate_all()

    def _deliver(self, order=None):
        order = order or self.order_nina
        for line in order.order_line:
            line.qty_delivered = line.product_uom_qty

    def _get(self, order=None):
        return self.Feedback.search([("order_id", "=", (order or self.order_nina).id)])

    def _answer(self, feedback, quality, service, nps, comment="Fine"):
        answer = feedback.user_input_id
        for xmlid, value in (
            ("quality", quality),
            ("service", service),
            ("nps", nps),
            ("comment", comment),
        ):
            question = self.env.ref(f"crm_portal.survey_satisfaction_{xmlid}")
            answer._save_lines(question, str(value))
        answer._mark_done()

    def test_sent_after_the_delivery_once(self):
        self._run_job()
        self.assertFalse(self._get())
        self._deliver()
        self._run_job()
        self._run_job()
        feedback = self._get()
        self.assertRecordValues(
            feedback,
            [
                {
                    "state": "sent",
                    "partner_id": self.nina.partner_id.id,
                    "commercial_partner_id": self.north.id,
                    "user_id": self.seller.id,
                    "team_id": self.team.id,
                }
            ],
        )
        mail = self.env["mail.mail"].search([("recipient_ids", "in", self.nina.partner_id.ids)])
        self.assertIn(feedback.user_input_id.access_token, mail[0].body_html)

    def test_off_by_default(self):
        self.company.write({"feedback_orders": False})
        self._deliver()
        self._run_job()
        self.assertFalse(self._get())

    def test_history_is_left_alone(self):
        self._deliver()
        self.company.feedback_since = fields.Datetime.now() + timedelta(minutes=5)
        self._run_job()
        self.assertFalse(self._get())

    def test_once_in_so_many_days(self):
        other = self._create_order(self.ned.partner_id, {self.drill: 1})
        third = self._create_order(self.boris.partner_id, {self.drill: 1})
        for order in (self.order_nina, other, third):
            self._deliver(order)
        self._run_job()
        self.assertEqual(self._get().state, "sent")
        self.assertRecordValues(self._get(other), [{"state": "skipped", "skip_reason": "recent"}])
        self.assertEqual(self._get(third).state, "sent")

    def test_not_wanted(self):
        self.env["crm.portal.notice.choice"].create(
            {"partner_id": self.nina.partner_id.id, "event": "survey", "by_mail": False}
        )
        self._deliver()
        self._run_job()
        self.assertEqual(self._get().skip_reason, "opted_out")

    def test_good_answer(self):
        self._deliver()
        self._run_job()
        feedback = self._get()
        self._answer(feedback, 5, 4, 9)
        self.assertRecordValues(
            feedback,
            [
                {
                    "state": "answered",
                    "csi": 87.5,
                    "nps_mark": 9,
                    "nps": 100.0,
                    "is_low": False,
                    "comment": "Fine",
                }
            ],
        )
        self.assertFalse(feedback.activity_ids)

    def test_low_mark_goes_to_the_head_once(self):
        self._deliver()
        self._run_job()
        feedback = self._get()
        self._answer(feedback, 1, 2, 3, "Late and broken")
        self.assertRecordValues(feedback, [{"csi": 12.5, "nps": -100.0, "is_low": True}])
        self.assertEqual(feedback.activity_ids.user_id, self.head)
        self.assertIn("Late and broken", feedback.activity_ids.note)
        feedback.user_input_id._mark_done()
        self.assertEqual(len(feedback.activity_ids), 1)

    def test_answered_without_login(self):
        self._deliver()
        self._run_job()
        self.login(None)
        page = self.url_open(self._get().user_input_id.get_start_url())
        self.assertEqual(page.status_code, 200)
        self.assertIn("How did we do?", page.text)
        self.assertEqual(self._get().state, "sent", "looking is not answering")
        token = self._get().user_input_id.survey_id.access_token
        page = self.url_open(f"/survey/start/{token}?answer_token=wrong")
        self.assertNotIn("How satisfied", page.text)

    def test_home_invites(self):
        self._deliver()
        self._run_job()
        self.login(self.nina)
        self.assertIn("portal_open_survey", self.url_open("/my").text)
        self.login(self.ned)
        self.assertNotIn("portal_open_survey", self.url_open("/my").text)

    def test_closed_claim(self):
        claim = self._create_decided_claim(state="decided", user_id=self.handler.id)
        claim._customer_accept(self.nina.partner_id, "")
        self.env.flush_all()
        if claim.state != "closed":
            claim._move_to("closed")
        claim.invalidate_recordset()
        self._run_job()
        feedback = self.Feedback.search([("claim_id", "=", claim.id)])
        self.assertRecordValues(
            feedback, [{"cause_id": self.cause.id, "user_id": self.handler.id, "state": "sent"}]
        )
        ratings = self.env["mail.mail"].search([("subject", "like", "How did we handle")])
        self.assertFalse(ratings.filtered(lambda mail: mail.res_id == claim.id))

    def test_won_deal(self):
        self.company.feedback_deals = True
        lead = self.env["crm.lead"].create(
            {
                "name": "Deal",
                "type": "opportunity",
                "partner_id": self.boris.partner_id.id,
                "company_id": self.company.id,
                "user_id": self.seller.id,
            }
        )
        lead.action_set_won()
        self.env.flush_all()
        self._run_job()
        feedback = self.Feedback.search([("lead_id", "=", lead.id)])
        self.assertEqual(feedback.trigger, "deal")

    def test_access(self):
        self._deliver()
        self._run_job()
        feedback = self._get()
        self.assertTrue(self.Feedback.with_user(self.seller).search([("id", "=", feedback.id)]))
        other = new_test_user(self.env, "portal_other_seller", "sales_team.group_sale_salesman")
        self.assertFalse(self.Feedback.with_user(other).search([]))
        self.assertTrue(self.Feedback.with_user(self.head).search([("id", "=", feedback.id)]))
        with self.assertRaises(AccessError):
            feedback.with_user(self.head).write({"csi": 100})
        self.login(self.nina)
        self.assertIn("error", self.rpc("crm.portal.feedback", "search_read", [], ["csi"]))

    def test_report(self):
        second = self._create_order(self.boris.partner_id, {self.drill: 1})
        second.write({"user_id": self.seller.id, "team_id": self.team.id})
        for order in (self.order_nina, second):
            self._deliver(order)
        self._run_job()
        self._answer(self._get(), 5, 5, 10)
        self._answer(self._get(second), 1, 1, 0)
        rows = self.Feedback.with_user(self.head).formatted_read_group(
            [("state", "=", "answered"), ("user_id", "=", self.seller.id)],
            ["user_id"],
            ["csi:avg", "nps:avg", "answered_count:sum"],
        )
        self.assertEqual(
            (rows[0]["csi:avg"], rows[0]["nps:avg"], rows[0]["answered_count:sum"]), (50, 0, 2)
        )
