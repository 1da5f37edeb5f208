from contextlib import contextmanager
from datetime import datetime, time

import pytz
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.meeting_changes import MeetingChanges

# where the changes of the running call are gathered, in the cache of its cursor
CHANGES_KEY = "crm_extended.meeting_changes"


class CalendarEvent(models.Model):
    """An event to which somebody from outside is invited is a meeting with a client.

    It is recorded as an interaction of kind meeting (`calendar_event_meeting.py`), whoever
    enters it and wherever it comes from: the calendar, a deal, an activity, another calendar
    that is synchronised. The event remains the master of what it says.

    All that Odoo does to events within one call (the occurrences of a series, attendees,
    activities) is gathered and the interactions are brought up to date once, at the end.
    """

    _inherit = "calendar.event"

    interaction_id = fields.Many2one(
        "crm.interaction",
        string="Interaction",
        compute="_compute_interaction_id",
        groups="crm_extended.crm_interactions_group_user",
        help="How this meeting is recorded.",
    )
    # not stored: names the interaction for which the event is being scheduled
    planned_interaction_id = fields.Many2one(
        "crm.interaction",
        string="Planned Interaction",
        store=False,
        copy=False,
        groups="crm_extended.crm_interactions_group_user",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_interaction_id(self):
        # with the rights of the user: the meetings of colleagues may be out of reach
        interactions = self.env["crm.interaction"].search([("calendar_event_id", "in", self.ids)])
        by_event = {interaction.calendar_event_id.id: interaction for interaction in interactions}
        for event in self:
            event.interaction_id = by_event.get(event._origin.id)

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        planned_ids = self._take_planned_interactions(vals_list)
        context = {
            key: value
            for key, value in self.env.context.items()
            if key != "default_planned_interaction_id"
        }
        with self._gather_meeting_changes() as changes:
            events = super(CalendarEvent, self.with_context(context)).create(vals_list)
            changes.add_created(events.ids)
            # events are created in this order: those that recur come last
            ordered = sorted(
                zip(vals_list, planned_ids, strict=True),
                key=lambda pair: bool(pair[0].get("recurrency")),
            )
            for event, (_vals, planned_id) in zip(events, ordered, strict=False):
                if planned_id:
                    changes.planned[event.id] = planned_id
        return events

    def write(self, vals):
        names = self._get_meeting_triggers().intersection(vals)
        if not names:
            return super().write(vals)
        with self._gather_meeting_changes() as changes:
            changes.add_written(self.ids, names)
            return super().write(vals)

    def unlink(self):
        with self._gather_meeting_changes() as changes:
            # sudo: the event decides, whoever is responsible for the interaction
            interactions_sudo = (
                self.env["crm.interaction"].sudo().search([("calendar_event_id", "in", self.ids)])
            )
            changes.orphans.update(interactions_sudo.ids)
            # an event of another calendar is archived instead
            changes.add_written(interactions_sudo.calendar_event_id.ids, {"active"})
            return super().unlink()

    @api.model
    def _get_meeting_triggers(self):
        """Fields of an event from which its interaction takes values."""
        return (
            self._get_time_fields()
            | self._get_recurrent_fields()
            | {
                "active",
                "activity_ids",
                "allday",
                "attendee_ids",
                "duration",
                "name",
                "opportunity_id",
                "partner_ids",
                "privacy",
                "recurrence_update",
                "recurrency",
                "res_id",
                "res_model",
                "res_model_id",
                "user_id",
            }
        )

    @contextmanager
    def _gather_meeting_changes(self):
        """Gather what happens to events; the outermost call then records the meetings."""
        cache = self.env.cr.cache
        if CHANGES_KEY in cache:
            yield cache[CHANGES_KEY]
            return
        changes = cache[CHANGES_KEY] = MeetingChanges()
        try:
            yield changes
        finally:
            cache.pop(CHANGES_KEY, None)
        self.env["calendar.event"]._record_meetings(changes)

    @api.model
    def _take_planned_interactions(self, vals_list):
        """Take the interactions for which events are scheduled out of the values.

        One that is in the calendar already, over or out of reach is left alone: the event is
        then a meeting of its own.

        :return: list of ids or False, one for each of the values
        """
        default_id = self.env.context.get("default_planned_interaction_id")
        planned_ids = [vals.pop("planned_interaction_id", default_id) for vals in vals_list]
        interactions = self.env["crm.interaction"].browse({id_ for id_ in planned_ids if id_})
        if not interactions or not interactions.has_access("write"):
            return [False] * len(vals_list)
        free = set(interactions.exists()._filtered_schedulable().ids)
        taken = []
        for planned_id in planned_ids:
            # one interaction is scheduled once
            taken.append(planned_id in free and planned_id)
            free.discard(planned_id)
        return taken

    # ------------------------------------------------------------
    # WHO AND WHEN
    # ------------------------------------------------------------

    @api.model
    def _get_internal_users(self, partners):
        """Users of ours among the contacts, also those who have left.

        :return: dict partner id → res.users
        """
        # sudo: users are looked up, nothing of them is shown
        users_sudo = (
            self.env["res.users"]
            .sudo()
            .with_context(active_test=False)
            .search([("partner_id", "in", partners.ids), ("share", "=", False)], order="active")
        )
        return {user.partner_id.id: user.sudo(False) for user in users_sudo}

    @api.model
    def _is_external_partner(self, partner, internal_users):
        """Whether a contact is somebody from outside: no user of ours and no employee."""
        return partner.id not in internal_users and not partner.employee

    def _get_meeting_zone(self):
        """The time zone in which the days of an all-day event are meant."""
        self.ensure_one()
        name = self.user_id.tz or self.env.user.tz or self.env.company.partner_id.tz or "UTC"
        return pytz.timezone(name)

    def _get_meeting_times(self):
        """When the meeting takes place.

        An all-day event has days and no hours: it counts from 8:00 of its first day to 18:00 of
        its last one, by the clock of its organiser.

        :return: (datetime start, datetime end), naive, UTC
        """
        self.ensure_one()
        if not self.allday:
            return self.start, max(self.start, self.stop)
        zone = self._get_meeting_zone()
        days = (
            (self.start_date or self.start.date(), time(8)),
            (self.stop_date or self.stop.date(), time(18)),
        )
        return tuple(
            zone.localize(datetime.combine(*day)).astimezone(pytz.utc).replace(tzinfo=None)
            for day in days
        )

    def _prepare_meeting_times(self, start, end):
        """Values of the event that make it take place from `start` to `end`.

        :param datetime start: naive, UTC
        :param datetime end: naive, UTC
        """
        self.ensure_one()
        if not self.allday:
            return {"start": start, "stop": end}
        zone = self._get_meeting_zone()
        start_date, stop_date = (
            pytz.utc.localize(moment).astimezone(zone).date() for moment in (start, end)
        )
        return {"start_date": start_date, "stop_date": max(start_date, stop_date)}

    def _check_meeting_writable(self):
        """A private meeting is changed by its organiser and those who are invited."""
        if self.env.su:
            return
        for event in self:
            if event.sudo(False)._check_private_event_conditions():
                raise UserError(
                    self.env._(
                        "This is a private meeting of %(user)s: only those who are invited can "
                        "change it.",
                        user=event.sudo().user_id.name,
                    )
                )

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_view_interaction(self):
        """Open the interaction by which this meeting is recorded."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.interaction",
            "res_id": self.interaction_id.id,
            "views": [(False, "form")],
        }
