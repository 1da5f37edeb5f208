from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError

# controls that bind a deal to the steps of its process
BOUND_CONTROLS = ("strict", "manual")
# marks writes that change several steps and are checked when all of them are done; no client can
# send an object
STEPS_DEFERRED = object()


class CrmSaleProcess(models.Model):
    """A kind of deal, and the steps by which the salesperson is led through it.

    How closely a deal is held to the steps is its *control*:

    - *Strict*: one step forward at a time. What a step asks for must be there when the deal
      leaves it, and all of it once more when the deal is won, so that winning needs every step.
      Going back is allowed with a reason, which is kept.
    - *Manual*: the stages of the steps in any order; the steps remind, they do not hold.
    - *None*: the deal is a folder for tasks and interactions. It has no stage bar, and nothing
      is asked for.

    A new deal gets the first process (by sequence) that is offered as a default and fits its
    company, sales team and tags. Deals without a process are Odoo's own: nothing is asked of
    them. A process that has deals is archived, not deleted; its deals go on in it.

    A process whose deals are bound needs its won stages last, and at least one of them.
    """

    _name = "crm.sale.process"
    _description = "Sale Process"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    control = fields.Selection(
        [
            ("strict", "Strict: step by step"),
            ("manual", "Manual: in any order"),
            ("none", "None: no stages"),
        ],
        required=True,
        default="strict",
        help="Strict: one step forward at a time, each when what it asks for is there; back with "
        "a reason.\n"
        "Manual: the stages of the process in any order.\n"
        "None: the deal is a folder for tasks and interactions.",
    )
    description = fields.Text(
        translate=True, help="When to choose this process. Salespeople see it."
    )
    company_id = fields.Many2one(
        "res.company", string="Company", index=True, help="Left empty: for all companies."
    )
    step_ids = fields.One2many("crm.sale.process.step", "process_id", string="Steps", copy=True)

    # which deals begin in it
    is_default = fields.Boolean(
        string="For New Deals",
        help="New deals get this process by themselves if their sales team and tags fit. Of "
        "several that fit, the first in the list.",
    )
    team_ids = fields.Many2many(
        "crm.team",
        string="Sales Teams",
        ondelete="restrict",
        domain="[('company_id', 'in', (False, company_id))] if company_id else []",
        help="New deals of these teams. Left empty: of every team.",
    )
    tag_ids = fields.Many2many(
        "crm.tag",
        string="Tags",
        ondelete="restrict",
        help="New deals with at least one of these tags. Left empty: with or without tags.",
    )

    # figures
    lead_ids = fields.One2many("crm.lead", "process_id", string="Deals")
    lead_count = fields.Integer(string="Open Deals", compute="_compute_lead_count")
    has_broken_step = fields.Boolean(
        string="Condition Out of Order", compute="_compute_has_broken_step"
    )
    is_out_of_order = fields.Boolean(compute="_compute_is_out_of_order")

    def _compute_lead_count(self):
        counts = dict(
            self.env["crm.lead"]._read_group(
                [("process_id", "in", self.ids), ("won_status", "=", "pending")],
                ["process_id"],
                ["__count"],
            )
        )
        for process in self:
            process.lead_count = counts.get(process, 0)

    @api.depends("step_ids.condition_error")
    def _compute_has_broken_step(self):
        for process in self:
            process.has_broken_step = any(process.step_ids.mapped("condition_error"))

    @api.depends("step_ids.sequence", "step_ids.stage_id.sequence")
    def _compute_is_out_of_order(self):
        """Whether the board shows the stages in another order than the steps."""
        for process in self:
            places = [step.stage_id.sequence for step in process.step_ids.sorted("sequence")]
            process.is_out_of_order = places != sorted(places)

    # ------------------------------------------------------------
    # CONSTRAINTS
    # ------------------------------------------------------------

    def _check_steps(self):
        """A bound process can be begun and won; checked when all its steps are as they shall be."""
        if self.env.context.get("crm_steps_deferred") is STEPS_DEFERRED:
            return
        for process in self.filtered(lambda process: process.control in BOUND_CONTROLS):
            won = [step.stage_id.is_won for step in process.step_ids.sorted()]
            if not any(won):
                raise ValidationError(
                    self.env._(
                        "Process “%(process)s” cannot be won: add a last step whose stage is a "
                        "won stage.",
                        process=process.name,
                    )
                )
            if won != sorted(won) or all(won):
                raise ValidationError(
                    self.env._(
                        "Process “%(process)s”: put the steps of won stages last, after at least "
                        "one other step.",
                        process=process.name,
                    )
                )

    @api.constrains("company_id", "team_ids")
    def _check_teams(self):
        """A process of all companies may name teams of any; one company's only its own."""
        for process in self.filtered("company_id"):
            others = process.team_ids.company_id - process.company_id
            if others:
                raise ValidationError(
                    self.env._(
                        "Process “%(process)s” belongs to %(company)s: remove the sales teams of "
                        "%(others)s.",
                        process=process.name,
                        company=process.company_id.name,
                        others=", ".join(others.mapped("name")),
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: deals of other salespeople and companies count as well
        used = dict(
            self.env["crm.lead"]
            .sudo()
            .with_context(active_test=False)
            ._read_group([("process_id", "in", self.ids)], ["process_id"], ["__count"])
        )
        for process in self:
            if process.sudo() in used:
                raise UserError(
                    self.env._(
                        "Process “%(process)s” has %(count)s deals. Archive it instead: its deals "
                        "go on in it, new ones do not begin in it.",
                        process=process.name,
                        count=used[process.sudo()],
                    )
                )

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        deferred = self.with_context(crm_steps_deferred=STEPS_DEFERRED)
        processes = super(CrmSaleProcess, deferred).create(vals_list).with_env(self.env)
        processes._check_steps()
        self.env.registry.clear_cache()
        return processes

    def write(self, vals):
        deferred = self.with_context(crm_steps_deferred=STEPS_DEFERRED)
        res = super(CrmSaleProcess, deferred).write(vals)
        self._check_steps()
        self.env.registry.clear_cache()
        if vals.get("company_id"):
            self._check_deals_company()
        return res

    def unlink(self):
        res = super().unlink()
        self.env.registry.clear_cache()
        return res

    def copy_data(self, default=None):
        default = {"is_default": False, **(default or {})}
        vals_list = super().copy_data(default)
        if "name" not in default:
            for process, vals in zip(self, vals_list, strict=True):
                vals["name"] = self.env._("%s (copy)", process.name)
        return vals_list

    def _check_deals_company(self):
        """A process that becomes one company's leaves no deals of others behind."""
        for process in self.filtered("company_id"):
            # sudo: those of other companies are just the ones the user may not see
            others = (
                self.env["crm.lead"]
                .sudo()
                .with_context(active_test=False)
                .search_count(
                    [
                        ("process_id", "=", process.id),
                        ("company_id", "not in", (False, process.company_id.id)),
                    ],
                    limit=1,
                )
            )
            if others:
                raise ValidationError(
                    self.env._(
                        "Deals of another company run in process “%(process)s”: it cannot belong "
                        "to %(company)s alone.",
                        process=process.name,
                        company=process.company_id.name,
                    )
                )

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_view_leads(self):
        """Open the running deals of this process."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm.crm_lead_opportunities")
        action["domain"] = [("type", "=", "opportunity"), ("process_id", "=", self.id)]
        action["context"] = {"default_type": "opportunity", "default_process_id": self.id}
        return action

    # ------------------------------------------------------------
    # BUSINESS
    # ------------------------------------------------------------

    def _get_path(self):
        """The stages of the steps, in the order of the steps.

        :return: list of stage ids
        """
        self.ensure_one()
        return self.step_ids.sorted().stage_id.ids

    @api.model
    @tools.ormcache()
    def _get_default_rules(self):
        """Which new deals begin in which process, in the order in which the rules are tried.

        :return: tuple of (process id, company id or False, team ids, tag ids)
        """
        # sudo: the rules are the same for everybody and are kept for everybody
        processes_sudo = self.sudo().search([("is_default", "=", True)])
        return tuple(
            (
                process.id,
                process.company_id.id,
                frozenset(process.team_ids.ids),
                frozenset(process.tag_ids.ids),
            )
            for process in processes_sudo
        )

    @api.model
    def _find_default(self, company, team, tags):
        """The process in which a new deal begins.

        :return: crm.sale.process, empty if none fits
        """
        for process_id, company_id, team_ids, tag_ids in self._get_default_rules():
            if (
                company_id in (False, company.id)
                and (not team_ids or team.id in team_ids)
                and (not tag_ids or not tag_ids.isdisjoint(tags.ids))
            ):
                return self.browse(process_id)
        return self.browse()
