import json

from odoo.exceptions import UserError
from odoo.http import Controller, content_disposition, request, route
from werkzeug.exceptions import BadRequest

from .sale_deal_report import XLSX


class ManagersController(Controller):
    @route("/crm_extended/managers.xlsx", type="http", auth="user", readonly=True)
    def managers(self, options="{}", **_kwargs):
        """Download the comparison of managers, as far as the user may see it."""
        try:
            content = request.env["crm.manager.performance"]._export_report(json.loads(options))
        except (ValueError, TypeError, AttributeError) as error:
            raise BadRequest() from error
        except UserError as error:
            raise BadRequest(str(error)) from error
        name = request.env._("Comparison of Managers") + ".xlsx"
        return request.make_response(
            content,
            [("Content-Type", XLSX), ("Content-Disposition", content_disposition(name))],
        )
