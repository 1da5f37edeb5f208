from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.occasion_dates import get_birthday_keys

BATCH = 500


class CrmOccasion(models.Model):
    """The daily job that lists what is ahead.

    It may be killed and repeated at any time: what is listed is not listed again.
    """

    _inherit = "crm.occasion"

    @api.model
    def _cron_plan(self):
        """List the occasions of each company, batch by batch."""
        cron = self.env["ir.cron"]
        companies = self.env["res.company"].search([])
        cron._commit_progress(remaining=len(companies))
        for done, company in enumerate(companies, 1):
            self._cancel_services(company)
            values = self._get_missing(company)
            for start in range(0, len(values), BATCH):
                self.create(values[start : start + BATCH])
                if not cron._commit_progress(0):
                    return
            if not cron._commit_progress(1, remaining=len(companies) - done):
                return

    @api.model
    def _plan(self, company, today=None):
        """List the occasions of a company; return the new ones."""
        self._cancel_services(company, today)
        return self.create(self._get_missing(company, today))

    @api.model
    def _get_missing(self, company, today=None):
        """Return the values of the occasions ahead that are not listed yet."""
        today = today or self.env["crm.customer.profile"]._get_today(company)
        analysis = self.env["crm.customer.analysis"]._get_for(company)
        days = [today + timedelta(days=n) for n in range(analysis.occasion_days + 1)]
        wanted = [
            *self._prepare_birthdays(company, days),
            *self._prepare_holidays(company, days),
            *self._prepare_services(company, today, today + timedelta(analysis.service_days)),
        ]
        names = ("kind", "partner_id", "holiday_id", "product_id", "period")
        partners = [values["partner_id"] for values in wanted]
        listed = {
            tuple(row[name] or False for name in names)
            for row in self.search_read([("partner_id", "in", partners)], names, load=None)
        }
        missing = {}
        for values in wanted:
            key = tuple(values.get(name) or False for name in names)
            if key not in listed:
                missing.setdefault(key, values)
        return list(missing.values())

    @api.model
    def _get_contact_domain(self, company):
        """Return the domain of the contacts of a company who are congratulated.

        People, no companies and no colleagues. A contact of all companies belongs to the company of
        its salesperson, else to the first one: nobody is congratulated twice.
        """
        own = Domain("company_id", "=", company.id)
        shared = Domain("company_id", "=", False) & Domain("user_id.company_id", "=", company.id)
        if company == self.env["res.company"].sudo().search([], order="id", limit=1):
            shared |= Domain("company_id", "=", False) & Domain("user_id", "=", False)
        return (
            (own | shared)
            & Domain("is_company", "=", False)
            & Domain("type", "=", "contact")
            & Domain("partner_share", "=", True)
        )

    @api.model
    def _prepare_birthdays(self, company, days):
        keys = {key: day for day, found in get_birthday_keys(days[0], days[-1]).items()
                for key in found}  # fmt: skip
        contacts = self.env["res.partner"].search(
            self._get_contact_domain(company) & Domain("birthday_key", "in", list(keys))
        )
        return [
            {
                **self._prepare_values(contact, company, keys[contact.birthday_key]),
                "kind": "birthday",
                "period": str(keys[contact.birthday_key].year),
            }
            for contact in contacts
        ]

    @api.model
    def _prepare_holidays(self, company, days):
        found = []
        for holiday in self.env["crm.professional.holiday"].search([]):
            dates = {holiday._get_date(year) for year in {day.year for day in days}}
            for day in dates.intersection(days):
                contacts = self.env["res.partner"].search(
                    self._get_contact_domain(company) & holiday._get_contact_domain()
                )
                found += [
                    {
                        **self._prepare_values(contact, company, day),
                        "kind": "holiday",
                        "holiday_id": holiday.id,
                        "period": str(day.year),
                    }
                    for contact in contacts
                ]
        return found

    @api.model
    def _prepare_services(self, company, today, last):
        rows = self._get_services(company, today)
        due = [row for row in rows if row[3] <= last]
        clients = {c.id: c for c in self.env["res.partner"].browse({row[0] for row in due})}
        return [
            {
                **self._prepare_values(clients[client], company, day),
                "kind": "service",
                "product_id": product,
                "date_source": bought,
                "period": fields.Date.to_string(day),
            }
            for client, product, bought, day in due
            if clients[client].active
        ]

    @api.model
    def _prepare_values(self, contact, company, day):
        user = contact.user_id or contact.commercial_partner_id.user_id
        return {
            "partner_id": contact.id,
            "company_id": company.id,
            "date": day,
            "user_id": user.id if user.active and company in user.company_ids else False,
        }

    @api.model
    def _get_services(self, company, today):
        """Return rows of client, product, day of the last purchase, next day of service.

        One statement over the sales facts of products with an interval.
        """
        self.env["crm.customer.profile"]._flush_inputs()
        excluded = self.env["crm.customer.profile"]._get_excluded_partners().ids
        return self.env.execute_query(
            SQL(
                """
                SELECT s.client, s.product_id, s.bought,
                       (s.bought + make_interval(months => s.every * CASE
                           WHEN (s.bought + make_interval(months => s.every * n.times))::date
                                >= %(today)s
                           THEN n.times ELSE n.times + 1 END))::date
                  FROM (
                        SELECT f.commercial_partner_id AS client, f.product_id,
                               MAX(f.date) FILTER (WHERE f.quantity > 0) AS bought,
                               pt.service_interval AS every
                          FROM crm_sale_fact f
                          JOIN product_product pp ON pp.id = f.product_id
                          JOIN product_template pt ON pt.id = pp.product_tmpl_id
                         WHERE pt.service_interval > 0 AND f.company_id = %(company)s
                           AND f.date <= %(today)s
                           AND f.commercial_partner_id != ALL(%(excluded)s)
                      GROUP BY f.commercial_partner_id, f.product_id, pt.service_interval
                        HAVING SUM(f.quantity) > 0
                       ) s
            CROSS JOIN LATERAL (
                       SELECT GREATEST(1, (
                              (12 * (date_part('year', %(today)s::date)
                                     - date_part('year', s.bought))
                               + date_part('month', %(today)s::date)
                               - date_part('month', s.bought))::integer) / s.every) AS times
                       ) n
                 WHERE s.bought IS NOT NULL
              ORDER BY s.client, s.product_id
                """,
                today=today,
                company=company.id,
                excluded=excluded,
            )
        )

    @api.model
    def _cancel_services(self, company, today=None):
        """Cancel services ahead of what was given back or bought anew since."""
        today = today or self.env["crm.customer.profile"]._get_today(company)
        planned = self.search(
            [("company_id", "=", company.id), ("kind", "=", "service"), ("state", "=", "planned")]
        )
        if not planned:
            return
        bought = {(row[0], row[1]): row[2] for row in self._get_services(company, today)}
        planned.filtered(
            lambda o: bought.get((o.commercial_partner_id.id, o.product_id.id)) != o.date_source
        ).action_cancel()
