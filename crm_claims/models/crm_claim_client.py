from odoo import models


class CrmClaim(models.Model):
    """A claim that is registered, moved or deleted is news for the deals with its client."""

    _inherit = "crm.claim"

    def unlink(self):
        self._tell_deals()
        return super().unlink()

    def _tell_deals(self):
        # sudo: also the deals that the handler of the claim may not read
        clients = self.sudo().commercial_partner_id
        self.env["crm.lead"]._note_client_change("crm.claim", clients)
