from odoo import fields, models


class CrmInteractionHandOver(models.TransientModel):
    """Asks to whom interactions are handed over; handing over itself is theirs."""

    _name = "crm.interaction.hand.over"
    _description = "Hand Interactions Over"

    interaction_ids = fields.Many2many("crm.interaction", required=True)
    user_id = fields.Many2one(
        "res.users",
        string="Colleague",
        required=True,
        domain=lambda self: [
            ("share", "=", False),
            ("id", "!=", self.env.uid),
            (
                "all_group_ids",
                "in",
                self.env.ref("crm_extended.crm_interactions_group_user").ids,
            ),
        ],
    )
    note = fields.Text(help="What the colleague should know. It stays with the interaction.")

    def action_confirm(self):
        self.ensure_one()
        self.interaction_ids.action_hand_over(self.user_id.id, self.note)
        return {"type": "ir.actions.act_window_close"}
