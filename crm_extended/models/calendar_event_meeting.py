from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import clean_context, float_compare
from psycopg2.errors import UniqueViolation

from ..tools.meeting_changes import match_occurrences
from .crm_interaction import PENDING_STATES

# the order in which the answers of several attendees count: one who comes is enough
ANSWERS = ("accepted", "tentative", "needsAction", "declined")


class CalendarEvent(models.Model):
    """How events with somebody from outside become interactions.

    - Each occurrence of a series is a meeting of its own. When a series is rewritten, the
      interactions move to the occurrences that take the place of theirs.
    - The meeting is about the document of the event if that is talked about (a deal, an order,
      a claim...) and whoever links it may read it, otherwise about the first external attendee.
      The client is the one of the document when invited, otherwise the first external attendee;
      the responsible is the organiser.
    - It is planned as long as nobody says how it went: a meeting whose time is over is due and
      overdue like every planned contact, and is done with one click. Nothing marks it by the
      clock: whether it took place and what came of it only people know.
    - What is entered after it is over is a record of what took place: it is done at once.
      Occurrences of a series that lie in the past are not recorded, neither are events that
      were there before this add-on, until they are moved or invited to for a time to come.
    - An event that is archived, deleted or left by its last external attendee cancels its
      meeting. What is done stays done.
    - The subject of a private event is known to those who are invited only: its interaction
      says that there is a meeting, not why. A private event about no document is nobody else's
      business and is not recorded.

    The interaction takes over a value when the event changes it; a subject or a responsible
    that was changed on the interaction remains until then.
    """

    _inherit = "calendar.event"

    @api.model
    def _record_meetings(self, changes):
        """Bring the interactions up to date with what happened to events.

        The number of queries does not depend on the number of events.

        :param changes: the MeetingChanges of the call
        """
        # sudo: the meeting is recorded whoever changes the event, and as it is, not as the
        # user sees it
        events_sudo = (
            self.sudo()
            .with_context(clean_context(self.env.context), active_test=False)
            .browse(changes.get_event_ids())
            .exists()
        )
        Interaction_sudo = events_sudo.env["crm.interaction"]._from_meetings()
        meetings = Interaction_sudo.search([("calendar_event_id", "in", events_sudo.ids)])
        orphans = Interaction_sudo.browse(changes.orphans).exists()
        orphans = orphans.filtered(lambda interaction: not interaction.calendar_event_id)
        if not (events_sudo or orphans):
            return
        users = self._get_internal_users(events_sudo.attendee_ids.partner_id)
        externals = {
            event: event.attendee_ids.filtered(
                lambda attendee: self._is_external_partner(attendee.partner_id, users)
            )
            for event in events_sudo
        }
        by_event = {interaction.calendar_event_id: interaction for interaction in meetings}
        gone = orphans | meetings.filtered(lambda meeting: not meeting.calendar_event_id.active)
        live = events_sudo.filtered("active")
        bound = live._bind_planned_meetings(changes, by_event)
        bound |= live._bind_occurrences(changes, by_event, gone)
        gone = gone.filtered(lambda meeting: not meeting.calendar_event_id.active)
        gone |= meetings.filtered(
            lambda meeting: meeting.calendar_event_id.id in changes.uninvited
            and not externals[meeting.calendar_event_id]
        )
        missing = live.filtered(
            lambda event: event not in by_event
            and externals[event]
            and event._is_meeting_recorded(changes)
        )
        linked = live.filtered(
            lambda event: event in by_event
            and not changes.names[event.id].isdisjoint(self._get_meeting_document_fields())
        )
        # with the rights of whoever calls: nobody joins a conversation by naming its document
        documents = (missing | linked)._get_meeting_documents(self.env)
        chains = linked._open_meeting_chains(documents)
        for event in live:
            if event in by_event and by_event[event] not in gone:
                meeting = by_event[event]
                names = None if meeting in bound else changes.names[event.id]
                event._update_meeting(meeting, names, externals[event], users, chains.get(event))
        missing._create_meetings(externals, users, documents, by_event)
        gone.filtered(lambda meeting: meeting.state in PENDING_STATES).write({"state": "cancelled"})
        self._update_participants(
            {
                event: meeting
                for event, meeting in by_event.items()
                if meeting in bound
                or not {"attendee_ids", "partner_ids"}.isdisjoint(changes.names[event.id])
            },
            users,
        )

    # ------------------------------------------------------------
    # WHICH EVENT, WHICH INTERACTION
    # ------------------------------------------------------------

    @api.model
    def _get_unrecorded_models(self):
        """Models whose meetings are with people from outside, but not with clients."""
        return {"hr.applicant", "hr.leave"}

    def _is_meeting_recorded(self, changes):
        """Whether an event with somebody from outside gets an interaction."""
        self.ensure_one()
        if self.res_model in self._get_unrecorded_models():
            return False
        if self._is_meeting_private() and not self._get_meeting_document_key():
            return False
        if self._get_meeting_times()[1] > fields.Datetime.now():
            return True
        return (
            self.id in changes.created
            and not {"active", "recurrence_update"} & changes.names[self.id]
            and self.recurrence_id.base_event_id in (self, self.browse())
        )

    def _bind_planned_meetings(self, changes, by_event):
        """Give the events to the planned interactions for which they were scheduled.

        That is the interaction which the user has scheduled, or the one whose activity it is.

        :param dict by_event: event → interaction, completed in place
        :return: the interactions that were given an event
        """
        Interaction_sudo = self.env["crm.interaction"]._from_meetings()
        bound = Interaction_sudo.browse()
        missing = self.filtered(lambda event: event not in by_event)
        activities = missing.activity_ids
        by_activity = {}
        if activities:
            by_activity = {
                interaction.activity_id: interaction
                for interaction in Interaction_sudo.search(
                    [
                        ("activity_id", "in", activities.ids),
                        ("calendar_event_id", "=", False),
                        ("state", "in", PENDING_STATES),
                    ]
                )
                # by its activity nobody takes a meeting that he may not change
                if interaction._is_changed_by_user()
            }
        for event in missing:
            interaction = Interaction_sudo.browse(changes.planned.get(event.id))
            if not interaction:
                interaction = next(
                    (by_activity[act] for act in event.activity_ids if act in by_activity),
                    interaction,
                )
            if interaction and interaction not in bound:
                interaction.calendar_event_id = event
                by_event[event] = interaction
                bound |= interaction
        return bound

    def _bind_occurrences(self, changes, by_event, gone):
        """Give the occurrences of a rewritten series the interactions of those before.

        :param gone: interactions whose events were deleted or archived
        :return: the interactions that were given an event
        """
        occurrences = self.filtered(
            lambda event: event.id in changes.created and event.recurrence_id
        ).filtered(lambda event: event not in by_event)
        if not (gone and occurrences):
            return gone.browse()
        pairs = match_occurrences(
            [(meeting.id, meeting.date_start, meeting.state in PENDING_STATES) for meeting in gone],
            [(event.id, event._get_meeting_times()[0]) for event in occurrences],
        )
        bound = gone.browse(pairs.values())
        for event in occurrences:
            if event.id in pairs:
                by_event[event] = gone.browse(pairs[event.id])
                by_event[event].calendar_event_id = event
        return bound

    # ------------------------------------------------------------
    # VALUES
    # ------------------------------------------------------------

    def _is_meeting_private(self):
        """Whether the event, or the whole calendar of its organiser, is private."""
        self.ensure_one()
        return (self.privacy or self.user_id.calendar_default_privacy) == "private"

    def _get_meeting_subject(self):
        self.ensure_one()
        if self._is_meeting_private():
            return self.env._("Private meeting")
        return self.name

    def _get_meeting_user(self, users):
        """Who is responsible: the organiser, else the first colleague who is invited."""
        self.ensure_one()
        if self.user_id and not self.user_id.share:
            return self.user_id
        return next(
            (
                users[partner.id]
                for partner in self.attendee_ids.partner_id
                if partner.id in users and users[partner.id].active
            ),
            self.env["res.users"],
        )

    def _get_meeting_document_key(self):
        """Model and id of the document which the event names and which is talked about.

        :return: (str model, int id), or False
        """
        self.ensure_one()
        models_with_chain = self.env["crm.interaction.chain"]._get_document_models()
        if self.res_id and self.res_model in models_with_chain:
            return self.res_model, self.res_id
        return self.opportunity_id and ("crm.lead", self.opportunity_id.id)

    @api.model
    def _get_meeting_document_fields(self):
        """Fields that say which document an event is about."""
        return {"res_id", "res_model", "res_model_id", "opportunity_id"}

    def _get_meeting_documents(self, env):
        """The documents of these events that may be read.

        :param env: the environment of whoever calls
        :return: dict event → document (under sudo); events without one are left out
        """
        keys = {event: event._get_meeting_document_key() for event in self}
        readable = {}
        for model in {key[0] for key in keys.values() if key}:
            ids = {key[1] for key in keys.values() if key and key[0] == model}
            for document in env[model].browse(ids).exists()._filtered_access("read"):
                readable[model, document.id] = document.sudo()
        return {event: readable[key] for event, key in keys.items() if key in readable}

    def _open_meeting_chains(self, documents):
        """The conversations about the documents of these events.

        :param dict documents: event → document
        :return: dict event → crm.interaction.chain
        """
        documents = {event: documents[event] for event in self if event in documents}
        Chain_sudo = self.env["crm.interaction.chain"].sudo()
        chains = {}
        for model in {document._name for document in documents.values()}:
            records = self.env[model].union(
                *(document for document in documents.values() if document._name == model)
            )
            for res_id, chain in Chain_sudo._open_for_documents(records.sudo()).items():
                chains[model, res_id] = chain
        return {event: chains[document._name, document.id] for event, document in documents.items()}

    def _get_meeting_company(self, document, partner):
        """The company in which the meeting is recorded."""
        self.ensure_one()
        subject = partner if document is None else document
        company = subject.company_id if "company_id" in subject._fields else None
        return company or self.user_id.company_id or self.env.company

    def _get_meeting_answer(self, externals):
        """What the external attendees say: declined only when all of them do."""
        answers = set(externals.mapped("state"))
        return next((answer for answer in ANSWERS if answer in answers), False)

    def _prepare_meeting_values(self, externals, users):
        """Values which an interaction takes from its event, whatever it is about."""
        self.ensure_one()
        start, end = self._get_meeting_times()
        return {
            "subject": self._get_meeting_subject(),
            "date_start": start,
            "duration": (end - start) / timedelta(minutes=1),
            "user_id": self._get_meeting_user(users).id,
            "attendee_answer": self._get_meeting_answer(externals),
        }

    @api.model
    def _get_meeting_value_triggers(self):
        """Map each value of an interaction to the fields of the event that change it."""
        return {
            "subject": {"name", "privacy", "user_id"},
            "date_start": self._get_time_fields() | {"allday", "duration"},
            "duration": self._get_time_fields() | {"allday", "duration"},
            "user_id": {"user_id"},
            "attendee_answer": {"attendee_ids", "partner_ids"},
        }

    def _create_meetings(self, externals, users, documents, by_event):
        """Create the interactions of these events, in one go.

        :param dict externals: event → its external attendees
        :param dict users: partner id → colleague
        :param dict documents: event → the document which it is about
        :param dict by_event: event → interaction, completed in place
        """
        if not self:
            return
        Interaction_sudo = self.env["crm.interaction"]._from_meetings()
        taken = Interaction_sudo.search([("activity_id", "in", self.activity_ids.ids)]).activity_id
        no_company = self.env["res.company"]
        now = fields.Datetime.now()
        vals_list = []
        for event in self:
            document = documents.get(event)
            partners = externals[event].partner_id
            company = event._get_meeting_company(document, partners[0])
            allowed = partners.filtered(
                lambda partner, company=company: partner.company_id in (no_company, company)
            )
            client = document._get_interaction_partner() if document is not None else partners[0]
            activity = (event.activity_ids - taken).filtered("active")[:1]
            vals_list.append(
                {
                    **event._prepare_meeting_values(externals[event], users),
                    "kind": "meeting",
                    "direction": "none",
                    "state": "planned" if event._get_meeting_times()[1] > now else "done",
                    "res_model": partners._name if document is None else document._name,
                    "res_id": partners[0].id if document is None else document.id,
                    "partner_id": (client & allowed or allowed[:1] or client).id,
                    "company_id": company.id,
                    "calendar_event_id": event.id,
                    "activity_id": activity.id,
                    "participant_ids": [
                        Command.create(self._prepare_participant_values(attendee, company))
                        for attendee in event.attendee_ids
                    ],
                }
            )
        try:
            with self.env.cr.savepoint():
                interactions = Interaction_sudo.create(vals_list)
                interactions.flush_recordset()
        except UniqueViolation as error:
            # somebody changed the event at the same moment: run the request again, then the
            # meeting will be there
            raise ConcurrencyError(str(error)) from error
        by_event.update(zip(self, interactions, strict=True))

    def _update_meeting(self, meeting, names, externals, users, chain=None):
        """Let an interaction follow its event.

        :param names: names of the fields of the event that were written; None for all
        :param chain: the conversation about the document that the event was linked to
        """
        self.ensure_one()
        revived = meeting.state == "cancelled" and bool(
            names is None or names & {"active", "attendee_ids", "partner_ids"}
        )
        revived = revived and bool(externals)
        triggers = self._get_meeting_value_triggers()
        wanted = {
            name: value
            for name, value in self._prepare_meeting_values(externals, users).items()
            if names is None or revived or not triggers[name].isdisjoint(names)
        }
        if chain:
            wanted["chain_id"] = chain.id
            wanted["company_id"] = (chain.company_id or meeting.company_id).id
        if meeting.state not in PENDING_STATES and not revived:
            # what is over stays as it was; but it keeps no secret that the event does not tell
            private = self._is_meeting_private() and "subject" in wanted
            wanted = {"subject": wanted["subject"]} if private else {}
        values = {
            name: value
            for name, value in wanted.items()
            if not self._is_same_meeting_value(meeting, name, value)
        }
        if revived or ("date_start" in values and meeting.state == "postponed"):
            values["state"] = "planned"
        if values:
            meeting.write(values)

    def _is_same_meeting_value(self, meeting, name, value):
        if name == "duration":
            return not float_compare(meeting.duration, value, precision_digits=1)
        field = meeting._fields[name]
        return field.convert_to_write(meeting[name], meeting) == value
