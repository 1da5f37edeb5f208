from odoo import fields, models
from odoo.exceptions import UserError


class CrmInteractionPostpone(models.TransientModel):
    """Asks until when interactions are postponed; postponing itself is theirs."""

    _name = "crm.interaction.postpone"
    _description = "Postpone Interactions"

    interaction_ids = fields.Many2many("crm.interaction", required=True)
    preset = fields.Selection(
        [
            ("hour", "1 hour"),
            ("tomorrow", "Tomorrow, 9:00"),
            ("week", "Monday, 9:00"),
            ("date", "Another time"),
        ],
        string="Until",
        required=True,
        default="tomorrow",
    )
    date = fields.Datetime()

    def action_confirm(self):
        self.ensure_one()
        if self.preset != "date":
            self.interaction_ids.action_postpone(self.preset)
        elif not self.date:
            raise UserError(self.env._("Enter the date until which to postpone."))
        else:
            self.interaction_ids.action_postpone_until(self.date)
        return {"type": "ir.actions.act_window_close"}
