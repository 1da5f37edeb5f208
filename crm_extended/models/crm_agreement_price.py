from odoo import api, fields, models


class CrmAgreementPrice(models.Model):
    """A price agreed on one product, in the agreement's currency, for its unit of measure.

    It replaces the price list for that product; other products keep the price list.
    """

    _name = "crm.agreement.price"
    _description = "Fixed Price of an Agreement"
    _inherit = ["crm.agreement.term.line"]

    product_id = fields.Many2one(
        "product.product", required=True, check_company=True, domain=[("sale_ok", "=", True)]
    )
    currency_id = fields.Many2one(related="agreement_id.currency_id")
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    price = fields.Monetary(required=True, help="For one unit of the product, without taxes.")

    _price_check = models.Constraint("CHECK(price >= 0)", "An agreed price cannot be negative.")
    _product_uniq = models.UniqueIndex(
        "(agreement_id, product_id)", "An agreement has one fixed price per product."
    )

    @api.depends("product_id", "price")
    def _compute_display_name(self):
        for line in self:
            line.display_name = f"{line._get_target_label()}: {line._get_value_label()}"

    @api.model
    def _get_copied_fields(self):
        return ["product_id", "price"]

    def _get_target(self):
        self.ensure_one()
        return "price", self.product_id._origin.id

    def _get_target_label(self):
        self.ensure_one()
        return self.env._("Price of %s", self.product_id.sudo().display_name or "")

    def _get_value_label(self):
        self.ensure_one()
        currency = self.currency_id
        return currency.format(self.price) if currency else str(self.price)
