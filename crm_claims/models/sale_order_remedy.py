from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import float_compare


class SaleOrder(models.Model):
    """What claims put on orders: replacements at zero, and discounts the client has coming.

    - A replacement order is no bargain: as long as it holds nothing but what was granted, no
      agreement is deviated from.
    - An order whose client has a discount from a claim says so; one click puts as much of it on
      the order as fits.
    """

    _inherit = "sale.order"

    claim_discount_amount = fields.Monetary(
        "Discount From Claims",
        compute="_compute_claim_discount",
        groups="base.group_user",
        help="What claims granted this client on his next order and no order has used yet.",
    )
    claim_discount_source = fields.Char(compute="_compute_claim_discount", groups="base.group_user")

    @api.depends("partner_id", "company_id", "state", "order_line.claim_remedy_id")
    def _compute_claim_discount(self):
        for order in self:
            remedies_sudo = order._get_claim_discounts()
            order.claim_discount_source = ", ".join(remedies_sudo.claim_id.mapped("name"))
            order.claim_discount_amount = sum(
                order._convert_from_company(remedy._get_discount_left()) for remedy in remedies_sudo
            )

    def _get_claim_discounts(self):
        """Unused discounts of this order's client, oldest first, as superuser."""
        self.ensure_one()
        # sudo: salespeople give what was granted without reading the claim
        remedies_sudo = self.env["crm.claim.remedy"].sudo()
        if self.state not in ("draft", "sent") or not self.partner_id or not self.company_id:
            return remedies_sudo
        return remedies_sudo.search(
            remedies_sudo._get_discount_domain(self.partner_id, self.company_id), order="id"
        ).filtered(lambda remedy: remedy._get_discount_left())

    def _convert_from_company(self, amount):
        return self.company_id.currency_id._convert(
            amount,
            self.currency_id or self.company_id.currency_id,
            self.company_id,
            self.date_order or fields.Date.context_today(self),
        )

    def action_apply_claim_discount(self):
        """Put discounts that claims granted on this order, up to its total."""
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("draft", "sent"):
            raise UserError(self.env._("A discount goes on a quotation, not on a confirmed order."))
        # sudo: the rows must not be read by salespeople; locked against a second order at once
        remedies_sudo = self._get_claim_discounts()
        remedies_sudo.lock_for_update()
        room = self.amount_total
        applied = False
        for remedy_sudo in remedies_sudo:
            amount = min(self._convert_from_company(remedy_sudo._get_discount_left()), room)
            if float_compare(amount, 0, precision_digits=2) <= 0:
                continue
            self._add_claim_discount(remedy_sudo, amount)
            room -= amount
            applied = True
        if not applied:
            raise UserError(
                self.env._("There is no discount left to give, or nothing on the order to reduce.")
            )

    def _add_claim_discount(self, remedy_sudo, amount):
        """Odoo's own global discount, marked as coming from the claim."""
        before = self.order_line
        # sudo: the product of discounts may have to be created; the order is the user's
        wizard_sudo = (
            self.env["sale.order.discount"]
            .sudo()
            .create(
                {"sale_order_id": self.id, "discount_type": "amount", "discount_amount": amount}
            )
        )
        wizard_sudo.action_apply_discount()
        lines_sudo = (self.sudo().order_line - before.sudo()).with_context(lang=self._get_lang())
        for line_sudo in lines_sudo:
            line_sudo.write(
                {
                    "claim_remedy_id": remedy_sudo.id,
                    "name": self.env._(
                        "Discount granted on claim %(claim)s", claim=remedy_sudo.claim_id.name
                    ),
                }
            )

    def _is_replacement_done(self):
        """Whether replaced goods are on their way: delivered where deliveries are tracked."""
        self.ensure_one()
        if self.state != "sale":
            return False
        return "delivery_status" not in self._fields or self.delivery_status in (False, "full")

    def _get_deviations(self):
        if self._holds_only_replacements():
            return []
        return super()._get_deviations()

    def _holds_only_replacements(self):
        lines = self.order_line.filtered(lambda line: not line.display_type)
        return bool(lines) and all(line._is_granted_replacement() for line in lines)


class SaleOrderLine(models.Model):
    """Lines that a claim granted are outside the agreed prices, as far as they were granted."""

    _inherit = "sale.order.line"

    claim_remedy_id = fields.Many2one(
        "crm.claim.remedy",
        "Granted by a Claim",
        index="btree_not_null",
        copy=False,
        readonly=True,
        groups="crm_claims.crm_claims_group_user",
    )

    @api.model_create_multi
    def create(self, vals_list):
        if any(vals.get("claim_remedy_id") for vals in vals_list):
            self._check_remedy_writer()
        if not self.env.su and self.env.context.get("default_claim_remedy_id"):
            self = self.with_context(default_claim_remedy_id=False)  # noqa: PLW0642
        return super().create(vals_list)

    def write(self, vals):
        if "claim_remedy_id" in vals:
            self._check_remedy_writer()
        return super().write(vals)

    def _check_remedy_writer(self):
        if not self.env.su:
            raise AccessError(self.env._("Only a decision on a claim grants lines of an order."))

    def _is_granted_replacement(self):
        """Whether this line is the replaced item of a claim, and no more than was granted."""
        self.ensure_one()
        remedy_sudo = self.sudo().claim_remedy_id  # sudo: only the answer leaves this method
        return (
            remedy_sudo.kind == "replacement"
            and not remedy_sudo.is_cancelled
            and self.product_id == remedy_sudo.product_id
            and float_compare(
                self.product_uom_id._compute_quantity(
                    self.product_uom_qty, remedy_sudo.claim_line_id.product_uom_id
                ),
                remedy_sudo.quantity,
                precision_digits=4,
            )
            <= 0
        )

    def _is_granted_discount(self):
        self.ensure_one()
        remedy_sudo = self.sudo().claim_remedy_id  # sudo: only the answer leaves this method
        if remedy_sudo.kind != "discount" or remedy_sudo.is_cancelled:
            return False
        used = remedy_sudo._get_discount_used()
        return float_compare(used, remedy_sudo.amount, precision_digits=2) <= 0

    def _is_priced_elsewhere(self):
        return (
            super()._is_priced_elsewhere()
            or self._is_granted_replacement()
            or self._is_granted_discount()
        )
