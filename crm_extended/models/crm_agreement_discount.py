from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmAgreementDiscount(models.Model):
    """A discount an agreement gives or allows on a product, a category or everything.

    *At most*: a salesperson may go down to this percentage below the agreed price list, which
    already holds that list's own discounts. *Always*: the agreed price itself is this much lower
    (or higher, a markup, when the percentage is negative), is put on the order, and nothing more
    may be taken off.
    """

    _name = "crm.agreement.discount"
    _description = "Discount of an Agreement"
    _inherit = ["crm.agreement.term.line"]
    _order = "agreement_id, sequence, id"

    sequence = fields.Integer(default=10)
    applied_on = fields.Selection(
        [("all", "All Products"), ("category", "Category"), ("product", "Product")],
        required=True,
        default="all",
    )
    product_id = fields.Many2one(
        "product.product", check_company=True, domain=[("sale_ok", "=", True)]
    )
    categ_id = fields.Many2one("product.category", "Category")
    mode = fields.Selection(
        [("max", "At most"), ("fixed", "Always")],
        "Given",
        required=True,
        default="max",
        help="At most: the salesperson may give up to this discount.\n"
        "Always: the agreed price is this much lower; a negative percentage is a markup.",
    )
    max_discount = fields.Float(
        "Discount (%)",
        digits="Discount",
        help="Percentage off the agreed price list. Negative: a markup (only when always given).",
    )

    _max_discount_check = models.Constraint(
        "CHECK(max_discount <= 100 AND (max_discount >= 0 OR mode = 'fixed'))",
        "A discount lies between 0 and 100 %; only one that is always given may be negative, "
        "which makes it a markup.",
    )
    _target_uniq = models.UniqueIndex(
        "(agreement_id, applied_on, COALESCE(product_id, 0), COALESCE(categ_id, 0))",
        "An agreement has one line per product, per category and for all products.",
    )

    @api.depends("applied_on", "product_id", "categ_id", "mode", "max_discount")
    def _compute_display_name(self):
        for line in self:
            line.display_name = f"{line._get_target_label()}: {line._get_value_label()}"

    @api.constrains("applied_on", "product_id", "categ_id")
    def _check_target(self):
        for line in self:
            if (line.applied_on == "product") != bool(line.product_id) or (
                line.applied_on == "category"
            ) != bool(line.categ_id):
                raise ValidationError(
                    self.env._(
                        "A discount names one product, one category, or neither when it is for "
                        "all products."
                    )
                )

    @api.onchange("applied_on")
    def _onchange_applied_on(self):
        if self.applied_on != "product":
            self.product_id = False
        if self.applied_on != "category":
            self.categ_id = False

    @api.model
    def _get_copied_fields(self):
        return ["sequence", "applied_on", "product_id", "categ_id", "mode", "max_discount"]

    def _get_target(self):
        self.ensure_one()
        target = {"product": self.product_id, "category": self.categ_id}.get(self.applied_on)
        return self.applied_on, target._origin.id or False if target else False

    def _get_target_label(self):
        self.ensure_one()
        if self.applied_on == "product":
            return self.product_id.sudo().display_name or ""
        if self.applied_on == "category":
            return self.categ_id.sudo().display_name or ""
        return self.env._("all products")

    def _get_value_label(self):
        self.ensure_one()
        if self.mode == "max":
            return self.env._("at most %(discount)g %%", discount=self.max_discount)
        if self.max_discount < 0:
            return self.env._("%(markup)g %% markup", markup=-self.max_discount)
        return self.env._("always %(discount)g %%", discount=self.max_discount)
