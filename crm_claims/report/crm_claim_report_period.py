from datetime import date, timedelta
from typing import NamedTuple

from odoo import models
from odoo.addons.crm_claims.report.crm_claim_report_day import ENDS, STARTS
from odoo.fields import Domain
from odoo.tools import SQL

_PERIOD = "crm_claim_report_period"


class Period(NamedTuple):
    """Days of a report: from ``start`` on, before ``end``; None is unbounded."""

    start: date | None = None
    end: date | None = None


class CrmClaimReportPeriod(models.AbstractModel):
    """A report whose dates are the days of a moment that the database has indexed.

    The days are those of the claim's company (``crm.claim.report.day``).

    A condition on a day computed from a moment uses no index, and the planner takes its result
    for a few rows however many they are. So the period that a domain asks for is taken out of it
    and becomes a condition on the moment itself (``_get_period_condition``). What a client sends
    in the context is not a :class:`Period` and has no effect.
    """

    _name = "crm.claim.report.period"
    _description = "Claims Report of a Period"
    _inherit = ["crm.claim.report.day"]

    def _read_group(self, domain, *args, **kwargs):
        report, domain = self._take_period(domain)
        return super(CrmClaimReportPeriod, report)._read_group(domain, *args, **kwargs)

    def _read_grouping_sets(self, domain, *args, **kwargs):
        report, domain = self._take_period(domain)
        return super(CrmClaimReportPeriod, report)._read_grouping_sets(domain, *args, **kwargs)

    def _take_period(self, domain):
        """Return self that reads the period of the domain only, and the rest of the domain."""
        domain = Domain(domain)
        conditions = domain.children if getattr(domain, "OPERATOR", "") == "&" else (domain,)
        rest, starts, ends = [], [], []
        for condition in conditions:
            bound = self._get_bound(condition)
            if bound is None:
                rest.append(condition)
            else:
                operator, day = bound
                side, later = (starts, STARTS) if operator in STARTS else (ends, ENDS)
                side.append(day + timedelta(days=later[operator]))
        if not starts and not ends:
            return self, domain
        known = self._get_period()
        starts += [known.start] if known.start else []
        ends += [known.end] if known.end else []
        period = Period(max(starts, default=None), min(ends, default=None))
        return self.with_context(**{_PERIOD: period}), Domain.AND(rest)

    def _get_period(self):
        period = self.env.context.get(_PERIOD)
        return period if isinstance(period, Period) else Period()

    def _get_period_condition(self, moment, company):
        """Condition of the period on a moment, a column of the database in UTC.

        :param SQL moment: the column whose day is the date of the report
        :param SQL company: column of the company whose day it is
        """
        period = self._get_period()
        if not period.start and not period.end:
            return SQL("TRUE")
        return self._get_between(moment, company, period.start, period.end)
