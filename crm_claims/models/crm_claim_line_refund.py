from odoo import models
from odoo.addons.crm_claims.tools.allocation import allocate
from odoo.exceptions import UserError
from odoo.fields import Command


class CrmClaimLine(models.Model):
    """What of a claimed item can be credited, and on which invoice lines.

    Quantities are counted by the part of the price that was given back: two pieces credited at
    half their price use up one.
    """

    _inherit = "crm.claim.line"

    def _is_invoiced(self):
        # sudo: only the answer leaves this method
        return any(
            line.parent_state == "posted" and line.move_id.move_type == "out_invoice"
            for line in self.sudo().order_line_id.invoice_lines
        )

    def _allocate_refund(self, wanted, taken):
        """Distribute what is to be credited over the posted invoice lines.

        Called on superuser records.

        :param float wanted: quantity at full price, in the claim line's unit
        :param dict taken: what this run has given away already, per invoice line in its unit;
            what is given now is added
        :return: list of ``(account.move.line, quantity in the invoice line's unit)``
        :raises UserError: less is left on the invoices
        """
        self.ensure_one()
        if wanted <= 0 or not self.order_line_id:
            return []
        unit = self.product_uom_id
        refundable = [
            (line, left - line.product_uom_id._compute_quantity(taken.get(line, 0.0), unit))
            for line, left in self._get_refundable()
        ]
        parts, short = allocate(wanted, refundable)
        if short:
            raise UserError(
                self.env._(
                    "%(product)s: %(wanted)s granted, but only %(left)s can still be credited; "
                    "the rest was not invoiced or was credited before.",
                    product=self.product_id.display_name,
                    wanted=f"{wanted:g}",
                    left=f"{wanted - short:g}",
                )
            )
        result = [
            (line, unit._compute_quantity(quantity, line.product_uom_id))
            for line, quantity in parts
        ]
        for line, quantity in result:
            taken[line] = taken.get(line, 0.0) + quantity
        return result

    def _get_uncredited(self):
        """Granted quantity that no credit note gives back yet (claims decided without remedies)."""
        self.ensure_one()
        credited = sum(
            line.product_uom_id._compute_quantity(line.quantity, self.product_uom_id)
            for line in self.refund_line_ids
            if line.parent_state != "cancel"
        )
        return max(self.quantity_granted - credited, 0)

    def _get_refundable(self):
        """What each posted invoice line of the order line has left to credit.

        :return: list of ``(account.move.line, quantity in the claim line's unit)``, newest
            invoice first
        """
        unit = self.product_uom_id
        lines = self.order_line_id.invoice_lines

        def quantity(line):
            return line.product_uom_id._compute_quantity(line.quantity, unit)

        def price(line):
            return line.price_subtotal / line.quantity if line.quantity else 0.0

        invoiced = lines.filtered(
            lambda line: line.move_id.move_type == "out_invoice" and line.parent_state == "posted"
        ).sorted(lambda line: (line.date, line.id), reverse=True)
        left = {line: quantity(line) for line in invoiced}
        for refund in lines.filtered(
            lambda line: line.move_id.move_type == "out_refund" and line.parent_state != "cancel"
        ):
            # its own invoice first, then any other
            order = sorted(left, key=lambda line: line.move_id != refund.move_id.reversed_entry_id)
            full = price(order[0]) if order else 0.0
            part = min(price(refund) / full, 1.0) if full > 0 else 1.0
            parts, __ = allocate(quantity(refund) * part, [(line, left[line]) for line in order])
            for line, taken in parts:
                left[line] -= taken
        return list(left.items())

    def _prepare_refund_line_values(self, invoice_line, quantity, ratio=1.0):
        """Values of a credit note line.

        :param float quantity: at full price, in the invoice line's unit
        :param float ratio: part of the price that is given back for each of the pieces
        """
        return {
            "claim_line_id": self.id,
            "name": invoice_line.name,
            "product_id": invoice_line.product_id.id,
            "product_uom_id": invoice_line.product_uom_id.id,
            "quantity": quantity / ratio,
            "price_unit": invoice_line.price_unit * ratio,
            "discount": invoice_line.discount,
            "tax_ids": [Command.set(invoice_line.tax_ids.ids)],
            "account_id": invoice_line.account_id.id,
            "analytic_distribution": invoice_line.analytic_distribution,
            "sale_line_ids": [Command.set(invoice_line.sale_line_ids.ids)],
        }
