from odoo import api, fields, models
from odoo.tools import SQL


class CrmLeadScoringSweep(models.Model):
    """A pass over all open deals, and how far it has come.

    The deals are taken in the order of their ids; the place is written in the transaction that
    writes the scores of a batch, so that a job killed in between repeats one batch and loses
    none. A new wish for a pass starts the one that is under way afresh.
    """

    _name = "crm.lead.scoring.sweep"
    _description = "Pass over all open deals"
    _log_access = False

    date = fields.Datetime(readonly=True, required=True)
    place = fields.Integer("Last Deal", readonly=True)

    @api.model
    def _start(self):
        """Begin a pass; the job is woken up."""
        self.search([]).unlink()
        self.create({"date": fields.Datetime.now()})
        self.env["crm.lead.scoring.queue"]._wake_up()

    @api.model
    def _count(self):
        """Return how many deals the pass under way has still before it."""
        sweep = self.search([], limit=1)
        if not sweep:
            return 0
        return self.env["crm.lead"].search_count(
            [("won_status", "=", "pending"), ("id", ">", sweep.place)]
        )

    @api.model
    def _take(self, limit):
        """Return the next deals of the pass under way, sorted; it ends with the last of them.

        Another job that is at it keeps this one away.
        """
        sweep = self.search([], limit=1).try_lock_for_update()
        if not sweep:
            return []
        self.env["crm.lead"].flush_model(["active", "won_status"])
        ids = [
            lead_id
            for [lead_id] in self.env.execute_query(
                SQL(
                    """SELECT id FROM crm_lead
                        WHERE id > %s AND active AND won_status = 'pending'
                     ORDER BY id LIMIT %s""",
                    sweep.place,
                    limit,
                )
            )
        ]
        if len(ids) < limit:
            sweep.unlink()
        else:
            sweep.place = ids[-1]
        return ids
