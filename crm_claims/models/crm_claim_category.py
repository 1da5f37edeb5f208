from odoo import fields, models


class CrmClaimCategory(models.Model):
    """What the claim is about in the customer's eyes (quality, delivery, documents, ...).

    The category is known when the claim arrives; the cause is found out later and is a tree of
    its own (``crm.claim.cause``).
    """

    _name = "crm.claim.category"
    _description = "Claim Category"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    team_id = fields.Many2one(
        "crm.claim.team",
        string="Default Team",
        help="Team that takes new claims of this category.",
    )
    active = fields.Boolean(default=True)
    color = fields.Integer()
