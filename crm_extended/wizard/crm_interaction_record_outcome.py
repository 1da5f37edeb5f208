from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class CrmInteractionRecordOutcome(models.TransientModel):
    """Asks for what an outcome needs to know, then records the outcome.

    Depending on the outcome: what was said, when to call back (by the clock of the client and
    by one's own), another number instead of a wrong one. Recording goes through the record on
    which the button was pressed, with its own checks.
    """

    _name = "crm.interaction.record.outcome"
    _description = "Record an Outcome"

    res_model = fields.Char(required=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field="res_model", required=True)
    outcome_id = fields.Many2one("crm.interaction.outcome", required=True, readonly=True)
    question = fields.Selection(related="outcome_id.question")
    note_required = fields.Boolean(related="outcome_id.note_required")
    attempt_key = fields.Integer()
    has_key = fields.Boolean(string="Attempt Key Given")
    note = fields.Text(string="What Was Said")

    # when to call back
    date_callback = fields.Datetime(
        string="Call Back", compute="_compute_date_callback", store=True, readonly=False
    )
    client_clock = fields.Json(compute="_compute_client")
    is_outside_hours = fields.Boolean(compute="_compute_is_outside_hours")
    agreed = fields.Boolean(
        string="The client wants to be called at this time",
        help="Otherwise clients are called in their calling hours only.",
    )

    # wrong number
    wrong_phone = fields.Char(compute="_compute_client")
    phone = fields.Char(string="Another Number")

    def _get_record(self):
        """The document or call on which the button was pressed, with the user's own rights."""
        self.ensure_one()
        documents = self.env["crm.interaction.chain"]._get_document_models()
        if self.res_model not in documents | {"crm.interaction"}:
            raise ValidationError(
                self.env._("Interactions cannot be logged on this kind of document.")
            )
        record = self.env[self.res_model].browse(self.res_id)
        record.check_access("write")
        return record

    @api.depends("res_model", "res_id")
    def _compute_client(self):
        for wizard in self:
            if not wizard.res_id:
                wizard.client_clock = wizard.wrong_phone = False
                continue
            record = wizard._get_record()
            wizard.client_clock = record.client_clock
            wizard.wrong_phone = (
                record.client_phone
                if wizard.res_model == "crm.interaction"
                else record._get_interaction_phone()
            )

    def _get_window(self):
        """When the client may be called: (CallingWindow, time zone)."""
        record = self._get_record()
        now = fields.Datetime.now()
        if self.res_model == "crm.interaction":
            return record.chain_id._get_client_window(now)
        return record._get_client_window(now)

    @api.depends("res_model", "res_id", "question")
    def _compute_date_callback(self):
        """Propose an hour from now, or when the client may be called next."""
        for wizard in self:
            if wizard.question != "callback" or wizard.date_callback or not wizard.res_id:
                continue
            window, zone = wizard._get_window()
            moment = fields.Datetime.now() + timedelta(hours=1)
            moment += timedelta(minutes=-moment.minute % 15, seconds=-moment.second)
            try:
                wizard.date_callback = window.move_into(moment, zone)
            except ValueError:
                wizard.date_callback = moment

    @api.depends("date_callback", "question")
    def _compute_is_outside_hours(self):
        for wizard in self:
            wizard.is_outside_hours = False
            if wizard.question == "callback" and wizard.date_callback and wizard.res_id:
                window, zone = wizard._get_window()
                wizard.is_outside_hours = not window.contains(wizard.date_callback, zone)

    def action_confirm(self):
        record = self._get_record()
        if self.note_required and not (self.note or "").strip():
            raise ValidationError(self.env._("Write what was said."))
        if self.question == "callback" and not self.date_callback:
            raise UserError(self.env._("Say when to call back."))
        result = record.action_record_outcome(
            self.outcome_id.id,
            key=self.attempt_key if self.has_key else None,
            note=self.note,
            callback=self.date_callback if self.question == "callback" else None,
            agreed=self.agreed,
            phone=(self.phone or "") if self.question == "number" else None,
        )
        if isinstance(result, dict):
            return result
        return {"type": "ir.actions.act_window_close"}
