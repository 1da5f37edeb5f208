from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tools import SQL


class CrmSupplierOrder(models.TransientModel):
    """Orders from suppliers what a deal has sold: one draft order per supplier and currency.

    - The lines are those of one order of the deal, with what is not ordered yet, and the supplier
      whom the product's price lists name first. Sections, notes, down payments and products that
      are not purchased are left out.
    - A line without a supplier is named and not ordered; the user may choose one.
    - What was ordered already is ordered again only if the user says so.
    - Whoever does this may create purchase orders and read the deal and its order. The orders
      name the sale as their source, and the deal shows them among its documents.
    """

    _name = "crm.supplier.order"
    _description = "Create Supplier Orders"

    lead_id = fields.Many2one("crm.lead", string="Deal", required=True, readonly=True)
    order_id = fields.Many2one(
        "sale.order",
        string="Order",
        required=True,
        compute="_compute_order_id",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('opportunity_id', '=', lead_id), ('state', '!=', 'cancel')]",
    )
    line_ids = fields.One2many(
        "crm.supplier.order.line",
        "wizard_id",
        string="Lines",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    without_vendor = fields.Text(
        string="Without a Supplier", compute="_compute_without_vendor", help="Products"
    )
    is_repeated = fields.Boolean(compute="_compute_is_repeated")
    allow_repeat = fields.Boolean(
        string="Order again what is ordered already",
        help="Without this, a line can only be ordered up to the quantity that was sold.",
    )

    @api.constrains("lead_id", "order_id")
    def _check_document_access(self):
        """A dialog on documents that the user may not read would show him what is in them."""
        # constraints run as superuser
        for wizard in self.sudo(False):
            wizard.lead_id.check_access("read")
            wizard.order_id.check_access("read")
            if wizard.order_id.opportunity_id != wizard.lead_id:
                raise ValidationError(
                    self.env._(
                        "Order %(order)s does not belong to this deal: choose one that does.",
                        order=wizard.order_id.name,
                    )
                )

    @api.depends("lead_id")
    def _compute_order_id(self):
        for wizard in self:
            orders = self.env["sale.order"].search(
                [("opportunity_id", "=", wizard.lead_id.id), ("state", "!=", "cancel")]
            )
            # what was sold comes before what was offered
            wizard.order_id = (orders.filtered(lambda o: o.state == "sale") or orders)[:1]

    @api.depends("order_id")
    def _compute_line_ids(self):
        for wizard in self:
            lines = wizard.order_id.order_line.filtered(wizard._is_supplied)
            wizard.line_ids = [
                Command.clear(),
                *(Command.create({"order_line_id": line.id}) for line in lines),
            ]

    @api.depends("line_ids.vendor_id", "line_ids.quantity")
    def _compute_without_vendor(self):
        for wizard in self:
            lines = wizard.line_ids.filtered(lambda line: line.quantity > 0 and not line.vendor_id)
            wizard.without_vendor = ", ".join(lines.product_id.mapped("display_name"))

    @api.depends("line_ids.is_repeated")
    def _compute_is_repeated(self):
        for wizard in self:
            wizard.is_repeated = any(wizard.line_ids.mapped("is_repeated"))

    @api.model
    def _is_supplied(self, line):
        """Whether a line of the sale can be ordered from a supplier."""
        return (
            not line.display_type
            and not line.is_downpayment
            and line.product_id.purchase_ok
            and line.product_id.type != "combo"
            and line.product_uom_qty > 0
        )

    # ------------------------------------------------------------------
    # Ordering
    # ------------------------------------------------------------------

    def action_create_orders(self):
        """Make the draft orders.

        :return: an action that opens them
        :raise UserError: if nothing can be ordered, or something would be ordered twice
        """
        self.ensure_one()
        self._check_purchase_access()
        self._check_document_access()
        # two dialogs on one order: the second transaction fails here and is tried again
        self.env.execute_query(
            SQL("UPDATE sale_order SET id = id WHERE id = %s RETURNING id", self.order_id.id)
        )
        self.line_ids.invalidate_recordset(["quantity_ordered", "is_repeated"])
        lines = self.line_ids.filtered(lambda line: line.quantity > 0)
        self._check_lines(lines)
        orders = self.env["purchase.order"]
        links = []
        company = self.order_id.company_id
        groups = lines.filtered("vendor_id").grouped(
            lambda line: (line.vendor_id, line.with_company(company)._get_currency())
        )
        for (vendor, currency), group in groups.items():
            order = orders.with_company(company).create(
                group._prepare_purchase_order_values(vendor, currency)
            )
            order.order_line._compute_tax_id()
            links += group._prepare_links(order)
            orders |= order
        # sudo: nobody else writes links
        self.env["crm.supplier.order.link"].sudo().create(links)
        self._post_result(orders)
        return orders._get_records_action(name=self.env._("Supplier Orders"))

    def _check_purchase_access(self):
        if "purchase.order" not in self.env:
            raise UserError(self.env._("Install the Purchase application to order from suppliers."))
        self.env["purchase.order"].check_access("create")

    def _check_lines(self, lines):
        foreign = lines.order_line_id.order_id - self.order_id
        if foreign or not all(self._is_supplied(line) for line in lines.order_line_id):
            raise UserError(
                self.env._(
                    "Only products of order %(order)s can be ordered here. Open the dialog again.",
                    order=self.order_id.name,
                )
            )
        if not lines.filtered("vendor_id"):
            names = ", ".join(lines.product_id.mapped("display_name"))
            raise UserError(
                self.env._(
                    "There is nothing to order: no supplier is known for %(products)s. Choose a "
                    "supplier on the line or enter one on the product.",
                    products=names,
                )
                if names
                else self.env._("There is nothing to order: enter a quantity on a line.")
            )
        repeated = lines.filtered("is_repeated")
        if repeated and not self.allow_repeat:
            raise UserError(
                self.env._(
                    "Ordered already: %(products)s. Reduce the quantity, or confirm that you want "
                    "to order it again.",
                    products=", ".join(repeated.product_id.mapped("display_name")),
                )
            )

    def _post_result(self, orders):
        """Say on the deal what was ordered, and what was not."""
        body = self.env._(
            "Supplier orders for %(order)s: %(orders)s.",
            order=self.order_id.name,
            orders=", ".join(f"{order.name} ({order.partner_id.display_name})" for order in orders),
        )
        if self.without_vendor:
            body += " " + self.env._(
                "Not ordered, no supplier: %(products)s.", products=self.without_vendor
            )
        self.lead_id.message_post(body=body)
