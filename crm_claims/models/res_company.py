from datetime import datetime, time, timedelta

import pytz
from odoo import api, fields, models


class ResCompany(models.Model):
    """Claim settings of a company: numbers, the silence of clients, and its working days."""

    _inherit = "res.company"

    claim_answer_days = fields.Integer(default=14)

    claim_notice_days = fields.Integer(default=3)

    _claim_days_positive = models.Constraint(
        "CHECK(claim_answer_days >= 0 AND claim_notice_days >= 0)",
        "Days of claims cannot be negative.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies.sudo()._create_missing_claim_sequences()
        return companies

    @api.model
    def _create_missing_claim_sequences(self):
        """Give each company its own sequence of claim numbers."""
        sequences_sudo = self.env["ir.sequence"].sudo()
        having = sequences_sudo.search([("code", "=", "crm.claim")]).company_id
        missing = self.sudo().with_context(active_test=False).search([]) - having
        sequences_sudo.create(
            [
                {
                    "name": self.env._("Claims of %(company)s", company=company.name),
                    "code": "crm.claim",
                    "company_id": company.id,
                    "prefix": "CLM/%(year)s/",
                    "padding": 5,
                }
                for company in missing
            ]
        )

    def _next_claim_number(self):
        self.ensure_one()
        sequence = self.env["ir.sequence"].sudo().with_company(self)
        return sequence.next_by_code("crm.claim") or "/"

    def _get_claim_timezone(self):
        self.ensure_one()
        return pytz.timezone(self.resource_calendar_id.tz or "UTC")

    def _get_claim_working_date(self, start, days):
        """The ``days``-th working day after the day of ``start``.

        Weekends and public holidays are those of the company's working schedule; without one
        every day counts.

        :param datetime start: naive, in UTC
        :param int days: 0 is the day of ``start`` itself
        :return: ``date`` in the time zone of the schedule
        """
        self.ensure_one()
        zone = self._get_claim_timezone()
        first = pytz.utc.localize(start).astimezone(zone).date()
        if days <= 0:
            return first
        next_midnight = zone.localize(datetime.combine(first + timedelta(days=1), time.min))
        calendar = self.resource_calendar_id.sudo()  # sudo: portal users register claims, too
        end = calendar and calendar.plan_days(days, next_midnight, compute_leaves=True)
        return end.astimezone(zone).date() if end else first + timedelta(days=days)

    def _get_claim_day_end(self, day):
        """End of the working day (18:00 local) of a date, naive in UTC."""
        self.ensure_one()
        local = self._get_claim_timezone().localize(datetime.combine(day, time(18)))
        return local.astimezone(pytz.utc).replace(tzinfo=None)
