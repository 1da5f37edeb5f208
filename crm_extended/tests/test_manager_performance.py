import io
import json
from datetime import date

import openpyxl
from freezegun import freeze_time
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, HttpCase, tagged
from odoo.tests.common import JsonRpcException
from odoo.tools import mute_logger

from ..tools import metric_period as periods
from ..tools.metric_forecast import forecast_run_rate, get_season, spread
from .common_managers import ManagersCommon


class TestPeriods(BaseCase):
    """Periods are days; months, quarters and fiscal years of any length."""

    def test_named(self):
        today = date(2026, 11, 28)
        for key, expected in {
            "yesterday": (date(2026, 11, 27), date(2026, 11, 27)),
            "this_week": (date(2026, 11, 23), date(2026, 11, 29)),
            "last_month": (date(2026, 10, 1), date(2026, 10, 31)),
            "this_quarter": (date(2026, 10, 1), date(2026, 12, 31)),
            "last_year": (date(2025, 1, 1), date(2025, 12, 31)),
        }.items():
            self.assertEqual(periods.get_period(key, today), expected, key)
        with self.assertRaises(KeyError):
            periods.get_period("sometime", today)

    def test_fiscal_years(self):
        get = periods.get_fiscal_year
        self.assertEqual(get(date(2026, 3, 31), 31, 3), (date(2025, 4, 1), date(2026, 3, 31)))
        self.assertEqual(get(date(2026, 4, 1), 31, 3), (date(2026, 4, 1), date(2027, 3, 31)))
        # years that end in February end on its last day
        self.assertEqual(get(date(2028, 2, 29), 28, 2), (date(2027, 3, 1), date(2028, 2, 29)))
        self.assertEqual(get(date(2027, 2, 10), 29, 2), (date(2026, 3, 1), date(2027, 2, 28)))
        last = periods.get_period("last_fiscal_year", date(2026, 4, 6), 5, 4)
        self.assertEqual(last, (date(2025, 4, 6), date(2026, 4, 5)))

    def test_before(self):
        feb28, feb27 = (date(2028, 2, 1), date(2028, 2, 29)), (date(2027, 2, 1), date(2027, 2, 28))
        self.assertEqual(periods.get_year_before(feb28), feb27)
        march = (date(2027, 3, 1), date(2027, 3, 31))
        self.assertEqual(periods.get_previous(march), feb27)
        quarter = (date(2026, 4, 1), date(2026, 6, 30))
        self.assertEqual(periods.get_previous(quarter), (date(2026, 1, 1), date(2026, 3, 31)))
        week = (date(2026, 3, 2), date(2026, 3, 8))
        self.assertEqual(periods.get_previous(week), (date(2026, 2, 23), date(2026, 3, 1)))
        fiscal = (date(2025, 4, 6), date(2026, 4, 5))
        self.assertEqual(periods.get_previous(fiscal), (date(2024, 4, 6), date(2025, 4, 5)))

    def test_cut(self):
        march, feb = (date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 2, 1), date(2026, 2, 28))
        self.assertEqual(periods.cut(march, feb, date(2026, 3, 10))[1], date(2026, 2, 10))
        self.assertEqual(periods.cut(march, feb, date(2026, 3, 30))[1], date(2026, 2, 28))
        self.assertEqual(periods.cut(march, feb, date(2026, 4, 2)), feb)

    def test_summer_time(self):
        """The day on which clocks change has 23 hours."""
        day = date(2026, 3, 29)
        start, end = periods.get_moments((day, day), "Europe/Berlin")
        self.assertEqual((end - start).total_seconds(), 23 * 3600)

    def test_plan_arithmetic(self):
        self.assertEqual(forecast_run_rate(100, 5, 20), 400)
        self.assertIsNone(forecast_run_rate(0, 0, 20))
        self.assertEqual(get_season([[None] * 12]), [1 / 12] * 12)
        self.assertEqual(sum(spread(1000, [1 / 12] * 12)), 1000)
        self.assertAlmostEqual(sum(spread(1000.5, get_season([[1] * 11 + [9]]))), 1000.5)


