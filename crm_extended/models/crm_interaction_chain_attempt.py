from datetime import timedelta

import pytz
from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain

from ..tools.retry_ladder import get_next_attempt


class CrmInteractionChain(models.Model):
    """Attempts to reach a client: their outcomes and the next attempt.

    The outcome of an attempt closes the call that was planned for it, or records a call that
    was not planned. An outcome that does not reach the client plans the next call by the
    ladder of the outcome, inside the calling window and by the clock of the client; after the
    last rung the document decides (`_interaction_give_up`). The ladder counts the attempts
    since the last contact in which the client was reached, whoever made them.

    Two clicks on one attempt count once: the screen sends the number of outcomes recorded when
    it was drawn, and the row of the chain is locked while they are compared.
    """

    _inherit = "crm.interaction.chain"

    def _record_outcome(self, outcome, key=None, note=None, interaction=None, now=None):
        """Record how an attempt ended and see to what follows.

        :param outcome: the crm.interaction.outcome
        :param int key: `outcome_number` which the user saw; None when there was no screen
        :param str note: what was said
        :param interaction: the call which the attempt closes; by default the one which is due
            next, else a new one. A call that arrived stays as it is and counts as handled: the
            attempt is the call back.
        :param datetime now: time of the attempt (naive, UTC)
        :return: the crm.interaction that was closed
        :raise UserError: if the attempt was recorded by somebody else, or a note is missing
        """
        self.ensure_one()
        now = now or fields.Datetime.now()
        self._check_outcome(outcome, note)
        self._take_attempt(key)
        attempt = interaction or self._get_due_attempt()
        answered = attempt.filtered(lambda call: call.direction == "in")
        attempt -= answered
        number = self._count_attempts() + 1
        values = {
            "state": "done",
            "outcome_id": outcome.id,
            "attempt_number": number,
            "date_start": now,
            "user_id": self.env.uid,
        }
        if note:
            values["result_note"] = note
        if attempt:
            attempt._internal().write(values)
        else:
            attempt = (
                self.env["crm.interaction"]
                ._internal()
                .create({**values, **self._prepare_attempt_values(), "parent_id": answered.id})
            )
        if answered:
            # calling back is what a call that arrived was waiting for
            answered.write({"state": "done"})
        if outcome.reached:
            self._cancel_retries()
        else:
            self._plan_retry(attempt, now)
        return attempt.with_env(self.env)

    def _check_outcome(self, outcome, note):
        if not outcome.exists() or not outcome.active:
            raise UserError(self.env._("This outcome is no longer in use: choose another one."))
        outcome.check_access("read")
        company = self.sudo().company_id
        if outcome.company_id and company and outcome.company_id != company:
            raise UserError(
                self.env._("“%(outcome)s” is an outcome of another company.", outcome=outcome.name)
            )
        if outcome.note_required and not (note or "").strip():
            raise UserError(
                self.env._("Write what was said: “%(outcome)s” needs a note.", outcome=outcome.name)
            )

    def _lock_attempts(self):
        """Let nobody else record an outcome in this chain until the transaction ends.

        A transaction that began before another one recorded an outcome is run again by Odoo,
        because the row has changed under it.
        """
        try:
            # sudo: whoever is responsible for the chain
            self.sudo().lock_for_update(allow_referencing=True)
        except LockError as error:
            raise UserError(
                self.env._("A colleague is recording the outcome of this attempt right now.")
            ) from error
        self.sudo().invalidate_recordset(["outcome_number"])

    def _take_attempt(self, key):
        """Make sure that nobody else records the same attempt."""
        self._lock_attempts()
        # sudo: the counter of the chain, whoever is responsible for it
        chain_sudo = self.sudo()
        if key is not None and key != chain_sudo.outcome_number:
            raise UserError(
                self.env._(
                    "The outcome of this attempt has just been recorded. Refresh the page to see "
                    "what is next."
                )
            )
        # written at once: whoever waits for the lock must fail and start again
        chain_sudo.outcome_number += 1
        chain_sudo.flush_recordset(["outcome_number"])

    def _get_due_attempt(self):
        """The call that is due next, empty if none is planned."""
        return self.env["crm.interaction"].search(
            [
                ("chain_id", "=", self.id),
                ("kind", "=", "call"),
                ("direction", "!=", "in"),
                ("state", "in", ("planned", "postponed")),
            ],
            order="date_deadline, id",
            limit=1,
        )

    @api.model
    def _get_reached_domain(self):
        """Interactions in which the client was spoken to or spoke to us."""
        return (
            Domain("outcome_id.reached", "=", True)
            | Domain("outcome_id", "=", False)
            & Domain("state", "=", "done")
            & Domain("kind", "in", ("call", "meeting"))
            | Domain("outcome_id", "=", False)
            & Domain("state", "in", ("new", "done"))
            & Domain("direction", "=", "in")
            & Domain("kind", "!=", "call")
        )

    def _count_attempts(self):
        """Number of attempts made since the last reached contact."""
        self.ensure_one()
        # sudo: attempts of colleagues count too
        Interaction = self.env["crm.interaction"].sudo()
        chain = Domain("chain_id", "=", self.id)
        missed = chain & Domain("state", "=", "done") & Domain("outcome_id.reached", "=", False)
        missed &= Domain("outcome_id", "!=", False)
        reached = Interaction.search(
            chain & self._get_reached_domain(), order="date_start desc, id desc", limit=1
        )
        if reached:
            missed &= Domain("date_start", ">", reached.date_start) | (
                Domain("date_start", "=", reached.date_start) & Domain("id", ">", reached.id)
            )
        return Interaction.search_count(missed)

    def _prepare_attempt_values(self):
        """Values of a call in this chain."""
        self.ensure_one()
        document = self._get_document()
        return {
            "chain_id": self.id,
            "kind": "call",
            "direction": "out",
            "subject": self.env._("Call"),
            "partner_id": (document._get_interaction_partner() if document else self.partner_id).id,
        }

    def _plan_retry(self, attempt, now):
        """Plan the call that follows an attempt, or give up after the last one."""
        outcome = attempt.outcome_id
        document = self._get_document()
        if document is not None and not document._is_interaction_open():
            return
        moment = self._get_next_attempt(outcome, attempt.attempt_number, now)
        if moment is None:
            self._cancel_retries()
            if document is not None:
                document._interaction_give_up(outcome)
            return
        user = self.sudo().user_id or self.env.user
        self.env["crm.interaction"]._internal().create(
            {
                **self._prepare_attempt_values(),
                "subject": self.env._(
                    "Call again (attempt %(number)s)", number=attempt.attempt_number + 1
                ),
                "state": "planned",
                "date_start": moment,
                "user_id": user.id,
                "parent_id": attempt.id,
                "attempt_number": attempt.attempt_number + 1,
            }
        )

    def _get_next_attempt(self, outcome, attempts, now):
        """When the client is called again; None after the last rung of the ladder.

        :param int attempts: attempts made since the last reached contact
        :param datetime now: naive, UTC
        """
        document = self._get_document()
        if document is None:
            company, zone_name = self.company_id or self.env.company, None
            if self.partner_id:
                zone_name = self.partner_id._get_client_time_zone()[0]
        else:
            company = document._get_interaction_company()
            zone_name = document._get_client_time_zone()[0]
        delays = [retry._get_timedelta() for retry in outcome.retry_ids]
        return get_next_attempt(
            # a planned call is listed by the minute
            now + timedelta(seconds=-now.second % 60) if delays else now,
            attempts,
            delays,
            company._get_calling_window(now),
            pytz.timezone(zone_name or company.partner_id.tz or "UTC"),
        )

    def _cancel_retries(self):
        """Cancel the calls that the ladder has planned: they are no longer needed."""
        if not self:
            return
        # sudo: also those that are planned for a colleague
        retries_sudo = (
            self.env["crm.interaction"]
            .sudo()
            .search(
                [
                    ("chain_id", "in", self.ids),
                    ("attempt_number", ">", 0),
                    ("state", "in", ("planned", "postponed")),
                ]
            )
        )
        if retries_sudo:
            retries_sudo.write({"state": "cancelled"})
