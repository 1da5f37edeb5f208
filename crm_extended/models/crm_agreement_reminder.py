from odoo import api, fields, models
from odoo.fields import Domain


class CrmAgreement(models.Model):
    """Agreements that end soon remind their responsible people, once each.

    How many days before is set per company. The reminder is an activity; renewing the agreement
    does away with it.
    """

    _inherit = "crm.agreement"

    reminded_on = fields.Date(readonly=True, copy=False)

    @api.model
    def _get_controlled_fields(self):
        return super()._get_controlled_fields() | {"reminded_on"}

    @api.model
    def _get_remind_domain(self):
        """Agreements in force that end within the days of their company, not yet reminded of."""
        today = fields.Date.context_today(self)
        domain = Domain.FALSE
        for company in self.env["res.company"].search([]):
            days = company.agreement_reminder_days
            if days > 0:
                domain |= Domain("company_id", "=", company.id) & Domain(
                    "date_end", "<=", fields.Date.add(today, days=days)
                )
        return (
            domain
            & Domain("state", "=", "active")
            & Domain("date_end", ">=", today)
            & Domain("reminded_on", "=", False)
        )

    def _cron_remind(self, batch_size=200):
        """Remind of agreements that end soon."""
        cron = self.env["ir.cron"]
        domain = self._get_remind_domain()
        agreements = self.search(domain, order="id", limit=batch_size).try_lock_for_update()
        if not agreements:
            cron._commit_progress(remaining=0)
            return
        agreements._remind()
        cron._commit_progress(len(agreements), remaining=self.search_count(domain))

    def _remind(self):
        today = fields.Date.context_today(self)
        for agreement in self:
            if not agreement.renewal_ids:
                agreement.activity_schedule(
                    "crm_extended.mail_activity_agreement_ends",
                    date_deadline=today,
                    user_id=agreement.user_id.id or self.env.ref("base.user_admin").id,
                    summary=self.env._("Agreement %s ends soon: renew it", agreement.name),
                )
        # sudo: written by the job alone
        self.sudo().write({"reminded_on": today})


class CrmAgreementContract(models.Model):
    """Contracts that end soon remind as well; those that are over end by themselves."""

    _inherit = "crm.agreement.contract"

    reminded_on = fields.Date(readonly=True, copy=False)

    @api.model
    def _get_controlled_fields(self):
        return super()._get_controlled_fields() | {"reminded_on"}

    @api.model
    def _get_remind_domain(self):
        today = fields.Date.context_today(self)
        domain = Domain.FALSE
        for company in self.env["res.company"].search([]):
            days = company.agreement_reminder_days
            if days > 0:
                domain |= Domain("company_id", "=", company.id) & Domain(
                    "date_end", "<=", fields.Date.add(today, days=days)
                )
        return domain & Domain("state", "=", "signed") & Domain("reminded_on", "=", False)

    def _cron_remind(self, batch_size=200):
        """End contracts whose last day is over, remind of those that end soon."""
        cron = self.env["ir.cron"]
        today = fields.Date.context_today(self)
        over = Domain("state", "in", ("approved", "signed")) & Domain("date_end", "<", today)
        domain = over | self._get_remind_domain()
        contracts = self.search(domain, order="id", limit=batch_size).try_lock_for_update()
        if not contracts:
            cron._commit_progress(remaining=0)
            return
        ended = contracts.filtered_domain(over)
        ended.write({"state": "ended"})
        for contract in contracts - ended:
            contract.activity_schedule(
                "crm_extended.mail_activity_agreement_ends",
                date_deadline=today,
                user_id=contract.user_id.id or self.env.ref("base.user_admin").id,
                summary=self.env._("Contract %s ends soon", contract.name),
            )
        # sudo: written by the job alone
        (contracts - ended).sudo().write({"reminded_on": today})
        cron._commit_progress(len(contracts), remaining=self.search_count(domain))
