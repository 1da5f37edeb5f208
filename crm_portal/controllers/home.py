from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.http import request


class PortalHome(CustomerPortal):
    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        claims = request.env["crm.claim"]
        can_read_claims = claims.has_access("read")
        if "claim_count" in counters:
            values["claim_count"] = claims.search_count([]) if can_read_claims else 0
        if "claim_waiting_count" in counters:
            values["claim_waiting_count"] = (
                claims.search_count(claims._portal_get_waiting_domain()) if can_read_claims else 0
            )
        if "agreement_count" in counters:
            agreements = request.env["crm.agreement"]
            values["agreement_count"] = (
                agreements.search_count(agreements._portal_get_domain())
                if agreements.has_access("read")
                else 0
            )
        return values
