from odoo import http
from odoo.http import request

from .claims import PortalClaims


class PortalClaimLinks(PortalClaims):
    """A new link for who has one that ended, and colleagues who follow a claim."""

    @http.route(
        "/my/claims/<int:claim_id>/link",
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
    )
    def portal_claim_link_renew(self, claim_id, access_token=None, **post):
        """Send a new link to the address of the person the old one was made for, once an hour."""
        link_sudo = request.env["crm.claim.link"]._read_token(claim_id, access_token)
        if link_sudo.state != "expired":
            raise request.not_found()
        recent = link_sudo._is_recent("renewed")
        new_sudo = link_sudo.browse()
        if not recent and link_sudo._is_of_claim():
            new_sudo = link_sudo._issue(link_sudo.claim_id, link_sudo.partner_id)
            link_sudo._log_event("renewed")
            new_sudo._send()
        return self._render_ended_link(link_sudo, is_renewed=bool(new_sudo or recent))

    # ------------------------------------------------------------
    # Colleagues who follow
    # ------------------------------------------------------------

    def _get_followed_claim(self, claim_id):
        """The claim and the portal user's partner, when he may choose who follows."""
        claim_sudo, link_sudo = self._open_claim(claim_id)
        partner_sudo = claim_sudo and self._get_claim_actor(claim_sudo, link_sudo)
        if not partner_sudo or not claim_sudo._portal_can_choose_followers(partner_sudo):
            raise request.not_found()
        return claim_sudo, partner_sudo

    @http.route(
        "/my/claims/<int:claim_id>/followers",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def portal_claim_add_followers(self, claim_id, **post):
        claim_sudo, partner_sudo = self._get_followed_claim(claim_id)
        chosen = request.httprequest.form.getlist("follower_id")
        claim_sudo._portal_add_followers(partner_sudo, chosen)
        return request.redirect(f"/my/claims/{claim_sudo.id}?notice=followers#followers", code=303)

    @http.route(
        "/my/claims/<int:claim_id>/followers/remove",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def portal_claim_remove_follower(self, claim_id, follower_id="", **post):
        claim_sudo, partner_sudo = self._get_followed_claim(claim_id)
        claim_sudo._portal_remove_follower(partner_sudo, follower_id)
        # who takes himself off may not see the claim any more
        is_still_his = claim_sudo.with_user(request.env.user).has_access("read")
        url = f"/my/claims/{claim_sudo.id}?notice=followers#followers"
        return request.redirect(url if is_still_his else "/my/claims", code=303)
