from odoo import fields, models


class ResCompany(models.Model):
    """Each company decides what a bad counterparty means for its orders."""

    _inherit = "res.company"

    counterparty_mode = fields.Selection(
        [("off", "No check"), ("warn", "Warn"), ("block", "Do not confirm")],
        string="Orders of Clients Who Are Being Wound Up or Gone",
        required=True,
        default="warn",
        help="When an order is confirmed for a client who is being liquidated, bankrupt, gone, "
        "unknown to the register or registered under another KPP.",
    )
    counterparty_recheck_days = fields.Integer(
        "Check Clients Again After",
        default=30,
        help="Days after which clients with open business are looked up again; 0: never.",
    )

    _check_counterparty_recheck_days = models.Constraint(
        "CHECK (counterparty_recheck_days >= 0)",
        "Days after which clients are checked again cannot be negative.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    counterparty_mode = fields.Selection(
        related="company_id.counterparty_mode", readonly=False, required=True
    )
    counterparty_recheck_days = fields.Integer(
        related="company_id.counterparty_recheck_days", readonly=False
    )
