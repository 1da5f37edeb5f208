from odoo import models


class CrmLead(models.Model):
    """A deal is talked about: its attempts, and what becomes of it after the last one.

    When a deal is won, lost or archived, the attempts which the ladder has planned are
    cancelled. What people have planned themselves stays, as activities do.
    """

    _name = "crm.lead"
    _inherit = ["crm.lead", "crm.interaction.mixin"]

    def write(self, vals):
        res = super().write(vals)
        if not {"active", "stage_id", "probability"}.isdisjoint(vals):
            closed = self.filtered(lambda lead: not lead._is_interaction_open())
            if closed:
                chains = self.env["crm.interaction.chain"]._find_for_documents(closed)
                self.env["crm.interaction.chain"].browse(
                    [chain.id for chain in chains.values()]
                )._cancel_retries()
        return res

    def _get_interaction_phone(self):
        return self.phone or super()._get_interaction_phone()

    def _get_interaction_country(self):
        return self.country_id

    def _is_interaction_open(self):
        return super()._is_interaction_open() and self.won_status == "pending"

    def _interaction_give_up(self, outcome):
        """Archive the deal or mark it as lost, as the outcome says."""
        super()._interaction_give_up(outcome)
        if outcome.final_action == "archive":
            self.action_archive()
        elif outcome.final_action == "lost":
            self.action_set_lost(lost_reason_id=outcome.lost_reason_id.id)

    def _merge_dependences(self, opportunities):
        super()._merge_dependences(opportunities)
        self._merge_interaction_chains(opportunities)
