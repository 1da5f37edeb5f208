from odoo import http
from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.http import request


class PortalNotices(CustomerPortal):
    """Which events the customer is told of, and by which way."""

    def _prepare_notice_values(self):
        user = request.env.user
        choices = request.env["crm.portal.notice.choice"]
        events = choices._get_events()
        # sudo: his own choices only; customers have no access to them
        stored = {
            choice.event: choice
            for choice in choices.sudo().search([("partner_id", "=", user.partner_id.id)])
        }
        can_sms = user.company_id.sudo().portal_sms_notices
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "notices",
            "can_sms": can_sms,
            "events": [
                {
                    "key": event,
                    "label": label,
                    "mail": stored[event].by_mail if event in stored else True,
                    "sms": stored[event].by_sms if event in stored else False,
                    "can_sms": can_sms and event in choices._get_sms_events(),
                }
                for event, label in events.items()
            ],
            "hide_offers": user.partner_id.portal_hide_offers,
            "email": user.partner_id.email,
            "phone": user.partner_id.phone,
        }

    @http.route(
        "/my/notices", type="http", auth="user", website=True, methods=["GET"], readonly=True
    )
    def portal_my_notices(self, notice=None, **kwargs):
        if not request.env.user._is_portal():
            raise request.not_found()
        values = self._prepare_notice_values()
        return request.render("crm_portal.portal_my_notices", values | {"notice": notice})

    @http.route("/my/notices", type="http", auth="user", website=True, methods=["POST"])
    def portal_my_notices_submit(self, **post):
        user = request.env.user
        if not user._is_portal():
            raise request.not_found()
        choices = request.env["crm.portal.notice.choice"]
        can_sms = user.company_id.sudo().portal_sms_notices
        ticked = {
            (event, way)
            for event in choices._get_events()
            for way in ("mail", "sms")
            if post.get(f"{way}_{event}") and (way == "mail" or can_sms)
        }
        # sudo: his own choices, from a fixed list of events and ways
        choices.sudo()._set_choices(user.partner_id, ticked)
        user.partner_id.sudo().portal_hide_offers = not post.get("offers")
        return request.redirect("/my/notices?notice=saved", code=303)
