import logging

import pytz
from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

WORK_MEMORY = "96MB"  # of PostgreSQL, for a sort or a hash of the refresh
LOCK = 0x43525031  # of the refresh, in the space of advisory locks of two numbers


class CrmCustomerProfile(models.Model):
    """The refresh of the profiles: what is recomputed when, and in which steps.

    - *Full*: all clients of a company. Once a day, for recency and the twelve months move with the
      day; after a change of the settings; and when it is asked for.
    - *Incremental*, later on the same day: the clients whose facts have changed since (see
      ``crm.customer.change``), and of the others what depends on all clients: scores, ABC, class.
      The usual interval of the company and the purchase model stay those of the full refresh.
    - One transaction per company: killed at any point it leaves the profiles as they were and the
      changed clients in the queue. One refresh of a company runs at a time (advisory lock); another
      one leaves everything to it.

    Steps: facts to documents, documents to figures of each client (temporary tables, which the
    server may fill in parallel), purchase model, cut values of the scores; then what differs is
    updated, inserted and deleted.
    """

    _inherit = "crm.customer.profile"

    @api.model
    def _refresh(self, companies=None, today=None, full=None, progress=None):
        """Recompute the profiles from the sales facts; write those that have changed only.

        :param companies: ``res.company`` records, all by default
        :param datetime.date today: the day recency and the twelve months end at, by default that of
            the company's time zone
        :param bool full: all clients; by default when needed
        :param callable progress: called as ``progress(company, percent, phase)``
        :return: (written, deleted) numbers of profiles
        """
        companies = companies or self.env["res.company"].sudo().search([])
        self._flush_inputs()
        total_written = total_deleted = 0
        for company in companies:
            written, deleted = self._refresh_company(
                company, today or self._get_today(company), full, progress
            )
            total_written += written
            total_deleted += deleted
        self.invalidate_model()
        return total_written, total_deleted

    @api.model
    def _get_today(self, company):
        """Return the day in the time zone of the company, as the facts have it."""
        now = pytz.utc.localize(fields.Datetime.now())
        return now.astimezone(pytz.timezone(company.sudo().partner_id.tz or "UTC")).date()

    @api.model
    def _refresh_company(self, company, today, full, progress):
        [(free,)] = self.env.execute_query(
            SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK, company.id)
        )
        if not free:
            _logger.info("The profiles of company %s are being refreshed already", company.id)
            return 0, 0
        analysis = self.env["crm.customer.analysis"]._get_for(company)
        changes = self.env["crm.customer.change"]
        changes.flush_model()

        def tell(percent, phase):
            if progress:
                progress(company, percent, phase)

        full = full or analysis.is_stale or analysis.date_refreshed != today
        clients = changes._take(company)
        if not full and not clients:
            tell(100, "done")
            return 0, 0
        self._drop_temporary_tables()
        # sums of all facts fit in memory; compiling the one long statement costs more than it saves
        self.env.cr.execute(
            f"SET LOCAL work_mem = '{WORK_MEMORY}'; SET LOCAL jit = off;"
            " SET LOCAL default_statistics_target = 20"
        )
        tell(5, "facts")
        self._fill_documents(company, today, None if full else clients)
        tell(40, "figures")
        self._fill_figures(company, today, None if full else clients)
        tell(60, "model")
        if full:
            self._fit_purchase_models(analysis, today)
            self._refresh_company_rhythm(analysis)
        self._fill_forecasts(analysis, today)
        tell(75, "scores")
        cuts = self._compute_cuts(analysis, today, full)
        tell(80, "writing")
        written, deleted = self._write_profiles(analysis, today, cuts, full)
        if full:
            tell(90, "likeness")
            self._refresh_likeness(analysis)
            self._keep_history(company, today)
        self._drop_temporary_tables()
        self.env.cr.execute("RESET work_mem; RESET jit; RESET default_statistics_target")
        analysis._set_facts(
            date_refreshed=today,
            datetime_refreshed=fields.Datetime.now(),
            date_full=today if full else analysis.date_full,
            is_stale=False,
            cuts=cuts,
        )
        analysis.flush_recordset()
        tell(100, "done")
        return written, deleted

    @api.model
    def _flush_inputs(self):
        """Write what the view of sales facts and the refresh read to the database."""
        for model in (
            "crm.sale.history", "sale.order", "sale.order.line", "res.partner", "res.company",
            "product.product", "product.template", "uom.uom", "crm.lead", "crm.team", "res.users",
            "crm.customer.analysis", "crm.customer.factor",
        ):  # fmt: skip
            self.env[model].flush_model()
        self.flush_model()

    @api.model
    def _drop_temporary_tables(self):
        self.env.cr.execute(
            "DROP TABLE IF EXISTS crm_tmp_document, crm_tmp_figure, crm_tmp_forecast,"
            " crm_tmp_changed, crm_tmp_base, crm_tmp_judged"
        )

    @api.model
    def _refresh_company_rhythm(self, analysis):
        """Keep the median of the clients' own intervals."""
        [(rhythm,)] = self.env.execute_query(
            SQL("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY rhythm) FROM crm_tmp_figure")
        )
        analysis._set_facts(rhythm=round(float(rhythm or 0), 1))

    @api.model
    def _keep_history(self, company, today):
        """Note where each client stands, once a month, where he stood elsewhere before."""
        names = SQL(", ").join(
            SQL.identifier(name)
            for name in ("customer_class", "stage", "segment", "rfm", "abc_turnover")
        )
        date = fields.Date.start_of(today, "month")
        exists = self.env.execute_query(
            SQL(
                "SELECT 1 FROM crm_customer_profile_history WHERE company_id = %s AND date >= %s"
                " LIMIT 1",
                company.id,
                date,
            )
        )
        if exists:
            return
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_customer_profile_history
                       (partner_id, company_id, date, frequency, monetary_year, %(names)s)
                SELECT p.partner_id, p.company_id, %(date)s, p.frequency, p.monetary_year, %(own)s
                  FROM crm_customer_profile p
             LEFT JOIN (
                       SELECT DISTINCT ON (partner_id) *
                         FROM crm_customer_profile_history
                        WHERE company_id = %(company)s
                     ORDER BY partner_id, date DESC
                       ) h ON h.partner_id = p.partner_id
                 WHERE p.company_id = %(company)s
                   AND p.frequency > 0
                   AND (h.id IS NULL OR (%(own)s) IS DISTINCT FROM (%(last)s))
                """,
                names=names,
                own=SQL(", ").join(
                    SQL("p.%s", SQL.identifier(name))
                    for name in ("customer_class", "stage", "segment", "rfm", "abc_turnover")
                ),
                last=SQL(", ").join(
                    SQL("h.%s", SQL.identifier(name))
                    for name in ("customer_class", "stage", "segment", "rfm", "abc_turnover")
                ),
                company=company.id,
                date=date,
            )
        )
        self.env["crm.customer.profile.history"].invalidate_model()

    # ------------------------------------------------------------------
    # scheduled
    # ------------------------------------------------------------------

    @api.model
    def _cron_refresh(self):
        """Refresh company by company; a batch is a company, for scores are relative to it."""
        cron = self.env["ir.cron"]
        companies = self.env["res.company"].search([])
        for done, company in enumerate(companies, 1):
            self._refresh(company)
            if not cron._commit_progress(1, remaining=len(companies) - done):
                break

    @api.model
    def _cron_refresh_changed(self):
        """Refresh the companies that have clients with new facts."""
        cron = self.env["ir.cron"]
        groups = self.env["crm.customer.change"]._read_group([], ["company"])
        companies = self.env["res.company"].browse([company for (company,) in groups]).exists()
        for done, company in enumerate(companies, 1):
            self._refresh(company)
            if not cron._commit_progress(1, remaining=len(companies) - done):
                break
