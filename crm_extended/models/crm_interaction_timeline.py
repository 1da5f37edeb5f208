import textwrap

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import is_html_empty
from odoo.tools.mail import html_to_inner_content

from .crm_interaction import PENDING_STATES
from .crm_interaction_list import fetch_names

PAGE_SIZE = 40
# what is planned stands above the pages; more than this is a list, not a time line
PLANNED_SIZE = 20
PREVIEW_SIZE = 240
# a long mail is read as far as its preview may reach, mark-up included
BODY_SIZE = 8000


class CrmInteraction(models.Model):
    """The time line: all that was said, newest first, and above it what is planned.

    It is read in pages, each by a number of queries that does not depend on its length. A page
    goes on below the last entry of the one before, so that nothing is shown twice or left out
    when something arrives in between. A client's time line holds what was said about all deals,
    orders and claims of the client and its contacts.

    Whoever reads headers only (an accountant) gets entries without notes, people and files.
    """

    _inherit = "crm.interaction"

    @api.model
    @api.readonly
    def get_timeline(self, res_model, res_id, before=None, kind=None, unhandled=False):
        """A page of the time line of a document or conversation.

        :param str res_model: a document with interactions, or "crm.interaction.chain"
        :param int res_id: its id
        :param list before: (date as text, id) of the last entry that is shown already; None for
            the first page
        :param str kind: only this kind of interaction
        :param bool unhandled: only what has arrived and is not handled yet
        :return: dict with `entries` (newest first), `has_more`, `can_log`; on the first page also
            `planned` (next first), `counts` (of all entries, by kind, and of the unhandled) and
            `kinds` (label of each kind)
        :raise UserError: if this is nothing that has a time line
        """
        domain = self._get_timeline_domain(res_model, res_id)
        shown = domain
        if kind:
            shown &= Domain("kind", "=", kind)
        if unhandled:
            shown &= Domain("state", "=", "new")
        past = shown & Domain("state", "not in", ("planned", "postponed"))
        if before:
            date, last_id = fields.Datetime.to_datetime(before[0]), int(before[1])
            past &= Domain("date_start", "<", date) | (
                Domain("date_start", "=", date) & Domain("id", "<", last_id)
            )
        found = self.search_fetch(past, order="date_start desc, id desc", limit=PAGE_SIZE + 1)
        entries = found[:PAGE_SIZE]
        planned = self.browse()
        if not before:
            planned = self.search_fetch(
                shown & Domain("state", "in", ("planned", "postponed")),
                order="date_deadline, id",
                limit=PLANNED_SIZE,
            )
        # prepared together: what belongs to them is read at once
        prepared = (entries + planned)._prepare_timeline_entries()
        page = {"entries": prepared[: len(entries)], "has_more": len(found) > PAGE_SIZE}
        if before:
            return page
        return page | {
            "planned": prepared[len(entries) :],
            "counts": self._get_timeline_counts(domain),
            "kinds": dict(self._fields["kind"]._description_selection(self.env)),
            "can_log": self.has_access("create"),
        }

    @api.model
    def _get_timeline_domain(self, res_model, res_id):
        """Interactions that belong to the time line of a document or conversation."""
        Chain = self.env["crm.interaction.chain"]
        if res_model == Chain._name:
            Chain.browse(res_id).check_access("read")
            return Domain("chain_id", "=", res_id)
        if res_model not in Chain._get_document_models():
            raise UserError(self.env._("Interactions cannot be logged on this kind of document."))
        document = self.env[res_model].browse(res_id)
        document.check_access("read")
        return Domain(document._get_interaction_domain())

    @api.model
    def _get_timeline_counts(self, domain):
        """Number of entries: all, by kind, and those that are unhandled."""
        counts = {"all": 0, "unhandled": 0}
        for kind, state, count in self._read_group(domain, ["kind", "state"], ["__count"]):
            counts["all"] += count
            counts[kind] = counts.get(kind, 0) + count
            if state == "new":
                counts["unhandled"] += count
        return counts

    # ------------------------------------------------------------
    # ENTRIES
    # ------------------------------------------------------------

    def _prepare_timeline_entries(self):
        """What the time line shows of these interactions, as plain values."""
        fetch_names(self, ["user_id", "partner_id"])
        writable = self._filtered_access("write")
        # sudo: names of what the entries show anyway; the notes are guarded below
        chains = self.sudo().chain_id.sudo(self.env.su)._filtered_access("read")
        return [
            interaction._prepare_timeline_entry()
            | {
                "can_write": interaction in writable,
                "chain": (
                    {"id": interaction.chain_id.id, "name": interaction.chain_id.name}
                    if interaction.chain_id in chains
                    else False
                ),
            }
            for interaction in self
        ]

    def _prepare_timeline_entry(self):
        """What the time line shows of this interaction."""
        self.ensure_one()
        # sudo: who is responsible and whose contact it was is part of the header
        header = self.sudo()
        return {
            "id": self.id,
            "kind": self.kind,
            "kind_label": self._get_selection_label("kind"),
            "direction": self.direction,
            "direction_label": self._get_selection_label("direction"),
            "state": self.state,
            "state_label": self._get_selection_label("state"),
            "subject": self.subject,
            "date_start": fields.Datetime.to_string(self.date_start),
            "date_deadline": fields.Datetime.to_string(self.date_deadline),
            "duration": self.duration,
            "is_pending": self.state in PENDING_STATES,
            "is_overdue": self.is_overdue,
            "user": bool(header.user_id) and {"id": header.user_id.id, "name": header.user_id.name},
            "partner": bool(header.partner_id)
            and {"id": header.partner_id.id, "name": header.partner_id.display_name},
            "outcome": bool(header.outcome_id)
            and {"name": header.outcome_id.name, "reached": header.outcome_id.reached},
            "attempt_number": self.attempt_number,
            "outcome_buttons": self.outcome_buttons,
            "answer_hours": self.answer_hours if self.date_answered else False,
            "location": self.meeting_location or "",
            "meeting_url": self.meeting_url or "",
            "attendee_answer": self.attendee_answer or "",
            "attendee_answer_label": self._get_selection_label("attendee_answer"),
            # a meeting that is planned, but not in the calendar yet
            "can_schedule": self.kind == "meeting"
            and self.state in PENDING_STATES
            and not header.calendar_event_id,
            **self._prepare_timeline_notes(),
        }

    def _prepare_timeline_notes(self):
        """What was said, by whom, with which files: for those who may read it."""
        if not self._has_field_access(self._fields["body"], "read"):
            return {"preview": "", "has_more": False, "participants": [], "attachments": []}
        # sudo: what belongs to an entry, whose access has just been checked, is read without
        # asking for the same rights again
        notes = self.sudo()
        html = self._get_timeline_html()
        text = self._get_timeline_text(html)
        preview = textwrap.shorten(text, PREVIEW_SIZE, placeholder="…")
        return {
            "result_note": notes.result_note or "",
            "preview": preview,
            # pictures and tables have no text, but are worth opening
            "has_more": preview != text or "<img" in html,
            "participants": [
                {
                    "id": participant.id,
                    "name": participant.display_name,
                    "partner_id": participant.sudo().partner_id.id,
                    "role": participant.role,
                    "phone": participant.phone or "",
                    "email": participant.email or "",
                }
                for participant in notes.participant_ids.sudo(self.env.su)
            ],
            "attachments": [
                {
                    "id": attachment.id,
                    "name": attachment.name,
                    "mimetype": attachment.mimetype,
                    "size": attachment.file_size,
                }
                # sudo: the files belong to the interaction or to its message, which is read
                for attachment in notes.attachment_ids | self.message_attachment_ids.sudo()
            ],
            "recording_url": notes.recording_url or "",
            "failure": self.message_failure or "",
        }

    @api.model
    def _get_timeline_text(self, html):
        """The beginning of the notes or of the message, without its mark-up."""
        # the fields are sanitised
        return html_to_inner_content(Markup(html[:BODY_SIZE]))

    def _get_timeline_html(self):
        """The notes; of a mail its text, of an event in the calendar the invitation."""
        for name in ("message_body", "body", "meeting_description"):
            if not is_html_empty(self[name]):
                return self[name]
        return ""

    def _get_selection_label(self, name):
        return dict(self._fields[name]._description_selection(self.env)).get(self[name], "")

    @api.readonly
    def get_timeline_body(self):
        """The whole text of an entry, as HTML that was sanitised when it was stored."""
        self.ensure_one()
        self.check_access("read")
        return self._get_timeline_html()
