from odoo import models


class CrmInteractionChain(models.Model):
    """A call that is being made, or that nobody answered, is the attempt that takes an outcome."""

    _inherit = "crm.interaction.chain"

    def _get_due_attempt(self):
        call = self.env["crm.interaction"].search(
            [
                ("chain_id", "=", self.id),
                ("kind", "=", "call"),
                ("direction", "=", "out"),
                ("state", "=", "new"),
                ("call_uid", "!=", False),
            ],
            order="date_start desc, id desc",
            limit=1,
        )
        return call or super()._get_due_attempt()
