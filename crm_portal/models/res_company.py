from odoo import fields, models


class ResCompany(models.Model):
    """Limits of what a customer may send through the portal, company by company."""

    _inherit = "res.company"

    portal_claims_per_hour = fields.Integer(
        string="Claims per Hour and Portal User",
        default=10,
        help="How many claims one portal user may file within an hour. Zero closes filing.",
    )
    portal_claim_max_files = fields.Integer(
        string="Files per Message",
        default=10,
        help="How many photos and files may be sent at once.",
    )
    portal_claim_max_file_size = fields.Integer(
        string="Size of One File (MB)",
        default=10,
        help="Largest photo or document accepted from a customer, in megabytes.",
    )
    portal_claim_max_total_size = fields.Integer(
        string="Size of All Files (MB)",
        default=40,
        help="Largest total of the photos and files sent at once, in megabytes.",
    )

    _portal_claim_limits_positive = models.Constraint(
        "CHECK(portal_claims_per_hour >= 0 AND portal_claim_max_files >= 0"
        " AND portal_claim_max_file_size >= 0 AND portal_claim_max_total_size >= 0)",
        "The limits of the customer portal cannot be negative; zero means none at all.",
    )
