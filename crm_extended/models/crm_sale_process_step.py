from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class CrmSaleProcessStep(models.Model):
    """A step of a sale process: a stage, what to do there, and what must be there to go on.

    A step may ask for filled-in fields, for a condition (a domain on the deal) and for evidence:
    interactions of a kind that took place, a quotation that was sent, an agreement in force. All
    of it must hold when a deal leaves the step forwards, and when it enters a won stage; what
    the step of a won stage asks for must hold when the deal comes there.

    On entering a step an activity plan may be started.

    A step on which deals stand keeps its stage and is not deleted: they would stand nowhere. A
    condition that can no longer be evaluated (an upgrade has removed its field, say) holds
    nobody up: it is shown as out of order, and deals pass it with a note.
    """

    _name = "crm.sale.process.step"
    _description = "Step of a Sale Process"
    _order = "process_id, sequence, id"
    _rec_name = "stage_id"
    _check_company_auto = True

    process_id = fields.Many2one(
        "crm.sale.process", string="Process", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="process_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    stage_id = fields.Many2one(
        "crm.stage", string="Stage", required=True, index=True, ondelete="restrict"
    )
    is_won = fields.Boolean(related="stage_id.is_won")
    script = fields.Html(
        translate=True, help="What to do and to say here. Salespeople see it on the deal."
    )
    activity_plan_id = fields.Many2one(
        "mail.activity.plan",
        string="Activity Plan",
        domain="[('res_model', '=', 'crm.lead')]"
        " + ([('company_id', 'in', (False, company_id))] if company_id else [])",
        help="Its activities are planned when a deal comes to this step. A plan of one company "
        "is used for the deals of that company.",
    )

    # what must be there to go on
    required_field_ids = fields.Many2many(
        "ir.model.fields",
        string="Required Fields",
        # others have no list of fields; what a step asks for is told by `requirement_summary`
        groups="sales_team.group_sale_manager",
        domain=[
            ("model", "=", "crm.lead"),
            ("readonly", "=", False),
            ("ttype", "not in", ("json", "properties", "properties_definition", "reference")),
            ("name", "not in", ("stage_id", "process_id", "active", "probability", "type")),
        ],
        help="Fields of the deal that must be filled in to leave this step.",
    )
    condition = fields.Char(
        default="[]", help="The deal must meet these conditions to leave this step."
    )
    condition_message = fields.Char(
        string="Message",
        translate=True,
        help="What the salesperson has to do when the condition does not hold.",
    )
    condition_error = fields.Char(compute="_compute_condition_error")
    interaction_kind = fields.Selection(
        selection="_selection_interaction_kind",
        string="Interaction",
        help="Interactions that took place with the client. A call that did not reach the client "
        "does not count.",
    )
    interaction_count = fields.Integer(
        string="How Many", default=1, help="How many interactions of this kind, at least."
    )
    order_required = fields.Boolean(
        string="Quotation Sent", help="A quotation of the deal was sent to the client."
    )
    agreement_required = fields.Boolean(
        string="Agreement in Force", help="The client has an individual agreement in force."
    )
    requirement_summary = fields.Char(
        string="Asks For", compute="_compute_requirement_summary", compute_sudo=True
    )

    _stage_uniq = models.Constraint(
        "UNIQUE(process_id, stage_id)", "A stage can be a step of a process only once."
    )
    _check_interaction_count = models.Constraint(
        "CHECK(interaction_count >= 1)", "Ask for at least one interaction."
    )

    @api.model
    def _selection_interaction_kind(self):
        return [
            ("any", self.env._("Any")),
            *self.env["crm.interaction"]._fields["kind"]._description_selection(self.env),
        ]

    @api.depends("condition")
    def _compute_condition_error(self):
        for step in self:
            step.condition_error = step._get_condition_error()

    @api.depends(
        "required_field_ids",
        "condition",
        "condition_message",
        "interaction_kind",
        "interaction_count",
        "order_required",
        "agreement_required",
    )
    @api.depends_context("lang")
    def _compute_requirement_summary(self):
        for step in self:
            step.requirement_summary = ", ".join(
                requirement["label"] for requirement in step._get_requirements()
            )

    # ------------------------------------------------------------
    # CONSTRAINTS
    # ------------------------------------------------------------

    @api.constrains("condition")
    def _check_condition(self):
        # with the rights of who writes it, which constraints are lent: the answers of a condition
        # must not tell about fields that are kept from him
        for step in self.sudo(self.env.user._is_superuser()):
            error = step._get_condition_error(step.env["crm.lead"])
            if error:
                raise ValidationError(
                    self.env._(
                        "The condition of step “%(step)s” cannot be evaluated: %(error)s",
                        step=step.stage_id.name,
                        error=error,
                    )
                )

    @api.constrains("condition", "condition_message")
    def _check_condition_message(self):
        for step in self:
            if step._has_condition() and not step.condition_message:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s” has a condition: write the message that tells the "
                        "salesperson how to meet it.",
                        step=step.stage_id.name,
                    )
                )

    @api.constrains("required_field_ids")
    def _check_required_fields(self):
        for step in self:
            # sudo: the names of fields, which sales managers do not administer
            wrong = step.sudo().required_field_ids.filtered(lambda f: f.model != "crm.lead")
            if wrong:
                raise ValidationError(
                    self.env._(
                        "Only fields of deals can be required: remove %(fields)s.",
                        fields=", ".join(wrong.mapped("field_description")),
                    )
                )

    def _check_no_deals(self):
        """Refuse what would leave deals of these steps without a place to stand."""
        for step in self:
            # sudo: deals of other salespeople and companies, running, won or lost
            count = (
                self.env["crm.lead"]
                .sudo()
                .with_context(active_test=False)
                .search_count(
                    [("process_id", "=", step.process_id.id), ("stage_id", "=", step.stage_id.id)]
                )
            )
            if count:
                raise UserError(
                    self.env._(
                        "%(count)s deals of process “%(process)s” stand on step “%(step)s”. Move "
                        "them to another step first, or archive the process and begin a new one.",
                        count=count,
                        process=step.process_id.name,
                        step=step.stage_id.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_deals(self):
        self._check_no_deals()

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        steps = super().create(vals_list)
        steps.process_id._check_steps()
        return steps

    def write(self, vals):
        if "stage_id" in vals:
            self.filtered(lambda step: step.stage_id.id != vals["stage_id"])._check_no_deals()
        if "process_id" in vals:
            self.filtered(lambda step: step.process_id.id != vals["process_id"])._check_no_deals()
        processes = self.process_id
        res = super().write(vals)
        if not {"stage_id", "process_id", "sequence"}.isdisjoint(vals):
            (processes | self.process_id)._check_steps()
        return res

    def unlink(self):
        processes = self.process_id
        res = super().unlink()
        processes.exists()._check_steps()
        return res
