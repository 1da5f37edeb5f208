from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class CrmInteraction(models.Model):
    """Interactions are found by the phone number of a participant or of the client."""

    _inherit = "crm.interaction"

    phone_search = fields.Char(
        string="Phone Number",
        store=False,
        search="_search_phone_search",
        copy=False,
        groups="crm_extended.crm_interactions_group_user",
        help="In any spelling; the last digits are enough.",
    )

    def _search_phone_search(self, operator, value):
        Participant = self.env["crm.interaction.participant"]
        # who reads headers only must not learn numbers by guessing them
        Participant.check_access("read")
        return Participant._get_phone_search_domain(operator, value, self._get_phone_domain)

    def _get_phone_domain(self, number):
        """Domain of the interactions with this number, however it is spelt."""
        Participant = self.env["crm.interaction.participant"]
        Partner = self.env["res.partner"]
        Participant.flush_model(["phone_digits", "interaction_id"])
        Partner.flush_model(["phone"])
        self.flush_model(["partner_id"])
        # one list of ids: two conditions joined by OR would read the whole table
        found = SQL(
            """
            SELECT p.interaction_id FROM crm_interaction_participant p WHERE %s
            UNION
            SELECT i.id FROM crm_interaction i
              JOIN res_partner partner ON partner.id = i.partner_id
             WHERE partner.phone IS NOT NULL AND %s
            """,
            Participant._get_phone_condition(SQL("p.phone_digits"), number),
            Participant._get_phone_condition(Partner._get_phone_digits_sql("partner"), number),
        )
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL("%s IN (%s)", SQL.identifier(alias, "id"), found)
        )
