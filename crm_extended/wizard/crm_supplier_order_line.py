from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import float_compare


class CrmSupplierOrderLine(models.TransientModel):
    """A line of the sale, and from whom how much of it is ordered."""

    _name = "crm.supplier.order.line"
    _description = "Line of Create Supplier Orders"

    wizard_id = fields.Many2one("crm.supplier.order", required=True, ondelete="cascade")
    order_line_id = fields.Many2one(
        "sale.order.line", string="Order Line", required=True, readonly=True, ondelete="cascade"
    )
    product_id = fields.Many2one(
        "product.product", string="Product", compute="_compute_sale", compute_sudo=False
    )
    product_uom_id = fields.Many2one(
        "uom.uom", string="Unit", compute="_compute_sale", compute_sudo=False
    )
    quantity_sold = fields.Float(
        string="Sold", digits="Product Unit", compute="_compute_sale", compute_sudo=False
    )
    quantity_ordered = fields.Float(
        string="Ordered Already",
        digits="Product Unit",
        compute="_compute_quantity_ordered",
        compute_sudo=False,
    )
    quantity = fields.Float(
        string="To Order",
        digits="Product Unit",
        compute="_compute_quantity",
        store=True,
        readonly=False,
        precompute=True,
    )
    vendor_id = fields.Many2one(
        "res.partner",
        string="Supplier",
        compute="_compute_vendor_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    is_repeated = fields.Boolean(compute="_compute_is_repeated")

    @api.depends("order_line_id")
    def _compute_sale(self):
        for line in self:
            line.product_id = line.order_line_id.product_id
            line.product_uom_id = line.order_line_id.product_uom_id
            line.quantity_sold = line.order_line_id.product_uom_qty

    @api.depends("order_line_id")
    def _compute_quantity_ordered(self):
        ordered = self._get_quantities_ordered()
        for line in self:
            line.quantity_ordered = ordered.get(line.order_line_id.id, 0.0)

    @api.depends("order_line_id")
    def _compute_quantity(self):
        for line in self:
            line.quantity = max(line.quantity_sold - line.quantity_ordered, 0.0)

    @api.depends("order_line_id")
    def _compute_vendor_id(self):
        for line in self:
            line.vendor_id = line._get_seller().partner_id

    @api.depends("quantity", "quantity_ordered", "quantity_sold")
    def _compute_is_repeated(self):
        for line in self:
            line.is_repeated = (
                line.quantity_ordered > 0
                and float_compare(
                    line.quantity_ordered + line.quantity,
                    line.quantity_sold,
                    precision_rounding=line.product_uom_id.rounding or 0.01,
                )
                > 0
            )

    def _get_quantities_ordered(self):
        """What stands on supplier orders that are not cancelled, in the units of the sale.

        :return: quantity by id of the line of the sale
        :rtype: dict[int, float]
        """
        sale_lines = self.order_line_id
        if "purchase.order.line" not in self.env:
            return {}
        # sudo: what was ordered counts, even where the user may not read the supplier order
        links_sudo = (
            self.env["crm.supplier.order.link"]
            .sudo()
            .search([("order_line_id", "in", sale_lines.ids)])
        )
        purchase_lines_sudo = links_sudo._get_purchase_lines()
        pairs = {
            (link.order_line_id, purchase_line)
            for link in links_sudo
            for purchase_line in purchase_lines_sudo
            if purchase_line.id == link.purchase_line_id
        }
        if "sale_line_id" in purchase_lines_sudo._fields:
            # with sale_purchase, a service that is sold orders itself
            pairs |= {
                (purchase_line.sale_line_id, purchase_line)
                for purchase_line in purchase_lines_sudo.search(
                    [("sale_line_id", "in", sale_lines.ids)]
                )
            }
        quantities = {}
        for sale_line, purchase_line in pairs:
            if purchase_line.state != "cancel":
                quantity = purchase_line.product_uom_id._compute_quantity(
                    purchase_line.product_qty, sale_line.product_uom_id
                )
                quantities[sale_line.id] = quantities.get(sale_line.id, 0.0) + quantity
        return quantities

    def _get_seller(self, vendor=None):
        """The price list entry of the supplier, by default of the one that comes first."""
        self.ensure_one()
        sale_line = self.order_line_id
        product = self.product_id.with_company(sale_line.company_id)
        for quantity in (self.quantity or self.quantity_sold, None):
            # without a quantity: below the supplier's minimum he is still the supplier
            seller = product._select_seller(
                partner_id=vendor or False, quantity=quantity, uom_id=self.product_uom_id
            )
            if seller:
                return seller
        return product.env["product.supplierinfo"]

    def _get_currency(self):
        """The supplier's currency: his own, else that of his prices, else the company's."""
        self.ensure_one()
        return (
            self.vendor_id.property_purchase_currency_id
            or self._get_seller(self.vendor_id).currency_id
            or self.order_line_id.company_id.currency_id
        )

    def _prepare_purchase_order_values(self, vendor, currency):
        order = self.wizard_id.order_id
        company = order.company_id
        # sudo: fiscal positions are configuration that buyers need not read
        position = (
            self.env["account.fiscal.position"]
            .sudo()
            .with_company(company)
            ._get_fiscal_position(vendor)
        )
        return {
            "partner_id": vendor.id,
            "partner_ref": vendor.ref,
            "company_id": company.id,
            "currency_id": currency.id,
            "origin": order.name,
            "payment_term_id": vendor.with_company(company).property_supplier_payment_term_id.id,
            "fiscal_position_id": position.id,
            "order_line": [Command.create(line._prepare_purchase_line_values()) for line in self],
        }

    def _prepare_purchase_line_values(self):
        """Price, name and date follow from product, supplier and quantity."""
        self.ensure_one()
        product = self.product_id
        seller = self._get_seller(self.vendor_id)
        uom = seller.product_uom_id or product.uom_id
        values = {
            "product_id": product.id,
            "product_qty": self.product_uom_id._compute_quantity(self.quantity, uom),
            "product_uom_id": uom.id,
        }
        if "sale_line_id" in self.env["purchase.order.line"]._fields:
            values["sale_line_id"] = self.order_line_id.id
        return values

    def _prepare_links(self, order):
        """Links of these lines with those of the new order, which are in the same sequence."""
        lead = self.wizard_id.lead_id
        return [
            {
                "lead_id": lead.id,
                "order_line_id": line.order_line_id.id,
                "purchase_line_id": purchase_line.id,
            }
            for line, purchase_line in zip(self, order.order_line.sorted("id"), strict=True)
        ]
