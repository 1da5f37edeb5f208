from odoo import api, fields, models


class CrmCustomerRefresh(models.Model):
    """Forecasts and campaign effects are computed on request by the same job as the profiles."""

    _inherit = "crm.customer.refresh"

    job = fields.Selection(
        [("profiles", "Client analysis"), ("forecasts", "Forecasts")],
        default="profiles",
        required=True,
        readonly=True,
    )
    phase = fields.Selection(
        selection_add=[
            ("months", "Adding up the months"),
            ("forecast", "Testing the methods and forecasting"),
        ],
        ondelete={"months": "set null", "forecast": "set null"},
    )

    @api.model
    def _start_forecasts(self, companies):
        """Queue the forecasts of companies and show the progress.

        :return: action
        """
        # sudo: whoever sees forecasts may have them computed, and no more
        runs_sudo = self.sudo().search(
            [
                ("company_id", "in", companies.ids),
                ("state", "=", "queued"),
                ("job", "=", "forecasts"),
            ]
        )
        runs_sudo |= runs_sudo.create(
            [
                {"company_id": company.id, "job": "forecasts", "user_id": self.env.uid}
                for company in companies - runs_sudo.company_id
            ]
        )
        self.env.ref("crm_scoring.ir_cron_crm_customer_refresh").sudo()._trigger()
        current = runs_sudo.filtered(lambda run: run.company_id == self.env.company) or runs_sudo
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Computing the forecasts"),
            "res_model": self._name,
            "res_id": current[:1].id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _work(self, progress):
        if self.job != "forecasts":
            return super()._work(progress)
        return self.env["crm.segment.forecast"]._refresh_company(self.company_id, progress=progress)
