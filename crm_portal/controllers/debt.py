from odoo import fields, http
from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager
from odoo.http import request


class PortalDebt(CustomerPortal):
    """What the customer owes: invoices to pay, overdue ones first, and his credit limit."""

    @http.route(
        ["/my/debt", "/my/debt/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
        methods=["GET"],
        readonly=True,
    )
    def portal_my_debt(self, page=1, **kwargs):
        user = request.env.user
        company = user.company_id
        invoices = request.env["account.move"]
        domain = user.partner_id._portal_get_open_invoices_domain(company)
        can_read = invoices.has_access("read") and user._is_portal()
        pager = portal_pager(
            url="/my/debt",
            total=invoices.search_count(domain) if can_read else 0,
            page=page,
            step=self._items_per_page,
        )
        if can_read:
            invoices = invoices.search(
                domain,
                order="invoice_date_due, id",
                limit=self._items_per_page,
                offset=pager["offset"],
            )
        debt = user.partner_id._portal_get_debt(company) if can_read else None
        return request.render(
            "crm_portal.portal_my_debt",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "debt",
                # sudo: as Odoo's own list of invoices; the rules have chosen them
                "invoices": invoices.sudo(),
                "debt": debt,
                "debt_days": request.env._("the oldest for %s days", debt.days) if debt else "",
                "today": fields.Date.context_today(user),
                "pager": pager,
                "default_url": "/my/debt",
            },
        )
