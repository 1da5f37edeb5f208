import json

from odoo.fields import Domain
from odoo.http import Controller, content_disposition, request, route
from werkzeug.exceptions import BadRequest

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SaleDealReportController(Controller):
    @route("/crm_extended/sales_by_deal.xlsx", type="http", auth="user", readonly=True)
    def sales_by_deal(self, domain="[]", **_kwargs):
        """Download *Sales by Deal and Agreement* for a domain, as far as the user may see it."""
        report = request.env["crm.sale.deal.report"]
        try:
            records = report.search(Domain(json.loads(domain)))
        except (ValueError, TypeError, KeyError) as error:
            raise BadRequest() from error
        return request.make_response(
            records._export_xlsx(),
            [
                ("Content-Type", XLSX),
                (
                    "Content-Disposition",
                    content_disposition(request.env._("Sales by deal and agreement") + ".xlsx"),
                ),
            ],
        )
