from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError


class CrmLeadObjection(models.Model):
    """An objection that the client of a deal raised: at which stage, and what became of it.

    It is *raised* until it is *overcome* (by which answer, if known) or *fatal*: the deal was
    lost over it. Only a lost deal has a fatal objection, and just one: losing another way, or
    restoring the deal, makes it raised again. An objection is noted once on a deal.

    The stage is the one in which the deal stood when the objection came up. Salesperson, team
    and company follow the deal, so that the report counts as the pipeline does.
    """

    _name = "crm.lead.objection"
    _description = "Objection on a Deal"
    _order = "date desc, id desc"
    _rec_name = "objection_id"
    _check_company_auto = True

    lead_id = fields.Many2one(
        "crm.lead", string="Deal", required=True, index=True, ondelete="cascade"
    )
    objection_id = fields.Many2one(
        "crm.objection",
        string="Objection",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    category = fields.Selection(related="objection_id.category", store=True)
    date = fields.Date(
        string="Raised On", required=True, default=fields.Date.context_today, index=True
    )
    stage_id = fields.Many2one(
        "crm.stage",
        string="Raised at Stage",
        compute="_compute_stage_id",
        store=True,
        precompute=True,
        readonly=True,
        index=True,
        ondelete="set null",
    )
    lost_stage_id = fields.Many2one(related="lead_id.lost_stage_id", store=True)
    state = fields.Selection(
        [("raised", "Raised"), ("overcome", "Overcome"), ("fatal", "Deal Lost")],
        string="Result",
        required=True,
        default="raised",
        index=True,
        copy=False,
        group_expand=True,
    )
    answer_id = fields.Many2one(
        "crm.objection.answer",
        string="Answer",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        domain="[('objection_id', '=', objection_id)]",
        help="The answer that was given; for an objection overcome, the one that worked.",
    )
    note = fields.Char(help="What was said.")

    # as the deal is counted
    user_id = fields.Many2one(related="lead_id.user_id", string="Salesperson", store=True)
    team_id = fields.Many2one(related="lead_id.team_id", string="Sales Team", store=True)
    process_id = fields.Many2one(related="lead_id.process_id", store=True)
    company_id = fields.Many2one(related="lead_id.company_id", store=True, index=True)
    lead_won_status = fields.Selection(related="lead_id.won_status", string="Deal Status")

    _lead_objection_uniq = models.Constraint(
        "UNIQUE(lead_id, objection_id)", "This objection is already noted on the deal."
    )
    _fatal_uniq = models.UniqueIndex(
        "(lead_id) WHERE state = 'fatal'", "A deal is lost over one objection."
    )

    @api.depends("lead_id")
    def _compute_stage_id(self):
        for line in self:
            line.stage_id = line.stage_id or line.lead_id.stage_id

    @api.constrains("answer_id", "objection_id")
    def _check_answer(self):
        for line in self:
            if line.answer_id and line.answer_id.objection_id != line.objection_id:
                raise ValidationError(
                    self.env._(
                        "“%(answer)s” answers another objection than “%(objection)s”.",
                        answer=line.answer_id.name,
                        objection=line.objection_id.name,
                    )
                )

    @api.constrains("state", "lead_id")
    def _check_fatal(self):
        for line in self:
            if line.state == "fatal" and not line.lead_id.sudo()._is_lost():
                raise ValidationError(
                    self.env._(
                        "“%(deal)s” is not lost: mark it as lost to name the objection that "
                        "decided.",
                        deal=line.lead_id.display_name,
                    )
                )

    @api.onchange("objection_id")
    def _onchange_objection_id(self):
        if self.answer_id.objection_id != self.objection_id:
            self.answer_id = False

    @api.onchange("answer_id")
    def _onchange_answer_id(self):
        if self.answer_id and self.state == "raised":
            self.state = "overcome"

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_stage_value(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_stage_value(vals)
        if vals.get("lead_id"):
            self.env["crm.lead"].browse(vals["lead_id"]).check_access("write")
        return super().write(vals)

    @api.model
    def _check_stage_value(self, vals):
        if vals.get("stage_id") and not self.env.su:
            raise AccessError(
                self.env._("The stage at which an objection was raised is kept by the system.")
            )

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_overcome(self):
        self.write({"state": "overcome"})

    def action_raise_again(self):
        self.write({"state": "raised"})

    def action_open_lead(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.lead",
            "res_id": self.lead_id.id,
            "views": [(False, "form")],
        }
