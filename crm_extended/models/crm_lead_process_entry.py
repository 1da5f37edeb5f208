from markupsafe import Markup
from odoo import models
from odoo.exceptions import UserError

from ..tools.process_path import get_previous


class CrmLead(models.Model):
    """What follows when a deal has moved in its process: notes, and the plan of the new step."""

    _inherit = "crm.lead"

    def _log_step_back(self, old_stages, reason):
        """Keep why deals went back: in the chatter and in their stage history."""
        if not self:
            return
        self._message_log_batch(
            bodies={
                lead.id: Markup("<p>%s</p>")
                % self.env._(
                    "Step back from “%(old)s” to “%(new)s”: %(reason)s",
                    old=old_stages[lead].name,
                    new=lead.stage_id.name,
                    reason=reason,
                )
                for lead in self
            }
        )
        self._set_stage_history_reason(reason)

    def _log_process_change(self, before, reason):
        """Keep why deals were put into another process, or to another place in theirs.

        :param dict before: crm.lead → (process, stage) in which it was
        """
        bodies = {}
        for lead in self:
            process, stage = before[lead]
            bodies[lead.id] = Markup("<p>%s</p>") % self.env._(
                "Sale process changed from %(old)s to %(new)s: %(reason)s",
                old=f"{process.sudo().name or '-'} ({stage.name or '-'})",
                new=f"{lead.process_id.sudo().name or '-'} ({lead.stage_id.name or '-'})",
                reason=reason or "-",
            )
        self._message_log_batch(bodies=bodies)

    def _enter_process_step(self):
        """Start what begins with the step at which deals have arrived."""
        bound = self.filtered(lambda lead: lead._is_process_bound())
        for process, leads in bound.grouped("process_id").items():
            steps_sudo = process.sudo().step_ids
            for stage, arrived in leads.grouped("stage_id").items():
                step_sudo = steps_sudo.filtered(lambda step, stage=stage: step.stage_id == stage)
                arrived._start_activity_plan(step_sudo.activity_plan_id)
                if stage.is_won:
                    arrived._note_broken_conditions(steps_sudo)
                    continue
                path = process.sudo()._get_path()
                left_id = (get_previous(path, stage.id) or [0])[-1]
                arrived._note_broken_conditions(
                    steps_sudo.filtered(lambda step, left_id=left_id: step.stage_id.id == left_id)
                )

    def _note_broken_conditions(self, steps_sudo):
        """Tell on the deals that a condition could not be checked on their way."""
        for step_sudo in steps_sudo:
            error = step_sudo._get_condition_error()
            if error:
                body = Markup("<p>%s</p>") % self.env._(
                    "The condition of step “%(step)s” was not checked: it is out of order. "
                    "A sales administrator can correct it in the sale process.",
                    step=step_sudo.stage_id.name,
                )
                self._message_log_batch(bodies={lead.id: body for lead in self})

    def _start_activity_plan(self, plan_sudo):
        """Plan the activities of a plan, save those that are still open from an earlier time."""
        if not plan_sudo.active:
            return
        # sudo: whether it is planned already, whoever it is planned for
        planned = {
            (activity.res_id, activity.activity_type_id, activity.summary or "")
            for activity in self.env["mail.activity"]
            .sudo()
            .search([("res_model", "=", self._name), ("res_id", "in", self.ids)])
        }
        for template in plan_sudo.template_ids:
            deals = self.filtered(
                lambda lead, template=template: (
                    lead.id,
                    template.activity_type_id,
                    template.summary or "",
                )
                not in planned
                and plan_sudo.company_id in (lead.company_id, plan_sudo.company_id.browse())
            )
            for lead in deals:
                responsible = template._determine_responsible(lead.user_id or self.env.user, lead)[
                    "responsible"
                ]
                lead._plan_step_activity(template, responsible)

    def _plan_step_activity(self, template, responsible):
        """Plan one activity; a plan that names somebody who cannot see the deal stops no deal."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self.activity_schedule(
                    activity_type_id=template.activity_type_id.id,
                    automated=False,
                    summary=template.summary,
                    note=template.note,
                    user_id=responsible.id,
                    date_deadline=template._get_date_deadline(),
                )
        except UserError as error:
            self._message_log(
                body=Markup("<p>%s</p>")
                % self.env._(
                    "“%(activity)s” of plan “%(plan)s” could not be planned: %(error)s",
                    activity=template.summary or template.activity_type_id.name,
                    plan=template.plan_id.name,
                    error=str(error),
                )
            )
