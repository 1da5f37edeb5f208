from odoo import api, fields, models


class CrmAgreementDeviationDecision(models.TransientModel):
    """The approver sees agreed and actual side by side, once for the whole order, and decides."""

    _name = "crm.agreement.deviation.decision"
    _description = "Decide on Deviations"

    order_id = fields.Many2one("sale.order", required=True)
    currency_id = fields.Many2one(related="order_id.currency_id", related_sudo=False)
    partner_id = fields.Many2one(related="order_id.partner_id", related_sudo=False)
    user_id = fields.Many2one(related="order_id.user_id", related_sudo=False)
    amount_total = fields.Monetary(related="order_id.amount_total", related_sudo=False)
    deviation_ids = fields.Many2many(
        "crm.agreement.deviation", compute="_compute_deviation_ids", string="Deviations"
    )
    request_reason = fields.Text(compute="_compute_deviation_ids")
    reason = fields.Text("Reason of the Decision", help="Kept with the order.")

    @api.constrains("order_id")
    def _check_order_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        # constraints run as superuser
        self.sudo(False).order_id.check_access("write")

    @api.depends("order_id")
    def _compute_deviation_ids(self):
        for wizard in self:
            rows = wizard.order_id.deviation_ids.filtered(lambda row: row.state == "requested")
            wizard.deviation_ids = rows
            wizard.request_reason = "\n".join(
                dict.fromkeys(filter(None, rows.mapped("request_reason")))
            )

    def action_approve(self):
        """Let the order pass as it is."""
        self.ensure_one()
        self.order_id._decide_deviations(True, self.reason)
        return {"type": "ir.actions.act_window_close"}

    def action_refuse(self):
        """Keep the order to its agreement."""
        self.ensure_one()
        self.order_id._decide_deviations(False, self.reason)
        return {"type": "ir.actions.act_window_close"}
