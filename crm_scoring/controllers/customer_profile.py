import json

from odoo.addons.crm_extended.controllers.sale_deal_report import XLSX
from odoo.http import Controller, content_disposition, request, route
from werkzeug.exceptions import BadRequest


class CustomerProfileController(Controller):
    @route("/crm_scoring/clients.xlsx", type="http", auth="user", readonly=True)
    def clients(self, domain="[]", **_kwargs):
        """Download the analysis of the clients in a domain, as far as the user may see it."""
        try:
            content = request.env["crm.customer.profile"]._export_profiles_xlsx(json.loads(domain))
        except (ValueError, TypeError, KeyError) as error:
            raise BadRequest() from error
        return self._make_file(content, request.env._("Client analytics"))

    @route("/crm_scoring/recommendations.xlsx", type="http", auth="user", readonly=True)
    def recommendations(self, model="crm.product.recommendation", domain="[]", **_kwargs):
        """Download rules, recommendations and what was taken."""
        try:
            content = request.env["crm.product.recommendation"]._export_xlsx(
                model, json.loads(domain)
            )
        except (ValueError, TypeError, KeyError) as error:
            raise BadRequest() from error
        return self._make_file(content, request.env._("Recommendations"))

    def _make_file(self, content, name):
        return request.make_response(
            content,
            [
                ("Content-Type", XLSX),
                (
                    "Content-Disposition",
                    content_disposition(name + ".xlsx"),
                ),
            ],
        )
