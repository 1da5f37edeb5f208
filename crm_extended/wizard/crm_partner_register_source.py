from odoo import models
from odoo.fields import Command
from odoo.tools import parse_contact_from_email


class CrmLead(models.Model):
    """A deal without a client opens the assistant with what it knows of him."""

    _inherit = "crm.lead"

    def action_register_partner(self):
        """Open the registration of the client of this deal."""
        self.ensure_one()
        self.check_access("write")
        company = self.partner_name
        context = {
            "default_lead_id": self.id,
            "default_kind": "company" if company else "person",
            "default_name": company or self.contact_name,
            "default_website": self.website,
            "default_street": self.street,
            "default_street2": self.street2,
            "default_city": self.city,
            "default_zip": self.zip,
            "default_state_id": self.state_id.id,
            "default_user_id": self.user_id.id or self.env.uid,
        }
        if self.country_id:
            context["default_country_id"] = self.country_id.id
        person = {
            "name": self.contact_name,
            "function": self.function,
            "email": self.email_from,
            "phone": self.phone,
        }
        return self.env["crm.partner.register"]._open(context, person)


class CrmInteractionParticipant(models.Model):
    """Somebody who took part and whom nobody knows opens the assistant with his traces."""

    _inherit = "crm.interaction.participant"

    def action_register_partner(self):
        """Open the registration of the client who took part."""
        self.check_access("write")
        name, email = parse_contact_from_email(self[:1].email or "")
        person = {
            "name": self[:1].name or name,
            "email": email or self[:1].email,
            "phone": self[:1].phone,
        }
        context = {
            "default_participant_ids": [Command.set(self.ids)],
            "default_kind": "person",
            "default_name": person["name"],
        }
        return self.env["crm.partner.register"]._open(context, person)


class CrmTelephonyCall(models.Model):
    """The card of a call from somebody unknown opens the assistant with his number."""

    _inherit = "crm.telephony.call"

    def _get_card_buttons(self, call_sudo, partner):
        buttons = super()._get_card_buttons(call_sudo, partner)
        is_unknown = not call_sudo.interaction_id.partner_id
        if (
            call_sudo.interaction_id
            and is_unknown
            and self.env["crm.partner.register"].has_access("create")
            and self.env["res.partner"].has_access("create")
        ):
            buttons.insert(
                0,
                {
                    "name": "register",
                    "label": self.env._("Register Client"),
                    "icon": "fa-id-card-o",
                    "method": "action_register_partner",
                },
            )
        return buttons

    def action_register_partner(self):
        """Open the registration of whoever is on the telephone.

        :return: a window action
        """
        self.ensure_one()
        call_sudo = self._get_handled_sudo()
        person = {"name": call_sudo.name, "phone": call_sudo._format_number()}
        context = {
            "default_call_id": self.id,
            "default_kind": "company",
            "default_phone": person["phone"],
        }
        if person["name"]:
            context["default_kind"] = "person"
            context["default_name"] = person["name"]
        return self.env["crm.partner.register"]._open(context, person)


class CrmPartnerRegister(models.TransientModel):
    _inherit = "crm.partner.register"

    def _open(self, context, person):
        """Open the assistant filled with what is known.

        :param dict context: defaults of the assistant
        :param dict person: name, function, email and phone of somebody; the client himself, or
            a contact of the company
        :return: a window action
        """
        person = {name: value for name, value in person.items() if value}
        if context.get("default_kind") == "person" or not person.get("name"):
            context |= {f"default_{name}": value for name, value in person.items()}
        else:
            context["default_contact_ids"] = [Command.create(person)]
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_partner_register_action"
        ) | {"context": {name: value for name, value in context.items() if value}}
