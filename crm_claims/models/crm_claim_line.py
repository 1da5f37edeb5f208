from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, float_compare


class _CheckedClaims(frozenset):
    """Ids of claims whose nested changes of items were checked; a client cannot send its kind."""


class CrmClaimLine(models.Model):
    """What exactly is claimed: a sold line, or a product, with lot, quantity and amount.

    A line of an order claims no more than was sold on it, less what other claims, unless they
    were cancelled or rejected, claim already; of two colleagues who claim it at the same moment
    the second is told what is left. Prices are what the customer paid: after discount, with taxes,
    in company currency.
    """

    _name = "crm.claim.line"
    _description = "Claimed Item"
    _order = "claim_id, sequence, id"
    _check_company_auto = True

    claim_id = fields.Many2one("crm.claim", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(related="claim_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    order_id = fields.Many2one(related="claim_id.order_id", string="Claim's Order")
    order_line_id = fields.Many2one(
        "sale.order.line",
        "Order Line",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('order_id', '=', order_id), ('display_type', '=', False)]",
    )
    product_id = fields.Many2one(
        "product.product",
        compute="_compute_from_order_line",
        store=True,
        readonly=False,
        precompute=True,
        index=True,
        check_company=True,
    )
    name = fields.Char("Description")
    lot_name = fields.Char("Lot / Serial")
    quantity = fields.Float(default=1.0, digits="Product Unit", required=True)
    product_uom_id = fields.Many2one(
        "uom.uom", "Unit", compute="_compute_from_order_line", store=True, precompute=True
    )
    quantity_sold = fields.Float(
        "Sold", compute="_compute_quantities", compute_sudo=True, digits="Product Unit"
    )
    quantity_other_claims = fields.Float(
        "In Other Claims", compute="_compute_quantities", compute_sudo=True, digits="Product Unit"
    )
    price_unit = fields.Monetary(
        "Unit Price",
        compute="_compute_price_unit",
        store=True,
        readonly=False,
        precompute=True,
        help="What the client paid for one, with taxes.",
    )
    amount = fields.Monetary(compute="_compute_amount", store=True, precompute=True)
    quantity_granted = fields.Float(
        "Granted Quantity", digits="Product Unit", help="Quantity that the decision refunds."
    )
    refund_line_ids = fields.One2many(
        "account.move.line", "claim_line_id", string="Credit Note Lines"
    )

    _quantity_positive = models.Constraint(
        "CHECK(quantity > 0)", "The claimed quantity must be above zero."
    )
    _granted_range = models.Constraint(
        "CHECK(COALESCE(quantity_granted, 0) >= 0)", "The granted quantity cannot be negative."
    )

    @api.depends("order_line_id")
    def _compute_from_order_line(self):
        for line in self:
            # sudo: handlers need not read orders of other salespeople
            sold_sudo = line.order_line_id.sudo()
            line.product_id = (sold_sudo.product_id or line.product_id).sudo(False)
            line.product_uom_id = (sold_sudo.product_uom_id or line.product_id.uom_id).sudo(False)

    @api.depends("order_line_id", "product_id", "claim_id.date_registered")
    def _compute_price_unit(self):
        for line in self:
            sold_sudo = line.order_line_id.sudo()
            if sold_sudo:
                quantity = sold_sudo.product_uom_qty
                price = sold_sudo.price_total / quantity if quantity else sold_sudo.price_unit
                line.price_unit = sold_sudo.currency_id._convert(
                    price,
                    line.currency_id or sold_sudo.company_id.currency_id,
                    sold_sudo.company_id,
                    sold_sudo.order_id.date_order or fields.Date.context_today(line),
                )
            elif not line.price_unit:
                line.price_unit = line.product_id.lst_price

    @api.depends("quantity", "price_unit")
    def _compute_amount(self):
        for line in self:
            amount = line.quantity * line.price_unit
            line.amount = line.currency_id.round(amount) if line.currency_id else amount

    @api.depends("order_line_id", "quantity", "claim_id.state")
    def _compute_quantities(self):
        order_lines = self.order_line_id
        elsewhere = dict(
            self.env["crm.claim.line"]._read_group(
                [
                    ("order_line_id", "in", order_lines._origin.ids),
                    ("claim_id.state", "not in", ("cancelled", "rejected")),
                    ("id", "not in", self._origin.ids),
                ],
                ["order_line_id"],
                ["quantity:sum"],
            )
        )
        living = self.filtered(lambda line: line.claim_id.state not in ("cancelled", "rejected"))
        for line in self:
            sold = line.order_line_id
            siblings = living.filtered(lambda other, sold=sold: other.order_line_id == sold) - line
            line.quantity_sold = sold.product_uom_qty if sold.order_id.state == "sale" else 0
            line.quantity_other_claims = (
                elsewhere.get(sold._origin, 0) + sum(siblings.mapped("quantity")) if sold else 0
            )

    @api.constrains("order_line_id", "quantity", "claim_id")
    def _check_quantity(self):
        lines = self.filtered("order_line_id")
        lines._lock_sold()
        lines.invalidate_recordset(["quantity_sold", "quantity_other_claims"])
        for line in lines:
            if line.claim_id.state in ("cancelled", "rejected"):
                continue
            free = line.quantity_sold - line.quantity_other_claims
            rounding = line.product_uom_id.rounding or 0.01
            if float_compare(line.quantity, free, precision_rounding=rounding) > 0:
                raise ValidationError(
                    self.env._(
                        "%(product)s: %(quantity)s claimed, but only %(free)s can be "
                        "(%(sold)s sold, %(claimed)s in other claims or lines).",
                        product=line.product_id.display_name,
                        quantity=f"{line.quantity:g}",
                        free=f"{max(free, 0):g}",
                        sold=f"{line.quantity_sold:g}",
                        claimed=f"{line.quantity_other_claims:g}",
                    )
                )

    def _lock_sold(self):
        """Let one transaction at a time count what is claimed of an order line.

        A lock alone is not enough: who waited for it would count in the snapshot from before. The
        row gets a new version, so PostgreSQL refuses the second transaction, Odoo repeats its
        request, and the check then sees what the first has claimed.
        """
        order_lines = self.order_line_id
        if order_lines:
            order_lines.flush_recordset()
            self.env.execute_query(
                SQL(
                    """
                    UPDATE sale_order_line
                       SET write_date = write_date
                     WHERE id IN (
                           SELECT id FROM sale_order_line
                            WHERE id IN %s
                         ORDER BY id
                              FOR NO KEY UPDATE)
                 RETURNING id
                    """,
                    order_lines._origin._ids,
                )
            )

    @api.constrains("order_line_id", "claim_id")
    def _check_order(self):
        for line in self.filtered("order_line_id"):
            order_sudo = line.order_line_id.sudo().order_id
            if line.claim_id.order_id and order_sudo != line.claim_id.order_id:
                raise ValidationError(
                    self.env._(
                        "%(line)s does not belong to order %(order)s of the claim.",
                        line=line.order_line_id.sudo().display_name,
                        order=line.claim_id.order_id.sudo().name,
                    )
                )

    @api.constrains("quantity_granted", "quantity")
    def _check_granted(self):
        for line in self:
            rounding = line.product_uom_id.rounding or 0.01
            if float_compare(line.quantity_granted, line.quantity, precision_rounding=rounding) > 0:
                raise ValidationError(
                    self.env._(
                        "%(product)s: more granted than claimed.",
                        product=line.product_id.display_name,
                    )
                )

    def _get_list_price(self):
        """List price of one, in the currency of the company, where no order line vouches for the
        price; else 0."""
        self.ensure_one()
        # sudo: handlers need not read products and orders
        product_sudo = self.sudo().product_id
        if not product_sudo or self.sudo().order_line_id.product_id == product_sudo:
            return 0.0
        return product_sudo.currency_id._convert(
            product_sudo.lst_price,
            self.currency_id,
            self.company_id,
            fields.Date.context_today(self),
        )

    def _get_hidden_worth(self, kind, quantity, amount):
        """What ``quantity`` of the item, given as goods, is worth beyond the ``amount`` entered.

        What is granted as *other* with an item may be the item itself.
        """
        if kind not in ("replacement", "other") or not self:
            return 0.0
        price = self._get_list_price()
        if kind == "other":
            price = max(price, self.price_unit)
        return max(quantity * price - amount, 0.0)

    # ------------------------------------------------------------------
    # CRUD: a decision that was announced is not changed through its items
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        # items that come with their claim are new items of that claim: it was checked
        if self._get_checked_claims() is None:
            lines.claim_id._check_lines_unlocked()
        lines._keep_sold_price()
        return lines

    def write(self, vals):
        if not self._get_locked_fields() & vals.keys():
            return super().write(vals)
        self.claim_id._check_lines_unlocked()
        result = super().write(vals)
        if "claim_id" in vals:
            self.claim_id._check_lines_unlocked()
        if "price_unit" in vals:
            self._keep_sold_price()
        return result

    def _keep_sold_price(self):
        """What the customer paid for a line of his order is not ours to enter."""
        sold = self.filtered("order_line_id")
        if sold and not self.env.su:
            self.env.add_to_compute(self._fields["price_unit"], sold)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        self.claim_id._check_lines_unlocked()

    @api.model
    def _get_locked_fields(self):
        """Fields that are fixed once the decision on the claim is announced."""
        return {
            "claim_id",
            "order_line_id",
            "product_id",
            "quantity",
            "price_unit",
            "amount",
            "quantity_granted",
        }

    @api.model
    def _get_checked_claims(self):
        """Ids of the claims whose items need no check now; ``None`` outside of such a change.

        Commands of one claim may name items of another: those are checked.
        """
        checked = self.env.context.get("crm_claim_line_lock")
        return checked if isinstance(checked, _CheckedClaims) else None

    @api.model
    def _with_lock_deferred(self, claims, checked):
        """``claims`` whose nested changes of items of the claims ``checked`` are not checked
        against the decision again."""
        return claims.with_context(crm_claim_line_lock=_CheckedClaims(checked.ids))

    @api.depends("product_id", "name", "quantity")
    def _compute_display_name(self):
        for line in self:
            line.display_name = line.name or line.product_id.display_name or ""
