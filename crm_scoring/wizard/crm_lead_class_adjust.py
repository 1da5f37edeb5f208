from odoo import api, fields, models

from ..tools.scoring import adjust_class


class CrmLeadClassAdjust(models.TransientModel):
    """Asks for the reason before the class of a deal is adjusted."""

    _name = "crm.lead.class.adjust"
    _description = "Adjust the class of a deal"

    lead_id = fields.Many2one("crm.lead", "Deal", required=True, readonly=True)
    adjustment = fields.Selection(
        [("1", "Raise by one class"), ("0", "Follow the computed class"), ("-1", "Lower by one")],
        required=True,
        default="0",
    )
    reason = fields.Text(required=True)
    until = fields.Date(help="Last day on which the adjustment counts. Empty: for good.")
    class_auto = fields.Selection(
        related="lead_id.score_class_auto", related_sudo=False, string="Computed Class"
    )
    score_class = fields.Selection(
        related="lead_id.score_class", related_sudo=False, string="Present Class"
    )
    new_class = fields.Selection([(c, c) for c in "ABCD"], compute="_compute_new_class")

    @api.depends("adjustment", "lead_id")
    def _compute_new_class(self):
        for wizard in self:
            auto = wizard.lead_id.score_class_auto
            wizard.new_class = auto and adjust_class(auto, int(wizard.adjustment or 0))

    def action_apply(self):
        self.ensure_one()
        self.lead_id.adjust_class(int(self.adjustment), self.reason, self.until)
        return {"type": "ir.actions.act_window_close"}
