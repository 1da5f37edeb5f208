import json
import secrets

from odoo import http
from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.exceptions import UserError
from odoo.http import request
from werkzeug.exceptions import Forbidden

from ..models.crm_claim_filing import PortalFormError
from ..models.crm_portal_change import COMPANY_FIELDS


class PortalCompany(CustomerPortal):
    """Data of the customer's company, its contacts, and what waits for our review.

    Odoo's own pages *My account* and *Addresses* lead to the same review: what they send is taken
    down instead of written.
    """

    # ------------------------------------------------------------
    # Pages
    # ------------------------------------------------------------

    def _get_company_sudo(self):
        """The card of the customer's company; of a person without a company, his own."""
        return request.env.user.partner_id.commercial_partner_id.sudo()

    def _get_contacts_sudo(self):
        """People of the customer's company whom every colleague of theirs may see."""
        return (
            request.env["res.partner"]
            .sudo()
            .search(
                [
                    ("parent_id", "child_of", self._get_company_sudo().ids),
                    # a daughter company with a card of its own is another client
                    ("commercial_partner_id", "in", self._get_company_sudo().ids),
                    ("type", "=", "contact"),
                    ("is_company", "=", False),
                ],
                order="name, id",
                limit=200,
            )
        )

    def _prepare_company_values(self):
        company_sudo = self._get_company_sudo()
        changes = request.env["crm.portal.change"]
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "company",
            "card": {
                name: changes._portal_get_display(company_sudo, name) for name in COMPANY_FIELDS
            },
            "card_labels": {
                name: company_sudo._fields[name]._description_string(request.env)
                for name in COMPANY_FIELDS
            }
            | {"state_id": request.env._("State or region")},
            "vat": company_sudo.vat,
            "contacts": [
                {
                    "id": contact.id,
                    "name": contact.name,
                    "function": contact.function,
                    "email": contact.email,
                    "phone": contact.phone,
                    "is_me": contact == request.env.user.partner_id,
                }
                for contact in self._get_contacts_sudo()
            ],
            "changes": changes._portal_get_open(request.env.user),
            "form_key": secrets.token_urlsafe(16),
            "form": {},
            "errors": {},
        }

    def _prepare_company_form_values(self, post=None):
        company_sudo = self._get_company_sudo()
        form = post or {
            name: company_sudo[name].id
            if company_sudo._fields[name].relational
            else company_sudo[name] or ""
            for name in COMPANY_FIELDS
        }
        countries = request.env["res.country"].sudo().search([])
        return {
            **self._prepare_company_values(),
            "page_name": "company_form",
            "form": {name: str(value or "") for name, value in form.items()},
            "countries": countries,
            "states": company_sudo.country_id.state_ids,
        }

    def _refuse_others(self):
        if not request.env.user._is_portal():
            raise request.not_found()

    @http.route(
        "/my/company", type="http", auth="user", website=True, methods=["GET"], readonly=True
    )
    def portal_my_company(self, notice=None, **kwargs):
        self._refuse_others()
        values = self._prepare_company_values()
        return request.render("crm_portal.portal_my_company", values | {"notice": notice})

    @http.route(
        "/my/company/edit", type="http", auth="user", website=True, methods=["GET"], readonly=True
    )
    def portal_my_company_form(self, **kwargs):
        self._refuse_others()
        return request.render(
            "crm_portal.portal_my_company_form", self._prepare_company_form_values()
        )

    # ------------------------------------------------------------
    # Requests
    # ------------------------------------------------------------

    def _request_change(self, kind, partner_sudo, post, **kwargs):
        with request.env.cr.savepoint():
            return request.env["crm.portal.change"]._portal_request_change(
                kind, partner_sudo, post, post.get("form_key"), **kwargs
            )

    @http.route("/my/company/edit", type="http", auth="user", website=True, methods=["POST"])
    def portal_my_company_submit(self, **post):
        self._refuse_others()
        try:
            change = self._request_change("company", self._get_company_sudo(), post)
        except PortalFormError as error:
            request.env.invalidate_all()
            values = self._prepare_company_form_values(post)
            return request.render(
                "crm_portal.portal_my_company_form", values | {"errors": error.errors}, status=422
            )
        notice = "review" if change else "same"
        return request.redirect(f"/my/company?notice={notice}", code=303)

    @http.route("/my/company/contact", type="http", auth="user", website=True, methods=["POST"])
    def portal_my_contact_add(self, **post):
        self._refuse_others()
        try:
            self._request_change("contact_add", self._get_company_sudo(), {"name": "", **post})
        except PortalFormError as error:
            request.env.invalidate_all()
            values = self._prepare_company_values() | {"form": post, "errors": error.errors}
            return request.render("crm_portal.portal_my_company", values, status=422)
        return request.redirect("/my/company?notice=review", code=303)

    @http.route(
        "/my/company/contact/<int:partner_id>/remove",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def portal_my_contact_remove(self, partner_id, **post):
        self._refuse_others()
        contact_sudo = self._get_contacts_sudo().filtered(lambda contact: contact.id == partner_id)
        if not contact_sudo or contact_sudo == request.env.user.partner_id:
            raise request.not_found()
        try:
            self._request_change("contact_remove", contact_sudo, post)
        except PortalFormError as error:
            request.env.invalidate_all()
            values = self._prepare_company_values() | {"errors": error.errors}
            return request.render("crm_portal.portal_my_company", values, status=422)
        return request.redirect("/my/company?notice=review", code=303)

    @http.route(
        "/my/company/change/<int:change_id>/cancel",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def portal_my_change_cancel(self, change_id, **post):
        self._refuse_others()
        # sudo: his own company's requests only; customers have no access to them
        change_sudo = (
            request.env["crm.portal.change"]
            .sudo()
            .search(
                [
                    ("id", "=", change_id),
                    ("requested_by_id", "=", request.env.user.partner_id.id),
                    ("state", "=", "new"),
                ]
            )
        )
        if not change_sudo:
            raise request.not_found()
        change_sudo._portal_cancel()
        return request.redirect("/my/company?notice=withdrawn", code=303)

    # ------------------------------------------------------------
    # Odoo's own pages
    # ------------------------------------------------------------

    def _prepare_address_form_values(self, *args, **kwargs):
        values = super()._prepare_address_form_values(*args, **kwargs)
        if request.env.user._is_portal():
            values["can_edit_vat"] = False
        return values

    @http.route()
    def portal_address_submit(self, partner_id=None, **form_data):
        if not request.env.user._is_portal():
            return super().portal_address_submit(partner_id=partner_id, **form_data)
        partner_id = partner_id or "0"
        if not (partner_id.isascii() and partner_id.isdigit() and len(partner_id) < 10):
            raise Forbidden()
        partner_sudo = request.env["res.partner"].sudo().browse(int(partner_id)).exists()
        if int(partner_id) and not (
            partner_sudo and partner_sudo._can_be_edited_by_current_customer()
        ):
            raise Forbidden()
        address_type = {"billing": "invoice", "delivery": "delivery"}.get(
            form_data.get("address_type"), "other"
        )
        try:
            with request.env.cr.savepoint():
                request.env["crm.portal.change"]._portal_request_change(
                    "address_edit" if partner_sudo else "address_add",
                    partner_sudo or self._get_company_sudo(),
                    form_data,
                    secrets.token_urlsafe(16),
                    address_type=address_type,
                )
        except PortalFormError as error:
            return json.dumps(
                {
                    "invalid_fields": [name for name in error.errors if name != "form"],
                    "messages": list(error.errors.values()),
                }
            )
        return json.dumps({"redirectUrl": "/my/company?notice=review"})

    @http.route()
    def address_archive(self, partner_id):
        if not request.env.user._is_portal():
            return super().address_archive(partner_id)
        try:
            address_sudo = request.env["res.partner"].sudo().browse(int(partner_id)).exists()
        except (TypeError, ValueError, OverflowError):
            raise Forbidden() from None
        if not address_sudo or not address_sudo._can_be_edited_by_current_customer():
            raise Forbidden()
        if address_sudo == request.env.user.partner_id:
            raise UserError(request.env._("You cannot remove your own card."))
        request.env["crm.portal.change"]._portal_request_change(
            "address_remove", address_sudo, {}, secrets.token_urlsafe(16)
        )
        return None
