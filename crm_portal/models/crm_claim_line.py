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

    _inherit = "crm.claim.line"

    @api.model
    def _portal_readable_fields(self):
        """Names of the fields that portal users may read; other add-ons extend it."""
        return PORTAL_READABLE_FIELDS

    def _has_field_access(self, field, operation):
        if not super()._has_field_access(field, operation):
            return False
        if not self.env.su and self.env.user.share:
            return operation == "read" and field.name in self._portal_readable_fields()
        return True
