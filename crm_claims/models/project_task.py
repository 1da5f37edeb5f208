from odoo import api, fields, models


class ProjectTask(models.Model):
    """Tasks of an investigation: any employee works on his own without reading the claim."""

    _inherit = "project.task"

    claim_investigation_id = fields.Many2one(
        "crm.claim.investigation", "Investigation", index="btree_not_null", copy=False
    )
    claim_step_id = fields.Many2one(
        "crm.claim.investigation.step", "Investigation Step", index="btree_not_null", copy=False
    )
    claim_date_start = fields.Date("Planned Start", copy=False)
    claim_result = fields.Html(
        "Result", copy=False, help="What was found; read in the investigation."
    )

    @api.model_create_multi
    def create(self, vals_list):
        tasks = super().create(vals_list)
        tasks._check_investigation_access()
        return tasks

    def _check_investigation_access(self):
        """Who does not read an investigation neither adds tasks to it nor takes them away."""
        if not self.env.su and self.sudo().claim_investigation_id:
            investigations_sudo = self.sudo().claim_investigation_id
            investigations_sudo.sudo(False).check_access("read")

    def write(self, vals):
        if "claim_investigation_id" not in vals:
            return self._write_claim_task(vals)
        self._check_investigation_access()
        result = self._write_claim_task(vals)
        self._check_investigation_access()
        return result

    def _write_claim_task(self, vals):
        open_before = self.filtered(lambda task: not task.is_closed) if "state" in vals else self
        result = super().write(vals)
        if "state" in vals:
            # sudo: the assignee need not read the investigation
            closed_sudo = open_before.sudo().filtered("is_closed")
            closed_sudo.claim_investigation_id._after_task_closed()
        return result
