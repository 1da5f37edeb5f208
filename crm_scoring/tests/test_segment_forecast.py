import datetime
import io

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time
from odoo.addons.base.tests.common import BaseCommon
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from openpyxl import load_workbook

TODAY = datetime.date(2024, 6, 17)
END = datetime.date(2024, 6, 1)


class ForecastCommon(BaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # a company of its own: no fact of another test or of demo data
        cls.company = cls.env["res.company"].create({"name": "Forecast company"})
        cls.leader = cls._new_user("forecast_leader", "sales_team.group_sale_salesman_all_leads")
        cls.salesman = cls._new_user("forecast_salesman", "sales_team.group_sale_salesman")
        cls.germany, cls.france = cls.env.ref("base.de"), cls.env.ref("base.fr")
        cls.clients = cls.env["res.partner"].create(
            [
                {"name": f"Forecast client {number}", "country_id": country.id}
                for number, country in enumerate(
                    (cls.germany, cls.germany, cls.france, cls.env["res.country"])
                )
            ]
        )
        cls.forecasts = cls.env["crm.segment.forecast"]

    @classmethod
    def _new_user(cls, login, group, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env,
            login,
            f"base.group_user,{group}",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )

    @classmethod
    def add_facts(cls, rows, company=None):
        """Rows of client, date, amount, document."""
        company = company or cls.company
        return cls.env["crm.sale.history"].create(
            [
                {
                    "partner_id": client.id,
                    "date": date,
                    "amount": amount,
                    "document": document,
                    "company_id": company.id,
                    "currency_id": company.currency_id.id,
                    "is_return": amount < 0,
                }
                for client, date, amount, document in rows
            ]
        )

    @classmethod
    def add_months(cls, client, count, amount=100.0, end=END, **options):
        """A sale on the tenth of each of the last months."""
        return cls.add_facts(
            [
                (client, end - relativedelta(months=back, days=-9), amount, f"{client.id}-{back}")
                for back in range(1, count + 1)
            ],
            **options,
        )

    def refresh(self, today=TODAY):
        return self.forecasts._refresh_company(self.company, today=today)

    def get_forecast(self, kind, **values):
        return self.forecasts.search(
            [
                ("company_id", "=", self.company.id),
                ("kind", "=", kind),
                *((name, "=", value) for name, value in values.items()),
            ]
        )

    def get_month(self, forecast, month):
        return forecast.line_ids.filtered(lambda line: line.date == month)


@tagged("post_install", "-at_install")
class TestSegmentForecast(ForecastCommon):
    def test_months(self):
        client = self.clients[0]
        self.add_months(client, 14)
        may = datetime.date(2024, 5, 1)
        self.add_facts(
            [
                (client, datetime.date(2024, 5, 20), 60, "A"),
                (client, datetime.date(2024, 5, 20), 40, "A"),
                (self.clients[1], datetime.date(2024, 5, 31), -30, "R"),
                (self.clients[1], datetime.date(2024, 5, 31), 0, "Z"),
                (self.clients[2], datetime.date(2024, 6, 1), 500, "June"),
            ]
        )
        self.refresh()
        forecast = self.get_forecast("company")
        month = self.get_month(forecast, may)
        self.assertEqual(month.turnover, 170, "100 of each month, 100 on A, 30 came back")
        self.assertEqual(month.orders, 2, "neither a return nor a document of nothing is an order")
        self.assertEqual(month.clients, 1)
        self.assertEqual(month.average, 85)
        self.assertEqual(forecast.date_last, may)
        june = self.get_month(forecast, END)
        self.assertTrue(june.is_forecast, "the month is not over: its sales are not counted")
        self.assertEqual(len(forecast.line_ids.filtered("is_forecast")), 12)
        self.assertEqual(self.get_forecast("country", key=str(self.france.id)).ids, [])

    def test_figures_of_a_forecast(self):
        self.add_months(self.clients[0], 24)
        self.refresh()
        forecast = self.get_forecast("company")
        self.assertEqual(forecast.state, "ok")
        self.assertEqual(forecast.months, 24)
        self.assertAlmostEqual(forecast.turnover_past, 1200)
        self.assertAlmostEqual(forecast.turnover_next, 1200)
        self.assertAlmostEqual(forecast.turnover_change, 0)
        for line in forecast.line_ids.filtered("is_forecast"):
            self.assertAlmostEqual(line.average, line.turnover / line.orders)
            self.assertLessEqual(line.turnover_low_95, line.turnover_low_80)
            self.assertLessEqual(line.turnover_low_80, line.turnover)
            self.assertLessEqual(line.turnover_high_80, line.turnover_high_95)
        self.assertIn("24 months of sales", forecast.quality_text)
        self.assertEqual(len(forecast.chart["months"]), 36)

    def test_too_little_history_says_so(self):
        self.add_months(self.clients[0], 11)
        self.refresh()
        forecast = self.get_forecast("company")
        self.assertEqual(forecast.state, "short")
        self.assertFalse(forecast.line_ids.filtered("is_forecast"))
        self.assertIn("11", forecast.quality_text)

    def test_no_sales_for_a_year(self):
        self.add_months(self.clients[0], 14, end=datetime.date(2023, 5, 1))
        self.refresh()
        self.assertEqual(self.get_forecast("company").state, "idle")

    def test_kinds(self):
        for client in self.clients:
            self.add_months(client, 13)
        state = self.env["res.country.state"].create(
            {"name": "Region", "code": "RGN", "country_id": self.germany.id}
        )
        self.clients[0].state_id = state
        segment = self.env["crm.segment"].create(
            {
                "name": "Chosen",
                "kind": "static",
                "company_id": self.company.id,
                "member_ids": [
                    Command.create({"partner_id": client.id}) for client in self.clients[1:3]
                ],
            }
        )
        self.env["crm.customer.profile"]._refresh(self.company, today=TODAY)
        self.refresh()
        for kind, values, turnover in (
            ("company", {}, 4800),
            ("country", {"country_id": self.germany.id}, 2400),
            ("country", {"country_id": False}, 1200),
            ("state", {"state_id": state.id}, 1200),
            ("segment", {"segment_id": segment.id}, 2400),
        ):
            with self.subTest(kind=kind, **values):
                self.assertEqual(self.get_forecast(kind, **values).turnover_past, turnover)
        self.assertEqual(sum(self.get_forecast("class").mapped("turnover_past")), 4800)
        self.assertEqual(sum(self.get_forecast("rfm").mapped("turnover_past")), 4800)
        self.assertTrue(all(f.display_name for f in self.forecasts.search([])))
        profiles = self.env["crm.customer.profile"]
        for forecast in self.forecasts.search([("company_id", "=", self.company.id)]):
            action = forecast.action_view_clients()
            self.assertTrue(profiles.search(action["domain"]), forecast.display_name)

    def test_months_end_in_the_time_zone_of_the_company(self):
        self.company.partner_id.tz = "Asia/Tokyo"
        product = self.env["product.product"].create({"name": "Thing", "taxes_id": False})
        order = self.env["sale.order"].create(
            {
                "partner_id": self.clients[0].id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 70, "tax_ids": False})
                ],
            }
        )
        order.action_confirm()
        # the first of June in Tokyo
        order.date_order = "2024-05-31 16:00:00"
        product.active = False
        self.add_months(self.clients[0], 13)
        self.refresh(today=datetime.date(2024, 7, 1))
        forecast = self.get_forecast("company")
        self.assertEqual(self.get_month(forecast, END).turnover, 70)
        self.assertEqual(self.get_month(forecast, datetime.date(2024, 5, 1)).turnover, 100)
        with freeze_time("2024-06-30 20:00:00"):
            self.assertEqual(
                self.env["crm.customer.profile"]._get_today(self.company),
                datetime.date(2024, 7, 1),
                "June is over in Tokyo",
            )

    def test_foreign_currency(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XFC",
                "symbol": "X",
                "rate_ids": [
                    Command.create({"name": "2020-01-01", "rate": 4, "company_id": self.company.id})
                ],
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "X", "currency_id": currency.id, "company_id": self.company.id}
        )
        product = self.env["product.product"].create({"name": "Thing", "taxes_id": False})
        order = self.env["sale.order"].create(
            {
                "partner_id": self.clients[0].id,
                "company_id": self.company.id,
                "pricelist_id": pricelist.id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 400, "tax_ids": False})
                ],
            }
        )
        order.action_confirm()
        order.date_order = "2024-05-15 12:00:00"
        self.refresh()
        month = self.get_month(self.get_forecast("company"), datetime.date(2024, 5, 1))
        self.assertAlmostEqual(month.turnover, 100)

    def test_merged_clients(self):
        self.add_months(self.clients[0], 13)
        self.add_months(self.clients[1], 13)
        self.refresh()
        self.assertEqual(self.get_forecast("company").line_ids[0].clients, 2)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            self.clients[:2].ids, self.clients[0]
        )
        self.refresh()
        forecast = self.get_forecast("company")
        self.assertEqual(forecast.line_ids[0].clients, 1)
        self.assertEqual(forecast.turnover_past, 2400, "the sales went with the client")

    def test_only_what_changed_is_computed(self):
        self.add_months(self.clients[0], 13)
        self.add_months(self.clients[2], 13)
        self.assertGreaterEqual(self.refresh()[0], 3)
        self.assertEqual(self.refresh(), (0, 0), "nothing has changed")
        france = self.get_forecast("country", country_id=self.france.id)
        lines = france.line_ids.ids
        self.add_facts([(self.clients[0], datetime.date(2024, 5, 3), 11, "new")])
        self.assertEqual(self.refresh(), (2, 0), "the company and Germany")
        self.assertEqual(france.line_ids.ids, lines)
        self.env["crm.sale.history"].search([("partner_id", "=", self.clients[2].id)]).unlink()
        self.assertEqual(self.refresh()[1], 1, "France has no sales any more")

    def test_months_ahead_are_a_setting(self):
        analysis = self.env["crm.customer.analysis"]._get_for(self.company)
        analysis.forecast_months = 3
        self.add_months(self.clients[0], 13)
        self.refresh()
        self.assertEqual(len(self.get_forecast("company").line_ids.filtered("is_forecast")), 3)

    def test_companies_are_apart(self):
        other = self.env["res.company"].create({"name": "Other forecast company"})
        self.add_months(self.clients[0], 13)
        self.add_months(self.clients[0], 13, amount=7, company=other)
        self.refresh()
        self.forecasts._refresh_company(other, today=TODAY)
        self.assertEqual(self.get_forecast("company").turnover_past, 1200)
        seen = self.forecasts.with_user(self.leader).search([])
        self.assertEqual(seen.company_id, self.company)
        lines = self.env["crm.segment.forecast.line"].with_user(self.leader).search([])
        self.assertEqual(lines.company_id, self.company)

    def test_rights(self):
        self.add_months(self.clients[0], 13)
        self.refresh()
        with self.assertRaises(AccessError):
            self.forecasts.with_user(self.salesman).search([])
        with self.assertRaises(AccessError):
            self.get_forecast("company").with_user(self.leader).write({"turnover_next": 1})
        action = self.forecasts.with_user(self.leader).action_refresh()
        run = self.env["crm.customer.refresh"].browse(action["res_id"])
        self.assertEqual(
            (run.job, run.company_id, run.state), ("forecasts", self.company, "queued")
        )
        self.assertEqual(
            self.forecasts.with_user(self.leader).action_refresh()["res_id"],
            run.id,
            "asked for twice, computed once",
        )

    def test_workbook(self):
        self.add_months(self.clients[0], 24)
        self.clients[0].country_id.name = "=1+1"
        self.refresh()
        content = self.forecasts.with_user(self.leader)._export_xlsx(
            "crm.segment.forecast", [("kind", "in", ("company", "country"))]
        )
        book = load_workbook(io.BytesIO(content))
        self.assertEqual(len(book.worksheets), 4, "summary, two segments, months")
        self.assertTrue(all(len(sheet._charts) == 4 for sheet in book.worksheets[1:3]))
        self.assertEqual(book.worksheets[3].max_row, 1 + 2 * 36)
        self.assertEqual(book.worksheets[2]["A1"].value, "=1+1")
        self.assertEqual(book.worksheets[2]["A1"].data_type, "s")
        with self.assertRaises(ValueError):
            self.forecasts._export_xlsx("res.users", [])
