from odoo import models


class CrmInteractionChain(models.Model):
    """What nobody has handled goes to whoever takes the document over.

    A mail to a common address arrives before anybody is responsible for its deal. When the deal
    is given to somebody, or to somebody else, so is what has arrived and waits there; what a
    colleague has been given personally stays with the colleague. A conversation about no document
    follows its interactions instead (see `crm.interaction.action_hand_over`).
    """

    _inherit = "crm.interaction.chain"

    def write(self, vals):
        if not vals.get("user_id"):
            return super().write(vals)
        # sudo: what arrived follows the conversation, whoever may see it
        waiting_sudo = (
            self.env["crm.interaction"]
            .sudo()
            .search(
                [
                    ("chain_id", "in", self.ids),
                    ("res_id", "!=", False),
                    ("state", "=", "new"),
                    ("direction", "=", "in"),
                ]
            )
        )
        followers_sudo = waiting_sudo.filtered(
            lambda interaction: not interaction.user_id
            or interaction.user_id == interaction.chain_id.user_id
        )
        res = super().write(vals)
        if followers_sudo:
            followers_sudo.write({"user_id": vals["user_id"]})
        return res
