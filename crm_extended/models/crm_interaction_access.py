from odoo import fields, models


class CrmInteraction(models.Model):
    """Who sees an interaction: its responsible, and the responsible of its conversation.

    The latter is kept on the interaction, so that the record rules of own documents find it in
    the row and need not look up the conversation of each of a million rows.
    """

    _inherit = "crm.interaction"

    chain_user_id = fields.Many2one(
        "res.users",
        string="Responsible for the Conversation",
        related="chain_id.user_id",
        store=True,
        precompute=True,
        index="btree_not_null",
    )
