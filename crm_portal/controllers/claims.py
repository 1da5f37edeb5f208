from operator import itemgetter

from odoo import http
from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager
from odoo.exceptions import AccessError, MissingError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import groupby as group_by_item

MAX_SEARCH_LENGTH = 100


class PortalClaims(CustomerPortal):
    """Pages on which customers follow their claims.

    Lists run with the rights of the visitor, so that record rules and the list of public fields
    hold; the page of one claim is open to its customer, and to the bearer of a link that works.
    """

    # ------------------------------------------------------------
    # List
    # ------------------------------------------------------------

    def _get_claim_searchbar_sortings(self):
        return {
            "date": {"label": request.env._("Newest"), "order": "date_registered desc, id desc"},
            "promised": {
                "label": request.env._("Promised date"),
                "order": "date_promised, id desc",
            },
            "name": {"label": request.env._("Number"), "order": "name desc, id desc"},
            "state": {"label": request.env._("Status"), "order": "state, id desc"},
        }

    def _get_claim_searchbar_filters(self):
        claims = request.env["crm.claim"]
        return {
            "all": {"label": request.env._("All"), "domain": Domain.TRUE},
            "open": {
                "label": request.env._("In progress"),
                "domain": claims._portal_get_open_domain(),
            },
            "waiting": {
                "label": request.env._("Waiting for me"),
                "domain": claims._portal_get_waiting_domain(),
            },
            "closed": {
                "label": request.env._("Finished"),
                "domain": claims._portal_get_closed_domain(),
            },
        }

    def _get_claim_searchbar_groupby(self):
        return {
            "none": {"label": request.env._("None"), "order": ""},
            "state": {"label": request.env._("Status"), "order": "state"},
            "order": {"label": request.env._("Order"), "order": "order_id", "field": "order_id"},
            "partner": {
                "label": request.env._("Filed by"),
                "order": "partner_id",
                "field": "partner_id",
            },
        }

    def _get_claim_searchbar_inputs(self):
        return {
            "content": {
                "input": "content",
                "label": request.env._("Search in number and text"),
            },
            "order": {"input": "order", "label": request.env._("Search in orders")},
        }

    def _get_claim_search_domain(self, search_in, search):
        if search_in == "order":
            return Domain("order_id.name", "ilike", search)
        return Domain.OR(
            [
                Domain("name", "ilike", search),
                Domain("subject", "ilike", search),
                Domain("description", "ilike", search),
            ]
        )

    def _prepare_claims_values(
        self,
        page=1,
        sortby=None,
        filterby=None,
        groupby=None,
        search=None,
        search_in=None,
        **kwargs,
    ):
        """Values of the list; whatever is not on the menus falls back to their first entry."""
        claims = request.env["crm.claim"]
        sortings = self._get_claim_searchbar_sortings()
        filters = self._get_claim_searchbar_filters()
        groupings = self._get_claim_searchbar_groupby()
        inputs = self._get_claim_searchbar_inputs()
        sortby = sortby if sortby in sortings else "date"
        filterby = filterby if filterby in filters else "all"
        groupby = groupby if groupby in groupings else "none"
        search_in = search_in if search_in in inputs else "content"
        search = claims._portal_clean_text(search, MAX_SEARCH_LENGTH)

        domain = filters[filterby]["domain"]
        if search:
            domain &= self._get_claim_search_domain(search_in, search)
        can_read = claims.has_access("read")
        url_args = {"sortby": sortby, "filterby": filterby, "groupby": groupby}
        if search:
            url_args |= {"search": search, "search_in": search_in}
        pager = portal_pager(
            url="/my/claims",
            url_args=url_args,
            total=claims.search_count(domain) if can_read else 0,
            page=page,
            step=self._items_per_page,
        )
        order = ", ".join(filter(None, [groupings[groupby]["order"], sortings[sortby]["order"]]))
        if can_read:
            claims = claims.search(
                domain, order=order, limit=self._items_per_page, offset=pager["offset"]
            )
        request.session["my_claims_history"] = claims.ids[:100]
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "claim",
            "default_url": "/my/claims",
            "claims": claims,
            "grouped_claims": self._group_claims(claims, groupby, groupings[groupby].get("field")),
            "pager": pager,
            "searchbar_sortings": sortings,
            "searchbar_filters": filters,
            "searchbar_groupby": groupings,
            "searchbar_inputs": inputs,
            "sortby": sortby,
            "filterby": filterby,
            "groupby": groupby,
            "search": search,
            "search_in": search_in,
        }

    def _group_claims(self, claims, groupby, field=None):
        """Split a page of claims into ``(title, claims)``; without grouping the title is empty."""
        if groupby == "none":
            return [("", claims)] if claims else []
        labels = claims._portal_get_state_labels()
        groups = group_by_item(claims, itemgetter(field or "state"))
        if not field:  # as a claim goes through them, not by the alphabet of their codes
            groups = sorted(groups, key=lambda group: list(labels).index(group[0]))
        return [
            (
                labels.get(key, "")
                if not field
                else key.sudo().display_name or request.env._("None"),
                claims.browse().concat(*group),
            )
            for key, group in groups
        ]

    @http.route(
        ["/my/claims", "/my/claims/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
        methods=["GET"],
        readonly=True,
    )
    def portal_my_claims(self, page=1, **kwargs):
        return request.render(
            "crm_portal.portal_my_claims", self._prepare_claims_values(page, **kwargs)
        )

    # ------------------------------------------------------------
    # One claim
    # ------------------------------------------------------------

    def _open_claim(self, claim_id, access_token=None):
        """The claim, when the visitor may read it: by his rights, else by a link that works.

        :return: ``(claim, link)``, both as superuser; no claim when there is none or it is not for
            this visitor; the link when one was given that is ours, working or not, and his rights
            did not do
        """
        links_sudo = request.env["crm.claim.link"].sudo()
        try:
            return self._document_check_access("crm.claim", claim_id), links_sudo
        except (AccessError, MissingError):
            link_sudo = links_sudo._read_token(claim_id, access_token)
        if link_sudo._works():
            return link_sudo.claim_id, link_sudo
        return request.env["crm.claim"].sudo(), link_sudo

    def _refuse_claim(self, link_sudo=None):
        """Answer a visitor who may not see a claim, in the same way whether it exists or not.

        Who has a link of ours that does not work any more is told so: he knew the claim.
        """
        if request.httprequest.method == "GET":
            if link_sudo:
                return self._render_ended_link(link_sudo)
            if request.env.user._is_public():
                return request.redirect_query(
                    "/web/login", {"redirect": request.httprequest.full_path.rstrip("?")}
                )
        raise request.not_found()

    def _render_ended_link(self, link_sudo, is_renewed=False):
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "claim_link",
            "no_breadcrumbs": True,
            "claim_id": link_sudo.claim_id.id,
            "link_token": link_sudo._get_token(),
            "can_renew": link_sudo.state == "expired" and not is_renewed,
            "is_renewed": is_renewed,
        }
        return request.render("crm_portal.portal_claim_link_ended", values, status=410)

    def _prepare_claim_page_values(self, claim_sudo, link_sudo, access_token=None, **kwargs):
        messages = claim_sudo._portal_get_messages()
        actor_sudo = self._get_claim_actor(claim_sudo, link_sudo)
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "claim",
            "claim": claim_sudo,
            "status": claim_sudo._portal_get_status(),
            "timeline": claim_sudo._portal_get_timeline(),
            "contact": claim_sudo._portal_get_contact(),
            "messages": messages,
            "attachments": messages.attachment_ids,
            "can_act": actor_sudo.id,
            "can_choose_followers": not link_sudo
            and claim_sudo._portal_can_choose_followers(actor_sudo),
            "form": {},
            "errors": {},
            "notice": kwargs.get("notice"),
            "company_limits": claim_sudo.company_id,
        }
        # the token goes on only where it opened the page
        values = self._get_page_view_values(
            claim_sudo, link_sudo and access_token, values, "my_claims_seen", False, **kwargs
        )
        return values | self._get_claim_neighbours(claim_sudo)

    def _get_claim_neighbours(self, claim_sudo):
        """Links to the claims before and after in the last list; signed-in users need no token."""
        history = request.session.get("my_claims_history") or []
        if claim_sudo.id not in history:
            return {}
        index = history.index(claim_sudo.id)
        return {
            "prev_record": f"/my/claims/{history[index - 1]}" if index else False,
            "next_record": f"/my/claims/{history[index + 1]}" if history[index + 1 :] else False,
        }

    def _get_claim_actor(self, claim_sudo, link_sudo):
        """Who speaks for the customer on this page.

        A portal user who may read the claim does so under his own name, who came by a link without
        signing in under that of the person the link was made for. Staff and portal users of other
        companies may look, as far as their rights or the link go, but not answer.

        :return: res.partner as superuser, empty when the visitor may not act
        """
        user = request.env.user
        nobody = request.env["res.partner"].sudo()
        if user._is_public():
            return link_sudo.partner_id or nobody
        if user._is_portal() and not link_sudo and claim_sudo.with_user(user).has_access("read"):
            return user.partner_id.sudo()
        return nobody

    def _is_without_token(self, rule, args):
        """A page opened by a link is written down; any other only reads."""
        return not request.httprequest.args.get("access_token")

    @http.route(
        "/my/claims/<int:claim_id>",
        type="http",
        auth="public",
        website=True,
        methods=["GET"],
        readonly=_is_without_token,
    )
    def portal_my_claim(self, claim_id, access_token=None, **kwargs):
        claim_sudo, link_sudo = self._open_claim(claim_id, access_token)
        if not claim_sudo:
            if link_sudo:
                link_sudo._log_event("refused")
            return self._refuse_claim(link_sudo)
        if link_sudo:
            link_sudo._log_event("opened")
        return request.render(
            "crm_portal.portal_my_claim",
            self._prepare_claim_page_values(claim_sudo, link_sudo, access_token, **kwargs),
        )
