from odoo import api, fields, models
from odoo.tools import email_normalize

from .crm_interaction import INTERNAL

# of an address by RFC 5321; what is longer reaches nobody, and fits into no index
MAX_EMAIL_SIZE = 64 + 1 + 255


class CrmInteractionParticipant(models.Model):
    """Somebody who took part in an interaction, known to us or not.

    What is known at the time is free text: name, phone, e-mail. The contact may be resolved at
    any later time (`crm_interaction_participant_resolve.py`).
    """

    _name = "crm.interaction.participant"
    _description = "Interaction Participant"
    _order = "id"
    _check_company_auto = True

    interaction_id = fields.Many2one(
        "crm.interaction", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="interaction_id.company_id", store=True, precompute=True, index=True
    )
    interaction_date = fields.Datetime(related="interaction_id.date_start", string="Date")
    interaction_user_id = fields.Many2one(related="interaction_id.user_id", string="Responsible")
    partner_id = fields.Many2one(
        "res.partner", string="Contact", index="btree_not_null", check_company=True
    )
    name = fields.Char()
    phone = fields.Char()
    email = fields.Char()
    role = fields.Selection(
        [
            ("from", "From"),
            ("to", "To"),
            ("cc", "Copy"),
            ("attendee", "Attendee"),
            ("other", "Other"),
        ],
        default="attendee",
        required=True,
    )
    email_normalized = fields.Char(
        compute="_compute_email_normalized", store=True, precompute=True, index="btree_not_null"
    )
    phone_sanitized = fields.Char(
        compute="_compute_phone_sanitized", store=True, precompute=True, index="btree_not_null"
    )

    @api.depends("email")
    def _compute_email_normalized(self):
        for participant in self:
            participant.email_normalized = self._normalize_email(participant.email)

    @api.model
    def _normalize_email(self, email):
        """The address by which somebody is recognised, False if it is none."""
        email = email_normalize(email or "")
        return email if email and len(email) <= MAX_EMAIL_SIZE else False

    @api.depends("phone", "company_id")
    def _compute_phone_sanitized(self):
        self.phone_sanitized = False
        for participant in self.filtered("phone"):
            country = (participant.company_id or self.env.company).country_id
            participant.phone_sanitized = self.env["res.partner"]._phone_format(
                number=participant.phone, country=country
            )

    @api.depends("name", "partner_id", "email", "phone")
    def _compute_display_name(self):
        for participant in self:
            participant.display_name = (
                participant.partner_id.display_name
                or participant.name
                or participant.email
                or participant.phone
                or self.env._("Unknown")
            )

    @api.onchange("partner_id")
    def _onchange_partner_id(self):
        if self.partner_id:
            self.update(self._prepare_partner_values(self.partner_id))

    @api.model_create_multi
    def create(self, vals_list):
        participants = super().create(vals_list)
        known = participants.filtered("partner_id")
        known._complete_from_partner()
        if self.env.context.get("crm_internal") is INTERNAL:
            # a source has looked up the contacts itself
            known.sudo()._get_news()._resolve_same()
        else:
            known._resolve_same()
            (participants - known)._resolve_from_contacts()
        return participants

    def write(self, vals):
        if vals.get("interaction_id"):
            self.env["crm.interaction"].browse(vals["interaction_id"]).check_access("write")
        res = super().write(vals)
        if vals.get("partner_id"):
            self._complete_from_partner()
            self._resolve_same()
        return res

    @api.model
    def _prepare_partner_values(self, partner):
        """What a contact tells about the participant."""
        return {"name": partner.name, "phone": partner.phone, "email": partner.email}

    def _complete_from_partner(self):
        """Fill what was left empty from the contact; what was written down stays."""
        for participant in self.filtered("partner_id"):
            values = {
                name: value
                for name, value in self._prepare_partner_values(participant.partner_id).items()
                if value and not participant[name]
            }
            if values:
                participant.write(values)
