import logging

from odoo import api, fields, models
from odoo.tools import SQL
from psycopg2 import OperationalError

_logger = logging.getLogger(__name__)


class CrmStrategyRecordMixin(models.AbstractModel):
    """A row about the record that a strategy answers, of whatever model."""

    _name = "crm.strategy.record.mixin"
    _description = "Row About a Record of a Strategy"

    res_model = fields.Char("Document Model")
    res_id = fields.Many2oneReference("Document ID", model_field="res_model")

    def action_open_record(self):
        """Open the record of this row."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }


class CrmStrategyRun(models.Model):
    """What a strategy has done, for whom and when. Written by the system only.

    An event of a record is in the log of a strategy once, whatever came of it: that is what keeps
    it from being answered twice.
    """

    _name = "crm.strategy.run"
    _inherit = ["crm.strategy.record.mixin"]
    _description = "Log of a Strategy"
    _order = "date desc, id desc"
    _rec_name = "name"
    _log_access = False

    strategy_id = fields.Many2one(
        "crm.strategy", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(required=True, readonly=True)
    event_key = fields.Char("Event", required=True, readonly=True)
    name = fields.Char("Document", readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    state = fields.Selection(
        [("done", "Done"), ("skipped", "Was there before"), ("failed", "Failed")],
        required=True,
        readonly=True,
    )
    result = fields.Text("What Was Done", readonly=True)

    _event_uniq = models.UniqueIndex("(strategy_id, res_id, res_model, event_key)")
    _date_idx = models.Index("(strategy_id, date) WHERE state = 'done'")


class CrmStrategy(models.Model):
    """The job: find whom the strategies concern, and act."""

    _inherit = "crm.strategy"

    @api.model
    def _cron_strategies(self, batch_size=50):
        """Let all strategies that are switched on act. A batch and its log are one transaction."""
        cron = self.env["ir.cron"]
        now = fields.Datetime.now()
        # what was switched on before an upgrade is listened for from now on
        self._listen()
        for strategy in self.sudo().search([("is_on", "=", True)]):
            while done := strategy._act(now, batch_size):
                self.env.flush_all()
                self.env.invalidate_all()
                cron._commit_progress(done)
        cron._commit_progress(remaining=0)

    def _act(self, now, limit):
        """Answer up to so many events.

        :return: how many were answered
        """
        self.ensure_one()
        strategy = self.try_lock_for_update()
        if not strategy:
            return 0
        try:
            with self.env.cr.savepoint():
                occurrences = strategy._get_occurrences(now)
        except OperationalError:
            raise
        except Exception as error:
            # conditions over a field that is gone, say: the others go on
            _logger.exception("Strategy %s cannot be evaluated", strategy.id)
            strategy.error = str(error)
            return 0
        if strategy.error:
            strategy.error = False
        chosen = occurrences[: min(limit, strategy._get_left_today(now))]
        for record, key in chosen:
            strategy._answer(record, key, now)
        return len(chosen)

    def _get_left_today(self, now):
        """How many more this strategy may answer within a day."""
        done = self.env["crm.strategy.run"].search_count(
            [
                ("strategy_id", "=", self.id),
                ("state", "in", ("done", "failed")),
                ("date", ">", fields.Datetime.subtract(now, days=1)),
            ]
        )
        return max(0, self.daily_limit - done)

    def _get_record_company(self, record):
        """The company of a record; empty if it belongs to all."""
        return record["company_id"] if "company_id" in record._fields else self.company_id.browse()

    @api.model
    def _get_record_name(self, record):
        """What a record is called in the log and the dry run, whoever reads them.

        An agreement by its number only: its title may be a commercial secret.
        """
        return record["name"] if record._name == "crm.agreement" else record.display_name

    def _answer(self, record, key, now):
        """Do what the strategy does, for one event, and log it; a failure is logged, too."""
        self.ensure_one()
        values = {
            "strategy_id": self.id,
            "company_id": (self.company_id or self._get_record_company(record)).id,
            "res_model": record._name,
            "res_id": record.id,
            "event_key": key,
            "name": self._get_record_name(record),
            "date": now,
        }
        try:
            with self.env.cr.savepoint():
                results = self._perform(record, now)
                self.env.flush_all()
                values |= {"state": "done", "result": "\n".join(results)}
        except OperationalError:
            raise
        except Exception as error:
            _logger.warning("Strategy %s failed for %s", self.id, record, exc_info=True)
            values |= {"state": "failed", "result": str(error)}
        self.env["crm.strategy.run"].create(values)

    def _perform(self, record, now):
        """Carry out all actions for one record.

        :return: list of what was done, in words
        """
        company = self.action_ids[:1]._get_company(record) or self.company_id
        actions = self.action_ids.with_company(company or self.env.company)
        results = [action._perform(record, now) for action in actions]
        automation = self.automation_id
        if automation.active and automation.action_server_ids:
            automation._process(record)
            results += automation.action_server_ids.mapped("name")
        return results

    def _skip_present(self, now):
        """Leave alone whom the event concerns already, in one statement."""
        self.ensure_one()
        occurrences = self._get_occurrences(now)
        if not occurrences:
            return
        self.env.execute_query(
            SQL(
                """INSERT INTO crm_strategy_run
                          (strategy_id, company_id, res_model, res_id, event_key, date, state)
                   SELECT %s, %s, %s, res_id, event_key, %s, 'skipped'
                     FROM UNNEST(%s::integer[], %s::varchar[]) AS rows (res_id, event_key)
                       ON CONFLICT DO NOTHING
                RETURNING id""",
                self.id,
                self.company_id.id or None,
                self.res_model,
                now,
                [record.id for record, __ in occurrences],
                [key for __, key in occurrences],
            )
        )
