from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmAgreement(models.Model):
    """The terms beside price list, payment terms and minimum: prices, money, delivery, debt.

    - *Price rule*: as the price list; fixed prices for named products and the list for the rest; or
      a markup on the cost of the product.
    - *Prepayment*: share of the order to be paid before it is confirmed on line (Odoo's own online
      payment of quotations).
    - *Delivery within*: days from the order to the promised date.
    - *Credit limit*: what the client may owe with this order: unpaid invoices, confirmed orders not
      yet invoiced and the order itself, in the currency of the company.
    - *Overdue debt*: days by which an invoice may be late before new orders deviate.
    - *Contract required*: an order needs a contract in force with its client, and the payment terms
      of the contract then win over those of the agreement.
    """

    _inherit = "crm.agreement"

    price_rule = fields.Selection(
        [
            ("list", "As the price list"),
            ("fixed", "Fixed prices, else the price list"),
            ("markup", "Markup on cost"),
        ],
        required=True,
        default="list",
        tracking=True,
    )
    price_line_ids = fields.One2many(
        "crm.agreement.price", "agreement_id", "Fixed Prices", copy=True
    )
    markup_percent = fields.Float(
        "Markup (%)", digits="Discount", help="Added to the cost of each product."
    )
    prepayment_percent = fields.Float(
        "Prepayment",
        tracking=True,
        help="Share of the order that the client pays in advance. Zero: not part of the agreement.",
    )
    delivery_days = fields.Integer(
        "Delivery Within (Days)",
        tracking=True,
        help="From the order to the promised delivery. Zero: not part of the agreement.",
    )
    incoterm_id = fields.Many2one("account.incoterms", "Incoterm", tracking=True)
    warehouse_ref = fields.Reference(
        selection="_selection_warehouse_ref",
        string="Ships From",
        help="Warehouse from which orders under this agreement are delivered.",
    )
    has_warehouses = fields.Boolean(compute="_compute_has_warehouses")
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    credit_limit = fields.Monetary(
        currency_field="company_currency_id",
        tracking=True,
        help="Unpaid invoices, uninvoiced orders and the new order together, in company currency. "
        "Zero: no limit.",
    )
    overdue_control = fields.Boolean(
        "Watch Overdue Debt",
        tracking=True,
        help="New orders deviate while the client has invoices that are late.",
    )
    overdue_days = fields.Integer(
        "Days of Delay Tolerated", tracking=True, help="Invoices may be late by so many days."
    )
    contract_required = fields.Boolean(
        tracking=True,
        help="An order needs a signed contract in force; its payment terms win.",
    )
    contract_ids = fields.One2many("crm.agreement.contract", "agreement_id", "Contracts")
    enforcement_line_ids = fields.One2many(
        "crm.agreement.enforcement", "agreement_id", "Enforcement of Single Terms", copy=True
    )

    _prepayment_check = models.Constraint(
        "CHECK(COALESCE(prepayment_percent, 0) BETWEEN 0 AND 1)",
        "The prepayment lies between 0 and 100 %.",
    )
    _days_check = models.Constraint(
        "CHECK(COALESCE(delivery_days, 0) >= 0 AND COALESCE(overdue_days, 0) >= 0 "
        "AND COALESCE(credit_limit, 0) >= 0)",
        "Days of delivery, days of delay and the credit limit cannot be negative.",
    )
    _markup_check = models.Constraint(
        "CHECK(COALESCE(markup_percent, 0) > -100)", "A markup is more than -100 %."
    )

    # ------------------------------------------------------------------
    # Computes and checks
    # ------------------------------------------------------------------

    @api.model
    def _selection_warehouse_ref(self):
        if "stock.warehouse" not in self.env:
            return []
        return [("stock.warehouse", self.env._("Warehouse"))]

    @api.depends_context("uid")
    def _compute_has_warehouses(self):
        self.has_warehouses = bool(self._selection_warehouse_ref())

    @api.constrains("currency_id", "pricelist_id")
    def _check_currency(self):
        for agreement in self:
            listed = agreement.pricelist_id.currency_id
            if listed and listed != agreement.currency_id:
                raise ValidationError(
                    self.env._(
                        "Agreement %(name)s is in %(currency)s, but its price list is in "
                        "%(listed)s: choose the same currency.",
                        name=agreement.name,
                        currency=agreement.currency_id.name,
                        listed=listed.name,
                    )
                )

    @api.constrains("warehouse_ref", "company_id")
    def _check_warehouse_company(self):
        for agreement in self:
            warehouse = agreement.warehouse_ref
            if warehouse and warehouse.sudo().company_id != agreement.company_id:
                raise ValidationError(
                    self.env._(
                        "The warehouse of agreement %(name)s belongs to another company than the "
                        "agreement.",
                        name=agreement.name,
                    )
                )

    # ------------------------------------------------------------------
    # Terms
    # ------------------------------------------------------------------

    @api.model
    def _get_condition_fields(self):
        """Terms that are one field of the agreement, in the order in which they are shown."""
        return [
            "pricelist_id",
            "price_rule",
            "markup_percent",
            "currency_id",
            "payment_term_id",
            "prepayment_percent",
            "minimum_amount",
            "delivery_days",
            "incoterm_id",
            "warehouse_ref",
            "credit_limit",
            "overdue_control",
            "overdue_days",
            "contract_required",
            "enforcement",
        ]

    @api.model
    def _get_term_line_fields(self):
        """Terms that are lines (models that inherit `crm.agreement.term.line`)."""
        return ["price_line_ids", "discount_line_ids", "enforcement_line_ids"]

    @api.model
    def _get_term_fields(self):
        """What is agreed, and what an individual agreement takes from its standard one."""
        return [*self._get_condition_fields(), *self._get_term_line_fields()]

    def _get_enforcement(self, kind):
        """What happens to an order that deviates in one kind of term.

        :param str kind: one of DEVIATION_KINDS
        :return: `block`, `approve` or `warn`
        """
        self.ensure_one()
        own = self.enforcement_line_ids.filtered(lambda line: line.kind == kind)
        return own[:1].enforcement or self.enforcement
