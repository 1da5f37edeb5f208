from odoo import api, models

from .crm_interaction import PENDING_STATES


class CrmInteraction(models.Model):
    """The buttons of an interaction: its states, its document, the outcomes of a call."""

    _inherit = "crm.interaction"

    @api.depends("state", "outcome_id", "kind", "company_id", "chain_id.outcome_number")
    @api.depends_context("lang")
    def _compute_outcome_buttons(self):
        self.outcome_buttons = False
        pending = self.filtered(
            lambda interaction: interaction.kind == "call"
            and interaction.state in PENDING_STATES
            and not interaction.outcome_id
        )
        Outcome = self.env["crm.interaction.outcome"]
        for company, interactions in pending.grouped("company_id").items():
            outcomes = Outcome._get_buttons(company)
            for interaction in interactions:
                # sudo: just a number, which a click brings back
                key = interaction.chain_id.sudo().outcome_number
                interaction.outcome_buttons = {"key": key, "outcomes": outcomes}

    @api.model
    def _get_log_action(self, context):
        """Window action of the dialog in which an interaction is entered."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Log Interaction"),
            "res_model": "crm.interaction",
            "views": [(self.env.ref("crm_extended.crm_interaction_view_form_log").id, "form")],
            "target": "new",
            "context": context,
        }

    def action_done(self):
        self.write({"state": "done"})

    def action_cancel(self):
        self.write({"state": "cancelled"})

    def action_plan(self):
        self.write({"state": "planned"})

    def action_open_document(self):
        self.ensure_one()
        return self.chain_id.action_open_document()

    def action_open_chain(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.interaction.chain",
            "res_id": self.chain_id.id,
            "views": [(False, "form")],
        }
