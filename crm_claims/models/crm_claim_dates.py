from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class CrmClaim(models.Model):
    """The dates of a claim, and the day that the customer is promised."""

    _inherit = "crm.claim"

    date_registered = fields.Datetime(
        "Registered", required=True, default=fields.Datetime.now, copy=False, index=True
    )
    date_acknowledged = fields.Datetime("Acknowledged", readonly=True, copy=False)
    date_decided = fields.Datetime("Decided", readonly=True, copy=False)
    date_closed = fields.Datetime("Closed", readonly=True, copy=False)
    date_promised = fields.Date(
        "Promised Date",
        compute="_compute_date_promised",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        tracking=True,
        index=True,
        help="Date by which the client was promised a decision.",
    )
    is_overdue = fields.Boolean(compute="_compute_is_overdue", search="_search_is_overdue")
    is_acknowledgement_sent = fields.Boolean(readonly=True, copy=False)
    reopen_count = fields.Integer("Times Reopened", readonly=True, copy=False)
    waiting_since = fields.Datetime(readonly=True, copy=False)
    waiting_question = fields.Text(
        "Question to the Client", copy=False, help="What we wait for; the client sees it."
    )
    _open_promised_idx = models.Index("(company_id, date_promised) WHERE is_open")

    @api.depends("severity", "team_id", "company_id", "date_registered")
    def _compute_date_promised(self):
        known = {}  # claims of one hour share their day: the calendar is asked once
        for claim in self:
            promised = claim.date_promised
            if (claim.date_acknowledged and promised) or not claim.date_registered:
                # once acknowledged the date is a promise: only people move it
                claim.date_promised = promised
                continue
            company = claim.company_id
            days = claim.team_id.promise_days or company._get_claim_promise_days(claim.severity)
            key = (company, claim.date_registered.replace(minute=0, second=0, microsecond=0), days)
            if key not in known:
                known[key] = company._get_claim_working_date(key[1], days)
            claim.date_promised = known[key]

    @api.depends("date_promised", "is_open")
    def _compute_is_overdue(self):
        today = fields.Date.context_today(self)
        for claim in self:
            claim.is_overdue = bool(
                claim.is_open and claim.date_promised and claim.date_promised < today
            )

    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        overdue = Domain("is_open", "=", True) & Domain("date_promised", "<", today)
        return overdue if True in value else ~overdue

    @api.constrains("date_registered", "date_promised")
    def _check_dates(self):
        for claim in self:
            if claim.date_promised and claim.date_promised < claim.date_registered.date():
                raise ValidationError(
                    self.env._(
                        "The promised date of claim %(claim)s lies before its registration.",
                        claim=claim.display_name,
                    )
                )
