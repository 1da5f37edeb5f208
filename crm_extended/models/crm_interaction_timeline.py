from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import is_html_empty

PAGE_SIZE = 40
# what is planned stands above the pages; more than this is a list, not a time line
PLANNED_SIZE = 20


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
        names = self._get_timeline_fields()
        found = self.search_fetch(
            past, names, order="date_start desc, id desc", limit=PAGE_SIZE + 1
        )
        entries = found[:PAGE_SIZE]
        planned = self.browse()
        if not before:
            planned = self.search_fetch(
                shown & Domain("state", "in", ("planned", "postponed")),
                names,
                order="date_deadline, id",
                limit=PLANNED_SIZE,
            )
        # prepared together: what belongs to them is read at once
        chain_id = res_id if res_model == "crm.interaction.chain" else None
        prepared = (entries + planned)._prepare_timeline_entries(chain_id)
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
            # one query for access and name; asking for access first would read the whole row
            if not Chain.search_fetch([("id", "=", res_id)], ["name", "outcome_number"]):
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

    def _get_timeline_html(self):
        """The notes; of a mail its text, of an event in the calendar the invitation."""
        for name in ("message_body", "body", "meeting_description"):
            if not is_html_empty(self[name]):
                return self[name]
        return ""

    @api.readonly
    def get_timeline_body(self):
        """The whole text of an entry, as HTML that was sanitised when it was stored."""
        self.ensure_one()
        self.check_access("read")
        return self._get_timeline_html()
