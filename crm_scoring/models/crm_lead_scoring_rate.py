from odoo import api, fields, models, tools
from odoo.tools import SQL

from ..tools import scoring


class CrmLeadScoringRate(models.Model):
    """How many deals were won and lost, by company, team and score at closing.

    Counted anew every night; the estimate of probability reads it instead of the deals.
    Deals closed before scoring was installed have no score: they count for the rates of
    company and team, not for a band of scores.
    """

    _name = "crm.lead.scoring.rate"
    _description = "Win rate by score"
    _order = "company_id, team_id, band"
    _log_access = False

    company_id = fields.Many2one("res.company", readonly=True, ondelete="cascade", index=True)
    team_id = fields.Many2one("crm.team", readonly=True, ondelete="cascade", index=True)
    band = fields.Integer("Score Band", readonly=True, help="0: 0-20 ... 4: 80-100; -1: no score")
    band_name = fields.Char("Score", compute="_compute_band_name")
    won = fields.Integer(readonly=True)
    closed = fields.Integer("Won and Lost", readonly=True)
    rate = fields.Float("Won (%)", compute="_compute_rate")

    @api.depends("band")
    def _compute_band_name(self):
        width = 100 // scoring.BAND_COUNT
        for rate in self:
            rate.band_name = (
                f"{rate.band * width}-{(rate.band + 1) * width}"
                if rate.band >= 0
                else self.env._("closed before scoring")
            )

    @api.depends("won", "closed")
    def _compute_rate(self):
        for rate in self:
            rate.rate = 100.0 * rate.won / rate.closed if rate.closed else 0.0

    @api.model
    def _refresh(self):
        """Count again, in one statement per step."""
        self.env["crm.lead"].flush_model(["won_status", "company_id", "team_id"])
        self.env.cr.execute(SQL("DELETE FROM crm_lead_scoring_rate"))
        self.env.cr.execute(
            SQL(
                """INSERT INTO crm_lead_scoring_rate (company_id, team_id, band, won, closed)
                   SELECT l.company_id, l.team_id,
                          COALESCE(LEAST(floor(s.score_value * %(bands)s / 100), %(last)s), -1),
                          count(*) FILTER (WHERE l.won_status = 'won'), count(*)
                     FROM crm_lead l LEFT JOIN crm_lead_scoring s ON s.lead_id = l.id
                    WHERE l.won_status IN ('won', 'lost') AND l.type = 'opportunity'
                 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
                bands=scoring.BAND_COUNT,
                last=scoring.BAND_COUNT - 1,
            )
        )
        self.invalidate_model(flush=False)
        self.env.registry.clear_cache()

    @api.model
    @tools.ormcache()
    def _get_counts(self):
        """Return ``{(company, team, band): (won, closed)}`` with its sums.

        The keys (company, team, None), (company, None, None), (company, None, band)
        and (None, None, None) are sums; no company and no team are False in a key.
        """
        counts = {}
        rows = self.env.execute_query(
            SQL("SELECT company_id, team_id, band, won, closed FROM crm_lead_scoring_rate")
        )
        for company, team, band, won, closed in rows:
            company, team = company or False, team or False
            for key in (
                (company, team, None),
                (company, None, None),
                (company, None, band),
                (None, None, None),
            ):
                old_won, old_closed = counts.get(key, (0, 0))
                counts[key] = (old_won + won, old_closed + closed)
        return counts

    @api.model
    def _estimate(self, deals):
        """Estimate the probability of winning each deal; the hook for trained models.

        :param deals: list of dict(lead_id, company_id, team_id, automated_probability
            in %, value 0-100)
        :return: ``{lead_id: dict(probability, sample, won, start)}``: probability and
            its starting estimate in %, number of closed deals with a similar score in
            the company and how many of them were won
        """
        counts = self._get_counts()
        result = {}
        for deal in deals:
            company, team = deal["company_id"] or False, deal["team_id"] or False
            in_band = counts.get((company, None, scoring.score_band(deal["value"])), (0, 0))
            automated = deal["automated_probability"]
            probability, start = scoring.win_probability(
                in_band,
                counts.get((company, team, None), (0, 0)),
                counts.get((company, None, None), (0, 0)),
                counts.get((None, None, None), (0, 0)),
                None if automated is None else automated / 100,
            )
            result[deal["lead_id"]] = {
                "probability": round(100 * probability, 1),
                "start": round(100 * start, 1),
                "sample": in_band[1],
                "won": in_band[0],
            }
        return result
