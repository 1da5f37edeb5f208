from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.process_path import get_next


class CrmLead(models.Model):
    """What a deal of a process shows of its present step: what is done, what is missing, what
    comes next, and the script.
    """

    _inherit = "crm.lead"

    process_checklist = fields.Json(
        compute="_compute_process_checklist", groups="sales_team.group_sale_salesman"
    )
    has_sale_processes = fields.Boolean(compute="_compute_has_sale_processes")

    @api.depends(
        "process_id",
        "stage_id",
        "active",
        "won_status",
        "partner_id",
        "order_ids.state",
        "interaction_ids.state",
    )
    @api.depends_context("lang")
    def _compute_process_checklist(self):
        self.process_checklist = False
        bound = self.filtered(lambda lead: lead._is_process_bound())
        for process, leads in bound.grouped("process_id").items():
            # sudo: the process may be one of another company
            steps = process.sudo().step_ids.sorted()
            known = leads.filtered(lambda lead: bool(lead._origin))._origin
            fulfilled = steps._get_fulfilled(known) if known else {}
            for lead in leads:
                lead.process_checklist = lead._get_process_checklist(steps, fulfilled)

    def _get_process_checklist(self, steps, fulfilled):
        """The check list of a deal, for the screen.

        :param steps: the steps of its process, in order
        :param dict fulfilled: see `crm.sale.process.step._get_fulfilled`
        :return: dict with `strict`, `number` and `total` of the steps, `step` (name), `script`
            (html), `items` (list of dicts key, kind, name, label, done), `open` (labels that
            earlier steps still lack), `next` (dict id, name) or None, `back` (whether the deal
            can go back), `closed`, `broken` (whether the condition is out of order); False for a
            deal that stands on none of the steps
        """
        self.ensure_one()

        def get_items(step):
            return [
                {
                    **requirement,
                    "done": self._origin.id in fulfilled.get((step.id, requirement["key"]), ()),
                }
                for requirement in step._get_requirements()
            ]

        path = steps.stage_id.ids
        here = steps.filtered(lambda step: step.stage_id == self.stage_id._origin)[:1]
        next_id = get_next(path, here.stage_id.id)
        next_step = steps.filtered(lambda step: step.stage_id.id == next_id)
        earlier = steps[: path.index(here.stage_id.id)] if here else steps.browse()
        return {
            "strict": steps.process_id.control == "strict",
            "process": steps.process_id.name,
            "number": len(earlier) + 1 if here else 0,
            "total": len(steps),
            "step": here.stage_id.name or "",
            "script": str(here.script or ""),
            "items": get_items(here) if here else [],
            "open": [
                item["label"]
                for step in earlier
                for item in get_items(step)
                if self._origin and not item["done"]
            ],
            "next": {"id": next_id, "name": next_step.stage_id.name} if next_id else None,
            "next_is_won": next_step.stage_id.is_won,
            "back": bool(earlier),
            "closed": self.won_status != "pending" or not self.active,
            "broken": bool(here and here.condition_error),
        }

    def _compute_has_sale_processes(self):
        self.has_sale_processes = bool(self.env["crm.sale.process"].search_count([], limit=1))

    def action_process_evidence(self, kind):
        """Open what gives the evidence that a step asks for.

        :param str kind: interaction, order or agreement
        :return: action
        """
        self.ensure_one()
        if kind == "interaction":
            return self._get_interaction_evidence_action()
        if kind == "order":
            return self._get_order_evidence_action()
        if kind == "agreement":
            return self._get_agreement_evidence_action()
        raise UserError(self.env._("There is nothing to open for “%s”.", kind))

    def _get_interaction_evidence_action(self):
        action = self.action_log_interaction()
        # sudo: the process may be one of another company
        kind = self.process_step_id.sudo().interaction_kind
        if kind and kind != "any":
            action["context"] = {**action["context"], "default_kind": kind}
        return action

    def _get_order_evidence_action(self):
        """The quotations of the deal, or a new one."""
        if self.quotation_count:
            return self.action_view_sale_quotation()
        return self.action_sale_quotations_new()

    def _get_agreement_evidence_action(self):
        """The agreements of the client, ready for a new one."""
        client = self.partner_id.commercial_partner_id
        if not client:
            raise UserError(self.env._("Choose the client of “%s” first.", self.display_name))
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_extended.crm_agreement_action")
        action["domain"] = [("commercial_partner_id", "=", client.id)]
        action["context"] = {"default_partner_id": client.id, "default_kind": "individual"}
        return action
