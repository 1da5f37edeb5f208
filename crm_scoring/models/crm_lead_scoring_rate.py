import json

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
    def _get_chance(self, company_id):
        """Return the SQL of the estimate for a company that has no trained model.

        The win rate of the database starts from one half; that of the company is shrunk to it,
        that of the team to the company's, Odoo's own estimate is averaged in, and the deals
        closed with a similar score move it as far as their number allows: the arithmetic of
        :func:`scoring.win_probability`, with its rates as constants.

        :return: columns chance (0 to 1), start (%), sample and sample_won over the alias ``v``
        """
        counts = self._get_counts()
        company = company_id or False
        none = (0, 0)
        teams, base = {}, None
        totals = (counts.get((company, None, None), none), counts.get((None, None, None), none))
        for key in [*counts, (company, False, None)]:
            if key[0] == company and key[1] is not None and key[2] is None:
                _probability, start = scoring.win_probability(none, counts.get(key, none), *totals)
                teams[str(key[1] or 0)] = start
        _probability, base = scoring.win_probability(none, none, *totals)
        bands = [counts.get((company, None, b), none) for b in range(scoring.BAND_COUNT)]
        start = SQL(
            """(CASE WHEN v.automated > 0 AND v.automated < 100
                     THEN (%(rate)s + v.automated / 100) / 2 ELSE %(rate)s END)""",
            rate=SQL(
                "COALESCE((%s::jsonb ->> COALESCE(v.team_id, 0)::text)::float8, %s::float8)",
                json.dumps(teams),
                base,
            ),
        )
        band = SQL(
            "LEAST(floor(v.score_value * %s / 100), %s)::int + 1",
            scoring.BAND_COUNT,
            scoring.BAND_COUNT - 1,
        )
        won = SQL("(%s::int[])[%s]", [pair[0] for pair in bands], band)
        closed = SQL("(%s::int[])[%s]", [pair[1] for pair in bands], band)
        return SQL(
            """LEAST(%(high)s, GREATEST(%(low)s,
                   (%(won)s + %(strength)s * %(start)s) / (%(closed)s + %(strength)s)))::numeric
                   AS chance,
               round((100 * LEAST(%(high)s, GREATEST(%(low)s, %(start)s)))::numeric, 1) AS start,
               %(closed)s AS sample, %(won)s AS sample_won""",
            high=scoring.MAX_PROBABILITY,
            low=scoring.MIN_PROBABILITY,
            won=won,
            closed=closed,
            strength=float(scoring.PRIOR_STRENGTH),
            start=start,
        )
