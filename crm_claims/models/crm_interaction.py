from odoo import api, models


class CrmInteraction(models.Model):
    """The door from an interaction to a claim.

    A message about a claim is for those who read the claim, whoever sees that there was one: it
    may hold the link by which the customer answers.
    """

    _inherit = "crm.interaction"

    @api.model
    def _get_confidential_models(self):
        return super()._get_confidential_models() | {"crm.claim"}

    def action_register_claim(self):
        """Open a new claim of the client of this interaction; its chain stays where it is."""
        self.ensure_one()
        action = {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim",
            "name": self.env._("Register Claim"),
            "view_mode": "form",
        }
        if self.res_model == "crm.claim":
            return action | {"res_id": self.res_id}
        return action | {"context": self._prepare_claim_context()}

    def _prepare_claim_context(self):
        """Defaults of a claim that is registered from this interaction."""
        channels = {"call": "phone", "meeting": "meeting", "email": "email"}
        participant = self.participant_ids[:1]
        context = {
            "default_subject": self.subject,
            "default_description": self.body or self.message_body,
            "default_channel": channels.get(self.kind, "other"),
            "default_partner_id": self.partner_id.id,
            "default_company_id": self.company_id.id,
            "default_date_registered": self.date_start,
        }
        if not self.partner_id and participant:
            context |= {
                "default_partner_name": participant.name,
                "default_email_from": participant.email,
                "default_partner_phone": participant.phone,
            }
        if self.res_model == "sale.order":
            context["default_order_id"] = self.res_id
        return context
