from odoo import api, fields, models
from odoo.addons.crm_claims.models.crm_claim_stage import (
    ANSWERABLE_STATES,
    CLAIM_STATES,
    OPEN_STATES,
)
from odoo.exceptions import ValidationError
from odoo.fields import Domain

REMEDIES = [
    ("refund", "Refund"),
    ("replacement", "Replacement"),
    ("repair", "Repair"),
    ("discount", "Discount on Next Order"),
    ("explanation", "Explanation or Apology"),
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
    - The customer is promised a date: so many working days after registration, by severity or
      by team.
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
    severity = fields.Selection(SEVERITIES, required=True, default="1", tracking=True)
    channel = fields.Selection(
        [
            ("portal", "Portal"),
            ("phone", "Phone"),
            ("email", "Email"),
            ("meeting", "Meeting"),
            ("other", "Other"),
        ],
        required=True,
        default="phone",
        help="How the claim reached us.",
    )
    confidential = fields.Boolean(
        tracking=True,
        help="Only the responsible, followers and claims managers can read this claim.",
    )
    color = fields.Integer()

    # claimant
    partner_id = fields.Many2one(
        "res.partner",
        "Client",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        precompute=True,
        index=True,
        tracking=True,
        check_company=True,
    )
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id",
        string="Company of Client",
        store=True,
        index=True,
    )
    partner_name = fields.Char(
        "Claimant",
        compute="_compute_partner_contact",
        store=True,
        readonly=False,
        precompute=True,
        help="Who complains, as long as there is no contact card.",
    )
    email_from = fields.Char(
        "Email",
        compute="_compute_partner_contact",
        store=True,
        readonly=False,
        precompute=True,
    )
    partner_phone = fields.Char(
        "Phone",
        compute="_compute_partner_contact",
        store=True,
        readonly=False,
        precompute=True,
    )

    # who handles it
    team_id = fields.Many2one(
        "crm.claim.team",
        compute="_compute_team_id",
        store=True,
        readonly=False,
        precompute=True,
        index=True,
        tracking=True,
        check_company=True,
    )
    user_id = fields.Many2one(
        "res.users",
        "Responsible",
        index=True,
        tracking=True,
        check_company=True,
        domain="[('share', '=', False)]",
    )
    stage_id = fields.Many2one(
        "crm.claim.stage",
        index=True,
        tracking=True,
        copy=False,
        ondelete="restrict",
        group_expand="_read_group_stage_ids",
        domain="['|', ('team_ids', '=', False), ('team_ids', 'in', team_id)]",
        default=lambda self: self._get_stage_of_state("new"),
    )
    state = fields.Selection(CLAIM_STATES, compute="_compute_state", store=True, index=True)
    is_open = fields.Boolean("Open", compute="_compute_state", store=True)

    # what it is about
    order_id = fields.Many2one(
        "sale.order",
        "Sales Order",
        index="btree_not_null",
        tracking=True,
        check_company=True,
        domain="[('state', '=', 'sale'), ('company_id', '=', company_id)]",
    )
    line_ids = fields.One2many("crm.claim.line", "claim_id", string="Claimed Items", copy=True)
    invoice_ids = fields.Many2many(
        "account.move",
        string="Invoices",
        compute="_compute_invoice_ids",
        compute_sudo=True,
        help="Posted invoices of the claimed order.",
    )

    # guilt and investigation
    fault_ids = fields.One2many(
        "crm.claim.fault",
        "claim_id",
        string="Guilt",
        groups="crm_claims.crm_claims_group_user",
    )
    department_id = fields.Many2one(
        "hr.department",
        "Guilty Department",
        compute="_compute_department_id",
        compute_sudo=True,
        store=True,
        index="btree_not_null",
        help="Department with the largest share of the guilt.",
    )
    investigation_ids = fields.Many2many(
        "crm.claim.investigation",
        "crm_claim_investigation_rel",
        "claim_id",
        "investigation_id",
        string="Investigations",
        copy=False,
        groups="crm_claims.crm_claims_group_user",
    )
    investigation_count = fields.Integer(
        compute="_compute_investigation_count", groups="crm_claims.crm_claims_group_user"
    )
    task_count = fields.Integer(
        compute="_compute_investigation_count", groups="crm_claims.crm_claims_group_user"
    )
    investigation_progress = fields.Float(
        compute="_compute_investigation_count", groups="crm_claims.crm_claims_group_user"
    )

    # dates
    date_registered = fields.Datetime(
        "Registered", required=True, default=fields.Datetime.now, copy=False, index=True
    )
    date_acknowledged = fields.Datetime("Acknowledged", readonly=True, copy=False)
    date_decided = fields.Datetime("Decided", readonly=True, copy=False)
    date_closed = fields.Datetime("Closed", readonly=True, copy=False)
    date_promised = fields.Date(
        "Promised Date",
        compute="_compute_date_promised",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        tracking=True,
        index=True,
        help="Date by which the client was promised a decision.",
    )
    is_overdue = fields.Boolean(compute="_compute_is_overdue", search="_search_is_overdue")
    is_closable = fields.Boolean(compute="_compute_is_closable")
    is_acknowledgement_sent = fields.Boolean(readonly=True, copy=False)
    reopen_count = fields.Integer("Times Reopened", readonly=True, copy=False)
    waiting_since = fields.Datetime(readonly=True, copy=False)
    waiting_question = fields.Text(
        "Question to the Client", copy=False, help="What we wait for; the client sees it."
    )

    # decision
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
    amount_claimed = fields.Monetary(
        compute="_compute_amount_claimed", store=True, readonly=False, tracking=True
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
    credit_note_ids = fields.One2many("account.move", "claim_id", string="Credit Notes", copy=False)
    credit_note_count = fields.Integer(compute="_compute_credit_note_count", compute_sudo=True)

    _name_company_uniq = models.UniqueIndex(
        "(company_id, name) WHERE name <> '/'", "The claim number is used already."
    )
    _open_promised_idx = models.Index("(company_id, date_promised) WHERE is_open")
    _commercial_partner_date_idx = models.Index("(commercial_partner_id, date_registered DESC)")
    _amounts_positive = models.Constraint(
        "CHECK(COALESCE(amount_claimed, 0) >= 0 AND COALESCE(amount_granted, 0) >= 0)",
        "Claimed and granted amounts cannot be negative.",
    )

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

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

    @api.depends("order_id")
    def _compute_partner_id(self):
        for claim in self:
            if claim.order_id and not claim.partner_id:
                claim.partner_id = claim.order_id.partner_id

    @api.depends("partner_id")
    def _compute_partner_contact(self):
        for claim in self:
            partner = claim.partner_id
            claim.partner_name = partner.name if partner else claim.partner_name
            claim.email_from = partner.email or claim.email_from
            claim.partner_phone = partner.phone or claim.partner_phone

    @api.depends("company_id", "category_id")
    def _compute_team_id(self):
        teams = self.env["crm.claim.team"]
        for claim in self:
            if claim.team_id and claim.team_id.company_id in (
                claim.company_id,
                self.env["res.company"],
            ):
                continue
            wanted = claim.category_id.team_id
            if wanted.company_id and wanted.company_id != claim.company_id:
                wanted = teams
            claim.team_id = wanted or teams._get_default_team(claim.company_id)

    @api.depends("stage_id")
    def _compute_state(self):
        for claim in self:
            claim.state = claim.stage_id.state or "new"
            claim.is_open = claim.state in OPEN_STATES

    @api.depends("order_id")
    def _compute_invoice_ids(self):
        for claim in self:
            claim.invoice_ids = claim.order_id.invoice_ids.filtered(
                lambda move: move.move_type == "out_invoice" and move.state == "posted"
            )

    @api.depends("fault_ids.share", "fault_ids.department_id")
    def _compute_department_id(self):
        for claim in self:
            shares = {}
            for fault in claim.fault_ids:
                if fault.department_id:
                    shares[fault.department_id] = shares.get(fault.department_id, 0) + fault.share
            claim.department_id = max(shares, key=shares.get) if shares else False

    @api.depends("investigation_ids.task_ids.state")
    def _compute_investigation_count(self):
        for claim in self:
            # sudo: counters of a claim the user reads; the tasks keep their own access
            investigations_sudo = claim.sudo().investigation_ids
            claim.investigation_count = len(investigations_sudo)
            claim.task_count = sum(investigations_sudo.mapped("task_count"))
            done = sum(investigations_sudo.mapped("task_done_count"))
            claim.investigation_progress = 100 * done / claim.task_count if claim.task_count else 0

    @api.depends("severity", "team_id", "company_id", "date_registered")
    def _compute_date_promised(self):
        known = {}  # claims of one hour share their day: the calendar is asked once
        for claim in self:
            promised = claim.date_promised
            if (claim.date_acknowledged and promised) or not claim.date_registered:
                # once acknowledged the date is a promise: only people move it
                claim.date_promised = promised
                continue
            company = claim.company_id
            days = claim.team_id.promise_days or company._get_claim_promise_days(claim.severity)
            key = (company, claim.date_registered.replace(minute=0, second=0, microsecond=0), days)
            if key not in known:
                known[key] = company._get_claim_working_date(key[1], days)
            claim.date_promised = known[key]

    @api.depends("date_promised", "is_open")
    def _compute_is_overdue(self):
        today = fields.Date.context_today(self)
        for claim in self:
            claim.is_overdue = bool(
                claim.is_open and claim.date_promised and claim.date_promised < today
            )

    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        overdue = Domain("is_open", "=", True) & Domain("date_promised", "<", today)
        return overdue if True in value else ~overdue

    @api.depends("state", "customer_answer", "date_decided")
    def _compute_is_closable(self):
        for claim in self:
            claim.is_closable = claim.state in ANSWERABLE_STATES and claim._can_close()

    @api.depends("line_ids.amount")
    def _compute_amount_claimed(self):
        for claim in self:
            claim.amount_claimed = (
                sum(claim.line_ids.mapped("amount")) if claim.line_ids else claim.amount_claimed
            )

    @api.depends("credit_note_ids")
    def _compute_credit_note_count(self):
        for claim in self:
            claim.credit_note_count = len(claim.credit_note_ids)

    @api.model
    def _read_group_stage_ids(self, stages, domain):
        return stages.search([])

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------

    @api.constrains("partner_id", "partner_name", "email_from", "partner_phone")
    def _check_claimant(self):
        for claim in self:
            if not (
                claim.partner_id or claim.partner_name or claim.email_from or claim.partner_phone
            ):
                raise ValidationError(
                    self.env._(
                        "Claim %(subject)s has no claimant: choose a client, or give a name, "
                        "an email address or a phone number.",
                        subject=claim.subject,
                    )
                )

    @api.constrains("date_registered", "date_promised")
    def _check_dates(self):
        for claim in self:
            if claim.date_promised and claim.date_promised < claim.date_registered.date():
                raise ValidationError(
                    self.env._(
                        "The promised date of claim %(claim)s lies before its registration.",
                        claim=claim.display_name,
                    )
                )

    # ------------------------------------------------------------------
    # CRUD: numbers, assignment, guilt (the workflow extends create and write)
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
            if vals.get("name", "/") in ("/", False, ""):
                vals["name"] = company._next_claim_number()
        claims = super(CrmClaim, self._defer_fault_check()).create(vals_list).with_env(self.env)
        claims._check_fault_shares()
        claims._assign_responsible(
            claims.browse(
                claim.id
                for claim, vals in zip(claims, vals_list, strict=True)
                if "user_id" not in vals
            )
        )
        return claims

    def write(self, vals):
        if "fault_ids" not in vals:
            return super().write(vals)
        result = super(CrmClaim, self._defer_fault_check()).write(vals)
        self._check_fault_shares()
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

    def _defer_fault_check(self):
        """Self whose nested changes of guilt are checked once, after the last of them."""
        return self.env["crm.claim.fault"]._with_deferred_check(self)

    def _check_fault_shares(self):
        self.sudo().fault_ids._check_total_share()

    def _assign_responsible(self, claims):
        """Give unassigned ``claims`` their responsible by the rule of their team."""
        for (team, company), group in (
            claims.filtered(lambda c: c.team_id and not c.user_id)
            .grouped(lambda claim: (claim.team_id, claim.company_id))
            .items()
        ):
            for claim, user in zip(group, team._get_assignees(len(group), company), strict=True):
                if user:
                    claim.user_id = user
