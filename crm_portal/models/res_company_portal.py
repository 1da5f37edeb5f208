from odoo import fields, models


class ResCompany(models.Model):
    """How a company serves its customers in the portal."""

    _inherit = "res.company"

    portal_requests_per_hour = fields.Integer(
        string="Requests per Hour and Portal User",
        default=20,
        help="How many requests of one kind (repeated orders, calls, changes of data) one portal"
        " user may send within an hour. Zero closes them.",
    )
    portal_manager_id = fields.Many2one(
        "res.users",
        string="Manager of Customers without One",
        domain="[('share', '=', False), ('company_ids', 'in', id)]",
        help="Whom customers without a salesperson of their own see and reach in the portal.",
    )

    _portal_requests_per_hour_positive = models.Constraint(
        "CHECK(portal_requests_per_hour >= 0)",
        "The number of requests per hour cannot be negative; zero closes them.",
    )
