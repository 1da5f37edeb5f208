import secrets

from odoo import fields, http
from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.http import content_disposition, request

from ..models.crm_claim_filing import PortalFormError


class PortalOwnData(CustomerPortal):
    """The customer takes his data away, or asks us to erase them."""

    def _prepare_data_values(self):
        # sudo: his own request only
        erasure_sudo = (
            request.env["crm.portal.change"]
            .sudo()
            .search(
                [
                    ("partner_id", "=", request.env.user.partner_id.id),
                    ("kind", "=", "erasure"),
                    ("state", "in", ("new", "rejected")),
                ],
                limit=1,
            )
        )
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "data",
            "erasure": erasure_sudo,
            "can_erase": not request.env.user.partner_id.is_company,
            "form_key": secrets.token_urlsafe(16),
            "error": "",
        }

    def _refuse_others(self):
        if not request.env.user._is_portal():
            raise request.not_found()

    @http.route("/my/data", type="http", auth="user", website=True, methods=["GET"], readonly=True)
    def portal_my_data(self, notice=None, **kwargs):
        self._refuse_others()
        return request.render(
            "crm_portal.portal_my_data", self._prepare_data_values() | {"notice": notice}
        )

    @http.route("/my/data/export", type="http", auth="user", website=True, methods=["POST"])
    def portal_my_data_export(self, **post):
        self._refuse_others()
        export = request.env["crm.portal.export"]
        try:
            export._check_rate(request.env.user)
        except PortalFormError as error:
            values = self._prepare_data_values() | {"error": error.args[0]}
            return request.render("crm_portal.portal_my_data", values, status=429)
        content = export._make_zip()
        name = f"my-data-{fields.Date.context_today(request.env.user)}.zip"
        return request.make_response(
            content,
            headers=[
                ("Content-Type", "application/zip"),
                ("Content-Length", len(content)),
                ("Content-Disposition", content_disposition(name)),
                ("X-Content-Type-Options", "nosniff"),
                ("Cache-Control", "no-store"),
            ],
        )

    @http.route("/my/data/erase", type="http", auth="user", website=True, methods=["POST"])
    def portal_my_data_erase(self, confirm=None, **post):
        self._refuse_others()
        user = request.env.user
        error = ""
        if user.partner_id.is_company:
            raise request.not_found()
        if not confirm:
            error = request.env._("Please tick that you know what erasing means.")
        else:
            try:
                with request.env.cr.savepoint():
                    request.env["crm.portal.change"]._portal_request_change(
                        "erasure", user.partner_id.sudo(), post, post.get("form_key")
                    )
            except PortalFormError as problem:
                request.env.invalidate_all()
                error = problem.args[0]
        if error:
            values = self._prepare_data_values() | {"error": error}
            return request.render("crm_portal.portal_my_data", values, status=422)
        return request.redirect("/my/data?notice=erasure", code=303)
