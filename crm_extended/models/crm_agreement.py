from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

AGREEMENT_STATES = [
    ("draft", "Draft"),
    ("to_approve", "To Approve"),
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("expired", "Expired"),
    ("closed", "Closed"),
]
ENFORCEMENTS = [
    ("block", "Refuse the order"),
    ("approve", "Ask for approval"),
    ("warn", "Warn and keep a record"),
]


class CrmAgreement(models.Model):
    """What was agreed with a client, and what his orders are held to.

    A *standard* agreement is the company's own offer to all clients or to a segment; an
    *individual* one belongs to one client (its commercial entity) and is derived from a standard
    one: it starts with the same terms and shows where it differs. A later change of the standard
    is offered to its children and never forced on them.

    An agreement is prepared as a draft, submitted, and put in force by an approver, who is neither
    the one who submitted it nor its responsible unless the company allows that. From submission on
    its terms are locked; changing them means a new version (`crm_agreement_version.py`).
    Suspending, resuming and closing are the approver's as well, because an order without an
    agreement is held to nothing. An agreement whose last day is over expires by itself.

    Who may move it where is data (:meth:`_get_transitions`, :meth:`_get_approver_transitions`) and
    is checked in ``write``, so that no button, import or remote call walks round it.
    """

    _name = "crm.agreement"
    _description = "Agreement"
    _inherit = ["portal.mixin", "mail.thread", "mail.activity.mixin", "crm.interaction.mixin"]
    _order = "date_start desc, id desc"
    _check_company_auto = True
    _rec_names_search = ["name", "title", "partner_id.name"]

    # Identity
    name = fields.Char(
        "Number", required=True, copy=False, readonly=True, index="trigram", default="/"
    )
    title = fields.Char(help="Short name by which people know this agreement.")
    kind = fields.Selection(
        [("standard", "Standard"), ("individual", "Individual")],
        required=True,
        default="individual",
        index=True,
        tracking=True,
        help="Standard: the company's terms for every client without terms of his own.\n"
        "Individual: terms of one client.",
    )
    sequence = fields.Integer(
        default=10, help="Among several standard agreements in force the first one applies."
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users",
        "Responsible",
        index=True,
        tracking=True,
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
    )
    partner_id = fields.Many2one(
        "res.partner", "Client", index=True, tracking=True, check_company=True
    )
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id",
        string="Commercial Entity",
        store=True,
        index=True,
    )
    parent_id = fields.Many2one(
        "crm.agreement",
        "Derived From",
        index="btree_not_null",
        check_company=True,
        domain="[('kind', '=', 'standard'), ('company_id', '=', company_id)]",
        help="The standard agreement whose terms this one starts from.",
    )
    child_ids = fields.One2many("crm.agreement", "parent_id", "Individual Agreements")
    renewed_from_id = fields.Many2one(
        "crm.agreement", "Renewal Of", readonly=True, copy=False, index="btree_not_null"
    )
    renewal_ids = fields.One2many("crm.agreement", "renewed_from_id", "Renewals")

    # Life
    state = fields.Selection(
        AGREEMENT_STATES,
        "Status",
        required=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
        group_expand=True,
    )
    date_start = fields.Date(
        "Valid From", required=True, default=fields.Date.context_today, tracking=True
    )
    date_end = fields.Date(
        "Valid Until", tracking=True, help="Last day, included. Empty: until closed."
    )
    requested_by_id = fields.Many2one("res.users", "Submitted By", readonly=True, copy=False)
    requested_on = fields.Datetime("Submitted On", readonly=True, copy=False)
    approved_by_id = fields.Many2one("res.users", "Approved By", readonly=True, copy=False)
    approved_on = fields.Datetime(readonly=True, copy=False)

    # Terms
    pricelist_id = fields.Many2one(
        "product.pricelist",
        "Price List",
        check_company=True,
        tracking=True,
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
        help="Orders under this agreement are priced by it. Empty: the client's own price list.",
    )
    currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_currency_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        help="That of the price list, when one is agreed.",
    )
    payment_term_id = fields.Many2one(
        "account.payment.term",
        "Payment Terms",
        check_company=True,
        tracking=True,
        domain="['|', ('company_id', '=', False), ('company_id', '=', company_id)]",
        help="Empty: payment terms are not part of the agreement.",
    )
    discount_line_ids = fields.One2many(
        "crm.agreement.discount",
        "agreement_id",
        "Discounts",
        copy=True,
        help="What is taken off the agreed price list, or may be.",
    )
    minimum_amount = fields.Monetary(
        "Minimum Order",
        tracking=True,
        help="Smallest untaxed amount of an order. Zero: no minimum.",
    )
    enforcement = fields.Selection(
        ENFORCEMENTS,
        "When an Order Deviates",
        required=True,
        default="approve",
        tracking=True,
    )
    note = fields.Html("Notes")

    # Figures
    order_ids = fields.One2many("sale.order", "agreement_id", "Orders")
    order_count = fields.Integer(compute="_compute_order_count")
    child_count = fields.Integer(compute="_compute_child_count")
    deviation_ids = fields.One2many("crm.agreement.deviation", "agreement_id", "Deviations")
    deviation_count = fields.Integer(compute="_compute_deviation_count")
    difference_html = fields.Html(
        "Differences From the Standard", compute="_compute_difference_html", sanitize=False
    )
    can_approve = fields.Boolean(compute="_compute_can_approve")
    is_ending_soon = fields.Boolean(compute="_compute_is_ending_soon")

    approval_comment = fields.Text("Comment of the Approver", readonly=True, copy=False)

    _name_company_uniq = models.UniqueIndex(
        "(company_id, name, version) WHERE name != '/'",
        "The number of an agreement is unique in a company.",
    )
    _period_check = models.Constraint(
        "CHECK(date_end IS NULL OR date_end >= date_start)",
        "An agreement cannot end before it starts: check Valid From and Valid Until.",
    )
    _minimum_amount_check = models.Constraint(
        "CHECK(minimum_amount >= 0)", "The minimum order cannot be negative."
    )

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends("name", "title", "partner_id", "kind", "version")
    def _compute_display_name(self):
        for agreement in self:
            label = agreement.title or (
                agreement.partner_id.name if agreement.kind == "individual" else False
            )
            number = (
                self.env._(
                    "%(number)s v%(version)s", number=agreement.name, version=agreement.version
                )
                if agreement.version > 1
                else agreement.name
            )
            agreement.display_name = f"{number} {label}" if label else number

    def _compute_access_url(self):
        super()._compute_access_url()
        for agreement in self:
            agreement.access_url = f"/my/agreements/{agreement.id}"

    @api.depends("pricelist_id", "company_id")
    def _compute_currency_id(self):
        for agreement in self:
            agreement.currency_id = (
                agreement.pricelist_id.currency_id
                or agreement.currency_id
                or agreement.company_id.currency_id
            )

    def _compute_order_count(self):
        counts = dict(
            self.env["sale.order"]._read_group(
                [("agreement_id", "in", self.ids)], ["agreement_id"], ["__count"]
            )
        )
        for agreement in self:
            agreement.order_count = counts.get(agreement._origin, 0)

    def _compute_child_count(self):
        counts = dict(self._read_group([("parent_id", "in", self.ids)], ["parent_id"], ["__count"]))
        for agreement in self:
            agreement.child_count = counts.get(agreement._origin, 0)

    def _compute_deviation_count(self):
        counts = dict(
            self.env["crm.agreement.deviation"]._read_group(
                [("agreement_id", "in", self.ids)], ["agreement_id"], ["__count"]
            )
        )
        for agreement in self:
            agreement.deviation_count = counts.get(agreement._origin, 0)

    @api.depends(lambda self: ["parent_id", *self._get_term_fields()])
    def _compute_difference_html(self):
        for agreement in self:
            agreement.difference_html = (
                agreement._render_differences(agreement.parent_id) if agreement.parent_id else False
            )

    @api.depends("state", "requested_by_id", "user_id", "company_id")
    @api.depends_context("uid")
    def _compute_can_approve(self):
        for agreement in self:
            agreement.can_approve = agreement._can_be_decided_by(self.env.user)

    @api.depends("date_end", "state")
    def _compute_is_ending_soon(self):
        limit = fields.Date.add(fields.Date.context_today(self), days=30)
        for agreement in self:
            agreement.is_ending_soon = bool(
                agreement.state == "active" and agreement.date_end and agreement.date_end <= limit
            )

    # ------------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------------

    @api.constrains("kind", "partner_id", "parent_id")
    def _check_kind(self):
        for agreement in self:
            if agreement.kind == "individual" and not agreement.partner_id:
                raise ValidationError(
                    self.env._("Choose the client of individual agreement %s.", agreement.name)
                )
            if agreement.kind == "standard" and (agreement.partner_id or agreement.parent_id):
                raise ValidationError(
                    self.env._(
                        "Standard agreement %s has neither a client nor an agreement it derives "
                        "from: empty these fields or make it individual.",
                        agreement.name,
                    )
                )
            if agreement.parent_id and agreement.parent_id.kind != "standard":
                raise ValidationError(
                    self.env._(
                        "Agreement %(name)s can only derive from a standard agreement, and "
                        "%(parent)s is individual.",
                        name=agreement.name,
                        parent=agreement.parent_id.name,
                    )
                )

    @api.onchange("kind")
    def _onchange_kind(self):
        if self.kind == "standard":
            self.partner_id = False
            self.parent_id = False

    @api.onchange("partner_id")
    def _onchange_partner_id(self):
        if self.kind == "individual" and self.partner_id.user_id:
            self.user_id = self.partner_id.user_id

    @api.onchange("parent_id")
    def _onchange_parent_id(self):
        if self.parent_id and self.state == "draft":
            self.update(self.parent_id._prepare_inherited_values())

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            if vals.get("state", "draft") != "draft":
                raise UserError(
                    self.env._(
                        "A new agreement is a draft: create it, submit it and let an approver "
                        "put it in force."
                    )
                )
            self._check_controlled_fields(vals)
            # named, so that no default of a client (context, stored default) takes their place
            vals["state"] = "draft"
            for name in self._get_controlled_fields():
                vals.setdefault(name, 1 if name == "version" else False)
            if vals.get("parent_id"):
                parent = self.browse(vals["parent_id"])
                for name, value in parent._prepare_inherited_values().items():
                    vals.setdefault(name, value)
            if vals.setdefault("name", "/") == "/":
                vals["name"] = (
                    self.env["ir.sequence"]
                    .with_company(vals.get("company_id") or self.env.company)
                    .next_by_code("crm.agreement")
                    or "/"
                )
        agreements = super().create(vals_list)
        for name in self._get_derived_fields():
            self.env.add_to_compute(self._fields[name], agreements)
        return agreements

    def write(self, vals):
        self.check_access("write")
        self._check_controlled_fields(vals)
        self._check_terms_unlocked(vals)
        if "state" not in vals:
            return super().write(vals)
        moved = self.filtered(lambda agreement: agreement.state != vals["state"])
        moved._check_transition(vals["state"])
        result = super().write(vals)
        moved._after_transition(vals["state"])
        return result

    def _end_on(self, day):
        """Move the last day of an agreement in force, past the lock of its terms.

        :param date day: last day, included
        """
        # the write of this class would refuse it; nobody else moves the day
        for agreement in self:
            last_day = min(filter(None, (agreement.date_end, day)))
            super(CrmAgreement, agreement).write({"date_end": last_day})

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_use(self):
        if used := self.filtered(lambda agreement: agreement.state != "draft"):
            raise UserError(
                self.env._(
                    "Only drafts can be deleted; close these agreements instead: %s.",
                    ", ".join(used.mapped("name")),
                )
            )

    def copy_data(self, default=None):
        default = dict(default or {})
        vals_list = super().copy_data(default)
        today = fields.Date.context_today(self)
        for agreement, vals in zip(self, vals_list, strict=False):
            if "date_start" not in default and agreement.date_end and agreement.date_end < today:
                vals.update(date_start=today, date_end=False)
        return vals_list
