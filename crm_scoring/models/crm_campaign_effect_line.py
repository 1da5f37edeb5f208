from odoo import api, fields, models
from odoo.tools.misc import formatLang

from ..tools.campaign import ALIKE
from .crm_campaign_effect import VERDICTS

MEASURES = [
    ("response", "Bought at least once (%)"),
    ("turnover", "Turnover per client"),
    ("orders", "Orders per client"),
    ("average", "Average cheque"),
    ("returned", "Returned per client"),
]
FIGURES = [
    ("recency", "Days since the last purchase"),
    ("orders_year", "Purchases in the year before"),
    ("turnover_year", "Turnover in the year before"),
    ("turnover_before", "Turnover in the period before"),
    ("turnover_earlier", "Turnover in the period before that"),
    ("tenure", "Days since the first purchase"),
]
SELLING = ("response", "turnover", "orders", "average")


class CrmCampaignEffectLine(models.Model):
    """One measure of a campaign: both groups before and after, effect and interval, in words."""

    _name = "crm.campaign.effect.line"
    _description = "Measured Effect of a Campaign"
    _order = "sequence, id"
    _rec_name = "measure"
    _log_access = False

    effect_id = fields.Many2one(
        "crm.campaign.effect",
        string="Campaign",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="effect_id.company_id", store=True)
    sequence = fields.Integer(readonly=True)
    measure = fields.Selection(MEASURES, required=True, readonly=True)
    before = fields.Float(string="Addressed, Before", readonly=True, digits=(16, 2))
    after = fields.Float(string="Addressed, After", readonly=True, digits=(16, 2))
    others_before = fields.Float(string="Alike, Before", readonly=True, digits=(16, 2))
    others_after = fields.Float(string="Alike, After", readonly=True, digits=(16, 2))
    effect = fields.Float(
        readonly=True,
        digits=(16, 2),
        aggregator=None,
        help="What changed with the addressed beyond what changed with clients like them, the "
        "rest of their unlikeness taken off.",
    )
    low = fields.Float(string="From (95%)", readonly=True, digits=(16, 2), aggregator=None)
    high = fields.Float(string="To (95%)", readonly=True, digits=(16, 2), aggregator=None)
    verdict = fields.Selection(VERDICTS, readonly=True)
    text = fields.Char(string="In Words", compute="_compute_text")

    @api.depends("measure", "effect", "low", "high", "verdict")
    def _compute_text(self):
        for line in self:
            line.text = line._describe()

    def _describe(self):
        """Return the sentence that says what the interval means."""
        self.ensure_one()
        label = dict(self._fields["measure"]._description_selection(self.env))[self.measure]
        if self.verdict == "few":
            return self.env._(
                "%(measure)s: cannot tell, fewer than 30 clients could be compared.", measure=label
            )
        numbers = {
            name: self._format(value)
            for name, value in (
                ("effect", abs(self.effect)),
                ("low", min(abs(self.low), abs(self.high))),
                ("high", max(abs(self.low), abs(self.high))),
            )
        }
        if self.verdict == "unclear":
            return self.env._(
                "%(measure)s: cannot tell. The difference may as well be chance: it lies between "
                "%(from)s and %(to)s.",
                measure=label,
                **{"from": self._format(self.low), "to": self._format(self.high)},
            )
        more = self.verdict == "more"
        texts = {
            ("turnover", True): self.env._(
                "Addressed clients bought for %(effect)s more each than clients like them; we are "
                "95%% sure that it is between %(low)s and %(high)s.",
                **numbers,
            ),
            ("turnover", False): self.env._(
                "Addressed clients bought for %(effect)s less each than clients like them; we are "
                "95%% sure that it is between %(low)s and %(high)s less.",
                **numbers,
            ),
        }
        return texts.get((self.measure, more)) or (
            self.env._(
                "%(measure)s: %(effect)s more than with clients like them, 95%% sure between "
                "%(low)s and %(high)s.",
                measure=label,
                **numbers,
            )
            if more
            else self.env._(
                "%(measure)s: %(effect)s less than with clients like them, 95%% sure between "
                "%(low)s and %(high)s less.",
                measure=label,
                **numbers,
            )
        )

    def _format(self, value):
        """Return a number with its unit."""
        if self.measure == "response":
            return self.env._("%s pts", formatLang(self.env, value, digits=1))
        if self.measure == "orders":
            return formatLang(self.env, value, digits=2)
        return formatLang(self.env, value, currency_obj=self.effect_id.currency_id)


class CrmCampaignEffectBalance(models.Model):
    """How alike the two groups were before a campaign, in one figure.

    The differences are in standard deviations of the addressed clients; up to 0.1 is alike.
    """

    _name = "crm.campaign.effect.balance"
    _description = "Likeness of the Compared Clients"
    _order = "id"
    _rec_name = "figure"
    _log_access = False

    effect_id = fields.Many2one(
        "crm.campaign.effect",
        string="Campaign",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="effect_id.company_id", store=True)
    figure = fields.Selection(FIGURES, string="Before the Campaign", required=True, readonly=True)
    addressed = fields.Float(readonly=True, digits=(16, 1))
    everybody = fields.Float(string="All Others", readonly=True, digits=(16, 1))
    alike = fields.Float(string="Clients Alike", readonly=True, digits=(16, 1))
    difference_before = fields.Float(
        string="Difference from All Others", readonly=True, digits=(8, 2), aggregator=None
    )
    difference_after = fields.Float(
        string="Difference from Those Alike", readonly=True, digits=(8, 2), aggregator=None
    )
    is_alike = fields.Boolean(compute="_compute_is_alike")

    @api.depends("difference_after")
    def _compute_is_alike(self):
        for line in self:
            line.is_alike = abs(line.difference_after) <= ALIKE
