from odoo import api, fields, models
from odoo.exceptions import UserError


class CrmLeadStepBack(models.TransientModel):
    """Asks to which earlier step deals go back, and why."""

    _name = "crm.lead.step.back"
    _description = "Step Back"

    lead_ids = fields.Many2many("crm.lead", string="Deals", context={"active_test": False})
    available_stage_ids = fields.Many2many("crm.stage", compute="_compute_available_stage_ids")
    stage_id = fields.Many2one(
        "crm.stage",
        string="Back To",
        domain="[('id', 'in', available_stage_ids)]",
        required=True,
    )
    reason = fields.Text(required=True)

    @api.depends("lead_ids")
    def _compute_available_stage_ids(self):
        for wizard in self:
            stages = None
            for lead in wizard.lead_ids:
                earlier = lead._get_earlier_stages()
                stages = earlier if stages is None else stages & earlier
            wizard.available_stage_ids = stages or False

    @api.onchange("lead_ids")
    def _onchange_lead_ids(self):
        if not self.stage_id and self.available_stage_ids:
            self.stage_id = self.available_stage_ids[-1:]

    def action_apply(self):
        """Move the deals back."""
        self.ensure_one()
        if not self.lead_ids:
            raise UserError(self.env._("Choose the deals that go back."))
        self.lead_ids.action_step_back(self.stage_id.id, self.reason)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
