from odoo import models


class CrmTelephonyCall(models.Model):
    """The door from the card of a call to a claim."""

    _inherit = "crm.telephony.call"

    def _get_card_buttons(self, call_sudo, partner):
        buttons = super()._get_card_buttons(call_sudo, partner)
        if call_sudo.interaction_id and self.env["crm.claim"].has_access("create"):
            buttons.append(
                {
                    "name": "claim",
                    "label": self.env._("Register Claim"),
                    "icon": "fa-exclamation-circle",
                    "method": "action_register_claim",
                }
            )
        return buttons

    def action_register_claim(self):
        """Open a new claim of the client who is on the telephone.

        :return: a window action
        """
        self.ensure_one()
        interaction_sudo = self._get_handled_sudo().interaction_id
        self.env["crm.claim"].check_access("create")
        # sudo: the defaults of the claim are what the caller has just said
        return interaction_sudo.action_register_claim()
