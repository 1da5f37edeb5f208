from collections import defaultdict
from datetime import datetime

import pytz
from odoo import api, fields, models


class CrmInteraction(models.Model):
    """Planned interactions about a document have an activity there.

    Whoever moves or hands over the one moves or hands over the other (`mail_activity.py`). On a
    document that many may change (a client) an activity is taken by anybody; with it goes the
    interaction, and what is noted there, only from those who may change it.
    A meeting that is in the calendar is planned there and gets no activity of its own; if its
    event has one, that is finished together with the meeting.
    """

    _inherit = "crm.interaction"

    @api.model
    def _get_activity_type_xmlids(self):
        """Map a kind of interaction to the activity type by which it is planned."""
        return {
            "call": "mail.mail_activity_data_call",
            "meeting": "mail.mail_activity_data_meeting",
            "email": "mail.mail_activity_data_email",
        }

    def _get_activity_zone(self):
        """The time zone in which the day of the activity is meant."""
        self.ensure_one()
        return pytz.timezone(self.user_id.tz or self.env.user.tz or "UTC")

    def _get_activity_date(self):
        """The day on which the interaction is due, in the time zone of its responsible."""
        self.ensure_one()
        return pytz.utc.localize(self.date_deadline).astimezone(self._get_activity_zone()).date()

    def _prepare_activity_values(self):
        """Values of the activity by which this interaction is planned on its document."""
        self.ensure_one()
        return {
            "summary": self.subject,
            "date_deadline": self._get_activity_date(),
            "user_id": (self.user_id or self.env.user).id,
        }

    def _plan_activities(self):
        """Give each planned interaction about a document its activity."""
        xmlids = self._get_activity_type_xmlids()
        for interaction in self:
            if interaction.state not in ("planned", "postponed") or interaction.activity_id:
                continue
            if interaction.calendar_event_id:
                continue
            document = interaction.chain_id.sudo()._get_document()
            if document is None or not document.sudo(False).has_access("write"):
                continue
            activity = (
                document.sudo(False)
                # no mail to the colleague for every attempt: the list shows what is due
                .with_context(mail_activity_automation_skip=False, mail_activity_quick_update=True)
                .activity_schedule(
                    xmlids.get(interaction.kind, "mail.mail_activity_data_todo"),
                    **interaction._prepare_activity_values(),
                )
            )
            interaction._internal().activity_id = activity

    def _update_activities(self):
        """Move the activities of planned interactions to their day and responsible."""
        changes = defaultdict(lambda: self.env["mail.activity"].sudo())
        for interaction in self:
            # sudo: whoever may move the interaction moves its activity
            activity_sudo = interaction.activity_id.sudo()
            if interaction.state not in ("planned", "postponed") or not activity_sudo.active:
                continue
            values = {}
            # the activity of an event is moved by the event
            day = interaction._get_activity_date()
            if not interaction.sudo().calendar_event_id and day != activity_sudo.date_deadline:
                values["date_deadline"] = day
            if interaction.user_id and interaction.user_id != activity_sudo.user_id:
                values["user_id"] = interaction.user_id.id
            if values:
                changes[frozenset(values.items())] |= activity_sudo
        for values, activities_sudo in changes.items():
            activities_sudo.with_context(mail_activity_quick_update=True).write(dict(values))

    def _follow_activities(self):
        """Take over day and responsible from the activities, which somebody has changed.

        The hour remains, by the clock of the responsible.
        """
        for interaction in self:
            activity = interaction.activity_id
            values = {}
            if (
                activity.user_id
                and activity.user_id != interaction.user_id
                and interaction._is_changed_by_user()
            ):
                values["user_id"] = activity.user_id.id
            # the day of a meeting that is in the calendar follows its event
            if not interaction.calendar_event_id:
                moment = interaction._get_moment_on(activity.date_deadline)
                name = "date_deadline" if interaction.state == "postponed" else "date_start"
                if moment != interaction.date_deadline:
                    values[name] = moment
            if values:
                interaction.write(values)

    def _is_changed_by_user(self):
        """Whether the user may change this interaction himself, which is under sudo here."""
        return self.sudo(False).has_access("write")

    def _get_moment_on(self, day):
        """The hour at which the interaction is due, on another day.

        :param date day: the day, by the clock of the responsible
        :return: datetime, naive, UTC
        """
        self.ensure_one()
        if day == self._get_activity_date():
            return self.date_deadline
        zone = self._get_activity_zone()
        hour = pytz.utc.localize(self.date_deadline).astimezone(zone).time()
        moment = zone.localize(datetime.combine(day, hour))
        return moment.astimezone(pytz.utc).replace(tzinfo=None)

    def _finish_activities(self):
        """Mark the activities of interactions that are done as done, too."""
        by_feedback = defaultdict(lambda: self.env["mail.activity"].sudo())
        for interaction in self:
            # sudo: the activity may be somebody else's, its interaction is done all the same
            activity_sudo = interaction.activity_id.sudo().filtered("active")
            by_feedback[interaction._get_activity_feedback()] |= activity_sudo
        for feedback, activities_sudo in by_feedback.items():
            if activities_sudo:
                activities_sudo._action_done(feedback=feedback)

    def _get_activity_feedback(self):
        """What the message about the finished activity says.

        The outcome only: the document is read by more people than the notes of a contact.
        """
        self.ensure_one()
        return self.outcome_id.name

    def _cancel_activities(self):
        # sudo: as above
        activities_sudo = self.activity_id.sudo().filtered("active")
        if activities_sudo:
            activities_sudo.unlink()

    def _finish_from_activities(self, feedback):
        """Mark these interactions as done because their activities are.

        Whoever has done it becomes responsible; the organiser of a meeting remains, and so does
        a colleague whose interaction the user may not change.
        """
        values = {"state": "done"}
        if feedback:
            values["result_note"] = feedback
        meetings = self.filtered("calendar_event_id")
        if meetings:
            meetings.write(values)
        given = (self - meetings).filtered(lambda interaction: interaction._is_changed_by_user())
        if given:
            given.write({**values, "user_id": self.env.uid})
        kept = self - meetings - given
        if kept:
            kept.write(values)

    # ------------------------------------------------------------
    # ACTIVITIES THAT WERE NOT PLANNED AS INTERACTIONS
    # ------------------------------------------------------------

    @api.model
    def _get_kinds_by_activity_category(self):
        """Map the category of an activity type to the kind of interaction it stands for."""
        return {"phonecall": "call", "meeting": "meeting"}

    @api.model
    def _prepare_done_activity_values(self, activity, document, feedback):
        """Values of the interaction which a finished activity becomes.

        :param activity: the mail.activity
        :param document: the document on which it was
        :param feedback: what came of it, or False
        """
        kind = self._get_kinds_by_activity_category()[activity.activity_type_id.category]
        return {
            "kind": kind,
            "direction": "out" if kind == "call" else "none",
            "state": "done",
            "subject": activity.summary or activity.activity_type_id.name,
            "date_start": fields.Datetime.now(),
            "user_id": self.env.uid,
            "res_model": document._name,
            "res_id": document.id,
            "partner_id": document._get_interaction_partner().id,
            "company_id": document._get_interaction_company().id,
            "result_note": feedback or False,
            "activity_id": activity.id,
            "calendar_event_id": activity.calendar_event_id.id,
        }
