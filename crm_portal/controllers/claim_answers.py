from odoo import http
from odoo.exceptions import UserError
from odoo.http import request
from werkzeug.urls import url_encode

from ..models.crm_claim_filing import MAX_TEXT_LENGTH, PortalFormError
from .claims import PortalClaims

RATES = {"5": 5, "3": 3, "1": 1}


class PortalClaimAnswers(PortalClaims):
    """What the customer answers on the page of a claim. Each answer is a form sent by POST."""

    def _answer_claim(self, claim_id, access_token, post, section, answer):
        """Run one answer of the customer: all of it or nothing, then show the page.

        :param str section: part of the page the form belongs to, where an error is shown
        :param answer: function of ``(claim_sudo, partner)``; raises UserError to refuse
        """
        claim_sudo, link_sudo = self._open_claim(claim_id, access_token)
        partner_sudo = claim_sudo and self._get_claim_actor(claim_sudo, link_sudo)
        if not partner_sudo:
            return self._refuse_claim()
        as_json = request.httprequest.headers.get("X-Requested-With") == "XMLHttpRequest"
        try:
            with request.env.cr.savepoint():
                answer(claim_sudo, partner_sudo)
                if link_sudo:
                    link_sudo._log_event(section)
        except UserError as error:
            request.env.invalidate_all()
            errors = error.errors if isinstance(error, PortalFormError) else {"form": error.args[0]}
            if as_json:
                return request.make_json_response({"errors": errors})
            values = self._prepare_claim_page_values(claim_sudo, link_sudo, access_token)
            values.update(
                form=post | {"section": section},
                errors={f"{section}_{field}": message for field, message in errors.items()},
            )
            return request.render("crm_portal.portal_my_claim", values, status=422)
        query = {"notice": section}
        if link_sudo:
            query["access_token"] = access_token
        url = f"/my/claims/{claim_sudo.id}?{url_encode(query)}"
        if as_json:
            return request.make_json_response({"redirect": url})
        return request.redirect(url, code=303)

    def _require_reason(self, claim_sudo, post):
        reason = claim_sudo._portal_clean_text(post.get("reason"), MAX_TEXT_LENGTH)
        if not reason:
            raise PortalFormError(
                {"reason": request.env._("Please tell us the reason in a few words.")}
            )
        return reason

    @http.route(
        "/my/claims/<int:claim_id>/accept",
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
    )
    def portal_claim_accept(self, claim_id, access_token=None, **post):
        def answer(claim_sudo, partner_sudo):
            reason = claim_sudo._portal_clean_text(post.get("reason"), MAX_TEXT_LENGTH)
            if not claim_sudo._portal_can_answer():
                raise UserError(request.env._("There is no decision to accept at the moment."))
            claim_sudo._customer_accept(partner_sudo, reason)

        return self._answer_claim(claim_id, access_token, post, "accept", answer)

    @http.route(
        "/my/claims/<int:claim_id>/reject",
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
    )
    def portal_claim_reject(self, claim_id, access_token=None, **post):
        def answer(claim_sudo, partner_sudo):
            if not claim_sudo._portal_can_answer():
                raise UserError(request.env._("There is no decision to reject at the moment."))
            claim_sudo._customer_reject(partner_sudo, self._require_reason(claim_sudo, post))

        return self._answer_claim(claim_id, access_token, post, "reject", answer)

    @http.route(
        "/my/claims/<int:claim_id>/withdraw",
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
    )
    def portal_claim_withdraw(self, claim_id, access_token=None, **post):
        def answer(claim_sudo, partner_sudo):
            if not claim_sudo._portal_can_cancel():
                raise UserError(request.env._("This claim cannot be withdrawn any more."))
            claim_sudo._customer_cancel(partner_sudo, self._require_reason(claim_sudo, post))

        return self._answer_claim(claim_id, access_token, post, "withdraw", answer)

    @http.route(
        "/my/claims/<int:claim_id>/reopen",
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
    )
    def portal_claim_reopen(self, claim_id, access_token=None, **post):
        def answer(claim_sudo, partner_sudo):
            if not claim_sudo._can_customer_reopen():
                raise UserError(
                    request.env._("This claim cannot be reopened any more. Please file a new one.")
                )
            claim_sudo._customer_reopen(partner_sudo, self._require_reason(claim_sudo, post))

        return self._answer_claim(claim_id, access_token, post, "reopen", answer)

    @http.route(
        "/my/claims/<int:claim_id>/rate",
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
    )
    def portal_claim_rate(self, claim_id, access_token=None, **post):
        def answer(claim_sudo, partner_sudo):
            rate = RATES.get(post.get("rate"))
            if not rate:
                raise PortalFormError(
                    {"rate": request.env._("Please choose one of the three faces.")}
                )
            if not claim_sudo._portal_can_rate():
                raise UserError(request.env._("This claim cannot be rated at the moment."))
            claim_sudo._portal_rate(
                partner_sudo,
                rate,
                claim_sudo._portal_clean_text(post.get("feedback"), MAX_TEXT_LENGTH),
            )

        return self._answer_claim(claim_id, access_token, post, "rate", answer)

    @http.route(
        "/my/claims/<int:claim_id>/message",
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
    )
    def portal_claim_message(self, claim_id, access_token=None, **post):
        def answer(claim_sudo, partner_sudo):
            body = claim_sudo._portal_clean_text(post.get("body"), MAX_TEXT_LENGTH)
            uploads = request.httprequest.files
            files = claim_sudo._portal_check_files(
                uploads.getlist("photos") + uploads.getlist("files"), claim_sudo.company_id
            )
            if not body and not files:
                raise PortalFormError(
                    {"body": request.env._("Please write a message or add a file.")}
                )
            claim_sudo._portal_post_message(partner_sudo, body, files)

        post = {key: value for key, value in post.items() if isinstance(value, str)}
        return self._answer_claim(claim_id, access_token, post, "message", answer)
