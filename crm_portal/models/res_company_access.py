from odoo import fields, models


class ResCompany(models.Model):
    """Who of a customer's company sees a claim, how long links work, and who is named."""

    _inherit = "res.company"

    portal_claim_scope = fields.Selection(
        [
            ("company", "All claims of their company"),
            ("own", "Only their own claims"),
        ],
        "Contacts of a Client See",
        required=True,
        default="company",
        help="Claims in the name of the client's company itself are seen by all its contacts."
        " Confidential claims are seen by the person who filed them. Whoever follows a claim"
        " sees it in any case.",
    )
    portal_claim_contact = fields.Selection(
        [
            ("team", "The team"),
            ("person", "The responsible person"),
        ],
        "Clients Read Who Handles a Claim",
        required=True,
        default="team",
        help="The team: its name and address; messages of employees appear under the company's"
        " name. The person: name and work address of the responsible.",
    )
    portal_link_days = fields.Integer(
        "Days a Link Works",
        default=30,
        help="How long a link in a mail opens a claim without signing in. Zero: mails carry no"
        " such links, and those that were sent stop working when they end.",
    )
    portal_messages_per_hour = fields.Integer(
        "Messages per Hour and Claim",
        default=30,
        help="How often one customer may write on one claim within an hour. Zero: not at all.",
    )

    _portal_access_positive = models.Constraint(
        "CHECK(portal_link_days >= 0 AND portal_messages_per_hour >= 0)",
        "The days of a link and the messages per hour cannot be negative; zero means none at all.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    portal_claim_scope = fields.Selection(
        related="company_id.portal_claim_scope", readonly=False, required=True
    )
    portal_claim_contact = fields.Selection(
        related="company_id.portal_claim_contact", readonly=False, required=True
    )
    portal_link_days = fields.Integer(related="company_id.portal_link_days", readonly=False)
    portal_messages_per_hour = fields.Integer(
        related="company_id.portal_messages_per_hour", readonly=False
    )
