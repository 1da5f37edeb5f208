from odoo import models
from odoo.addons.crm_claims.tools.allocation import allocate
from odoo.exceptions import UserError
from odoo.fields import Command


class CrmClaimLine(models.Model):
    """What of a claimed item can be credited, and on which invoice lines."""

    _inherit = "crm.claim.line"

    def _allocate_refund(self):
        """Distribute what is granted and not credited yet over the posted invoice lines.

        Called on superuser records.

        :return: list of ``(account.move.line, quantity in the invoice line's unit)``
        :raises UserError: less is left on the invoices
        """
        self.ensure_one()
        unit = self.product_uom_id
        credited = sum(
            line.product_uom_id._compute_quantity(line.quantity, unit)
            for line in self.refund_line_ids
            if line.parent_state != "cancel"
        )
        wanted = max(self.quantity_granted - credited, 0)
        if not wanted or not self.order_line_id:
            return []
        parts, short = allocate(wanted, self._get_refundable())
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
        return [
            (line, unit._compute_quantity(quantity, line.product_uom_id))
            for line, quantity in parts
        ]

    def _get_refundable(self):
        """What each posted invoice line of the order line has left to credit.

        :return: list of ``(account.move.line, quantity in the claim line's unit)``, newest
            invoice first
        """
        unit = self.product_uom_id
        lines = self.order_line_id.invoice_lines

        def quantity(line):
            return line.product_uom_id._compute_quantity(line.quantity, unit)

        invoiced = lines.filtered(
            lambda line: line.move_id.move_type == "out_invoice" and line.parent_state == "posted"
        ).sorted(lambda line: (line.date, line.id), reverse=True)
        left = {line: quantity(line) for line in invoiced}
        for refund in lines.filtered(
            lambda line: line.move_id.move_type == "out_refund" and line.parent_state != "cancel"
        ):
            # its own invoice first, then any other
            order = sorted(left, key=lambda line: line.move_id != refund.move_id.reversed_entry_id)
            parts, __ = allocate(quantity(refund), [(line, left[line]) for line in order])
            for line, taken in parts:
                left[line] -= taken
        return list(left.items())

    def _prepare_refund_line_values(self, invoice_line, quantity):
        return {
            "claim_line_id": self.id,
            "name": invoice_line.name,
            "product_id": invoice_line.product_id.id,
            "product_uom_id": invoice_line.product_uom_id.id,
            "quantity": quantity,
            "price_unit": invoice_line.price_unit,
            "discount": invoice_line.discount,
            "tax_ids": [Command.set(invoice_line.tax_ids.ids)],
            "account_id": invoice_line.account_id.id,
            "analytic_distribution": invoice_line.analytic_distribution,
            "sale_line_ids": [Command.set(invoice_line.sale_line_ids.ids)],
        }
