from datetime import timedelta

from odoo import fields
from odoo.addons.base.tests.test_ir_cron import CronMixinCase
from odoo.fields import Command
from odoo.tests import tagged

from .common import ScoringCommon


@tagged("post_install", "-at_install")
class TestScoringSource(ScoringCommon, CronMixinCase):
    """A score follows what happens around the deal, not only what is written on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls.env["res.partner"].create({"name": "Client of deals", "is_company": True})
        cls.deal = cls._create_deal(partner_id=cls.client.id)
        cls.queue = cls.env["crm.lead.scoring.queue"]
        cls.queue.search([]).unlink()

    def _end_transaction(self):
        self.env.flush_all()
        self.env["crm.lead"]._flush_waiting_for_job()
        self.env["crm.lead"]._flush_scoring()
        self.env.invalidate_all()

    def _run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref("crm_scoring.ir_cron_process_queue").method_direct_trigger()
        self.env.invalidate_all()

    def _talk(self, **values):
        return self.env["crm.interaction"].create(
            {
                "subject": "Talk",
                "kind": "call",
                "direction": "out",
                "res_model": "crm.lead",
                "res_id": self.deal.id,
                "state": "done",
                "date_start": fields.Datetime.now() - timedelta(days=30),
                **values,
            }
        )

    def test_contact_is_counted_by_the_job(self):
        self._create_measure("Contact", "measure_contact", {21: -20}, "No contact")
        with self.capture_triggers("crm_scoring.ir_cron_process_queue") as captured:
            talk = self._talk()
            self._end_transaction()
            self.assertEqual(self.queue.search([]).lead_id, self.deal)
            self.assertEqual(len(captured.records), 1)
            self._talk(date_start=fields.Datetime.now() - timedelta(days=40))
            self._end_transaction()
            self.assertEqual(len(captured.records), 1, "it waits already")
        self._run_job()
        self.assertEqual(self.deal.score_value, 40)
        talk.date_start = fields.Datetime.now()
        self._end_transaction()
        self._run_job()
        self.assertEqual(self.deal.score_value, 60)
        talk.subject = "Nothing that a score looks at"
        self._end_transaction()
        self.assertFalse(self.queue.search([]))
        talk.date_start = fields.Datetime.now() - timedelta(days=25)
        self._end_transaction()
        self._run_job()
        self.assertEqual(self.deal.score_value, 40)

    def test_nothing_is_noted_that_no_scorecard_looks_at(self):
        self._talk()
        self.deal.message_post(body="Hello", message_type="comment")
        self._end_transaction()
        self.assertFalse(self.queue.search([]))

    def test_next_step_is_counted_at_once(self):
        self._create_condition("Overdue", "[('activity_ids.date_deadline', '<', 'today')]", -15)
        before = self.deal.score_value
        step = self.deal.with_user(self.deal.user_id or self.env.user).activity_schedule(
            "mail.mail_activity_data_todo",
            date_deadline=fields.Date.today() - timedelta(days=3),
            user_id=self.env.uid,
        )
        self._end_transaction()
        self.assertEqual(self.deal.score_value, before - 15)
        step.action_feedback(feedback="Done")
        self._end_transaction()
        self.assertEqual(self.deal.score_value, before)

    def test_objection_is_counted_at_once(self):
        self._create_measure("Objections", "measure_objections", {1: -10})
        objection = self.env["crm.objection"].create({"name": "Too dear by far"})
        raised = self.env["crm.lead.objection"].create(
            {"lead_id": self.deal.id, "objection_id": objection.id}
        )
        self._end_transaction()
        self.assertEqual(self.deal.score_value, 50)
        raised.unlink()
        self._end_transaction()
        self.assertEqual(self.deal.score_value, 60)

    def test_quotation_is_counted_at_once(self):
        self._create_measure("Quotations", "measure_documents", {1: 15})
        order = self.env["sale.order"].create(
            {"partner_id": self.client.id, "opportunity_id": self.deal.id}
        )
        self._end_transaction()
        self.assertEqual(self.deal.score_value, 60)
        order.action_quotation_sent()
        self._end_transaction()
        self.assertEqual(self.deal.score_value, 75)

    def test_message_is_counted_by_the_job(self):
        self._create_condition("Talked", "[('message_ids.body', 'ilike', 'blue moon')]", 10)
        self.deal.message_post(body="Once in a blue moon", message_type="comment")
        self._end_transaction()
        self.assertEqual(self.queue.search([]).lead_id, self.deal)
        self._run_job()
        self.assertEqual(self.deal.score_value, 70)

    def test_many_at_once_wait_for_the_job(self):
        self._create_measure("Step", "measure_step", {1: -5})
        deals = self.env["crm.lead"].create([{"name": f"Deal {n}"} for n in range(51)])
        self._end_transaction()
        self._run_job()
        for deal in deals:
            deal.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=fields.Date.today() - timedelta(days=3),
                user_id=self.env.uid,
            )
        self._end_transaction()
        self.assertEqual(self.queue.search_count([]), 51)

    def test_debt_of_the_client(self):
        self._create_measure("Debt", "measure_debt", {1: -5})
        journal = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)], limit=1
        )
        if not journal:
            self.skipTest("there is no journal of sales")
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.client.id,
                "invoice_date": "2024-01-01",
                "invoice_date_due": "2024-01-31",
                "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100})],
            }
        )
        self._end_transaction()
        self.assertFalse(self.queue.search([]))
        invoice.action_post()
        self._end_transaction()
        self.assertIn(self.deal, self.queue.search([]).lead_id)
        self._run_job()
        payment = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        payment.create({"amount": 40})._create_payments()
        self.assertEqual(invoice.amount_residual, invoice.amount_total - 40)
        self._end_transaction()
        self.assertIn(self.deal, self.queue.search([]).lead_id, "a part was paid")
        self._run_job()
        invoice.line_ids.remove_move_reconcile()
        self._end_transaction()
        self.assertIn(self.deal, self.queue.search([]).lead_id, "the payment came back")

    def test_agreement_of_the_client(self):
        self._create_measure("Agreements", "measure_agreements", {1: 15})
        agreement = self.env["crm.agreement"].create(
            {"name": "A-1", "kind": "individual", "partner_id": self.client.id}
        )
        before = self.deal.score_value
        self.company.agreement_self_approval = True
        self.env.user.group_ids += self.env.ref("crm_extended.crm_agreements_group_approver")
        agreement.action_submit()
        agreement.action_approve()
        self._end_transaction()
        self._run_job()
        self.assertEqual(self.deal.score_value, before + 15)
        agreement.action_close()
        self._end_transaction()
        self._run_job()
        self.assertEqual(self.deal.score_value, before)

    def test_debt_is_measured_on_the_day_of_the_refresh(self):
        measures = self.env["crm.scorecard.factor"]._get_special_measures
        moment = fields.Datetime.to_datetime("2024-02-01 10:00:00")
        self.assertIn(moment.date(), measures(moment)["measure_debt"]["sql"].params)

    def test_claim_of_the_client(self):
        if "crm.claim" not in self.env:
            self.skipTest("there are no claims")
        self._create_measure("Claims", "measure_claims", {1: -10})
        claim = self.env["crm.claim"].create({"subject": "Broken", "partner_id": self.client.id})
        self._end_transaction()
        self._run_job()
        self.assertEqual(self.deal.score_value, 50)
        claim.state = "cancelled"
        self._end_transaction()
        self._run_job()
        self.assertEqual(self.deal.score_value, 60)

    def test_whoever_may_not_read_the_deal_changes_its_score(self):
        self._create_measure("Step", "measure_step", {1: -5})
        self.deal.user_id = self.user_other
        self._end_transaction()
        before = self.deal.score_value
        self.env["mail.activity"].with_user(self.user_sales).sudo().create(
            {
                "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "res_id": self.deal.id,
                "user_id": self.user_sales.id,
                "date_deadline": fields.Date.today() - timedelta(days=3),
            }
        )
        self._end_transaction()
        self.assertEqual(self.deal.score_value, before - 5)
