from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain
from odoo.tools import SQL


class CrmInteractionChain(models.Model):
    """Attempts to reach a client and their outcomes.

    The outcome of an attempt closes the call that was planned for it, or records a call that
    was not planned. What follows an outcome is planned in `_follow_attempt`. The attempts since
    the last contact in which the client was reached are counted, whoever made them.

    Two clicks on one attempt count once: the screen sends the number of outcomes recorded when
    it was drawn, and the row of the chain is locked while they are compared.
    """

    _inherit = "crm.interaction.chain"

    def _record_outcome(
        self,
        outcome,
        key=None,
        note=None,
        callback=None,
        agreed=False,
        phone=None,
        interaction=None,
        now=None,
    ):
        """Record how an attempt ended and see to what follows.

        :param outcome: the crm.interaction.outcome
        :param int key: `outcome_number` which the user saw; None when there was no screen
        :param str note: what was said
        :param callback: agreed moment of the next call (naive, UTC; a datetime or its string),
            for an outcome that asks for it
        :param bool agreed: the client wants to be called then, even outside the calling hours
        :param str phone: another number instead of a wrong one
        :param interaction: the call which the attempt closes; by default the one which is due
            next, else a new one. A call that arrived stays as it is and counts as handled: the
            attempt is the call back.
        :param datetime now: time of the attempt (naive, UTC)
        :return: the crm.interaction that was closed
        :raise UserError: if the attempt was recorded by somebody else, or what the outcome asks
            for is missing or wrong
        """
        self.ensure_one()
        now = now or fields.Datetime.now()
        self._check_outcome(outcome, note)
        if outcome.question == "callback":
            callback = self._check_callback(callback, agreed, now)
        elif outcome.question == "number":
            phone = self._check_number(phone)
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
        self._follow_attempt(attempt, now, callback=callback, phone=phone)
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
        return self._get_attempt_counts()[self.id]

    def _get_attempt_counts(self):
        """Number of attempts made in each chain since its last reached contact.

        :return: dict chain id → number
        """
        counts = dict.fromkeys(self.ids, 0)
        if not counts:
            return counts
        # sudo: attempts of colleagues count too
        Interaction = self.env["crm.interaction"].sudo().with_context(active_test=False)
        chains = Domain("chain_id", "in", self.ids)
        missed = chains & Domain("state", "=", "done") & Domain("outcome_id", "!=", False)
        missed &= Domain("outcome_id.reached", "=", False)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT missed.chain_id, count(*)
                  FROM crm_interaction missed
                 WHERE missed.id IN %(missed)s
                   AND NOT EXISTS (
                        SELECT 1 FROM crm_interaction reached
                         WHERE reached.chain_id = missed.chain_id
                           AND reached.id IN %(reached)s
                           AND (reached.date_start, reached.id) > (missed.date_start, missed.id)
                       )
                 GROUP BY missed.chain_id
                """,
                missed=Interaction._search(missed).subselect(),
                reached=Interaction._search(chains & self._get_reached_domain()).subselect(),
            )
        )
        counts.update(rows)
        return counts

    def _prepare_attempt_values(self):
        """Values of a call in this chain."""
        self.ensure_one()
        # sudo: whoever was asked to call need not have the deal in hand
        chain_sudo = self.sudo()
        document_sudo = chain_sudo._get_document()
        partner_sudo = (
            chain_sudo.partner_id
            if document_sudo is None
            else document_sudo._get_interaction_partner()
        )
        return {
            "chain_id": self.id,
            "kind": "call",
            "direction": "out",
            "subject": self.env._("Call"),
            "partner_id": partner_sudo.id,
        }
