import pytz
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class CrmClaim(models.Model):
    """When a claim was registered, and when its steps were taken.

    The stamps are written by the moves of the claim (``crm_claim_workflow.py``) and by the first
    answer to the client (``crm_claim_mail.py``); the promised date is in ``crm_claim_promise.py``.
    """

    _inherit = "crm.claim"

    date_registered = fields.Datetime(
        "Registered", required=True, default=fields.Datetime.now, copy=False, index=True
    )
    date_acknowledged = fields.Datetime("Acknowledged", readonly=True, copy=False)
    date_answered = fields.Datetime(
        "First Answer",
        readonly=True,
        copy=False,
        help="When somebody of us first wrote to the client in person.",
    )
    # not read-only here, so that the import of past claims offers them; ``write`` refuses them
    date_decided = fields.Datetime("Decided", copy=False)
    date_closed = fields.Datetime("Closed", copy=False)
    reopen_count = fields.Integer("Times Reopened", readonly=True, copy=False)
    waiting_since = fields.Datetime(readonly=True, copy=False)
    waiting_question = fields.Text(
        "Question to the Client", copy=False, help="What we wait for; the client sees it."
    )
    waiting_until = fields.Date(
        "Wait Until",
        copy=False,
        help="Day after which the responsible is told that the client has not answered.",
    )
    is_overdue = fields.Boolean(compute="_compute_is_overdue", search="_search_is_overdue")

    @api.depends("date_promised", "is_open", "state")
    def _compute_is_overdue(self):
        today = fields.Date.context_today(self)
        for claim in self:
            claim.is_overdue = bool(
                claim.is_open
                and claim.state != "waiting_client"
                and claim.date_promised
                and claim.date_promised < today
            )

    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        overdue = (
            Domain("is_open", "=", True)
            & Domain("state", "!=", "waiting_client")
            & Domain("date_promised", "<", today)
        )
        return overdue if True in value else ~overdue

    @api.constrains("date_registered", "date_promised")
    def _check_dates(self):
        for claim in self:
            # in the time zone in which deadlines are counted
            zone = claim.company_id._get_claim_timezone()
            registered = pytz.utc.localize(claim.date_registered).astimezone(zone).date()
            if claim.date_promised and claim.date_promised < registered:
                raise ValidationError(
                    self.env._(
                        "The promised date of claim %(claim)s lies before its registration.",
                        claim=claim.display_name,
                    )
                )
