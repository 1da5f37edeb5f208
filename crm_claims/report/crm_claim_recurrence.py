from odoo import fields, models
from odoo.tools import SQL


class CrmClaimRecurrence(models.Model):
    """What is claimed again and again: one row per claimed item.

    Counted are claims, not items: two lines of one claim with the same product are one claim.
    Cancelled claims do not count.
    """

    _name = "crm.claim.recurrence"
    _description = "Recurrence of Claims"
    _inherit = ["crm.claim.report.period"]
    _auto = False
    _rec_name = "product_id"
    _order = "date desc, id desc"

    claim_id = fields.Many2one("crm.claim", readonly=True)
    claim_count = fields.Integer("Claims", readonly=True, aggregator="count_distinct")
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date("Registered On", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    lot_name = fields.Char("Lot / Serial", readonly=True)
    cause_id = fields.Many2one("crm.claim.cause", readonly=True)
    category_id = fields.Many2one("crm.claim.category", readonly=True)
    team_id = fields.Many2one("crm.claim.team", readonly=True)
    user_id = fields.Many2one("res.users", "Responsible", readonly=True)
    commercial_partner_id = fields.Many2one("res.partner", "Client", readonly=True)
    confidential = fields.Boolean(readonly=True)
    quantity = fields.Float(readonly=True, digits="Product Unit")
    amount = fields.Monetary(readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT line.id, claim.id AS claim_id, claim.id AS claim_count, claim.company_id,
                   %s AS date, line.product_id,
                   NULLIF(TRIM(line.lot_name), '') AS lot_name, claim.cause_id, claim.category_id,
                   claim.team_id, claim.user_id, claim.commercial_partner_id, claim.confidential,
                   line.quantity, line.amount
              FROM crm_claim_line line
              JOIN crm_claim claim ON claim.id = line.claim_id
             WHERE claim.state <> 'cancelled' AND %s
            """,
            self._get_day(SQL("claim.date_registered"), SQL("claim.company_id")),
            self._get_period_condition(SQL("claim.date_registered"), SQL("claim.company_id")),
        )
