from odoo import http
from odoo.http import request

from ..models.crm_claim_filing import PortalFormError
from .agreements import PortalAgreements


class PortalAgreementRenewal(PortalAgreements):
    """Ask to renew an agreement; take home the contract signed under it."""

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

    @http.route(
        "/my/agreements/contracts/<int:contract_id>/file",
        type="http",
        auth="user",
        website=True,
        methods=["GET"],
        readonly=True,
    )
    def portal_contract_file(self, contract_id, **kwargs):
        agreements = request.env["crm.agreement"]
        if not (request.env.user._is_portal() and agreements.has_access("read")):
            raise request.not_found()
        contract_sudo = agreements._portal_get_contracts(request.env.user).filtered(
            lambda contract: contract.id == contract_id
        )
        file_sudo = contract_sudo.document_id
        if not file_sudo or file_sudo.type != "binary":
            raise request.not_found()
        stream = request.env["ir.binary"].sudo()._get_stream_from(file_sudo)
        response = stream.get_response(as_attachment=True)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "private, no-cache"
        return response
