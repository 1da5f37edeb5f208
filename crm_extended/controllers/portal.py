from odoo.addons.sale.controllers import portal
from odoo.exceptions import AccessError, MissingError, ValidationError
from odoo.http import request, route


def _get_hold_message():
    return request.env._(
        "The terms of this quotation are still being checked. You can sign or pay it as soon as "
        "your contact has confirmed them."
    )


class CustomerPortal(portal.CustomerPortal):
    @route()
    def portal_quote_accept(self, order_id, access_token=None, name=None, signature=None):
        """Say why a quotation that its agreement holds back cannot be signed."""
        token = access_token or request.httprequest.args.get("access_token")
        try:
            order_sudo = self._document_check_access("sale.order", order_id, access_token=token)
        except (AccessError, MissingError):
            order_sudo = None
        if order_sudo and order_sudo._is_held_by_agreement():
            return {"error": _get_hold_message()}
        return super().portal_quote_accept(
            order_id, access_token=access_token, name=name, signature=signature
        )


class PaymentPortal(portal.PaymentPortal):
    @route()
    def portal_order_transaction(self, order_id, access_token, **kwargs):
        """Take no money for a quotation that cannot become an order."""
        try:
            order_sudo = self._document_check_access("sale.order", order_id, access_token)
        except (AccessError, MissingError):
            order_sudo = None
        if order_sudo and order_sudo._is_held_by_agreement():
            raise ValidationError(_get_hold_message())
        return super().portal_order_transaction(order_id, access_token, **kwargs)
