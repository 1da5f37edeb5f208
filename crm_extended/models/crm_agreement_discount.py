from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmAgreementDiscount(models.Model):
    """The largest discount an agreement allows on a product, a category or everything.

    The percentage is counted from the agreed price list, which already holds that list's own
    discounts. Lines are part of the agreed terms: they change only while the agreement is a draft.
    """

    _name = "crm.agreement.discount"
    _description = "Largest Discount of an Agreement"
    _order = "agreement_id, sequence, id"
    _check_company_auto = True

    agreement_id = fields.Many2one(
        "crm.agreement", required=True, ondelete="cascade", index=True, check_company=True
    )
    company_id = fields.Many2one(related="agreement_id.company_id", store=True, index=True)
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
    max_discount = fields.Float(
        "Largest Discount (%)",
        digits="Discount",
        help="Percentage off the agreed price list that an order may go down to.",
    )

    _max_discount_check = models.Constraint(
        "CHECK(max_discount >= 0 AND max_discount <= 100)",
        "The largest discount lies between 0 and 100 %.",
    )
    _target_uniq = models.UniqueIndex(
        "(agreement_id, applied_on, COALESCE(product_id, 0), COALESCE(categ_id, 0))",
        "An agreement has one line per product, per category and for all products.",
    )

    @api.depends("applied_on", "product_id", "categ_id", "max_discount")
    def _compute_display_name(self):
        for line in self:
            line.display_name = self.env._(
                "%(target)s: %(discount)g %%",
                target=line._get_target_label(),
                discount=line.max_discount,
            )

    @api.constrains("applied_on", "product_id", "categ_id")
    def _check_target(self):
        for line in self:
            if (line.applied_on == "product") != bool(line.product_id) or (
                line.applied_on == "category"
            ) != bool(line.categ_id):
                raise ValidationError(
                    self.env._(
                        "A largest discount names one product, one category, or neither when it "
                        "is for all products."
                    )
                )

    @api.onchange("applied_on")
    def _onchange_applied_on(self):
        if self.applied_on != "product":
            self.product_id = False
        if self.applied_on != "category":
            self.categ_id = False

    @api.model_create_multi
    def create(self, vals_list):
        self.browse().check_access("create")
        self.env["crm.agreement"].browse(
            {vals["agreement_id"] for vals in vals_list if vals.get("agreement_id")}
        )._check_discounts_unlocked()
        return super().create(vals_list)

    def write(self, vals):
        self.check_access("write")
        agreements = self.agreement_id
        if vals.get("agreement_id"):
            agreements |= agreements.browse(vals["agreement_id"])
        agreements._check_discounts_unlocked()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_locked(self):
        self.agreement_id._check_discounts_unlocked()

    def _get_target(self):
        """What the line is about, as a key that can be compared between agreements."""
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

    def _prepare_copy_values(self):
        self.ensure_one()
        return {
            "sequence": self.sequence,
            "applied_on": self.applied_on,
            "product_id": self.product_id.id,
            "categ_id": self.categ_id.id,
            "max_discount": self.max_discount,
        }
