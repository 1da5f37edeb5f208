from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    agreement_self_approval = fields.Boolean(
        "Approvers May Approve Their Own Requests",
        help="Otherwise an agreement or an order that deviates is decided on by an approver who "
        "neither asked for it nor is responsible for it.",
    )
