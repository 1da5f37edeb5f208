from datetime import datetime, time, timedelta

import pytz
from odoo import api, fields, models
from odoo.tools import SQL


class ResCompany(models.Model):
    """Claim settings of a company: numbers, the silence of clients, and its working days."""

    _inherit = "res.company"

    claim_answer_days = fields.Integer(default=14)

    claim_notice_days = fields.Integer(default=3)
    claim_reopen_days = fields.Integer(default=30)
    claim_recurrence_count = fields.Integer(default=3)
    claim_recurrence_days = fields.Integer(default=30)

    _claim_days_positive = models.Constraint(
        "CHECK(LEAST(claim_answer_days, claim_notice_days, claim_reopen_days,"
        " claim_recurrence_count, claim_recurrence_days) >= 0)",
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

    def _next_claim_numbers(self, count, year):
        """The next numbers of claims registered in ``year``, drawn in one statement.

        :return: list of ``count`` texts
        """
        self.ensure_one()
        sequence_sudo = self.env["ir.sequence"].sudo().with_company(self)
        sequence_sudo = sequence_sudo.search(
            [("code", "=", "crm.claim"), ("company_id", "in", [self.id, False])],
            order="company_id",
            limit=1,
        )
        if not sequence_sudo:
            return ["/"] * count
        today = self._get_claim_day()
        day = fields.Date.to_string(today) if today.year == year else f"{year}-12-31"
        sequence_sudo = sequence_sudo.with_context(ir_sequence_date=day)
        if sequence_sudo.use_date_range or sequence_sudo.implementation != "standard":
            return [sequence_sudo.next_by_id(day) for __ in range(count)]
        drawn = self.env.execute_query(
            SQL(
                "SELECT nextval(%s) FROM generate_series(1, %s)",
                f"ir_sequence_{sequence_sudo.id:03d}",
                count,
            )
        )
        prefix, suffix = sequence_sudo._get_prefix_suffix()
        return [f"{prefix}{number:0{sequence_sudo.padding}d}{suffix}" for (number,) in drawn]

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
