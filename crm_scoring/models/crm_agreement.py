from odoo import fields, models


class CrmAgreement(models.Model):
    """Products that a client does not buy under an agreement are never recommended to him; an
    agreement that comes into force or ends counts in the scores of the client's deals."""

    _inherit = "crm.agreement"

    excluded_product_ids = fields.Many2many(
        "product.product",
        "crm_agreement_excluded_product_rel",
        "agreement_id",
        "product_id",
        string="Not Offered",
        help="Products that are not recommended to clients of this agreement.",
    )
    excluded_categ_ids = fields.Many2many(
        "product.category",
        "crm_agreement_excluded_categ_rel",
        "agreement_id",
        "categ_id",
        string="Not Offered Categories",
    )

    def _get_excluded_products(self):
        """Return the ids of the products that must not be recommended, as a set."""
        products = self.excluded_product_ids
        if self.excluded_categ_ids:
            products |= products.search([("categ_id", "child_of", self.excluded_categ_ids.ids)])
        return set(products.ids)

    def _after_transition(self, target):
        result = super()._after_transition(target)
        # sudo: the deals of the client are scored, whoever decides on the agreement
        clients = self.sudo().commercial_partner_id
        self.env["crm.lead"]._note_client_change("crm.agreement", clients)
        return result
