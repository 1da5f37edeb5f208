from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmInteractionOutcome(models.Model):
    """How an attempt to reach the client ended: one button each on a deal and on a call.

    An outcome says whether the client was reached. If not, its ladder says after what time the
    next attempt follows: the first rung after the first attempt since the last reached contact,
    the second after the second, and so on. After the last rung, `final_action` says what
    becomes of the deal. An outcome that reaches the client needs no ladder.
    """

    _name = "crm.interaction.outcome"
    _description = "Interaction Outcome"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", string="Company", index=True, help="Left empty: for all companies."
    )
    reached = fields.Boolean(
        string="Client Reached",
        help="The client was spoken to: the ladder starts anew with the next missed attempt.",
    )
    note_required = fields.Boolean(help="Ask what was said before this outcome is recorded.")
    retry_ids = fields.One2many(
        "crm.interaction.outcome.retry", "outcome_id", string="Next Attempts", copy=True
    )
    final_action = fields.Selection(
        [
            ("none", "Do nothing"),
            ("archive", "Archive the deal"),
            ("lost", "Mark the deal as lost"),
        ],
        string="After the Last Attempt",
        required=True,
        default="none",
    )
    lost_reason_id = fields.Many2one("crm.lost.reason", string="Lost Reason")
    ladder_summary = fields.Char(string="Ladder", compute="_compute_ladder_summary")

    @api.depends("reached", "retry_ids.delay", "retry_ids.unit", "final_action")
    @api.depends_context("lang")
    def _compute_ladder_summary(self):
        actions = dict(self._fields["final_action"]._description_selection(self.env))
        for outcome in self:
            steps = outcome.retry_ids.mapped("display_name")
            if steps or (outcome.final_action != "none" and not outcome.reached):
                steps.append(actions[outcome.final_action])
            outcome.ladder_summary = " → ".join(steps)

    @api.constrains("reached", "retry_ids", "final_action", "lost_reason_id")
    def _check_ladder(self):
        for outcome in self:
            if outcome.reached and (outcome.retry_ids or outcome.final_action != "none"):
                raise ValidationError(
                    self.env._(
                        "“%(outcome)s” reaches the client: remove its next attempts and what "
                        "follows the last one.",
                        outcome=outcome.name,
                    )
                )
            if outcome.final_action == "lost" and not outcome.lost_reason_id:
                raise ValidationError(
                    self.env._(
                        "Choose the lost reason that “%(outcome)s” gives to a deal.",
                        outcome=outcome.name,
                    )
                )

    @api.model
    def _get_buttons(self, company):
        """The outcomes offered in a company, as plain values for the screen.

        :return: list of dicts with id, name, reached, note_required
        """
        outcomes = self.search([("company_id", "in", (False, company.id))])
        return [
            {
                "id": outcome.id,
                "name": outcome.name,
                "reached": outcome.reached,
                "note_required": outcome.note_required,
            }
            for outcome in outcomes
        ]

    def _get_note_action(self, record, key):
        """Dialog that asks for the note before this outcome is recorded.

        :param record: the document or interaction on which the button was pressed
        :param int key: number of recorded outcomes which the user saw
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": "crm.interaction.record.outcome",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_res_model": record._name,
                "default_res_id": record.id,
                "default_outcome_id": self.id,
                "default_attempt_key": key,
                "default_has_key": key is not None,
            },
        }
