from odoo import api, models

PORTAL_READABLE_FIELDS = frozenset(
    {
        "id",
        "display_name",
        "claim_id",
        "order_line_id",
        "product_id",
        "name",
        "quantity",
        "sequence",
    }
)


class CrmClaimLine(models.Model):
    """A portal user reads which products of his claim are concerned, and how many."""

    _name = "crm.claim.line"
    _inherit = ["crm.claim.line", "crm.portal.mixin"]

    @api.model
    def _portal_readable_fields(self):
        return super()._portal_readable_fields() | PORTAL_READABLE_FIELDS
