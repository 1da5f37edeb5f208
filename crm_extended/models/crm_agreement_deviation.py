from odoo import api, fields, models
from odoo.exceptions import UserError

DEVIATION_KINDS = [
    ("agreement", "Another agreement applies"),
    ("validity", "Agreement not in force"),
    ("pricelist", "Price list"),
    ("currency", "Currency"),
    ("payment_term", "Payment terms"),
    ("price", "Price below agreed"),
    ("discount", "Discount above agreed"),
    ("minimum", "Minimum order"),
    ("prepayment", "Prepayment"),
    ("delivery", "Delivery date"),
    ("incoterm", "Incoterm"),
    ("warehouse", "Warehouse"),
    ("contract", "No contract"),
    ("overdue", "Overdue debt"),
    ("credit", "Credit limit exceeded"),
]


class CrmAgreementDeviation(models.Model):
    """One point in which an order or an invoice differs from its agreement, kept because somebody
    decided on it.

    Deviations are computed live on the order; a row exists once it matters: when approval is asked
    for (*requested*), given (*approved*) or denied (*refused*), and when an agreement that only
    warns lets the order pass (*recorded*). An approval covers exactly what was shown: when the
    order then changes in that point, the row becomes *void* and the approver is asked again.

    Nobody writes these rows directly: they have no write access for any group, and the methods of
    the order that keep them check the right of the user first.
    """

    _name = "crm.agreement.deviation"
    _description = "Deviation From an Agreement"
    _order = "id desc"
    _rec_name = "description"
    _check_company_auto = True

    order_id = fields.Many2one(
        "sale.order",
        ondelete="cascade",
        index=True,
        check_company=True,
        help="Empty for an invoice that was entered by hand.",
    )
    move_id = fields.Many2one(
        "account.move",
        "Invoice",
        ondelete="cascade",
        index="btree_not_null",
        check_company=True,
        help="Set when the invoice, not the order, deviates.",
    )
    order_line_id = fields.Many2one("sale.order.line", "Order Line", ondelete="set null")
    agreement_id = fields.Many2one(
        "crm.agreement", required=True, ondelete="restrict", index=True, check_company=True
    )
    company_id = fields.Many2one(
        "res.company", compute="_compute_document_values", store=True, index=True
    )
    partner_id = fields.Many2one(
        "res.partner", "Client", compute="_compute_document_values", store=True
    )
    user_id = fields.Many2one(
        "res.users", "Salesperson", compute="_compute_document_values", store=True, index=True
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_document_values", store=True)
    kind = fields.Selection(DEVIATION_KINDS, required=True, index=True)
    description = fields.Char("Subject", required=True)
    expected = fields.Char("Agreed")
    actual = fields.Char("On the Order")
    difference = fields.Char()
    amount = fields.Monetary(
        help="What the deviation costs, in the currency of the document, where it is known."
    )
    severity = fields.Float(
        readonly=True,
        help="How far the order went; an approval of debt also covers a smaller debt.",
    )
    fingerprint = fields.Char(
        readonly=True, help="The figures that were decided on; other figures need a new decision."
    )
    state = fields.Selection(
        [
            ("requested", "To Approve"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("void", "Void"),
            ("recorded", "Recorded"),
        ],
        "Status",
        required=True,
        default="requested",
        index=True,
    )
    requested_by_id = fields.Many2one("res.users", "Requested By", index=True)
    request_reason = fields.Text()
    approver_id = fields.Many2one("res.users", "Decided By")
    decided_on = fields.Datetime()
    reason = fields.Text("Decision", help="Why the approver decided so.")

    _document_check = models.Constraint(
        "CHECK(order_id IS NOT NULL OR move_id IS NOT NULL)",
        "A deviation belongs to an order or an invoice.",
    )

    @api.depends(
        "order_id.company_id",
        "order_id.currency_id",
        "order_id.partner_id",
        "order_id.user_id",
        "move_id.company_id",
        "move_id.currency_id",
        "move_id.partner_id",
        "move_id.invoice_user_id",
    )
    def _compute_document_values(self):
        for row in self:
            document = row.order_id or row.move_id
            row.company_id = document.company_id
            row.currency_id = document.currency_id
            row.partner_id = document.partner_id
            row.user_id = row.order_id.user_id if row.order_id else row.move_id.invoice_user_id

    @api.readonly
    def action_open_order(self):
        """Open the order of this deviation, or the invoice that was entered by hand."""
        self.ensure_one()
        return (self.order_id or self.move_id)._get_records_action()

    def action_decide(self):
        """Open the approver's decision on the order or the invoice of this deviation."""
        documents = {row.order_id or row.move_id for row in self}
        if len(documents) != 1:
            raise UserError(
                self.env._("Decide on the deviations of one order or invoice at a time.")
            )
        return documents.pop().action_decide_deviations()
