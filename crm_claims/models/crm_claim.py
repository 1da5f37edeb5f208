from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import ValidationError

REMEDIES = [
    ("refund", "Refund"),
    ("replacement", "Replacement"),
    ("repair", "Repair"),
    ("discount", "Discount on Next Order"),
    ("explanation", "Explanation or Apology"),
    ("other", "Other"),
]
KINDS = [("consumer", "Consumer Claim"), ("pretrial", "Pre-trial Claim")]
CHANNELS = [
    ("portal", "Portal"),
    ("phone", "Phone"),
    ("email", "Email"),
    ("meeting", "Meeting"),
    ("other", "Other"),
]
SEVERITIES = [("0", "Low"), ("1", "Normal"), ("2", "High"), ("3", "Critical")]


class CrmClaim(models.Model):
    """A complaint of anybody about us: registered, acknowledged, investigated, decided, answered.

    - The claimant is a partner, or free text (name, e-mail, phone) until somebody links a card.
      An order fills the claimant in.
    - The number comes from the sequence of the claim's company and never changes.
    - A stage has a state; moves between states are legal or refused, whichever road they take
      (``crm_claim_workflow.py``). Dates of the steps are stamped by the moves.
    - Deadlines come from policies (``crm_claim_deadline.py``); the one for the decision is the date
      that the customer is promised (``crm_claim_promise.py``).
    - Guilt is a set of departments or employees whose shares add up to 100 %; the department
      with the largest share is the claim's main department.
    - The decision is answered by the customer, or by a manager with a reason
      (``crm_claim_answer.py``). A refund becomes a draft credit note (``crm_claim_refund.py``).
    - A confidential claim is read by its responsible, its followers and claims managers only.
    """

    _name = "crm.claim"
    _description = "Claim"
    _inherit = ["portal.mixin", "mail.activity.mixin", "rating.mixin", "crm.interaction.mixin"]
    _order = "severity desc, date_promised, id desc"
    _rec_names_search = ["name", "subject", "partner_name", "partner_id.name"]
    _check_company_auto = True
    _primary_email = "email_from"

    # what happened
    name = fields.Char("Number", readonly=True, copy=False, default="/", index="trigram")
    subject = fields.Char(required=True, tracking=True, index="trigram")
    description = fields.Html(help="The complaint in the client's words.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    category_id = fields.Many2one("crm.claim.category", tracking=True, index="btree_not_null")
    cause_id = fields.Many2one(
        "crm.claim.cause", tracking=True, index="btree_not_null", ondelete="restrict"
    )
    kind = fields.Selection(
        KINDS,
        required=True,
        default="consumer",
        tracking=True,
        help="A pre-trial claim is a formal demand before a lawsuit: the law or the contract sets "
        "its deadline.",
    )
    severity = fields.Selection(SEVERITIES, required=True, default="1", tracking=True)
    channel = fields.Selection(
        CHANNELS,
        required=True,
        default="phone",
        help="How the claim reached us.",
    )
    confidential = fields.Boolean(
        tracking=True,
        help="Only the responsible, followers and claims managers can read this claim.",
    )
    color = fields.Integer()

    _name_company_uniq = models.UniqueIndex(
        "(company_id, name) WHERE name <> '/'", "The claim number is used already."
    )

    @api.depends("name", "subject", "confidential")
    @api.depends_context("uid")
    def _compute_display_name(self):
        # Names are shown as superuser wherever a document points to a claim: the subject of a
        # confidential one is left out for who may not read it.
        # sudo: customers read their claim, but not whether it is confidential
        secret = self._origin.sudo().filtered("confidential").sudo(False)
        hidden_ids = set((secret - secret._filtered_access("read")).ids)
        for claim in self:
            number = claim.name if claim.name and claim.name != "/" else ""
            subject = "" if claim._origin.id in hidden_ids else claim.subject
            claim.display_name = " ".join(filter(None, [number, subject])) or self.env._(
                "New Claim"
            )

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = self._number_claims(vals_list)
        claims = (
            super(CrmClaim, self._defer_fault_check(self.browse()))
            .create(vals_list)
            .with_env(self.env)
        )
        # sudo: with whatever guilt they came, be it by a default
        claims.filtered(lambda claim: claim.sudo().fault_ids)._after_fault_change()
        claims._assign_responsible(
            claims.browse(
                claim.id
                for claim, vals in zip(claims, vals_list, strict=True)
                if "user_id" not in vals
            )
        )
        return claims

    @api.model
    def _number_claims(self, vals_list):
        """``vals_list`` with a number for each claim that brings none, by company and year."""
        numbered = [dict(vals) for vals in vals_list]
        wanted = defaultdict(list)
        for vals in numbered:
            if vals.get("name", "/") in ("/", False, ""):
                company_id = vals.get("company_id") or self.env.company.id
                moment = fields.Datetime.to_datetime(vals.get("date_registered") or False)
                day = self.env["res.company"].browse(company_id)._get_claim_day(moment)
                wanted[company_id, day.year].append(vals)
        for (company_id, year), group in wanted.items():
            company = self.env["res.company"].browse(company_id)
            numbers = company._next_claim_numbers(len(group), year)
            for vals, number in zip(group, numbers, strict=True):
                vals["name"] = number
        return numbered

    def write(self, vals):
        if "fault_ids" not in vals:
            return super().write(vals)
        result = super(CrmClaim, self._defer_fault_check(self)).write(vals)
        self._after_fault_change()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_handled(self):
        for claim in self:
            if claim.state not in ("new", "cancelled"):
                raise ValidationError(
                    self.env._(
                        "Claim %(claim)s has been handled: archive it instead of deleting it.",
                        claim=claim.display_name,
                    )
                )

    def _get_interaction_chain_triggers(self):
        return super()._get_interaction_chain_triggers() | {"confidential"}

    def _prepare_interaction_chain_values(self):
        values = super()._prepare_interaction_chain_values() | {"confidential": self.confidential}
        if self.confidential:
            values["name"] = self.name
        return values
