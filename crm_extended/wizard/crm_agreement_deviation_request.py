from odoo import api, fields, models


class CrmAgreementDeviationRequest(models.TransientModel):
    """The salesperson sees what deviates and says why it should pass."""

    _name = "crm.agreement.deviation.request"
    _description = "Request Approval of Deviations"

    order_id = fields.Many2one("sale.order", required=True)
    terms_html = fields.Html(
        related="order_id.agreement_terms_html", related_sudo=False, string="Terms"
    )
    reason = fields.Text(required=True, help="The approver reads it before deciding.")

    @api.constrains("order_id")
    def _check_order_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        # constraints run as superuser
        self.sudo(False).order_id.check_access("write")

    def action_request(self):
        """Ask the approvers."""
        self.ensure_one()
        self.order_id._request_deviation_approval(self.reason)
        return {"type": "ir.actions.act_window_close"}

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if not values.get("order_id") and self.env.context.get("active_model") == "sale.order":
            values["order_id"] = self.env.context.get("active_id")
        return values
