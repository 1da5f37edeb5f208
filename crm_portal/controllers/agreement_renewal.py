from odoo import http
from odoo.http import request

from ..models.crm_claim_filing import PortalFormError
from .agreements import PortalAgreements


class PortalAgreementRenewal(PortalAgreements):
    """Ask to renew an agreement."""

    @http.route(
        "/my/agreements/<int:agreement_id>/renew",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def portal_agreement_renew(self, agreement_id, **post):
        agreements = request.env["crm.agreement"]
        if not (request.env.user._is_portal() and agreements.has_access("read")):
            raise request.not_found()
        agreement = agreements.search([("id", "=", agreement_id), *agreements._portal_get_domain()])
        if not agreement:
            raise request.not_found()
        try:
            agreement._portal_ask_renewal()
        except PortalFormError:
            return request.redirect(f"/my/agreements/{agreement.id}", code=303)
        return request.redirect_query(
            f"/my/agreements/{agreement.id}", {"notice": "renewal"}, code=303
        )
