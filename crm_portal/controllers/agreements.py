from odoo import http
from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager
from odoo.http import request


class PortalAgreements(CustomerPortal):
    """Pages on which customers read the terms agreed with them."""

    @http.route(
        ["/my/agreements", "/my/agreements/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
        methods=["GET"],
        readonly=True,
    )
    def portal_my_agreements(self, page=1, **kwargs):
        agreements = request.env["crm.agreement"]
        domain = agreements._portal_get_domain()
        can_read = agreements.has_access("read")
        pager = portal_pager(
            url="/my/agreements",
            total=agreements.search_count(domain) if can_read else 0,
            page=page,
            step=self._items_per_page,
        )
        if can_read:
            agreements = agreements.search(
                domain,
                order="date_start desc, id desc",
                limit=self._items_per_page,
                offset=pager["offset"],
            )
        return request.render(
            "crm_portal.portal_my_agreements",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "agreement",
                "agreements": agreements,
                "contracts": agreements._portal_get_contracts(request.env.user),
                "pager": pager,
                "default_url": "/my/agreements",
            },
        )

    @http.route(
        "/my/agreements/<int:agreement_id>",
        type="http",
        auth="user",
        website=True,
        methods=["GET"],
        readonly=True,
    )
    def portal_my_agreement(self, agreement_id, **kwargs):
        agreements = request.env["crm.agreement"]
        if not agreements.has_access("read"):
            raise request.not_found()
        agreement = agreements.search([("id", "=", agreement_id), *agreements._portal_get_domain()])
        if not agreement:
            raise request.not_found()
        return request.render(
            "crm_portal.portal_my_agreement",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "agreement",
                "agreement": agreement,
                "terms": agreement._portal_get_terms(),
            },
        )
