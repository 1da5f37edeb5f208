from odoo import fields, models


class CrmClaimPause(models.Model):
    """A time in which a claim waited for the client: since when, for what, until when.

    It does not count towards the deadlines. Written by the moves of the claim only.
    """

    _name = "crm.claim.pause"
    _description = "Wait for the Client"
    _order = "date_from desc, id desc"
    _log_access = False

    claim_id = fields.Many2one(
        "crm.claim", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="claim_id.company_id", store=True, index=True)
    date_from = fields.Datetime("Since", required=True, readonly=True)
    date_to = fields.Datetime("Until", readonly=True)
    question = fields.Text("Waited For", readonly=True)

    _order_of_dates = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "A wait cannot end before it begins."
    )
