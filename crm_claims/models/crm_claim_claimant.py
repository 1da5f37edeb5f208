from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmClaim(models.Model):
    """Who complains: a partner of any kind, or free text until somebody links a card.

    An order fills the claimant in; a card fills name, address and phone in.
    """

    _inherit = "crm.claim"

    partner_id = fields.Many2one(
        "res.partner",
        "Client",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        precompute=True,
        index=True,
        tracking=True,
        check_company=True,
    )
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id",
        string="Company of Client",
        store=True,
        index=True,
    )
    partner_name = fields.Char(
        "Claimant",
        compute="_compute_partner_contact",
        store=True,
        readonly=False,
        precompute=True,
        help="Who complains, as long as there is no contact card.",
    )
    email_from = fields.Char(
        "Email",
        compute="_compute_partner_contact",
        store=True,
        readonly=False,
        precompute=True,
    )
    partner_phone = fields.Char(
        "Phone",
        compute="_compute_partner_contact",
        store=True,
        readonly=False,
        precompute=True,
    )
    _commercial_partner_date_idx = models.Index("(commercial_partner_id, date_registered DESC)")

    @api.depends("order_id")
    def _compute_partner_id(self):
        for claim in self:
            if claim.order_id and not claim.partner_id:
                claim.partner_id = claim.order_id.partner_id

    @api.depends("partner_id")
    def _compute_partner_contact(self):
        for claim in self:
            partner = claim.partner_id
            claim.partner_name = partner.name if partner else claim.partner_name
            claim.email_from = partner.email or claim.email_from
            claim.partner_phone = partner.phone or claim.partner_phone

    @api.constrains("partner_id", "partner_name", "email_from", "partner_phone")
    def _check_claimant(self):
        for claim in self:
            if not (
                claim.partner_id or claim.partner_name or claim.email_from or claim.partner_phone
            ):
                raise ValidationError(
                    self.env._(
                        "Claim %(subject)s has no claimant: choose a client, or give a name, "
                        "an email address or a phone number.",
                        subject=claim.subject,
                    )
                )
