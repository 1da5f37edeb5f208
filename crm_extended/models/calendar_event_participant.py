from odoo import api, models

from .crm_interaction import PENDING_STATES


class CalendarEvent(models.Model):
    """The attendees of an event are the participants of its interaction, with their answers.

    Participants who were entered by hand remain; who is invited later is recognised among them.
    Those of a meeting that is done stay as they were.
    """

    _inherit = "calendar.event"

    @api.model
    def _prepare_participant_values(self, attendee, company):
        """Values of the participant which an attendee becomes."""
        partner = attendee.partner_id
        # a contact of another company is not given away: what is known of it stays as text
        known = not partner.company_id or partner.company_id == company
        return {
            "role": "attendee",
            "name": partner.name or attendee.common_name,
            "email": partner.email,
            "phone": partner.phone,
            "partner_id": known and partner.id,
            "calendar_attendee_id": attendee.id,
            "answer": attendee.state,
        }

    @api.model
    def _update_participants(self, by_event, users):
        """Let the participants of interactions follow the attendees of their events.

        :param dict by_event: event → interaction
        """
        by_event = {
            event: meeting for event, meeting in by_event.items() if meeting.state in PENDING_STATES
        }
        vals_list, answers = [], {}
        Participant_sudo = self.env["crm.interaction.participant"].sudo()
        left = Participant_sudo.browse()
        for event, meeting in by_event.items():
            attendees = event.attendee_ids
            linked = {
                participant.calendar_attendee_id: participant
                for participant in meeting.participant_ids
                if participant.calendar_attendee_id in attendees
            }
            loose = meeting.participant_ids - Participant_sudo.union(*linked.values())
            for attendee in attendees:
                participant = (
                    linked.get(attendee)
                    or loose.filtered(lambda row, a=attendee: row.partner_id == a.partner_id)[:1]
                )
                loose -= participant
                if not participant:
                    values = self._prepare_participant_values(attendee, meeting.company_id)
                    vals_list.append({**values, "interaction_id": meeting.id})
                elif participant.calendar_attendee_id != attendee:
                    participant.calendar_attendee_id = attendee
                if participant and participant.answer != attendee.state:
                    answers.setdefault(attendee.state, Participant_sudo.browse())
                    answers[attendee.state] |= participant
            left |= loose.filtered("calendar_attendee_id")
        for answer, participants in answers.items():
            participants.write({"answer": answer})
        left.unlink()
        if vals_list:
            Participant_sudo.create(vals_list)
