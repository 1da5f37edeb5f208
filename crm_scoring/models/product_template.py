from odoo import fields, models


class ProductTemplate(models.Model):
    """How often what was sold needs service."""

    _inherit = "product.template"

    service_interval = fields.Integer(
        string="Service Every (months)",
        help="Months from the sale to the service, and between services. Clients are listed, and "
        "their salespersons reminded, 30 days before. 0: no service.",
    )

    _check_service_interval = models.Constraint(
        "CHECK(service_interval >= 0)", "The service interval cannot be negative."
    )
