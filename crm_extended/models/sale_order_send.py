from odoo import api, models
from odoo.exceptions import UserError

from .mail_thread import IncomingMail


class SaleOrder(models.Model):
    """A quotation that its agreement holds back does not go out.

    The button, the status *Quotation Sent* (which a list action, an import or a remote call may
    write), a letter by a template, a plain letter with a file to somebody outside (a note that
    mentions him is one) and a link to the order are refused alike, with the list of what is open.
    Words alone may be written: terms are talked about.
    """

    _inherit = "sale.order"

    def action_quotation_send(self):
        """Open the mail composer, unless the terms are not settled yet."""
        self._check_sendable()
        return super().action_quotation_send()

    def write(self, vals):
        drafts = self.filtered(lambda order: order.state == "draft")
        result = super().write(vals)
        if vals.get("state") == "sent":
            drafts._check_sendable()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        orders.filtered(lambda order: order.state == "sent")._check_sendable()
        return orders

    def _message_post_after_hook(self, message, msg_vals):
        result = super()._message_post_after_hook(message, msg_vals)
        if self._is_offer_letter(message):
            self._check_sendable()
        return result

    def _is_offer_letter(self, message):
        """Whether a colleague sends a message with files to somebody outside."""
        if self.env.su or self.env.user.share or not message.attachment_ids:
            return False
        if isinstance(self.env.context.get("crm_incoming_mail"), IncomingMail):
            return False  # it has been sent already
        # sudo: whoever gets it counts, also whom the sender may not read
        people_sudo = message.sudo().partner_ids
        if message.subtype_id and not message.subtype_id.internal:
            followers_sudo = self.sudo().message_follower_ids.filtered(
                lambda follower: message.subtype_id in follower.subtype_ids
            )
            people_sudo |= followers_sudo.partner_id
        return bool(people_sudo.filtered("partner_share"))

    def _check_sendable(self):
        """:raise UserError: when a quotation of `self` has deviations that are not approved"""
        for order in self.filtered(lambda order: order.state in ("draft", "sent")):
            held = [
                deviation
                for deviation in order._get_deviations()
                if order._get_handling(deviation) not in ("approved", "warn")
            ]
            if held:
                raise UserError(order._get_refusal_message(held, sending=True))


class MailComposeMessage(models.TransientModel):
    _inherit = "mail.compose.message"

    def _action_send_mail(self, auto_commit=False):
        for composer in self.filtered(
            lambda c: c.model == "sale.order"
            # letters to many are no messages on the orders, see _is_offer_letter
            and (c.template_id or (c.composition_mode == "mass_mail" and c.attachment_ids))
        ):
            composer._get_composed_orders()._check_sendable()
        return super()._action_send_mail(auto_commit=auto_commit)

    def _get_composed_orders(self):
        """The orders this letter by a template goes out with."""
        self.ensure_one()
        Order = self.env["sale.order"]
        if self.res_domain:
            return Order.search(self._evaluate_res_domain())
        return Order.browse(self._evaluate_res_ids()).exists()


class MailTemplate(models.Model):
    _inherit = "mail.template"

    def _send_check_access(self, res_ids):
        """A remote call that sends a template past the composer is held back as well.

        Letters that jobs send (a reminder of a cart, say) are not offers of a salesperson.
        """
        super()._send_check_access(res_ids)
        if self.model == "sale.order" and not self.env.su:
            self.env["sale.order"].browse(res_ids)._check_sendable()


class PortalShare(models.TransientModel):
    _inherit = "portal.share"

    def action_send_mail(self):
        for share in self.filtered(lambda share: share.res_model == "sale.order"):
            self.env["sale.order"].browse(share.res_id).exists()._check_sendable()
        return super().action_send_mail()
