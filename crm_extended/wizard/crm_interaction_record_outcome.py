from odoo import fields, models
from odoo.exceptions import ValidationError


class CrmInteractionRecordOutcome(models.TransientModel):
    """Asks for the note that an outcome needs, then records the outcome.

    Recording goes through the record on which the button was pressed, with its own checks.
    """

    _name = "crm.interaction.record.outcome"
    _description = "Record an Outcome"

    res_model = fields.Char(required=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field="res_model", required=True)
    outcome_id = fields.Many2one("crm.interaction.outcome", required=True, readonly=True)
    attempt_key = fields.Integer()
    has_key = fields.Boolean(string="Attempt Key Given")
    note = fields.Text(string="What Was Said")

    def action_confirm(self):
        self.ensure_one()
        documents = self.env["crm.interaction.chain"]._get_document_models()
        if self.res_model not in documents | {"crm.interaction"}:
            raise ValidationError(
                self.env._("Interactions cannot be logged on this kind of document.")
            )
        if not (self.note or "").strip():
            raise ValidationError(self.env._("Write what was said."))
        self.env[self.res_model].browse(self.res_id).action_record_outcome(
            self.outcome_id.id,
            key=self.attempt_key if self.has_key else None,
            note=self.note,
        )
        return {"type": "ir.actions.act_window_close"}
