from odoo import api, models


class CrmMetric(models.Model):
    """Claims administrators compare everybody, as far as they may read; record rules hold."""

    _inherit = "crm.metric"

    @api.model
    def _get_audience(self):
        audience = super()._get_audience()
        if self.env.user.has_group("crm_claims.crm_claims_group_manager"):
            return {**audience, "kind": "all", "team_ids": []}
        return audience


class CrmManagerMail(models.Model):
    """The mails of figures tell of claims too, to whoever may read them."""

    _inherit = "crm.manager.mail"

    @api.model
    def _get_daily_codes(self):
        return [*super()._get_daily_codes(), "claims_new", "claims_overdue"]

    @api.model
    def _get_weekly_codes(self):
        return [*super()._get_weekly_codes(), "claims_handled", "claims_overdue"]

    @api.model
    def _get_monthly_codes(self):
        return [
            *super()._get_monthly_codes(), "claims_new", "claims_handled", "claims_satisfied_share",
            "claims_rating",
        ]  # fmt: skip
