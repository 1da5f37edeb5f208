from odoo import fields, http
from odoo.http import request

from .calls import PortalCalls


class PortalHomeService(PortalCalls):
    """What the home page shows beside documents: the manager, debt and appointments."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        user = request.env.user
        if "debt_count" in counters:
            invoices = request.env["account.move"]
            values["debt_count"] = (
                invoices.search_count(
                    user.partner_id._portal_get_open_invoices_domain(user.company_id)
                )
                if user._is_portal() and invoices.has_access("read")
                else 0
            )
        return values

    @http.route()
    def home(self, **kw):
        response = super().home(**kw)
        if request.env.user._is_portal():
            response.qcontext.update(self._prepare_home_service_values())
        return response

    def _prepare_home_service_values(self):
        return {
            **self._prepare_manager_values(),
            "is_customer": True,
            # his own card beside the page, read without asking again and again whether it is his
            "user_id": request.env.user,
            "survey_url": self._get_open_survey_url(),
            "home_news": request.env["crm.portal.news"]._portal_get_news(request.env.user, 3),
            "show_offers": not request.env.user.partner_id.portal_hide_offers,
        }

    def _get_open_survey_url(self):
        """Where the visitor answers the survey that waits for him, if there is one."""
        # sudo: his own survey only; customers have no access to them
        feedback_sudo = (
            request.env["crm.portal.feedback"]
            .sudo()
            .search(
                [
                    ("partner_id", "=", request.env.user.partner_id.id),
                    ("state", "=", "sent"),
                    ("user_input_id.deadline", ">", fields.Datetime.now()),
                ],
                limit=1,
            )
        )
        return feedback_sudo and feedback_sudo.user_input_id.get_start_url()
