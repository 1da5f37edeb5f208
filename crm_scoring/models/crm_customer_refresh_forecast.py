from odoo import api, fields, models


class CrmCustomerRefresh(models.Model):
    """Forecasts and campaign effects are computed on request by the same job as the profiles."""

    _inherit = "crm.customer.refresh"

    job = fields.Selection(
        [
            ("profiles", "Client analysis"),
            ("forecasts", "Forecasts"),
            ("effect", "Effect of a campaign"),
        ],
        default="profiles",
        required=True,
        readonly=True,
    )
    effect_id = fields.Many2one("crm.campaign.effect", readonly=True, ondelete="cascade")
    phase = fields.Selection(
        selection_add=[
            ("months", "Adding up the months"),
            ("forecast", "Testing the methods and forecasting"),
            ("matching", "Looking for clients alike"),
            ("effect", "Comparing"),
        ],
        ondelete={
            "months": "set null",
            "forecast": "set null",
            "matching": "set null",
            "effect": "set null",
        },
    )

    @api.model
    def _start_forecasts(self, companies):
        """Queue the forecasts of companies and show the progress.

        :return: action
        """
        return self._start_job(self.env._("Computing the forecasts"), "forecasts", companies)

    @api.model
    def _start_effect(self, effect):
        """Queue the computation of the effect of a campaign and show the progress.

        :return: action
        """
        return self._start_job(
            self.env._("Computing the effect"), "effect", effect.company_id, effect
        )

    @api.model
    def _start_job(self, name, job, companies, effect=None):
        """Queue a job for companies; what is waiting already is not queued twice.

        :return: action
        """
        # sudo: whoever sees the figures may have them computed, and no more
        runs_sudo = self.sudo().search(
            [
                ("company_id", "in", companies.ids),
                ("state", "=", "queued"),
                ("job", "=", job),
                ("effect_id", "=", effect.id if effect else False),
            ]
        )
        runs_sudo |= runs_sudo.create(
            [
                {
                    "company_id": company.id,
                    "job": job,
                    "effect_id": effect.id if effect else False,
                    "user_id": self.env.uid,
                }
                for company in companies - runs_sudo.company_id
            ]
        )
        self.env.ref("crm_scoring.ir_cron_crm_customer_refresh").sudo()._trigger()
        current = runs_sudo.filtered(lambda run: run.company_id == self.env.company) or runs_sudo
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": self._name,
            "res_id": current[:1].id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _work(self, progress):
        if self.job == "effect":
            self.effect_id._compute_effect(progress)
            return 1, 0
        if self.job != "forecasts":
            return super()._work(progress)
        return self.env["crm.segment.forecast"]._refresh_company(self.company_id, progress=progress)
