from odoo import models
from odoo.tools import format_amount


class CrmLead(models.Model):
    """A deal as a row on the card of a call."""

    _inherit = "crm.lead"

    def _prepare_call_card_row(self):
        """One line of the card, as described in `res.partner._get_call_card_values`."""
        self.ensure_one()
        amount = (
            format_amount(self.env, self.expected_revenue, self.company_currency)
            if self.expected_revenue
            else None
        )
        return {
            "model": "crm.lead",
            "id": self.id,
            "title": self.name,
            "detail": " · ".join(filter(None, [amount, self.stage_id.name])),
            "badge": False,
        }
