from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ScoringCommon

APPROVERS = "crm_extended.crm_agreements_group_approver"


@tagged("post_install", "-at_install")
class TestScoringFollowUp(ScoringCommon):
    """What is measured around a deal, who was right, and who gets new leads."""

    # Measures around the deal

    def _create_interaction(self, deal, days, **values):
        date = fields.Datetime.now() - timedelta(days=days)
        return self.env["crm.interaction"].create(
            {
                "subject": "Talk",
                "kind": "call",
                "res_model": "crm.lead",
                "res_id": deal.id,
                "state": "done",
                "date_start": date,
                **values,
            }
        )

    def test_every_special_measure_can_be_computed(self):
        deal = self._create_deal(partner_id=self.env["res.partner"].create({"name": "C"}).id)
        for name in self.env["crm.scorecard.factor"]._get_special_measures():
            factor = self._create_measure(name, name, {0: 1}, "{value}")
            self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
            self.assertFalse(factor.error, name)
            self.assertTrue(deal.score_details)
            self.assertGreaterEqual(
                factor.with_context(crm_scoring_try_out=True).deal_count, 0, name
            )

    def test_days_since_the_last_contact(self):
        deal = self._create_deal()
        self._create_measure("Contact", "measure_contact", {21: -20}, "No contact for {value} days")
        self._create_interaction(deal, 30)
        self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
        self.assertEqual(deal.score_value, 40)
        self.assertIn("No contact for 30 days", deal.score_details)
        self._create_interaction(deal, 1)
        self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
        self.assertEqual(deal.score_value, 60)

    def test_objections_and_documents(self):
        deal = self._create_deal()
        self._create_measure("Objections", "measure_objections", {1: -10})
        self._create_measure("Quotations", "measure_documents", {1: 15})
        objection = self.env["crm.objection"].create({"name": "Too dear"})
        raised = self.env["crm.lead.objection"].create(
            {"lead_id": deal.id, "objection_id": objection.id}
        )
        self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
        self.assertEqual(deal.score_value, 50)
        raised.state = "overcome"
        self.env["crm.lead.scoring"]._refresh(deal.ids, fields.Datetime.now())
        self.assertEqual(deal.score_value, 60)

    def test_a_competitor_in_the_deal(self):
        deal = self._create_deal()
        self._create_measure("Competitors", "measure_competitors", {1: -10})
        price, rival = self.env["crm.objection"].create(
            [
                {"name": "Too dear", "category": "price"},
                {"name": "Acme offers the same", "category": "competitor"},
            ]
        )
        for objection, value in ((price, 60), (rival, 50)):
            raised = self.env["crm.lead.objection"].create(
                {"lead_id": deal.id, "objection_id": objection.id}
            )
            self.assertEqual(deal.score_value, value)
        raised.state = "overcome"
        self.assertEqual(deal.score_value, 60)

    def test_suggested_factors_are_added_once(self):
        card = self.scorecard.with_user(self.user_manager)
        before = len(card.factor_ids)
        card.action_suggest_factors()
        added = len(card.factor_ids) - before
        self.assertGreaterEqual(added, 9)
        measures = card.factor_ids.mapped("measure")
        self.assertEqual("measure_claims" in measures, "crm.claim" in self.env)
        card.action_suggest_factors()
        self.assertEqual(len(card.factor_ids), before + added)
        deal = self._create_deal()
        self.assertFalse(card.factor_ids.filtered("error"))
        self.assertTrue(deal.score_value)
        with self.assertRaises(AccessError):
            self.scorecard.with_user(self.user_sales).action_suggest_factors()

    def test_scorecard_of_the_process_wins(self):
        process = self.env["crm.sale.process"].create({"name": "Service", "control": "none"})
        card = self.env["crm.scorecard"].create(
            {"name": "Process", "base_points": 11, "process_ids": process.ids, "sequence": 999}
        )
        deal = self._create_deal(process_id=process.id)
        self.assertEqual((deal.scorecard_id, deal.score_value), (card, 11))
        deal.process_id = False
        self.assertEqual(deal.scorecard_id, self.scorecard)

    # Who was right

    def test_who_was_right(self):
        won, lost = (self._create_deal(expected_revenue=20000) for _index in range(2))  # A
        won.with_user(self.user_sales).adjust_class(-1, "Doubtful")
        lost.with_user(self.user_all).adjust_class(1, "Certain")
        lost.with_user(self.user_all).adjust_class(-1, "Not so certain")
        won.action_set_won()
        lost.action_set_lost()
        self.env.flush_all()
        review = self.env["crm.lead.score.review"].with_user(self.user_manager)
        rows = {row.lead_id: row for row in review.search([("lead_id", "in", (won + lost).ids)])}
        self.assertEqual(len(rows), 2, "the last adjustment of each counts")
        figures = lambda r: (r.model_right, r.manager_right, r.both_right)  # noqa: E731
        self.assertEqual(figures(rows[won]), (100, 0, 100))
        self.assertEqual(figures(rows[lost]), (0, 100, 0))
        with self.assertRaises(AccessError):
            self.env["crm.lead.score.review"].with_user(self.user_sales).search([])

    def test_which_factors_were_right(self):
        won = self._create_deal(expected_revenue=20000)
        lost = self._create_deal(expected_revenue=20000, email_from=False)
        won.action_set_won()
        lost.action_set_lost()
        self.env.flush_all()
        review = self.env["crm.scorecard.factor.review"].with_user(self.user_manager)
        rows = review.search([("lead_id", "in", (won + lost).ids)])
        revenue = rows.filtered(lambda r: r.factor_id == self.factor_revenue)
        self.assertEqual(sorted(revenue.mapped("factor_right")), [0, 100])
        silent = rows.filtered(lambda r: r.factor_id == self.factor_silent)
        self.assertEqual((silent.points, silent.won, silent.factor_right), (-30, 0, 100))

    # Distribution of new leads

    def test_load_limits_the_quota(self):
        member = self.team.crm_team_member_ids
        member.assignment_max = 300  # ten a day
        self.assertEqual(member._get_assignment_quota(), 10)
        open_deals = member._count_open_deals()
        member.assignment_open_max = open_deals + 2
        self.assertEqual(member._get_assignment_quota(), 2)
        self._create_deal(user_id=self.user_sales.id)
        self._create_deal(user_id=self.user_sales.id)
        self.assertEqual(member._get_assignment_quota(force_quota=True), 0)

    def test_who_is_on_leave_gets_nothing(self):
        if "hr.leave" not in self.env:
            self.skipTest("time off is not installed")
        member = self.team.crm_team_member_ids
        member.assignment_max = 300
        employee = self.env["hr.employee"].create({"name": "S", "user_id": self.user_sales.id})
        leave_type = self.env["hr.leave.type"].create(
            {
                "name": "Leave",
                "requires_allocation": False,
                "leave_validation_type": "no_validation",
            }
        )
        today = fields.Date.today()
        self.env["hr.leave"].sudo().with_context(leave_skip_state_check=True).create(
            {
                "employee_id": employee.id,
                "holiday_status_id": leave_type.id,
                "request_date_from": today - timedelta(days=4),
                "request_date_to": today + timedelta(days=4),
            }
        )
        self.assertEqual(member._get_assignment_quota(), 0)

    def test_who_is_absent_gets_nothing(self):
        member = self.team.crm_team_member_ids
        member.assignment_max = 300
        now = fields.Datetime.now()
        absence = self.env["crm.absence"].create(
            {
                "user_id": self.user_sales.id,
                "company_id": self.company.id,
                "date_from": now - timedelta(days=1),
                "date_to": now + timedelta(days=1),
            }
        )
        self.assertEqual(member._get_assignment_quota(), 0)
        absence.action_cancel()
        self.assertEqual(member._get_assignment_quota(), 10)

    def _create_new_leads(self, revenues):
        leads = self.env["crm.lead"]
        for revenue in revenues:
            lead = self._create_deal(type="lead", expected_revenue=revenue, user_id=False)
            leads += lead
        leads.date_open = False
        return leads

    def test_the_best_class_is_handed_out_first(self):
        """Odoo's probability says the contrary; there is room for two."""
        member = self.team.crm_team_member_ids
        member.assignment_max = 60
        poor, good, fair = leads = self._create_new_leads([0, 20000, 5000])
        self.assertEqual(leads.mapped("score_class"), ["C", "A", "B"])
        for lead, probability in zip(leads, (90, 10, 50), strict=True):
            lead.probability = probability
        for force in (True, False):
            found = self.team._assign_and_convert_leads(force_quota=force)
            self.assertEqual(found[member]["assigned"], good + fair)
            self.assertEqual((good + fair).user_id, self.user_sales)
            self.assertFalse(poor.user_id)
            leads.write({"user_id": False, "date_open": False, "type": "lead"})

    def test_leads_of_a_class_go_in_turns(self):
        """Whoever got one of the best is not the first in turn for the others again."""
        other = self.env["crm.team.member"].create(
            {"crm_team_id": self.team.id, "user_id": self.user_other.id, "assignment_max": 60}
        )
        member = self.team.crm_team_member_ids - other
        member.assignment_max = 60
        leads = self._create_new_leads([20000, 20000, 0, 0, 0])
        found = self.team._assign_and_convert_leads(force_quota=True)
        self.assertEqual([len(found[m]["assigned"]) for m in member + other], [2, 2])
        for user in member.user_id + other.user_id:
            classes = leads.filtered(lambda lead, user=user: lead.user_id == user)
            self.assertEqual(classes.mapped("score_class"), ["A", "C"])

    def test_class_is_a_field_of_segments(self):
        """A segment by the class of the deals, and the agreement made for it."""
        client = self.env["res.partner"].create({"name": "Big", "is_company": True})
        self._create_deal(partner_id=client.id, expected_revenue=20000)
        segment = self.env["crm.segment"].create(
            {"name": "A", "kind": "live", "domain": "[('opportunity_ids.score_class', '=', 'A')]"}
        )
        segment.action_refresh()
        self.assertIn(segment, client.segment_ids)
        agreement = self.env["crm.agreement"].create(
            {"kind": "standard", "segment_id": segment.id, "user_id": False}
        )
        self.company.agreement_self_approval = True
        self.env.user.group_ids += self.env.ref(APPROVERS)
        agreement.action_submit()
        agreement.action_approve()
        order = self.env["sale.order"].create({"partner_id": client.id})
        self.assertEqual(order.agreement_id, agreement)

    def test_class_is_a_field_of_assignment_domains(self):
        member = self.team.crm_team_member_ids
        member.assignment_domain = "[('score_class', 'in', ['A', 'B'])]"
        good = self._create_deal(expected_revenue=20000)
        poor = self._create_deal(email_from=False, expected_revenue=0)
        found = (good + poor).filtered_domain([("score_class", "in", ["A", "B"])])
        self.assertEqual(found, good)
