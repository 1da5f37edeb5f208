from odoo import api, fields, models


class ResPartner(models.Model):
    """Birthday, profession and whether the contact wants to be congratulated.

    A refusal of the company holds for its contacts.
    """

    _inherit = "res.partner"

    # customers read the cards of their colleagues
    birthday = fields.Date(
        groups="base.group_user", help="The year may be a guess: only day and month are used."
    )
    birthday_key = fields.Integer(
        groups="base.group_user",
        compute="_compute_birthday_key",
        store=True,
        index=True,
        aggregator=None,
        help="Month times 100 and day.",
    )
    profession_id = fields.Many2one("crm.profession", string="Profession", index="btree_not_null")
    occasion_consent = fields.Selection(
        [("agreed", "Agreed"), ("refused", "Refused")],
        string="Greetings and Reminders by E-mail",
        help="Empty: not asked. Who refused gets none; whether consent must be given first is a "
        "setting of the client analysis.",
    )

    @api.depends("birthday")
    def _compute_birthday_key(self):
        for partner in self:
            day = partner.birthday
            partner.birthday_key = day.month * 100 + day.day if day else 0

    def _get_occasion_refusals(self, consent_required=False):
        """Return those of the contacts who get no greetings and reminders by e-mail.

        No address, on the blacklist, refused (himself or his company), or not asked where consent
        is required. Other add-ons add reasons of their own.
        """
        return self.filtered(
            lambda partner: not partner.email_normalized
            or partner.is_blacklisted
            or "refused"
            in (partner.occasion_consent, partner.commercial_partner_id.occasion_consent)
            or (
                consent_required
                and "agreed"
                not in (partner.occasion_consent, partner.commercial_partner_id.occasion_consent)
            )
        )
