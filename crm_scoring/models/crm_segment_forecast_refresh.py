import hashlib
import json
import logging

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.forecast import MEASURES, MIN_MONTHS, forecast_sales

_logger = logging.getLogger(__name__)

YEARS_BACK = 10
LOCK = 0x43464F43  # of the refresh, in the space of advisory locks of two numbers
VERSION = 2  # of the methods: a new one makes all forecasts anew


class CrmSegmentForecast(models.Model):
    """The refresh of the forecasts: one scan of the sales facts, one statement per kind.

    - Facts are added up once, by client and month, in a temporary table; each kind of segment is
      one grouping of it.
    - One transaction per company: killed at any point it leaves the forecasts as they were. One
      refresh of a company runs at a time; another one leaves everything to it.
    """

    _inherit = "crm.segment.forecast"

    @api.model
    def _cron_refresh(self):
        """Company by company, each in a transaction of its own."""
        cron = self.env["ir.cron"]
        companies = self.env["res.company"].search([])
        for done, company in enumerate(companies, 1):
            self._refresh_company(company)
            if not cron._commit_progress(1, remaining=len(companies) - done):
                break

    @api.model
    def _refresh_company(self, company, today=None, progress=None):
        """Forecast every segment of a company whose months have changed.

        :param datetime.date today: by default the day in the time zone of the company
        :param callable progress: called as ``progress(company, percent, phase)``
        :return: (written, deleted) numbers of forecasts
        """
        [(free,)] = self.env.execute_query(
            SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK, company.id)
        )
        if not free:
            _logger.info("The forecasts of company %s are being computed already", company.id)
            return 0, 0
        profiles = self.env["crm.customer.profile"]
        today = today or profiles._get_today(company)
        profiles._flush_inputs()
        self.env["crm.segment"].flush_model()
        self.flush_model()
        analysis = self.env["crm.customer.analysis"]._get_for(company)
        horizon = analysis.forecast_months
        end = fields.Date.start_of(today, "month")

        def tell(percent, phase):
            if progress:
                progress(company, percent, phase)

        tell(5, "months")
        self._fill_months(company, end)
        series = {}
        for number, (kind, query) in enumerate(self._get_kind_queries(company).items()):
            for key, *row in self.env.execute_query(query):
                series.setdefault((kind, key), []).append(row)
            tell(25 + 4 * number, "months")
        self.env.cr.execute("DROP TABLE crm_tmp_sales_month")
        written, deleted = self._write_forecasts(company, series, end, horizon, tell)
        tell(100, "done")
        return written, deleted

    @api.model
    def _fill_months(self, company, end):
        """Add up the facts before a month by client and month: turnover and number of orders."""
        self.env.cr.execute(
            SQL(
                """
                DROP TABLE IF EXISTS crm_tmp_sales_month;
                CREATE TEMPORARY TABLE crm_tmp_sales_month ON COMMIT DROP AS
                WITH parts AS MATERIALIZED (
                    SELECT f.commercial_partner_id AS partner_id,
                           date_trunc('month', f.date)::date AS month,
                           COALESCE(f.document, f.date::text) AS document,
                           SUM(f.amount) AS amount
                      FROM crm_sale_fact f
                     WHERE f.company_id = %(company)s
                       AND f.date >= %(start)s AND f.date < %(end)s
                  GROUP BY 1, 2, 3
                ),
                rows AS (
                    SELECT partner_id, month, amount AS turnover, 0 AS orders FROM parts
                     UNION ALL
                    SELECT partner_id, MAX(month), 0, 1
                      FROM parts
                  GROUP BY partner_id, document, date_part('year', month)
                    HAVING SUM(amount) > 0
                )
                SELECT partner_id, month, SUM(turnover) AS turnover, SUM(orders) AS orders
                  FROM rows
              GROUP BY partner_id, month;
                ANALYZE crm_tmp_sales_month
                """,
                company=company.id,
                start=end - relativedelta(years=YEARS_BACK),
                end=end,
            )
        )

    @api.model
    def _get_kind_queries(self, company):
        """Return dict of kind -> SELECT of key (text), month, turnover, orders, active clients."""
        segments = (
            self.env["crm.segment"].sudo().search([("company_id", "in", (company.id, False))])
        )
        profile = SQL(
            "JOIN crm_customer_profile p ON p.partner_id = m.partner_id AND p.company_id = %s",
            company.id,
        )
        partner = SQL("JOIN res_partner p ON p.id = m.partner_id")
        excluded = self.env["crm.customer.profile"]._get_excluded_partners().ids
        sources = {
            "company": (SQL("''"), SQL(""), SQL("TRUE")),
            "class": (SQL("p.customer_class"), profile, SQL("p.customer_class IS NOT NULL")),
            "rfm": (SQL("p.segment"), profile, SQL("p.score_recency > 0")),
            "country": (SQL("COALESCE(p.country_id, 0)::text"), partner, SQL("TRUE")),
            "state": (SQL("p.state_id::text"), partner, SQL("p.state_id IS NOT NULL")),
        }
        if segments:
            members = SQL(
                "JOIN (%s) p ON p.partner_id = m.partner_id", segments._get_member_query()
            )
            sources["segment"] = (SQL("p.segment_id::text"), members, SQL("TRUE"))
        return {
            kind: SQL(
                """
                SELECT %(key)s, m.month, SUM(m.turnover), SUM(m.orders),
                       COUNT(*) FILTER (WHERE m.orders > 0 AND m.partner_id != ALL(%(excluded)s))
                  FROM crm_tmp_sales_month m %(join)s
                 WHERE %(condition)s
              GROUP BY 1, 2
              ORDER BY 1, 2
                """,
                key=key,
                join=join,
                condition=condition,
                excluded=excluded,
            )
            for kind, (key, join, condition) in sources.items()
        }

    @api.model
    def _write_forecasts(self, company, series, end, horizon, tell):
        """Compute and write the forecasts whose months have changed; delete those without sales.

        :param dict series: (kind, key) -> rows of month, turnover, orders, clients
        :param datetime.date end: first day of the month that is not over
        """
        known = {(f.kind, f.key): f for f in self.search([("company_id", "=", company.id)])}
        gone = self.browse([f.id for key, f in known.items() if key not in series])
        deleted = len(gone)
        gone.unlink()
        written = 0
        for number, ((kind, key), rows) in enumerate(series.items(), 1):
            months, numbers = self._fill_gaps(rows, end)
            signature = hashlib.sha256(
                json.dumps([VERSION, horizon, str(end), months[0], numbers], default=str).encode()
            ).hexdigest()
            forecast = known.get((kind, key))
            if forecast and forecast.signature == signature:
                continue
            values, lines = self._prepare_forecast(months, numbers, end, horizon)
            values.update(signature=signature, date_refreshed=fields.Datetime.now())
            if forecast:
                forecast.line_ids.unlink()
                forecast.write(values)
            else:
                forecast = self.create(
                    {**values, **self._prepare_identity(kind, key), "company_id": company.id}
                )
            self.env["crm.segment.forecast.line"].create(
                [{**line, "forecast_id": forecast.id, "company_id": company.id} for line in lines]
            )
            written += 1
            tell(50 + 49 * number / len(series), "forecast")
        self.flush_model()
        self.env["crm.segment.forecast.line"].flush_model()
        return written, deleted

    @api.model
    def _prepare_identity(self, kind, key):
        record = (kind in ("country", "state", "segment") and int(key)) or False
        return {
            "kind": kind,
            "kind_order": [code for code, _name in self._fields["kind"].selection].index(kind),
            "key": key,
            "country_id": kind == "country" and record,
            "state_id": kind == "state" and record,
            "segment_id": kind == "segment" and record,
        }

    @api.model
    def _fill_gaps(self, rows, end):
        """Return all months from the first sale to ``end``, and their three numbers, zeros too."""
        by_month = {month: [float(n or 0) for n in numbers] for month, *numbers in rows}
        months, numbers = [], []
        month = rows[0][0]
        while month < end:
            months.append(month)
            numbers.append(by_month.get(month, [0.0, 0.0, 0.0]))
            month += relativedelta(months=1)
        return months, numbers

    @api.model
    def _prepare_forecast(self, months, numbers, end, horizon):
        """Return the values of a forecast and of its lines."""
        turnover, orders, clients = (list(column) for column in zip(*numbers, strict=True))
        lines = [
            {
                "date": month,
                "is_forecast": False,
                "turnover": turnover[i],
                "orders": orders[i],
                "clients": clients[i],
                "average": turnover[i] / orders[i] if orders[i] else 0.0,
            }
            for i, month in enumerate(months)
        ]
        values = {
            "state": "ok",
            "months": len(months),
            "date_last": months[-1],
            "horizon": horizon,
            "turnover_past": sum(turnover[-horizon:]),
            "turnover_next": 0.0,
            "turnover_change": 0.0,
            "method": False,
            "mase": 0.0,
            "mase_naive": 0.0,
            "quality": False,
        }
        if len(months) < MIN_MONTHS:
            return {**values, "state": "short"}, lines
        if not any(any(row) for row in numbers[-12:]):
            return {**values, "state": "idle"}, lines
        found = forecast_sales(turnover, orders, clients, horizon)
        for step in range(horizon):
            line = {"date": end + relativedelta(months=step), "is_forecast": True}
            for name in MEASURES:
                line[name] = float(found[name].mean[step])
                for level, (low, high) in found[name].bounds.items():
                    line[f"{name}_low_{level}"] = float(low[step])
                    line[f"{name}_high_{level}"] = float(high[step])
            lines.append(line)
        total, past = float(found["turnover"].mean.sum()), values["turnover_past"]
        return {
            **values,
            "turnover_next": total,
            "turnover_change": 100 * (total / past - 1) if past > 0 else 0.0,
            "method": found["turnover"].method,
            "mase": found["turnover"].mase,
            "mase_naive": found["turnover"].mase_naive,
            "quality": {
                name: {
                    "method": one.method,
                    "mase": _get_number(one.mase),
                    "mase_naive": _get_number(one.mase_naive),
                    "naive": one.naive,
                    "origins": one.origins,
                }
                for name, one in found.items()
            },
        }, lines


def _get_number(value):
    """Return a number as JSON takes it: None instead of NaN."""
    return float(value) if value == value else None
