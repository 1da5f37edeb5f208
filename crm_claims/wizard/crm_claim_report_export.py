import base64

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.addons.crm_claims.tools.claims_xlsx import build_claims_workbook
from odoo.exceptions import UserError


class CrmClaimReportExport(models.TransientModel):
    """Claims by month and guilty department of a period, as a workbook with a chart.

    The rows are those that the user may read of ``crm.claim.report`` in his companies; the
    workbook itself is built by a pure function.
    """

    _name = "crm.claim.report.export"
    _description = "Export Claims by Department"

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
        content = build_claims_workbook(
            self._prepare_workbook_labels(), self._get_rows(), self.company_id.currency_id.symbol
        )
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

    def _get_domain(self):
        return [
            ("company_id", "=", self.company_id.id),
            ("date", ">=", self.date_from),
            ("date", "<=", self.date_to),
        ]

    def _get_rows(self):
        """Rows of the workbook: (month as text, department, registered, handled, unhandled,
        amount claimed, amount granted), every month of the period at least once."""
        nobody = self.env._("Not found yet")
        rows = []
        seen = set()
        for month, department, *figures in self.env["crm.claim.report"]._read_group(
            self._get_domain(),
            ["date:month", "department_id"],
            [
                "registered:sum",
                "handled:sum",
                "unhandled:sum",
                "amount_claimed:sum",
                "amount_granted:sum",
            ],
        ):
            key = month.strftime("%Y-%m")
            seen.add(key)
            rows.append((key, department.display_name or nobody, *figures))
        month = self.date_from.replace(day=1)
        while month <= self.date_to:
            if month.strftime("%Y-%m") not in seen:
                rows.append((month.strftime("%Y-%m"), nobody, 0, 0, 0, 0, 0))
            month += relativedelta(months=1)
        return sorted(rows)

    def _prepare_workbook_labels(self):
        return {
            "title": self.env._(
                "Claims of %(company)s, %(start)s to %(end)s",
                company=self.company_id.name,
                start=self.date_from,
                end=self.date_to,
            ),
            "detail": self.env._("By month and department"),
            "summary": self.env._("Registered by department"),
            "month": self.env._("Month"),
            "department": self.env._("Guilty Department"),
            "registered": self.env._("Registered"),
            "handled": self.env._("Handled"),
            "unhandled": self.env._("Unhandled"),
            "amount_claimed": self.env._("Amount Claimed"),
            "amount_granted": self.env._("Amount Granted"),
            "total": self.env._("Total"),
        }
