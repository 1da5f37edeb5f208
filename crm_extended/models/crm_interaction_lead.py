from odoo import models
from odoo.exceptions import UserError
from odoo.tools import clean_context, parse_contact_from_email


class CrmInteraction(models.Model):
    """The door from an interaction to a deal: a new one, or one that is there.

    A conversation about no document becomes the conversation about the deal. From one about a
    document (an order, a claim, the client as such) only the chosen interactions move.
    """

    _inherit = "crm.interaction"

    def action_create_lead(self):
        """Create a deal for each conversation of these interactions and move them there.

        :return: action that opens the deal, or the list of deals
        :raise UserError: if one of them is about a deal already
        """
        # the defaults of the dialog are not meant for what is created here
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        self.check_access("write")
        for interaction in self:
            if interaction.res_model == "crm.lead":
                raise UserError(
                    self.env._(
                        "“%(subject)s” is about a deal already: %(deal)s.",
                        subject=interaction.subject,
                        deal=interaction.res_name or interaction.sudo().chain_id.name,
                    )
                )
        leads = self.env["crm.lead"]
        for interactions in self.grouped("chain_id").values():
            first = interactions.sorted(
                lambda interaction: (interaction.date_start, interaction.id)
            )
            lead = leads.create(first[0]._prepare_lead_values())
            interactions._move_to_lead(lead)
            leads |= lead
        return self._get_lead_action(leads)

    def action_link_lead(self, lead_id):
        """Move these interactions to the conversation about an existing deal.

        :param int lead_id: the deal
        :return: action that opens the deal
        """
        # the defaults of the dialog are not meant for what is created here
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        self.check_access("write")
        lead = self.env["crm.lead"].browse(lead_id).exists()
        if not lead:
            raise UserError(self.env._("Choose the deal which this is about."))
        lead.check_access("read")
        self._move_to_lead(lead)
        return self._get_lead_action(lead)

    def _move_to_lead(self, lead):
        """Move these interactions to a deal, and what else was said as far as it belongs."""
        chain = self.env["crm.interaction.chain"]._open_for_documents(lead)[lead.id]
        # sudo: whether the conversation is about something is no secret
        free = self.filtered(lambda interaction: not interaction.chain_id.sudo().res_id)
        (self | free._get_whole_chains())._move_to_chain(chain)

    def _prepare_lead_values(self):
        """Values of the deal that is created from this interaction."""
        self.ensure_one()
        partner = self.partner_id or self.participant_ids.partner_id.filtered("partner_share")[:1]
        values = {
            "name": self.subject,
            "type": "opportunity",
            "description": self.body,
            "company_id": self.company_id.id,
            "user_id": (self.user_id or self.env.user).id,
            "partner_id": partner.id,
        }
        participant = self.participant_ids.filtered(lambda participant: not participant.partner_id)
        if not partner and participant:
            participant = participant[0]
            name, address = parse_contact_from_email(participant.email or "")
            values |= {
                "contact_name": participant.name or name,
                "email_from": address or participant.email,
                "phone": participant.phone,
            }
        return values

    def _get_lead_action(self, leads):
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Deals"),
            "res_model": "crm.lead",
        }
        if len(leads) == 1:
            return action | {"res_id": leads.id, "views": [(False, "form")]}
        return action | {
            "domain": [("id", "in", leads.ids)],
            "views": [(False, "list"), (False, "form")],
        }

    def action_open_link_lead(self):
        """Open the dialog that asks which deal these interactions are about."""
        return self._get_dialog_action(
            "crm.interaction.move", self.env._("Link to a Deal"), destination="lead"
        )

    def action_create_contact(self):
        """Create contacts of the participants whom nobody knows yet.

        :raise UserError: if there are none
        """
        self.check_access("write")
        unknown = self.participant_ids.filtered(lambda participant: not participant.partner_id)
        if not unknown:
            raise UserError(self.env._("All participants are known already."))
        return unknown.action_create_partner()
