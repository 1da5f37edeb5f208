from collections import defaultdict

import pytz
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.date_utils import sum_intervals

from .crm_interaction import PENDING_STATES


class CrmInteraction(models.Model):
    """What answers a client who came to us, and how long it took.

    What came in waits until somebody of ours contacts the client in the same conversation: an
    outgoing interaction that is done answers everything that came in before it and is not over
    yet, and marks it as done. It is no answer

    - to plan a contact: it has not taken place;
    - to try to call, when the outcome did not reach the client;
    - to contact another client, or in the name of another company, in the same conversation;
    - what a machine sent (`_is_automatic`).

    A call that came in and was taken is answered at once; it also answers the calls that were
    missed before it. Whoever marks something as done by hand says that it needs no answer: it
    gets no answer time, so that the average tells only of true answers.

    The answer time is counted in working hours of the responsible's working schedule, public
    holidays and time off excepted, or of the company's schedule if the responsible has none.
    It is counted once, when the answer is given: a schedule that changes later does not change
    what has been measured.
    """

    _inherit = "crm.interaction"

    date_answered = fields.Datetime(string="Answered On", readonly=True, copy=False)
    answer_id = fields.Many2one(
        "crm.interaction",
        string="Answered By",
        index="btree_not_null",
        check_company=True,
        readonly=True,
        copy=False,
        help="The interaction which answers this one.",
    )
    answer_hours = fields.Float(
        string="Answer Time (Hours)",
        digits=(16, 2),
        aggregator="avg",
        readonly=True,
        copy=False,
        help="Working hours from the arrival to the first answer.",
    )

    _waiting_idx = models.Index(
        "(chain_id) WHERE direction = 'in' AND state IN ('new', 'planned', 'postponed')"
    )

    @api.model_create_multi
    def create(self, vals_list):
        interactions = super().create(vals_list)
        done = interactions.filtered(lambda interaction: interaction.state == "done")
        # a call that is recorded when it is over was taken; one that is marked as done later
        # had been missed
        done.filtered(
            lambda interaction: interaction.kind == "call"
            and interaction.direction == "in"
            and not interaction.outcome_id
        )._mark_taken()
        done._settle_answers()
        return interactions

    def write(self, vals):
        if vals.get("state") != "done":
            return super().write(vals)
        changed = self.filtered(lambda interaction: interaction.state != "done")
        res = super().write(vals)
        changed._settle_answers()
        return res

    # ------------------------------------------------------------
    # WHO ANSWERS WHAT
    # ------------------------------------------------------------

    def _is_automatic(self):
        """Whether nobody of ours was behind this contact."""
        self.ensure_one()
        return False

    def _is_answer(self):
        """Whether the client was contacted, so that what came in before is answered."""
        self.ensure_one()
        if self.state != "done" or self._is_automatic():
            return False
        if self.direction == "out":
            return self.kind != "call" or not self.outcome_id or self.outcome_id.reached
        return self._is_taken_call()

    def _is_taken_call(self):
        """Whether this is a call that came in and was taken."""
        self.ensure_one()
        return (
            self.kind == "call"
            and self.direction == "in"
            and bool(self.date_answered)
            and not self.answer_id
        )

    def _is_answered_by(self, answer):
        """Whether `answer`, of the same conversation, answers this waiting interaction."""
        self.ensure_one()
        clients = [interaction.partner_id.commercial_partner_id for interaction in (self, answer)]
        return (
            self != answer
            and self.chain_id == answer.chain_id
            and self.company_id == answer.company_id
            and self.date_start <= answer.date_start
            and (answer.direction != "in" or self.kind == "call")
            and (clients[0] == clients[1] or not all(clients))
        )

    @api.model
    def _get_waiting_domain(self):
        """What came in and waits for an answer.

        A missed call that was called back in vain is handled, but still unanswered: the next
        call or meeting with the client answers it. (A mail that is written afterwards does not:
        it would have to be looked for with every mail.)
        """
        called_back = [
            ("kind", "=", "call"),
            ("outcome_id", "!=", False),
            ("outcome_id.reached", "=", False),
        ]
        in_vain = (
            Domain("kind", "=", "call")
            & Domain("state", "=", "done")
            & Domain("date_answered", "=", False)
            & Domain("outcome_id", "=", False)
            & Domain("child_ids", "any", called_back)
        )
        return Domain("direction", "=", "in") & (Domain("state", "in", PENDING_STATES) | in_vain)

    def _settle_answers(self):
        """Mark as done what these interactions, just done, have answered."""
        # sudo: whoever answers the client answers for all colleagues in the conversation
        answers_sudo = self.sudo().filtered(lambda interaction: interaction._is_answer())
        if not answers_sudo:
            return
        waiting_sudo = answers_sudo.search(
            self._get_waiting_domain() & Domain("chain_id", "in", answers_sudo.chain_id.ids)
        )
        if not waiting_sudo:
            return
        answers_sudo = answers_sudo.sorted(lambda answer: (answer.date_start, answer.id))
        by_chain = answers_sudo.grouped("chain_id")
        pairs = {}
        for interaction in waiting_sudo:
            for answer in by_chain[interaction.chain_id]:
                if interaction._is_answered_by(answer):
                    pairs[interaction] = answer
                    break
        self._record_answers(pairs)

    def _mark_taken(self):
        """Note that these calls, which came in, have been taken: nobody had to wait."""
        for call in self:
            values = {"date_answered": call.date_start, "answer_hours": 0.0}
            if call.state != "done":
                values["state"] = "done"
            call._internal().write(values)

    @api.model
    def _record_answers(self, pairs):
        """Mark interactions as done and answered.

        :param dict pairs: interaction that waited → interaction that answers it
        """
        hours = self._get_answer_hours(pairs)
        groups = defaultdict(self.browse)
        for interaction, answer in pairs.items():
            groups[answer, hours[interaction]] |= interaction
        for (answer, answer_hours), interactions in groups.items():
            # the interactions are under sudo already: see _settle_answers
            interactions._internal().write(
                {
                    "state": "done",
                    "date_answered": answer.date_start,
                    "answer_id": answer.id,
                    "answer_hours": answer_hours,
                }
            )

    # ------------------------------------------------------------
    # ANSWER TIME
    # ------------------------------------------------------------

    def _get_answer_user(self):
        """Who had to answer this interaction."""
        self.ensure_one()
        return self.user_id or self.chain_id.user_id

    @api.model
    def _get_answer_hours(self, pairs):
        """Working hours between what came in and its answer.

        :param dict pairs: interaction that waited → interaction that answers it
        :return: dict interaction that waited → hours, two decimals
        """
        if not pairs:
            return {}
        # sudo: working schedules are nobody's secret, though not everybody may read them
        Resource_sudo = self.env["resource.resource"].sudo()
        users = {interaction: interaction._get_answer_user() for interaction in pairs}
        resources_sudo = Resource_sudo.search(
            [("user_id", "in", [user.id for user in users.values() if user])], order="id"
        )
        by_user = resources_sudo.grouped(lambda resource: (resource.user_id, resource.company_id))
        resources = {
            interaction: by_user.get((user, interaction.company_id), Resource_sudo)[:1]
            for interaction, user in users.items()
        }
        without = self.browse(interaction.id for interaction in pairs if not resources[interaction])
        calendars_sudo = without.sudo().company_id.resource_calendar_id
        spans = {
            interaction: (
                pytz.utc.localize(interaction.date_start),
                pytz.utc.localize(answer.date_start),
            )
            for interaction, answer in pairs.items()
        }
        by_resource, by_calendar = Resource_sudo.browse(
            {resource.id for resource in resources.values() if resource}
        )._get_valid_work_intervals(
            min(start for start, _stop in spans.values()),
            max(stop for _start, stop in spans.values()),
            calendars=calendars_sudo,
        )
        hours = {}
        for interaction, (start, stop) in spans.items():
            resource = resources[interaction]
            calendar_sudo = interaction.sudo().company_id.resource_calendar_id
            if resource:
                intervals = by_resource[resource.id]
            elif calendar_sudo:
                intervals = by_calendar[calendar_sudo.id]
            else:
                intervals = [(start, stop, None)]
            worked = sum_intervals(
                (max(start, work_start), min(stop, work_stop))
                for work_start, work_stop, _records in intervals
                if work_start < stop and work_stop > start
            )
            hours[interaction] = round(worked, 2)
        return hours
