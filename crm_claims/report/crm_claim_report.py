from odoo import fields, models
from odoo.addons.crm_claims.models.crm_claim import REMEDIES, SEVERITIES
from odoo.addons.crm_claims.models.crm_claim_stage import CLAIM_STATES
from odoo.tools import SQL


class CrmClaimReport(models.Model):
    """Claims for analysis: one row per claim and guilty party.

    A claim counts for each guilty department by its share, so that the columns *registered*,
    *handled* and *unhandled* add up to numbers of claims, and amounts to amounts; a claim
    without guilt is one row without a department. The month is that of the registration:
    *handled* tells how many of the claims of a month are decided, closed or cancelled by now.
    Archived claims are counted, too. Days are those of the claim's company.
    """

    _name = "crm.claim.report"
    _description = "Claims Analysis"
    _inherit = ["crm.claim.report.period"]
    _auto = False
    _rec_name = "claim_id"
    _order = "date desc, claim_id desc"

    claim_id = fields.Many2one("crm.claim", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date("Registered On", readonly=True)
    date_promised = fields.Date(readonly=True)
    date_decided = fields.Date("Decided On", readonly=True)
    department_id = fields.Many2one("hr.department", "Guilty Department", readonly=True)
    cause_id = fields.Many2one("crm.claim.cause", readonly=True)
    category_id = fields.Many2one("crm.claim.category", readonly=True)
    team_id = fields.Many2one("crm.claim.team", readonly=True)
    user_id = fields.Many2one("res.users", "Responsible", readonly=True)
    partner_id = fields.Many2one("res.partner", "Client", readonly=True)
    commercial_partner_id = fields.Many2one("res.partner", "Company of Client", readonly=True)
    severity = fields.Selection(SEVERITIES, readonly=True)
    channel = fields.Selection(
        [
            ("portal", "Portal"),
            ("phone", "Phone"),
            ("email", "Email"),
            ("meeting", "Meeting"),
            ("other", "Other"),
        ],
        readonly=True,
    )
    state = fields.Selection(CLAIM_STATES, readonly=True)
    decision = fields.Selection(
        [("satisfied", "Satisfied"), ("partly", "Partly Satisfied"), ("rejected", "Rejected")],
        readonly=True,
    )
    remedy_granted = fields.Selection(REMEDIES, readonly=True)
    confidential = fields.Boolean(readonly=True)
    share = fields.Float("Share (%)", readonly=True, aggregator=None)
    registered = fields.Float(readonly=True, help="Claims, counted by share.")
    handled = fields.Float(readonly=True, help="Decided, closed or cancelled, by share.")
    unhandled = fields.Float(readonly=True, help="Still open, by share.")
    amount_claimed = fields.Monetary(readonly=True)
    amount_granted = fields.Monetary(readonly=True)
    days_to_decide = fields.Float(readonly=True, aggregator="avg")
    rating = fields.Float("Rating (1-5)", readonly=True, aggregator="avg")
    reopen_count = fields.Integer("Times Reopened", readonly=True, aggregator="max")

    @property
    def _table_query(self):
        return SQL("%s %s", self._select(), self._from())

    def _select(self):
        return SQL(
            """
            SELECT COALESCE(fault.id, -claim.id) AS id,
                   claim.id AS claim_id,
                   claim.company_id,
                   %(registered)s AS date,
                   claim.date_promised,
                   %(decided)s AS date_decided,
                   fault.department_id,
                   claim.cause_id,
                   claim.category_id,
                   claim.team_id,
                   claim.user_id,
                   claim.partner_id,
                   claim.commercial_partner_id,
                   claim.severity,
                   claim.channel,
                   claim.state,
                   claim.decision,
                   claim.remedy_granted,
                   claim.confidential,
                   claim.reopen_count,
                   COALESCE(fault.share, 100) AS share,
                   COALESCE(fault.share, 100) / 100.0 AS registered,
                   CASE WHEN claim.is_open THEN 0
                        ELSE COALESCE(fault.share, 100) / 100.0 END AS handled,
                   CASE WHEN claim.is_open THEN COALESCE(fault.share, 100) / 100.0
                        ELSE 0 END AS unhandled,
                   claim.amount_claimed * COALESCE(fault.share, 100) / 100.0 AS amount_claimed,
                   claim.amount_granted * COALESCE(fault.share, 100) / 100.0 AS amount_granted,
                   EXTRACT(EPOCH FROM claim.date_decided - claim.date_registered)
                       / 86400.0 AS days_to_decide,
                   NULLIF(claim.rating_last_value, 0) AS rating
            """,
            registered=self._get_day(SQL("claim.date_registered"), SQL("claim.company_id")),
            decided=self._get_day(SQL("claim.date_decided"), SQL("claim.company_id")),
        )

    def _from(self):
        return SQL(
            """
              FROM crm_claim claim
              LEFT JOIN crm_claim_fault fault ON fault.claim_id = claim.id
             WHERE %s
            """,
            self._get_period_condition(SQL("claim.date_registered"), SQL("claim.company_id")),
        )

    def action_open_claim(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim",
            "res_id": self.claim_id.id,
            "view_mode": "form",
        }
