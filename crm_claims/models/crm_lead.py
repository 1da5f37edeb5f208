from odoo import models


class CrmLead(models.Model):
    """Claims about the orders of a deal are among its documents."""

    _inherit = "crm.lead"

    def _get_document_kinds(self):
        kinds = super()._get_document_kinds()
        kinds["claim"] = {
            "label": self.env._("Claims"),
            "icon": "fa-exclamation-triangle",
            "model": "crm.claim",
            "find": self._find_claim_documents,
            "date": "date_registered",
            "amount": "amount_claimed",
            "currency": "currency_id",
            "status": "state",
            "detail": "subject",
            "colors": {
                "new": "warning",
                "acknowledged": "info",
                "investigating": "info",
                "waiting_client": "primary",
                "decided": "success",
                "closed": "success",
                "rejected": "secondary",
                "cancelled": "muted",
            },
        }
        return kinds

    def _find_claim_documents(self):
        claims = self.env["crm.claim"].search([("order_id.opportunity_id", "in", self.ids)])
        # sudo: the order only leads to the deal, which the user has opened
        return claims.grouped(lambda claim: claim.sudo().order_id.opportunity_id.id)
