import uuid

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request
from psycopg2 import errors as pg_errors

from ..models.crm_claim_filing import PortalFormError
from .claims import PortalClaims

MAX_ORDERS = 50
FORM_KEYS = ("subject", "description", "remedy", "order_id", "form_key")


class PortalClaimFiling(PortalClaims):
    """The form with which a customer files a claim.

    It is an ordinary multipart form. With JavaScript it is sent in the background and answers are
    JSON, so that neither the text nor the chosen photos are lost when something is wrong.
    """

    def _get_claimable_orders(self):
        orders_sudo = request.env["sale.order"].sudo()
        return orders_sudo.search(
            [
                ("company_id", "in", request.env.user.company_ids.ids),
                *orders_sudo._portal_get_claimable_domain(request.env.user.partner_id),
            ],
            order="date_order desc, id desc",
            limit=MAX_ORDERS,
        )

    def _get_claim_form_order(self, order_id):
        if not order_id:
            return request.env["sale.order"].sudo()
        return request.env["crm.claim"]._portal_find_order(request.env.user.partner_id, order_id)

    def _prepare_claim_form_values(self, post=None, errors=None):
        """Values of the form: empty, or with what was sent and what is wrong with it."""
        post = post or {}
        claims = request.env["crm.claim"]
        order_sudo = self._get_claim_form_order(post.get("order_id"))
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "claim_form",
            "form": post,
            "errors": errors or {},
            "form_key": post.get("form_key") or str(uuid.uuid4()),
            "remedies": claims._portal_get_remedies(),
            "claim_order": order_sudo,  # Purchase shows its breadcrumbs for any "order"
            "orders": self._get_claimable_orders() | order_sudo,
            "claimable_lines": order_sudo._portal_get_claimable_lines() if order_sudo else [],
            "format_quantity": claims._portal_format_quantity,
            "company_limits": request.env.user.company_id.sudo(),
        }

    @http.route(
        "/my/claims/new",
        type="http",
        auth="user",
        website=True,
        methods=["GET"],
        readonly=True,
    )
    def portal_claim_form(self, order_id=None, **kwargs):
        if not request.env["crm.claim"].has_access("read"):
            raise request.not_found()
        return request.render(
            "crm_portal.portal_claim_form", self._prepare_claim_form_values({"order_id": order_id})
        )

    @http.route(
        "/my/claims/new/lines",
        type="http",
        auth="user",
        website=True,
        methods=["GET"],
        readonly=True,
        sitemap=False,
    )
    def portal_claim_form_lines(self, order_id=None, **kwargs):
        """Part of the form with the products of one order, for the page's JavaScript."""
        return request.render(
            "crm_portal.portal_claim_form_lines",
            self._prepare_claim_form_values({"order_id": order_id}),
        )

    @http.route("/my/claims/new", type="http", auth="user", website=True, methods=["POST"])
    def portal_claim_file(self, **post):
        if not request.env.user._is_portal():
            raise request.not_found()  # staff register claims in the back office
        post = {
            key: value
            for key, value in post.items()
            if isinstance(value, str) and (key in FORM_KEYS or key.startswith("quantity_"))
        }
        uploads = request.httprequest.files
        files = uploads.getlist("photos") + uploads.getlist("files")
        as_json = request.httprequest.headers.get("X-Requested-With") == "XMLHttpRequest"
        if request.httprequest.form.get("choose_order"):
            return request.render(
                "crm_portal.portal_claim_form", self._prepare_claim_form_values(post)
            )
        try:
            with request.env.cr.savepoint():
                claim_sudo = request.env["crm.claim"]._portal_file_claim(
                    post, files, post.get("form_key", "")
                )
            url = f"/my/claims/{claim_sudo.id}?notice=filed"
        except pg_errors.UniqueViolation:
            # The same form got through a moment ago, in a transaction this one cannot see yet.
            url = "/my/claims"
        except UserError as error:
            request.env.invalidate_all()
            errors = error.errors if isinstance(error, PortalFormError) else {"form": error.args[0]}
            if as_json:
                return request.make_json_response({"errors": errors})
            values = self._prepare_claim_form_values(post, errors)
            values["files_lost"] = any(file.filename for file in files)
            return request.render("crm_portal.portal_claim_form", values, status=422)
        if as_json:
            return request.make_json_response({"redirect": url})
        return request.redirect(url, code=303)
