import json

from odoo.addons.crm_extended.controllers.sale_deal_report import XLSX
from odoo.exceptions import UserError
from odoo.http import Controller, content_disposition, request, route
from werkzeug.exceptions import BadRequest


class CustomerEffectController(Controller):
    @route("/crm_scoring/forecasts.xlsx", type="http", auth="user", readonly=True)
    def forecasts(self, model="crm.segment.forecast", domain="[]", **_kwargs):
        """Download forecasts with charts, as far as the user may see them."""
        return self._export("crm.segment.forecast", request.env._("Forecasts"), model, domain)

    @route("/crm_scoring/campaigns.xlsx", type="http", auth="user", readonly=True)
    def campaigns(self, model="crm.campaign.effect", domain="[]", **_kwargs):
        """Download effects of campaigns with charts, as far as the user may see them."""
        return self._export("crm.campaign.effect", request.env._("Campaign Effects"), model, domain)

    @route("/crm_scoring/channels.xlsx", type="http", auth="user", readonly=True)
    def channels(self, model="crm.channel.report", domain="[]", **_kwargs):
        """Download costs and results of sources, media and campaigns with charts."""
        return self._export(
            "crm.channel.report", request.env._("Sources and Channels"), model, domain
        )

    @route("/crm_scoring/occasions.xlsx", type="http", auth="user", readonly=True)
    def occasions(self, model="crm.occasion", domain="[]", **_kwargs):
        """Download occasions and what became of them with charts, as far as the user may see."""
        return self._export("crm.occasion", request.env._("Occasions"), model, domain)

    @route("/crm_scoring/trouble.xlsx", type="http", auth="user", readonly=True)
    def trouble(self, options="{}", **_kwargs):
        """Download why the plan was missed, as far as the user may see it."""
        try:
            content = request.env["crm.sales.trouble"]._export_xlsx(json.loads(options))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadRequest() from error
        except UserError as error:
            raise BadRequest(str(error)) from error
        return self._make_file(content, request.env._("Why the Plan Was Missed"))

    def _export(self, owner, name, model, domain):
        try:
            content = request.env[owner]._export_xlsx(model, json.loads(domain))
        except (ValueError, TypeError, KeyError) as error:
            raise BadRequest() from error
        return self._make_file(content, name)

    def _make_file(self, content, name):
        return request.make_response(
            content,
            [
                ("Content-Type", XLSX),
                ("Content-Disposition", content_disposition(name + ".xlsx")),
            ],
        )
