from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_amount, format_date, formatLang


class CrmLead(models.Model):
    """A deal that quietly leaves: open, and its score dropped past the limit of its scorecard.

    - The moment it does, its salesperson gets an activity that says what happened and what to
      do; there is one at a time.
    - *Waiting until, because*: who knows why a deal is silent says until when and why. Until
      then it is not among the leaving ones, and what is expected of it does not fall.
    """

    _inherit = "crm.lead"

    score_leaving = fields.Boolean(
        "Leaving",
        compute="_compute_score_leaving",
        search="_search_score_leaving",
        help="Open, and its score dropped past the limit of its scorecard.",
    )
    score_waiting_until = fields.Date(
        "Waiting until",
        copy=False,
        tracking=True,
        help="Until this day the deal is not called leaving, and its forecast does not fall.",
    )
    score_waiting_reason = fields.Char("Because", copy=False, tracking=True)
    score_waiting = fields.Boolean(compute="_compute_score_waiting")

    @api.depends("score_waiting_until")
    def _compute_score_waiting(self):
        today = fields.Date.today()
        for lead in self:
            until = lead.score_waiting_until
            lead.score_waiting = bool(until and until >= today)

    @api.depends(
        "score_drop_percent",
        "scorecard_id.drop_alert_percent",
        "won_status",
        "active",
        "score_waiting",
    )
    def _compute_score_leaving(self):
        for lead in self:
            limit = lead.sudo().scorecard_id.drop_alert_percent
            lead.score_leaving = bool(
                limit
                and lead.active
                and lead.won_status == "pending"
                and lead.score_drop_percent >= limit
                and not lead.score_waiting
            )

    def _search_score_leaving(self, operator, value):
        if operator != "in":
            return NotImplemented
        leaving = SQL(
            """(SELECT s.lead_id FROM crm_lead_scoring s
                  JOIN crm_scorecard c ON c.id = s.scorecard_id
                 WHERE s.score_drop_percent >= c.drop_alert_percent)"""
        )
        domain = (
            Domain("id", "in", leaving)
            & Domain("won_status", "=", "pending")
            & Domain("active", "=", True)
            & (
                Domain("score_waiting_until", "=", False)
                | Domain("score_waiting_until", "<", fields.Date.today())
            )
        )
        return domain if True in value else ~domain

    @api.constrains("score_waiting_until", "score_waiting_reason")
    def _check_score_waiting(self):
        latest = fields.Date.today() + timedelta(days=366)
        for lead in self.filtered("score_waiting_until"):
            if not (lead.score_waiting_reason or "").strip():
                raise ValidationError(
                    self.env._(
                        "“Because”: say why “%(deal)s” has to wait, or leave the day empty.",
                        deal=lead.display_name,
                    )
                )
            if lead.score_waiting_until > latest:
                raise ValidationError(
                    self.env._("“Waiting until”: a deal waits for a year at most.")
                )

    # Alarm

    def _raise_leaving_alarm(self):
        """Ask the salespersons of deals that began to leave to look after them."""
        activity_type = self.env.ref(
            "crm_scoring.mail_activity_type_leaving", raise_if_not_found=False
        )
        if not activity_type:
            return
        asked = self.activity_ids.filtered(lambda a: a.activity_type_id == activity_type)
        asked_ids = set(asked.mapped("res_id"))
        model_id = self.env["ir.model"]._get_id("crm.lead")
        values = [
            lead._prepare_leaving_activity(activity_type, model_id)
            for lead in self
            if lead.user_id.active and lead.id not in asked_ids
        ]
        if values:
            self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(values)

    def _prepare_leaving_activity(self, activity_type, model_id):
        self.ensure_one()
        lead = self.with_context(lang=self.user_id.lang)
        return {
            "res_model_id": model_id,
            "res_id": self.id,
            "activity_type_id": activity_type.id,
            "user_id": self.user_id.id,
            "automated": True,
            "date_deadline": fields.Date.today(),
            "summary": lead._get_leaving_words(),
            "note": lead.score_advice or lead.score_reason or False,
        }

    def _get_leaving_words(self):
        """Say in one line what is happening to the deal."""
        self.ensure_one()
        currency = self.company_currency or self.env.company.currency_id
        return self.env._(
            "Leaving: down %(percent)s%% since %(date)s, %(amount)s at risk",
            percent=formatLang(self.env, self.score_drop_percent, digits=0),
            date=format_date(self.env, self.score_peak_date),
            amount=format_amount(self.env, self.score_amount_at_risk, currency),
        )

    @api.model
    def _get_leaving_figures(self, domain=()):
        """Return number and money at risk of the leaving deals the user sees, for mails.

        :param domain: further conditions
        :return: ``(deals, amount in the currency of the user's company)``
        """
        leads = self.search(Domain("score_leaving", "=", True) & Domain(list(domain)))
        company = self.env.company
        today = fields.Date.today()
        amount = sum(
            lead.company_currency._convert(
                lead.score_amount_at_risk, company.currency_id, company, today
            )
            for lead in leads
            if lead.company_currency
        )
        return len(leads), amount
