from odoo import fields, models


class CrmInteractionParticipantAssign(models.TransientModel):
    """Asks who participants are; the answer is given by them."""

    _name = "crm.interaction.participant.assign"
    _description = "Assign Participants to a Contact"

    participant_ids = fields.Many2many(
        "crm.interaction.participant", "crm_interaction_participant_assign_rel", required=True
    )
    partner_id = fields.Many2one("res.partner", string="Contact", required=True)

    def action_confirm(self):
        self.ensure_one()
        self.participant_ids.action_assign_partner(self.partner_id.id)
        return {"type": "ir.actions.act_window_close"}
