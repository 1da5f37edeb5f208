from odoo import api, models

from .crm_interaction import PENDING_STATES


class CalendarAttendee(models.Model):
    """Who is invited to a meeting, and their answer, is shown on its interaction.

    An attendee who is taken out of the event leaves the interaction, unless it is done; when it
    was the last one from outside, the meeting is cancelled.
    """

    _inherit = "calendar.attendee"

    @api.model_create_multi
    def create(self, vals_list):
        with self.env["calendar.event"]._gather_meeting_changes() as changes:
            attendees = super().create(vals_list)
            changes.add_written(attendees.event_id.ids, {"attendee_ids"})
        return attendees

    def write(self, vals):
        if {"state", "event_id"}.isdisjoint(vals):
            return super().write(vals)
        with self.env["calendar.event"]._gather_meeting_changes() as changes:
            changes.add_written(self.event_id.ids, {"attendee_ids"})
            return super().write(vals)

    def unlink(self):
        Event = self.env["calendar.event"]
        with Event._gather_meeting_changes() as changes:
            # sudo: the attendees are the event's, the interaction may be somebody else's
            self_sudo = self.sudo()
            users = Event._get_internal_users(self_sudo.partner_id)
            external = self_sudo.filtered(
                lambda attendee: Event._is_external_partner(attendee.partner_id, users)
            )
            changes.uninvited.update(external.event_id.ids)
            changes.add_written(self_sudo.event_id.ids, {"attendee_ids"})
            self.env["crm.interaction.participant"].sudo().search(
                [
                    ("calendar_attendee_id", "in", self.ids),
                    ("interaction_id.state", "in", PENDING_STATES),
                ]
            ).unlink()
            return super().unlink()
