import io

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger
from openpyxl import load_workbook
from psycopg2.errors import CheckViolation

from .test_segment_forecast import ForecastCommon


@tagged("post_install", "-at_install")
class TestChannelReport(ForecastCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._new_user("channel_manager", "sales_team.group_sale_manager")
        cls.report = cls.env["crm.channel.report"]
        cls.site, cls.fair = cls.env["utm.source"].create(
            [{"name": "Channel site"}, {"name": "Channel fair"}]
        )
        cls.product = cls.env["product.product"].create({"name": "Thing", "taxes_id": False})

    def create_deal(self, source, **values):
        return self.env["crm.lead"].create(
            {
                "name": "Deal",
                "type": "opportunity",
                "source_id": source.id,
                "company_id": self.company.id,
                "user_id": False,
                "team_id": False,
                **values,
            }
        )

    def create_order(self, lines, date="2024-05-15 12:00:00", **values):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.clients[0].id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "product_uom_qty": quantity,
                            "price_unit": price,
                            "tax_ids": False,
                        }
                    )
                    for quantity, price in lines
                ],
                **values,
            }
        )
        order.action_confirm()
        order.date_order = date
        return order

    def create_cost(self, source, amount, date_from="2024-05-01", date_to="2024-05-31", **values):
        return self.env["crm.channel.cost"].create(
            {
                "source_id": source.id,
                "amount": amount,
                "date_from": date_from,
                "date_to": date_to,
                "company_id": self.company.id,
                "currency_id": self.company.currency_id.id,
                **values,
            }
        )

    def get_figures(self, source, *specs, domain=()):
        self.env.flush_all()
        [row] = self.report._read_group(
            [("source_id", "=", source.id), ("company_id", "=", self.company.id), *domain],
            [],
            specs,
        )
        return list(row)

    def test_figures(self):
        deals = [self.create_deal(self.site) for _number in range(4)]
        deals[0].action_set_won()
        deals[1].action_set_lost()
        self.create_order([(3, 100), (-1, 100)], opportunity_id=deals[0].id)
        self.create_order([(1, 400)], source_id=self.site.id)
        self.create_order([(1, 999)], source_id=self.fair.id)
        self.create_cost(self.site, 200)
        self.assertEqual(
            self.get_figures(
                self.site, "leads:sum", "won:sum", "orders:sum", "revenue:sum", "cost:sum"
            ),
            [4, 1, 2, 600, 200],
        )
        self.assertEqual(
            [
                float(number)
                for number in self.get_figures(
                    self.site, "roi:avg", "conversion:avg", "cost_per_lead:avg",
                    "cost_per_won:avg", "average:avg",
                )
            ],
            [200, 25, 50, 200, 300],
        )  # fmt: skip

    def test_nothing_spent_has_no_return(self):
        self.create_order([(1, 100)], source_id=self.site.id)
        self.assertFalse(self.get_figures(self.site, "roi:avg")[0])

    def test_cost_is_spread_over_its_days(self):
        self.create_cost(self.site, 91, "2024-01-31", "2024-04-30")
        months = [
            float(
                self.get_figures(
                    self.site, "cost:sum", domain=[("date", ">=", first), ("date", "<", after)]
                )[0]
            )
            for first, after in (
                ("2024-01-01", "2024-02-01"), ("2024-02-01", "2024-03-01"),
                ("2024-03-01", "2024-04-01"), ("2024-04-01", "2024-05-01"),
            )
        ]  # fmt: skip
        self.assertEqual(months, [1, 29, 31, 30])

    def test_currencies(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XCC",
                "symbol": "X",
                "rate_ids": [
                    Command.create({"name": "2020-01-01", "rate": 4, "company_id": self.company.id})
                ],
            }
        )
        cost = self.create_cost(self.site, 400, currency_id=currency.id)
        self.assertEqual(cost.amount_company, 100)
        self.assertEqual(self.get_figures(self.site, "cost:sum"), [100])

    def test_day_of_the_company(self):
        self.company.partner_id.tz = "Asia/Tokyo"
        self.create_order([(1, 70)], date="2024-05-31 16:00:00", source_id=self.site.id)
        june = [("date", ">=", "2024-06-01")]
        self.assertEqual(self.get_figures(self.site, "revenue:sum", domain=june), [70])

    def test_bad_costs(self):
        with self.assertRaises(ValidationError):
            self.create_cost(self.env["utm.source"], 10)
        for values in ({"amount": -1}, {"date_to": "2024-04-01"}):
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(CheckViolation),
                self.env.cr.savepoint(),
            ):
                self.create_cost(self.site, **{"amount": 5, **values}).flush_recordset()

    def test_rights(self):
        other = self.env["res.company"].create({"name": "Other channel company"})
        self.create_cost(self.site, 10)
        self.create_cost(self.site, 77, company_id=other.id, currency_id=other.currency_id.id)
        self.env.flush_all()
        seen = self.report.with_user(self.manager)
        self.assertEqual(seen.search([]).company_id, self.company)
        self.assertEqual(
            self.env["crm.channel.cost"].with_user(self.manager).search([]).mapped("amount"), [10]
        )
        for model in ("crm.channel.report", "crm.channel.cost"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.leader).search([])

    def test_workbook(self):
        self.create_cost(self.site, 10)
        self.create_order([(1, 100)], source_id=self.site.id)
        self.env.flush_all()
        content = self.report.with_user(self.manager)._export_xlsx("crm.channel.report", [])
        sheet = load_workbook(io.BytesIO(content)).worksheets[0]
        self.assertTrue(sheet._charts)
        self.assertEqual([cell.value for cell in sheet[2]][:8],
                         ["Channel site", 0, 0, None, 1, 100, 100, 10])  # fmt: skip
