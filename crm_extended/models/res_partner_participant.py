from odoo import api, fields, models
from odoo.tools import SQL


class ResPartner(models.Model):
    """A new contact is recognised among those who took part in interactions.

    Whenever a partner is created, or gets an e-mail address or a phone number, unresolved
    participants who have it become this partner. If there is none, as nearly always, that costs
    one look into two small indexes for a whole batch. A customer who changes an address in the
    portal proves nothing by it and is not recognised so.
    """

    _inherit = "res.partner"

    email_normalized = fields.Char(index="btree_not_null")
    phone_sanitized = fields.Char(index="btree_not_null")

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        partners._resolve_participants()
        return partners

    def write(self, vals):
        res = super().write(vals)
        if (vals.get("email") or vals.get("phone")) and not self.env.user.share:
            self._resolve_participants()
        return res

    def _resolve_participants(self):
        """Find these partners among the participants nobody knows yet."""
        keys = [
            (
                partner.id,
                partner.company_id.id or None,
                partner.email_normalized or None,
                partner.phone_sanitized or None,
                None,
            )
            # sudo: whoever creates a contact, it is recognised
            for partner in self.sudo()
            if partner.active and (partner.email or partner.phone)
        ]
        keys = [key for key in keys if key[2] or key[3]]
        if not keys:
            return
        Participant = self.env["crm.interaction.participant"]
        Participant.flush_model(["partner_id", "email_normalized", "phone_sanitized"])
        ((found,),) = self.env.execute_query(
            SQL(
                """
                SELECT EXISTS (
                    SELECT FROM crm_interaction_participant
                     WHERE partner_id IS NULL AND email_normalized = ANY(%(emails)s::varchar[])
                ) OR EXISTS (
                    SELECT FROM crm_interaction_participant
                     WHERE partner_id IS NULL AND phone_sanitized = ANY(%(phones)s::varchar[])
                )
                """,
                emails=[key[2] for key in keys if key[2]],
                phones=[key[3] for key in keys if key[3]],
            )
        )
        if found:
            Participant._resolve_by_keys(keys)
