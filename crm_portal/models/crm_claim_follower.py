from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmClaim(models.Model):
    """Contacts of the customer's company who follow one claim.

    The customer chooses them on the page of the claim, or staff on its form. They see this claim,
    also where the company shows each contact his own claims only and where the claim is
    confidential; they are told what is written on it, and may answer like the customer himself.
    They belong to the customer's company: when the claim goes to another customer, or they to
    another company, that is over.
    """

    _inherit = "crm.claim"

    portal_follower_ids = fields.Many2many(
        "res.partner",
        "crm_claim_portal_follower_rel",
        "claim_id",
        "partner_id",
        "Contacts Who Follow",
        copy=False,
        domain="[('commercial_partner_id', '=', commercial_partner_id)]",
        help="Further contacts of the client who see this claim in the portal and get its mails.",
    )

    @api.constrains("portal_follower_ids")
    def _check_portal_followers(self):
        for claim in self:
            strangers = claim.portal_follower_ids.filtered(
                lambda partner, claim=claim: partner.commercial_partner_id
                != claim.commercial_partner_id
            )
            if strangers:
                raise ValidationError(
                    self.env._(
                        "Only contacts of the client's own company follow a claim; %(name)s is"
                        " not one of them.",
                        name=strangers[0].display_name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        claims = super().create(vals_list)
        for claim in claims.filtered("portal_follower_ids"):
            claim._portal_subscribe(claim.portal_follower_ids)
        return claims

    def write(self, vals):
        if "portal_follower_ids" not in vals and "partner_id" not in vals:
            return super().write(vals)
        before = {
            claim: (claim.portal_follower_ids, claim.sudo().commercial_partner_id) for claim in self
        }
        result = super().write(vals)
        for claim, (followers, client) in before.items():
            if "partner_id" in vals:
                claim._portal_unsubscribe_client(client)
                strangers = claim.portal_follower_ids.filtered(
                    lambda partner, claim=claim: partner.commercial_partner_id
                    != claim.commercial_partner_id
                )
                if strangers:
                    super(CrmClaim, claim).write(
                        {"portal_follower_ids": [(3, partner.id) for partner in strangers]}
                    )
            if gone := followers - claim.portal_follower_ids:
                claim.message_unsubscribe(gone.ids)
            if new := claim.portal_follower_ids - followers:
                claim._portal_subscribe(new)
        return result

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        """Customers follow by the page of the claim only.

        Odoo lets whoever reads a document follow it; a contact would then go on getting its mails
        when it is closed to him (confidential, own claims only).
        """
        if self.env.user.share and not self.env.su:
            return False
        return super().message_subscribe(partner_ids=partner_ids, subtype_ids=subtype_ids)

    def _portal_unsubscribe_client(self, client):
        """Whoever followed for a client that the claim is not of any more hears nothing of it."""
        self.ensure_one()
        claim_sudo = self.sudo()  # sudo: who may change the client takes the old one off
        if client and client != claim_sudo.commercial_partner_id:
            gone = claim_sudo.message_partner_ids.filtered(
                lambda partner: partner.partner_share and partner.commercial_partner_id == client
            )
            claim_sudo.message_unsubscribe(gone.ids)

    def _portal_subscribe(self, partners):
        self.message_subscribe(partners.ids, self.env.ref("mail.mt_comment").ids)

    def _portal_get_people(self):
        """Those of the customer's side who see the claim by name: himself, and who follows."""
        self.ensure_one()
        return self.partner_id | self.portal_follower_ids.filtered(
            lambda partner: partner.commercial_partner_id == self.commercial_partner_id
        )

    def _portal_can_choose_followers(self, partner):
        """Whoever speaks for the customer; of a confidential claim only who filed it."""
        self.ensure_one()
        return bool(partner) and (
            not self.confidential or self.partner_id in (partner, partner.commercial_partner_id)
        )

    def _portal_get_choosable_followers(self, limit=50):
        """Contacts of the customer's company who could follow and do not yet; as superuser.

        Call it for a signed-in customer of this claim only: it names his colleagues.
        """
        self.ensure_one()
        company = self.sudo().commercial_partner_id
        if not company:
            return company
        return company.search_fetch(
            [
                ("commercial_partner_id", "=", company.id),
                ("is_company", "=", False),
                ("type", "=", "contact"),
                ("email", "!=", False),
                ("id", "not in", self.sudo()._portal_get_people().ids),
            ],
            ["name"],
            order="name, id",
            limit=limit,
        )

    def _portal_add_followers(self, partner, follower_ids):
        """The customer lets colleagues follow.

        :param partner: res.partner who chooses
        :param follower_ids: ids as the form sent them, untrusted
        :return: res.partner records that follow now and did not before
        """
        self.ensure_one()
        wanted = {
            int(value)
            for value in follower_ids
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
        }
        chosen = self._portal_get_choosable_followers().filtered(lambda one: one.id in wanted)
        if not chosen:
            return chosen
        # sudo: customers write nothing; the caller proved that the claim is his
        claim_sudo = self.sudo()
        claim_sudo.portal_follower_ids |= chosen
        claim_sudo._log_customer(
            partner,
            self.env._(
                "The client lets colleagues follow: %(names)s",
                names=", ".join(chosen.mapped("name")),
            ),
            None,
        )
        for one in chosen:
            link_sudo = self.env["crm.claim.link"]._issue(claim_sudo, one)
            if not link_sudo._is_recent("sent"):  # taken off and on again: one mail an hour
                link_sudo._send()
        return chosen

    def _portal_remove_follower(self, partner, follower_id):
        """The customer takes a colleague off again; one who does not follow is no error."""
        self.ensure_one()
        claim_sudo = self.sudo()  # sudo: see above
        follower = claim_sudo.portal_follower_ids.filtered(lambda one: str(one.id) == follower_id)
        if follower:
            claim_sudo.portal_follower_ids -= follower
            claim_sudo._log_customer(
                partner,
                self.env._("No longer follows: %(name)s", name=follower.name),
                None,
            )
        return follower
