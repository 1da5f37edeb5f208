import logging
import re

from odoo import api, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.relative_dates import anchor_domain

_logger = logging.getLogger(__name__)


class CrmScorecardFactor(models.Model):
    """The SQL of factors, and what happens to those that stopped working: they are reported,
    skipped, and tried again at night."""

    _inherit = "crm.scorecard.factor"

    @api.model
    def _get_working_rule(self, rule_id, lead_ids, now):
        """Return a scorecard's rule with the SQL of its factors; factors without are reported.

        :param lead_ids: ids of the deals, sorted, or their SQL
        :param datetime now: moment from which relative dates count, naive UTC
        :return: see ``crm.scorecard._get_rules``; conditions have "applies", the SQL of whether
            they apply; measures have "column"; both over the table ``crm_lead``
        """
        rule = next(r for r in self.env["crm.scorecard"]._get_rules() if r["id"] == rule_id)
        factors = []
        for factor in rule["factors"]:
            if factor["kind"] == "measure":
                factors.append(factor | {"column": self._get_measure_column(factor["field"], now)})
                continue
            try:
                applies = self._get_match_query(factor, lead_ids, now)
            except Exception as error:  # see _check_domain
                self.browse(factor["id"])._report_error(error)
                continue
            factors.append(factor | {"applies": applies})
        return rule | {"factors": tuple(factors)}

    @api.model
    def _get_measure_column(self, name, now):
        """Return the SQL of a measured value over the table ``crm_lead``.

        :param datetime now: moment of the refresh, naive UTC
        """
        if special := self._get_special_measures(now).get(name):
            self._flush_special_measures()
            return special["sql"]
        return SQL.identifier("crm_lead", name)

    @api.model
    def _get_match_query(self, factor, lead_ids, now):
        """Return the SQL of whether a condition applies to a deal of ``crm_lead``.

        :param lead_ids: ids of the deals, sorted, or their SQL
        """
        # deals that are scored are active, and what is archived around them is over: an activity
        # that is done is overdue no more
        lead_model = self.env["crm.lead"].with_context(active_test=True)
        # days and weeks are counted from the full hour: what is asked for within an hour is the
        # same statement, see crm.lead.scoring._get_statement
        if not self._is_by_the_minute(factor):
            now = now.replace(minute=0, second=0, microsecond=0)
        domain = anchor_domain(factor["domain"], now)
        query = lead_model._search(domain)
        if self._is_plain(query):
            return SQL("(%s)", query.where_clause or SQL("TRUE"))
        ids = Domain("id", "in", lead_ids)
        if isinstance(lead_ids, list) and lead_ids[-1] - lead_ids[0] < 4 * len(lead_ids):
            # the text of the statement must not grow with the batch times the factors
            ids = Domain("id", ">=", lead_ids[0]) & Domain("id", "<=", lead_ids[-1])
        query = lead_model._search(domain & ids)
        return SQL("crm_lead.id IN (%s)", query.select(SQL.identifier(query.table, "id")))

    @api.model
    def _is_by_the_minute(self, factor):
        """Whether a condition counts hours, minutes or seconds, or looks at the clock."""
        return bool(re.search(r"\d[HMS]|now", factor.get("source", "")))

    @api.model
    def _is_plain(self, query):
        """Whether a condition looks at columns of the deal only, so that it needs no look-up."""
        columns_only = query.from_clause.code in ('"crm_lead"', '"crm_lead" AS "crm_lead"')
        return columns_only and "SELECT" not in query.where_clause.code.upper()

    @api.model
    def _find_culprits(self, rule, lead_ids):
        """Run the factors of a statement that failed one by one and report those that fail.

        :return: whether there were any
        """
        found = False
        for factor in rule["factors"]:
            query = SQL(
                "SELECT %s FROM crm_lead WHERE id = ANY(%s)",
                factor.get("applies") or factor["column"],
                lead_ids,
            )
            try:
                with self.env.cr.savepoint(flush=False):
                    self.env.execute_query(query)
            except Exception as error:  # see _check_domain
                self.browse(factor["id"])._report_error(error)
                found = True
        return found

    def _report_error(self, error):
        """Put the reason on the factor, where its owner sees it."""
        message = str(error) or type(error).__name__
        _logger.warning("Scorecard factor %s is skipped: %s", self.ids, message)
        # sudo: scores are refreshed by whoever saves a deal
        self.sudo().write({"error": message})

    def _retry_failed(self):
        """Clear the error of factors that work again."""
        for factor in self.sudo().search([("error", "!=", False)]):
            try:
                with self.env.cr.savepoint():
                    factor._check_works()
            except (ValidationError, AccessError):
                continue
            factor.error = False
