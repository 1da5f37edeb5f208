from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools.mail import html_to_inner_content

from ..tools.text import shorten
from .crm_interaction import PENDING_STATES
from .crm_interaction_list import get_partner_names

PREVIEW_SIZE = 240
# a long mail is read as far as its preview may reach, mark-up included
BODY_SIZE = 8000
# shown of an entry to whoever sees it
HEADER_FIELDS = (
    "subject",
    "kind",
    "direction",
    "state",
    "date_start",
    "date_deadline",
    "duration",
    "user_id",
    "partner_id",
    "chain_id",
    "outcome_id",
    "attempt_number",
    "answer_hours",
    "date_answered",
    "attendee_answer",
    "calendar_event_id",
    "mail_message_id",
    "res_model",
    "res_id",
)
# shown to those who may read what was said
NOTE_FIELDS = ("body", "result_note", "recording_url")
LABELLED_FIELDS = ("kind", "direction", "state", "attendee_answer")


class CrmInteraction(models.Model):
    """The entries of a time line, as plain values.

    A page is prepared as a whole: rights are asked for once, people, files and messages are read
    for all entries together, and then each entry is put together from what is there.
    """

    _inherit = "crm.interaction"

    @api.model
    def _reads_notes(self):
        """Whether the user may read what was said, not only that something was."""
        return self._has_field_access(self._fields["body"], "read")

    @api.model
    def _get_timeline_fields(self):
        """Names of the stored fields that a page of the time line needs."""
        notes = NOTE_FIELDS if self._reads_notes() else ()
        return [*HEADER_FIELDS, *notes, *self._get_access_fields()]

    def _prepare_timeline_entries(self, chain_id=None):
        """What the time line shows of these interactions.

        :param chain_id: id of their conversation, if all are of one that the user may read
        :return: list of dicts, in the order of the interactions, which the user may read
        """
        # sudo: who is responsible and whose contact it was is part of the header
        headers = self.sudo()
        users = headers.user_id
        users.fetch(["partner_id"])
        people = self._get_timeline_people() if self._reads_notes() else {}
        partners = (headers.partner_id | users.partner_id).union(
            *(persons.partner_id for persons in people.values())
        )
        shared = {
            "labels": {
                name: dict(self._fields[name]._description_selection(self.env))
                for name in LABELLED_FIELDS
            },
            "people": people,
            "partner_names": get_partner_names(partners),
            "now": fields.Datetime.now(),
        }
        writable_ids = set(self._get_timeline_writable()._ids)
        chain_names = self._get_timeline_chains(headers.chain_id, chain_id)
        entries = []
        for interaction, header in zip(self, headers, strict=True):
            chain_id = header.chain_id.id
            entries.append(
                interaction._prepare_timeline_entry(header, shared)
                | {
                    "can_write": interaction.id in writable_ids,
                    "chain": chain_id in chain_names
                    and {"id": chain_id, "name": chain_names[chain_id]},
                }
            )
        if self._reads_notes():
            for entry, notes in zip(entries, self._prepare_timeline_notes(shared), strict=True):
                entry.update(notes)
        else:
            for entry in entries:
                entry.update(preview="", has_more=False, participants=[], attachments=[])
        return entries

    def _get_timeline_writable(self):
        """Those of these interactions, which a search has just found, that the user may write."""
        Rule = self.env["ir.rule"]
        if not self.env.su and Rule._compute_domain(self._name, "write") == Rule._compute_domain(
            self._name, "read"
        ):
            # found means readable, and the same rules say who writes
            return self if self.browse().has_access("write") else self.browse()
        return self._filtered_access("write")

    @api.model
    def _get_timeline_chains(self, chains_sudo, readable_id=None):
        """Names of those of these conversations that the user may read.

        :param readable_id: id of the only one, if its access has just been checked
        :return: dict id → name
        """
        Chain = self.env["crm.interaction.chain"]
        if chains_sudo.ids == [readable_id]:
            chains = Chain.browse(readable_id)
        else:
            chains = Chain.search_fetch(
                [("id", "in", chains_sudo.ids)], ["name", "outcome_number"], order="id"
            )
        return {chain.id: chain.name for chain in chains}

    def _prepare_timeline_entry(self, header, shared):
        """What the time line shows of this interaction to whoever sees it.

        :param header: this interaction under sudo
        :param dict shared: what all entries of the page need, see `_prepare_timeline_entries`
        """
        labels = shared["labels"]
        pending = header.state in PENDING_STATES
        partner, user, outcome = header.partner_id, header.user_id, header.outcome_id
        # the event itself says who may see where it takes place
        meeting = self if header.calendar_event_id else None
        return {
            "id": self.id,
            "kind": header.kind,
            "kind_label": labels["kind"].get(header.kind, ""),
            "direction": header.direction,
            "direction_label": labels["direction"].get(header.direction, ""),
            "state": header.state,
            "state_label": labels["state"].get(header.state, ""),
            "subject": header.subject,
            "date_start": fields.Datetime.to_string(header.date_start),
            "date_deadline": fields.Datetime.to_string(header.date_deadline),
            "duration": header.duration,
            "is_pending": pending,
            "is_overdue": pending
            and bool(header.date_deadline)
            and header.date_deadline < shared["now"],
            "user": bool(user) and {"id": user.id, "name": user.partner_id.name},
            "partner": bool(partner)
            and {"id": partner.id, "name": shared["partner_names"][partner.id]},
            "outcome": bool(outcome) and {"name": outcome.name, "reached": outcome.reached},
            "attempt_number": header.attempt_number,
            "outcome_buttons": pending and self.outcome_buttons,
            "answer_hours": header.answer_hours if header.date_answered else False,
            "location": (meeting and meeting.meeting_location) or "",
            "meeting_url": (meeting and meeting.meeting_url) or "",
            "attendee_answer": header.attendee_answer or "",
            "attendee_answer_label": labels["attendee_answer"].get(header.attendee_answer, ""),
            # a meeting that is planned, but not in the calendar yet
            "can_schedule": header.kind == "meeting" and pending and not meeting,
        }

    # ------------------------------------------------------------
    # NOTES
    # ------------------------------------------------------------

    def _get_timeline_people(self):
        """Who took part in these interactions.

        :return: dict interaction id → crm.interaction.participant under sudo
        """
        # sudo: what belongs to an entry is seen by whoever sees the entry
        people_sudo = (
            self.env["crm.interaction.participant"]
            .sudo()
            .search_fetch(
                [("interaction_id", "in", self.ids)],
                ["interaction_id", "partner_id", "name", "role", "phone", "email"],
            )
        )
        return {
            interaction.id: people
            for interaction, people in people_sudo.grouped("interaction_id").items()
        }

    def _prepare_timeline_notes(self, shared):
        """What was said, by whom, with which files: for those who may read it.

        :param dict shared: see `_prepare_timeline_entries`
        :return: list of dicts, in the order of the interactions
        """
        # sudo: what belongs to an entry, whose access has just been checked, is read without
        # asking for the same rights again
        notes = self.sudo()
        messages = self.browse(
            header.id for header in notes if header.mail_message_id
        )._read_messages()
        result = []
        for interaction, note in zip(self, notes, strict=True):
            body, files_sudo, failure = messages.get(note.id, (False, note.browse(), False))
            html, text = self._get_timeline_text(body, note.body)
            if not text and note.calendar_event_id:
                html, text = self._get_timeline_text(interaction.meeting_description)
            preview = shorten(text, PREVIEW_SIZE)
            files_sudo = note.attachment_ids | files_sudo if files_sudo else note.attachment_ids
            result.append(
                {
                    "result_note": note.result_note or "",
                    "preview": preview,
                    # pictures and tables have no text, but are worth opening
                    "has_more": preview != text or "<img" in html,
                    "participants": [
                        self._prepare_timeline_person(person, shared)
                        for person in shared["people"].get(note.id, ())
                    ],
                    "attachments": [
                        {
                            "id": file.id,
                            "name": file.name,
                            "mimetype": file.mimetype,
                            "size": file.file_size,
                        }
                        for file in files_sudo
                    ],
                    "recording_url": note.recording_url or "",
                    "failure": failure or "",
                }
            )
        return result

    @api.model
    def _prepare_timeline_person(self, person, shared):
        """What the time line shows of a participant (under sudo)."""
        partner_id = person.partner_id.id
        return {
            "id": person.id,
            "name": shared["partner_names"].get(partner_id)
            or person.name
            or person.email
            or person.phone
            or self.env._("Unknown"),
            "partner_id": partner_id,
            "role": person.role,
            "phone": person.phone or "",
            "email": person.email or "",
        }

    @api.model
    def _get_timeline_text(self, *candidates):
        """The first of these texts that says something: its HTML and the beginning of its words.

        :return: (HTML, text without mark-up), both empty if none does
        """
        for html in candidates:
            if html:
                # the fields are sanitised
                text = html_to_inner_content(Markup(html[:BODY_SIZE]))
                if text or "<img" in html:
                    return html, " ".join(text.split())
        return "", ""
