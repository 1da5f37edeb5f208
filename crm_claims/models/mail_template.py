from odoo import fields, models


class MailTemplate(models.Model):
    """Prepared texts of decisions: offered in the decision dialog, by the kind of decision."""

    _inherit = "mail.template"

    crm_claim_decision = fields.Selection(
        [
            ("any", "Any Decision"),
            ("satisfied", "Satisfied"),
            ("partly", "Partly Satisfied"),
            ("rejected", "Rejected"),
        ],
        "Decision on a Claim",
        help="Offer this template as a prepared text when a claim is decided.",
    )
