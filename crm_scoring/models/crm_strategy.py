from odoo import api, models
from odoo.fields import Domain


class CrmStrategy(models.Model):
    """Events of the scores: a deal begins to leave, a client breaks the rhythm of purchases."""

    _inherit = "crm.strategy"

    @api.model
    def _get_events(self):
        return super()._get_events() | {
            "deal_leaving": {
                "label": self.env._("A deal loses value"),
                "model": "crm.lead",
                "amount": True,
                "help": self.env._(
                    "The score has dropped past the limit of its scorecard, and at least so much "
                    "is at risk."
                ),
            },
            "rhythm_broken": {
                "label": self.env._("A client breaks the rhythm of purchases"),
                "model": "res.partner",
                "amount": True,
                "help": self.env._(
                    "Silent for longer than usual; the amount is the turnover in the analysis."
                ),
            },
        }

    def _find_deal_leaving(self, now):
        leads = self.env["crm.lead"].search(Domain("score_leaving", "=", True))
        leads = leads.filtered(lambda lead: lead.score_amount_at_risk >= self.amount)
        return {
            lead.id: str(lead.score_peak_date)
            for lead in leads.sorted(lambda lead: (-lead.score_amount_at_risk, lead.id))
        }

    def _find_rhythm_broken(self, now):
        domain = Domain("is_rhythm_broken", "=", True) & Domain("monetary", ">=", self.amount)
        if self.company_id:
            domain &= Domain("company_id", "=", self.company_id.id)
        profiles = self.env["crm.customer.profile"].search(domain, order="monetary desc, id")
        found = {}
        for profile in profiles:
            found.setdefault(profile.partner_id.id, str(profile.date_last))
        return found


class CrmLead(models.Model):
    """A deal that begins to leave is answered at once."""

    _inherit = "crm.lead"

    def _raise_leaving_alarm(self):
        res = super()._raise_leaving_alarm()
        self.env["crm.strategy"]._wake("deal_leaving")
        return res


class CrmStrategyAction(models.Model):
    """Whoever refused greetings and reminders by e-mail gets no mail of a strategy either."""

    _inherit = "crm.strategy.action"

    def _has_mail_consent(self, client):
        company = self._get_company(client)
        required = self.env["crm.customer.analysis"]._get_for(company).occasion_consent_required
        refused = client._get_occasion_refusals(consent_required=required)
        return not refused and super()._has_mail_consent(client)
