from datetime import date, datetime, timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged, users

from .test_interaction_calendar import MeetingCommon


@tagged("post_install", "-at_install")
class TestInteractionActivity(MeetingCommon):
    """Calls and meetings done as activities are contacts; planned ones go both ways."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.call_type = cls.env.ref("mail.mail_activity_data_call")
        cls.meeting_type = cls.env.ref("mail.mail_activity_data_meeting")
        cls.todo_type = cls.env.ref("mail.mail_activity_data_todo")

    def _schedule(self, activity_type=None, document=None, user=None, **values):
        """An activity on a document, by default a call about the deal."""
        document = (self.lead if document is None else document).with_user(user or self.user_sales)
        return document.activity_schedule(
            activity_type_id=(activity_type or self.call_type).id,
            **{"summary": "Ask for the price", "user_id": self.user_sales.id, **values},
        )

    def _get_recorded(self, document=None):
        document = self.lead if document is None else document
        return (
            self.env["crm.interaction"]
            .sudo()
            .search([("res_model", "=", document._name), ("res_id", "=", document.id)])
        )

    # ------------------------------------------------------------
    # DONE
    # ------------------------------------------------------------

    @users("int_sales")
    def test_call_done(self):
        activity = self._schedule()
        self.assertFalse(self._get_recorded(), "a planned activity is no contact yet")
        activity.action_feedback(feedback="They want 20")
        self.assertRecordValues(
            self._get_recorded(),
            [
                {
                    "kind": "call",
                    "direction": "out",
                    "state": "done",
                    "subject": "Ask for the price",
                    "result_note": "They want 20",
                    "user_id": self.user_sales.id,
                    "partner_id": self.client_contact.id,
                    "activity_id": activity.id,
                }
            ],
        )
        activity.with_context(active_test=False)._action_done(feedback="again")
        self.assertEqual(len(self._get_recorded()), 1)

    @users("int_sales")
    def test_kinds(self):
        for activity_type in (self.meeting_type, self.todo_type):
            self._schedule(activity_type, summary=False).action_feedback()
        recorded = self._get_recorded()
        self.assertEqual(recorded.mapped("kind"), ["meeting"])
        self.assertEqual(recorded.subject, self.meeting_type.name)
        self.assertFalse(recorded.result_note)

    def test_documents(self):
        """Documents that are talked about, and others."""
        order = self.env["sale.order"].create({"partner_id": self.client_company.id})
        product = self.env["product.template"].create({"name": "Drill"})
        for document in (order, self.client_company, product):
            self._schedule(document=document, user=self.env.user).action_feedback(feedback="x")
        self.assertEqual(self._get_recorded(order).partner_id, self.client_company)
        self.assertEqual(len(self._get_recorded(self.client_company)), 1)
        self.assertFalse(
            self.env["crm.interaction"].search([("subject", "=", "Ask for the price")])
            - self._get_recorded(order)
            - self._get_recorded(self.client_company)
        )

    def test_done_by_anybody(self):
        """A colleague without access to the deal finishes what is assigned to him."""
        activity = self._schedule(user_id=self.user_plain.id)
        activity.with_user(self.user_plain).action_feedback(feedback="Done for you")
        recorded = self._get_recorded()
        self.assertEqual((recorded.user_id, recorded.state), (self.user_plain, "done"))
        with self.assertRaises(AccessError):
            recorded.with_user(self.user_plain).read(["result_note"])

    @users("int_sales")
    def test_files(self):
        Attachment = self.env["ir.attachment"]
        file = Attachment.create({"name": "plan.txt", "raw": b"plan"})
        foreign = Attachment.with_user(self.user_sales2).create({"name": "x.txt", "raw": b"secret"})
        activity = self._schedule()
        activity.action_feedback(feedback="See file", attachment_ids=file.ids)
        copied = self._get_recorded().with_user(self.env.user).attachment_ids
        self.assertEqual((copied.name, copied.raw), ("plan.txt", b"plan"))
        self.assertEqual(
            (copied.res_model, copied.res_id, copied.res_field),
            ("crm.interaction", self._get_recorded().id, "attachment_ids"),
        )
        self.assertEqual(copied.checksum, file.checksum)
        # a file that one cannot read is not made readable by naming it
        other = self._schedule(summary="Other")
        try:
            other.action_feedback(feedback="x", attachment_ids=foreign.ids)
        except AccessError:
            self.assertTrue(other.active)
        recorded = self._get_recorded().filtered(lambda row: row.subject == "Other")
        self.assertFalse(recorded.attachment_ids)

    @users("int_sales")
    def test_own_interaction(self):
        """A planned interaction is finished, not doubled."""
        planned = self._log(state="planned", subject="Call about prices")
        file = self.env["ir.attachment"].create({"name": "a.txt", "raw": b"a"})
        planned.activity_id.action_feedback(feedback="Agreed", attachment_ids=file.ids)
        self.assertEqual(self._get_recorded(), planned)
        self.assertEqual((planned.state, planned.result_note), ("done", "Agreed"))
        self.assertEqual(planned.attachment_ids.name, "a.txt")

    @users("int_sales")
    def test_plan_launched(self):
        """An activity plan on a deal: its calls and meetings count when they are done."""
        plan = (
            self.env["mail.activity.plan"]
            .sudo()
            .create(
                {
                    "name": "First contact",
                    "res_model": "crm.lead",
                    "template_ids": [
                        Command.create(
                            {
                                "activity_type_id": activity_type.id,
                                "summary": summary,
                                "responsible_type": "on_demand",
                            }
                        )
                        for activity_type, summary in (
                            (self.call_type, "Ring"),
                            (self.meeting_type, "Visit"),
                            (self.todo_type, "Write up"),
                        )
                    ],
                }
            )
        )
        context = {
            "active_model": "crm.lead",
            "active_ids": self.lead.ids,
            "active_id": self.lead.id,
        }
        form = Form(self.env["mail.activity.schedule"].with_context(**context))
        form.plan_id = plan
        form.plan_on_demand_user_id = self.env.user
        form.save().action_schedule_plan()
        activities = self.lead.with_user(self.env.user).activity_ids
        self.assertEqual(len(activities), 3)
        self.assertFalse(self._get_recorded())
        activities.action_feedback(feedback="ok")
        self.assertEqual(sorted(self._get_recorded().mapped("subject")), ["Ring", "Visit"])

    def test_document_gone(self):
        """The deal is deleted under an activity of it: nothing is recorded, nothing fails."""
        activity = self._schedule()
        planned = self._log(state="planned")
        self.env.cr.execute("DELETE FROM crm_lead WHERE id = %s", (self.lead.id,))
        self.env.invalidate_all()
        (activity | planned.activity_id)._action_done(feedback="x")
        self.assertFalse(self.env["crm.interaction"].search([("activity_id", "=", activity.id)]))

    # ------------------------------------------------------------
    # WITH AN EVENT
    # ------------------------------------------------------------

    @users("int_sales")
    def test_meeting_with_event(self):
        """Activity and event are one meeting."""
        event = self._meet(**self._about_lead)
        activity = event.activity_ids
        self.assertEqual(self._get_recorded().activity_id, activity)
        activity.action_feedback(feedback="Went well")
        self.assertRecordValues(
            self._get_recorded(),
            [{"state": "done", "result_note": "Went well", "calendar_event_id": event.id}],
        )

    @users("int_sales")
    def test_event_done_from_interaction(self):
        event = self._meet(**self._about_lead)
        activity = event.activity_ids
        self._get_recorded().with_user(self.env.user).action_done()
        self.assertFalse(activity.active)
        self.assertEqual(len(self._get_recorded()), 1)

    @users("int_sales")
    def test_event_without_external(self):
        """The client comes without an invitation: done as an activity, recorded once."""
        event = self._meet(
            partners=self.user_sales2.partner_id,
            **self._about_lead,
        )
        event.activity_ids.action_feedback(feedback="They came")
        recorded = self._get_recorded()
        self.assertEqual((recorded.kind, recorded.calendar_event_id), ("meeting", event))
        event.partner_ids = [Command.link(self.client_contact.id)]
        self.assertEqual(self._get_recorded(), recorded)

    @users("int_sales")
    def test_activity_of_event_deleted(self):
        """Odoo leaves the event in the calendar, or deletes both."""
        left, deleted = self._meet(**self._about_lead), self._meet(**self._about_lead)
        meetings = [self._get_meetings(event) for event in (left, deleted)]
        left.activity_ids.unlink()
        deleted.activity_ids.unlink_w_meeting()
        self.assertEqual([meeting.state for meeting in meetings], ["planned", "cancelled"])

    @users("int_sales")
    def test_activity_of_event_moved(self):
        event = self._meet(**self._about_lead)
        event.activity_ids.date_deadline += timedelta(days=4)
        self.assertEqual(event.start, self.tomorrow + timedelta(days=4))
        self.assertEqual(self._get_recorded().date_start, event.start)

    # ------------------------------------------------------------
    # PLANNED
    # ------------------------------------------------------------

    @users("int_sales")
    def test_rescheduled(self):
        """The owner moves the activity to another day: the hour of the interaction remains."""
        self.user_sales.tz = "Europe/Riga"
        # the clocks change between the two days
        planned = self._log(state="planned", date_start=datetime(2031, 3, 28, 8, 0))
        planned.activity_id.date_deadline = date(2031, 4, 2)
        self.assertEqual(planned.date_start, datetime(2031, 4, 2, 7, 0))
        self.assertEqual(planned.date_deadline, planned.date_start)
        self.assertEqual(planned.activity_id.date_deadline, date(2031, 4, 2))

    @users("int_sales")
    def test_rescheduled_postponed(self):
        planned = self._log(state="planned", date_start=self.tomorrow - timedelta(days=5))
        before = planned.date_start
        planned.action_postpone_tomorrow()
        planned.activity_id.action_reschedule_nextweek()
        self.assertEqual((planned.state, planned.date_start), ("postponed", before))
        self.assertEqual(planned._get_activity_date(), planned.activity_id.date_deadline)

    def test_reassigned(self):
        planned = self._log(state="planned")
        planned.activity_id.with_user(self.user_sales).user_id = self.user_sales2
        self.assertEqual(planned.user_id, self.user_sales2)
        planned.user_id = self.user_sales
        self.assertEqual(planned.activity_id.user_id, self.user_sales)

    @users("int_sales")
    def test_deleted(self):
        planned = self._log(state="planned")
        planned.activity_id.action_cancel()
        self.assertEqual(planned.state, "cancelled")

    # ------------------------------------------------------------
    # COST AND COMPANIES
    # ------------------------------------------------------------

    def test_companies(self):
        other = self.env["res.company"].create({"name": "Second"})
        lead = self.env["crm.lead"].create(
            {"name": "There", "type": "opportunity", "company_id": other.id, "user_id": False}
        )
        activity = self._schedule(document=lead, user=self.env.user, user_id=self.user_sales.id)
        activity.with_user(self.user_sales).action_feedback(feedback="x")
        self.assertEqual(self._get_recorded(lead).company_id, other)

    def _count_queries(self, number, activity_type):
        leads = self.env["crm.lead"].create(
            [{"name": f"Lead {index}", "user_id": self.user_sales.id} for index in range(number)]
        )
        activities = self.env["mail.activity"].union(
            *(self._schedule(activity_type, document=lead) for lead in leads)
        )
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        activities.with_user(self.user_sales).action_feedback(feedback="Bulk")
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def test_queries(self):
        """What the interactions add to the cost of finishing activities does not grow."""
        self._count_queries(1, self.call_type)
        self._count_queries(1, self.todo_type)
        extra = {
            number: self._count_queries(number, self.call_type)
            - self._count_queries(number, self.todo_type)
            for number in (3, 30)
        }
        self.assertLessEqual(extra[30], extra[3] + 3)
        self.assertLessEqual(extra[30], 30)

    def test_mail_of_planning(self):
        """Handing an activity over in the interaction tells nobody twice."""
        colleague = new_test_user(
            self.env, "int_colleague", groups="base.group_user,sales_team.group_sale_salesman"
        )
        planned = self._log(state="planned", date_start=fields.Datetime.now())
        before = self.env["mail.message"].search_count([])
        planned.sudo().user_id = colleague
        self.assertEqual(self.env["mail.message"].search_count([]), before)
