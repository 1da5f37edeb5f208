import base64

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.addons.crm_claims.tools.claims_xlsx import build_claims_workbook
from odoo.exceptions import UserError


class CrmClaimReportExport(models.TransientModel):
    """All reports on claims of a period and a company, as one workbook with charts.

    The tables (`crm_claim_report_tables.py`) hold what the user may read of the reports; the
    workbook itself is built by a pure function. The period is compared with the one before it, of
    the same length, and with the same days of last year. Whole months are compared with whole
    months.
    """

    _name = "crm.claim.report.export"
    _description = "Export Claims Reports"

    date_from = fields.Date(
        "From",
        required=True,
        default=lambda self: fields.Date.context_today(self).replace(month=1, day=1),
    )
    date_to = fields.Date("To", required=True, default=lambda self: fields.Date.context_today(self))
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        domain="[('id', 'in', allowed_company_ids)]",
    )
    file = fields.Binary(readonly=True, attachment=False)
    file_name = fields.Char(readonly=True)

    @api.constrains("date_from", "date_to")
    def _check_period(self):
        for wizard in self:
            if wizard.date_from > wizard.date_to:
                raise UserError(self.env._("The period ends before it starts: correct From or To."))

    def action_export(self):
        """Build the workbook and download it."""
        self.ensure_one()
        if self.company_id not in self.env.companies:
            raise UserError(self.env._("Choose one of the companies you are working in."))
        content = build_claims_workbook(self._get_tables(), self.company_id.currency_id.symbol)
        self.write(
            {
                "file": base64.b64encode(content),
                "file_name": f"claims_{self.date_from}_{self.date_to}.xlsx",
            }
        )
        return {
            "type": "ir.actions.act_url",
            "target": "download",
            "url": f"/web/content/{self._name}/{self.id}/file/{self.file_name}?download=true",
        }

    # ------------------------------------------------------------------
    # Periods
    # ------------------------------------------------------------------

    def _get_periods(self):
        """The period, the one before it, and the same of last year.

        :return: dict name -> ``(first day, last day)``
        """
        start, end = self.date_from, self.date_to
        if start.day == 1 and (end + relativedelta(days=1)).day == 1:
            months = (end.year - start.year) * 12 + end.month - start.month + 1
            before = start - relativedelta(months=months), start - relativedelta(days=1)
        else:
            before = start - (end - start) - relativedelta(days=1), start - relativedelta(days=1)
        year = relativedelta(years=1)
        last_year_end = end - year
        if (end + relativedelta(days=1)).day == 1:
            last_year_end = (end + relativedelta(days=1)) - year - relativedelta(days=1)
        return {
            "period": (start, end),
            "previous": before,
            "last_year": (start - year, last_year_end),
        }

    def _get_domain(self, period=None, field="date"):
        start, end = period or (self.date_from, self.date_to)
        return [
            ("company_id", "=", self.company_id.id),
            (field, ">=", start),
            (field, "<=", end),
        ]
