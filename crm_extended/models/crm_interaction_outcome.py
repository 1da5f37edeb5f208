from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import ormcache


class CrmInteractionOutcome(models.Model):
    """How an attempt to reach the client ended: one button each on a deal and on a call.

    An outcome says whether the client was reached. If not, its ladder says after what time the
    next attempt follows: the first rung after the first attempt since the last reached contact,
    the second after the second, and so on. After the last rung, `final_action` says what
    becomes of the deal. An outcome that reaches the client needs no ladder.

    Some outcomes need an answer before they are recorded: when to call back, which number to
    call instead of a wrong one. A refusal asks afterwards whether the deal is lost. Such an
    outcome has no ladder, because the answer says what follows.
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
    question = fields.Selection(
        [
            ("none", "Nothing"),
            ("callback", "When to call back"),
            ("number", "Another number"),
            ("lost", "Whether the deal is lost"),
        ],
        string="Ask",
        required=True,
        default="none",
        help="When to call back: plans the call at the agreed time, shown in the client's time "
        "and in your own.\n"
        "Another number: marks the number as wrong, and plans the call if another one is "
        "known; otherwise a to-do to find one.\n"
        "Whether the deal is lost: opens the dialog for the lost reason.",
    )
    retry_ids = fields.One2many(
        "crm.interaction.outcome.retry", "outcome_id", string="Next Attempts", copy=True
    )
    final_action = fields.Selection(
        [
            ("none", "Do nothing"),
            ("archive", "Archive the deal"),
            ("lost", "Mark the deal as lost"),
            ("stage", "Move the deal to a stage"),
            ("user", "Hand over to another user"),
        ],
        string="After the Last Attempt",
        required=True,
        default="none",
    )
    lost_reason_id = fields.Many2one("crm.lost.reason", string="Lost Reason")
    final_stage_id = fields.Many2one(
        "crm.stage",
        string="Stage After the Last Attempt",
        domain=[("is_won", "=", False)],
        ondelete="restrict",
    )
    final_user_id = fields.Many2one(
        "res.users",
        string="User After the Last Attempt",
        domain=[("share", "=", False)],
        ondelete="restrict",
        help="Becomes responsible for the deal and gets the next call.",
    )
    ladder_summary = fields.Char(string="Ladder", compute="_compute_ladder_summary")

    @api.depends(
        "reached",
        "question",
        "retry_ids.delay",
        "retry_ids.unit",
        "final_action",
        "final_stage_id",
        "final_user_id",
    )
    @api.depends_context("lang")
    def _compute_ladder_summary(self):
        for outcome in self:
            steps = outcome.retry_ids.mapped("display_name")
            if steps or (outcome.final_action != "none" and not outcome.reached):
                steps.append(outcome._get_final_action_label())
            outcome.ladder_summary = " → ".join(steps)

    def _get_final_action_label(self):
        """What happens after the last attempt, in words."""
        self.ensure_one()
        label = dict(self._fields["final_action"]._description_selection(self.env)).get(
            self.final_action, ""
        )
        # sudo: just a name in a list that every salesperson reads
        target = {
            "stage": self.final_stage_id,
            "user": self.final_user_id.sudo(),
            "lost": self.lost_reason_id,
        }.get(self.final_action)
        return f"{label}: {target.display_name}" if target else label

    @api.constrains("reached", "question", "retry_ids", "final_action", "lost_reason_id")
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
            if outcome.retry_ids and outcome.question != "none":
                raise ValidationError(
                    self.env._(
                        "“%(outcome)s” asks what comes next: remove its next attempts, or ask "
                        "nothing.",
                        outcome=outcome.name,
                    )
                )
            if outcome.question == "callback" and outcome.final_action != "none":
                raise ValidationError(
                    self.env._(
                        "“%(outcome)s” always plans the agreed call: there is no last attempt "
                        "after which anything could happen.",
                        outcome=outcome.name,
                    )
                )
            if outcome.question == "lost" and outcome.final_action != "none":
                raise ValidationError(
                    self.env._(
                        "“%(outcome)s” asks whether the deal is lost: let the answer decide, and "
                        "set “Do nothing” after the last attempt.",
                        outcome=outcome.name,
                    )
                )
            if outcome.question == "number" and outcome.reached:
                raise ValidationError(
                    self.env._(
                        "“%(outcome)s” asks for another number, so the client was not reached.",
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

    @api.constrains("final_action", "final_stage_id", "final_user_id", "company_id")
    def _check_final_target(self):
        for outcome in self:
            stage, user = outcome.final_stage_id, outcome.final_user_id.sudo()
            if outcome.final_action == "stage" and not stage:
                raise ValidationError(
                    self.env._(
                        "Choose the stage to which “%(outcome)s” moves a deal.",
                        outcome=outcome.name,
                    )
                )
            if outcome.final_action == "stage" and stage.is_won:
                raise ValidationError(
                    self.env._(
                        "A client who was never reached has bought nothing: choose a stage for "
                        "“%(outcome)s” that does not win the deal.",
                        outcome=outcome.name,
                    )
                )
            if outcome.final_action != "user":
                continue
            if not user:
                raise ValidationError(
                    self.env._(
                        "Choose the user to whom “%(outcome)s” hands a deal over.",
                        outcome=outcome.name,
                    )
                )
            if user.share or not user.active:
                raise ValidationError(
                    self.env._(
                        "“%(user)s” cannot take over deals: choose an active internal user.",
                        user=user.name,
                    )
                )
            if outcome.company_id and outcome.company_id not in user.company_ids:
                raise ValidationError(
                    self.env._(
                        "“%(user)s” does not work for %(company)s and cannot take over its deals.",
                        user=user.name,
                        company=outcome.company_id.name,
                    )
                )

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        outcomes = super().create(vals_list)
        self.env.registry.clear_cache()
        return outcomes

    def write(self, vals):
        res = super().write(vals)
        self.env.registry.clear_cache()
        return res

    def unlink(self):
        res = super().unlink()
        self.env.registry.clear_cache()
        return res

    # ------------------------------------------------------------
    # BUTTONS
    # ------------------------------------------------------------

    @api.model
    def _get_buttons(self, company):
        """The outcomes offered in a company, as plain values for the screen.

        :return: list of dicts with id, name, reached, note_required, question
        """
        if not self.has_access("read"):
            return []
        return [dict(button) for button in self._get_cached_buttons(company.id)]

    @api.model
    @ormcache("company_id", "self.env.lang")
    def _get_cached_buttons(self, company_id):
        # sudo: the same for everybody who works in the company
        outcomes_sudo = self.sudo().with_context(active_test=True)
        return [
            {
                "id": outcome_sudo.id,
                "name": outcome_sudo.name,
                "reached": outcome_sudo.reached,
                "note_required": outcome_sudo.note_required,
                "question": outcome_sudo.question,
            }
            for outcome_sudo in outcomes_sudo.search([("company_id", "in", (False, company_id))])
        ]

    def _get_question_action(self, record, key, note=None, callback=None, phone=None):
        """Dialog that asks what this outcome needs to know, or None if nothing is missing.

        :param record: the document or interaction on which the button was pressed
        :param int key: number of recorded outcomes which the user saw
        :param str note: what was said
        :param callback: agreed moment of the next call, None if not yet asked
        :param phone: another number, empty for none, None if not yet asked
        """
        self.ensure_one()
        complete = (
            (note or not self.note_required)
            and (callback or self.question != "callback")
            and (phone is not None or self.question != "number")
        )
        if complete:
            return None
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": "crm.interaction.record.outcome",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "dialog_size": "medium",
                "default_res_model": record._name,
                "default_res_id": record.id,
                "default_outcome_id": self.id,
                "default_attempt_key": key,
                "default_has_key": key is not None,
                "default_note": note or False,
            },
        }
