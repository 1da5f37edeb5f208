from odoo import fields, models


class ProductTemplate(models.Model):
    """Claims about a product, and the door to register one."""

    _inherit = "product.template"

    claim_count = fields.Integer(
        compute="_compute_claim_count", groups="crm_claims.crm_claims_group_user"
    )

    def _compute_claim_count(self):
        groups = self.env["crm.claim.line"]._read_group(
            [("product_id.product_tmpl_id", "in", self.ids)],
            ["product_id"],
            ["claim_id:count_distinct"],
        )
        counts = dict.fromkeys(self.ids, 0)
        for product, count in groups:
            # sudo: products of readable claims
            counts[product.sudo().product_tmpl_id.id] += count
        for template in self:
            template.claim_count = counts.get(template._origin.id, 0)

    def action_view_claims(self):
        """Open the claims about this product; a new one starts with it."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_claims.crm_claim_action")
        variant = self.product_variant_ids[:1]
        return action | {
            "domain": [("line_ids.product_id.product_tmpl_id", "=", self.id)],
            "context": {"default_line_ids": [(0, 0, {"product_id": variant.id})]},
        }
