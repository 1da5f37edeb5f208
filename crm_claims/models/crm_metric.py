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


class CrmDashboard(models.AbstractModel):
    """The dashboard of claims by period, employee, team and segment."""

    _inherit = "crm.dashboard"

    @api.model
    def _get_kinds(self):
        kinds = super()._get_kinds()
        if self.env.user.has_group("crm_claims.crm_claims_group_user"):
            kinds = {**kinds, "claims": self.env._("Claims by Period")}
        return kinds

    @api.model
    def _build_claims_dashboard(self, period, filters):
        _ = self.env._
        codes = [
            "claims_new", "claims_handled", "claims_open", "claims_overdue",
            "claims_satisfied_share", "claims_rating",
        ]  # fmt: skip
        return {
            "tiles": self._build_tiles(codes, period, filters),
            "charts": [
                self._build_months("claims_new", period, filters),
                self._build_people("claims_handled", period, filters),
                self._build_groups(
                    "causes", _("Claims by cause"), "claims_new", "cause_id", period, filters
                ),
                self._build_groups(
                    "categories", _("Claims by category"), "claims_new", "category_id", period,
                    filters,
                ),
                self._build_groups(
                    "decisions", _("Decisions"), "claims_handled", "decision", period, filters,
                    kind="doughnut",
                ),
            ],
        }  # fmt: skip
