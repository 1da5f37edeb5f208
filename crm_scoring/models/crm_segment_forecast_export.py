from odoo import api, models
from odoo.fields import Domain

from ..tools.forecast import MEASURES
from ..tools.forecast_xlsx import CHARTED, build_forecast_workbook
from .crm_segment_forecast import get_line_columns


class CrmSegmentForecast(models.Model):
    """Forecasts as a workbook with charts, as far as the user may see them."""

    _inherit = "crm.segment.forecast"

    @api.model
    def _export_xlsx(self, model, domain):
        """Return the workbook.

        :param str model: the model the domain is about: forecasts or their months
        :param list domain: of that model
        :rtype: bytes
        """
        own = Domain("company_id", "in", self.env.companies.ids) & Domain(domain)
        lines = self.env["crm.segment.forecast.line"]
        if model == lines._name:
            groups = lines._read_group(own, ["forecast_id"])
            forecasts = self.search([("id", "in", [forecast.id for (forecast,) in groups])])
        elif model == self._name:
            forecasts = self.search(own)
        else:
            raise ValueError(model)
        columns = [name for measure in MEASURES for name in get_line_columns(measure)]
        months = {}
        for row in lines.search_read(
            [("forecast_id", "in", forecasts.ids)],
            ["forecast_id", "date", "is_forecast", *columns],
            order="forecast_id, date",
            load=None,
        ):
            months.setdefault(row["forecast_id"], []).append(row)
        labels = {
            name: field._description_string(self.env)
            for fields_ in (self._fields, lines._fields)
            for name, field in fields_.items()
        } | {
            "summary_sheet": self.env._("Forecasts"),
            "months_sheet": self.env._("Months"),
            "name": self.env._("Segment"),
            "forecast": self.env._("Forecast"),
            "actual": self.env._("Actual"),
            "explanation": self.env._("How It Was Found"),
        }
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        states = dict(self._fields["state"]._description_selection(self.env))
        methods = dict(self._fields["method"]._description_selection(self.env))
        return build_forecast_workbook(
            labels,
            [
                {
                    "name": forecast.display_name,
                    "kind": kinds[forecast.kind],
                    "state": states[forecast.state],
                    "months": forecast.months,
                    "turnover_past": forecast.turnover_past,
                    "turnover_next": forecast.turnover_next if forecast.state == "ok" else None,
                    "turnover_change": forecast.turnover_change if forecast.state == "ok" else None,
                    "method": methods.get(forecast.method),
                    "mase": forecast.mase if forecast.state == "ok" else None,
                    "mase_naive": forecast.mase_naive if forecast.state == "ok" else None,
                    "explanation": forecast.quality_text if number < CHARTED else None,
                    "lines": months.get(forecast.id, []),
                }
                for number, forecast in enumerate(forecasts)
            ],
            MEASURES,
        )
