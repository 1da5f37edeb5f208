from odoo import api, fields, models

from ..tools.scoring import adjust_class


class CrmCustomerClassAdjust(models.TransientModel):
    """Asks for the reason before the class of a client is adjusted."""

    _name = "crm.customer.class.adjust"
    _description = "Adjust the Class of a Client"

    profile_id = fields.Many2one("crm.customer.profile", "Client", required=True, readonly=True)
    adjustment = fields.Selection(
        [("1", "Raise by one class"), ("0", "Follow the computed class"), ("-1", "Lower by one")],
        required=True,
        default="0",
    )
    reason = fields.Text(required=True)
    class_auto = fields.Selection(
        related="profile_id.class_auto", related_sudo=False, string="Computed Class"
    )
    new_class = fields.Selection([(c, c) for c in "ABCD"], compute="_compute_new_class")

    @api.depends("adjustment", "profile_id")
    def _compute_new_class(self):
        for wizard in self:
            auto = wizard.profile_id.class_auto
            wizard.new_class = auto and adjust_class(auto, int(wizard.adjustment or 0))

    def action_apply(self):
        self.ensure_one()
        self.profile_id.adjust_class(int(self.adjustment), self.reason)
        return {"type": "ir.actions.act_window_close"}
