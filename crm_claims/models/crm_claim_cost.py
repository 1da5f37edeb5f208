from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: what an hour of an employee costs; there is such a field where hr_hourly_cost is installed
EMPLOYEE_RATE = "hourly_cost"
COST_KINDS = [
    ("goods", "Goods and Material"),
    ("transport", "Transport"),
    ("labour", "Labour"),
    ("service", "Services of Others"),
    ("penalty", "Penalty"),
    ("other", "Other"),
]


class CrmClaimCost(models.Model):
    """A cost that a claim caused beside what was granted: an entry of its ledger.

    - Labour is hours at a rate: that of the department, or of the employee if who enters the cost
      may read what he costs; both may be overwritten. Where time sheets are installed, the time
      booked on tasks of the claim's investigations is added by the cost report, not here.
    - Amounts are in the currency of the claim's company.
    - Which departments bear it is decided by their share of the guilt (`crm.claim.cost.report`),
      not by who did the work.
    """

    _name = "crm.claim.cost"
    _description = "Cost of a Claim"
    _order = "date desc, id desc"
    _check_company_auto = True

    claim_id = fields.Many2one("crm.claim", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="claim_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, default=fields.Date.context_today)
    kind = fields.Selection(COST_KINDS, required=True, default="goods")
    name = fields.Char("Description", required=True)
    hours = fields.Float()
    employee_id = fields.Many2one("hr.employee", "Done By", check_company=True, index=True)
    department_id = fields.Many2one(
        "hr.department",
        "Working Department",
        compute="_compute_department_id",
        store=True,
        readonly=False,
        precompute=True,
        check_company=True,
        index=True,
        help="Who did the work. Who bears the cost is decided by the shares of guilt.",
    )
    rate = fields.Monetary(
        "Hourly Rate", compute="_compute_rate", store=True, readonly=False, precompute=True
    )
    amount = fields.Monetary(
        compute="_compute_amount", store=True, readonly=False, precompute=True, required=True
    )

    _positive = models.Constraint(
        "CHECK(COALESCE(hours, 0) >= 0 AND COALESCE(rate, 0) >= 0 AND amount >= 0)",
        "Hours, rate and amount of a cost cannot be negative.",
    )

    @api.depends("employee_id")
    def _compute_department_id(self):
        for cost in self:
            # sudo: which department an employee belongs to is not a secret
            department = cost.employee_id.sudo().department_id
            cost.department_id = department.sudo(False) or cost.department_id

    @api.depends("employee_id", "department_id", "kind")
    def _compute_rate(self):
        for cost in self:
            cost.rate = cost._get_default_rate() if cost.kind == "labour" else 0.0

    def _get_default_rate(self):
        """Rate of an hour: the employee's own, else the department's, else the one already set.

        What an employee costs is for the personnel department: his own rate is taken only if the
        user may read it, though stored values are computed as superuser.
        """
        self.ensure_one()
        employee = self.employee_id.sudo(False)
        cost = employee._fields.get(EMPLOYEE_RATE)
        own = 0.0
        if (
            employee
            and cost
            and employee._has_field_access(cost, "read")
            and employee.has_access("read")
        ):
            own = employee[EMPLOYEE_RATE]
        # sudo: the rate of a department is an average, which handlers count with
        return own or self.department_id.sudo().claim_hourly_rate or self.rate

    @api.depends("hours", "rate", "kind")
    def _compute_amount(self):
        for cost in self:
            if cost.kind == "labour":
                cost.amount = cost.hours * cost.rate
            else:
                cost.amount = cost.amount or 0.0

    @api.constrains("kind", "hours", "amount")
    def _check_worth(self):
        for cost in self:
            if not cost.amount and not cost.hours:
                raise ValidationError(
                    self.env._("%(cost)s: give an amount, or hours at a rate.", cost=cost.name)
                )


class CrmClaim(models.Model):
    """The ledger on the claim, and its total."""

    _inherit = "crm.claim"

    cost_ids = fields.One2many(
        "crm.claim.cost",
        "claim_id",
        string="Costs",
        groups="crm_claims.crm_claims_group_user,account.group_account_invoice,"
        "account.group_account_readonly",
    )
    cost_total = fields.Monetary(
        compute="_compute_cost_total",
        groups="crm_claims.crm_claims_group_user,account.group_account_invoice,"
        "account.group_account_readonly",
        help="What was granted, what was entered here, and labour booked on the investigation.",
    )

    @api.depends("cost_ids.amount", "remedy_ids.amount", "remedy_ids.state")
    def _compute_cost_total(self):
        totals = dict(
            self.env["crm.claim.cost.report"]
            # sudo: a total of a claim that the user reads
            .sudo()
            ._read_group([("claim_id", "in", self.ids)], ["claim_id"], ["amount:sum"])
        )
        for claim in self:
            claim.cost_total = totals.get(claim._origin.sudo(), 0.0)

    def action_view_costs(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_claims.crm_claim_cost_report_action"
        )
        return action | {"domain": [("claim_id", "=", self.id)], "context": {}}
