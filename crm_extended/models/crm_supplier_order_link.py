from odoo import fields, models


class CrmSupplierOrderLink(models.Model):
    """Which line of a deal's order was ordered on which line of a supplier order.

    Purchase is optional, so the supplier's line is kept by its number. A line that was deleted,
    or whose order was cancelled, no longer counts; what counts of the others is the quantity
    that stands there now. Written by the dialog that makes the supplier orders only.
    """

    _name = "crm.supplier.order.link"
    _description = "Supplier Order of a Deal"
    _log_access = False

    lead_id = fields.Many2one(
        "crm.lead", string="Deal", required=True, readonly=True, index=True, ondelete="cascade"
    )
    order_line_id = fields.Many2one(
        "sale.order.line",
        string="Order Line",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    purchase_line_id = fields.Integer(string="Supplier Order Line", required=True, readonly=True)
    company_id = fields.Many2one(
        related="order_line_id.company_id", store=True, string="Company", precompute=True
    )

    _purchase_line_uniq = models.Constraint(
        "UNIQUE(purchase_line_id, order_line_id)",
        "This line of the supplier order is linked already.",
    )

    def _get_purchase_lines(self):
        """To be called only where purchase is installed.

        :return: the supplier's lines that are still there, cancelled ones included
        :rtype: purchase.order.line
        """
        return self.env["purchase.order.line"].browse(self.mapped("purchase_line_id")).exists()
