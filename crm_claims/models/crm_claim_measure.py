from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

MEASURE_KINDS = [
    ("containment", "Containment"),
    ("corrective", "Corrective"),
    ("preventive", "Preventive"),
]


class CrmClaimMeasure(models.Model):
    """What is done about a cause, who does it by when, and whether it helped.

    - The owner gets a task in the team's project, so that anybody of any department can be one
      without reading the claim; closing the task finishes the measure.
    - So many days after it is done its effect is checked: the checker is reminded once, sees how
      many claims of the same cause were registered since, and says whether it works. A measure that
      does not work puts the investigation back on the lead's desk.
    """

    _name = "crm.claim.measure"
    _description = "Measure of an Investigation"
    _inherit = ["mail.activity.mixin", "mail.thread"]
    _order = "investigation_id, kind, date_deadline, id"
    _check_company_auto = True

    investigation_id = fields.Many2one(
        "crm.claim.investigation", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="investigation_id.company_id", store=True, index=True)
    kind = fields.Selection(MEASURE_KINDS, required=True, default="corrective")
    name = fields.Char("Measure", required=True)
    why_id = fields.Many2one(
        "crm.claim.why",
        "Root Cause",
        index="btree_not_null",
        ondelete="set null",
        domain="[('investigation_id', '=', investigation_id)]",
    )
    user_id = fields.Many2one(
        "res.users",
        "Owner",
        index=True,
        check_company=True,
        domain="[('share', '=', False)]",
    )
    date_deadline = fields.Date("Due", tracking=True)
    task_id = fields.Many2one("project.task", readonly=True, index="btree_not_null", copy=False)
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("done", "Done"),
            ("effective", "Effective"),
            ("ineffective", "Without Effect"),
            ("cancelled", "Cancelled"),
        ],
        default="planned",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
        index=True,
    )
    date_done = fields.Date("Done On", readonly=True, copy=False)
    check_days = fields.Integer(
        "Check After", default=30, help="Days after it is done; 0: its effect is not checked."
    )
    date_check = fields.Date("Check On", compute="_compute_date_check", store=True)
    checker_id = fields.Many2one(
        "res.users",
        "Checked By",
        check_company=True,
        domain="[('share', '=', False)]",
        help="Says whether it works; the lead when nobody is named.",
    )
    is_check_asked = fields.Boolean(readonly=True, copy=False)
    check_note = fields.Text("What the Check Found")
    date_checked = fields.Date("Checked On", readonly=True, copy=False)
    recurrence_count = fields.Integer(
        "Claims Since",
        compute="_compute_recurrence_count",
        compute_sudo=True,
        help="Claims of the same cause registered since the measure was done.",
    )

    _check_days_positive = models.Constraint(
        "CHECK(COALESCE(check_days, 0) >= 0)", "Days until the check cannot be negative."
    )

    @api.depends("date_done", "check_days")
    def _compute_date_check(self):
        for measure in self:
            measure.date_check = (
                fields.Date.add(measure.date_done, days=measure.check_days)
                if measure.date_done and measure.check_days
                else False
            )

    @api.depends("date_done", "investigation_id.cause_id")
    def _compute_recurrence_count(self):
        claims = self.env["crm.claim"]
        for measure in self:
            cause = measure.investigation_id.cause_id
            measure.recurrence_count = (
                claims.search_count(
                    [
                        ("cause_id", "child_of", cause.id),
                        ("company_id", "=", measure.company_id.id),
                        ("date_registered", ">", measure.date_done),
                        ("id", "not in", measure.investigation_id.claim_ids.ids),
                    ]
                )
                if cause and measure.date_done
                else 0
            )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model
    def _get_controlled_fields(self):
        return {"state", "date_done", "date_checked", "is_check_asked", "task_id"}

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            # named, so that no default of a client takes their place
            start = dict.fromkeys(self._get_controlled_fields(), False) | {"state": "planned"}
            vals_list = [{**vals, **start} for vals in vals_list]
        measures = super().create(vals_list)
        measures.investigation_id._check_open_for_changes()
        measures._plan_tasks()
        return measures

    def write(self, vals):
        if not self.env.su and self._get_controlled_fields() & vals.keys():
            raise AccessError(self.env._("The state of a measure is changed by its buttons only."))
        if {"investigation_id", "kind", "name", "why_id"} & vals.keys():
            self.investigation_id._check_open_for_changes()
        result = super().write(vals)
        if "investigation_id" in vals:
            self.investigation_id._check_open_for_changes()
        if {"user_id", "date_deadline", "name"} & vals.keys():
            self._plan_tasks()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        if self.filtered(lambda measure: measure.state != "planned"):
            raise UserError(
                self.env._("A measure that was carried out stays; cancel what is only planned.")
            )
        # sudo: the task goes with the measure, whoever owns it
        self.sudo().task_id.unlink()

    # ------------------------------------------------------------------
    # Task
    # ------------------------------------------------------------------

    def _plan_tasks(self):
        """A task for the owner of each planned measure of a running investigation."""
        for measure in self.filtered(
            lambda m: m.state == "planned" and m.user_id and m.investigation_id.state != "draft"
        ):
            # sudo: leads plan for colleagues in a project that only followers see
            measure_sudo = measure.sudo()
            values = measure_sudo._prepare_task_values()
            if measure_sudo.task_id:
                measure_sudo.task_id.write(values)
                continue
            team = measure.investigation_id._ensure_team()
            values["project_id"] = team._get_project().id
            measure_sudo.task_id = measure_sudo.task_id.create(values)

    def _prepare_task_values(self):
        investigation = self.investigation_id
        deadline = self.date_deadline and self.company_id._get_claim_day_end(self.date_deadline)
        return {
            "name": f"{self.name} ({investigation.name})",
            "company_id": self.company_id.id,
            "user_ids": [Command.set(self.user_id.ids)],
            "claim_investigation_id": investigation.id,
            "date_deadline": deadline or False,
            "sequence": 100,
        }

    def _follow_task(self):
        """The task was closed, cancelled or opened again; superuser records."""
        for measure in self.filtered(lambda m: m.state in ("planned", "done", "cancelled")):
            if measure.task_id.state == "1_done":
                measure._mark_done()
            elif measure.task_id.state == "1_canceled":
                measure.state = "cancelled"
            else:
                measure.write({"state": "planned", "date_done": False, "is_check_asked": False})

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def _check_state(self, *states):
        self.check_access("write")
        wrong = self.filtered(lambda measure: measure.state not in states)
        if wrong:
            raise UserError(
                self.env._(
                    "%(measure)s is %(state)s; this is not possible now.",
                    measure=wrong[0].name,
                    state=dict(self._fields["state"]._description_selection(self.env))[
                        wrong[0].state
                    ],
                )
            )

    def action_done(self):
        """Carried out; its task is closed with it."""
        self._check_state("planned")
        # sudo: controlled fields; the lead closes tasks of all owners
        measures_sudo = self.sudo()
        measures_sudo.task_id.filtered(lambda task: not task.is_closed).state = "1_done"
        measures_sudo.filtered(lambda measure: measure.state == "planned")._mark_done()

    def _mark_done(self):
        self.write({"state": "done", "date_done": fields.Date.context_today(self)})

    def action_cancel(self):
        self._check_state("planned")
        measures_sudo = self.sudo()  # sudo: controlled field; the task of another
        measures_sudo.state = "cancelled"
        measures_sudo.task_id.filtered(lambda task: not task.is_closed).state = "1_canceled"

    def action_effective(self):
        """The check found that it works."""
        self._check_state("done", "ineffective")
        self._record_check("effective")

    def action_ineffective(self):
        """The check found that it does not work: the lead takes the investigation up again."""
        self._check_state("done", "effective")
        for measure in self:
            if not (measure.check_note or "").strip():
                raise UserError(
                    self.env._(
                        "%(measure)s: write what the check found before you mark it as without "
                        "effect.",
                        measure=measure.name,
                    )
                )
        self._record_check("ineffective")
        for measure in self:
            measure.investigation_id.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=self.env._("Without effect: %(measure)s", measure=measure.name),
                note=measure.check_note,
                user_id=measure.investigation_id.user_id.id,
            )

    def _record_check(self, state):
        # sudo: controlled fields
        self.sudo().write({"state": state, "date_checked": fields.Date.context_today(self)})
        self.activity_feedback(["crm_claims.mail_activity_type_effect"])

    # ------------------------------------------------------------------
    # Jobs
    # ------------------------------------------------------------------

    @api.model
    def _get_check_domain(self):
        return [
            ("state", "=", "done"),
            ("is_check_asked", "=", False),
            ("date_check", "!=", False),
            ("date_check", "<=", fields.Date.context_today(self)),
        ]

    @api.model
    def _cron_check_effects(self, batch_size=100):
        """Ask for the checks that are due, once each."""
        cron = self.env["ir.cron"]
        measures = self.search(
            self._get_check_domain(), order="id", limit=batch_size
        ).try_lock_for_update()
        for measure in measures:
            measure.is_check_asked = True
            measure.activity_schedule(
                "crm_claims.mail_activity_type_effect",
                summary=self.env._("Does it work? %(measure)s", measure=measure.name),
                user_id=(measure.checker_id or measure.investigation_id.user_id).id,
            )
        cron._commit_progress(
            len(measures), remaining=self.search_count(self._get_check_domain()) if measures else 0
        )
