from odoo import fields, models
from odoo.fields import Domain


class CrmInteractionChain(models.Model):
    """Conversations are found by the phone number of whoever took part in them."""

    _inherit = "crm.interaction.chain"

    phone_search = fields.Char(
        string="Phone Number",
        store=False,
        search="_search_phone_search",
        copy=False,
        groups="crm_extended.crm_interactions_group_user",
        help="In any spelling; the last digits are enough.",
    )

    def _search_phone_search(self, operator, value):
        return self.env["crm.interaction.participant"]._get_phone_search_domain(
            operator,
            value,
            # by the interactions which the user sees: a conversation may hold others' as well
            lambda number: Domain(
                "interaction_ids", "any", Domain("phone_search", "ilike", number)
            ),
        )
