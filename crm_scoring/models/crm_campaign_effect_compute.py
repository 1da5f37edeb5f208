import logging

import numpy as np
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools import campaign
from .crm_campaign_effect_line import FIGURES

_logger = logging.getLogger(__name__)

MIN_DAYS = 7
DELIVERED = ("sent", "open", "reply")  # states of a mail that arrived
# columns of the query, after the client, its country and whether it was addressed
COLUMNS = (
    "recency", "tenure", "orders_year", "turnover_year", "turnover_earlier",
    "orders_before", "turnover_before", "returned_before",
    "orders_after", "turnover_after", "returned_after",
)  # fmt: skip
AMOUNTS = ("turnover_year", "turnover_before", "turnover_earlier")


class CrmCampaignEffect(models.Model):
    """The computation: one statement reads the clients, the rest is ``tools.campaign``."""

    _inherit = "crm.campaign.effect"

    @api.model
    def _cron_compute(self):
        """Take up the campaigns whose period was not over at the last computation."""
        cron = self.env["ir.cron"]
        limit = fields.Datetime.subtract(fields.Datetime.now(), hours=20)
        effects = self.search([("state", "=", "running"), ("date_computed", "<", limit)])
        for done, effect in enumerate(effects, 1):
            effect._compute_effect()
            if not cron._commit_progress(1, remaining=len(effects) - done):
                break

    def _compute_effect(self, progress=None):
        """Compute and write the results; what prevents it is written as the error.

        :param callable progress: called as ``progress(company, percent, phase)``
        """
        self.ensure_one()
        try:
            values = self._get_result(progress or (lambda *_arguments: None))
        except UserError as error:
            values = {"state": "failed", "error": str(error)}
        self.line_ids.unlink()
        self.balance_ids.unlink()
        self.write({"error": False, **values, "date_computed": fields.Datetime.now()})

    def _get_result(self, progress):
        """Return the values of the facts.

        :raise UserError: there is nothing to compare yet
        """
        company = self.company_id
        profiles = self.env["crm.customer.profile"]
        profiles._flush_inputs()
        today = profiles._get_today(company)
        days = min(self.days, (today - self.date).days)
        if days < MIN_DAYS:
            raise UserError(
                self.env._("Too early: at least a week must have passed since the campaign.")
            )
        progress(company, 5, "facts")
        addressed = self._get_addressed()
        if not addressed:
            raise UserError(
                self.env._(
                    "Nobody was addressed: the mailing has not reached any client, or the segment "
                    "was empty on that day."
                )
            )
        rows = self.env.execute_query(self._get_query(addressed, days))
        data = np.array([row[3:] for row in rows], float).reshape(-1, len(COLUMNS))
        columns = dict(zip(COLUMNS, data.T, strict=True))
        mine = np.array([row[2] for row in rows], bool)
        progress(company, 40, "matching")
        values = {
            "state": "done" if days == self.days else "running",
            "days_used": days,
            "addressed_count": len(addressed),
            "newcomer_count": len(addressed) - int(mine.sum()),
            "newcomer_bought": self._count_newcomers(addressed, rows, days),
            "matched_count": 0,
            "others_count": 0,
            "verdict": "few",
            "turnover_effect": 0.0,
            "turnover_total": 0.0,
        }
        figures = self._get_figures(columns)
        own, others = figures[mine], figures[~mine]
        strata = self._get_strata(rows)
        matched, pairs = [], []
        if len(own) and len(others):
            outcome = _get_logarithm(columns["turnover_after"][~mine])
            scores, scores_others = campaign.get_scores(own, others, outcome)
            matched, pairs = campaign.match(scores, scores_others, strata[mine], strata[~mine])
        values["balance_ids"] = self._prepare_balance(columns, mine, own, others, matched, pairs)
        if not len(matched):
            return values
        progress(company, 80, "effect")
        effects = self._measure(columns, mine, campaign.Comparison(own, others, matched, pairs))
        turnover = effects["turnover"]
        return {
            **values,
            "matched_count": len(matched),
            "others_count": sum(len(mates) for mates in pairs),
            "verdict": turnover.verdict,
            "turnover_effect": turnover.effect,
            "turnover_total": turnover.effect * len(matched),
            "line_ids": [
                fields.Command.create(
                    {
                        "measure": name,
                        "sequence": number,
                        **{
                            key: getattr(effect, key)
                            for key in (
                                "before", "after", "others_before", "others_after", "effect",
                                "low", "high", "verdict",
                            )
                        },
                    }
                )
                for number, (name, effect) in enumerate(effects.items())
                if effect and np.isfinite(effect.low)
            ],
        }  # fmt: skip

    # ------------------------------------------------------------------
    # who
    # ------------------------------------------------------------------

    def _get_addressed(self):
        """Return the ids of the addressed clients (commercial entities)."""
        source = self.source_ref
        # sudo: whom a campaign reached, whoever of them the user may open
        if source and source._name == "crm.segment":
            query = source.sudo()._get_member_query(self.date)
            found = [partner for _segment, partner in self.env.execute_query(query)]
        elif source:
            found = self._get_mailed(source.sudo())
        else:
            found = self.partner_ids.ids
        if not found:
            return []
        excluded = self.env["crm.customer.profile"]._get_excluded_partners().ids
        return [
            client
            for (client,) in self.env.execute_query(
                SQL(
                    "SELECT DISTINCT commercial_partner_id FROM res_partner"
                    " WHERE id = ANY(%s) AND commercial_partner_id != ALL(%s)",
                    found,
                    excluded,
                )
            )
        ]

    @api.model
    def _get_mailed(self, source_sudo):
        """Return ids of the partners a mailing, or all mailings of a campaign, reached.

        A mail to something else than a contact finds its contact by the address.
        """
        name = "mass_mailing_id" if source_sudo._name == "mailing.mailing" else "campaign_id"
        traces_sudo = self.env["mailing.trace"].sudo()
        traces_sudo.flush_model()
        self.env["res.partner"].flush_model()
        return [
            partner
            for (partner,) in self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT COALESCE(p.id, q.id)
                      FROM mailing_trace t
                 LEFT JOIN res_partner p ON t.model = 'res.partner' AND p.id = t.res_id
                 LEFT JOIN res_partner q ON t.model != 'res.partner' AND t.email IS NOT NULL
                       AND q.email_normalized = lower(t.email)
                     WHERE t.%s = %s AND t.trace_status IN %s AND COALESCE(p.id, q.id) IS NOT NULL
                    """,
                    SQL.identifier(name),
                    source_sudo.id,
                    DELIVERED,
                )
            )
        ]

    def _get_query(self, addressed, days):
        """Return the SELECT of the clients who had bought before, with their figures.

        A purchase is a document, as in the profiles.
        """
        pool = SQL("")
        if self.control_segment_id:
            pool = SQL(
                " AND (s.partner_id = ANY(%s) OR s.partner_id IN (SELECT partner_id FROM (%s) m))",
                addressed,
                # sudo: who belongs to the group, whoever of them the user may open
                self.control_segment_id.sudo()._get_member_query(self.date),
            )
        return SQL(
            """
            WITH documents AS (
                SELECT f.commercial_partner_id AS partner_id, MAX(f.date) AS date,
                       SUM(f.amount) AS amount,
                       -SUM(f.amount) FILTER (WHERE f.is_return) AS returned
                  FROM crm_sale_fact f
                 WHERE f.company_id = %(company)s AND f.date < %(after_end)s
              GROUP BY f.commercial_partner_id, date_part('year', f.date),
                       COALESCE(f.document, f.date::text)
            ),
            sums AS (
                SELECT d.partner_id,
                       %(start)s - MAX(d.date) FILTER (WHERE d.amount > 0 AND d.date < %(start)s)
                           AS recency,
                       %(start)s - MIN(d.date) FILTER (WHERE d.amount > 0) AS tenure,
                       COUNT(*) FILTER (WHERE d.amount > 0 AND d.date >= %(year)s
                                          AND d.date < %(start)s) AS orders_year,
                       SUM(d.amount) FILTER (WHERE d.date >= %(year)s AND d.date < %(start)s)
                           AS turnover_year,
                       SUM(d.amount) FILTER (WHERE d.date >= %(earlier)s AND d.date < %(before)s)
                           AS turnover_earlier,
                       COUNT(*) FILTER (WHERE d.amount > 0 AND d.date >= %(before)s
                                          AND d.date < %(start)s) AS orders_before,
                       SUM(d.amount) FILTER (WHERE d.date >= %(before)s AND d.date < %(start)s)
                           AS turnover_before,
                       SUM(d.returned) FILTER (WHERE d.date >= %(before)s AND d.date < %(start)s)
                           AS returned_before,
                       COUNT(*) FILTER (WHERE d.amount > 0 AND d.date >= %(start)s) AS orders_after,
                       SUM(d.amount) FILTER (WHERE d.date >= %(start)s) AS turnover_after,
                       SUM(d.returned) FILTER (WHERE d.date >= %(start)s) AS returned_after
                  FROM documents d
              GROUP BY d.partner_id
            )
            SELECT s.partner_id, COALESCE(p.country_id, 0), s.partner_id = ANY(%(addressed)s),
                   %(columns)s
              FROM sums s
              JOIN res_partner p ON p.id = s.partner_id
             WHERE s.recency IS NOT NULL AND s.partner_id != ALL(%(excluded)s)%(pool)s
          ORDER BY s.partner_id
            """,
            company=self.company_id.id,
            start=self.date,
            after_end=fields.Date.add(self.date, days=days),
            before=fields.Date.subtract(self.date, days=days),
            earlier=fields.Date.subtract(self.date, days=2 * days),
            year=fields.Date.subtract(self.date, years=1),
            addressed=addressed,
            excluded=self.env["crm.customer.profile"]._get_excluded_partners().ids,
            columns=SQL(", ").join(
                SQL("COALESCE(s.%s, 0)::float8", SQL.identifier(name)) for name in COLUMNS
            ),
            pool=pool,
        )

    def _count_newcomers(self, addressed, rows, days):
        """Return how many addressed clients without an earlier purchase bought since."""
        known = {row[0] for row in rows if row[2]}
        newcomers = [client for client in addressed if client not in known]
        [(count,)] = self.env.execute_query(
            SQL(
                """
                SELECT COUNT(DISTINCT commercial_partner_id) FROM crm_sale_fact
                 WHERE company_id = %s AND commercial_partner_id = ANY(%s) AND amount > 0
                   AND date >= %s AND date < %s
                """,
                self.company_id.id,
                newcomers,
                self.date,
                fields.Date.add(self.date, days=days),
            )
        )
        return count

    # ------------------------------------------------------------------
    # what
    # ------------------------------------------------------------------

    @api.model
    def _get_figures(self, columns):
        """Return the array by which clients are compared: amounts and days as logarithms."""
        return np.column_stack([_get_logarithm(columns[name]) for name, _label in FIGURES])

    @api.model
    def _get_strata(self, rows):
        """Return for each client what must be equal in a pair: the country."""
        return np.array([row[1] for row in rows], np.int64)

    @api.model
    def _measure(self, columns, mine, comparison):
        """Return dict of measure -> ``Effect`` or None."""

        def split(name):
            before, after = columns[f"{name}_before"], columns[f"{name}_after"]
            return before[mine], after[mine], before[~mine], after[~mine]

        bought = [100.0 * (part > 0) for part in split("orders")]
        return {
            "turnover": comparison.measure(*split("turnover")),
            "response": comparison.measure(*bought),
            "orders": comparison.measure(*split("orders")),
            "average": comparison.measure_ratio(split("turnover"), split("orders")),
            "returned": comparison.measure(*split("returned")),
        }

    @api.model
    def _prepare_balance(self, columns, mine, own, others, matched, pairs):
        """Return the commands of the lines that show how alike the groups were."""
        if not len(own) or not len(others):
            return []
        everybody, alike = campaign.get_balance(own, others, matched, pairs)
        return [
            fields.Command.create(
                {
                    "figure": name,
                    "addressed": columns[name][mine].mean(),
                    "everybody": columns[name][~mine].mean(),
                    "alike": campaign.get_mates(columns[name][~mine], pairs).mean()
                    if pairs
                    else 0.0,
                    "difference_before": everybody[number],
                    "difference_after": alike[number] if pairs else 0.0,
                }
            )
            for number, (name, _label) in enumerate(FIGURES)
        ]


def _get_logarithm(values):
    """Return amounts or days on a scale where twice as much is as far anywhere."""
    return np.sign(values) * np.log1p(np.abs(values))
