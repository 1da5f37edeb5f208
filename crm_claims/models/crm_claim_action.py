from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command


class CrmClaim(models.Model):
    """The buttons of a claim: its moves from state to state, and its way to other records.

    A button only asks; what is allowed is checked where the stage is written
    (`crm_claim_workflow.py`).
    """

    _inherit = "crm.claim"

    # ------------------------------------------------------------
    # Moves
    # ------------------------------------------------------------

    def _move_to(self, state, **values):
        """Move each claim of ``self`` to the stage of its team that has ``state``."""
        for team, claims in self.grouped("team_id").items():
            stage = self._get_stage_of_state(state, team)
            claims.write({**values, "stage_id": stage.id})

    def action_take(self):
        """Become responsible for claims that nobody handles; the first who takes one has it."""
        self.check_access("write")
        self._lock_for_transition()
        for claim in self:
            if claim.user_id and claim.user_id != self.env.user:
                raise UserError(
                    self.env._(
                        "%(user)s handles claim %(claim)s already.",
                        user=claim.user_id.name,
                        claim=claim.display_name,
                    )
                )
        self.write({"user_id": self.env.uid})

    def action_acknowledge(self):
        """Confirm to the customer that the claim is being handled, once."""
        self._move_to("acknowledged")
        self._send_acknowledgement()

    def action_investigate(self):
        """Mark the claim as being investigated, whether by a plan or without one."""
        self._move_to("investigating")

    def action_plan_investigation(self):
        """Open the investigation of the claim; a draft from the fitting template if none runs."""
        self.ensure_one()
        investigation = self.investigation_ids.filtered(
            lambda record: record.state in ("draft", "running")
        )[:1]
        if not investigation:
            investigation = self.env["crm.claim.investigation"].create(
                self._prepare_investigation_values()
            )
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim.investigation",
            "res_id": investigation.id,
            "view_mode": "form",
            "name": investigation.name,
        }

    def _prepare_investigation_values(self):
        return {
            # the name is in the title of tasks, which assignees read
            "name": self.name if self.confidential else self.display_name,
            "company_id": self.company_id.id,
            "template_id": self._get_investigation_template().id,
            "team_id": self.team_id.id,
            "user_id": (self.user_id or self.env.user).id,
            "claim_ids": [Command.link(self.id)],
            "cause_id": self.cause_id.id,
        }

    def _get_investigation_template(self):
        """Template of the cause, or of the nearest cause above it; else 8D for critical claims
        and the first plain one for the others."""
        cause = self.cause_id
        while cause:
            if cause.template_id:
                return cause.template_id
            cause = cause.parent_id
        return self.env["crm.claim.investigation.template"].search(
            [
                ("method", "=", "8d" if self.severity == "3" else "plain"),
                ("company_id", "in", [self.company_id.id, False]),
            ],
            limit=1,
        )

    def action_decide(self):
        """Open the decision; it is announced from there."""
        self.ensure_one()
        return self._get_wizard_action("crm.claim.decision", self.env._("Decide"))

    def action_ask_customer(self):
        self.ensure_one()
        return self._get_wizard_action("crm.claim.question", self.env._("Ask the Client"))

    def action_answer_for_customer(self):
        self.ensure_one()
        return self._get_wizard_action("crm.claim.answer", self.env._("Record the Client's Answer"))

    def _get_wizard_action(self, model, name):
        return {
            "type": "ir.actions.act_window",
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "name": name,
            "context": {"default_claim_id": self.id},
        }

    def action_close(self):
        self._move_to("closed")
        self._send_rating_request()

    def action_cancel(self):
        self._move_to("cancelled")

    def action_reopen(self):
        """Take a finished claim up again; counted on the claim."""
        for claim in self:
            claim._move_to("acknowledged" if claim.state == "cancelled" else "investigating")

    # ------------------------------------------------------------
    # Other records
    # ------------------------------------------------------------

    def action_view_order(self):
        """Open the order; handlers without sales rights see a short form of it."""
        self.ensure_one()
        action = {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "view_mode": "form",
            "name": self.order_id.display_name,
        }
        if not self.env.user.has_groups(
            "sales_team.group_sale_salesman,account.group_account_invoice,"
            "account.group_account_readonly"
        ):
            view = self.env.ref("crm_claims.sale_order_view_form_handler")
            action |= {"views": [(view.id, "form")], "target": "new"}
        return action

    def action_view_tasks(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_claims.project_task_action_claims"
        )
        return action | {
            "domain": [("claim_investigation_id.claim_ids", "in", self.ids)],
            "context": {"create": False},
        }

    def action_view_ratings(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_claims.rating_rating_action_claims"
        )
        return action | {
            "domain": [("res_model", "=", self._name), ("res_id", "=", self.id)],
        }
