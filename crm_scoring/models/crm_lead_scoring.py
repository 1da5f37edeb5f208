import logging

from odoo import api, fields, models
from odoo.api import SUPERUSER_ID
from odoo.tools import SQL

from ..tools.scoring import reasons_from_array

_logger = logging.getLogger(__name__)


class CrmLeadScoring(models.Model):
    """The numbers of a deal's score, one narrow row per deal.

    A night rewrites them for every deal; in the table of deals with its thirty indexes
    each of these writes would cost ten times more. The deal shows them as its own
    fields. Only the class lives on the deal: it changes rarely and lists are sorted and
    grouped by it.

    Deals that are won, lost or archived keep the score they had when they were open.
    """

    _name = "crm.lead.scoring"
    _description = "Score of a deal"
    _rec_name = "lead_id"
    _log_access = False

    lead_id = fields.Many2one("crm.lead", "Deal", required=True, readonly=True, ondelete="cascade")
    scorecard_id = fields.Many2one("crm.scorecard", readonly=True, ondelete="set null")
    class_auto = fields.Selection([(c, c) for c in "ABCD"], "Computed Class", readonly=True)
    score_value = fields.Float("Score", readonly=True, digits=(5, 1))
    score_probability = fields.Float("Probability (%)", readonly=True, digits=(5, 1))
    sample_size = fields.Integer("Closed Deals Behind It", readonly=True)
    score_expected_amount = fields.Monetary(
        "Expected Amount", readonly=True, currency_field="currency_id"
    )
    score_peak = fields.Float("Highest Score", readonly=True, digits=(5, 1))
    peak_date = fields.Datetime("Highest on", readonly=True)
    score_drop = fields.Float("Drop (points)", readonly=True, digits=(5, 1))
    score_drop_percent = fields.Float("Drop (%)", readonly=True, digits=(5, 1))
    amount_at_risk = fields.Monetary("Money at Risk", readonly=True, currency_field="currency_id")
    deal_worth = fields.Monetary("Worth of the Deal", readonly=True, currency_field="currency_id")
    # bigint, written by the refresh only: tells whether the inputs of the model changed
    inputs_hash = fields.Float(readonly=True, digits=(20, 0), aggregator=None)
    # how it was before the array of reasons; see _read_reasons
    details = fields.Json(readonly=True)
    currency_id = fields.Many2one(related="lead_id.company_currency")

    _unique_lead = models.Constraint("UNIQUE(lead_id)", "A deal has one score.")

    def init(self):
        """Leave room in the pages: a night rewrites every row, and a row that finds room in its
        own page touches no index."""
        self.env.cr.execute(
            SQL(
                """ALTER TABLE crm_lead_scoring SET (fillfactor = 60);
                   ALTER TABLE crm_lead_scoring ADD COLUMN IF NOT EXISTS reasons float8[]"""
            )
        )

    @api.model
    def _refresh(self, lead_ids, now, author=None):
        """Score open deals and write what changed; the same input gives the same score.

        One statement looks the deals up, one more for each scorecard and company among them
        scores and writes; their number does not depend on the number of deals or factors.

        :param list lead_ids: ids of deals; those that are not open are left alone
        :param datetime now: moment of the refresh, naive UTC
        :param author: id of the user whose change led to the refresh, if any
        :return: ids of the deals whose score changed
        """
        # A clean environment: neither the rights nor the context of whoever triggers
        # the refresh may change a score.
        root = self.env(user=SUPERUSER_ID, su=True, context={})[self._name]
        groups = {}
        for company_id, team_id, process_id, ids in root._find_open_deals(lead_ids):
            rule = root.env["crm.scorecard"]._find_rule(company_id, team_id, process_id)
            if rule:
                groups.setdefault((rule["id"], company_id), []).extend(ids)
        changed, moved, alarmed = [], [], []
        for (rule_id, company_id), ids in groups.items():
            model = root
            if company_id:
                model = root.with_context(allowed_company_ids=[company_id])
            for part, target in zip(
                model._score(rule_id, company_id, sorted(ids), now, author),
                (changed, moved, alarmed),
                strict=True,
            ):
                target += part
        if changed:
            leads = root.env["crm.lead"].browse(changed)
            leads.invalidate_recordset(leads._get_score_fields(), flush=False)
            root.invalidate_model(flush=False)
            root.env["crm.lead"].browse(moved).modified(["score_class"])
        if alarmed:
            root.env["crm.lead"].browse(sorted(alarmed))._raise_leaving_alarm()
        return sorted(changed)

    @api.model
    def _read_reasons(self, lead_ids):
        """Return the stored reasons of the scores of deals: ``{lead id: reasons}``."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT lead_id, reasons, details FROM crm_lead_scoring WHERE lead_id = ANY(%s)",
                list(lead_ids),
            )
        )
        return {
            lead_id: reasons_from_array(reasons) if reasons else details or {}
            for lead_id, reasons, details in rows
        }

    @api.model
    def _find_open_deals(self, lead_ids):
        """Return the open ones among deals, by what decides on their scorecard.

        :return: list of ``(company id, team id, process id, ids of deals)``
        """
        self.env["crm.lead"].flush_model()
        self.env["crm.lead.scoring"].flush_model()
        self.env["crm.scorecard.factor"]._flush_special_measures()
        return self.env.execute_query(
            SQL(
                """SELECT company_id, team_id, process_id, array_agg(id)
                     FROM crm_lead
                    WHERE %s AND active AND won_status = 'pending'
                 GROUP BY company_id, team_id, process_id
                 ORDER BY company_id, team_id, process_id""",
                self._get_among(list(lead_ids)),
            )
        )

    @api.model
    def _get_among(self, lead_ids):
        """Return the condition that a row of ``crm_lead`` is one of some deals.

        A batch of neighbours is read as a range of the table: looking up each of its thousands
        of ids, or comparing every deal there is with them, takes longer than all the rest.

        :param lead_ids: ids of the deals, or what stands for them in a statement
        """
        among = SQL("crm_lead.id = ANY(%s::int[])", lead_ids)
        if not isinstance(lead_ids, list) or not lead_ids:
            return among
        return SQL("%s AND %s", self._get_range("crm_lead", "id", lead_ids), among)

    @api.model
    def _get_range(self, alias, column, lead_ids):
        """Return the condition that a column lies between the first and the last of some deals.

        It keeps the planner, which cannot tell what a step of a statement will find, from
        reading a whole table to join a batch.
        """
        if not isinstance(lead_ids, list) or not lead_ids:
            return SQL("TRUE")
        return SQL(
            "%s BETWEEN %s AND %s", SQL.identifier(alias, column), min(lead_ids), max(lead_ids)
        )

    @api.model
    def _score(self, rule_id, company_id, lead_ids, now, author):
        """Score and write deals of one scorecard and one company.

        A statement that fails is tried factor by factor: the culprit is reported, and the deals
        are scored without it.

        :return: ids of the deals whose score changed, whose class changed, that began to leave
        """
        factor_model = self.env["crm.scorecard.factor"]
        statement = self._get_statement(rule_id, company_id, lead_ids, now, author)
        self.env.flush_query(statement)  # what was written must survive the savepoint
        try:
            with self.env.cr.savepoint(flush=False):
                [found] = self.env.execute_query(statement)
        except Exception:
            rule = factor_model._get_working_rule(rule_id, lead_ids, now)
            if not factor_model._find_culprits(rule, lead_ids):
                raise
            _logger.warning("A scorecard factor failed and is skipped", exc_info=True)
            statement = self._get_statement(rule_id, company_id, lead_ids, now, author)
            [found] = self.env.execute_query(statement)
        return tuple(ids or [] for ids in found)
