from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import hash_sign, verify_hash_signed

TOKEN_SCOPE = "crm_portal.claim_link"
MAX_TOKEN_LENGTH = 400


class CrmClaimLink(models.Model):
    """A link with which one person opens one claim without signing in.

    - The link is signed with the secret of the database and holds its own number, that of the
      claim and the moment at which it ends; the row holds no secret, so that whoever reads the
      table cannot make the link from it.
    - It ends by itself after the company's number of days, when staff revoke it, when links are
      switched off for the claim, and when its person has nothing to do with the claim any more
      (another customer was entered, the contact follows no longer or was archived).
    - It is made for the customer of the claim or a contact who follows it, and whoever comes by it
      acts in that person's name. Every use is kept (``crm.claim.link.event``).
    - Mails about a claim carry it. One link serves all mails of the first half of its life.
    """

    _name = "crm.claim.link"
    _description = "Link to a Claim without Login"
    _order = "date_expire desc, id desc"
    _rec_name = "recipient"

    claim_id = fields.Many2one(
        "crm.claim", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="claim_id.company_id", store=True)
    partner_id = fields.Many2one(
        "res.partner",
        "Person",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
        help="Who opens the claim with this link, and in whose name he answers.",
    )
    email = fields.Char(
        readonly=True, help="Address the link was made for, when there is no contact card."
    )
    recipient = fields.Char("Made for", compute="_compute_recipient")
    date_expire = fields.Datetime("Ends On", required=True, readonly=True)
    date_revoked = fields.Datetime("Revoked On", readonly=True)
    revoked_by_id = fields.Many2one("res.users", "Revoked by", readonly=True)
    state = fields.Selection(
        [
            ("active", "Works"),
            ("expired", "Ended"),
            ("revoked", "Revoked"),
            ("void", "Not Valid"),
        ],
        compute="_compute_state",
        help="Not valid: links are off for this claim, or the person has nothing to do with it.",
    )
    event_ids = fields.One2many("crm.claim.link.event", "link_id", "Uses", readonly=True)
    open_count = fields.Integer("Times Opened", compute="_compute_opened")
    date_opened = fields.Datetime("Last Opened", compute="_compute_opened")

    @api.depends("partner_id", "email")
    def _compute_recipient(self):
        for link in self:
            link.recipient = link.partner_id.display_name or link.email

    @api.depends(
        "date_expire",
        "date_revoked",
        "claim_id.portal_link_allowed",
        "claim_id.partner_id",
        "claim_id.email_from",
        "claim_id.portal_follower_ids",
        "partner_id.active",
    )
    def _compute_state(self):
        now = fields.Datetime.now()
        for link in self:
            if link.date_revoked:
                link.state = "revoked"
            elif not link.date_expire or link.date_expire <= now:
                link.state = "expired"
            elif not link.claim_id.portal_link_allowed or not link._is_of_claim():
                link.state = "void"
            else:
                link.state = "active"

    @api.depends("event_ids.kind", "event_ids.date")
    def _compute_opened(self):
        groups = self.env["crm.claim.link.event"]._read_group(
            [("link_id", "in", self.ids), ("kind", "=", "opened")],
            ["link_id"],
            ["__count", "date:max"],
        )
        opened = {link.id: (count, date) for link, count, date in groups}
        for link in self:
            link.open_count, link.date_opened = opened.get(link.id, (0, False))

    def _is_of_claim(self):
        """Whether the person of the link is still one of the claim's."""
        self.ensure_one()
        if self.partner_id:
            people = self.claim_id._portal_get_people()
            return self.partner_id.active and self.partner_id in people
        return bool(self.email) and self.email == self.claim_id.email_from

    # ------------------------------------------------------------
    # Tokens
    # ------------------------------------------------------------

    @api.model
    def _issue(self, claim, partner=None, days=None):
        """Make a link, or find the one that serves the mails of these days.

        :param claim: crm.claim
        :param partner: res.partner for whom; the claim's customer by default, whose address
            stands in where there is no card
        :param int days: how long it works; a new link of the company's length is only made when
            none has half of that left
        :return: crm.claim.link as superuser; empty where links are switched off or there is
            nobody to give one to
        """
        # sudo: nobody writes links; the callers decide who gets one
        links_sudo = self.sudo()
        claim_sudo = claim.sudo()
        partner = (partner or claim_sudo.partner_id).sudo()
        length = days or claim_sudo.company_id.portal_link_days
        if not (length and claim_sudo.portal_link_allowed and (partner or claim_sudo.email_from)):
            return links_sudo.browse()
        now = fields.Datetime.now()
        values = {
            "claim_id": claim_sudo.id,
            "partner_id": partner.id,
            "email": False if partner else claim_sudo.email_from,
        }
        if not days:
            domain = [(name, "=", value) for name, value in values.items()]
            domain += [
                ("date_revoked", "=", False),
                ("date_expire", ">", now + timedelta(days=length) / 2),
            ]
            if link_sudo := links_sudo.search(domain, limit=1):
                return link_sudo
        return links_sudo.create({**values, "date_expire": now + timedelta(days=length)})

    def _get_token(self):
        """What opens the claim: the last part of the address."""
        self.ensure_one()
        link_sudo = self.sudo()  # the secret of the database signs
        stamp = int(link_sudo.date_expire.timestamp())
        return hash_sign(link_sudo.env, TOKEN_SCOPE, [link_sudo.id, link_sudo.claim_id.id, stamp])

    def _get_url(self):
        self.ensure_one()
        claim_sudo = self.sudo().claim_id
        return (
            f"{claim_sudo.get_base_url()}{claim_sudo.access_url}?access_token={self._get_token()}"
        )

    @api.model
    def _read_token(self, claim_id, token):
        """The link a token was made from, whether it still works or not.

        :param int claim_id: the claim it has to be for
        :param token: untrusted
        :return: crm.claim.link as superuser, empty for any token that we have not made
        """
        links_sudo = self.sudo()
        if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_LENGTH:
            return links_sudo.browse()
        try:
            values = verify_hash_signed(links_sudo.env, TOKEN_SCOPE, token)
            link_id, for_claim_id, stamp = values or (0, 0, 0)
        except (ValueError, TypeError, OverflowError):
            return links_sudo.browse()
        if not link_id or for_claim_id != claim_id:
            return links_sudo.browse()
        link_sudo = links_sudo.browse(link_id).exists()
        if link_sudo.claim_id.id != claim_id or int(link_sudo.date_expire.timestamp()) != stamp:
            return links_sudo.browse()
        return link_sudo

    def _works(self):
        """Whether the bearer may open the claim now."""
        return len(self) == 1 and self.sudo().state == "active"

    # ------------------------------------------------------------
    # Staff
    # ------------------------------------------------------------

    def action_revoke(self):
        """Take the links away from whoever has them, at once and for good."""
        self.check_access("read")
        self.claim_id.check_access("write")
        # sudo: nobody writes links directly; who works on the claim may revoke them
        for link_sudo in self.sudo().filtered(lambda link: not link.date_revoked):
            link_sudo.write({"date_revoked": fields.Datetime.now(), "revoked_by_id": self.env.uid})
            link_sudo._log_event("revoked")
            link_sudo.claim_id._message_log(
                body=self.env._(
                    "The link without login of %(person)s was revoked.",
                    person=link_sudo.recipient,
                ),
                author_id=self.env.user.partner_id.id,
            )
        return True

    def action_copy_url(self):
        """Show the address, to be passed on by hand (a messenger, the telephone)."""
        self.ensure_one()
        self.claim_id.check_access("write")
        if not self._works():
            raise UserError(self.env._("This link does not work any more. Please send a new one."))
        self._log_event("shown")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Link for %(person)s", person=self.recipient),
                "message": self._get_url(),
                "sticky": True,
            },
        }

    def _send(self):
        """Mail each link to its person."""
        template = self.env.ref("crm_portal.mail_template_claim_link", raise_if_not_found=False)
        for link_sudo in self.sudo() if template else ():
            # sudo: templates are the company's, whoever's act makes them go out
            template.sudo().send_mail(
                link_sudo.id, email_layout_xmlid="mail.mail_notification_light"
            )
            link_sudo._log_event("sent")

    def _is_recent(self, kind):
        """Whether something of a kind became of one of the links within the last hour."""
        hour_ago = fields.Datetime.now() - timedelta(hours=1)
        return any(event.kind == kind and event.date > hour_ago for event in self.sudo().event_ids)

    def _log_event(self, kind):
        self.env["crm.claim.link.event"]._log(self, kind)
