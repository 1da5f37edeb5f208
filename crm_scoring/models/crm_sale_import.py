from odoo import models


class CrmSaleImport(models.Model):
    """After an import the client profiles of its company are refreshed."""

    _inherit = "crm.sale.import"

    def _after_import(self):
        super()._after_import()
        # sudo: profiles are written by the refresh alone
        self.env["crm.customer.profile"].sudo()._refresh(self.company_id)
