from collections import defaultdict
from datetime import timedelta

from markupsafe import Markup
from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import is_html_empty

from ..tools.meeting_text import strip_contact_block
from .crm_interaction import INTERNAL, PENDING_STATES


class CrmInteraction(models.Model):
    """A meeting and its event in the calendar.

    The interaction follows its event (`calendar_event_meeting.py`), and takes it along:

    - a new time moves the event, and Odoo tells those who are invited;
    - cancelling archives the event, planning again brings it back;
    - whoever is made responsible is invited too, so that the meeting is in their calendar.

    Postponing does not move the event: it says when somebody has to see to the meeting, not
    when the client comes. A meeting that is done keeps the time that was agreed, unless it is
    done before that. The event is changed with the rights of whoever changes the interaction:
    a private meeting is changed by those who are invited only.

    What the event says (description, place) is shown from the event, to those who may see it.
    A meeting that is planned without an event is put into the calendar by *Schedule Meeting*.
    """

    _inherit = "crm.interaction"

    attendee_answer = fields.Selection(
        [
            ("accepted", "Accepted"),
            ("declined", "Declined"),
            ("tentative", "Maybe"),
            ("needsAction", "Not Answered"),
        ],
        string="Answer to Invitation",
        readonly=True,
        copy=False,
        help="What the external attendees answered to the invitation. Declined: all of them do.",
    )
    meeting_location = fields.Char(string="Location", compute="_compute_meeting")
    meeting_url = fields.Char(string="Meeting URL", compute="_compute_meeting")
    meeting_description = fields.Html(
        string="Invitation",
        compute="_compute_meeting",
        groups="crm_extended.crm_interactions_group_user",
    )

    @api.depends("calendar_event_id")
    @api.depends_context("uid")
    def _compute_meeting(self):
        self.meeting_location = self.meeting_url = self.meeting_description = False
        for interaction in self.filtered("calendar_event_id"):
            event = interaction.calendar_event_id
            # asked for each: once read under sudo, the values are in the cache for everybody
            if event._check_private_event_conditions():
                continue
            interaction.meeting_location = event.location
            interaction.meeting_url = event.videocall_location
            # sudo: the names of those who meet are shown on the event
            people_sudo = event.sudo().user_id.partner_id | event.sudo().partner_ids
            description = strip_contact_block(event.description, people_sudo.mapped("name"))
            if not is_html_empty(description):
                # sanitised by the event
                interaction.meeting_description = Markup(description)

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    def write(self, vals):
        triggers = {"state", "date_start", "date_end", "duration", "user_id"}
        if triggers.isdisjoint(vals) or self.env.context.get("crm_from_meetings") is INTERNAL:
            return super().write(vals)
        # sudo: whether there is an event, whoever may see it
        meetings = self.filtered(lambda interaction: interaction.sudo().calendar_event_id)
        states = {meeting: meeting.state for meeting in meetings}
        res = super().write(vals)
        meetings._update_events(vals, states)
        return res

    @api.model
    def _from_meetings(self):
        """These records under sudo, as events write them: without changing the events back."""
        # sudo: the event decides, whoever is responsible for the interaction
        return self.sudo()._internal().with_context(crm_from_meetings=INTERNAL)

    def _takes_place_when_done(self):
        event_sudo = self.sudo().calendar_event_id
        if event_sudo and event_sudo._get_meeting_times()[0] <= fields.Datetime.now():
            return False
        return super()._takes_place_when_done()

    def _is_over_with_document(self):
        # the meeting is still in the calendar
        return super()._is_over_with_document() and not self.sudo().calendar_event_id.active

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    def _update_events(self, vals, states):
        """Take the events of these meetings along.

        :param dict vals: values that were just written
        :param dict states: interaction → state before
        """
        changes = defaultdict(lambda: self.env["calendar.event"])
        for meeting in self:
            event = meeting.calendar_event_id
            values = meeting._prepare_event_values(vals, states[meeting])
            for name, value in values.items():
                changes[name, value] |= event
        for event in {event for events in changes.values() for event in events}:
            event._check_meeting_writable()
        grouped = defaultdict(dict)
        for (name, value), events in changes.items():
            for event in events:
                grouped[event][name] = value
        by_values = defaultdict(lambda: self.env["calendar.event"])
        for event, values in grouped.items():
            by_values[tuple(sorted(values.items()))] |= event
        for items, events in by_values.items():
            values = dict(items)
            partner_id = values.pop("partner_ids", None)
            if partner_id:
                values["partner_ids"] = [Command.link(partner_id)]
            events.write(values)

    def _prepare_event_values(self, vals, old_state):
        """Values by which the event follows what was written on its meeting.

        :return: dict; `partner_ids` is the id of a partner to invite
        """
        self.ensure_one()
        # sudo: to compare; the event is written with the rights of the user
        event_sudo = self.sudo().calendar_event_id
        values = {}
        if self.state != old_state and self.state in ("cancelled", "planned"):
            active = self.state == "planned"
            if event_sudo.active != active:
                values["active"] = active
        if self.state not in PENDING_STATES:
            return values
        if not {"date_start", "date_end", "duration"}.isdisjoint(vals):
            times = (self.date_start, self.date_start + timedelta(minutes=self.duration))
            if any(
                abs(mine - its) >= timedelta(minutes=0.1)
                for mine, its in zip(times, event_sudo._get_meeting_times(), strict=True)
            ):
                values.update(event_sudo._prepare_meeting_times(*times))
        if vals.get("user_id"):
            partner = self.user_id.partner_id
            if partner not in event_sudo.attendee_ids.partner_id:
                values["partner_ids"] = partner.id
        return values

    # ------------------------------------------------------------
    # SCHEDULING
    # ------------------------------------------------------------

    def _filtered_schedulable(self):
        """Those that are planned meetings, not in the calendar, and may be changed."""
        return self._filtered_access("write").filtered(
            lambda interaction: interaction.kind == "meeting"
            and interaction.state in PENDING_STATES
            and not interaction.sudo().calendar_event_id
        )

    def action_schedule_meeting(self):
        """Open a new event in the calendar with what is known of this meeting.

        :return: a window action; saving the event ties it to this interaction
        :raise UserError: if this is no planned meeting, or is in the calendar already
        """
        self.ensure_one()
        self.check_access("write")
        if not self._filtered_schedulable():
            raise UserError(
                self.env._(
                    "“%(subject)s” cannot be put into the calendar: it is no planned meeting, or "
                    "it is there already.",
                    subject=self.subject,
                )
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Schedule Meeting"),
            "res_model": "calendar.event",
            "views": [(False, "form")],
            "context": self._prepare_event_defaults(),
        }

    def _prepare_event_defaults(self):
        """Context with which the event of this meeting is entered."""
        self.ensure_one()
        user = self.user_id or self.env.user
        partners = user.partner_id | self.partner_id | self.participant_ids.partner_id
        duration = self.duration or 60 * self.env["calendar.event"].get_default_duration()
        context = {
            "default_planned_interaction_id": self.id,
            "default_name": self.subject,
            "default_start": fields.Datetime.to_string(self.date_start),
            "default_stop": fields.Datetime.to_string(
                self.date_start + timedelta(minutes=duration)
            ),
            "default_duration": duration / 60,
            "default_user_id": user.id,
            "default_partner_ids": [Command.set(partners.ids)],
        }
        if self.activity_id.active:
            # the activity that was planned becomes the one of the event
            context["default_activity_ids"] = [Command.set(self.activity_id.ids)]
        if self.res_model and self.res_id:
            context["default_res_model"] = self.res_model
            context["default_res_id"] = self.res_id
            if self.res_model == "crm.lead":
                context["default_opportunity_id"] = self.res_id
        return context

    def action_open_meeting(self):
        """Open the event of this meeting."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "calendar.event",
            "res_id": self.calendar_event_id.id,
            "views": [(False, "form")],
        }
