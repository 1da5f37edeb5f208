from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.registry import RegistryError

# of a day's requests the scheduled check leaves this to people
RESERVE = 0.2


class CrmRegistryProvider(models.Model):
    """Clients with open business are checked again by themselves, the oldest check first.

    Each company says after how many days (0: never). The services are asked in their order as
    long as they answer and a fifth of their requests of the day is left; then the rest waits for
    the next run. What is checked is committed batch by batch.
    """

    _inherit = "crm.registry.provider"

    @api.model
    def _cron_check_counterparties(self, limit=500):
        """Check a part of what is due.

        :param int limit: clients in one go; the scheduler comes back for the rest
        """
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=0)
        for company in self.env["res.company"].search([("counterparty_recheck_days", ">", 0)]):
            self.with_company(company)._check_due_clients(company, limit)

    def _check_due_clients(self, company, limit):
        before = fields.Datetime.now() - timedelta(days=company.counterparty_recheck_days)
        Partner = self.env["res.partner"]
        providers = self.search([("company_id", "=", company.id)])
        domain = Partner._get_counterparty_domain(company, before) & Domain.OR(
            provider._get_number_domain() for provider in providers
        )
        done = 0
        for provider in providers:
            failed = Partner  # one that a service chokes on does not keep the others waiting
            while done < limit:
                size = min(provider._get_batch_size(), provider._get_budget(), limit - done)
                if size <= 0 or not provider._is_ready():
                    break
                partners = provider._get_due_clients(domain, failed, size)
                if not partners:
                    break
                try:
                    partners._keep_statuses(provider._ask_statuses(partners), provider)
                    done += len(partners)
                    self.env["ir.cron"]._commit_progress(
                        len(partners), remaining=Partner.search_count(domain, limit=limit)
                    )
                except RegistryError:
                    failed |= partners
                    self.env["ir.cron"]._commit_progress()  # what became of the question
                provider._forget_state()

    def _get_due_clients(self, domain, failed, size):
        """The clients this service can be asked about, the oldest check first."""
        found = self.env["res.partner"].search(
            domain & self._get_number_domain() & Domain("id", "not in", failed.ids),
            order="counterparty_date NULLS FIRST, id",
            limit=size,
        )
        return found.try_lock_for_update()

    def _get_number_domain(self):
        """Domain of the clients whose number this service knows."""
        self.ensure_one()
        if self.kind == "vies":
            return Domain("country_id.country_group_ids.code", "=", "EU")
        return Domain("country_id.code", "=", "RU")

    def _get_budget(self):
        """How many questions the scheduled check may still ask today."""
        self.ensure_one()
        if not self.daily_limit:
            return 10**6
        return int(self.daily_limit * (1 - RESERVE)) - self.used_today

    def _forget_state(self):
        self.invalidate_recordset(["state", "paused_until", "used_today", "last_failure"])
