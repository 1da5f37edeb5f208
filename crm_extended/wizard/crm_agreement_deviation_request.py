from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmAgreementDeviationRequest(models.TransientModel):
    """The salesperson sees what deviates and says why it should pass."""

    _name = "crm.agreement.deviation.request"
    _description = "Request Approval of Deviations"

    order_id = fields.Many2one("sale.order")
    move_id = fields.Many2one("account.move", "Invoice")
    terms_html = fields.Html("Terms", compute="_compute_terms_html", sanitize=False)
    reason = fields.Text(required=True, help="The approver reads it before deciding.")

    @api.depends("order_id", "move_id")
    def _compute_terms_html(self):
        for wizard in self:
            wizard.terms_html = (wizard.move_id or wizard.order_id).agreement_terms_html

    @api.constrains("order_id", "move_id")
    def _check_document_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        for wizard in self:
            if bool(wizard.order_id) == bool(wizard.move_id):
                raise ValidationError(self.env._("Choose one order or one invoice."))
            # constraints run as superuser
            (wizard.move_id or wizard.order_id).sudo(False).check_access("write")

    def action_request(self):
        """Ask the approvers."""
        self.ensure_one()
        (self.move_id or self.order_id)._request_deviation_approval(self.reason)
        return {"type": "ir.actions.act_window_close"}

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if (
            not (values.get("order_id") or values.get("move_id"))
            and self.env.context.get("active_model") == "sale.order"
        ):
            values["order_id"] = self.env.context.get("active_id")
        return values
