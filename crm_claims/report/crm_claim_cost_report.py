from odoo import fields, models
from odoo.addons.crm_claims.models.crm_claim import REMEDIES
from odoo.addons.crm_claims.models.crm_claim_cost import COST_KINDS
from odoo.tools import SQL


class CrmClaimCostReport(models.Model):
    """What claims cost, and who bears it: one row per cost and guilty department.

    - Costs are the granted remedies (not the cancelled ones), the entries of the ledger, and,
      where time sheets are installed, the hours booked on the steps and measures of the claim's
      investigations (their subtasks included) and on its repairs, at the cost that the time sheet
      carries; an investigation of several claims is split evenly.
    - Each cost is split by the shares of guilt; a claim without guilt bears its cost without a
      department.
    - Amounts are in the currency of the claim's company, days are those of its time zone.
    """

    _name = "crm.claim.cost.report"
    _description = "Claims Cost Analysis"
    _inherit = ["crm.claim.report.day"]
    _auto = False
    _rec_name = "claim_id"
    _order = "date desc, id"
    _depends = {
        "crm.claim": ["date_decided", "amount_granted", "remedy_granted"],
        "crm.claim.cost": ["claim_id", "date", "kind", "hours", "amount"],
        "crm.claim.fault": ["claim_id", "department_id", "share"],
        "crm.claim.remedy": ["claim_id", "kind", "amount", "state", "task_id"],
    }

    claim_id = fields.Many2one("crm.claim", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(readonly=True)
    source = fields.Selection(
        [("remedy", "Granted"), ("ledger", "Entered"), ("timesheet", "Time Sheets")], readonly=True
    )
    kind = fields.Selection(
        [
            *((f"remedy_{key}", label) for key, label in REMEDIES),
            *((f"cost_{key}", label) for key, label in COST_KINDS),
        ],
        string="Kind of Cost",
        readonly=True,
    )
    department_id = fields.Many2one("hr.department", "Bearing Department", readonly=True)
    cause_id = fields.Many2one("crm.claim.cause", readonly=True)
    category_id = fields.Many2one("crm.claim.category", readonly=True)
    team_id = fields.Many2one("crm.claim.team", readonly=True)
    user_id = fields.Many2one("res.users", "Responsible", readonly=True)
    commercial_partner_id = fields.Many2one("res.partner", "Client", readonly=True)
    confidential = fields.Boolean(readonly=True)
    share = fields.Float("Share (%)", readonly=True, aggregator=None)
    hours = fields.Float(readonly=True)
    amount = fields.Monetary(readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT cost.id::bigint * 1024 + COALESCE(fault.position, 0) AS id,
                   claim.id AS claim_id,
                   claim.company_id,
                   cost.date,
                   cost.source,
                   cost.kind,
                   fault.department_id,
                   claim.cause_id,
                   claim.category_id,
                   claim.team_id,
                   claim.user_id,
                   claim.commercial_partner_id,
                   claim.confidential,
                   COALESCE(fault.share, 100) AS share,
                   cost.hours * COALESCE(fault.share, 100) / 100.0 AS hours,
                   cost.amount * COALESCE(fault.share, 100) / 100.0 AS amount
              FROM (%s) cost
              JOIN crm_claim claim ON claim.id = cost.claim_id
              LEFT JOIN (
                    SELECT claim_id, department_id, share::numeric,
                           row_number() OVER (PARTITION BY claim_id ORDER BY id) AS position
                      FROM crm_claim_fault
              ) fault ON fault.claim_id = claim.id
            """,
            SQL(" UNION ALL ").join(self._get_cost_queries()),
        )

    def _get_cost_queries(self):
        """Selects of (id, claim_id, date, source, kind, hours, amount); ids of the sources do
        not meet."""
        queries = [self._select_remedies(), self._select_ledger()]
        if self._has_timesheets():
            queries.append(self._select_timesheets())
        return queries

    def _has_timesheets(self):
        lines = self.env.get("account.analytic.line")
        return lines is not None and "task_id" in lines._fields

    def _select_remedies(self):
        return SQL(
            """
            SELECT remedy.id * 4 AS id, remedy.claim_id,
                   %s AS date,
                   'remedy' AS source, 'remedy_' || remedy.kind AS kind,
                   0.0 AS hours, COALESCE(remedy.amount, 0) AS amount
              FROM crm_claim_remedy remedy
              JOIN crm_claim decided ON decided.id = remedy.claim_id
             WHERE remedy.state NOT IN ('proposed', 'cancelled')
             UNION ALL
            SELECT -claim.id * 4 AS id, claim.id, %s,
                   'remedy', 'remedy_' || COALESCE(claim.remedy_granted, 'other'),
                   0.0, claim.amount_granted
              FROM crm_claim claim
             WHERE claim.amount_granted > 0
               AND NOT EXISTS (
                    SELECT FROM crm_claim_remedy remedy WHERE remedy.claim_id = claim.id)
            """,
            self._get_day(
                SQL("COALESCE(decided.date_decided, remedy.create_date)"),
                SQL("decided.company_id"),
            ),
            self._get_day(SQL("claim.date_decided"), SQL("claim.company_id")),
        )

    def _select_ledger(self):
        return SQL(
            """
            SELECT entry.id * 4 + 1 AS id, entry.claim_id, entry.date,
                   'ledger' AS source, 'cost_' || entry.kind AS kind,
                   CASE WHEN entry.kind = 'labour' THEN COALESCE(entry.hours, 0) ELSE 0.0 END
                       AS hours,
                   COALESCE(entry.amount, 0) AS amount
              FROM crm_claim_cost entry
            """
        )

    def _select_timesheets(self):
        """Hours and cost (the amount of a time sheet is its negative cost) per claim."""
        return SQL(
            """
            SELECT (line.id::bigint * 4096 + MOD(work.claim_id, 4096)) * 4 + 2 AS id,
                   work.claim_id, line.date,
                   'timesheet' AS source, 'cost_labour' AS kind,
                   line.unit_amount / work.claims AS hours,
                   -COALESCE(line.amount, 0) / work.claims AS amount
              FROM (
                    SELECT task.id AS task_id, link.claim_id,
                           COUNT(*) OVER (PARTITION BY task.id) AS claims
                      FROM (%s) task
                      JOIN crm_claim_investigation_rel link
                        ON link.investigation_id = task.investigation_id
                     UNION ALL
                    SELECT remedy.task_id, remedy.claim_id, 1
                      FROM crm_claim_remedy remedy
                     WHERE remedy.task_id IS NOT NULL
              ) work
              JOIN account_analytic_line line ON line.task_id = work.task_id
            """,
            SQL(
                """
                SELECT id, claim_investigation_id AS investigation_id
                  FROM project_task WHERE claim_investigation_id IS NOT NULL
                 UNION ALL
                SELECT part.id, step.claim_investigation_id
                  FROM project_task step
                  JOIN project_task part ON part.parent_id = step.id
                 WHERE step.claim_investigation_id IS NOT NULL
                   AND part.claim_investigation_id IS NULL
                """
            ),
        )
