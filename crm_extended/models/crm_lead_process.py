from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

from .crm_sale_process import BOUND_CONTROLS

PROCESS_MANAGER_GROUP = "sales_team.group_sale_manager"
# what moves a deal in its process, or into and out of one
_MOVING_FIELDS = frozenset({"stage_id", "process_id", "probability", "type"})
# what is written together with the stage, after everything else that the step may ask for
_STAGE_VALUES = frozenset(
    {
        "stage_id",
        "process_id",
        "probability",
        "automated_probability",
        "active",
        "lost_reason_id",
        "date_closed",
        "date_last_stage_update",
    }
)
# marks merging, in which a deal stays where it stands; no client can send an object
_KEEP_STAGE = object()


class ProcessMove:
    """A move that has been judged and may be made, kept in the context for these deals only.

    The context can hold it only when this module's own code puts it there: clients send plain
    values, and a plain value opens nothing.
    """

    __slots__ = ("lead_ids",)

    def __init__(self, leads):
        self.lead_ids = frozenset(leads.ids)


class CrmLead(models.Model):
    """A deal runs in a sale process (``crm.sale.process``), or in none, as Odoo has it.

    The process holds the deal in ``create`` and ``write``, so that the form, the board, lists,
    imports, remote calls, mass updates, the won button, merging, restoring and assignment obey
    it alike. A batch is refused as a whole, with what each deal lacks.

    - A new deal gets the default process of its team and tags, and begins at the first step.
      Only a sales administrator can leave the process empty where there is a default one, or
      choose a looser one where the default is strict. A lead begins in a process when it becomes
      an opportunity.
    - Values written together with a stage are written first: a field that is filled in with the
      same save counts.
    - In a strict process a deal is not made certain (100 %) outside of a won stage.
    - A deal keeps its step when its team changes, also if the stage belongs to another team.
    - The process of a running deal is changed by ``crm.lead.process.change``, which asks where
      the deal stands. Without it, a deal at its first step goes to the first step of the other
      process. Standing on a step of a strict process needs what the steps before it ask for;
      only sales administrators put a deal further, or take it out of a strict process.
    """

    _inherit = "crm.lead"

    process_id = fields.Many2one(
        "crm.sale.process",
        string="Sale Process",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="The kind of deal, and the steps it is led through.",
    )
    process_control = fields.Selection(related="process_id.control", string="Process Control")
    process_step_id = fields.Many2one(
        "crm.sale.process.step",
        string="Step",
        compute="_compute_process_step_id",
        search="_search_process_step_id",
        help="The step of the sale process at which the deal stands.",
    )
    process_stage_ids = fields.Many2many(
        "crm.stage", string="Stages of the Process", compute="_compute_process_stage_ids"
    )

    def _auto_init(self):
        # Deals that exist have no process: do not visit a large table to find that out.
        if not column_exists(self.env.cr, "crm_lead", "process_id"):
            create_column(self.env.cr, "crm_lead", "process_id", "int4")
        return super()._auto_init()

    @api.depends("process_id.step_ids.stage_id", "stage_id")
    def _compute_process_step_id(self):
        for lead in self:
            # sudo: the process may be one of another company
            steps_sudo = lead.process_id.sudo().step_ids
            step_sudo = steps_sudo.filtered(lambda step, lead=lead: step.stage_id == lead.stage_id)
            lead.process_step_id = step_sudo.with_env(self.env)[:1]

    def _search_process_step_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        steps = self.env["crm.sale.process.step"].browse(id_ for id_ in value if id_)
        domain = Domain.OR(
            Domain("process_id", "=", step.process_id.id)
            & Domain("stage_id", "=", step.stage_id.id)
            for step in steps.exists()
        )
        if False in value:
            step_sql = SQL(
                """(SELECT lead.id FROM crm_lead lead
                      JOIN crm_sale_process_step step
                        ON step.process_id = lead.process_id AND step.stage_id = lead.stage_id)"""
            )
            domain |= Domain("id", "not in", step_sql)
        return domain

    @api.depends("process_id.step_ids.stage_id")
    def _compute_process_stage_ids(self):
        for lead in self:
            # sudo: see `_compute_process_step_id`
            lead.process_stage_ids = lead.process_id.sudo().step_ids.stage_id.with_env(self.env)

    def _compute_stage_id(self):
        """The stage follows the team, unless the process leads."""
        kept = self.filtered(
            lambda lead: lead._is_process_bound()
            and lead.stage_id in lead.process_id.sudo().step_ids.stage_id
        )
        return super(CrmLead, self - kept)._compute_stage_id()

    @api.onchange("team_id", "tag_ids", "company_id", "type")
    def _onchange_process_default(self):
        if self._origin or self.type != "opportunity":
            return
        Process = self.env["crm.sale.process"]
        given = {rule[0] for rule in Process._get_default_rules()}
        if not self.process_id or self.process_id._origin.id in given:
            self.process_id = Process._find_default(self.company_id, self.team_id, self.tag_ids)

    @api.onchange("process_id")
    def _onchange_process_id(self):
        if not self._origin and self._is_process_bound():
            stages = self.process_id.sudo().step_ids.sorted().stage_id
            if self.process_control == "strict" or self.stage_id._origin not in stages._origin:
                self.stage_id = stages[:1]

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        self._prepare_process_values(vals_list)
        leads = super().create(vals_list)
        bound = leads.filtered(lambda lead: lead._is_process_bound())
        if bound:
            bound._check_process_start()
            bound._check_process_certainty(bound._get_won_ids())
            bound._enter_process_step()
        return leads

    def write(self, vals):
        move = self.env.context.get("crm_process_move")
        keep_stage = self.env.context.get("crm_process_keep_stage") is _KEEP_STAGE
        if move is not None or keep_stage:
            # what follows from this write is judged by itself
            self = self.with_context(crm_process_move=None, crm_process_keep_stage=None)  # noqa: PLW0642
        if not (isinstance(move, ProcessMove) and move.lead_ids.issuperset(self.ids)):
            move = None
        if _MOVING_FIELDS.isdisjoint(vals):
            return super().write(vals)
        converted = self.filtered(
            lambda lead: vals.get("type") == "opportunity" and lead.type == "lead"
        )
        # a lead that has a process already keeps it, if it might be chosen for a new deal
        chosen = converted.filtered("process_id")
        converted -= chosen
        if "process_id" in vals or any(lead._is_process_bound() for lead in self):
            if keep_stage:
                vals = {name: value for name, value in vals.items() if name != "stage_id"}
            res = self._write_in_process(vals, move)
        else:
            res = super().write(vals)
        if converted and not vals.get("process_id"):
            converted._begin_default_process()
        elif vals.get("process_id"):
            chosen |= converted
        for lead in chosen:
            lead._check_process_choice(lead.process_id, lead._find_default_process())
        return res

    def _write_in_process(self, vals, move):
        """Write values that move deals of which some run in a process, or shall."""
        self.check_access("write")
        first = {name: value for name, value in vals.items() if name not in _STAGE_VALUES}
        vals = {name: value for name, value in vals.items() if name in _STAGE_VALUES}
        if not first:
            return self._write_moving_values(vals, move)
        # a refused deal keeps nothing of it, also for a caller that goes on after the refusal
        with self.env.cr.savepoint():
            super().write(first)
            return self._write_moving_values(vals, move)

    def _write_moving_values(self, vals, move):
        """Judge the values that move deals, and write them.

        :param ProcessMove move: a move that has been judged before, or None
        """
        if "process_id" in vals:
            process = self.env["crm.sale.process"].browse(vals["process_id"] or ())
            changed = self.filtered(lambda lead: lead.process_id != process)
            if changed:
                return self._write_process(changed, process, vals, move)
            del vals["process_id"]
        forwards = self.browse()
        if "stage_id" in vals:
            stage = self.env["crm.stage"].browse(vals["stage_id"] or ())
            if not move:
                self._check_process_transition(stage)
            forwards = self.filtered(lambda lead: lead.stage_id != stage)
            forwards -= self._get_backwards(stage)
        self._check_process_probability(vals)
        res = super().write(vals) if vals else True
        forwards._enter_process_step()
        return res

    def _write_process(self, changed, process, vals, move):
        """Write values that put deals into another process, where each of them stands then."""
        rest = {name: value for name, value in vals.items() if name != "process_id"}
        if rest and self - changed:
            (self - changed).write(rest)
        stage_by_lead = changed._get_process_places(process, vals.get("stage_id"))
        if not move:
            changed._check_process_placing(process, stage_by_lead)
        for stage, leads in changed.grouped(stage_by_lead.get).items():
            values = {**rest, "process_id": process.id}
            if stage != leads.stage_id:
                values["stage_id"] = stage.id
            super(CrmLead, leads).write(values)
        changed._check_process_certainty(changed._get_won_ids())
        changed._enter_process_step()
        return True

    def _merge_opportunity(self, user_id=False, team_id=False, auto_unlink=True, max_length=5):
        """A merged deal of a process stays at the step of the deal that remains."""
        self._check_process_merge()
        return super(
            CrmLead, self.with_context(crm_process_keep_stage=_KEEP_STAGE)
        )._merge_opportunity(
            user_id=user_id, team_id=team_id, auto_unlink=auto_unlink, max_length=max_length
        )

    # ------------------------------------------------------------
    # BEGINNING
    # ------------------------------------------------------------

    def _is_process_bound(self):
        """Whether the process holds this deal to its stages."""
        self.ensure_one()
        # sudo: the process may be one of another company
        return self.process_id.sudo().control in BOUND_CONTROLS

    def _is_process_strict(self):
        self.ensure_one()
        return self.process_id.sudo().control == "strict"

    @api.model
    def _can_manage_processes(self):
        """Whether the user himself, not the rights a call was lent, may place deals freely."""
        user = self.env.user
        return user._is_superuser() or user.has_group(PROCESS_MANAGER_GROUP)

    @api.model
    def _prepare_process_values(self, vals_list):
        """Add process and first stage to the values of new deals."""
        Process = self.env["crm.sale.process"]
        has_rules = bool(Process._get_default_rules())
        given = self.default_get(["process_id", "stage_id"])
        for vals in vals_list:
            process = Process.browse(vals.get("process_id", given.get("process_id")) or ())
            if not process and has_rules:
                chosen_none = "process_id" in vals and self._can_manage_processes()
                if not chosen_none:
                    process = self._find_new_process(vals)
                    vals["process_id"] = process.id
            elif process and has_rules:
                self._check_process_choice(process, self._find_new_process(vals))
            # sudo: the process may be one of another company, which the company check refuses
            process_sudo = process.sudo()
            if process_sudo.control in BOUND_CONTROLS and not (
                vals.get("stage_id") or given.get("stage_id")
            ):
                vals["stage_id"] = process_sudo._get_path()[0]

    @api.model
    def _find_new_process(self, vals):
        """The default process of a deal that is created with these values."""
        lead = self.new(self._add_missing_default_values(vals))
        if lead.type != "opportunity":
            return self.env["crm.sale.process"]
        return self.env["crm.sale.process"]._find_default(
            lead.company_id._origin, lead.team_id._origin, lead.tag_ids._origin
        )

    def _find_default_process(self):
        """The process in which this deal would begin if it were new; empty if none fits."""
        self.ensure_one()
        return self.env["crm.sale.process"]._find_default(
            self.company_id, self.team_id, self.tag_ids
        )

    @api.model
    def _check_process_choice(self, process, default):
        """Refuse a looser process where new deals have a strict one.

        :param process: crm.sale.process that a deal begins in
        :param default: crm.sale.process that it would get by itself, may be empty
        """
        # sudo: the processes may be of another company
        if (
            default.sudo().control == "strict"
            and process.sudo().control != "strict"
            and not self._can_manage_processes()
        ):
            raise UserError(
                self.env._(
                    "New deals of this team and these tags begin in the strict process "
                    "“%(default)s”. Only a sales administrator may choose “%(process)s” instead.",
                    default=default.sudo().name,
                    process=process.sudo().name,
                )
            )

    def _begin_default_process(self):
        """Put leads that have become opportunities at the first step of their process."""
        Process = self.env["crm.sale.process"]
        if not Process._get_default_rules():
            return
        processes = {lead: lead._find_default_process() for lead in self}
        for process, leads in self.grouped(processes.get).items():
            if not process:
                continue
            values = {"process_id": process.id}
            if process.sudo().control in BOUND_CONTROLS:
                values["stage_id"] = process.sudo()._get_path()[0]
            super(CrmLead, leads).write(values)
            leads._enter_process_step()
