import logging

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

BATCH_SIZE = 10000


class CrmLeadScoringQueue(models.Model):
    """Deals that wait for a refresh of their score.

    The deals of a mass change join the queue; every night there is a pass over all open deals
    (``crm.lead.scoring.sweep``). A batch leaves the queue in the transaction that writes its
    scores: a job killed in between repeats one batch and loses none, and jobs side by side take
    different deals. A deal that cannot be scored leaves the queue with a line in the log.
    """

    _name = "crm.lead.scoring.queue"
    _description = "Deal waiting for its score"
    _order = "lead_id"
    _log_access = False

    lead_id = fields.Many2one(
        "crm.lead", required=True, index=True, ondelete="cascade", readonly=True
    )

    @api.model
    def _enqueue(self, lead_ids):
        """Let deals wait; the job is woken up.

        A deal may wait more than once: that two transactions want the same deal to wait must not
        make one of them fail, least of all when it receives a mail.
        """
        if not lead_ids:
            return
        rows = self.env.execute_query(
            SQL(
                """INSERT INTO crm_lead_scoring_queue (lead_id)
                   SELECT id FROM crm_lead WHERE id = ANY(%(ids)s) ORDER BY id
                   RETURNING lead_id IN (
                       SELECT lead_id FROM crm_lead_scoring_queue WHERE lead_id = ANY(%(ids)s))""",
                ids=list(lead_ids),
            )
        )
        if not all(waited for [waited] in rows):  # who had put the others there has woken it up
            self._wake_up()

    @api.model
    def _wake_up(self):
        cron = self.env.ref("crm_scoring.ir_cron_process_queue", raise_if_not_found=False)
        if cron:
            cron.sudo()._trigger()  # sudo: only a time is noted

    @api.model
    def _take(self, limit):
        """Take up to ``limit`` rows out of the queue, lowest ids first, and return their deals."""
        # an array is computed once; a subquery may be repeated, and take others than the locked
        rows = self.env.execute_query(
            SQL(
                """DELETE FROM crm_lead_scoring_queue WHERE id = ANY(ARRAY(
                       SELECT id FROM crm_lead_scoring_queue ORDER BY lead_id
                        LIMIT %s FOR UPDATE SKIP LOCKED))
                   RETURNING lead_id""",
                limit,
            )
        )
        return sorted({lead_id for [lead_id] in rows})

    @api.model
    def _cron_refresh_all(self):
        """Nightly: count win rates, retry failed factors, start a pass over all open deals."""
        self.env["crm.lead"]._expire_class_adjustments()
        self.env["crm.scorecard.factor"]._retry_failed()
        self.env["crm.scorecard.factor"]._refresh_expectations()
        self.env["crm.lead.scoring.rate"]._refresh()
        self.env["crm.lead.scoring.sweep"]._start()

    @api.model
    def _cron_process_queue(self, batch_size=BATCH_SIZE, now=None):
        """Refresh waiting deals, then those of the pass, until none waits or time is up.

        :param int batch_size: deals per transaction
        :param datetime now: moment of the refresh, naive UTC; the clock by default
        """
        cron = self.env["ir.cron"]
        sweep = self.env["crm.lead.scoring.sweep"]
        now = now or fields.Datetime.now()
        remaining = self.search_count([]) + sweep._count()
        cron._commit_progress(remaining=remaining)
        while lead_ids := self._take(batch_size) or sweep._take(batch_size):
            # a batch must fit into memory: it is read several times; to compile the expressions
            # of every batch anew takes longer than to evaluate them
            self.env.cr.execute("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off")
            self._refresh_batch(lead_ids, now)
            remaining = max(0, remaining - len(lead_ids))
            if not cron._commit_progress(len(lead_ids), remaining=remaining):
                break

    @api.model
    def _refresh_batch(self, lead_ids, now):
        """Refresh a batch; when it fails, halve it until the culprit is alone."""
        scoring_model = self.env["crm.lead.scoring"]
        try:
            with self.env.cr.savepoint():
                scoring_model._refresh(lead_ids, now)
        except Exception:
            if len(lead_ids) == 1:
                _logger.exception("Deal %s could not be scored", lead_ids[0])
                return
            middle = len(lead_ids) // 2
            self._refresh_batch(lead_ids[:middle], now)
            self._refresh_batch(lead_ids[middle:], now)
