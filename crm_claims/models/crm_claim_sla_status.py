from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim_sla_target import TARGETS, UNITS
from odoo.addons.crm_claims.tools.deadline import get_used
from odoo.tools import formatLang

#: how a deadline of a claim stands
STATES = [
    ("running", "Running"),
    ("paused", "Waiting for Client"),
    ("met", "Kept"),
    ("failed", "Missed"),
    ("void", "Dropped"),
]


class CrmClaimSlaStatus(models.Model):
    """A deadline of a claim: one row for each target, and a new one each time it is reopened.

    - *Running* until it is done or over. *Waiting for Client*: the time stands still and there is
      no deadline until he answers. *Kept*: done in time. *Missed*: over, whether done later or not;
      that stays. *Dropped*: the claim was cancelled before.
    - The row keeps by which policy, schedule, unit and amount it was counted.
    - Written by the claim only (``crm_claim_deadline.py``); nobody edits it.
    """

    _name = "crm.claim.sla.status"
    _description = "Deadline of a Claim"
    _order = "cycle desc, date_deadline, id"
    _rec_name = "target"
    _log_access = False

    claim_id = fields.Many2one(
        "crm.claim", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    target = fields.Selection(TARGETS, required=True, readonly=True)
    cycle = fields.Integer(
        "Reopening", readonly=True, help="How many times the claim had been reopened by then."
    )
    sla_id = fields.Many2one(
        "crm.claim.sla",
        "Policy",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="Policy whose deadline is the strictest; empty: the days of the team, or a date "
        "promised before policies were used.",
    )
    calendar_id = fields.Many2one(
        "resource.calendar",
        "Working Schedule",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    unit = fields.Selection(UNITS, readonly=True)
    amount = fields.Float("Within", readonly=True, digits=(8, 2))
    warn_percent = fields.Integer("Warn at (%)", readonly=True)
    date_start = fields.Datetime("Counted From", required=True, readonly=True)
    date_warning = fields.Datetime("Warning", readonly=True)
    date_deadline = fields.Datetime("Deadline", readonly=True)
    date_done = fields.Datetime("Done", readonly=True)
    state = fields.Selection(STATES, required=True, readonly=True, default="running")
    paused_hours = fields.Float("Waited (Hours)", readonly=True, digits=(12, 2))
    date_warned = fields.Datetime("Warned", readonly=True)
    date_alarmed = fields.Datetime("Reported as Missed", readonly=True)
    allowance = fields.Char(compute="_compute_allowance", help="How much time the policy gives.")
    remaining_text = fields.Char("Time Left", compute="_compute_remaining")
    remaining = fields.Float(
        compute="_compute_remaining",
        digits=(8, 2),
        help="What is left of the time, in the unit of the target; below zero: how much too late.",
    )

    # of the claim, for lists
    user_id = fields.Many2one(related="claim_id.user_id")
    partner_id = fields.Many2one(related="claim_id.partner_id")
    severity = fields.Selection(related="claim_id.severity")
    stage_id = fields.Many2one(related="claim_id.stage_id")

    _claim_target_uniq = models.UniqueIndex("(claim_id, target, cycle)")
    _deadline_idx = models.Index("(date_deadline) WHERE date_done IS NULL AND state = 'running'")
    _warning_idx = models.Index(
        "(date_warning) WHERE date_done IS NULL AND state = 'running' AND date_warned IS NULL"
    )
    _alarm_idx = models.Index("(id) WHERE state = 'failed' AND date_alarmed IS NULL")

    @api.depends("amount", "unit")
    @api.depends_context("lang")
    def _compute_allowance(self):
        for status in self:
            status.allowance = status._format_time(status.amount)

    def _format_time(self, amount):
        """An amount of time in the unit of the deadline, in short; False without a unit."""
        self.ensure_one()
        number = formatLang(self.env, amount, digits=0 if amount == round(amount) else 1)
        number = number.replace("-", "\N{MINUS SIGN}")
        if self.unit == "hours":
            return self.env._("%(amount)s working h", amount=number)
        if self.unit == "working_days":
            return self.env._("%(amount)s working d", amount=number)
        return self.env._("%(amount)s d", amount=number) if self.unit else False

    @api.depends("date_start", "date_done", "amount", "unit", "state")
    @api.depends_context("lang")
    def _compute_remaining(self):
        now = fields.Datetime.now()
        for status in self:
            if not status.unit or status.state == "void":
                status.remaining, status.remaining_text = 0, False
                continue
            claim_sudo = status.sudo().claim_id
            company_sudo = claim_sudo.company_id
            moment = status.date_done or now
            start = company_sudo._get_claim_count_start(
                status.calendar_id, status.unit, status.date_start
            )
            clock = company_sudo._get_claim_clock(
                status.unit, status.calendar_id.id, start.year - 1, max(moment, start).year + 1
            )
            used = get_used(clock, start, moment, claim_sudo._get_pauses())
            status.remaining = status.amount - float(used)
            status.remaining_text = status._format_time(round(status.remaining, 1))

    def action_open_claim(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim",
            "res_id": self.claim_id.id,
            "view_mode": "form",
        }
