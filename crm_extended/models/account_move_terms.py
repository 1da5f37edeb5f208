from collections import Counter

from odoo import fields, models
from odoo.fields import Command
from odoo.tools import format_amount

from ..tools.agreement_terms import exceeds, net_price

HELD_TYPES = ("out_invoice", "out_receipt")


class AccountMove(models.Model):
    """An invoice is held to an agreement, when it is posted.

    - Lines that bill an order: the order was checked when it was confirmed, and the invoice may
      not go past what the order says or what was approved on it: not below its prices, not with a
      discount that the order does not have, not with other payment terms or another currency.
    - Lines that bill no order, in an invoice entered by hand or added to one, and lines that got
      another product or client than the order has, or bill more than was ordered or delivered:
      they are held to the agreed prices and discounts as if they stood on an order of today; of
      the agreement of the order beside them, else of the one that applies to the client today. An
      invoice that bills no order at all has the agreed payment terms and currency.

    Debt, delivery and minimum are matters of the order alone: goods that were delivered have to be
    invoiced. Sales of a till were paid there before, and are not held either. Whatever date is
    written on the invoice, the terms are those of the day it is posted.
    """

    _inherit = "account.move"

    # ------------------------------------------------------------------
    # Finding deviations
    # ------------------------------------------------------------------

    def _get_deviations(self, applicable=None):
        """Points in which this invoice goes past its agreement, or the orders it bills.

        :param dict applicable: what :meth:`_get_hand_agreements` returns, for many invoices
        :rtype: list[Deviation]
        """
        self.ensure_one()
        if not self._is_held():
            return []
        move_sudo = self.sudo()  # sudo: the terms bind whoever posts, also who cannot see them
        lines_sudo = move_sudo._get_held_lines()
        orders_sudo = lines_sudo.sale_line_ids.order_id.filtered("agreement_id")
        deviations = []
        for order_sudo in orders_sudo:
            deviations += move_sudo._get_header_deviations(order_sudo)
        for line_sudo in lines_sudo:
            deviations += move_sudo._get_line_deviations(line_sudo)
        if orders_sudo:
            deviations += move_sudo._get_extra_discount_deviations(lines_sudo, orders_sudo[:1])
        if applicable is None:
            applicable = self._get_hand_agreements()
        if agreement := applicable.get(self):
            order_sudo = move_sudo._get_billed_orders().filtered("agreement_id")[:1]
            deviations += move_sudo._get_hand_deviations(agreement.sudo(), order_sudo)
        return self._tell_repeated_apart(deviations)

    def _is_held(self):
        """Whether this is an invoice of a kind that is held to agreements at all."""
        self.ensure_one()
        return self.move_type in HELD_TYPES and not self._is_sold_at_till()

    def _is_sold_at_till(self):
        # sudo: whoever posts it need not know tills
        return "pos_order_ids" in self._fields and bool(self.sudo().pos_order_ids)

    def _tell_repeated_apart(self, deviations):
        """Give each repetition figures of its own: who approved one line approved no second one."""
        counts = Counter()
        result = []
        for deviation in deviations:
            fingerprint = self._get_fingerprint(deviation)
            counts[fingerprint] += 1
            if counts[fingerprint] > 1:
                deviation = deviation._replace(
                    figures=(*deviation.figures, f"#{counts[fingerprint]}")
                )
            result.append(deviation)
        return result

    def _get_held_lines(self):
        return self.invoice_line_ids.filtered(lambda line: line.display_type == "product")

    def _bills_order(self, line):
        """Whether a line bills what stands on an order of this client, and no more of it.

        A remote call may link any line to any line of any order, and the form changes products and
        quantities: a price that was approved for two pieces is none for two hundred.
        """
        client = self.partner_id.commercial_partner_id._origin
        product = line.product_id._origin
        sale_lines = line.sale_line_ids
        clients = sale_lines.order_id.partner_id | sale_lines.order_id.partner_invoice_id
        return (
            bool(sale_lines)
            and client in clients.commercial_partner_id
            and all(
                sale_line.is_downpayment
                or (
                    (not product or product == sale_line.product_id)
                    and sale_line.product_uom_id.compare(
                        sale_line.qty_invoiced,
                        max(sale_line.product_uom_qty, sale_line.qty_delivered),
                    )
                    <= 0
                )
                for sale_line in sale_lines
            )
        )

    def _get_billed_orders(self):
        lines = self._get_held_lines().filtered(self._bills_order)
        return lines.sale_line_ids.order_id

    def _prepare_order_deviation(self, kind, order_sudo, figures, **values):
        return self._prepare_deviation(
            kind, order_sudo.agreement_id, (order_sudo.id, *figures), **values
        )

    def _get_header_deviations(self, order_sudo):
        deviations = []
        agreement_sudo = order_sudo.agreement_id
        agreed_sudo = order_sudo._get_agreed_payment_term(agreement_sudo)
        term_sudo = self.invoice_payment_term_id
        if agreed_sudo and term_sudo not in (agreed_sudo, order_sudo.payment_term_id):
            deviations.append(
                self._prepare_order_deviation(
                    "payment_term",
                    order_sudo,
                    [term_sudo.id],
                    expected=agreed_sudo.display_name,
                    actual=term_sudo.display_name or self.env._("none"),
                )
            )
        if self.currency_id != order_sudo.currency_id:
            deviations.append(
                self._prepare_order_deviation(
                    "currency",
                    order_sudo,
                    [self.currency_id.id],
                    expected=order_sudo.currency_id.name,
                    actual=self.currency_id.name,
                )
            )
        return deviations

    def _get_line_deviations(self, line):
        """Whether a line bills its order line below the price on the order."""
        deviations = []
        net = net_price(line.price_unit, line.discount)
        for sale_line_sudo in line.sale_line_ids:
            order_sudo = sale_line_sudo.order_id
            if not order_sudo.agreement_id or sale_line_sudo.is_downpayment:
                continue
            agreed = net_price(sale_line_sudo.price_unit, sale_line_sudo.discount)
            if order_sudo.currency_id != self.currency_id:
                agreed = order_sudo.currency_id._convert(
                    agreed,
                    self.currency_id,
                    self.company_id,
                    self.invoice_date or fields.Date.context_today(self),
                    round=False,
                )
            unit = line.product_uom_id
            if unit and sale_line_sudo.product_uom_id and unit != sale_line_sudo.product_uom_id:
                agreed = sale_line_sudo.product_uom_id._compute_price(agreed, unit)
            base = abs(agreed)
            if not base and net >= 0:
                continue
            lowered = (agreed - net) / base * 100.0 if base else 100.0
            if not exceeds(lowered, 0.0):
                continue
            name = line.product_id.display_name or line.name or ""
            deviations.append(
                self._prepare_order_deviation(
                    "price",
                    order_sudo,
                    [line.product_id.id, round(net, 4), line.quantity],
                    line=sale_line_sudo,
                    description=self.env._("Price below the order: %s", name),
                    expected=format_amount(self.env, agreed, self.currency_id),
                    actual=format_amount(self.env, net, self.currency_id),
                    difference=format_amount(self.env, net - agreed, self.currency_id),
                    severity=lowered,
                    amount=(agreed - net) * abs(line.quantity),
                )
            )
        return deviations

    def _get_extra_discount_deviations(self, lines, order_sudo):
        """Amounts taken off the invoice in lines that come from no order."""
        extra = sum(
            line.price_subtotal
            for line in lines
            if not self._bills_order(line) and line.price_subtotal < 0
        )
        if self.currency_id.compare_amounts(extra, 0.0) >= 0:
            return []
        return [
            self._prepare_order_deviation(
                "discount",
                order_sudo,
                [round(extra, 2)],
                description=self.env._("Discount that is not on the order"),
                expected=format_amount(self.env, 0.0, self.currency_id),
                actual=format_amount(self.env, extra, self.currency_id),
                difference=format_amount(self.env, extra, self.currency_id),
                severity=-extra,
                amount=-extra,
            )
        ]

    # ------------------------------------------------------------------
    # Entered by hand
    # ------------------------------------------------------------------

    def _get_hand_lines(self):
        """Lines that bill no order and are held to the agreed prices.

        Beside the lines of an order a discount of its own is another deviation
        (:meth:`_get_extra_discount_deviations`), and a text without a product has no agreed price.
        """
        lines = self._get_held_lines()
        by_hand = lines.filtered(lambda line: not self._bills_order(line))
        if by_hand == lines:
            return by_hand
        return by_hand.filtered(lambda line: line.product_id and line.price_subtotal >= 0)

    def _get_hand_agreements(self):
        """The agreement to which each invoice is held for what it bills past orders.

        :return: mapping of the invoices that have such lines and an agreement to it
        :rtype: dict
        """
        found = {}
        wanted = {}
        today = fields.Date.context_today(self)
        for move in self:
            move_sudo = move.sudo()  # sudo: as in _get_deviations
            if not move._is_held() or not move_sudo._get_hand_lines():
                continue
            if agreement_sudo := move_sudo._get_billed_orders().agreement_id[:1]:
                found[move] = agreement_sudo
            else:
                wanted[move] = (move_sudo.partner_id, move_sudo.company_id, today)
        applicable = self.env["crm.agreement"]._get_applicable(wanted)
        return found | {move: agreement for move, agreement in applicable.items() if agreement}

    def _get_hand_deviations(self, agreement_sudo, order_sudo):
        """What lines that bill no order have otherwise than agreed, as on an order of today.

        :param order_sudo: the order that is billed beside them, may be empty
        """
        order = self._prepare_order_by_hand(agreement_sudo)
        deviations = []
        if not self._get_billed_orders():
            order.payment_term_id = self.invoice_payment_term_id
            deviations += [
                deviation
                for deviation in order._get_header_deviations(agreement_sudo)
                if deviation.kind in ("payment_term", "currency")
            ]
        for deviation in order._get_price_deviations(agreement_sudo):
            if deviation.kind == "discount" and not deviation.line:
                deviation = deviation._replace(
                    description=self.env._("Discount on the whole invoice")
                )
            deviations.append(deviation)
        # the lines of that order exist nowhere
        return [
            deviation._replace(
                line=self.env["sale.order.line"], figures=(order_sudo.id, *deviation.figures)
            )
            for deviation in deviations
        ]

    def _prepare_order_by_hand(self, agreement_sudo):
        """An order in memory that sells what this invoice bills past orders."""
        return self.env["sale.order"].new(
            {
                "partner_id": self.partner_id._origin.id,
                "company_id": self.company_id.id,
                "agreement_id": agreement_sudo.id,
                "pricelist_id": agreement_sudo.pricelist_id.id,
                "currency_id": self.currency_id.id,
                "fiscal_position_id": self.fiscal_position_id._origin.id,
                "date_order": fields.Datetime.now(),
                "order_line": [
                    Command.create(
                        {
                            "name": line.name or "",
                            "product_id": line.product_id._origin.id,
                            "product_uom_id": line.product_uom_id._origin.id,
                            "product_uom_qty": line.quantity,
                            "price_unit": line.price_unit,
                            "discount": line.discount,
                        }
                    )
                    for line in self._get_hand_lines()
                ],
            }
        )
