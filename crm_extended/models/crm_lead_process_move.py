from odoo import models
from odoo.exceptions import UserError

from ..exceptions import StepBackNeeded
from ..tools.process_path import BACK, FORWARD, OUTSIDE, SKIP, get_next, get_previous, judge_move
from .crm_sale_process import BOUND_CONTROLS

# deals named in a refusal; a mass update may concern thousands
MAX_REFUSALS = 20


class CrmLead(models.Model):
    """Judges the moves of deals in their processes.

    Judging changes nothing. Deals are judged together: what a step asks for is looked up once
    for all deals that leave it (``crm.sale.process.step._get_missing``).
    """

    _inherit = "crm.lead"

    # ------------------------------------------------------------
    # JUDGING
    # ------------------------------------------------------------

    def _check_process_transition(self, stage, back_allowed=False):
        """Refuse to move deals to a stage where their processes do not allow it.

        :param stage: the crm.stage to enter, or none
        :param bool back_allowed: whether a reason for going back has been given
        :raise StepBackNeeded: if all that is wrong is the reason for going back
        :raise UserError: with the names of the deals and what each of them lacks
        """
        refusals = {}
        backwards = self.browse()
        for process, leads in self.grouped("process_id").items():
            # sudo: the process may be one of another company
            process_sudo = process.sudo()
            if process_sudo.control not in BOUND_CONTROLS:
                continue
            path = process_sudo._get_path()
            strict = process_sudo.control == "strict"
            verdicts = {
                lead: judge_move(path, lead.stage_id.id, stage.id, one_by_one=strict)
                for lead in leads
            }
            by_verdict = leads.grouped(verdicts.get)
            for lead in by_verdict.get(OUTSIDE, self.browse()):
                refusals[lead] = [
                    self.env._(
                        "“%(stage)s” is not a stage of process “%(process)s”",
                        stage=stage.name or "-",
                        process=process_sudo.name,
                    )
                ]
            if not back_allowed:
                backwards |= by_verdict.get(BACK, self.browse())
            if strict:
                forward = by_verdict.get(FORWARD, self.browse())
                refusals |= forward._get_step_refusals(process_sudo, stage)
                skipping = by_verdict.get(SKIP, self.browse())
                refusals |= skipping._get_skip_refusals(process_sudo, stage)
        if backwards and not refusals:
            backwards._raise_step_back(stage)
        for lead in backwards:
            refusals[lead] = [self.env._("it would go back: use Step Back and give the reason")]
        if refusals:
            self._raise_refusals(stage, refusals)

    def _get_backwards(self, stage):
        """Those of these deals for which a stage is an earlier step of a strict process."""
        return self.filtered(
            lambda lead: lead._is_process_strict()
            and judge_move(lead.process_id.sudo()._get_path(), lead.stage_id.id, stage.id) == BACK
        )

    def _get_earlier_stages(self):
        """The stages to which this deal may go back, in the order of its process."""
        self.ensure_one()
        if not self._is_process_strict():
            return self.env["crm.stage"]
        path = self.process_id.sudo()._get_path()
        return self.env["crm.stage"].browse(get_previous(path, self.stage_id.id))

    def _get_step_refusals(self, process_sudo, stage):
        """What deals lack to leave their step for the next one.

        A won stage needs all steps, its own included.

        :return: dict crm.lead → list of texts, only of deals that lack something
        """
        refusals = {}
        for old, leads in self.grouped("stage_id").items():
            needed = process_sudo.step_ids.sorted()
            if not stage.is_won:
                needed = needed.filtered(lambda step, old=old: step.stage_id == old)
            elif not old.is_won:
                first_won = needed.filtered("is_won")[:1]
                needed = needed.filtered(lambda step: not step.is_won) + first_won
            missing = needed.with_env(self.env)._get_missing(leads)
            refusals.update({lead: missing[lead.id] for lead in leads if missing[lead.id]})
        return refusals

    def _get_skip_refusals(self, process_sudo, stage):
        """Why deals cannot leave out steps: the step that comes next, and what it takes."""
        refusals = {}
        path = process_sudo._get_path()
        for old, leads in self.grouped("stage_id").items():
            next_stage = self.env["crm.stage"].browse(get_next(path, old.id))
            text = self.env._(
                "one step at a time: the next one is “%(stage)s”", stage=next_stage.name
            )
            missing = leads._get_step_refusals(process_sudo, next_stage) if old.id in path else {}
            for lead in leads:
                refusals[lead] = [text, *missing.get(lead, [])]
        return refusals

    def _check_process_start(self):
        """A new deal of a strict process begins at its first step, any other on its stages."""
        refusals = {}
        for lead in self:
            process_sudo = lead.process_id.sudo()
            path = process_sudo._get_path()
            if lead._is_process_strict() and lead.stage_id.id != path[0]:
                refusals[lead] = [
                    self.env._(
                        "deals of process “%(process)s” begin at “%(stage)s”",
                        process=process_sudo.name,
                        stage=process_sudo.step_ids.sorted()[:1].stage_id.name,
                    )
                ]
            elif lead.stage_id.id not in path:
                refusals[lead] = [
                    self.env._(
                        "“%(stage)s” is not a stage of process “%(process)s”",
                        stage=lead.stage_id.name or "-",
                        process=process_sudo.name,
                    )
                ]
        if refusals:
            self._raise_refusals(next(iter(refusals)).stage_id, refusals)

    def _get_won_ids(self):
        return {lead.id for lead in self if lead.stage_id.is_won}

    def _check_process_probability(self, vals):
        """See `_check_process_certainty`, for values that are about to be written."""
        if (vals.get("probability") or 0) < 100:
            return
        if "stage_id" in vals:
            is_won = self.env["crm.stage"].browse(vals["stage_id"] or ()).is_won
            won_ids = set(self.ids) if is_won else set()
        else:
            won_ids = self._get_won_ids()
        self._refuse_certainty(self.filtered(lambda lead: lead.id not in won_ids))

    def _check_process_certainty(self, won_ids):
        """A deal of a strict process is not certain before it is won."""
        self._refuse_certainty(
            self.filtered(lambda lead: lead.probability >= 100 and lead.id not in won_ids)
        )

    def _refuse_certainty(self, leads):
        strict = leads.filtered(lambda lead: lead._is_process_strict())
        if strict:
            raise UserError(
                self.env._(
                    "A deal of a strict process becomes certain (100 %%) when it is won, step by "
                    "step. Give another probability to: %(deals)s.",
                    deals=", ".join(strict[:MAX_REFUSALS].mapped("display_name")),
                )
            )

    # ------------------------------------------------------------
    # PLACING IN A PROCESS
    # ------------------------------------------------------------

    def _get_process_places(self, process, stage_id):
        """Where each deal stands when it is put into a process.

        :param int stage_id: where the user says it stands; falsy when he does not say
        :return: dict crm.lead → crm.stage; none where it has to be asked
        """
        stage = self.env["crm.stage"].browse(stage_id or ())
        process_sudo = process.sudo()
        if stage or process_sudo.control not in BOUND_CONTROLS:
            return {lead: stage or lead.stage_id for lead in self}
        stages = process_sudo.step_ids.sorted().stage_id.with_env(self.env)
        places = {}
        for lead in self:
            if lead.stage_id in stages:
                places[lead] = lead.stage_id
            elif lead._is_process_bound() and lead._is_at_start():
                places[lead] = stages[:1]
            else:
                places[lead] = stage
        return places

    def _is_at_start(self):
        self.ensure_one()
        return self.process_id.sudo()._get_path()[:1] == self.stage_id.ids

    def _check_process_stages(self, process, stage_by_lead):
        """Refuse to put deals into a process at a stage that it does not have."""
        process_sudo = process.sudo()
        if process_sudo.control not in BOUND_CONTROLS:
            return
        path = process_sudo._get_path()
        refusals = {
            lead: [
                self.env._(
                    "say where it stands in process “%(process)s”: use Change Process",
                    process=process_sudo.name,
                )
            ]
            for lead, stage in stage_by_lead.items()
            if stage.id not in path
        }
        if refusals:
            self._raise_refusals(self.env["crm.stage"], refusals)

    def _check_process_merge(self):
        """Refuse to merge deals out of a strict process where this user may not take them out."""
        remaining = self._sort_by_confidence_level(reverse=True)[:1]
        if not remaining or remaining._is_process_strict() or self._can_manage_processes():
            return
        held = (self - remaining).filtered(lambda lead: lead._is_process_strict())
        if held:
            raise UserError(
                self.env._(
                    "Merging takes %(deals)s out of a strict process, because “%(remaining)s”, "
                    "which remains, is not in one. Put it into that process first (Change "
                    "Process), or ask a sales administrator.",
                    deals=", ".join(held[:MAX_REFUSALS].mapped("display_name")),
                    remaining=remaining.display_name,
                )
            )

    def _check_process_placing(self, process, stage_by_lead):
        """Refuse to put deals into a process where this user may not put them."""
        self._check_process_stages(process, stage_by_lead)
        process_sudo = process.sudo()
        if process_sudo.control != "strict":
            held = self.filtered(lambda lead: lead._is_process_strict())
            if held and not self._can_manage_processes():
                raise UserError(
                    self.env._(
                        "Only a sales administrator takes a deal out of a strict process: "
                        "%(deals)s.",
                        deals=", ".join(held[:MAX_REFUSALS].mapped("display_name")),
                    )
                )
            return
        path = process_sudo._get_path()
        refusals = {}
        for stage, leads in self.grouped(stage_by_lead.get).items():
            passed = get_previous(path, stage.id) + (stage.ids if stage.is_won else [])
            steps = process_sudo.step_ids.sorted().filtered(
                lambda step, passed=passed: step.stage_id.id in passed
            )
            missing = steps.with_env(self.env)._get_missing(leads)
            refusals.update({lead: missing[lead.id] for lead in leads if missing[lead.id]})
        if refusals:
            self._raise_refusals(next(iter(stage_by_lead.values())), refusals)

    # ------------------------------------------------------------
    # REFUSING
    # ------------------------------------------------------------

    def _raise_refusals(self, stage, refusals):
        """Tell what holds deals up.

        :param dict refusals: crm.lead → list of texts
        """
        if stage:
            head = self.env._("Not yet ready for “%(stage)s”:", stage=stage.name)
        else:
            head = self.env._("Not possible in this sale process:")
        lines = [head]
        for lead, texts in list(refusals.items())[:MAX_REFUSALS]:
            lines.append("")
            lines.append(self.env._("“%(deal)s”", deal=lead.display_name))
            lines += [f"• {text}" for text in texts]
        if len(refusals) > MAX_REFUSALS:
            lines += ["", self.env._("and %s more deals.", len(refusals) - MAX_REFUSALS)]
        raise UserError("\n".join(lines))

    def _raise_step_back(self, stage):
        names = ", ".join(self[:MAX_REFUSALS].mapped("display_name"))
        raise StepBackNeeded(
            self.env._(
                "This would move %(deals)s back to “%(stage)s”. Use Step Back and give the "
                "reason; it is kept with the deal.",
                deals=names,
                stage=stage.name,
            ),
            self.action_open_step_back(),
            self.env._("Step Back"),
            {"default_lead_ids": self.ids, "default_stage_id": stage.id},
        )
