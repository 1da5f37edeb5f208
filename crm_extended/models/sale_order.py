from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.sql import column_exists, create_column

# Identity of this object marks a nested write whose outer call checks the whole order afterwards.
# A client can send any context key, but never this object.
_CHECKED_BY_CALLER = object()

CONFIRMED_STATES = ("sale",)
OPEN_STATES = ("draft", "sent")


class SaleOrder(models.Model):
    """An order takes its agreement and is held to it.

    The agreement comes by precedence (`crm_agreement_choice.py`), for the order date. It brings its
    price list and payment terms, in Odoo's own way: they are computed when it is set and may be
    edited, and what is edited deviates.

    Every road to a confirmed order writes the state, so the control sits in ``write`` and
    ``create`` (what it controls: `sale_order_deviation.py`), where the button, a batch, an import,
    a remote call, the online signature and a payment all pass. A confirmed order may be changed as
    long as the change brings no new deviation and worsens none.
    """

    _name = "sale.order"
    _inherit = ["sale.order", "crm.interaction.mixin", "crm.agreement.held.mixin"]

    agreement_id = fields.Many2one(
        "crm.agreement",
        "Agreement",
        compute="_compute_agreement_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        check_company=True,
        copy=False,
        tracking=True,
        domain="[('state', '=', 'active'), ('company_id', '=', company_id), "
        "'|', ('kind', '=', 'standard'), ('commercial_partner_id', '=', agreement_partner_id)]",
        help="The terms this order is held to. Chosen by the client and the order date.",
    )
    agreement_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id", string="Client of the Agreement"
    )
    deviation_ids = fields.One2many(
        "crm.agreement.deviation",
        "order_id",
        "Deviations",
        readonly=True,
        copy=False,
        groups="sales_team.group_sale_salesman,account.group_account_invoice,"
        "account.group_account_readonly",
    )
    deviation_count = fields.Integer(compute="_compute_can_decide_deviations")
    agreement_check = fields.Selection(
        [
            ("none", "No agreement"),
            ("ok", "Within the agreement"),
            ("warn", "Deviates, with a warning"),
            ("approve", "Needs approval"),
            ("requested", "Waits for approval"),
            ("approved", "Deviations approved"),
            ("block", "Cannot be confirmed"),
        ],
        compute="_compute_agreement_check",
        string="Agreement Check",
    )
    agreement_terms_html = fields.Html(
        "Terms", compute="_compute_agreement_check", sanitize=False, exportable=False
    )
    can_decide_deviations = fields.Boolean(compute="_compute_can_decide_deviations")

    def _auto_init(self):
        # No agreement exists yet: do not compute the column over all orders of an old database.
        if not column_exists(self.env.cr, "sale_order", "agreement_id"):
            create_column(self.env.cr, "sale_order", "agreement_id", "int4")
        return super()._auto_init()

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends("partner_id", "company_id", "date_order")
    def _compute_agreement_id(self):
        orders = self.filtered(lambda order: order.state in OPEN_STATES or not order._origin.id)
        agreements = orders._get_applicable_agreements()
        for order in orders:
            order.agreement_id = agreements[order]

    @api.depends("agreement_id")
    def _compute_pricelist_id(self):
        super()._compute_pricelist_id()
        for order in self.filtered("partner_id"):
            if order.state != "draft" and order._origin.id:
                continue
            # sudo: the terms apply whether or not the salesperson may open the agreement
            pricelist_sudo = order.agreement_id.sudo().pricelist_id
            if pricelist_sudo:
                order.pricelist_id = pricelist_sudo.sudo(self.env.su)

    @api.depends("agreement_id", "agreement_contract_id")
    def _compute_payment_term_id(self):
        orders = self._keep_settled_terms("payment_term_id")
        super(SaleOrder, orders)._compute_payment_term_id()
        for order in orders:
            payment_term_sudo = order._get_agreed_payment_term(order.agreement_id.sudo())
            if payment_term_sudo:
                order.payment_term_id = payment_term_sudo.sudo(self.env.su)

    def _keep_settled_terms(self, name):
        """Leave a term of confirmed orders as it is: confirming writes the date of the order, on
        which the agreement depends, and must not bring back what was changed and approved.

        :param str name: the field that is being computed
        :return: the orders whose term is to be computed
        """
        settled = self.filtered(lambda order: order._origin.id and order.state not in OPEN_STATES)
        for order in settled:
            order[name] = order[name]
        return self - settled

    # ------------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------------

    @api.constrains("agreement_id", "partner_id")
    def _check_agreement_partner(self):
        for order in self:
            agreement_sudo = order.agreement_id.sudo()
            client_sudo = agreement_sudo.commercial_partner_id
            if client_sudo and client_sudo != order.partner_id.sudo().commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "Agreement %(agreement)s belongs to %(client)s and cannot apply to an "
                        "order of %(partner)s.",
                        agreement=agreement_sudo.name,
                        client=client_sudo.display_name,
                        partner=order.partner_id.display_name,
                    )
                )

    def _check_agreement_kept(self, agreement_id):
        changed = self.filtered(lambda order: order.agreement_id.id != (agreement_id or False))
        if changed:
            raise UserError(
                self.env._(
                    "The agreement of a confirmed order cannot be changed: %s.",
                    ", ".join(changed.mapped("name")),
                )
            )

    # ------------------------------------------------------------------
    # CRUD: the control
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        orders = super(SaleOrder, self._with_agreement_check_deferred()).create(vals_list)
        orders = orders.with_env(self.env)
        orders.filtered("agreement_id")._apply_agreed_logistics()
        orders.filtered(lambda order: order.state in CONFIRMED_STATES)._check_confirmation_terms()
        return orders

    def write(self, vals):
        if "date_order" not in vals or vals.keys() & {"partner_id", "company_id", "agreement_id"}:
            return self._write_checked(vals)
        before = {order: (order.agreement_id, order.agreement_contract_id) for order in self}
        result = self._write_checked(vals)
        same = self.filtered(
            lambda order: before[order] == (order.agreement_id, order.agreement_contract_id)
        )
        # another date under the same agreement: terms that were edited stay edited, unless
        # something else that was written asks for them
        asked = {
            dependent
            for name in vals.keys() - {"date_order"}
            if name in self._fields
            for dependent in self.pool.get_dependent_fields(self._fields[name])
        }
        for name in self._get_agreed_order_fields():
            if self._fields[name] not in asked:
                self.env.remove_to_compute(self._fields[name], same)
        return result

    @api.model
    def _get_agreed_order_fields(self):
        """Fields of an order that are computed from its agreement and may be edited."""
        return [
            "pricelist_id",
            "payment_term_id",
            "currency_id",
            "require_payment",
            "prepayment_percent",
        ]

    def _write_checked(self, vals):
        if self._is_agreement_check_deferred() or not self._affects_agreement(vals):
            return super().write(vals)
        confirmed = self.filtered(lambda order: order.state in CONFIRMED_STATES)
        if "agreement_id" in vals:
            confirmed._check_agreement_kept(vals["agreement_id"])
        known = confirmed._get_deviation_snapshot()
        result = super(SaleOrder, self._with_agreement_check_deferred()).write(vals)
        if vals.get("state") in CONFIRMED_STATES:
            (self - confirmed)._check_confirmation_terms()
        confirmed._check_no_new_deviation(known)
        self._void_changed_deviations()
        return result

    def _action_confirm(self):
        # Orders come here confirmed, past `write`; whoever calls it sooner is checked.
        self.filtered(lambda order: order.state not in CONFIRMED_STATES)._check_confirmation_terms()
        return super()._action_confirm()

    def _affects_agreement(self, vals):
        return bool(self._get_agreement_trigger_fields() & vals.keys())

    @api.model
    def _get_agreement_trigger_fields(self):
        """Fields whose change may bring an order outside its agreement."""
        return {
            "state",
            "agreement_id",
            "partner_id",
            "company_id",
            "pricelist_id",
            "currency_id",
            "payment_term_id",
            "agreement_contract_id",
            "require_payment",
            "prepayment_percent",
            "commitment_date",
            "incoterm",
            "warehouse_id",
            "order_line",
        }

    def _with_agreement_check_deferred(self):
        return self.with_context(crm_agreement_check=_CHECKED_BY_CALLER)

    def _is_agreement_check_deferred(self):
        return self.env.context.get("crm_agreement_check") is _CHECKED_BY_CALLER

    # ------------------------------------------------------------------
    # Which agreement
    # ------------------------------------------------------------------

    def _get_applicable_agreements(self, date=None):
        """The agreement that applies to each order by precedence.

        :param date date: day to look at; the date of each order by default
        :return: mapping of every order of `self` to an agreement, empty when none applies
        :rtype: dict
        """
        return self.env["crm.agreement"]._get_applicable(
            {
                order: (order.partner_id, order.company_id, date or order._get_order_day())
                for order in self
            }
        )

    def _get_order_day(self):
        self.ensure_one()
        moment = self.date_order or fields.Datetime.now()
        return fields.Datetime.context_timestamp(self, moment).date()

    # ------------------------------------------------------------------
    # Interactions
    # ------------------------------------------------------------------

    def _is_interaction_open(self):
        return super()._is_interaction_open() and self.state != "cancel"
