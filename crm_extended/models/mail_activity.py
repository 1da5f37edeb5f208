from odoo import models


class MailActivity(models.Model):
    """An activity that plans an interaction: whoever closes the one closes the other."""

    _inherit = "mail.activity"

    def _get_pending_interactions(self):
        # sudo: the activity decides, whoever is responsible for the interaction
        return (
            self.env["crm.interaction"]
            .sudo()
            .search([("activity_id", "in", self.ids), ("state", "in", ("planned", "postponed"))])
        )

    def _action_done(self, feedback=False, attachment_ids=None):
        interactions_sudo = self._get_pending_interactions()
        res = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        for interaction_sudo in interactions_sudo:
            values = {"state": "done", "user_id": self.env.uid}
            if feedback:
                values["result_note"] = feedback
            interaction_sudo.write(values)
        return res

    def unlink(self):
        interactions_sudo = self._get_pending_interactions()
        res = super().unlink()
        if interactions_sudo:
            interactions_sudo.write({"state": "cancelled"})
        return res
