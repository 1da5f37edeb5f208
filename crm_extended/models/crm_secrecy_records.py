from odoo import api, models


class IrRule(models.Model):
    """Records that are a commercial secret for the user are closed like by a global record rule."""

    _inherit = "ir.rule"

    def _compute_domain(self, model_name, mode="read"):
        domain = super()._compute_domain(model_name, mode)
        secret = self.env["crm.secrecy.rule"]._get_record_domain(model_name)
        return domain if secret.is_true() else domain & secret


class CrmAgreement(models.Model):
    """An agreement is named on orders and invoices also where it is secret: by its number only."""

    _inherit = "crm.agreement"

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):
        super()._compute_display_name()
        for agreement in self.env["crm.secrecy.rule"]._filter_hidden(self):
            agreement.display_name = agreement.sudo().name


class ProductPricelist(models.Model):
    _inherit = "product.pricelist"

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):
        hidden = self.env["crm.secrecy.rule"]._filter_hidden(self)
        super(ProductPricelist, self - hidden)._compute_display_name()
        for pricelist in hidden:
            pricelist.display_name = self.env._("Confidential price list")
