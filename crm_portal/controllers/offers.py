import secrets

from odoo import http
from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.http import request

from ..models.crm_claim_filing import PortalFormError


class PortalOffers(CustomerPortal):
    """Products recommended to the customer, and why; news of our company."""

    def _prepare_offer_values(self):
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "offers",
            "offers": request.env["sale.order"]._portal_get_offers(request.env.user),
            "hidden": request.env.user.partner_id.portal_hide_offers,
            "form_key": secrets.token_urlsafe(16),
            "error": "",
        }

    @http.route("/my/recommended", type="http", auth="user", website=True, methods=["GET"])
    def portal_my_offers(self, **kwargs):
        if not request.env.user._is_portal():
            raise request.not_found()
        # not read only: what is shown is noted, so that its effect can be measured
        return request.render("crm_portal.portal_my_offers", self._prepare_offer_values())

    @http.route(
        "/my/recommended/<int:product_id>",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def portal_my_offer_request(self, product_id, form_key=None, **post):
        user = request.env.user
        if not user._is_portal() or product_id > 2**31 - 1:
            raise request.not_found()
        try:
            with request.env.cr.savepoint():
                order_sudo = request.env["sale.order"]._portal_request_offer(
                    user, product_id, form_key
                )
        except PortalFormError as error:
            request.env.invalidate_all()
            values = self._prepare_offer_values() | {"error": error.args[0]}
            return request.render("crm_portal.portal_my_offers", values, status=422)
        return request.redirect(f"/my/orders/{order_sudo.id}?notice=repeated", code=303)

    # ------------------------------------------------------------
    # News
    # ------------------------------------------------------------

    @http.route("/my/news", type="http", auth="user", website=True, methods=["GET"], readonly=True)
    def portal_my_news(self, **kwargs):
        if not request.env.user._is_portal():
            raise request.not_found()
        return request.render(
            "crm_portal.portal_my_news",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "news",
                "news": request.env["crm.portal.news"]._portal_get_news(
                    request.env.user, self._items_per_page
                ),
            },
        )

    @http.route(
        "/my/news/<int:news_id>/image",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
    )
    def portal_my_news_image(self, news_id, **kwargs):
        news = request.env["crm.portal.news"]
        if not request.env.user._is_portal() or news_id > 2**31 - 1:
            raise request.not_found()
        # sudo: what the domain lets the customer see; customers have no access to the model
        news_sudo = news.sudo().search(
            [("id", "=", news_id), *news._portal_get_domain(request.env.user)]
        )
        if not news_sudo.image:
            raise request.not_found()
        stream = request.env["ir.binary"].sudo()._get_image_stream_from(news_sudo, "image")
        return stream.get_response()
