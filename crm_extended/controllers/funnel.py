import json

from odoo.http import Controller, content_disposition, request, route
from werkzeug.exceptions import BadRequest

from .sale_deal_report import XLSX


class FunnelController(Controller):
    @route("/crm_extended/funnel.xlsx", type="http", auth="user", readonly=True)
    def funnel(self, domain="[]", groupby=None, **_kwargs):
        """Download the funnel for a domain, as far as the user may see it."""
        try:
            content = request.env["crm.funnel.report"]._export_funnel_xlsx(
                json.loads(domain), groupby or None
            )
        except (ValueError, TypeError, KeyError) as error:
            raise BadRequest() from error
        return request.make_response(
            content,
            [
                ("Content-Type", XLSX),
                (
                    "Content-Disposition",
                    content_disposition(request.env._("Funnel") + ".xlsx"),
                ),
            ],
        )
