from odoo import models
from odoo.tools import format_date


class CrmClaim(models.Model):
    """A claim as a row on the card of a call."""

    _inherit = "crm.claim"

    def _prepare_call_card_row(self):
        self.ensure_one()
        promised = (
            self.env._("promised by %(date)s", date=format_date(self.env, self.date_promised))
            if self.date_promised
            else None
        )
        return {
            "model": "crm.claim",
            "id": self.id,
            "title": f"{self.name} {self.subject}",
            "detail": " · ".join(filter(None, [self.stage_id.name, promised])),
            "badge": False,
        }
