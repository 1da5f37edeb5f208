from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

# a rating of at most so much, of five, is a bad one
BAD_RATING = 2
NEWS = 30
# a claim may have been closed badly when these change
TRIGGERS = [
    ("crm.claim", ["state", "decision", "customer_answer"], [("state", "=", "closed")]),
    (
        "rating.rating",
        ["consumed", "rating"],
        [("res_model", "=", "crm.claim"), ("consumed", "=", True), ("rating", "<=", BAD_RATING)],
    ),
]


class CrmStrategy(models.Model):
    """A claim that was closed badly: rejected, its decision not accepted, or rated badly.

    Confidential claims are left to the few who may see them: what a strategy does, others see.
    """

    _inherit = "crm.strategy"

    @api.model
    def _get_events(self):
        return super()._get_events() | {
            "claim_closed_badly": {
                "label": self.env._("A claim is closed badly"),
                "model": "crm.claim",
                "help": self.env._(
                    "Closed in the last month: rejected, the decision not accepted by the client, "
                    "or rated two of five or worse."
                ),
                "triggers": TRIGGERS,
            }
        }

    def _find_claim_closed_badly(self, now):
        claims = self.env["crm.claim"].search(
            [
                ("state", "=", "closed"),
                ("confidential", "=", False),
                ("date_closed", ">=", now - timedelta(days=NEWS)),
                "|",
                "|",
                ("decision", "=", "rejected"),
                ("customer_answer", "=", "rejected"),
                ("rating_ids", "any", [("consumed", "=", True), ("rating", "<=", BAD_RATING)]),
            ],
            order="date_closed, id",
        )
        return {claim.id: str(claim.date_closed) for claim in claims}


class CrmStrategyAction(models.Model):
    """A task in a project."""

    _inherit = "crm.strategy.action"

    kind = fields.Selection(
        selection_add=[("task", "Create a task"), ("tag",)], ondelete={"task": "cascade"}
    )
    project_id = fields.Many2one("project.project")

    @api.constrains("project_id")
    def _check_project(self):
        self._check_complete()

    def _get_detail(self):
        return self.project_id.name if self.kind == "task" else super()._get_detail()

    def _get_missing_field(self):
        if self.kind == "task" and not self.project_id:
            return "project_id"
        return super()._get_missing_field()

    def _perform_task(self, record, now):
        """A task for who gets the work, with a link to the record."""
        user = self._get_user(record)
        company = self._get_company(record)
        if self.project_id.company_id not in (company, company.browse()):
            raise UserError(
                self.env._(
                    "The project “%(project)s” belongs to another company.",
                    project=self.project_id.name,
                )
            )
        self.env["project.task"].create(
            {
                "name": self._get_subject(user),
                "description": record._get_html_link(title=record.display_name),
                "project_id": self.project_id.id,
                "partner_id": self._get_client(record).id,
                "user_ids": [Command.set(user.ids)],
                "date_deadline": self._get_moment(user, now),
            }
        )
