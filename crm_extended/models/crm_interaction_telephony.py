from odoo import fields, models


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

    def action_record_outcome(
        self, outcome_id, key=None, note=None, callback=None, agreed=False, phone=None
    ):
        """The outcome of a call that has ended leaves the time of the call as it was."""
        date_start = self._is_ended_call() and self.date_start
        res = super().action_record_outcome(
            outcome_id, key=key, note=note, callback=callback, agreed=agreed, phone=phone
        )
        if date_start and self.outcome_id:
            self._internal().date_start = date_start
        return res

    def _takes_outcome(self):
        return super()._takes_outcome() or self._is_ended_call()

    def _is_ended_call(self):
        """Whether this is a call made by telephone, which is over and has no outcome yet."""
        self.ensure_one()
        return bool(
            self.call_uid
            and self.state == "done"
            and self.direction == "out"
            and not self.outcome_id
        )
