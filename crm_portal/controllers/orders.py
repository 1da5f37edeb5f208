import secrets

from odoo import fields, http
from odoo.addons.sale.controllers.portal import CustomerPortal, PaymentPortal
from odoo.exceptions import AccessError, MissingError, ValidationError
from odoo.http import request

from ..models.crm_claim_filing import PortalFormError


class PortalOrders(CustomerPortal):
    """Orders of a customer: what he has asked for himself, and *Repeat this order*."""

    def _prepare_quotations_domain(self, partner):
        """What he requested himself stands among his quotations before we have sent it."""
        domain = super()._prepare_quotations_domain(partner)
        return [
            "|",
            *(["&"] * (len(domain) - 1)),
            *domain,
            "&",
            "&",
            ("partner_id", "child_of", [partner.commercial_partner_id.id]),
            ("state", "=", "draft"),
            ("is_portal_request", "=", True),
        ]

    def _prepare_sale_portal_rendering_values(self, page=1, sortby=None, **kwargs):
        """What is not on the menu, or no date, is ignored: Odoo's page would break on it."""
        if sortby not in self._get_sale_searchbar_sortings():
            sortby = None
        for name in ("date_begin", "date_end"):
            try:
                fields.Datetime.to_datetime(kwargs.get(name))
            except (TypeError, ValueError):
                kwargs[name] = None
        if isinstance(page, str):
            is_number = page.isascii() and page.isdigit() and len(page) < 7
            page = int(page) if is_number else 1
        return super()._prepare_sale_portal_rendering_values(page=page, sortby=sortby, **kwargs)

    def _get_page_view_values(self, document, access_token, values, *args, **kwargs):
        values = super()._get_page_view_values(document, access_token, values, *args, **kwargs)
        if document._name == "sale.order":
            user = request.env.user
            # read together what the page would read one by one
            people = document.partner_id | document.user_id.partner_id | user.partner_id
            people.mapped("name")
            values |= {
                "order_status": document._portal_get_status(),
                "can_repeat": document._portal_can_be_repeated(user),
                "form_key": secrets.token_urlsafe(16),
                "left_out": (document.portal_left_out or "").splitlines(),
                "order_notice": kwargs.get("notice"),
                "nothing_left": kwargs.get("nothing_left"),
            }
        return values

    @http.route(
        "/my/orders/<int:order_id>/repeat",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def portal_order_repeat(self, order_id, form_key=None, **post):
        try:
            order_sudo = self._document_check_access("sale.order", order_id)
        except (AccessError, MissingError):
            raise request.not_found() from None
        if not order_sudo._portal_can_be_repeated(request.env.user):
            raise request.not_found()
        order = order_sudo.sudo(False)
        try:
            with request.env.cr.savepoint():
                quotation_sudo = order._portal_repeat(form_key)
        except PortalFormError as error:
            request.env.invalidate_all()
            return request.render(
                "crm_portal.portal_refused",
                {
                    **self._prepare_portal_layout_values(),
                    "title": request.env._("Repeat order %s", order_sudo.name),
                    "message": error.args[0],
                    "back_url": f"/my/orders/{order_id}",
                },
                status=422,
            )
        return request.redirect_query(
            f"/my/orders/{quotation_sudo.id}", {"notice": "repeated"}, code=303
        )


class PortalOrderPayment(PaymentPortal):
    """What the customer requested himself is not paid before somebody of ours has sent it.

    Odoo hides the button; a payment made without it would confirm the order.
    """

    @http.route()
    def portal_order_transaction(self, order_id, access_token, **kwargs):
        try:
            order_sudo = self._document_check_access("sale.order", order_id, access_token)
        except (AccessError, MissingError):
            order_sudo = request.env["sale.order"].sudo()  # Odoo says so in its own words
        if order_sudo and order_sudo._portal_is_unchecked():
            raise ValidationError(order_sudo._portal_get_status()["text"])
        return super().portal_order_transaction(order_id, access_token, **kwargs)
