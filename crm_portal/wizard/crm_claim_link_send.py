from odoo import Command, api, fields, models
from odoo.exceptions import UserError

MAX_DAYS = 365


class CrmClaimLinkSend(models.TransientModel):
    """Staff send people of the client a link that opens one claim without signing in.

    Contacts of the client who do not follow the claim yet follow it from then on: without that
    their link would not work.
    """

    _name = "crm.claim.link.send"
    _description = "Send a Link to a Claim"

    claim_id = fields.Many2one("crm.claim", required=True, readonly=True, ondelete="cascade")
    commercial_partner_id = fields.Many2one(related="claim_id.commercial_partner_id")
    partner_ids = fields.Many2many(
        "res.partner",
        string="To",
        compute="_compute_partner_ids",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('commercial_partner_id', '=', commercial_partner_id)]",
        help="The client or contacts of his company. Who did not follow the claim does so now.",
    )
    days = fields.Integer(
        "Works for (days)", compute="_compute_days", store=True, readonly=False, precompute=True
    )

    @api.depends("claim_id")
    def _compute_partner_ids(self):
        for wizard in self:
            wizard.partner_ids = [Command.set(wizard.claim_id.partner_id.ids)]

    @api.depends("claim_id")
    def _compute_days(self):
        for wizard in self:
            wizard.days = wizard.claim_id.company_id.portal_link_days or 30

    def action_send(self):
        self.ensure_one()
        claim = self.claim_id
        claim.check_access("write")
        if not 1 <= self.days <= MAX_DAYS:
            raise UserError(
                self.env._("A link works for between 1 and %(days)s days.", days=MAX_DAYS)
            )
        if not claim.portal_link_allowed:
            raise UserError(
                self.env._(
                    "Links without login are off for claim %(claim)s; switch them on first.",
                    claim=claim.name,
                )
            )
        without_address = self.partner_ids.filtered(lambda partner: not partner.email)
        if without_address:
            raise UserError(
                self.env._(
                    "%(name)s has no e-mail address. Please enter one on the contact card.",
                    name=without_address[0].display_name,
                )
            )
        if not self.partner_ids and (claim.partner_id or not claim.email_from):
            raise UserError(self.env._("Please choose to whom the link goes."))
        new_followers = self.partner_ids - claim.partner_id - claim.portal_follower_ids
        if new_followers:
            claim.portal_follower_ids |= new_followers
        links = self.env["crm.claim.link"]
        for partner in self.partner_ids or [self.partner_ids]:
            link_sudo = links._issue(claim, partner, self.days)
            link_sudo._send()
            claim._message_log(
                body=self.env._(
                    "A link without login was sent to %(person)s; it works until %(date)s.",
                    person=link_sudo.recipient,
                    date=fields.Date.to_string(link_sudo.date_expire.date()),
                ),
                author_id=self.env.user.partner_id.id,
            )
        return {"type": "ir.actions.act_window_close"}
