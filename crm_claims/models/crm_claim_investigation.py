from datetime import timedelta

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class CrmClaimInvestigation(models.Model):
    """The plan by which the cause of one or several claims is found out.

    - Started from a template, it creates a task per step in the team's project: assignee by
      role, start and deadline in working days of the company, dependencies.
    - Tasks are worked on in Project. Results written there are read here; the share of closed
      tasks is the progress. When the last one closes, the lead is asked for the conclusion.
    - The conclusion is checked and approved (`crm_claim_investigation_conclusion.py`); the cause
      then goes to claims that have none.
    - An investigation of a confidential claim is as confidential as the claim.
    """

    _name = "crm.claim.investigation"
    _description = "Claim Investigation"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("running", "Running"),
            ("review", "To Approve"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
        index=True,
    )
    template_id = fields.Many2one("crm.claim.investigation.template", check_company=True)
    method = fields.Selection(related="template_id.method", store=True)
    team_id = fields.Many2one("crm.claim.team", check_company=True, index="btree_not_null")
    user_id = fields.Many2one(
        "res.users",
        "Lead",
        required=True,
        default=lambda self: self.env.user,
        tracking=True,
        index=True,
        domain="[('share', '=', False)]",
        check_company=True,
    )
    claim_ids = fields.Many2many(
        "crm.claim",
        "crm_claim_investigation_rel",
        "investigation_id",
        "claim_id",
        string="Claims",
        check_company=True,
    )
    claim_count = fields.Integer(compute="_compute_claim_count")
    confidential = fields.Boolean(
        compute="_compute_confidential", compute_sudo=True, store=True, index="btree_not_null"
    )
    date_start = fields.Date(
        "Start", default=fields.Date.context_today, required=True, tracking=True
    )
    date_done = fields.Date("Done On", readonly=True, copy=False)
    date_deadline = fields.Date(
        "Deadline", compute="_compute_progress", compute_sudo=True, store=True
    )

    task_ids = fields.One2many("project.task", "claim_investigation_id", string="Tasks")
    task_count = fields.Integer(compute="_compute_progress", compute_sudo=True, store=True)
    task_done_count = fields.Integer(compute="_compute_progress", compute_sudo=True, store=True)
    progress = fields.Float(
        compute="_compute_progress", compute_sudo=True, store=True, aggregator="avg"
    )

    containment = fields.Html(help="What protects clients until the cause is removed.")
    cause_id = fields.Many2one("crm.claim.cause", index="btree_not_null", tracking=True)
    root_cause = fields.Html(help="Why it happened.")
    root_cause_escape = fields.Html("Escape Point", help="Why it was not noticed before it left.")
    corrective_measures = fields.Html()
    preventive_measures = fields.Html()
    conclusion = fields.Html()
    why_ids = fields.One2many("crm.claim.why", "investigation_id", string="Whys")
    measure_ids = fields.One2many("crm.claim.measure", "investigation_id", string="Measures")

    @api.depends("claim_ids")
    def _compute_claim_count(self):
        for investigation in self:
            investigation.claim_count = len(investigation.claim_ids)

    @api.depends("claim_ids.confidential")
    def _compute_confidential(self):
        for investigation in self:
            investigation.confidential = any(investigation.claim_ids.mapped("confidential"))

    @api.depends("task_ids.state", "task_ids.date_deadline", "task_ids.active")
    def _compute_progress(self):
        for investigation in self:
            tasks = investigation.task_ids
            closed = tasks.filtered("is_closed")
            deadlines = [deadline for deadline in tasks.mapped("date_deadline") if deadline]
            investigation.task_count = len(tasks)
            investigation.task_done_count = len(closed)
            investigation.progress = 100 * len(closed) / len(tasks) if tasks else 0
            investigation.date_deadline = max(deadlines).date() if deadlines else False

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model
    def _get_transitions(self):
        """Map each state to the states reachable from it."""
        return {
            "draft": {"running", "cancelled"},
            "running": {"review", "done", "cancelled"},
            "review": {"running", "done", "cancelled"},
            "done": {"running"},
            "cancelled": {"draft"},
        }

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su and any(vals.get("state", "draft") != "draft" for vals in vals_list):
            raise UserError(self.env._("An investigation starts as a draft."))
        # named, so that no default of a client takes its place
        return super().create([{"state": "draft"} | vals for vals in vals_list])

    def write(self, vals):
        if "state" in vals:
            self._check_transition(vals["state"])
        result = super().write(vals)
        if vals.get("state") == "done":
            self._check_done()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        if self.filtered("task_ids"):
            raise UserError(
                self.env._("An investigation with tasks is cancelled instead of deleted.")
            )

    def _check_transition(self, target):
        names = dict(self._fields["state"]._description_selection(self.env))
        for investigation in self:
            source = investigation.state
            if source != target and target not in self._get_transitions().get(source, ()):
                raise UserError(
                    self.env._(
                        "Investigation %(name)s cannot go from %(origin)s to %(target)s.",
                        name=investigation.name,
                        origin=names[source],
                        target=names.get(target, target),
                    )
                )

    # ------------------------------------------------------------------
    # Plan
    # ------------------------------------------------------------------

    def action_start(self):
        """Start: create the tasks of the template's steps that have none yet."""
        for investigation in self:
            if investigation.state == "draft":
                investigation.state = "running"
            investigation._create_tasks()
            investigation.measure_ids._plan_tasks()
            investigation._move_claims()

    def _move_claims(self):
        """Claims that wait for an investigation are under investigation now."""
        claims = self.claim_ids.filtered(lambda claim: claim.state == "acknowledged")
        if claims:
            claims.action_investigate()

    def _create_tasks(self):
        """Create the plan as project tasks.

        :return: created tasks, as superuser
        """
        self.ensure_one()
        steps = self.template_id.step_ids
        # sudo: handlers plan for colleagues in a project that only followers see
        tasks_sudo = self.sudo().with_context(active_test=False).task_ids
        steps -= tasks_sudo.claim_step_id
        if not steps:
            return tasks_sudo.browse()
        project_sudo = self._ensure_team()._get_project()
        plan = self.template_id.step_ids._get_schedule()
        new_sudo = tasks_sudo.create(
            [self._prepare_task_values(step, project_sudo, plan[step]) for step in steps]
        )
        by_step = {task.claim_step_id: task for task in (tasks_sudo | new_sudo)}
        for task in new_sudo:
            needed = task.claim_step_id.depend_on_ids.filtered(by_step.get)
            if needed:
                task.depend_on_ids = tasks_sudo.union(*(by_step[step] for step in needed))
        watchers = self.user_id.partner_id | self.sudo().claim_ids.user_id.partner_id
        new_sudo.message_subscribe(watchers.ids)
        return new_sudo

    def _ensure_team(self):
        """The team whose project takes the tasks; the claims' or the company's if none is set."""
        team = self.team_id or self.claim_ids.team_id[:1]
        if not team:
            team = self.env["crm.claim.team"]._get_default_team(self.company_id)
            if not team:
                raise UserError(
                    self.env._("Choose the team of the investigation: its project takes the tasks.")
                )
        self.team_id = team
        return team

    def _prepare_task_values(self, step, project, days):
        start, end = days
        company = self.company_id
        # day 1 of the plan is the day of the start, or the first working day after it
        eve = company._get_claim_day_end(self.date_start) - timedelta(days=1)
        start_date = company._get_claim_working_date(eve, start + 1)
        end_date = company._get_claim_working_date(eve, max(end, start + 1))
        description = step.description or ""
        if step.proof:
            description += Markup("<p>%s</p>") % self.env._(
                "Expected proof: %(proof)s", proof=step.proof
            )
        return {
            "name": f"{step.display_name} ({self.name})",
            "description": description,
            "project_id": project.id,
            "company_id": company.id,
            "sequence": step.sequence,
            "user_ids": [Command.set(step._get_assignee(self).ids)],
            "claim_investigation_id": self.id,
            "claim_step_id": step.id,
            "claim_date_start": start_date,
            "date_deadline": company._get_claim_day_end(end_date),
        }

    def _after_task_closed(self):
        """Ask the lead for the conclusion when the last task of a running plan is closed."""
        for investigation in self.filtered(lambda record: record.state == "running"):
            if (
                investigation.task_count
                and investigation.task_done_count == investigation.task_count
            ):
                investigation.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.env._("All steps are done: write the conclusion"),
                    user_id=investigation.user_id.id,
                )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_done(self):
        """Finish: the cause goes to claims without one, their chatter says where to read on.

        The conclusion tells who is at fault, and stays with those who read investigations:
        accountants and the accused may read the chatter of a claim.
        """
        self.write({"state": "done", "date_done": fields.Date.context_today(self)})
        for investigation in self:
            claims = investigation.claim_ids
            if investigation.cause_id:
                claims.filtered(lambda claim: claim.is_open and not claim.cause_id).write(
                    {"cause_id": investigation.cause_id.id}
                )
            body = Markup("<p>%s</p>") % self.env._(
                "Investigation %(name)s is done.", name=investigation._get_html_link()
            )
            for claim in claims:
                claim.message_post(body=body, subtype_xmlid="mail.mt_note")
            investigation.activity_feedback(["mail.mail_activity_data_todo"])

    def action_cancel(self):
        """Cancel the plan and its open tasks."""
        self.write({"state": "cancelled"})
        # sudo: the lead may cancel tasks of all assignees
        self.sudo().task_ids.filtered(lambda task: not task.is_closed).state = "1_canceled"

    def action_reopen(self):
        for investigation in self:
            investigation.state = "draft" if investigation.state == "cancelled" else "running"
            investigation.date_done = False

    def action_view_tasks(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "project.task",
            "name": self.env._("Tasks of %(name)s", name=self.name),
            "view_mode": "kanban,list,form,calendar",
            "domain": [("claim_investigation_id", "=", self.id)],
            "context": {"create": False},
        }

    def action_view_claims(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_claims.crm_claim_action")
        return action | {"domain": [("id", "in", self.claim_ids.ids)], "context": {}}
