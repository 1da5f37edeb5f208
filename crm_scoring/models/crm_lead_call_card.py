from odoo import models


class CrmLead(models.Model):
    """A deal on the card of a call shows its class."""

    _inherit = "crm.lead"

    def _prepare_call_card_row(self):
        return {**super()._prepare_call_card_row(), "badge": self.score_class}
