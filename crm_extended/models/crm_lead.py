from odoo import fields, models
from odoo.exceptions import UserError


class CrmLead(models.Model):
    """A deal is talked about: its attempts, and what becomes of it after the last one.

    When a deal is won, lost or archived, the attempts which the ladder has planned are
    cancelled. What people have planned themselves stays, as activities do.
    """

    _name = "crm.lead"
    _inherit = ["crm.lead", "crm.interaction.mixin"]

    crm_wrong_phone = fields.Char(
        string="Number Found Wrong",
        readonly=True,
        copy=False,
        help="Somebody else answered under this number.",
    )

    def write(self, vals):
        res = super().write(vals)
        if not {"active", "stage_id", "probability"}.isdisjoint(vals):
            closed = self.filtered(lambda lead: not lead._is_interaction_open())
            # sudo: see `_find_for_documents`
            chains_sudo = closed.sudo().interaction_chain_ids
            chains_sudo.sudo(self.env.su)._cancel_retries()
        return res

    def _get_interaction_phone(self):
        return self.phone or super()._get_interaction_phone()

    def _get_phone_holders_sudo(self):
        return [self.sudo(), *super()._get_phone_holders_sudo()]

    def _set_interaction_phone(self, phone):
        # Odoo copies it to the client
        self.phone = phone

    def _get_interaction_country(self):
        return self.country_id

    def _get_interaction_state(self):
        return self.state_id

    def _is_interaction_open(self):
        # what is archived is not open, so that it is not lost either
        return super()._is_interaction_open() and not self._is_won()

    def _is_won(self):
        """Whether the deal is won; its probability is not asked for outside of a won stage."""
        self.ensure_one()
        return self.stage_id.is_won and self.won_status == "won"

    def _interaction_give_up(self, outcome):
        """Archive, lose, move or hand over the deal, as the outcome says.

        All of it goes through the roads that people take, so that a sale process may refuse.
        """
        super()._interaction_give_up(outcome)
        if outcome.final_action == "archive":
            self.action_archive()
        elif outcome.final_action == "lost":
            self.action_set_lost(lost_reason_id=outcome.lost_reason_id.id)
        elif outcome.final_action == "stage":
            self._move_to_final_stage(outcome)
        elif outcome.final_action == "user":
            self.user_id = outcome.final_user_id._get_available_user(company=self.company_id)

    def _move_to_final_stage(self, outcome):
        """Move the deal to the stage of deals whose client cannot be reached."""
        stage = outcome.final_stage_id
        if stage.team_ids and self.team_id not in stage.team_ids:
            raise UserError(self.env._("“%(stage)s” is a stage of other teams.", stage=stage.name))
        if self._get_backwards(stage):
            reason = self.env._("Could not be reached: %(outcome)s", outcome=outcome.name)
            self.action_step_back(stage.id, reason)
        elif self.stage_id != stage:
            self.stage_id = stage

    def _get_interaction_lost_action(self):
        if not self._is_interaction_open():
            return None
        action = self.env["ir.actions.act_window"]._for_xml_id("crm.crm_lead_lost_action")
        action["context"] = {"dialog_size": "medium", "default_lead_ids": self.ids}
        return action

    def _get_interaction_left_action(self):
        return self.env["ir.actions.act_window"]._for_xml_id("crm.crm_lead_action_pipeline")

    def _merge_dependences(self, opportunities):
        super()._merge_dependences(opportunities)
        self._merge_interaction_chains(opportunities)
