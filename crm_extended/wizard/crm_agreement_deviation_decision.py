from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmAgreementDeviationDecision(models.TransientModel):
    """The approver sees agreed and actual side by side, once for the whole order or invoice,
    and decides.
    """

    _name = "crm.agreement.deviation.decision"
    _description = "Decide on Deviations"

    order_id = fields.Many2one("sale.order")
    move_id = fields.Many2one("account.move", "Invoice")
    currency_id = fields.Many2one("res.currency", compute="_compute_document_values")
    partner_id = fields.Many2one("res.partner", "Client", compute="_compute_document_values")
    user_id = fields.Many2one("res.users", "Salesperson", compute="_compute_document_values")
    amount_total = fields.Monetary("Total", compute="_compute_document_values")
    deviation_ids = fields.Many2many(
        "crm.agreement.deviation", compute="_compute_document_values", string="Deviations"
    )
    request_reason = fields.Text(compute="_compute_document_values")
    reason = fields.Text("Reason of the Decision", help="Kept with the order.")

    @api.constrains("order_id", "move_id")
    def _check_document_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        for wizard in self:
            if bool(wizard.order_id) == bool(wizard.move_id):
                raise ValidationError(self.env._("Choose one order or one invoice."))
            # constraints run as superuser
            wizard._get_document().sudo(False)._check_decision_access()

    def _get_document(self):
        self.ensure_one()
        return self.order_id or self.move_id

    @api.depends("order_id", "move_id")
    def _compute_document_values(self):
        for wizard in self:
            document = wizard._get_document()
            wizard.currency_id = document.currency_id
            wizard.partner_id = document.partner_id
            wizard.user_id = document._get_deviation_seller() if document else False
            wizard.amount_total = document.amount_total
            rows = document.deviation_ids.filtered(lambda row: row.state == "requested")
            wizard.deviation_ids = rows
            wizard.request_reason = "\n".join(
                dict.fromkeys(filter(None, rows.mapped("request_reason")))
            )

    def action_approve(self):
        """Let the document pass as it is."""
        self.ensure_one()
        self._get_document()._decide_deviations(True, self.reason)
        return {"type": "ir.actions.act_window_close"}

    def action_refuse(self):
        """Keep the document to its agreement."""
        self.ensure_one()
        self._get_document()._decide_deviations(False, self.reason)
        return {"type": "ir.actions.act_window_close"}
