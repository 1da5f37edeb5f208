from odoo import models


class CrmStage(models.Model):
    """A stage that starts or ceases to mean *won* changes what its deals have become."""

    _inherit = "crm.stage"

    def write(self, vals):
        res = super().write(vals)
        if "is_won" in vals:
            # sudo: a stage is shared by the processes of all companies
            steps_sudo = self.env["crm.sale.process.step"].sudo()
            steps_sudo.search([("stage_id", "in", self.ids)]).process_id._check_steps()
            # sudo: deals of all companies and salespeople share the stage
            deals_sudo = (
                self.env["crm.lead"]
                .sudo()
                .with_context(active_test=False)
                .search([("stage_id", "in", self.ids)])
            )
            deals_sudo._record_stage_history()
        return res

    def unlink(self):
        """Keep the names of the stages in the log of the deals that were there."""
        names = {stage.id: stage.name for stage in self}
        # sudo: the log is written by the system alone
        stays_sudo = (
            self.env["crm.lead.stage.history"].sudo().search([("stage_id", "in", self.ids)])
        )
        for stage_id, stays in stays_sudo.grouped(lambda stay: stay.stage_id.id).items():
            stays.write({"stage_name": names[stage_id]})
        self.env.flush_all()
        res = super().unlink()
        stays_sudo.invalidate_recordset(["stage_id", "display_name"])
        return res
