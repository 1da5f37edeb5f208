from odoo import fields, models


class HrDepartment(models.Model):
    """What an hour of a department's work costs, for claims."""

    _inherit = "hr.department"

    claim_hourly_rate = fields.Float(
        "Hourly Rate for Claims",
        groups="hr.group_hr_user,crm_claims.crm_claims_group_user",
        help="Cost of an hour of work on claims, in the currency of the company. An employee's own "
        "hourly cost, where it is kept, comes first.",
    )
