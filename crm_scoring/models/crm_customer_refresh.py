import logging

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)


class CrmCustomerRefresh(models.Model):
    """A refresh of client profiles that somebody asked for, with its progress.

    It runs in a scheduled job, company by company. The progress is written past the transaction of
    the refresh, so that it is seen while that works. A run that is killed is taken up again.
    """

    _name = "crm.customer.refresh"
    _description = "Refresh of Client Profiles"
    _order = "id desc"
    _rec_name = "company_id"

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    user_id = fields.Many2one(
        "res.users", string="Asked for by", readonly=True, default=lambda self: self.env.user
    )
    is_full = fields.Boolean(string="All Clients", readonly=True)
    state = fields.Selection(
        [("queued", "Waiting"), ("running", "Running"), ("done", "Done"), ("failed", "Failed")],
        required=True,
        default="queued",
        readonly=True,
        index=True,
    )
    phase = fields.Selection(
        [
            ("facts", "Reading the sales"),
            ("figures", "Adding up each client"),
            ("model", "Fitting the purchase model"),
            ("scores", "Comparing the clients"),
            ("writing", "Writing what has changed"),
            ("likeness", "Looking for clients like the best"),
            ("done", "Done"),
        ],
        readonly=True,
    )
    progress = fields.Float(readonly=True)
    date_end = fields.Datetime(string="Ended on", readonly=True)
    written = fields.Integer(string="Profiles Changed", readonly=True)
    deleted = fields.Integer(string="Profiles Removed", readonly=True)
    error = fields.Text(readonly=True)

    @api.model
    def _start(self, companies, full=False):
        """Queue a refresh of the companies and show its progress.

        A company whose refresh is waiting already is not queued twice.
        :return: action
        """
        # sudo: whoever sees profiles may have them refreshed, and no more
        runs_sudo = self.sudo().search(
            [
                ("company_id", "in", companies.ids),
                ("state", "=", "queued"),
                ("is_full", "=", full),
                ("job", "=", "profiles"),
            ]
        )
        runs_sudo |= runs_sudo.create(
            [
                {"company_id": company.id, "is_full": full}
                for company in companies - runs_sudo.company_id
            ]
        )
        self.env.ref("crm_scoring.ir_cron_crm_customer_refresh").sudo()._trigger()
        current = runs_sudo.filtered(lambda run: run.company_id == self.env.company) or runs_sudo
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Refresh of the Client Analysis"),
            "res_model": self._name,
            "res_id": current[:1].id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_close(self):
        """Close the window and show the figures as they are now."""
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    @api.model
    def _cron_run(self):
        """Work on the refreshes that wait, and on those a crash interrupted."""
        cron = self.env["ir.cron"]
        runs = self.search([("state", "in", ("queued", "running"))], order="id")
        for done, run in enumerate(runs, 1):
            run._run()
            if not cron._commit_progress(1, remaining=len(runs) - done):
                break

    def _run(self):
        self.ensure_one()
        self._note(state="running")
        try:
            with self.env.cr.savepoint():
                written, deleted = self._work(
                    lambda _company, percent, phase: self._note(progress=percent, phase=phase)
                )
            values = {"state": "done", "written": written, "deleted": deleted, "progress": 100}
        except Exception as error:  # shown to who asked; the figures stay as they were
            _logger.exception("The refresh of client profiles failed")
            values = {"state": "failed", "error": str(error) or type(error).__name__}
        # the figures first: the row of the run was written past this transaction
        self.env["ir.cron"]._commit_progress()
        self.invalidate_recordset()
        self.write({**values, "date_end": fields.Datetime.now()})

    def _work(self, progress):
        """Do what was asked for.

        :param callable progress: called as ``progress(company, percent, phase)``
        :return: (written, deleted) numbers of records
        """
        return self.env["crm.customer.profile"]._refresh(
            self.company_id, full=self.is_full or None, progress=progress
        )

    def _note(self, **values):
        """Write to the row past the transaction, where a waiting screen sees it."""
        with self.env.registry.cursor() as cr:
            assignments = SQL(", ").join(
                SQL("%s = %s", SQL.identifier(name), value) for name, value in values.items()
            )
            cr.execute(
                SQL("UPDATE crm_customer_refresh SET %s WHERE id = %s", assignments, self.id)
            )

    @api.autovacuum
    def _gc_runs(self):
        """Forget refreshes after a month."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=30)
        self.search([("create_date", "<", limit)], limit=1000).unlink()
