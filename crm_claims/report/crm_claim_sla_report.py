from odoo import fields, models
from odoo.addons.crm_claims.models.crm_claim import SEVERITIES
from odoo.addons.crm_claims.models.crm_claim_sla_status import STATES
from odoo.addons.crm_claims.models.crm_claim_sla_target import TARGETS
from odoo.tools import SQL


class CrmClaimSlaReport(models.Model):
    """Whether deadlines are kept, by policy: one row per deadline of a claim.

    The percentage is that of deadlines that are kept or missed; what still runs, waits for the
    client or was dropped does not count. The month is that in which the deadline was counted from.
    """

    _name = "crm.claim.sla.report"
    _description = "Deadlines Kept"
    _inherit = ["crm.claim.report.period"]
    _auto = False
    _rec_name = "claim_id"
    _order = "date desc, id desc"

    claim_id = fields.Many2one("crm.claim", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    date = fields.Date("Counted From", readonly=True)
    date_deadline = fields.Datetime("Deadline", readonly=True)
    target = fields.Selection(TARGETS, readonly=True)
    sla_id = fields.Many2one("crm.claim.sla", "Policy", readonly=True)
    deadline_state = fields.Selection(STATES, readonly=True)
    cause_id = fields.Many2one("crm.claim.cause", readonly=True)
    category_id = fields.Many2one("crm.claim.category", readonly=True)
    team_id = fields.Many2one("crm.claim.team", readonly=True)
    user_id = fields.Many2one("res.users", "Responsible", readonly=True)
    commercial_partner_id = fields.Many2one("res.partner", "Client", readonly=True)
    severity = fields.Selection(SEVERITIES, readonly=True)
    confidential = fields.Boolean(readonly=True)
    kept_count = fields.Integer("Kept", readonly=True)
    missed_count = fields.Integer("Missed", readonly=True)
    running_count = fields.Integer("Running", readonly=True)
    kept_percent = fields.Float("Kept (%)", readonly=True, aggregator="avg")
    hours_late = fields.Float(
        readonly=True, aggregator="avg", help="Hours by the clock, of those that were missed."
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT status.id, status.claim_id, status.company_id, %s AS date,
                   status.date_deadline, status.target, status.sla_id,
                   status.state AS deadline_state,
                   claim.cause_id, claim.category_id, claim.team_id, claim.user_id,
                   claim.commercial_partner_id, claim.severity, claim.confidential,
                   CASE WHEN status.state = 'met' THEN 1 ELSE 0 END AS kept_count,
                   CASE WHEN status.state = 'failed' THEN 1 ELSE 0 END AS missed_count,
                   CASE WHEN status.state IN ('running', 'paused') THEN 1 ELSE 0 END
                       AS running_count,
                   CASE status.state WHEN 'met' THEN 100.0 WHEN 'failed' THEN 0.0 END
                       AS kept_percent,
                   CASE WHEN status.state = 'failed' THEN EXTRACT(EPOCH FROM
                        COALESCE(status.date_done, now() AT TIME ZONE 'UTC')
                        - status.date_deadline) / 3600.0 END AS hours_late
              FROM crm_claim_sla_status status
              JOIN crm_claim claim ON claim.id = status.claim_id
             WHERE %s
            """,
            self._get_day(SQL("status.date_start"), SQL("status.company_id")),
            self._get_period_condition(SQL("status.date_start"), SQL("status.company_id")),
        )
