from odoo import api, fields, models


class CrmAgreement(models.Model):
    """From an agreement to what was sold and invoiced under it."""

    _inherit = "crm.agreement"

    invoice_count = fields.Integer(compute="_compute_invoice_count")

    @api.model
    def _get_invoice_domain(self, agreements):
        return [
            ("move_type", "in", ("out_invoice", "out_receipt", "out_refund")),
            ("line_ids.sale_line_ids.order_id.agreement_id", "in", agreements.ids),
        ]

    def _compute_invoice_count(self):
        Move = self.env["account.move"]
        readable = Move.has_access("read")
        for agreement in self:  # a form shows one agreement; lists do not ask for it
            agreement.invoice_count = (
                Move.search_count(self._get_invoice_domain(agreement)) if readable else 0
            )

    @api.readonly
    def action_view_invoices(self):
        """Open the invoices and credit notes of orders under this agreement."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        return action | {
            "name": self.env._("Invoices of %s", self.name),
            "domain": self._get_invoice_domain(self),
            "context": {"create": False, "default_move_type": "out_invoice"},
        }

    @api.readonly
    def action_view_sales(self):
        """Open what was ordered, invoiced and paid under this agreement."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_sale_deal_report_action"
        )
        return action | {
            "name": self.env._("Sales under %s", self.name),
            "domain": [("agreement_id", "=", self.id)],
            "views": [(False, "list"), (False, "pivot"), (False, "graph")],
            "context": {},
        }
