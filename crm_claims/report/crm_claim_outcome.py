from odoo import fields, models
from odoo.addons.crm_claims.models.crm_claim import SEVERITIES
from odoo.addons.crm_claims.models.crm_claim_stage import CLAIM_STATES
from odoo.tools import SQL


class CrmClaimOutcome(models.Model):
    """How claims ended and how content the customers are: one row per claim.

    - Percentages are means over the claims that have a decision; ratings over those that were
      rated; days over those that were decided. Claims without them do not count.
    - The levels of the tree of causes are columns of their own, so that detailed causes roll up.
    - *Open* and *late* tell the work load of a person now; who waits for the client is not late.
    """

    _name = "crm.claim.outcome"
    _description = "Claims Outcome"
    _inherit = ["crm.claim.report.period"]
    _auto = False
    _rec_name = "claim_id"
    _order = "date desc, id desc"

    claim_id = fields.Many2one("crm.claim", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date("Registered On", readonly=True)
    date_handled = fields.Date("Handled On", readonly=True)
    cause_id = fields.Many2one("crm.claim.cause", readonly=True)
    cause_top_id = fields.Many2one("crm.claim.cause", "Cause, First Level", readonly=True)
    cause_second_id = fields.Many2one("crm.claim.cause", "Cause, Second Level", readonly=True)
    department_id = fields.Many2one("hr.department", "Guilty Department", readonly=True)
    category_id = fields.Many2one("crm.claim.category", readonly=True)
    team_id = fields.Many2one("crm.claim.team", readonly=True)
    user_id = fields.Many2one("res.users", "Responsible", readonly=True)
    commercial_partner_id = fields.Many2one("res.partner", "Client", readonly=True)
    severity = fields.Selection(SEVERITIES, readonly=True)
    state = fields.Selection(CLAIM_STATES, readonly=True)
    decision = fields.Selection(
        [("satisfied", "Satisfied"), ("partly", "Partly Satisfied"), ("rejected", "Rejected")],
        readonly=True,
    )
    confidential = fields.Boolean(readonly=True)
    is_open = fields.Boolean("Open", readonly=True)
    open_count = fields.Integer("Open Claims", readonly=True)
    late_count = fields.Integer("Late Claims", readonly=True)
    decided_count = fields.Integer("With a Decision", readonly=True)
    satisfied_percent = fields.Float("Satisfied (%)", readonly=True, aggregator="avg")
    partly_percent = fields.Float("Partly Satisfied (%)", readonly=True, aggregator="avg")
    rejected_percent = fields.Float("Rejected (%)", readonly=True, aggregator="avg")
    accepted_percent = fields.Float(
        "Accepted by the Client (%)",
        readonly=True,
        aggregator="avg",
        help="Of the decisions that the client has answered.",
    )
    rating = fields.Float("Rating (1-5)", readonly=True, aggregator="avg")
    days_to_decide = fields.Float(readonly=True, aggregator="avg")
    amount_claimed = fields.Monetary(readonly=True)
    amount_granted = fields.Monetary(readonly=True)

    @property
    def _table_query(self):
        company = SQL("claim.company_id")
        shares = {
            decision: SQL(
                """CASE WHEN claim.is_open THEN NULL WHEN claim.decision = %s THEN 100.0
                        WHEN claim.decision IS NOT NULL THEN 0.0 END""",
                decision,
            )
            for decision in ("satisfied", "partly", "rejected")
        }
        return SQL(
            """
            SELECT claim.id, claim.id AS claim_id, claim.company_id,
                   %(registered)s AS date,
                   CASE WHEN NOT claim.is_open THEN %(handled)s END AS date_handled,
                   claim.cause_id,
                   split_part(cause.parent_path, '/', 1)::int AS cause_top_id,
                   NULLIF(split_part(cause.parent_path, '/', 2), '')::int AS cause_second_id,
                   claim.department_id, claim.category_id, claim.team_id, claim.user_id,
                   claim.commercial_partner_id, claim.severity, claim.state, claim.decision,
                   claim.confidential, claim.is_open,
                   CASE WHEN claim.is_open THEN 1 ELSE 0 END AS open_count,
                   CASE WHEN claim.is_open AND claim.state <> 'waiting_client'
                             AND claim.date_promised < %(today)s
                        THEN 1 ELSE 0 END AS late_count,
                   CASE WHEN claim.decision IS NOT NULL AND NOT claim.is_open
                        THEN 1 ELSE 0 END AS decided_count,
                   %(satisfied)s AS satisfied_percent, %(partly)s AS partly_percent,
                   %(rejected)s AS rejected_percent,
                   CASE claim.customer_answer WHEN 'accepted' THEN 100.0 WHEN 'rejected' THEN 0.0
                   END AS accepted_percent,
                   NULLIF(claim.rating_last_value, 0) AS rating,
                   EXTRACT(EPOCH FROM claim.date_decided - claim.date_registered) / 86400.0
                       AS days_to_decide,
                   claim.amount_claimed, claim.amount_granted
              FROM crm_claim claim
              LEFT JOIN crm_claim_cause cause ON cause.id = claim.cause_id
             WHERE %(period)s
            """,
            registered=self._get_day(SQL("claim.date_registered"), company),
            handled=self._get_day(
                SQL("COALESCE(claim.date_decided, claim.date_closed, claim.date_registered)"),
                company,
            ),
            today=self._get_today(company),
            period=self._get_period_condition(SQL("claim.date_registered"), company),
            **shares,
        )
