from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

VERDICTS = [
    ("more", "More"),
    ("less", "Less"),
    ("unclear", "Cannot tell"),
    ("few", "Too few clients"),
]


class CrmCampaignEffect(models.Model):
    """What a campaign changed with the clients it addressed, against clients like them.

    - The addressed clients come from a mailing (who got it), from all mailings of a campaign, from
      a client segment (its members on the day of the campaign), or from a list by hand. Contacts
      stand for their company.
    - They are compared with clients of the company who were not addressed and looked alike
      *before*: of the same country, by purchases, turnover, recency and standing; see
      ``tools.campaign``. Only clients who had bought before the campaign take part, on both sides:
      for a newcomer there is nobody alike. Newcomers among the addressed are counted apart.
    - Compared are two periods of equal length, right before the campaign and from its day on. While
      the second one is not over, both are as long as the days that are.
    - A client whom only the addressed differ from in a way sales do not show (a personal call, a
      fair) is not told from an effect of the campaign. If it can be chosen, leave a random part of
      the clients out: nothing proves more.
    - An interval that holds zero, or fewer than 20 pairs: the record says that it cannot tell.
    - Sales managers ask; those who see all deals read. The computation writes the figures.
    """

    _name = "crm.campaign.effect"
    _description = "Effect of a Campaign"
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    source_ref = fields.Reference(
        selection="_selection_source_ref",
        string="Who Was Addressed",
        help="A mailing, all mailings of a campaign, or a client segment. Empty: the list below.",
    )
    partner_ids = fields.Many2many(
        "res.partner", string="Addressed Clients", help="When nothing else is chosen above."
    )
    control_segment_id = fields.Many2one(
        "crm.segment",
        string="Compare Only with",
        check_company=True,
        ondelete="set null",
        help="A client segment, for example those left out on purpose. Empty: all other clients.",
    )
    date = fields.Date(
        string="Day of the Campaign", required=True, default=fields.Date.context_today
    )
    days = fields.Integer(
        string="Days Compared",
        default=60,
        required=True,
        help="Length of the period before and of the period after. Choose about one or two usual "
        "intervals between purchases.",
    )

    # facts
    state = fields.Selection(
        [
            ("draft", "Not computed"),
            ("running", "Period not over"),
            ("done", "Final"),
            ("failed", "Not possible"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
    )
    error = fields.Char(readonly=True, copy=False)
    date_computed = fields.Datetime(string="Computed on", readonly=True, copy=False)
    days_used = fields.Integer(string="Days Counted", readonly=True, copy=False)
    addressed_count = fields.Integer(string="Addressed", readonly=True, copy=False)
    newcomer_count = fields.Integer(
        string="Without Purchases Before", readonly=True, copy=False, help="Of the addressed."
    )
    newcomer_bought = fields.Integer(string="Of Them Bought", readonly=True, copy=False)
    matched_count = fields.Integer(
        string="Compared", readonly=True, copy=False, help="Addressed clients with somebody alike."
    )
    others_count = fields.Integer(string="Clients like Them", readonly=True, copy=False)
    verdict = fields.Selection(VERDICTS, string="Turnover", readonly=True, copy=False)
    turnover_effect = fields.Monetary(string="Turnover per Client", readonly=True, copy=False)
    turnover_total = fields.Monetary(
        string="Turnover in All",
        readonly=True,
        copy=False,
        help="Effect per client, times the clients compared.",
    )
    line_ids = fields.One2many("crm.campaign.effect.line", "effect_id", string="Results")
    balance_ids = fields.One2many("crm.campaign.effect.balance", "effect_id", string="Likeness")
    is_balanced = fields.Boolean(compute="_compute_is_balanced")
    summary = fields.Text(compute="_compute_summary")

    _check_days = models.Constraint(
        "CHECK(days BETWEEN 7 AND 366)", "Compare between 7 and 366 days before and after."
    )

    # ------------------------------------------------------------------
    # computes, checks
    # ------------------------------------------------------------------

    @api.model
    def _selection_source_ref(self):
        """Models that say who was addressed, as far as installed and readable."""
        models_ = ["crm.segment"]
        if self._can_read_mailings():
            models_ = ["mailing.mailing", "utm.campaign", *models_]
        return [(name, self.env[name]._description) for name in models_]

    @api.model
    def _can_read_mailings(self):
        return "mailing.mailing" in self.env and self.env["mailing.mailing"].has_access("read")

    @api.depends("balance_ids.difference_after")
    def _compute_is_balanced(self):
        for effect in self:
            effect.is_balanced = all(line.is_alike for line in effect.balance_ids)

    @api.depends("state", "line_ids.text", "error")
    def _compute_summary(self):
        for effect in self:
            effect.summary = "\n".join(effect._describe())

    def _describe(self):
        """Return the lines that tell the result in plain words."""
        self.ensure_one()
        if self.state == "draft":
            return []
        if self.state == "failed":
            return [self.error or ""]
        if self.verdict == "few":
            lines = [self.env._("Cannot tell: fewer than 30 clients could be compared.")]
        else:
            lines = self.line_ids.sorted("sequence").mapped("text")
        if self.addressed_count - self.newcomer_count > self.matched_count:
            lines.append(
                self.env._(
                    "For %(left)s of the addressed clients nobody alike was found; they are left "
                    "out.",
                    left=self.addressed_count - self.newcomer_count - self.matched_count,
                )
            )
        if self.newcomer_count:
            lines.append(
                self.env._(
                    "Addressed without a purchase before: %(newcomers)s, bought since: %(bought)s. "
                    "There is nobody to compare them with.",
                    newcomers=self.newcomer_count,
                    bought=self.newcomer_bought,
                )
            )
        if self.state == "running":
            lines.append(
                self.env._(
                    "The period is not over: days counted so far %(used)s of %(days)s.",
                    used=self.days_used,
                    days=self.days,
                )
            )
        return lines

    @api.constrains("source_ref")
    def _check_source_ref(self):
        allowed = {name for name, _label in self._selection_source_ref()}
        for effect in self.filtered("source_ref"):
            record = effect.source_ref
            if record._name not in allowed:
                raise ValidationError(
                    self.env._("“%s” does not say who was addressed.", record._description)
                )
            company = "company_id" in record._fields and record.company_id
            if company and company != effect.company_id:
                raise ValidationError(
                    self.env._("“%(name)s” belongs to another company.", name=record.display_name)
                )

    @api.onchange("source_ref")
    def _onchange_source_ref(self):
        record = self.source_ref
        if record and not self.name:
            self.name = record.display_name
        if record and record._name == "mailing.mailing" and record.sent_date:
            self.date = fields.Date.context_today(self, record.sent_date)

    @api.model
    def _get_facts(self):
        """Return the names of the fields that only the computation writes."""
        return {
            "state", "error", "date_computed", "days_used", "addressed_count", "newcomer_count",
            "newcomer_bought", "matched_count", "others_count", "verdict", "turnover_effect",
            "turnover_total",
        }  # fmt: skip

    def _check_facts(self, vals):
        if not self.env.su and vals.keys() & self._get_facts():
            raise AccessError(self.env._("The results of a campaign are written by the system."))

    @api.model_create_multi
    def create(self, vals_list):
        facts = self._get_facts()
        context = {
            key: value
            for key, value in self.env.context.items()
            if key.removeprefix("default_") not in facts
        }
        for vals in vals_list:
            self._check_facts(vals)
        return super(CrmCampaignEffect, self.with_context(context)).create(vals_list)

    def write(self, vals):
        self._check_facts(vals)
        if vals.keys() & {
            "company_id",
            "source_ref",
            "partner_ids",
            "control_segment_id",
            "date",
            "days",
        }:
            vals = dict(vals, state="draft")
        return super().write(vals)

    # ------------------------------------------------------------------
    # actions
    # ------------------------------------------------------------------

    def action_compute(self):
        """Compute in the background, with a progress bar."""
        self.ensure_one()
        self.check_access("write")
        if not self.source_ref and not self.partner_ids:
            raise UserError(self.env._("Choose who was addressed, or add clients to the list."))
        return self.env["crm.customer.refresh"]._start_effect(self)
