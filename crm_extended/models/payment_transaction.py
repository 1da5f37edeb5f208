from odoo import models


class PaymentTransaction(models.Model):
    """A payment does not confirm an order past its agreement, and is not lost for that."""

    _inherit = "payment.transaction"

    def _check_amount_and_confirm_order(self):
        """Leave quotations that are held by their agreement as they are, and tell the salesperson.

        The money has come already (a late transfer, terms that ended meanwhile), so raising would
        only keep the payment itself from being recorded.
        """
        held = self.filtered(
            lambda tx: len(tx.sale_order_ids) == 1 and tx.sale_order_ids._is_held_by_agreement()
        )
        for transaction in held:
            order = transaction.sale_order_ids
            deviations = order._get_deviations()
            order._log_deviations(
                self.env._("Paid, but not confirmed: the order deviates from its agreement:"),
                deviations,
            )
            order.activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=order.user_id.id or self.env.ref("base.user_admin").id,
                summary=self.env._("Paid quotation deviates from its agreement"),
            )
        return super(PaymentTransaction, self - held)._check_amount_and_confirm_order()
