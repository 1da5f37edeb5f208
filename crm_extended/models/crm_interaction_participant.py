from odoo import api, fields, models
from odoo.tools import SQL, email_normalize


class CrmInteractionParticipant(models.Model):
    """Somebody who took part in an interaction, known to us or not.

    What is known at the time is free text: name, phone, e-mail. The contact may be resolved at
    any later time; resolving one participant resolves every other participant with the same
    normalised e-mail or phone, and the clients of their interactions, in one statement.
    A contact of one company is not given to participants of another.
    """

    _name = "crm.interaction.participant"
    _description = "Interaction Participant"
    _order = "id"
    _check_company_auto = True

    interaction_id = fields.Many2one(
        "crm.interaction", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="interaction_id.company_id", store=True, index=True)
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
        compute="_compute_email_normalized", store=True, index="btree_not_null"
    )
    phone_sanitized = fields.Char(
        compute="_compute_phone_sanitized", store=True, index="btree_not_null"
    )

    @api.depends("email")
    def _compute_email_normalized(self):
        for participant in self:
            participant.email_normalized = email_normalize(participant.email or "") or False

    @api.depends("phone", "company_id")
    def _compute_phone_sanitized(self):
        for participant in self:
            country = (participant.company_id or self.env.company).country_id
            participant.phone_sanitized = participant.phone and self.env[
                "res.partner"
            ]._phone_format(number=participant.phone, country=country)

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
        participants._complete_from_partner()
        participants.filtered("partner_id")._resolve_same()
        return participants

    def write(self, vals):
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

    def _resolve_same(self):
        """Give the contacts of these participants to all who have the same address or number.

        When two contacts claim one address, the one resolved last wins. Interactions without a
        client get it too.
        """
        self.flush_model()
        self.env["crm.interaction"].flush_model(["partner_id"])
        self.env["res.partner"].flush_model(["company_id"])
        rows = (
            self.env.execute_query(
                SQL(
                    """
                WITH key AS (
                    SELECT p.id, p.partner_id, partner.company_id,
                           p.email_normalized, p.phone_sanitized
                      FROM crm_interaction_participant p
                      JOIN res_partner partner ON partner.id = p.partner_id
                     WHERE p.id IN %(ids)s
                ), match AS (
                    SELECT DISTINCT ON (other.id) other.id, key.partner_id
                      FROM key
                      JOIN crm_interaction_participant other
                        ON other.email_normalized = key.email_normalized
                        OR other.phone_sanitized = key.phone_sanitized
                     WHERE other.partner_id IS NULL
                       AND (key.company_id IS NULL OR key.company_id = other.company_id)
                     ORDER BY other.id, key.id DESC
                ), resolved AS (
                    UPDATE crm_interaction_participant p
                       SET partner_id = match.partner_id,
                           write_uid = %(uid)s, write_date = %(now)s
                      FROM match
                     WHERE p.id = match.id
                    RETURNING p.interaction_id, p.partner_id
                )
                UPDATE crm_interaction i
                   SET partner_id = source.partner_id,
                       write_uid = %(uid)s, write_date = %(now)s
                  FROM (
                        SELECT interaction_id, min(partner_id) AS partner_id
                          FROM resolved GROUP BY interaction_id
                       ) source
                 WHERE i.id = source.interaction_id AND i.partner_id IS NULL
                RETURNING i.id
                """,
                    ids=tuple(self.ids),
                    uid=self.env.uid,
                    now=fields.Datetime.now(),
                )
            )
            if self
            else []
        )
        self.env["crm.interaction.participant"].invalidate_model(["partner_id"])
        if rows:
            self.env["crm.interaction"].invalidate_model(["partner_id"])
        own = self.interaction_id.filtered(lambda interaction: not interaction.partner_id)
        for interaction in own:
            interaction.partner_id = interaction.participant_ids.partner_id[:1]

    def action_create_partner(self):
        """Create a contact from what is known, for each participant who has none.

        :raise UserError: through the contact itself, if nothing at all is known
        """
        for participant in self.filtered(lambda participant: not participant.partner_id):
            participant.partner_id = self.env["res.partner"].create(
                {
                    "name": participant.name or participant.email or participant.phone,
                    "email": participant.email,
                    "phone": participant.phone,
                }
            )
