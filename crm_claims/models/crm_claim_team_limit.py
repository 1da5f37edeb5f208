from odoo import fields, models


class CrmClaimTeam(models.Model):
    """What a team may grant without asking."""

    _inherit = "crm.claim.team"

    approval_limit = fields.Float(
        help="A decision that grants more in all, in the currency of the claim's company, is for "
        "the team leader or a claims administrator. 0: no limit.",
    )

    _approval_limit_positive = models.Constraint(
        "CHECK(COALESCE(approval_limit, 0) >= 0)", "The limit of a team cannot be negative."
    )
