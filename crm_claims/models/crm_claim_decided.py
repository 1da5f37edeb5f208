from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim import REMEDIES
from odoo.addons.crm_claims.models.crm_claim_stage import ANSWERABLE_STATES


class CrmClaim(models.Model):
    """What is asked for, what is decided and granted, and what the customer says to it."""

    _inherit = "crm.claim"

    remedy = fields.Selection(
        REMEDIES,
        "Remedy Sought",
        tracking=True,
        help="What the client asks for.",
    )
    remedy_granted = fields.Selection(
        REMEDIES,
        copy=False,
        tracking=True,
    )
    amount_granted = fields.Monetary(copy=False, tracking=True)
    decision = fields.Selection(
        [("satisfied", "Satisfied"), ("partly", "Partly Satisfied"), ("rejected", "Rejected")],
        copy=False,
        tracking=True,
    )
    decision_text = fields.Html(copy=False, help="Reasons of the decision; the client reads this.")
    recourse = fields.Html(
        copy=False,
        help="What the client can do if he does not agree; required when a claim is rejected.",
    )
    customer_answer = fields.Selection(
        [("accepted", "Accepted"), ("rejected", "Not Accepted")],
        readonly=True,
        copy=False,
        tracking=True,
    )
    customer_answer_reason = fields.Text(readonly=True, copy=False, tracking=True)
    customer_answer_date = fields.Datetime(readonly=True, copy=False)
    is_closable = fields.Boolean(compute="_compute_is_closable")
    credit_note_ids = fields.One2many("account.move", "claim_id", string="Credit Notes", copy=False)
    credit_note_count = fields.Integer(compute="_compute_credit_note_count", compute_sudo=True)
    _amounts_positive = models.Constraint(
        "CHECK(COALESCE(amount_claimed, 0) >= 0 AND COALESCE(amount_granted, 0) >= 0)",
        "Claimed and granted amounts cannot be negative.",
    )

    @api.depends("state", "customer_answer", "date_decided")
    def _compute_is_closable(self):
        for claim in self:
            claim.is_closable = claim.state in ANSWERABLE_STATES and claim._can_close()

    @api.depends("credit_note_ids")
    def _compute_credit_note_count(self):
        for claim in self:
            claim.credit_note_count = len(claim.credit_note_ids)
