from odoo import models
from odoo.exceptions import AccessError, UserError


class CrmTelephonyCall(models.Model):
    """The card of a call on the screen of its operator.

    The card is read by the operators whose extensions the call came to, each under his own
    rights: who may not see the client, a deal or an invoice does not see it on the card either.
    What they do on the card (who called, a note) is written on the interaction, even where a
    colleague is responsible for it: they are the ones on the telephone. Once one of them has
    taken the call, it is out of the hands of the others whose telephones rang.
    """

    _inherit = "crm.telephony.call"

    def get_card(self):
        """Everything the card shows, for the current user.

        :return: dict of plain values
        :raise AccessError: if the call did not come to this user
        """
        self.ensure_one()
        call_sudo = self._get_operated_sudo()
        # the card belongs to the company of the call, whichever one is on the screen
        call = self.with_context(allowed_company_ids=call_sudo.company_id.ids)
        return call._prepare_card(call_sudo.with_context(call.env.context))

    def _get_operated_sudo(self):
        """These calls under sudo, if they are this user's to deal with."""
        # sudo: the list of operators is what decides here
        calls_sudo = self.sudo().exists()
        if not calls_sudo or any(self.env.user not in call.user_ids for call in calls_sudo):
            raise AccessError(self.env._("This call did not come to you."))
        # accountants read the headers of interactions, but no calls
        if not self.env[self._name].has_access("read"):
            raise AccessError(self.env._("Calls are shown to those who record interactions."))
        return calls_sudo

    def _is_in_hand(self):
        """Whether the user deals with this call, and no colleague does (self is under sudo)."""
        self.ensure_one()
        user = self.env.user
        interaction = self.interaction_id.sudo(False)
        return self.user_id in (user, user.browse()) or interaction.has_access("write")

    def _get_handled_sudo(self):
        """These calls under sudo, if the user may write on their interactions."""
        calls_sudo = self._get_operated_sudo()
        for call_sudo in calls_sudo:
            if not call_sudo._is_in_hand():
                raise AccessError(
                    self.env._("%(user)s has taken this call.", user=call_sudo.user_id.name)
                )
        return calls_sudo

    def _prepare_card(self, call_sudo):
        interaction_sudo = call_sudo.interaction_id
        partner = interaction_sudo.partner_id.sudo(False)
        is_visible = bool(partner) and partner.has_access("read")
        talking = call_sudo.user_id
        return {
            "id": call_sudo.id,
            "state": call_sudo.state,
            "direction": call_sudo.direction,
            "number": call_sudo._format_number() or False,
            "name": call_sudo.name,
            "is_mine": talking == self.env.user,
            "answered_by": talking.name if talking != self.env.user else False,
            "duration": interaction_sudo.duration,
            # of somebody unknown: by the number
            "clock": interaction_sudo.client_clock if call_sudo.number_sanitized else False,
            "interaction_id": interaction_sudo.id,
            "is_readable": interaction_sudo.sudo(False).has_access("read")
            if interaction_sudo
            else False,
            "note": (call_sudo._is_in_hand() and interaction_sudo.result_note) or "",
            "outcomes": self._prepare_card_outcomes(interaction_sudo),
            "client": self._prepare_card_client(partner, interaction_sudo) if is_visible else False,
            "is_hidden": bool(partner) and not is_visible,
            "others": self._prepare_card_others(call_sudo, partner),
            "deals": False
            if partner
            else self._prepare_card_deals(call_sudo._get_open_deals(partner.sudo())),
            "buttons": self._get_card_buttons(call_sudo, partner if is_visible else False),
        }

    def _prepare_card_client(self, partner, interaction_sudo):
        """The client's card, without the call that is going on."""
        values = partner._get_call_card_values()
        for section in values["sections"]:
            section["rows"] = [
                row
                for row in section["rows"]
                if (row["model"], row["id"]) != ("crm.interaction", interaction_sudo.id)
            ]
        return values

    def _prepare_card_outcomes(self, interaction_sudo):
        """Outcome buttons of an outgoing call; False for other calls."""
        interaction = interaction_sudo.sudo(False)
        if (
            interaction_sudo.direction != "out"
            or interaction_sudo.outcome_id
            or interaction_sudo.state == "cancelled"
            or not interaction.has_access("write")
        ):
            return False
        return {
            "key": interaction_sudo.chain_id.outcome_number,
            "outcomes": self.env["crm.interaction.outcome"]._get_buttons(
                interaction_sudo.company_id
            ),
        }

    def _prepare_card_others(self, call_sudo, partner):
        """Other contacts with the same number, as far as the user may see them."""
        others = call_sudo._find_partners().sudo(False) - partner
        return [
            {"id": other.id, "name": other.display_name}
            for other in others._filtered_access("read")[:5]
        ]

    def _prepare_card_deals(self, deals_sudo):
        """Deals that know the number of a caller who is not a contact yet."""
        deals = deals_sudo.sudo(False)
        return [deal._prepare_call_card_row() for deal in deals._filtered_access("read")]

    def _get_card_buttons(self, call_sudo, partner):
        """What the operator may start from the card; other add-ons add theirs.

        :param partner: the client, empty if unknown
        :return: list of dicts with name, label, icon and `method` of this model, which returns an
            action
        """
        return []

    # ------------------------------------------------------------
    # WHAT THE OPERATOR DOES
    # ------------------------------------------------------------

    def set_note(self, note):
        """Write what was said on the interaction of this call."""
        interaction_sudo = self._get_handled_sudo().interaction_id
        if not interaction_sudo:
            raise UserError(self.env._("There is nothing yet to write a note on."))
        interaction_sudo.write({"result_note": (note or "").strip() or False})
        return True

    def set_partner(self, partner_id):
        """Say who is on the telephone.

        The contact is given to the participant, and with it to all others of that number.
        """
        self.ensure_one()
        call_sudo = self._get_handled_sudo()
        partner = self.env["res.partner"].browse(partner_id).exists()
        partner.check_access("read")
        if not partner or partner.company_id not in (self.env["res.company"], call_sudo.company_id):
            raise UserError(self.env._("Choose a contact of the company that was called."))
        interaction_sudo = call_sudo.interaction_id
        if not interaction_sudo:
            raise UserError(self.env._("The call is not recorded yet: try again."))
        role = "from" if call_sudo.direction == "in" else "to"
        participants = interaction_sudo.participant_ids.filtered(
            lambda participant: participant.role == role
        )
        participants.write({"partner_id": partner.id})
        interaction_sudo.write({"partner_id": partner.id})
        chain_sudo = interaction_sudo.chain_id
        if not chain_sudo.res_id and not chain_sudo.partner_id:
            chain_sudo.write({"partner_id": partner.id})
        return self.get_card()

    def set_deal(self, lead_id):
        """Say which deal the call is about: it moves to the conversation of that deal."""
        self.ensure_one()
        interaction_sudo = self._get_handled_sudo().interaction_id
        deal = self.env["crm.lead"].browse(lead_id).exists()
        deal.check_access("read")
        if not deal or not interaction_sudo:
            raise UserError(self.env._("Choose a deal that is still there."))
        chain = self.env["crm.interaction.chain"]._open_for_documents(deal)[deal.id]
        interaction_sudo.write({"chain_id": chain.id})
        if not interaction_sudo.partner_id and deal.partner_id:
            return self.set_partner(deal.partner_id.id)
        return self.get_card()
