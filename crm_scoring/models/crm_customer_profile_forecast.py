import io

import numpy as np
from odoo import api, fields, models
from odoo.addons.crm_scoring.tools import purchase_model
from odoo.tools import SQL

from .crm_customer_profile_scores import FORECASTS

HORIZONS = (30, 90, 365)  # days
CHECK_DAYS = 90  # held back to test the model on
CHECK_EVERY = 7  # days
WEEK = 7  # days: the unit of the model
PAGE = 50_000  # clients that are computed at a time


class CrmCustomerProfile(models.Model):
    """Chance that a client is still active, and what he will buy.

    The models are fitted per company by each full refresh, from the parameters of the last fit,
    over days with purchases; a test on the last 90 days, held back, is kept with them. Below
    ``purchase_model.MIN_REPEATERS`` clients with a second day, or when the fit does not converge,
    nothing is forecast.
    """

    _inherit = "crm.customer.profile"

    @api.model
    def _fit_purchase_models(self, analysis, today):
        """Fit both models to the figures and keep them, with diagnostics, on the analysis."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT purchase_days - 1, date_last - date_first, %s - date_first, COUNT(*)
                  FROM crm_tmp_figure WHERE frequency > 0
              GROUP BY 1, 2, 3
                """,
                today,
            )
        )
        data = np.array(rows, float).reshape(-1, 4)
        x, t_x, age, clients = data[:, 0], data[:, 1] / WEEK, data[:, 2] / WEEK, data[:, 3]
        repeaters = int(clients[x > 0].sum())
        if repeaters < purchase_model.MIN_REPEATERS:
            analysis._set_facts(purchase_model_state="few", bgnbd=False, gamma_gamma=False)
            return
        last = analysis.bgnbd or {}
        start = [last[name] for name in ("r", "alpha", "a", "b")] if last else None
        fit = purchase_model.fit_bgnbd(x, t_x, age, clients, start)
        if not fit.converged:
            analysis._set_facts(purchase_model_state="bad", bgnbd=False, gamma_gamma=False)
            return
        model = {
            **dict(zip(("r", "alpha", "a", "b"), fit.parameters, strict=True)),
            "log_likelihood": float(fit.log_likelihood),
            "iterations": fit.iterations,
            "clients": int(clients.sum()),
            "repeaters": repeaters,
            "check": last.get("check"),
        }
        checked = fields.Date.to_date((last.get("check") or {}).get("date"))
        if not checked or not 0 <= (today - checked).days < CHECK_EVERY:
            model["check"] = self._check_purchase_model(today, fit.parameters)
        analysis._set_facts(
            purchase_model_state="ok", bgnbd=model, gamma_gamma=self._fit_amounts(analysis)
        )

    @api.model
    def _fit_amounts(self, analysis):
        """Return the Gamma-Gamma model as JSON, or False when it does not hold."""
        rows = self.env.execute_query(
            SQL(
                "SELECT purchase_days - 1, repeat_mean FROM crm_tmp_figure"
                " WHERE purchase_days > 1 AND repeat_mean > 0"
            )
        )
        data = np.array(rows, float).reshape(-1, 2)
        if len(data) < purchase_model.MIN_REPEATERS:
            return False
        x, mean = data[:, 0], data[:, 1]
        last = analysis.gamma_gamma or {}
        start = [last[name] for name in ("p", "q", "v")] if last else None
        fit = purchase_model.fit_gamma_gamma(x, mean, start=start)
        if not fit.converged or fit.parameters[1] <= 1:
            return False
        both = x.std() * mean.std()
        correlation = float(((x - x.mean()) * (mean - mean.mean())).mean() / both) if both else 0.0
        return {
            **dict(zip(("p", "q", "v"), fit.parameters, strict=True)),
            "log_likelihood": float(fit.log_likelihood),
            "clients": len(x),
            "correlation": correlation,
        }

    @api.model
    def _check_purchase_model(self, today, start):
        """Fit without the last days and compare what it expects there with what happened.

        :return: JSON with date, expected, actual and deviation in percent; None with too few data
        """
        held_back = fields.Date.subtract(today, days=CHECK_DAYS)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT x, t_x, age, COUNT(*), SUM(after) FROM (
                    SELECT COUNT(DISTINCT date) FILTER (WHERE date <= %(until)s) - 1 AS x,
                           MAX(date) FILTER (WHERE date <= %(until)s) - MIN(date) AS t_x,
                           %(until)s - MIN(date) AS age,
                           COUNT(DISTINCT date) FILTER (WHERE date > %(until)s) AS after
                      FROM crm_tmp_document WHERE amount > 0
                  GROUP BY partner_id
                    HAVING MIN(date) <= %(until)s
                ) seen
              GROUP BY 1, 2, 3
                """,
                until=held_back,
            )
        )
        data = np.array(rows, float).reshape(-1, 5)
        x, clients = data[:, 0], data[:, 3]
        if clients[x > 0].sum() < purchase_model.MIN_REPEATERS:
            return None
        t_x, age = data[:, 1] / WEEK, data[:, 2] / WEEK
        fit = purchase_model.fit_bgnbd(x, t_x, age, clients, start)
        if not fit.converged:
            return None
        horizon = CHECK_DAYS / WEEK
        each = purchase_model.expected_purchases(fit.parameters, x, t_x, age, horizon)
        expected, actual = float(clients @ each), int(data[:, 4].sum())
        return {
            "date": fields.Date.to_string(today),
            "expected": expected,
            "actual": actual,
            "deviation": 100 * (expected / actual - 1) if actual else 0.0,
        }

    @api.model
    def _fill_forecasts(self, analysis, today):
        """Compute the forecasts of the clients in ``crm_tmp_figure``, page by page."""
        cr = self.env.cr
        cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE crm_tmp_forecast ON COMMIT DROP AS"
                " SELECT partner_id, %s FROM crm_customer_profile WITH NO DATA",
                SQL(", ").join(SQL.identifier(name) for name in FORECASTS),
            )
        )
        if analysis.purchase_model_state != "ok":
            return
        model, money = analysis.bgnbd, analysis.gamma_gamma
        parameters = tuple(model[name] for name in ("r", "alpha", "a", "b"))
        digits = analysis.company_id.currency_id.decimal_places
        amount = f"%.{digits}f" if money else r"\N"
        last_id = 0
        while True:
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT partner_id, purchase_days - 1, date_last - date_first,
                           %s - date_first, COALESCE(repeat_mean, 0)::float8
                      FROM crm_tmp_figure
                     WHERE frequency > 0 AND partner_id > %s
                  ORDER BY partner_id LIMIT %s
                    """,
                    today,
                    last_id,
                    PAGE,
                )
            )
            if not rows:
                break
            last_id = rows[-1][0]
            data = np.array(rows, float)
            x, t_x, age = data[:, 1], data[:, 2] / WEEK, data[:, 3] / WEEK
            columns = [
                data[:, 0].astype(int),
                100 * purchase_model.probability_alive(parameters, x, t_x, age),
            ]
            orders = [
                purchase_model.expected_purchases(parameters, x, t_x, age, days / WEEK)
                for days in HORIZONS
            ]
            columns += orders
            if money:
                mean = purchase_model.expected_mean(
                    tuple(money[name] for name in ("p", "q", "v")), x, data[:, 4]
                )
                columns += [expected * mean for expected in orders]
            line = "\t".join(["%d", "%.1f", *["%.2f"] * 3, *[amount] * 3])
            text = "\n".join(map(line.__mod__, zip(*(c.tolist() for c in columns), strict=True)))
            cr.copy_expert("COPY crm_tmp_forecast FROM STDIN", io.StringIO(text))
        cr.execute("ANALYZE crm_tmp_forecast (partner_id)")
