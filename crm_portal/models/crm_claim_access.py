import secrets

from odoo import api, fields, models


class CrmClaim(models.Model):
    """Who opens a claim without signing in: the bearer of a ``crm.claim.link``, nobody else.

    Odoo gives each document of the portal one token that works for ever, for everybody who has it.
    Claims have none: the field never holds the same value twice, so that no road that compares it
    opens anything, and what asks for the token, as mails do, gets a link that ends and can be
    revoked. The discussion of a claim is not open to tokens at all; the page has its own form.
    """

    _inherit = "crm.claim"

    access_token = fields.Char(compute="_compute_access_token", store=False)
    portal_link_allowed = fields.Boolean(
        "Links without Login",
        default=True,
        copy=False,
        help="Mails about this claim carry a link that opens it without signing in. Off: no link"
        " of this claim works, also those that were sent.",
    )
    portal_link_ids = fields.One2many(
        "crm.claim.link", "claim_id", "Links", groups="crm_claims.crm_claims_group_user"
    )

    def _compute_access_token(self):
        for claim in self:
            claim.access_token = secrets.token_hex(16)

    def _portal_ensure_token(self):
        """Token of the link for the customer of the claim; "" where links are switched off.

        :raise AccessError: for users who do not work on the claim: a link lets them act in the
            name of somebody else
        """
        self.ensure_one()
        if not self.env.su:
            self.check_access("write")
        link_sudo = self.env["crm.claim.link"]._issue(self)
        return link_sudo._get_token() if link_sudo else ""

    def get_portal_url(
        self, suffix=None, report_type=None, download=None, query_string=None, anchor=None
    ):
        url = super().get_portal_url(suffix, report_type, download, query_string, anchor)
        return (
            url.replace("?access_token=&", "?")
            .replace("?access_token=#", "#")
            .removesuffix("?access_token=")
        )

    def _get_share_url(self, redirect=False, signup_partner=False, pid=None, share_token=True):
        if self.env.user.share:
            return self.access_url  # who is signed in needs no token, and gets none
        return super()._get_share_url(
            redirect=redirect,
            signup_partner=signup_partner,
            share_token=share_token and self.sudo()._portal_has_links(),
        )

    def _portal_has_links(self):
        self.ensure_one()
        return bool(self.portal_link_allowed and self.company_id.portal_link_days)

    @api.model
    def _get_thread_with_access(self, thread_id, *, hash=None, pid=None, token=None, **kwargs):
        """Discussions are opened by rights, not by tokens."""
        return super()._get_thread_with_access(thread_id, **kwargs)

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        """The customer and the contacts who follow come to the page by links of their own."""
        groups = super()._notify_get_recipients_groups(
            message, model_description, msg_vals=msg_vals
        )
        if not self:
            return groups
        claim_sudo = self.sudo()  # sudo: who writes to them need not work on the claim
        own = []
        for partner in claim_sudo._portal_get_people():
            link_sudo = self.env["crm.claim.link"]._issue(claim_sudo, partner)
            url = (
                link_sudo._get_url()
                if link_sudo
                else f"{claim_sudo.get_base_url()}{claim_sudo.access_url}"
            )
            own.append(
                (
                    f"portal_claim_{partner.id}",
                    lambda pdata, partner_id=partner.id: pdata["id"] == partner_id,
                    {"active": True, "has_button_access": True, "button_access": {"url": url}},
                )
            )
        return own + [group for group in groups if group[0] != "portal_customer"]

    def action_send_portal_link(self):
        """Open the dialog with which staff send a link."""
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send a Link without Login"),
            "res_model": "crm.claim.link.send",
            "view_mode": "form",
            "target": "new",
            "context": {"default_claim_id": self.id},
        }
