import threading
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command, api, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, Form, new_test_user, tagged, users
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from .common_interaction import InteractionCommon


class MeetingCommon(InteractionCommon):
    """A colleague, two people from outside, and meetings with them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param("calendar.block_mail", True)
        cls.other_contact = cls.env["res.partner"].create(
            {"name": "Boris Birch", "email": "boris@birch.example.com", "phone": "+371 67 000 401"}
        )
        # as from the chatter of the deal
        cls._about_lead = {
            "res_model_id": cls.env["ir.model"]._get_id("crm.lead"),
            "res_id": cls.lead.id,
        }
        cls.tomorrow = (fields.Datetime.now() + timedelta(days=1)).replace(microsecond=0)

    def _meet(self, user=None, partners=None, **values):
        """An event of a user with people from outside, by default with the client."""
        user = user or self.user_sales
        partners = self.client_contact if partners is None else partners
        return (
            self.env["calendar.event"]
            .with_user(user)
            .create(
                {
                    "name": "Show the drill",
                    "start": self.tomorrow,
                    "stop": self.tomorrow + timedelta(hours=1),
                    "partner_ids": [Command.set((user.partner_id | partners).ids)],
                    **values,
                }
            )
        )

    def _get_meetings(self, events):
        return (
            self.env["crm.interaction"]
            .sudo()
            .search([("calendar_event_id", "in", events.ids)], order="date_start, id")
        )

    def _get_answers(self, interaction):
        return {
            participant.partner_id: participant.answer
            for participant in interaction.sudo().participant_ids
        }


@tagged("post_install", "-at_install")
class TestInteractionCalendar(MeetingCommon):
    """Events with somebody from outside are meetings, and follow the calendar."""

    # ------------------------------------------------------------
    # WHICH EVENTS
    # ------------------------------------------------------------

    @users("int_sales")
    def test_event_is_meeting(self):
        event = self._meet(**self._about_lead)
        meeting = self.lead.with_user(self.env.user).interaction_ids
        self.assertEqual(len(meeting), 1)
        self.assertRecordValues(
            meeting,
            [
                {
                    "kind": "meeting",
                    "direction": "none",
                    "state": "planned",
                    "subject": "Show the drill",
                    "date_start": self.tomorrow,
                    "duration": 60,
                    "user_id": self.user_sales.id,
                    "partner_id": self.client_contact.id,
                    "company_id": self.company.id,
                    "calendar_event_id": event.id,
                    "res_model": "crm.lead",
                    "res_id": self.lead.id,
                    "attendee_answer": "needsAction",
                }
            ],
        )
        self.assertEqual(
            self._get_answers(meeting),
            {self.user_sales.partner_id: "accepted", self.client_contact: "needsAction"},
        )
        # the activity which Odoo makes for the event is the only one
        self.assertEqual(meeting.activity_id, event.activity_ids)
        self.assertEqual(self.lead.activity_ids, event.activity_ids)

    @users("int_sales")
    def test_document_of_event(self):
        """The document of the event, else its opportunity, else the client."""
        by_lead = self._meet(opportunity_id=self.lead.id)
        order = self.env["sale.order"].create({"partner_id": self.client_company.id})
        by_order = self._meet(
            res_model_id=self.env["ir.model"]._get_id("sale.order"), res_id=order.id
        )
        alone = self._meet(partners=self.other_contact | self.client_contact)
        documents = [
            (meeting.res_model, meeting.res_id)
            for meeting in (self._get_meetings(event) for event in (by_lead, by_order, alone))
        ]
        self.assertEqual(
            documents,
            [
                ("crm.lead", self.lead.id),
                ("sale.order", order.id),
                ("res.partner", alone.attendee_ids.partner_id.filtered("partner_share")[0].id),
            ],
        )

    def test_way_from_event(self):
        """The event shows how it is recorded, to those who may see it."""
        event = self._meet()
        meeting = self._get_meetings(event)
        self.assertEqual(event.interaction_id, meeting)
        self.assertEqual(event.action_view_interaction()["res_id"], meeting.id)
        self.assertFalse(event.with_user(self.user_sales2).interaction_id)

    @users("int_sales")
    def test_internal_event(self):
        """Events among ourselves are not recorded, also with those who have left."""
        gone = new_test_user(self.env(su=True, user=self.user_manager.browse(1)), "int_gone")
        gone.active = False
        employee = self.env["res.partner"].create({"name": "Fitter", "employee": True})
        events = self._meet(partners=self.user_sales2.partner_id)
        events |= self._meet(partners=gone.partner_id)
        events |= self._meet(partners=employee)
        self.assertFalse(self._get_meetings(events))

    def test_portal_user_is_external(self):
        portal = new_test_user(self.env, "int_portal", groups="base.group_portal")
        meeting = self._get_meetings(self._meet(partners=portal.partner_id))
        self.assertEqual(meeting.partner_id, portal.partner_id)

    def test_plain_colleague(self):
        """Whoever has nothing to do with sales records meetings too, but joins no deal."""
        event = self._meet(self.user_plain)
        event.opportunity_id = self.lead
        meeting = self._get_meetings(event)
        document = (meeting.res_model, meeting.res_id)
        self.assertEqual(document, ("res.partner", self.client_contact.id))
        self.assertEqual(meeting.user_id, self.user_plain)
        with self.assertRaises(AccessError):
            meeting.with_user(self.user_plain).read(["subject"])

    def test_foreign_deal(self):
        """A deal of a colleague is not joined by naming it."""
        foreign = self.env["crm.lead"].create(
            {"name": "Secret", "type": "opportunity", "user_id": self.user_sales2.id}
        )
        with self.assertRaises(AccessError):
            # Odoo itself refuses
            self._meet(opportunity_id=foreign.id)
        late = self._meet(partners=self.user_sales2.partner_id)
        event = self._meet()
        for changed in (event, late):
            changed.write({**self._about_lead, "res_id": foreign.id, "opportunity_id": foreign.id})
        late.partner_ids = [Command.link(self.client_contact.id)]
        meetings = self._get_meetings(event | late)
        self.assertEqual(meetings.mapped("res_model"), 2 * ["res.partner"])
        self.assertFalse(foreign.interaction_ids)

    @users("int_sales")
    def test_form(self):
        """The event form of the calendar, opened from the deal."""
        context = self.lead.with_user(self.env.user).action_schedule_meeting()["context"]
        with Form(self.env["calendar.event"].with_context(**context)) as form:
            form.start = self.tomorrow
            form.stop = self.tomorrow + timedelta(hours=2)
        meeting = self.lead.with_user(self.env.user).interaction_ids
        self.assertEqual((meeting.subject, meeting.duration), (self.lead.name, 120))
        self.assertEqual(meeting.partner_id, self.client_contact)

    @users("int_sales")
    def test_entered_afterwards(self):
        """What is entered after it is over took place; planned ones wait for their result."""
        event = self._meet(
            start=self.tomorrow - timedelta(days=3),
            stop=self.tomorrow - timedelta(days=3) + timedelta(hours=1),
        )
        meeting = self._get_meetings(event)
        self.assertEqual(meeting.state, "done")
        self.assertEqual(meeting.date_start, event.start)

    @users("int_sales")
    def test_past_meeting_is_due(self):
        event = self._meet()
        start = self.tomorrow - timedelta(days=2)
        event.write({"start": start, "stop": start + timedelta(hours=1)})
        meeting = self._get_meetings(event).with_user(self.env.user)
        self.assertEqual((meeting.state, meeting.is_overdue), ("planned", True))
        meeting.action_done()
        self.assertEqual((meeting.state, meeting.date_start), ("done", start))
        self.assertTrue(event.active)

    @users("int_sales")
    def test_old_event(self):
        """Events that were there before are recorded when they are changed for the future."""
        past = self._meet(
            start=self.tomorrow - timedelta(days=9), stop=self.tomorrow - timedelta(8)
        )
        future = self._meet()
        self._get_meetings(past | future).unlink()
        (past | future).write({"name": "Renamed"})
        self.assertEqual(self._get_meetings(past | future).calendar_event_id, future)

    def test_other_business(self):
        """Meetings about something else than clients are none of ours."""
        model = type(self.env["calendar.event"])
        with patch.object(model, "_get_unrecorded_models", lambda self: {"crm.team"}):
            event = self._meet(
                res_model_id=self.env["ir.model"]._get_id("crm.team"),
                res_id=self.env["crm.team"].create({"name": "Team"}).id,
            )
        self.assertFalse(self._get_meetings(event))

    # ------------------------------------------------------------
    # WHAT FOLLOWS
    # ------------------------------------------------------------

    @users("int_sales")
    def test_event_moves(self):
        event = self._meet()
        meeting = self._get_meetings(event)
        meeting.with_user(self.env.user).action_postpone_hour()
        later = self.tomorrow + timedelta(days=3)
        event.write({"name": "Show two drills", "start": later, "stop": later + timedelta(hours=2)})
        self.assertRecordValues(
            meeting,
            [
                {
                    "subject": "Show two drills",
                    "date_start": later,
                    "date_deadline": later,
                    "duration": 120,
                    "state": "planned",
                }
            ],
        )
        event.user_id = self.user_sales2
        self.assertEqual(meeting.user_id, self.user_sales2)

    @users("int_sales")
    def test_event_cancelled(self):
        archived, deleted, done = self._meet(), self._meet(), self._meet()
        meetings = [self._get_meetings(event) for event in (archived, deleted, done)]
        meetings[2].with_user(self.env.user).action_done()
        archived.action_archive()
        deleted.unlink()
        done.unlink()
        self.assertEqual(
            [meeting.state for meeting in meetings], ["cancelled", "cancelled", "done"]
        )
        self.assertEqual(
            meetings[2].participant_ids.partner_id, meetings[0].participant_ids.partner_id
        )
        archived.action_unarchive()
        self.assertEqual(meetings[0].state, "planned")

    @users("int_sales")
    def test_done_stays(self):
        event = self._meet()
        meeting = self._get_meetings(event)
        meeting.with_user(self.env.user).action_done()
        before = meeting.date_start
        event.write({"name": "Other", "start": self.tomorrow + timedelta(days=5)})
        self.assertEqual((meeting.subject, meeting.date_start), ("Show the drill", before))

    @users("int_sales")
    def test_attendees(self):
        event = self._meet(partners=self.client_contact | self.other_contact)
        meeting = self._get_meetings(event)
        by_partner = {attendee.partner_id: attendee for attendee in event.attendee_ids}
        by_partner[self.client_contact].sudo().do_decline()
        self.assertEqual(meeting.attendee_answer, "needsAction")
        by_partner[self.other_contact].sudo().do_tentative()
        self.assertEqual(meeting.attendee_answer, "tentative")
        by_partner[self.other_contact].sudo().do_decline()
        self.assertEqual((meeting.attendee_answer, meeting.state), ("declined", "planned"))
        by_partner[self.client_contact].sudo().do_accept()
        self.assertEqual(meeting.attendee_answer, "accepted")
        self.assertEqual(
            self._get_answers(meeting),
            {
                self.user_sales.partner_id: "accepted",
                self.client_contact: "accepted",
                self.other_contact: "declined",
            },
        )
        event.partner_ids = [Command.unlink(self.client_contact.id)]
        self.assertEqual(
            self._get_answers(meeting),
            {self.user_sales.partner_id: "accepted", self.other_contact: "declined"},
        )
        self.assertEqual((meeting.attendee_answer, meeting.state), ("declined", "planned"))
        event.partner_ids = [Command.unlink(self.other_contact.id)]
        self.assertEqual(meeting.state, "cancelled")
        self.assertTrue(event.active)
        event.partner_ids = [Command.link(self.other_contact.id)]
        self.assertEqual((meeting.state, meeting.attendee_answer), ("planned", "needsAction"))
        self.assertIn(self.other_contact, meeting.participant_ids.partner_id)

    @users("int_sales")
    def test_invited_later(self):
        """An internal event becomes a meeting when somebody from outside is invited."""
        event = self._meet(partners=self.user_sales2.partner_id)
        self.assertFalse(self._get_meetings(event))
        event.partner_ids = [Command.link(self.client_contact.id)]
        self.assertEqual(self._get_meetings(event).partner_id, self.client_contact)

    def test_answer_is_not_written_by_hand(self):
        meeting = self._get_meetings(self._meet()).with_user(self.user_sales)
        participant = meeting.participant_ids[0]
        with self.assertRaises(AccessError):
            participant.answer = "accepted"
        with self.assertRaises(AccessError):
            meeting.attendee_answer = "accepted"
        with self.assertRaises(AccessError):
            meeting.calendar_event_id = False
        forged = (
            self.env["crm.interaction.participant"]
            .with_user(self.user_sales)
            .with_context(default_answer="accepted")
            .create({"interaction_id": meeting.id, "name": "X"})
        )
        self.assertFalse(forged.answer)

    @users("int_sales")
    def test_document_follows(self):
        """An event that is linked to a deal later, and deals that are merged."""
        event = self._meet()
        meeting = self._get_meetings(event)
        self.assertEqual(meeting.res_model, "res.partner")
        event.opportunity_id = self.lead
        self.assertEqual((meeting.res_model, meeting.res_id), ("crm.lead", self.lead.id))
        other = self.env["crm.lead"].create({"name": "Same", "type": "opportunity"})
        (other | self.lead).with_user(self.user_manager).merge_opportunity(auto_unlink=False)
        meeting.invalidate_recordset()
        self.assertIn(meeting.res_id, (other | self.lead).ids)
        self.assertEqual(event.opportunity_id.id, meeting.res_id)

    def test_deal_deleted(self):
        """The meeting is in the calendar still, and the client comes."""
        event = self._meet(opportunity_id=self.lead.id)
        meeting = self._get_meetings(event)
        self.lead.unlink()
        self.assertEqual((meeting.state, event.active), ("planned", True))
        self.assertFalse(meeting.res_id)

    # ------------------------------------------------------------
    # BACK TO THE CALENDAR
    # ------------------------------------------------------------

    @users("int_sales")
    def test_interaction_moves_event(self):
        event = self._meet()
        meeting = self._get_meetings(event).with_user(self.env.user)
        later = self.tomorrow + timedelta(days=2)
        with self._count_writes() as writes:
            meeting.write({"date_start": later, "duration": 30})
        self.assertEqual((event.start, event.stop), (later, later + timedelta(minutes=30)))
        self.assertEqual((meeting.date_start, meeting.duration), (later, 30))
        self.assertEqual(len(writes), 1, "no ping-pong")
        # as the calendar of interactions does
        meeting.write(
            {"date_start": self.tomorrow, "date_end": self.tomorrow + timedelta(minutes=90)}
        )
        self.assertEqual(event.stop - event.start, timedelta(minutes=90))
        meeting.action_postpone_tomorrow()
        self.assertEqual(event.start, self.tomorrow)

    @contextmanager
    def _count_writes(self):
        """Times that events are written."""
        writes = []
        model = self.env.registry["calendar.event"]
        original = model.write

        def write(events, vals):
            if "start" in vals:
                writes.append(vals)
            return original(events, vals)

        with patch.object(model, "write", write):
            yield writes

    @users("int_sales")
    def test_interaction_cancels_event(self):
        event = self._meet()
        meeting = self._get_meetings(event).with_user(self.env.user)
        meeting.action_cancel()
        self.assertEqual((meeting.state, event.active), ("cancelled", False))
        meeting.action_plan()
        self.assertEqual((meeting.state, event.active), ("planned", True))

    @users("int_sales")
    def test_hand_over(self):
        """Who takes the meeting over has it in the calendar."""
        event = self._meet()
        meeting = self._get_meetings(event).with_user(self.env.user)
        meeting.user_id = self.user_sales2
        self.assertIn(self.user_sales2.partner_id, event.partner_ids)
        self.assertEqual(event.user_id, self.user_sales)
        self.assertIn(self.user_sales2.partner_id, meeting.sudo().participant_ids.partner_id)
        event.name = "Renamed"
        self.assertEqual(meeting.sudo().user_id, self.user_sales2)

    def test_all_day(self):
        """Days of the organiser, without hours."""
        self.user_sales.tz = "Asia/Tokyo"
        event = self._meet(
            allday=True,
            start_date=date(2031, 3, 4),
            stop_date=date(2031, 3, 5),
            start=datetime(2031, 3, 4),
            stop=datetime(2031, 3, 5),
        )
        meeting = self._get_meetings(event)
        self.assertEqual(meeting.date_start, datetime(2031, 3, 3, 23, 0))
        self.assertEqual(meeting.date_end, datetime(2031, 3, 5, 9, 0))
        meeting.with_user(self.user_sales).date_start += timedelta(days=7)
        self.assertEqual(
            (event.start_date, event.stop_date), (date(2031, 3, 11), date(2031, 3, 12))
        )
        self.assertEqual(meeting.date_start, datetime(2031, 3, 10, 23, 0))
        meeting.with_user(self.user_sales).date_start += timedelta(hours=2)
        self.assertEqual(event.start_date, date(2031, 3, 11))
        event.write(
            {"allday": False, "start": self.tomorrow, "stop": self.tomorrow + timedelta(hours=1)}
        )
        self.assertEqual((meeting.date_start, meeting.duration), (self.tomorrow, 60))

    # ------------------------------------------------------------
    # SCHEDULING
    # ------------------------------------------------------------

    def _schedule(self, meeting, **context):
        action = meeting.action_schedule_meeting()
        form = Form(meeting.env["calendar.event"].with_context(**action["context"], **context))
        return form.save()

    @users("int_sales")
    def test_schedule_meeting(self):
        meeting = self._log(
            kind="meeting",
            state="planned",
            subject="Visit",
            date_start=self.tomorrow,
            duration=45,
            participant_ids=[Command.create({"partner_id": self.client_contact.id})],
        )
        activity = meeting.activity_id
        event = self._schedule(meeting)
        self.assertRecordValues(
            event,
            [
                {
                    "name": "Visit",
                    "start": self.tomorrow,
                    "stop": self.tomorrow + timedelta(minutes=45),
                    "activity_ids": activity.ids,
                    "user_id": self.user_sales.id,
                    "opportunity_id": self.lead.id,
                }
            ],
        )
        self.assertEqual(meeting.calendar_event_id, event)
        self.assertEqual(self.lead.with_user(self.env.user).interaction_count, 1)
        self.assertEqual(
            self._get_answers(meeting),
            {self.user_sales.partner_id: "accepted", self.client_contact: "needsAction"},
        )
        with self.assertRaises(UserError):
            meeting.action_schedule_meeting()
        with self.assertRaises(UserError):
            self._log(kind="call", state="planned").action_schedule_meeting()

    @users("int_sales")
    def test_schedule_from_activity(self):
        """Odoo's own button on the activity of a planned meeting."""
        meeting = self._log(kind="meeting", state="planned", date_start=self.tomorrow)
        activity = meeting.activity_id
        context = activity.with_context(
            default_res_model="crm.lead", default_res_id=self.lead.id
        ).action_create_calendar_event()["context"]
        context["default_partner_ids"] = [
            Command.set((self.env.user.partner_id | self.client_contact).ids)
        ]
        with Form(self.env["calendar.event"].with_context(**context)) as form:
            form.start = self.tomorrow
            form.stop = self.tomorrow + timedelta(hours=1)
        self.assertEqual(meeting.calendar_event_id, form.record)
        self.assertEqual(self.lead.with_user(self.env.user).interaction_ids, meeting)

    def test_schedule_foreign(self):
        """Nobody ties an event to the interaction of somebody else."""
        meeting = self._log(self.user_sales2, self.client_company, kind="meeting", state="planned")
        meeting.chain_id.sudo().user_id = self.user_sales2
        event = self._meet(planned_interaction_id=meeting.id)
        self.assertFalse(meeting.calendar_event_id)
        self.assertTrue(self._get_meetings(event))
        own = self._log(kind="meeting", state="planned")
        events = (
            self.env["calendar.event"]
            .with_user(self.user_sales)
            .with_context(default_planned_interaction_id=own.id)
            .create(
                [
                    {"name": str(number), "start": self.tomorrow, "stop": self.tomorrow}
                    for number in range(2)
                ]
            )
        )
        self.assertEqual(own.calendar_event_id, events[0])

    @users("int_sales")
    def test_schedule_without_client(self):
        """A meeting stays planned although its event invites nobody from outside."""
        meeting = self._log(
            document=self.client_contact, kind="meeting", state="planned", date_start=self.tomorrow
        )
        event = self._meet(partners=self.user_sales2.partner_id, planned_interaction_id=meeting.id)
        event.partner_ids = [Command.unlink(self.user_sales2.partner_id.id)]
        event.start += timedelta(days=1)
        self.assertEqual((meeting.state, meeting.date_start), ("planned", event.start))

    # ------------------------------------------------------------
    # PRIVACY AND COMPANIES
    # ------------------------------------------------------------

    def test_private(self):
        event = self._meet(
            opportunity_id=self.lead.id, privacy="private", description="Knows about the merger"
        )
        meeting = self._get_meetings(event)
        self.assertEqual(meeting.subject, "Private meeting")
        self.env.invalidate_all()
        as_manager = meeting.with_user(self.user_manager)
        self.assertNotIn("merger", str(as_manager.read()))
        self.assertNotIn("Show the drill", str(as_manager.read()))
        self.assertNotIn("Show the drill", str(as_manager.chain_id.read()))
        self.assertFalse(as_manager.meeting_description)
        self.env.invalidate_all()
        self.assertIn("merger", meeting.with_user(self.user_sales).meeting_description)
        # only those who are invited change it
        with self.assertRaises(UserError):
            as_manager.action_cancel()
        with self.assertRaises(UserError):
            as_manager.date_start += timedelta(days=1)
        self.assertTrue(event.active)
        event.privacy = "public"
        self.assertEqual(meeting.subject, "Show the drill")
        event.privacy = "private"
        self.assertEqual(meeting.subject, "Private meeting")

    def test_private_afterwards(self):
        """What is done forgets the subject too."""
        event = self._meet()
        meeting = self._get_meetings(event)
        meeting.action_done()
        event.privacy = "private"
        self.assertEqual(meeting.subject, "Private meeting")

    def test_private_business(self):
        event = self._meet(privacy="private")
        self.assertFalse(self._get_meetings(event))

    def test_private_calendar(self):
        """A calendar that is made private as a whole."""
        event = self._meet()
        meeting = self._get_meetings(event)
        self.user_sales.with_user(self.user_sales).calendar_default_privacy = "private"
        self.assertEqual(meeting.subject, "Private meeting")
        self.user_sales.with_user(self.user_sales).calendar_default_privacy = "public"
        self.assertEqual(meeting.subject, "Show the drill")

    def test_colleague_changes_event(self):
        """Whoever changes the event, the interaction follows."""
        event = self._meet(opportunity_id=self.lead.id)
        event.with_user(self.user_plain).start += timedelta(days=1)
        self.assertEqual(self._get_meetings(event).date_start, event.start)

    def test_companies(self):
        other = self.env["res.company"].create({"name": "Second"})
        self.user_sales.company_ids += other
        lead = self.env["crm.lead"].create(
            {
                "name": "There",
                "type": "opportunity",
                "company_id": other.id,
                "user_id": self.user_sales.id,
            }
        )
        theirs = self.env["res.partner"].create(
            {"name": "Theirs", "company_id": other.id, "email": "t@theirs.example.com"}
        )
        ours = self.env["res.partner"].create(
            {"name": "Ours", "company_id": self.company.id, "email": "o@ours.example.com"}
        )
        event = (
            self.env["calendar.event"]
            .with_user(self.user_sales)
            .with_context(allowed_company_ids=[self.company.id, other.id])
            .create(
                {
                    "name": "Between companies",
                    "start": self.tomorrow,
                    "stop": self.tomorrow + timedelta(hours=1),
                    "partner_ids": [Command.set((ours | theirs).ids)],
                    "opportunity_id": lead.id,
                }
            )
        )
        meeting = self._get_meetings(event)
        self.assertEqual(meeting.company_id, other)
        self.assertEqual(meeting.partner_id, theirs)
        self.assertEqual(
            sorted(meeting.participant_ids.mapped(lambda row: (row.name, row.partner_id.id))),
            [("Ours", False), ("Theirs", theirs.id)],
        )
        with self.assertRaises(AccessError):
            meeting.with_user(self.user_manager).read(["subject"])

    # ------------------------------------------------------------
    # SERIES
    # ------------------------------------------------------------

    def _repeat(self, count=5, **values):
        return self._meet(
            recurrency=True, rrule_type="daily", interval=1, end_type="count", count=count, **values
        )

    @users("int_sales")
    def test_series(self):
        event = self._repeat()
        events = event.recurrence_id.calendar_event_ids
        meetings = self._get_meetings(events)
        self.assertEqual(
            meetings.mapped("date_start"),
            [self.tomorrow + timedelta(days=number) for number in range(5)],
        )
        self.assertEqual(set(meetings.mapped("state")), {"planned"})

    @users("int_sales")
    def test_series_this(self):
        event = self._repeat()
        occurrence = event.recurrence_id.calendar_event_ids.sorted("start")[2]
        meetings = self._get_meetings(event.recurrence_id.calendar_event_ids)
        occurrence.write(
            {"start": occurrence.start + timedelta(hours=2), "recurrence_update": "self_only"}
        )
        self.assertEqual(self._get_meetings(occurrence).date_start, occurrence.start)
        self.assertEqual(set(meetings.mapped("state")), {"planned"})
        occurrence.unlink()
        self.assertEqual(sorted(meetings.mapped("state")), ["cancelled"] + 4 * ["planned"])

    def _get_states(self, meetings):
        return sorted((meeting.date_start, meeting.state) for meeting in meetings)

    @users("int_sales")
    def test_series_future(self):
        event = self._repeat()
        occurrences = event.recurrence_id.calendar_event_ids.sorted("start")
        meetings = self._get_meetings(occurrences)
        third = occurrences[2]
        third.write(
            {
                "start": third.start + timedelta(hours=2),
                "stop": third.stop + timedelta(hours=2),
                "recurrence_update": "future_events",
            }
        )
        self.assertEqual(
            self._get_states(meetings),
            [
                (self.tomorrow + timedelta(days=number, hours=number // 2 and 2), "planned")
                for number in range(5)
            ],
        )
        self.assertEqual(len(meetings.calendar_event_id.filtered("active")), 5)

    @users("int_sales")
    def test_series_all(self):
        event = self._repeat()
        occurrences = event.recurrence_id.calendar_event_ids.sorted("start")
        meetings = self._get_meetings(occurrences)
        meetings[0].with_user(self.env.user).write({"state": "done", "date_start": self.tomorrow})
        occurrences[1].write({"name": "Renamed", "recurrence_update": "all_events"})
        self.assertEqual(meetings.mapped("subject"), ["Show the drill"] + 4 * ["Renamed"])
        occurrences[1].write(
            {
                "start": occurrences[1].start + timedelta(hours=2),
                "stop": occurrences[1].stop + timedelta(hours=2),
                "recurrence_update": "all_events",
            }
        )
        events = self.env["calendar.event"].search([("name", "=", "Renamed")])
        self.assertEqual(len(events), 5)
        self.assertEqual(self._get_meetings(events), meetings, "the same meetings, moved")
        self.assertEqual(
            self._get_states(meetings),
            [(self.tomorrow, "done")]
            + [
                (self.tomorrow + timedelta(days=number, hours=2), "planned")
                for number in range(1, 5)
            ],
        )

    @users("int_sales")
    def test_series_shorter(self):
        event = self._repeat()
        meetings = self._get_meetings(event.recurrence_id.calendar_event_ids)
        event.write({"count": 3, "recurrence_update": "all_events"})
        self.assertEqual([state for _date, state in self._get_states(meetings)].count("planned"), 3)
        self.assertEqual(len(event.recurrence_id.calendar_event_ids), 3)
        self.assertEqual(
            self._get_meetings(event.recurrence_id.calendar_event_ids),
            meetings.filtered(lambda meeting: meeting.state == "planned"),
        )

    @users("int_sales")
    def test_series_ended(self):
        event = self._repeat()
        occurrences = event.recurrence_id.calendar_event_ids.sorted("start")
        meetings = self._get_meetings(occurrences)
        occurrences[3].action_mass_archive("future_events")
        self.assertEqual(meetings.mapped("state"), 3 * ["planned"] + 2 * ["cancelled"])
        occurrences[0].action_mass_deletion("all_events")
        self.assertEqual(set(meetings.mapped("state")), {"cancelled"})

    @users("int_sales")
    def test_series_past(self):
        """Occurrences that are over are not recorded; those to come are."""
        event = self._repeat(
            start=self.tomorrow - timedelta(days=4), stop=self.tomorrow - timedelta(4)
        )
        meetings = self._get_meetings(event.recurrence_id.calendar_event_ids)
        self.assertEqual(
            meetings.mapped(lambda meeting: (meeting.calendar_event_id == event, meeting.state)),
            [(True, "done"), (False, "planned")],
        )

    @users("int_sales")
    def test_series_attendee(self):
        """Inviting and answering for the whole series."""
        event = self._repeat()
        event.write(
            {
                "partner_ids": [Command.link(self.other_contact.id)],
                "recurrence_update": "all_events",
            }
        )
        events = self.env["calendar.event"].search([("partner_ids", "in", self.other_contact.ids)])
        meetings = self._get_meetings(events)
        self.assertEqual(len(meetings), 5)
        for meeting in meetings:
            self.assertIn(self.other_contact, meeting.participant_ids.partner_id)
        events.attendee_ids.filtered(
            lambda attendee: attendee.partner_id in self.client_contact | self.other_contact
        ).sudo().do_decline()
        self.assertEqual(set(meetings.mapped("attendee_answer")), {"declined"})

    # ------------------------------------------------------------
    # COST
    # ------------------------------------------------------------

    def _count_queries(self, number, partners):
        """Queries that creating so many events costs."""
        vals_list = [
            {
                "name": f"Event {index}",
                "start": self.tomorrow + timedelta(hours=index),
                "stop": self.tomorrow + timedelta(hours=index + 1),
                "partner_ids": [Command.set((self.user_sales.partner_id | partners).ids)],
                "opportunity_id": self.lead.id,
                "res_model_id": False,
            }
            for index in range(number)
        ]
        self.env.flush_all()
        self.env.invalidate_all()
        with patch.object(type(self.env["crm.lead"]), "log_meeting"):
            before = self.cr.sql_log_count
            self.env["calendar.event"].with_user(self.user_sales).create(vals_list)
            self.env.flush_all()
            return self.cr.sql_log_count - before

    def test_queries(self):
        """What the meetings add to the cost of events does not grow with their number."""
        internal, external = self.user_sales2.partner_id, self.client_contact
        self._count_queries(1, internal)
        self._count_queries(1, external)
        extra = {
            number: self._count_queries(number, external) - self._count_queries(number, internal)
            for number in (3, 30)
        }
        self.assertLessEqual(extra[30], extra[3] + 3)
        self.assertLessEqual(extra[30], 40)

    def _count_series_queries(self, number, partners):
        """Queries that a series of so many occurrences costs: created, then moved."""
        self.env.flush_all()
        self.env.invalidate_all()
        counts = []
        before = self.cr.sql_log_count
        event = self._repeat(number, partners=partners)
        self.env.flush_all()
        counts.append(self.cr.sql_log_count - before)
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        event.write(
            {
                "start": event.start + timedelta(hours=1),
                "stop": event.stop + timedelta(hours=1),
                "recurrence_update": "all_events",
            }
        )
        self.env.flush_all()
        return [*counts, self.cr.sql_log_count - before]

    def test_series_queries(self):
        """A long series costs as many more queries as a short one."""
        internal, external = self.user_sales2.partner_id, self.client_contact
        self._count_series_queries(2, internal)
        self._count_series_queries(2, external)
        extra = {
            number: [
                count - base
                for count, base in zip(
                    self._count_series_queries(number, external),
                    self._count_series_queries(number, internal),
                    strict=True,
                )
            ]
            for number in (5, 60)
        }
        for short, long in zip(extra[5], extra[60], strict=True):
            self.assertLessEqual(long, short + 5)


@tagged("post_install", "-at_install")
class TestInteractionCalendarSync(MeetingCommon):
    """Other calendars write like anybody else: unlink may archive, values come in any order."""

    def test_write_without_change(self):
        event = self._meet()
        meeting = self._get_meetings(event)
        self.env.flush_all()
        stamp = meeting.write_date
        event.write({"name": event.name, "start": event.start, "stop": event.stop})
        self.env.flush_all()
        self.assertEqual(meeting.write_date, stamp)

    def test_context_of_creation(self):
        """Defaults meant for the event do not reach its interaction."""
        event = self._meet(self.user_sales)
        event = (
            self.env["calendar.event"]
            .with_user(self.user_sales)
            .with_context(
                default_state="done",
                default_kind="call",
                default_chain_id=self._get_meetings(event).chain_id.id,
                default_opportunity_id=self.lead.id,
            )
            .create(
                {
                    "name": "With defaults",
                    "start": self.tomorrow,
                    "stop": self.tomorrow + timedelta(hours=1),
                    "partner_ids": [Command.set(self.client_contact.ids)],
                }
            )
        )
        meeting = self._get_meetings(event)
        self.assertEqual(
            (meeting.state, meeting.kind, meeting.res_id), ("planned", "meeting", self.lead.id)
        )

    def test_organizer_elsewhere(self):
        """The organiser has no user here: the first colleague is responsible."""
        event = self._meet(user_id=False)
        self.assertEqual(self._get_meetings(event).user_id, self.user_sales)

    def test_failure_leaves_nothing(self):
        """A refused event leaves no half-gathered changes behind."""
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self._meet(stop=self.tomorrow - timedelta(days=1))
        self.assertEqual(len(self._get_meetings(self._meet())), 1)


@tagged("post_install", "-at_install")
class TestInteractionCalendarRace(BaseCase):
    """Two people invite somebody from outside at the same moment, in real transactions."""

    def setUp(self):
        super().setUp()
        # the test runner holds the lock of the registry, which the threads would wait for
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"no_mail_to_attendees": True})
            start = fields.Datetime.now() + timedelta(days=1)
            self.event_id = (
                env["calendar.event"]
                .create({"name": "Race", "start": start, "stop": start + timedelta(hours=1)})
                .id
            )
            self.partner_ids = (
                env["res.partner"].create([{"name": f"Race {number}"} for number in range(2)]).ids
            )
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            meetings = env["crm.interaction"].search([("calendar_event_id", "=", self.event_id)])
            chains = meetings.chain_id
            env["calendar.event"].browse(self.event_id).unlink()
            chains.unlink()
            env["res.partner"].browse(self.partner_ids).unlink()

    def test_invite_together(self):
        barrier = threading.Barrier(2)
        errors = []

        def invite(partner_id):
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {"no_mail_to_attendees": True})
                event = env["calendar.event"].browse(self.event_id)
                event.read(["name"])
                barrier.wait(20)
                values = {"event_id": event.id, "partner_id": partner_id}
                try:
                    retrying(lambda: env["calendar.attendee"].create(values), env)
                except Exception as error:
                    cr.rollback()
                    errors.append(error)

        threads = [
            threading.Thread(target=invite, args=[partner_id]) for partner_id in self.partner_ids
        ]
        with mute_logger("odoo.sql_db", "odoo.service.model"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertFalse(errors)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            meeting = env["crm.interaction"].search([("calendar_event_id", "=", self.event_id)])
            self.assertEqual(len(meeting), 1)
            self.assertEqual(len(meeting.participant_ids), 3)