@tagged("post_install", "-at_install")
class TestManagerPerformance(ManagersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user, amount, day, month in (
            (cls.anna, 100, 5, 2),
            (cls.anna, 300, 10, 2),
            (cls.boris, 200, 5, 2),
            (cls.dan, 50, 5, 2),
            (cls.anna, 200, 5, 1),
            (cls.boris, 400, 5, 1),
            (cls.boris, 1000, 25, 1),
        ):
            cls._make_order(user, amount, cls._at(day, month=month))
        codes = ("orders", "orders_amount", "average_cheque", "plan_orders_amount")
        cls.metrics = cls.env["crm.metric"].search([("code", "in", codes)])
        cls.by_code = {metric.code: metric for metric in cls.metrics}

    def _options(self, **options):
        return {
            "metric_ids": self.metrics.ids,
            "group": "user",
            "period": "custom",
            "date_from": "2026-02-01",
            "date_to": "2026-02-28",
            "comparison": "previous",
            **options,
        }

    def _report(self, user, **options):
        Performance = self.env(user=user, context={"lang": "en_US"})["crm.manager.performance"]
        report = Performance.get_report(self._options(**options))
        index = {metric["id"]: place for place, metric in enumerate(report["metrics"])}
        cells = {
            row["key"]: {
                code: row["cells"][index[metric.id]] for code, metric in self.by_code.items()
            }
            for row in report["rows"]
        }
        return report, cells

    def test_compared_with_the_month_before(self):
        report, cells = self._report(self.admin)
        anna = cells[self.anna.id]
        self.assertEqual((anna["orders"]["value"], anna["orders"]["other"]), (2, 1))
        self.assertEqual(anna["orders"]["change"], 100)
        self.assertEqual(anna["orders"]["mood"], "good")
        boris = cells[self.boris.id]["orders_amount"]
        self.assertEqual((boris["value"], boris["other"], boris["mood"]), (200, 1400, "bad"))
        self.assertEqual(cells[self.anna.id]["average_cheque"]["value"], 200)
        self.assertIn("01/01/2026", report["other"])

    @freeze_time("2026-02-15 12:00:00")
    def test_running_month_is_compared_with_its_days(self):
        _report, cells = self._report(self.admin, period="this_month")
        self.assertEqual(cells[self.boris.id]["orders_amount"]["other"], 400, "not the 25th")

    @freeze_time("2026-03-15 12:00:00")
    def test_compared_with_plan_and_average(self):
        self.env["crm.sales.target"].create(
            {"metric_id": self.by_code["orders_amount"].id, "month": "2026-02-01",
             "user_id": self.anna.id, "value": 500}
        )  # fmt: skip
        _report, cells = self._report(self.admin, comparison="plan")
        self.assertEqual(cells[self.anna.id]["orders_amount"]["other"], 500)
        self.assertEqual(cells[self.anna.id]["plan_orders_amount"]["value"], 80)
        self.assertIsNone(cells[self.boris.id]["orders_amount"]["other"])
        _report, cells = self._report(
            self.admin, comparison="average", user_ids=(self.anna | self.boris).ids
        )
        self.assertEqual(cells[self.anna.id]["orders_amount"]["other"], 300)

    def test_roles(self):
        report, cells = self._report(self.anna)
        self.assertEqual(set(cells), {self.anna.id})
        amount = self.metrics.ids.index(self.by_code["orders_amount"].id)
        self.assertEqual(report["average"][amount]["value"], 200)  # 600 of three people
        _report, cells = self._report(self.head)
        self.assertEqual(set(cells), set((self.anna | self.boris | self.clara | self.head).ids))
        _report, cells = self._report(self.admin, group="team")
        self.assertEqual(cells[self.north.id]["orders_amount"]["value"], 600)
        _report, cells = self._report(self.anna, user_ids=self.dan.ids)
        self.assertFalse(cells, "asking for a colleague shows nothing of him")

    def test_records_behind(self):
        Performance = self.env(user=self.admin, context={})["crm.manager.performance"]
        (action,) = Performance.get_records_actions(
            self._options(), self.by_code["orders_amount"].id, self.anna.id
        )
        orders = self.env["sale.order"].search(action["domain"])
        self.assertEqual(sum(orders.mapped("amount_untaxed")), 400)
        actions = Performance.get_records_actions(
            self._options(), self.by_code["average_cheque"].id, self.anna.id
        )
        self.assertEqual(len(actions), 2)
        (action,) = Performance.get_records_actions(
            self._options(), self.by_code["orders"].id, self.boris.id, True
        )
        self.assertEqual(self.env["sale.order"].search_count(action["domain"]), 2)

    def test_bad_options(self):
        Performance = self.env(user=self.admin)["crm.manager.performance"]
        for wrong in (
            {"metric_ids": []},
            {"metric_ids": "1"},
            {"group": "planet"},
            {"comparison": "x"},
            {"period": "sometime"},
            {"date_from": "2026-03-01", "date_to": "2026-02-01"},
            {"date_from": "soon"},
            {"user_ids": ["1; DROP TABLE"]},
        ):
            with self.assertRaises(UserError, msg=wrong):
                Performance.get_report(self._options(**wrong))

    def test_saved(self):
        Performance = self.env["crm.manager.performance"]
        own = Performance.with_user(self.anna).create(
            {"name": "Mine", "metric_ids": [(6, 0, self.metrics.ids)], "user_id": self.dan.id}
        )
        self.assertEqual(own.user_id, self.anna, "made in one's own name")
        self.assertNotIn(own, Performance.with_user(self.boris).search([]))
        with self.assertRaises(AccessError):
            own.with_user(self.boris).read(["name"])
        own.with_user(self.anna).shared = True
        self.assertIn(own, Performance.with_user(self.boris).search([]))
        with self.assertRaises(AccessError):
            own.with_user(self.boris).name = "Yours"
        settings = Performance.with_user(self.boris).get_settings(own.id)
        self.assertEqual(settings["options"]["metric_ids"], self.metrics.ids)
        self.assertEqual([user["id"] for user in settings["users"]], self.boris.ids)
        plain = self.env["res.users"].create(
            {"name": "P", "login": "perf_plain",
             "group_ids": [(6, 0, [self.env.ref("base.group_user").id])]}
        )  # fmt: skip
        with self.assertRaises(AccessError):
            Performance.with_user(plain).get_report(self._options())

    def test_workbook(self):
        Performance = self.env(user=self.admin, context={"lang": "en_US"})[
            "crm.manager.performance"
        ]
        self.anna.name = "=1+1"
        book = openpyxl.load_workbook(
            io.BytesIO(Performance._export_report(self._options())), data_only=False
        )
        table, charts = book.worksheets
        rows = {row[0].value: row for row in table.iter_rows(min_row=5)}
        self.assertEqual(rows["=1+1"][0].data_type, "s")
        heads = [cell.value for cell in table[5]]
        amount = heads.index(self.by_code["orders_amount"].name)
        self.assertEqual((rows["=1+1"][amount].value, rows["=1+1"][amount + 1].value), (400, 200))
        self.assertGreaterEqual(len(charts._charts), 3)


@tagged("post_install", "-at_install")
class TestManagersDownload(ManagersCommon, HttpCase):
    def test_download(self):
        self.anna.password = "mgr_anna_secret"
        self.authenticate("mgr_anna", "mgr_anna_secret")
        metric = self.env["crm.metric"]._get_by_code("orders")
        options = json.dumps({"metric_ids": metric.ids, "period": "this_month"})
        response = self.url_open("/crm_extended/managers.xlsx", data=None, timeout=30,
                                 params={"options": options})  # fmt: skip
        self.assertEqual(response.status_code, 200)
        self.assertTrue(response.content.startswith(b"PK"))
        for wrong in ("nonsense", "[]", json.dumps({"metric_ids": [1], "period": "x"})):
            response = self.url_open(
                "/crm_extended/managers.xlsx", params={"options": wrong}, timeout=30
            )
            self.assertEqual(response.status_code, 400, wrong)


@tagged("post_install", "-at_install")
class TestManagersRpc(ManagersCommon, HttpCase):
    """Past the screen: what a salesperson, a head and an administrator get by their own calls."""

    def _call(self, model, method, *args, **kwargs):
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": list(args), "kwargs": kwargs},
        )

    def test_roles(self):
        for user, amount in ((self.anna, 100), (self.boris, 40), (self.dan, 7)):
            self._make_order(user, amount, self._at(5))
        metric = self.env["crm.metric"]._get_by_code("orders_amount")
        everybody = (self.anna | self.boris | self.dan).ids
        options = {
            "metric_ids": metric.ids, "group": "user", "period": "custom", "comparison": "none",
            "date_from": "2026-02-01", "date_to": "2026-02-28", "user_ids": everybody,
        }  # fmt: skip
        for user, expected in (
            (self.anna, {self.anna.id: 100}),
            (self.head, {self.anna.id: 100, self.boris.id: 40}),
            (self.admin, {self.anna.id: 100, self.boris.id: 40, self.dan.id: 7}),
        ):
            user.password = f"{user.login}_secret"
            self.authenticate(user.login, f"{user.login}_secret")
            report = self._call("crm.manager.performance", "get_report", options)
            told = {row["key"]: row["cells"][0]["value"] for row in report["rows"]}
            self.assertEqual(told, expected, user.login)
            self.assertEqual(report["total"][0]["value"], sum(expected.values()))
            # behind the figure of a colleague: nothing that is not one's own to see
            for person in self.anna | self.boris | self.dan:
                (action,) = self._call(
                    "crm.manager.performance", "get_records_actions", options, metric.id, person.id
                )
                rows = self._call(
                    "sale.order", "search_read", action["domain"], ["amount_untaxed"],
                    context=action["context"],
                )  # fmt: skip
                amount = sum(row["amount_untaxed"] for row in rows)
                self.assertEqual(amount, expected.get(person.id, 0), (user.login, person.login))
            board = self._call("crm.dashboard", "get_dashboard", "sales", options)
            tile = next(tile for tile in board["tiles"] if tile["key"] == "orders_amount")
            self.assertIn(str(sum(expected.values())), tile["text"])
        # what is not public stays so
        with mute_logger("odoo.http"), self.assertRaises(JsonRpcException):
            self._call("crm.metric", "_get_figures", [metric.id], [["2026-02-01", "2026-02-28"]])


@tagged("post_install", "-at_install")
class TestManagersScreens(HttpCase):
    """The screens open in a browser without an error."""

    def test_screens(self):
        for path, selector in (
            ("sales-dashboard", ".o_crm_dashboard [data-key=orders_amount]"),
            ("clients-dashboard", ".o_crm_dashboard [data-key=clients_new]"),
            ("sales-trouble", ".o_crm_trouble ol, .o_crm_trouble .text-muted"),
            ("managers", ".o_crm_managers_table tbody tr"),
            ("plans", ".o_crm_sheet tbody tr"),
        ):
            found = f"document.querySelector('{selector}')"
            self.browser_js(
                f"/odoo/{path}",
                "console.log('test successful')",
                ready=f"Boolean({found})",
                login="admin",
            )
