from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim import REMEDIES
from odoo.exceptions import UserError
from odoo.fields import Command


class CrmClaimDecision(models.TransientModel):
    """The decision on a claim, with what is granted, announced in one step.

    The claim's own checks apply (cause, text, recourse, shares, legal move). A refund of
    invoiced items makes the draft credit note at once, and the granted amount is its total.
    """

    _name = "crm.claim.decision"
    _description = "Decide a Claim"

    claim_id = fields.Many2one("crm.claim", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="claim_id.currency_id", related_sudo=False)
    company_id = fields.Many2one(related="claim_id.company_id", related_sudo=False)
    amount_claimed = fields.Monetary(related="claim_id.amount_claimed", related_sudo=False)
    remedy = fields.Selection(related="claim_id.remedy", related_sudo=False)
    decision = fields.Selection(
        [("satisfied", "Satisfied"), ("partly", "Partly Satisfied"), ("rejected", "Rejected")],
        required=True,
        default="satisfied",
    )
    cause_id = fields.Many2one(
        "crm.claim.cause", compute="_compute_from_claim", store=True, readonly=False
    )
    decision_text = fields.Html(
        "Text to the Client", compute="_compute_from_claim", store=True, readonly=False
    )
    recourse = fields.Html(compute="_compute_from_claim", store=True, readonly=False)
    remedy_granted = fields.Selection(
        REMEDIES, compute="_compute_remedy_granted", store=True, readonly=False
    )
    line_ids = fields.One2many(
        "crm.claim.decision.line",
        "wizard_id",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    create_credit_note = fields.Boolean(
        "Draft Credit Note",
        compute="_compute_create_credit_note",
        store=True,
        readonly=False,
        help="Credit the granted quantities on the invoices they came on; accountants post it.",
    )
    amount_granted = fields.Monetary(compute="_compute_amount_granted", store=True, readonly=False)
    send_mail = fields.Boolean("Send the Decision to the Client", default=True)

    @api.constrains("claim_id")
    def _check_claim_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        # constraints run as superuser
        self.sudo(False).claim_id.check_access("write")

    @api.depends("claim_id")
    def _compute_from_claim(self):
        for wizard in self:
            wizard.cause_id = wizard.claim_id.cause_id
            wizard.decision_text = wizard.claim_id.decision_text
            wizard.recourse = wizard.claim_id.recourse

    @api.depends("claim_id", "decision")
    def _compute_remedy_granted(self):
        for wizard in self:
            wizard.remedy_granted = (
                False if wizard.decision == "rejected" else wizard.claim_id.remedy
            )

    @api.depends("claim_id")
    def _compute_line_ids(self):
        for wizard in self:
            wizard.line_ids = [Command.clear()] + [
                Command.create({"claim_line_id": line.id, "quantity_granted": line.quantity})
                for line in wizard.claim_id.line_ids
            ]

    @api.depends("remedy_granted", "claim_id")
    def _compute_create_credit_note(self):
        for wizard in self:
            wizard.create_credit_note = (
                wizard.remedy_granted == "refund" and wizard.claim_id._has_invoiced_lines()
            )

    @api.depends("decision", "remedy_granted", "line_ids.amount")
    def _compute_amount_granted(self):
        for wizard in self:
            if wizard.decision == "rejected" or wizard.remedy_granted not in ("refund", "discount"):
                wizard.amount_granted = 0
            elif wizard.line_ids:
                wizard.amount_granted = sum(wizard.line_ids.mapped("amount"))
            else:
                wizard.amount_granted = wizard.claim_id.amount_claimed

    def action_decide(self):
        """Write the decision, move the claim, create the credit note, tell the customer."""
        self.ensure_one()
        claim = self.claim_id
        claim.check_access("write")
        rejected = self.decision == "rejected"
        if self.create_credit_note and (rejected or self.remedy_granted != "refund"):
            raise UserError(self.env._("A credit note goes with the remedy Refund only."))
        claim._move_to("rejected" if rejected else "decided", **self._prepare_claim_values())
        if self.create_credit_note:
            claim._create_credit_notes()
        if self.send_mail:
            claim._send_decision()
        return {"type": "ir.actions.act_window_close"}

    def _prepare_claim_values(self):
        rejected = self.decision == "rejected"
        return {
            "cause_id": self.cause_id.id,
            "decision": self.decision,
            "decision_text": self.decision_text,
            "recourse": self.recourse,
            "remedy_granted": False if rejected else self.remedy_granted,
            "amount_granted": 0 if rejected else self.amount_granted,
            "line_ids": [
                Command.update(
                    line.claim_line_id.id,
                    {"quantity_granted": 0 if rejected else line.quantity_granted},
                )
                for line in self.line_ids
                if line.claim_line_id.claim_id == self.claim_id
            ],
        }
