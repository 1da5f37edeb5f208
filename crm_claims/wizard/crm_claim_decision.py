from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class CrmClaimDecision(models.TransientModel):
    """The decision on a claim, with what is granted, announced in one step.

    The claim's own checks apply (cause, text, recourse, shares, legal move). Remedies lead to
    their documents at once: draft credit note, draft order, task. A decision above the limit of
    the team asks its leader or a claims administrator instead, and is announced when they approve.
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
    template_id = fields.Many2one(
        "mail.template",
        "Prepared Text",
        domain="[('model', '=', 'crm.claim'), ('crm_claim_decision', 'in', [decision, 'any'])]",
        help="Fills in the text in the client's language.",
    )
    decision_text = fields.Html(
        "Text to the Client", compute="_compute_decision_text", store=True, readonly=False
    )
    recourse = fields.Html(compute="_compute_from_claim", store=True, readonly=False)
    remedy_ids = fields.One2many(
        "crm.claim.decision.remedy",
        "wizard_id",
        compute="_compute_remedy_ids",
        store=True,
        readonly=False,
    )
    amount_before = fields.Monetary("Granted Before", compute="_compute_amounts")
    amount_granted = fields.Monetary("Granted in All", compute="_compute_amounts")
    approval_amount = fields.Monetary(
        "Counted for Approval",
        compute="_compute_amounts",
        help="What is granted in all; goods that no order vouches for at least at list price.",
    )
    approval_limit = fields.Monetary(compute="_compute_amounts")
    needs_approval = fields.Boolean(compute="_compute_amounts")
    send_mail = fields.Boolean("Send the Decision to the Client", default=True)

    @api.constrains("claim_id")
    def _check_claim_access(self):
        """A dialog on a record that the user may not work on would show him what is in it."""
        # constraints run as superuser
        self.sudo(False).claim_id.check_access("write")

    @api.depends("claim_id")
    def _compute_from_claim(self):
        for wizard in self:
            claim = wizard._get_claim()
            wizard.cause_id = claim.cause_id
            wizard.recourse = claim.recourse

    def _get_claim(self):
        """The claim of the dialog, with the rights of the user; empty if he may not work on it.

        Stored values are computed as superuser, and also for a dialog that is never saved.
        """
        self.ensure_one()
        return self.sudo(False).claim_id._origin._filtered_access("write")

    @api.depends("claim_id", "template_id")
    def _compute_decision_text(self):
        for wizard in self:
            claim = wizard._get_claim()
            if claim and wizard._is_prepared_text():
                wizard.decision_text = wizard._render_template(claim)
            elif not wizard.decision_text:
                wizard.decision_text = claim.decision_text

    def _is_prepared_text(self):
        """Whether the chosen template is one for decisions; others are about other records."""
        template = self.template_id
        return template.model == "crm.claim" and bool(template.crm_claim_decision)

    def _render_template(self, claim):
        """Body of the prepared text in the language of the claim's customer.

        Rendered with the rights of the user: templates are written by all sorts of people.
        """
        template = self.sudo(False).template_id
        return template._render_field("body_html", claim.ids, compute_lang=True)[claim.id]

    @api.depends("claim_id", "decision")
    def _compute_remedy_ids(self):
        for wizard in self:
            rows = [] if wizard.decision == "rejected" else wizard._prepare_default_remedies()
            wizard.remedy_ids = [Command.clear(), *(Command.create(row) for row in rows)]

    def _prepare_default_remedies(self):
        """What the customer asks for, as far as it was not granted before."""
        claim = self._get_claim()
        kind = claim.remedy or "explanation"
        if kind in ("refund", "replacement") and claim.line_ids:
            rows = []
            for line in claim.line_ids:
                given = (
                    claim.sudo()
                    .remedy_ids._filter_alive()
                    .filtered(
                        lambda row, line=line: row.claim_line_id == line._origin
                        and row.kind in ("refund", "replacement")
                    )
                )
                left = line.quantity - sum(row.quantity * row._get_refund_ratio() for row in given)
                if left > 0:
                    rows.append(
                        {
                            "kind": kind,
                            "claim_line_id": line._origin.id,
                            "quantity": left,
                            "amount": left * line.price_unit,
                        }
                    )
            return rows
        amount = claim.amount_claimed if kind in ("refund", "discount") else 0.0
        if kind in ("refund", "discount") and not amount:
            return []
        return [{"kind": kind, "amount": amount}]

    @api.depends(
        "claim_id", "decision", "remedy_ids.amount", "remedy_ids.quantity", "remedy_ids.kind"
    )
    def _compute_amounts(self):
        for wizard in self:
            # sudo: figures of a claim that the user decides on
            claim = wizard._get_claim()
            claim_sudo = claim.sudo()
            before_sudo = claim_sudo.remedy_ids._filter_alive()
            wizard.amount_before = sum(before_sudo.mapped("amount"))
            amounts = [row._prepare_remedy_values()["amount"] for row in wizard.remedy_ids]
            wizard.amount_granted = wizard.amount_before + sum(amounts)
            wizard.approval_amount = (
                wizard.amount_granted
                + before_sudo._get_hidden_worth()
                + sum(
                    row.claim_line_id._get_hidden_worth(row.kind, row.quantity, amount)
                    for row, amount in zip(wizard.remedy_ids, amounts, strict=True)
                )
            )
            wizard.approval_limit = bool(claim) and claim._get_limit_team().approval_limit
            wizard.needs_approval = (
                bool(claim)
                and wizard.decision != "rejected"
                and claim._needs_approval(wizard.approval_amount)
            )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_decide(self):
        """Write the decision, move the claim, create the documents, tell the customer."""
        self.ensure_one()
        claim = self.claim_id
        claim.check_access("write")
        if self.needs_approval:
            raise UserError(claim._get_limit_message(self.approval_amount))
        claim._apply_decision(
            self._prepare_claim_values(), self._prepare_remedies(), self.send_mail
        )
        return {"type": "ir.actions.act_window_close"}

    def action_request_approval(self):
        """Put the decision before somebody who may make it."""
        self.ensure_one()
        self.env["crm.claim.approval"]._request(
            self.claim_id,
            self._prepare_claim_values(),
            self._prepare_remedies(),
            self.send_mail,
            self.approval_amount,
        )
        return {"type": "ir.actions.act_window_close"}

    def _prepare_claim_values(self):
        return {
            "cause_id": self.cause_id.id,
            "decision": self.decision,
            "decision_text": self.decision_text,
            "recourse": self.recourse,
        }

    def _prepare_remedies(self):
        if self.decision == "rejected":
            return []
        return [row._prepare_remedy_values() for row in self.remedy_ids]
