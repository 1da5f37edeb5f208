from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_amount, format_date

from ..tools.agreement_terms import next_period

APPROVER_GROUP = "crm_extended.crm_agreements_group_approver"
AGREEMENT_STATES = [
    ("draft", "Draft"),
    ("to_approve", "To Approve"),
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("expired", "Expired"),
    ("closed", "Closed"),
]


class CrmAgreement(models.Model):
    """What was agreed with a client, and what his orders are held to.

    A *standard* agreement is the company's own offer to everybody; an *individual* one belongs to
    one client (its commercial entity) and is derived from a standard one: it starts with the same
    terms and shows where it differs. A later change of the standard never changes its children.

    An agreement is prepared as a draft, submitted, and put in force by an approver, who is neither
    the one who submitted it nor its responsible unless the company allows that. From submission on
    its terms are locked; changing them means a new draft (renewal or copy). Suspending, resuming
    and closing are the approver's as well, because an order without an agreement is held to
    nothing. An agreement whose last day is over expires by itself.

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
        "res.currency", compute="_compute_currency_id", store=True, precompute=True
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
        "Largest Discounts",
        copy=True,
        help="How far below the agreed price list an order may go.",
    )
    minimum_amount = fields.Monetary(
        "Minimum Order",
        tracking=True,
        help="Smallest untaxed amount of an order. Zero: no minimum.",
    )
    enforcement = fields.Selection(
        [
            ("block", "Refuse the order"),
            ("approve", "Ask for approval"),
            ("warn", "Warn and keep a record"),
        ],
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

    _name_company_uniq = models.UniqueIndex(
        "(company_id, name) WHERE name != '/'", "The number of an agreement is unique in a company."
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

    @api.depends("name", "title", "partner_id", "kind")
    def _compute_display_name(self):
        for agreement in self:
            label = agreement.title or (
                agreement.partner_id.name if agreement.kind == "individual" else False
            )
            agreement.display_name = f"{agreement.name} {label}" if label else agreement.name

    def _compute_access_url(self):
        super()._compute_access_url()
        for agreement in self:
            agreement.access_url = f"/my/agreements/{agreement.id}"

    @api.depends("pricelist_id", "company_id")
    def _compute_currency_id(self):
        for agreement in self:
            agreement.currency_id = (
                agreement.pricelist_id.currency_id or agreement.company_id.currency_id
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
            differences = agreement._get_differences()
            agreement.difference_html = (
                self.env["ir.qweb"]._render(
                    "crm_extended.crm_agreement_differences", {"differences": differences}
                )
                if agreement.parent_id
                else False
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
                vals.setdefault(name, False)
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

    # ------------------------------------------------------------------
    # State machine
    # ------------------------------------------------------------------

    @api.model
    def _get_transitions(self):
        """Map each state to the states reachable from it; other add-ons extend it."""
        return {
            "draft": {"to_approve"},
            "to_approve": {"draft", "active"},
            "active": {"suspended", "expired", "closed"},
            "suspended": {"active", "expired", "closed"},
            "expired": {"closed"},
            "closed": set(),
        }

    @api.model
    def _get_approver_transitions(self):
        """Target states that only an approver may set."""
        return {"active", "suspended", "expired", "closed"}

    @api.model
    def _get_controlled_fields(self):
        """Fields that only the transitions themselves write."""
        return {"requested_by_id", "requested_on", "approved_by_id", "approved_on"}

    @api.model
    def _get_derived_fields(self):
        """Stored fields that follow from others and are never entered."""
        return {"commercial_partner_id", "currency_id"}

    @api.model
    def _get_term_fields(self):
        """What is agreed, and what an individual agreement takes from its standard one."""
        return [
            "pricelist_id",
            "payment_term_id",
            "minimum_amount",
            "enforcement",
            "discount_line_ids",
        ]

    @api.model
    def _get_locked_fields(self):
        """Fields that cannot change once the agreement was submitted."""
        return {
            "name",
            "kind",
            "sequence",
            "partner_id",
            "parent_id",
            "company_id",
            "date_start",
            "date_end",
            *self._get_term_fields(),
        }

    def _check_controlled_fields(self, vals):
        derived = self._get_derived_fields() & vals.keys()
        if derived and not self.env.su:
            raise AccessError(
                self.env._(
                    "These fields of an agreement follow from its client and price list and "
                    "cannot be entered: %s.",
                    ", ".join(
                        str(self._fields[name]._description_string(self.env))
                        for name in sorted(derived)
                    ),
                )
            )
        forged = self._get_controlled_fields() & vals.keys()
        if forged and not self.env.su:
            raise AccessError(
                self.env._(
                    "Who submitted and approved an agreement, and when, is recorded by the buttons "
                    "of the agreement and cannot be entered: %s.",
                    ", ".join(self._fields[name].string for name in sorted(forged)),
                )
            )

    def _check_terms_unlocked(self, vals):
        """Refuse a change of agreed terms outside a draft.

        :raise UserError: naming the fields and the way to go on
        """
        locked = self._get_locked_fields() & vals.keys()
        agreements = self.filtered(lambda agreement: agreement.state != "draft")
        if locked and agreements:
            raise UserError(
                self.env._(
                    "Agreed terms are locked outside drafts (%(agreements)s: %(fields)s). What is "
                    "not yet approved can be returned to draft; anything else has to be renewed or "
                    "duplicated, and the new agreement approved.",
                    agreements=", ".join(agreements.mapped("name")),
                    fields=", ".join(
                        str(self._fields[name]._description_string(self.env))
                        for name in sorted(locked)
                    ),
                )
            )

    def _check_discounts_unlocked(self):
        locked = self.filtered(lambda agreement: agreement.state != "draft")
        if locked:
            raise UserError(
                self.env._(
                    "The discounts of %s are locked: renew or duplicate the agreement to change "
                    "them.",
                    ", ".join(locked.mapped("name")),
                )
            )

    def _check_transition(self, target):
        """Check that every agreement of `self` may move to `target`, and by this user.

        :raise UserError: for a move that does not exist or an approval of one's own request
        :raise AccessError: when the user lacks the approver's right
        """
        labels = dict(self._fields["state"]._description_selection(self.env))
        if target not in labels:
            raise UserError(self.env._("Agreements have no status “%s”.", target))
        for agreement in self:
            if target not in self._get_transitions().get(agreement.state, set()):
                raise UserError(
                    self.env._(
                        "Agreement %(name)s cannot go from %(current)s to %(target)s.",
                        name=agreement.name,
                        current=labels[agreement.state],
                        target=labels[target],
                    )
                )
            if target in self._get_approver_transitions():
                agreement._check_approver()
            if target == "active" and agreement.state == "to_approve":
                agreement._check_not_own_request()
            if target == "active" and agreement._is_over():
                raise UserError(
                    self.env._(
                        "Agreement %(name)s ended on %(date)s and cannot come into force: "
                        "renew it.",
                        name=agreement.name,
                        date=format_date(self.env, agreement.date_end),
                    )
                )

    def _check_approver(self):
        if self.env.uid == SUPERUSER_ID:
            return  # scheduled jobs
        if not self.env.user.has_group(APPROVER_GROUP):
            raise AccessError(
                self.env._("Only an agreement approver may do this; ask for the approval.")
            )

    def _check_not_own_request(self):
        self.ensure_one()
        if not self._can_be_decided_by(self.env.user):
            raise UserError(
                self.env._(
                    "You submitted %s or are responsible for it: another approver has to decide. "
                    "(CRM settings: Approvers may approve their own requests.)",
                    self.name,
                )
            )

    def _can_be_decided_by(self, user):
        """Whether `user` is an approver and not a party to this request."""
        self.ensure_one()
        if not user.has_group(APPROVER_GROUP):
            return False
        return bool(
            self.company_id.sudo().agreement_self_approval
            or user not in (self.requested_by_id | self.user_id)
        )

    def _is_over(self):
        self.ensure_one()
        return bool(self.date_end and self.date_end < fields.Date.context_today(self))

    def _after_transition(self, target):
        """Record who did it, and keep the approvers' to-do list in step."""
        if not self:
            return
        # sudo: these fields are written by the transition alone, never by a user
        agreements_sudo = self.sudo()
        if target == "to_approve":
            agreements_sudo.write(
                {
                    "requested_by_id": self.env.user.id,
                    "requested_on": fields.Datetime.now(),
                    "approved_by_id": False,
                    "approved_on": False,
                }
            )
            self._schedule_approval()
            return
        if target == "active":
            fresh_sudo = agreements_sudo.filtered(lambda agreement: not agreement.approved_by_id)
            fresh_sudo.write(
                {"approved_by_id": self.env.user.id, "approved_on": fields.Datetime.now()}
            )
        agreements_sudo.activity_unlink(["crm_extended.mail_activity_agreement_approval"])

    def _schedule_approval(self):
        for agreement in self:
            for user in agreement._get_approvers():
                agreement.activity_schedule(
                    "crm_extended.mail_activity_agreement_approval",
                    user_id=user.id,
                    summary=self.env._("Agreement %s waits for approval", agreement.name),
                )

    def _get_approvers(self):
        """Users to be asked: approvers of this company who may decide on this request."""
        self.ensure_one()
        group_sudo = self.env.ref(APPROVER_GROUP).sudo()  # groups are not readable by everybody
        users = group_sudo.all_user_ids.filtered(
            lambda user: not user.share and user.active and self.company_id in user.company_ids
        )
        return users.filtered(self._can_be_decided_by).with_env(self.env)

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_submit(self):
        """Hand the draft to the approvers."""
        self.write({"state": "to_approve"})

    def action_approve(self):
        """Put the agreement in force."""
        self.write({"state": "active"})

    def action_return_to_draft(self):
        """Withdraw or refuse the request; the terms become editable again."""
        self.write({"state": "draft"})

    def action_suspend(self):
        """Take the agreement out of force for a while."""
        self.write({"state": "suspended"})

    def action_resume(self):
        """Put a suspended agreement back in force."""
        self.write({"state": "active"})

    def action_close(self):
        """End the agreement for good."""
        self.write({"state": "closed"})

    def action_renew(self):
        """Prepare a draft of the same terms and length that follows this agreement."""
        self.ensure_one()
        return self._renew()._get_records_action(name=self.env._("Renewed Agreement"))

    def action_derive(self):
        """Open a new individual agreement that starts from this standard one."""
        self.ensure_one()
        if self.kind != "standard":
            raise UserError(self.env._("Only a standard agreement has individual ones."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.agreement",
            "name": self.env._("New Individual Agreement"),
            "views": [(False, "form")],
            "context": {
                "default_kind": "individual",
                "default_parent_id": self.id,
                "default_company_id": self.company_id.id,
                "default_date_start": fields.Date.to_string(fields.Date.context_today(self)),
                "default_date_end": fields.Date.to_string(self.date_end)
                if self.date_end
                else False,
            },
        }

    def action_view_orders(self):
        """Open the orders under this agreement."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("sale.action_quotations")
        return action | {
            "name": self.env._("Orders of %s", self.name),
            "domain": [("agreement_id", "=", self.id)],
            "context": {"create": False},
        }

    def action_view_children(self):
        """Open the individual agreements derived from this one."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_extended.crm_agreement_action")
        return action | {"domain": [("parent_id", "=", self.id)], "context": {}}

    def action_view_deviations(self):
        """Open the deviations of orders from this agreement."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_agreement_deviation_action"
        )
        return action | {"domain": [("agreement_id", "=", self.id)], "context": {}}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _prepare_inherited_values(self):
        """Terms that an individual agreement takes over when it is derived from `self`."""
        self.ensure_one()
        return {
            "pricelist_id": self.pricelist_id.id,
            "payment_term_id": self.payment_term_id.id,
            "minimum_amount": self.minimum_amount,
            "enforcement": self.enforcement,
            "discount_line_ids": [
                fields.Command.clear(),
                *(
                    fields.Command.create(line._prepare_copy_values())
                    for line in self.discount_line_ids
                ),
            ],
        }

    def _prepare_renewal_values(self):
        self.ensure_one()
        if not self.date_end:
            raise UserError(self.env._("Agreement %s has no end and needs no renewal.", self.name))
        date_start, date_end = next_period(
            self.date_start, self.date_end, fields.Date.context_today(self)
        )
        return {"date_start": date_start, "date_end": date_end, "renewed_from_id": self.id}

    def _renew(self):
        """:return: the new draft, or the one that an earlier renewal left"""
        self.ensure_one()
        draft = self.renewal_ids.filtered(lambda agreement: agreement.state == "draft")[:1]
        if draft:
            return draft
        if self.state in ("draft", "to_approve"):
            raise UserError(
                self.env._("Agreement %s is not in force yet: edit it instead.", self.name)
            )
        return self.copy(self._prepare_renewal_values())

    def _governs_prices(self):
        """An agreement with neither a price list nor a discount line leaves prices free."""
        self.ensure_one()
        return bool(self.pricelist_id or self.discount_line_ids)

    def _get_max_discount(self, product):
        """Largest discount on a product, in percent on top of the agreed price list.

        The line of the product counts first, then that of the nearest category upwards, then the
        one for everything. A product without a line has no discount.

        :param product: `product.product` record
        :rtype: float
        """
        self.ensure_one()
        by_target = {line._get_target(): line.max_discount for line in self.discount_line_ids}
        category_ids = [int(key) for key in (product.categ_id.parent_path or "").split("/") if key]
        targets = [
            ("product", product.id),
            *(("category", category_id) for category_id in reversed(category_ids)),
            ("all", False),
        ]
        return next((by_target[key] for key in targets if key in by_target), 0.0)

    def _get_in_force_domain(self, date):
        """Agreements that hold on a day."""
        return (
            Domain("state", "=", "active")
            & Domain("date_start", "<=", date)
            & (Domain("date_end", "=", False) | Domain("date_end", ">=", date))
        )

    def _is_in_force(self, date):
        self.ensure_one()
        return bool(
            self.state == "active"
            and self.date_start <= date
            and (not self.date_end or self.date_end >= date)
        )

    def _get_term_labels(self):
        """Terms in words, to be shown and compared.

        :return: mapping of a key to ``(label, text)``
        :rtype: dict[str, tuple[str, str]]
        """
        self.ensure_one()

        def label(name):
            return self._fields[name]._description_string(self.env)

        selection = dict(self._fields["enforcement"]._description_selection(self.env))
        terms = {
            "pricelist_id": (label("pricelist_id"), self.pricelist_id.sudo().display_name or ""),
            "payment_term_id": (
                label("payment_term_id"),
                self.payment_term_id.sudo().display_name or "",
            ),
            "minimum_amount": (
                label("minimum_amount"),
                format_amount(self.env, self.minimum_amount, self.currency_id)
                if self.minimum_amount and self.currency_id
                else "",
            ),
            "enforcement": (label("enforcement"), selection.get(self.enforcement, "")),
        }
        for line in self.discount_line_ids:
            terms[line._get_target()] = (
                self.env._("Largest discount: %s", line._get_target_label()),
                self.env._("%(discount)g %%", discount=line.max_discount),
            )
        return terms

    def _get_differences(self):
        """Terms of an individual agreement that are not those of its standard one.

        :return: list of dicts with `label`, `standard`, `own` (texts, empty when not agreed)
        """
        self.ensure_one()
        if not self.parent_id:
            return []
        own = self._get_term_labels()
        standard = self.parent_id._get_term_labels()
        return [
            {
                "label": (own.get(key) or standard.get(key))[0],
                "standard": standard.get(key, ("", ""))[1],
                "own": own.get(key, ("", ""))[1],
            }
            for key in {**own, **standard}
            if own.get(key, ("", ""))[1] != standard.get(key, ("", ""))[1]
        ]

    # ------------------------------------------------------------------
    # Scheduled
    # ------------------------------------------------------------------

    def _get_over_domain(self):
        return Domain("state", "in", ("active", "suspended")) & Domain(
            "date_end", "<", fields.Date.context_today(self)
        )

    def _cron_expire(self, batch_size=200):
        """Expire the agreements whose last day is over."""
        cron = self.env["ir.cron"]
        domain = self._get_over_domain()
        agreements = self.search(domain, order="id", limit=batch_size).try_lock_for_update()
        if not agreements:
            cron._commit_progress(remaining=0)
            return
        agreements.write({"state": "expired"})
        cron._commit_progress(len(agreements), remaining=self.search_count(domain))
