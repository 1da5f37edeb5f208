from odoo import api, fields, models
from odoo.addons.crm_claims.tools.deadline import CALENDAR_DAYS, HOURS, WORKING_DAYS

TARGETS = [
    ("acknowledge", "Acknowledge"),
    ("answer", "First Answer"),
    ("decide", "Decide"),
    ("close", "Close"),
]
UNITS = [
    (HOURS, "Working Hours"),
    (WORKING_DAYS, "Working Days"),
    (CALENDAR_DAYS, "Calendar Days"),
]


class CrmClaimSlaTarget(models.Model):
    """One target of a policy: what, within how much time of which kind, and when to warn."""

    _name = "crm.claim.sla.target"
    _description = "Target of a Claim Deadline Policy"
    _order = "sla_id, id"

    sla_id = fields.Many2one("crm.claim.sla", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="sla_id.company_id", store=True, index=True)
    target = fields.Selection(
        TARGETS,
        required=True,
        help="Acknowledge: the client knows that we have his claim. First Answer: somebody has "
        "written to him. Decide: the decision is announced. Close: he has accepted it, or kept "
        "silent.",
    )
    amount = fields.Float("Within", required=True, default=1.0, digits=(8, 2))
    unit = fields.Selection(UNITS, required=True, default=WORKING_DAYS)
    warn_percent = fields.Integer(
        "Warn at (%)",
        required=True,
        default=75,
        help="Share of the time after which the responsible is warned; 100: not before it is over.",
    )

    _target_uniq = models.Constraint(
        "UNIQUE(sla_id, target)", "A policy has each target at most once."
    )
    _amount_positive = models.Constraint(
        "CHECK(amount > 0 AND amount <= 10000)",
        "The time of a target lies above 0 and up to 10,000 hours or days.",
    )
    _warn_range = models.Constraint(
        "CHECK(warn_percent > 0 AND warn_percent <= 100)",
        "The share of the time at which to warn lies between 1 and 100 %.",
    )

    @api.depends("target", "amount", "unit")
    def _compute_display_name(self):
        targets = dict(self._fields["target"]._description_selection(self.env))
        units = dict(self._fields["unit"]._description_selection(self.env))
        for line in self:
            line.display_name = (
                f"{targets.get(line.target, '')}: {line.amount:g} {units.get(line.unit, '')}"
            )

    @api.model_create_multi
    def create(self, vals_list):
        targets = super().create(vals_list)
        targets.sla_id._refresh_claims()
        return targets

    def write(self, vals):
        policies = self.sla_id
        result = super().write(vals)
        (policies | self.sla_id)._refresh_claims()
        return result

    @api.ondelete(at_uninstall=False)
    def _refresh_claims_of_deleted(self):
        self.sla_id._refresh_claims()
