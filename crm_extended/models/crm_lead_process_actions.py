from odoo import models
from odoo.exceptions import UserError

from ..tools.process_path import get_next
from .crm_lead_process import ProcessMove


class CrmLead(models.Model):
    """What people do with deals of a process: win, step forward, step back, change the process."""

    _inherit = "crm.lead"

    def action_set_won(self):
        """Deals of a process are won in the won stage of their process."""
        bound = self.filtered(lambda lead: lead._is_process_bound())
        res = super(CrmLead, self - bound).action_set_won() if self - bound else True
        if bound:
            bound.action_unarchive()
        for process, leads in bound.grouped("process_id").items():
            stage = process.sudo().step_ids.sorted().stage_id.filtered("is_won")[:1]
            leads = leads.filtered(lambda lead: not lead.stage_id.is_won)
            if leads:
                leads.write({"stage_id": stage.id, "probability": 100})
        return res

    def action_step_forward(self):
        """Move these deals to the next step of their process."""
        stages = {}
        for lead in self:
            path = lead.process_id.sudo()._get_path() if lead._is_process_bound() else []
            stage_id = get_next(path, lead.stage_id.id)
            if not stage_id:
                raise UserError(self.env._("“%(deal)s” has no next step.", deal=lead.display_name))
            stages[lead] = stage_id
        for stage_id, leads in self.grouped(stages.get).items():
            leads.write({"stage_id": stage_id})
        return True

    def action_step_back(self, stage_id, reason):
        """Move deals of strict processes back, and keep why.

        :param int stage_id: the crm.stage of an earlier step of their process
        :param str reason: why the deals go back, in the user's words
        :return: True
        :raise UserError: without a reason, or if this is not a way back
        """
        reason = reason.strip() if isinstance(reason, str) else ""
        if not reason:
            raise UserError(self.env._("Write the reason why the deal goes back."))
        stage = self.env["crm.stage"].browse(stage_id).exists()
        self.check_access("write")
        others = self - self._get_backwards(stage)
        if others:
            raise UserError(
                self.env._(
                    "“%(stage)s” is not an earlier step of these deals: %(deals)s.",
                    stage=stage.name or "-",
                    deals=", ".join(others.mapped("display_name")),
                )
            )
        old_stages = {lead: lead.stage_id for lead in self}
        move = ProcessMove(self)
        self.with_context(crm_process_move=move).write({"stage_id": stage.id})
        self._log_step_back(old_stages, reason)
        return True

    def action_open_step_back(self):
        """Open the dialog that asks where the deal goes back to, and why."""
        return self._get_process_dialog("crm.lead.step.back", self.env._("Step Back"))

    def action_open_process_change(self):
        """Open the dialog that asks for another process, and where the deal stands in it."""
        process = self.process_id if len(self.process_id) == 1 else self.process_id.browse()
        return self._get_process_dialog(
            "crm.lead.process.change",
            self.env._("Sale Process"),
            default_process_id=process.id,
        )

    def _get_process_dialog(self, model, name, **context):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_lead_ids": self.ids, "dialog_size": "medium", **context},
        }

    def _change_process(self, process, stage, reason):
        """Put deals into a process at a place; the way of the dialog that asks for it.

        :param process: crm.sale.process, empty to take the deals out of theirs
        :param stage: crm.stage at which the deals stand; empty where there are no stages
        :param str reason: kept with the deals; a sales administrator who gives one may put a
            deal where it lacks something
        :raise UserError: where the user may not put them
        """
        self.check_access("write")
        stage_by_lead = self._get_process_places(process, stage.id)
        if reason and self._can_manage_processes():
            self._check_process_stages(process, stage_by_lead)
        else:
            same = self.filtered(lambda lead: lead.process_id == process)
            same._check_process_transition(stage, back_allowed=True)
            self._check_process_placing(process, stage_by_lead)
        before = {lead: (lead.process_id, lead.stage_id) for lead in self}
        values = {"process_id": process.id}
        if stage:
            values["stage_id"] = stage.id
        self.with_context(crm_process_move=ProcessMove(self)).write(values)
        self._log_process_change(before, reason)
