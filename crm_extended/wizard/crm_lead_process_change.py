from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.crm_sale_process import BOUND_CONTROLS


class CrmLeadProcessChange(models.TransientModel):
    """Asks into which process deals go, and where they stand in it.

    What the deals lack of the steps before is shown beforehand. A sales administrator may put
    them there nevertheless; the reason is kept with the deals.
    """

    _name = "crm.lead.process.change"
    _description = "Change of the Sale Process"

    lead_ids = fields.Many2many("crm.lead", string="Deals", context={"active_test": False})
    process_id = fields.Many2one("crm.sale.process", string="Sale Process")
    process_control = fields.Selection(related="process_id.control", string="Control")
    description = fields.Text(related="process_id.description")
    company_ids = fields.Many2many("res.company", compute="_compute_company_ids")
    step_id = fields.Many2one(
        "crm.sale.process.step",
        string="Stands At",
        domain="[('process_id', '=', process_id)]",
        compute="_compute_step_id",
        store=True,
        readonly=False,
    )
    missing = fields.Text(string="Missing", compute="_compute_missing")
    can_manage = fields.Boolean(compute="_compute_can_manage")
    reason = fields.Text(required=True)

    @api.depends("lead_ids")
    def _compute_company_ids(self):
        for wizard in self:
            wizard.company_ids = wizard.lead_ids.company_id

    @api.depends("process_id")
    def _compute_step_id(self):
        """The step at the present stage of the deals, where there is one; else the first."""
        for wizard in self:
            steps = wizard.process_id.step_ids.sorted()
            stages = wizard.lead_ids.stage_id
            same = steps.filtered(lambda step, stages=stages: step.stage_id == stages)
            wizard.step_id = same or steps[:1]

    @api.depends("process_id", "step_id", "lead_ids")
    def _compute_missing(self):
        for wizard in self:
            if wizard.process_id.control != "strict" or not wizard.step_id:
                wizard.missing = False
                continue
            needed = wizard.process_id.step_ids.sorted().filtered(
                lambda step, here=wizard.step_id: (
                    (step.sequence, step._origin.id) < (here.sequence, here._origin.id)
                )
                or (step == here and step.is_won)
            )
            missing = needed._get_missing(wizard.lead_ids._origin)
            lines = [
                f"{lead.display_name}: {', '.join(missing[lead.id])}"
                for lead in wizard.lead_ids._origin
                if missing[lead.id]
            ]
            wizard.missing = "\n".join(lines)

    @api.depends_context("uid")
    def _compute_can_manage(self):
        self.can_manage = self.env["crm.lead"]._can_manage_processes()

    def action_apply(self):
        """Put the deals into the process."""
        self.ensure_one()
        if not self.lead_ids:
            raise UserError(self.env._("Choose the deals."))
        bound = self.process_id.control in BOUND_CONTROLS
        if bound and not self.step_id:
            raise UserError(self.env._("Choose the step at which the deals stand."))
        stage = self.step_id.stage_id if bound else self.env["crm.stage"]
        self.lead_ids._change_process(self.process_id, stage, self.reason)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
