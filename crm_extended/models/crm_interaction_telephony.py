from odoo import fields, models
from odoo.exceptions import UserError


class CrmInteraction(models.Model):
    """A call that the telephone exchange has reported.

    The recording stays with the exchange: we keep its address, for those who may read what was
    said. When an interaction is deleted, what the exchange has told about its call goes too, and
    what it tells afterwards is not recorded.
    """

    _inherit = "crm.interaction"

    recording_url = fields.Char(
        string="Recording",
        readonly=True,
        copy=False,
        groups="crm_extended.crm_interactions_group_user",
        help="Where the recording of the call can be heard. It stays with the telephone exchange.",
    )

    def unlink(self):
        # sudo: the call goes with its interaction, whoever may delete that
        calls_sudo = (
            self.env["crm.telephony.call"].sudo().search([("interaction_id", "in", self.ids)])
        )
        res = super().unlink()
        calls_sudo.write(
            {
                "facts": False,
                "number": False,
                "number_sanitized": False,
                "name": False,
                "is_erased": True,
            }
        )
        return res

    def action_record_outcome(self, outcome_id, key=None, note=None):
        """An outgoing call that has ended takes its outcome afterwards, once."""
        if not self._is_ended_call():
            return super().action_record_outcome(outcome_id, key=key, note=note)
        self.check_access("write")
        outcome = self.env["crm.interaction.outcome"].browse(outcome_id)
        if outcome.note_required and not note:
            return outcome._get_note_action(self, key)
        # the lock comes first, the state is read under it
        self.chain_id._lock_attempts()
        self.invalidate_recordset(["state", "outcome_id"])
        if not self._is_ended_call():
            raise UserError(self.env._("The outcome of this call has just been recorded."))
        date_start = self.date_start
        self.chain_id._record_outcome(outcome, key=key, note=note, interaction=self)
        self._internal().date_start = date_start
        return True

    def _is_ended_call(self):
        """Whether this is a call made by telephone, which is over and has no outcome yet."""
        self.ensure_one()
        return bool(
            self.call_uid
            and self.state == "done"
            and self.direction == "out"
            and not self.outcome_id
        )
