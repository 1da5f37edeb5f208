from odoo import models
from odoo.exceptions import UserError


class CrmInteraction(models.Model):
    """An interaction as an attempt to reach the client: it takes an outcome."""

    _inherit = "crm.interaction"

    def action_record_outcome(
        self, outcome_id, key=None, note=None, callback=None, agreed=False, phone=None
    ):
        """Record how this call ended.

        :param int outcome_id: the crm.interaction.outcome
        :param int key: number of recorded outcomes on the screen when the button was pressed
        :param str note: what was said
        :param callback: agreed moment of the next call (naive, UTC; a datetime or its string),
            for an outcome that asks for it
        :param bool agreed: the client wants to be called then, even outside the calling hours
        :param str phone: another number instead of a wrong one, empty if none is known
        :return: True, or the action of a dialog: before recording it asks for what the outcome
            needs, afterwards it may ask what becomes of the deal
        :raise UserError: if this attempt has been recorded already
        """
        self.ensure_one()
        self.check_access("write")
        outcome = self.env["crm.interaction.outcome"].browse(outcome_id)
        question = outcome._get_question_action(self, key, note, callback, phone)
        if question:
            return question
        # the lock comes first, the state is read under it
        self.chain_id._lock_attempts()
        self.invalidate_recordset(["state", "outcome_id"])
        if not self._takes_outcome():
            raise UserError(
                self.env._(
                    "“%(subject)s” takes no outcome: outcomes are recorded for calls that are "
                    "not over.",
                    subject=self.subject,
                )
            )
        self.chain_id._record_outcome(
            outcome,
            key=key,
            note=note,
            callback=callback,
            agreed=agreed,
            phone=phone,
            interaction=self,
        )
        return self.chain_id._get_follow_up_action(outcome) or True

    def _takes_outcome(self):
        """Whether the outcome of this call may still be recorded."""
        self.ensure_one()
        return self.kind == "call" and self.state in ("new", "planned", "postponed")
