import secrets

import pytz
from odoo import fields, http
from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import format_datetime

from ..models.crm_claim_filing import PortalFormError


class PortalCalls(CustomerPortal):
    """The personal manager, and appointments with him."""

    def _prepare_manager_values(self):
        """The manager of the signed-in customer, with the few things that he may see of him."""
        user = request.env.user
        manager = user.partner_id._portal_get_manager(user.company_id)
        manager = manager.with_company(user.company_id)
        if not manager:
            return {"manager": None}
        return {
            "manager": {
                "name": manager.name,
                "email": manager.email_normalized,
                "phone": manager.employee_id.work_phone or manager.phone,
                "job": manager.employee_id.job_title,
                # inline: no address under which pictures of other users could be tried
                "photo": manager.image_256 or manager.partner_id._avatar_generate_svg(),
                "hours": manager._portal_get_hours(),
            }
        }

    def _prepare_call_values(self, post=None):
        user = request.env.user
        interactions = request.env["crm.interaction"]
        zone = interactions._portal_get_zone(user)
        post = post or {}
        kind = post.get("kind")
        if kind not in interactions._portal_get_kinds():
            kind = "call"
        manager = user.partner_id._portal_get_manager(user.company_id)
        # sudo: his own requests only; customers have no access to contacts
        requests_sudo = interactions.sudo().search(
            interactions._portal_get_request_domain(user.partner_id), order="date_start"
        )
        return {
            **self._prepare_portal_layout_values(),
            **self._prepare_manager_values(),
            "page_name": "call",
            "kind": kind,
            "zone": zone,
            "offer": interactions._portal_get_offer(manager, kind, zone) if manager else [],
            "appointments": [
                {
                    "id": appointment.id,
                    "subject": appointment.subject,
                    "kind": appointment.kind,
                    "when": format_datetime(
                        request.env, appointment.date_start, tz=zone.zone,
                        dt_format="EEEE d MMMM, HH:mm"
                    ),
                    "can_cancel": appointment.date_start > fields.Datetime.now(),
                }
                for appointment in requests_sudo
            ],
            "format_slot": lambda moment: (
                pytz.utc.localize(moment).astimezone(zone).strftime("%H:%M")
            ),
            "phone": user.partner_id.phone,
            "form": post,
            "errors": {},
            "form_key": secrets.token_urlsafe(16),
        }  # fmt: skip

    @http.route("/my/call", type="http", auth="user", website=True, methods=["GET"])
    def portal_my_call(self, kind=None, notice=None, **kwargs):
        if not request.env.user._is_portal():
            return request.redirect("/my")
        values = self._prepare_call_values({"kind": kind})
        return request.render("crm_portal.portal_my_call", values | {"notice": notice})

    @http.route("/my/call", type="http", auth="user", website=True, methods=["POST"])
    def portal_my_call_submit(self, **post):
        if not request.env.user._is_portal():
            raise request.not_found()
        try:
            with request.env.cr.savepoint():
                request.env["crm.interaction"]._portal_request(post)
        except PortalFormError as error:
            request.env.invalidate_all()
            values = self._prepare_call_values(post)
            return request.render(
                "crm_portal.portal_my_call", values | {"errors": error.errors}, status=422
            )
        return request.redirect("/my/call?notice=requested", code=303)

    @http.route(
        "/my/call/<int:interaction_id>/cancel",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def portal_my_call_cancel(self, interaction_id, **post):
        interactions = request.env["crm.interaction"]
        # sudo: his own requests only; customers have no access to contacts
        interaction_sudo = interactions.sudo().search(
            [
                ("id", "=", interaction_id),
                ("portal_request_partner_id", "=", request.env.user.partner_id.id),
            ]
        )
        if not interaction_sudo:
            raise request.not_found()
        try:
            with request.env.cr.savepoint():
                interaction_sudo._portal_cancel_request()
        except UserError:
            return request.redirect("/my/call?notice=late", code=303)
        return request.redirect("/my/call?notice=cancelled", code=303)
