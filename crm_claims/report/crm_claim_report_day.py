from datetime import date

import pytz
from odoo import fields, models
from odoo.addons.crm_claims.tools.deadline import get_midnight
from odoo.tools import SQL

#: operators of a bound of a period, and the days by which the bound lies later
STARTS = {">=": 0, ">": 1}
ENDS = {"<": 0, "<=": 1}


class CrmClaimReportDay(models.AbstractModel):
    """A report whose days and months are those of the company that the claim belongs to.

    The day of a company begins at midnight of its own time zone, else that of its working schedule,
    else in UTC, whoever reads the report (``res.company._get_claim_day_zones``). Claims of the last
    evening of a month stay in that month.
    """

    _name = "crm.claim.report.day"
    _description = "Claims Report by Days of the Company"

    def _get_zones(self):
        """Time zones of the companies that can be read: name → ids of companies.

        A superuser reads all companies, whatever he works in.
        """
        companies = self.env["res.company"] if self.env.su else self.env.companies
        return companies._get_claim_day_zones()

    def _choose_by_zone(self, company, values):
        """One value for each time zone, as SQL; ``company`` is the column that decides.

        :param SQL company: column of the company
        :param dict values: name of a time zone → SQL
        """
        zones = self._get_zones()
        if len(zones) == 1:
            return values[next(iter(zones))]
        cases = SQL(" ").join(
            SQL("WHEN %s IN %s THEN %s", company, tuple(ids), values[zone])
            for zone, ids in zones.items()
        )
        return SQL("CASE %s END", cases)

    def _get_local(self, moment, company):
        """A moment by the clock of the company, as SQL.

        :param SQL moment: naive, in UTC
        :param SQL company: column of the company
        """
        zones = self._get_zones()
        if set(zones) == {"UTC"}:
            return moment
        names = {zone: SQL("%s", zone) for zone in zones}
        return SQL(
            "timezone(%s, timezone('UTC', %s))", self._choose_by_zone(company, names), moment
        )

    def _get_day(self, moment, company):
        """The day of a moment, as SQL of type ``date``."""
        return SQL("%s::date", self._get_local(moment, company))

    def _get_today(self, company):
        """The present day of the company, as SQL of type ``date``."""
        now = pytz.utc.localize(fields.Datetime.now())
        days = {
            zone: SQL("%s::date", now.astimezone(pytz.timezone(zone)).date())
            for zone in self._get_zones()
        }
        return self._choose_by_zone(company, days)

    def _get_between(self, moment, company, start, end):
        """Condition that a moment lies from the day ``start`` on and before the day ``end``.

        The moment itself is compared, so that its index serves.

        :param SQL moment: naive, in UTC
        :param date start: or None; ``end`` likewise
        """

        def compare(zone):
            bounds = [SQL("TRUE")]
            if isinstance(start, date):
                bounds.append(SQL("%s >= %s", moment, get_midnight(start, pytz.timezone(zone))))
            if isinstance(end, date):
                bounds.append(SQL("%s < %s", moment, get_midnight(end, pytz.timezone(zone))))
            return SQL(" AND ").join(bounds[1:] or bounds)

        zones = self._get_zones()
        if len(zones) == 1:
            return compare(next(iter(zones)))
        return SQL(
            "(%s)",
            SQL(" OR ").join(
                SQL("(%s IN %s AND %s)", company, tuple(ids), compare(zone))
                for zone, ids in zones.items()
            ),
        )

    def _get_bound(self, condition):
        """Operator and day of a condition that bounds the date of the report; else None."""
        if getattr(condition, "field_expr", None) != "date":
            return None
        # words such as "today" become days
        condition = condition.optimize_full(self)
        operator = getattr(condition, "operator", None)
        value = getattr(condition, "value", None)
        if operator not in STARTS | ENDS or not isinstance(value, date):
            return None
        return operator, value
