from odoo import models
from odoo.exceptions import UserError


class CrmInteraction(models.Model):
    """An interaction as an attempt to reach the client: it takes an outcome."""

    _inherit = "crm.interaction"

    def action_record_outcome(self, outcome_id, key=None, note=None):
        """Record how this call ended.

        :param int outcome_id: the crm.interaction.outcome
        :param int key: number of recorded outcomes on the screen when the button was pressed
        :param str note: what was said
        :return: True, or the action of a dialog that asks for the note the outcome needs
        :raise UserError: if this attempt has been recorded already
        """
        self.ensure_one()
        self.check_access("write")
        outcome = self.env["crm.interaction.outcome"].browse(outcome_id)
        if outcome.note_required and not note:
            return outcome._get_note_action(self, key)
        # the lock comes first, the state is read under it
        self.chain_id._lock_attempts()
        self.invalidate_recordset(["state", "outcome_id"])
        if self.kind != "call" or self.state not in ("new", "planned", "postponed"):
            raise UserError(
                self.env._(
                    "“%(subject)s” takes no outcome: outcomes are recorded for calls that are "
                    "not over.",
                    subject=self.subject,
                )
            )
        self.chain_id._record_outcome(outcome, key=key, note=note, interaction=self)
        return True
