from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain

TRIGGER = "crm_strategy"


class BaseAutomation(models.Model):
    """The automation rule of a strategy: run by the strategy, never by Odoo itself."""

    _inherit = "base.automation"

    trigger = fields.Selection(
        selection_add=[(TRIGGER, "Event of a CRM strategy")], ondelete={TRIGGER: "cascade"}
    )
    crm_strategy_ids = fields.One2many("crm.strategy", "automation_id", string="CRM Strategies")


class CrmStrategy(models.Model):
    """When this happens, do that: a rule of the company for an event of the suite.

    - The event (`crm_strategy_event.py`) says whom it concerns now; days, amount and conditions
      narrow it. The actions (`crm_strategy_action.py`) say what is done.
    - Rules come switched off, and are switched on one by one. *From now on* leaves alone whom the
      event concerns already at that moment; *Whom it concerns now, too* does not.
    - The same event of the same record is answered once; every answer is in the log. So many a day
      at most, so that a mistake in the conditions does not flood anybody.
    - *Dry run* lists whom the strategy would touch now and what would be done, and does nothing.
    - Each strategy has an automation rule of Odoo. What the actions here cannot do is added there
      as server actions, which run after them.
    """

    _name = "crm.strategy"
    _description = "Strategy"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    note = fields.Text("What for", translate=True)
    company_id = fields.Many2one(
        "res.company",
        string="Company",
        index=True,
        default=lambda self: self.env.company if self._has_other_companies() else False,
        help="Left empty: for all companies.",
    )
    event = fields.Selection(
        selection=lambda self: self._select_events(), required=True, string="When"
    )
    res_model = fields.Char(compute="_compute_event")
    has_days = fields.Boolean(compute="_compute_event")
    has_amount = fields.Boolean(compute="_compute_event")
    event_help = fields.Char(compute="_compute_event")
    days = fields.Integer(default=30)
    amount = fields.Float(
        "From an Amount of", default=0.0, help="In the currency of the company concerned."
    )
    domain = fields.Char("Conditions", default="[]", help="Only records that fulfil them.")
    action_ids = fields.One2many("crm.strategy.action", "strategy_id", "Actions", copy=True)
    user_id = fields.Many2one(
        "res.users",
        string="If Nobody Is Responsible",
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
        required=True,
        index=True,
        help="Gets the work on records that nobody is responsible for.",
    )
    start = fields.Selection(
        [("new", "From now on"), ("all", "Whom it concerns now, too")],
        required=True,
        default="new",
        string="Switched On, It Counts",
    )
    daily_limit = fields.Integer("At Most per Day", default=50)
    is_on = fields.Boolean("Switched On", readonly=True, copy=False)
    date_on = fields.Datetime("Switched On On", readonly=True, copy=False)
    error = fields.Char(readonly=True, copy=False)
    automation_id = fields.Many2one(
        "base.automation", string="Automation Rule", readonly=True, copy=False, index=True,
        ondelete="set null",
    )  # fmt: skip
    run_ids = fields.One2many("crm.strategy.run", "strategy_id", "Log")
    done_count = fields.Integer("Done", compute="_compute_run_counts")
    month_count = fields.Integer("Done in 30 Days", compute="_compute_run_counts")

    _check_numbers = models.Constraint(
        "CHECK (days >= 0 AND amount >= 0 AND daily_limit > 0)",
        "Days and amount cannot be negative, and at least one a day must be allowed.",
    )

    @api.depends("event")
    def _compute_event(self):
        events = self._get_events()
        for strategy in self:
            event = events.get(strategy.event, {})
            strategy.res_model = event.get("model", False)
            strategy.has_days = event.get("days", False)
            strategy.has_amount = event.get("amount", False)
            strategy.event_help = event.get("help", False)

    @api.depends("run_ids.state")
    def _compute_run_counts(self):
        Run = self.env["crm.strategy.run"]
        done = [("strategy_id", "in", self.ids), ("state", "=", "done")]
        recent = [("date", ">=", fields.Datetime.subtract(fields.Datetime.now(), days=30))]
        totals = dict(Run._read_group(done, ["strategy_id"], ["__count"]))
        months = dict(Run._read_group(done + recent, ["strategy_id"], ["__count"]))
        for strategy in self:
            strategy.done_count = totals.get(strategy, 0)
            strategy.month_count = months.get(strategy, 0)

    # ------------------------------------------------------------
    # CHECKS
    # ------------------------------------------------------------

    @api.constrains("event", "domain")
    def _check_domain(self):
        for strategy in self.filtered(lambda row: row._get_conditions()):
            try:
                # under the rights of the user, though constraints run as superuser: nobody asks
                # for what he may not see
                Records = self.env[strategy.res_model].sudo(False)
                Records.search(strategy._get_domain(), limit=1)
            except (AccessError, UserError):
                raise
            except Exception as error:
                raise ValidationError(
                    self.env._(
                        "“Conditions” of “%(name)s” cannot be evaluated: %(error)s",
                        name=strategy.name,
                        error=error,
                    )
                ) from error

    def _get_conditions(self):
        return (self.domain or "").replace(" ", "") not in ("", "[]")

    def _get_domain(self):
        """The conditions of the user."""
        self.ensure_one()
        return Domain(literal_eval(self.domain or "[]"))

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_controlled_fields(vals)
        context = {
            key: value
            for key, value in self.env.context.items()
            if key.removeprefix("default_") not in self._get_controlled_fields()
        }
        strategies = super(CrmStrategy, self.with_context(context)).create(vals_list)
        strategies._check_companies()
        strategies._link_automations()
        return strategies

    def write(self, vals):
        self._check_controlled_fields(vals)
        res = super().write(vals)
        self._check_companies()
        if not {"name", "event", "active"}.isdisjoint(vals):
            self._link_automations()
        if vals.get("active") is False:
            self.filtered("is_on").action_switch_off()
        if "event" in vals:
            # whom the new event concerns is looked at first
            self.filtered("is_on").action_switch_off()
        return res

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if self._has_other_companies():
            for vals in vals_list:
                vals["company_id"] = vals.get("company_id") or self.env.company.id
        return vals_list

    def unlink(self):
        self._check_companies()
        # sudo: the rule belongs to the strategy
        automations_sudo = self.sudo().automation_id
        res = super().unlink()
        automations_sudo.unlink()
        self._listen()
        return res

    @api.model
    def _get_controlled_fields(self):
        return {"is_on", "date_on", "error", "automation_id", "run_ids"}

    def _check_controlled_fields(self, vals):
        if not self.env.su and self._get_controlled_fields() & vals.keys():
            raise AccessError(
                self.env._("Strategies are switched by their buttons, and write their own log.")
            )

    @api.model
    def _has_other_companies(self):
        """Whether there are companies in which the user does not work."""
        own = self.env.user.company_ids.ids
        # sudo: whether there are any
        companies_sudo = self.env["res.company"].sudo()
        return not self.env.su and bool(companies_sudo.search_count([("id", "not in", own)], 1))

    def _check_companies(self):
        """Refuse strategies for companies in which the user does not work."""
        if self.env.su:
            return
        # Odoo has asked for the company before the change
        self.check_access("write")
        others = self._has_other_companies()
        for strategy in self:
            if others and not strategy.company_id:
                raise AccessError(
                    self.env._(
                        "“%(name)s” is for all companies, also those you do not work in. Make a"
                        " copy of it for your company.",
                        name=strategy.name,
                    )
                )

    def _link_automations(self):
        """Give each strategy its automation rule, and keep it in line."""
        # sudo: sales administrators need not manage Odoo's automation rules
        for strategy in self.sudo():
            values = {
                "name": self.env._("Strategy: %(name)s", name=strategy.name),
                "active": strategy.is_on,
            }
            model_id = self.env["ir.model"]._get_id(strategy.res_model)
            automation = strategy.automation_id.with_context(active_test=False)
            if automation and automation.model_id.id == model_id:
                automation.write(values)
                continue
            automation.unlink()
            strategy.automation_id = automation.create(
                {**values, "model_id": model_id, "trigger": TRIGGER}
            )

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_switch_on(self):
        """Let the strategy act from now on."""
        self.check_access("write")
        self._check_companies()
        now = fields.Datetime.now()
        for strategy in self.filtered(lambda row: not row.is_on):
            # sudo: what it may do is said by who may write it
            strategy_sudo = strategy.sudo()
            if not strategy.action_ids and not strategy_sudo.automation_id.action_server_ids:
                raise UserError(
                    self.env._("“%(name)s” does nothing yet: add an action.", name=strategy.name)
                )
            strategy_sudo.write({"is_on": True, "date_on": now, "error": False})
            if strategy.start == "new":
                strategy_sudo._skip_present(now)
            self._wake()
        self._link_automations()
        self._listen()
        return True

    def action_switch_off(self):
        """Let the strategy do nothing more; what it has done stays."""
        self.check_access("write")
        self._check_companies()
        # sudo: written by the system only
        self.sudo().write({"is_on": False})
        self._link_automations()
        self._listen()
        return True

    def action_dry_run(self):
        """List whom the strategy would touch now, without touching anybody."""
        self.ensure_one()
        self.check_access("write")
        preview = self.env["crm.strategy.preview"].create({"strategy_id": self.id})
        preview._fill(fields.Datetime.now())
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Dry Run: %(name)s", name=self.name),
            "res_model": preview._name,
            "res_id": preview.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_open_runs(self):
        """What this strategy has done."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": "crm.strategy.run",
            "views": [(False, "list")],
            "domain": [("strategy_id", "=", self.id)],
            "context": {"search_default_done": 1},
        }

    def action_open_automation(self):
        """The automation rule, to which further server actions are added."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "base.automation",
            "res_id": self.automation_id.id,
            "views": [(False, "form")],
        }
