from odoo import api, fields, models
from odoo.exceptions import UserError

from .sale_order import CONFIRMED_STATES, OPEN_STATES


class SaleOrder(models.Model):
    """No order for somebody who is not there any more.

    Before an order is confirmed, by whichever road, the status that the register gave its client
    and whoever is invoiced is looked at. The company says what follows: nothing, a note on the
    order, or a refusal. The register itself is not asked then: that has a button and a schedule.
    A client of a confirmed order is looked at when he is exchanged for another.
    """

    _inherit = "sale.order"

    counterparty_id = fields.Many2one(
        "res.partner", string="Counterparty in Danger", compute="_compute_counterparty_id"
    )
    counterparty_status = fields.Selection(
        related="counterparty_id.counterparty_status", string="Status of the Counterparty"
    )
    counterparty_message = fields.Char(related="counterparty_id.counterparty_message")
    counterparty_alert = fields.Selection(
        [("warning", "Worth knowing"), ("danger", "Danger"), ("block", "Cannot be confirmed")],
        compute="_compute_counterparty_id",
    )

    def _has_field_access(self, field, operation):
        # how we see a client is not the customer's to read
        if field.name.startswith("counterparty_") and not self.env.su and self.env.user.share:
            return False
        return super()._has_field_access(field, operation)

    @api.depends(
        "partner_id.commercial_partner_id.counterparty_status",
        "partner_invoice_id.commercial_partner_id.counterparty_status",
        "company_id.counterparty_mode",
    )
    def _compute_counterparty_id(self):
        for order in self:
            # sudo: a colleague's client is in no less danger
            clients_sudo = (
                (order.partner_id | order.partner_invoice_id).sudo().commercial_partner_id
            )
            worst_sudo = clients_sudo.filtered("counterparty_alert").sorted(
                lambda client: client.counterparty_alert == "danger", reverse=True
            )[:1]
            mode = order.company_id.sudo().counterparty_mode
            alert = worst_sudo.counterparty_alert if mode != "off" else False
            order.counterparty_id = worst_sudo.sudo(self.env.su)
            order.counterparty_alert = "block" if alert == "danger" and mode == "block" else alert

    def _check_confirmation_terms(self):
        for order in self:
            order._check_counterparty()
        return super()._check_confirmation_terms()

    def write(self, vals):
        exchanged = {"partner_id", "partner_invoice_id"} & vals.keys()
        clients = {
            order: order.counterparty_id
            for order in self
            if exchanged and order.state in CONFIRMED_STATES
        }
        result = super().write(vals)
        for order, client in clients.items():
            if order.counterparty_id != client:
                order._check_counterparty()
        return result

    def _check_counterparty(self):
        """Refuse an order whose client is in danger, or note it, as its company wants it.

        :raise UserError: names the client, the status, its date and what to do
        """
        self.ensure_one()
        if not self.counterparty_alert:
            return
        message = self.counterparty_message
        if self.counterparty_alert == "block":
            raise UserError(
                self.env._(
                    "Order %(order)s cannot be confirmed. %(message)s\n\nIf the register has "
                    "changed since, or a number was mistyped, correct it on the client and check "
                    "again there.",
                    order=self.name,
                    message=message,
                )
            )
        self.message_post(body=message, subtype_xmlid="mail.mt_note")

    def _is_held_by_counterparty(self):
        """Whether a quotation cannot become an order for its client's status."""
        self.ensure_one()
        # sudo: the customer is not told, and is held all the same
        return self.state in OPEN_STATES and self.sudo().counterparty_alert == "block"

    def _is_held_by_agreement(self):
        return super()._is_held_by_agreement() or self._is_held_by_counterparty()


class PaymentTransaction(models.Model):
    """A payment does not confirm an order for a client in danger, and is not lost for that."""

    _inherit = "payment.transaction"

    def _check_amount_and_confirm_order(self):
        held = self.filtered(
            lambda tx: len(tx.sale_order_ids) == 1 and tx.sale_order_ids._is_held_by_counterparty()
        )
        for order in held.sale_order_ids:
            order.message_post(
                body=self.env._("Paid, but not confirmed. %s", order.counterparty_message),
                subtype_xmlid="mail.mt_note",
            )
            order.activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=order.user_id.id or self.env.ref("base.user_admin").id,
                summary=self.env._("Paid quotation of a client in danger"),
            )
        return super(PaymentTransaction, self - held)._check_amount_and_confirm_order()
