from datetime import date, datetime

from freezegun import freeze_time
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

from .common_managers import ManagersCommon

FEB = (date(2026, 2, 1), date(2026, 2, 28))


@tagged("post_install", "-at_install")
class TestSalesTarget(ManagersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.metric = cls.env["crm.metric"]._get_by_code("orders_amount")
        cls.won = cls.env["crm.metric"]._get_by_code("deals_won")
        cls.calls = cls.env["crm.metric"]._get_by_code("calls")

    def _set(self, value, month="2026-02-10", metric=None, **bearer):
        return self.env["crm.sales.target"].create(
            {"metric_id": (metric or self.metric).id, "month": month, "value": value, **bearer}
        )

    def _as(self, user):
        return self.env(user=user, context={})

    # ------------------------------------------------------------
    # Targets
    # ------------------------------------------------------------

    def test_one_target_a_month(self):
        target = self._set(100, user_id=self.anna.id)
        self.assertEqual((target.month, target.scope), (date(2026, 2, 1), "person"))
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            self._set(200, month="2026-02-28", user_id=self.anna.id)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            self._set(200, user_id=self.anna.id, team_id=self.north.id)
        plan = self.env["crm.metric"]._get_by_code("plan_calls")
        with self.assertRaises(ValidationError):
            self._set(100, metric=plan, user_id=self.anna.id)

    def test_roles(self):
        own = self._set(100, user_id=self.anna.id)
        team = self._set(300, team_id=self.north.id)
        foreign = self._set(100, month="2026-03-01", user_id=self.dan.id)
        company = self._set(1000)
        mine = (own | team | foreign | company).ids

        def read(user):
            return self._as(user)["crm.sales.target"].search([("id", "in", mine)])

        self.assertEqual(read(self.anna), own | team)
        self.assertEqual(read(self.head), own | team)
        self.assertEqual(read(self.admin), own | team | foreign | company)
        with self.assertRaises(AccessError):
            own.with_user(self.anna).value = 1
        with self.assertRaises(AccessError):
            self._as(self.anna)["crm.sales.target"].create(
                {"metric_id": self.calls.id, "month": "2026-02-01", "value": 1,
                 "user_id": self.anna.id}
            )  # fmt: skip
        own.with_user(self.head).value = 120
        with self.assertRaises(AccessError):
            self._as(self.head)["crm.sales.target"].create(
                {"metric_id": self.calls.id, "month": "2026-02-01", "value": 1,
                 "user_id": self.dan.id}
            )  # fmt: skip
        with self.assertRaises(AccessError):
            own.with_user(self.head).user_id = self.dan

    def test_plans_add_up(self):
        """A team without a target has that of its people, the company that of its teams."""
        self._set(100, user_id=self.anna.id)
        self._set(50, user_id=self.boris.id)
        self._set(500, user_id=self.dan.id)
        metric = self.metric.with_env(self._as(self.admin))
        (plan,) = metric._get_plans([FEB], "team")
        self.assertEqual(plan, {self.north.id: 150, self.south.id: 500, None: 650})
        self._set(400, team_id=self.north.id)
        (plan,) = metric._get_plans([FEB], "team")
        self.assertEqual(plan, {self.north.id: 400, self.south.id: 500, None: 900})
        self._set(1000)
        (plan,) = metric._get_plans([FEB], "user")
        self.assertEqual(plan[None], 1000)
        half = (date(2026, 2, 1), date(2026, 2, 14))
        (plan,) = metric._get_plans([half], "user")
        self.assertEqual((plan[self.anna.id], plan[None]), (50, 500))

    def test_plan_of_a_share_is_not_added_up(self):
        cheque = self.env["crm.metric"]._get_by_code("average_cheque")
        for month, value in (("2026-01-01", 100), ("2026-02-01", 200)):
            self._set(value, month=month, metric=cheque, user_id=self.anna.id)
        both = (date(2026, 1, 1), date(2026, 2, 28))
        (plan,) = cheque.with_env(self._as(self.admin))._get_plans([both], "user")
        self.assertEqual(plan[self.anna.id], 150)

    @freeze_time("2026-02-13 12:00:00")  # 10 of 20 working days are gone
    def test_progress(self):
        self._set(1000, user_id=self.anna.id)
        self._set(400, user_id=self.boris.id)
        self._set(100, user_id=self.dan.id)
        self._make_order(self.anna, 400, datetime(2026, 2, 5, 12))
        self._make_order(self.boris, 400, datetime(2026, 2, 5, 12))
        self._make_order(self.dan, 48, datetime(2026, 2, 5, 12))
        progress = self.metric.with_env(self._as(self.admin))._get_progress(FEB, "user")
        anna = progress[self.anna.id]
        self.assertEqual((anna["fact"], anna["percent"], anna["forecast"]), (400, 40, 800))
        self.assertEqual(anna["mood"], "warning")
        self.assertEqual(progress[self.boris.id]["mood"], "cheer")
        self.assertEqual(progress[self.dan.id]["mood"], False)  # 96 % by the end
        fulfilled = self.env["crm.metric"]._get_by_code("plan_orders_amount")
        figures = fulfilled.with_env(self._as(self.admin))._get_figures([FEB], "user")
        self.assertEqual(figures[fulfilled.id][0][self.anna.id], 40)

    def test_target_of_another_company(self):
        other = self.env["res.company"].create({"name": "Other plan"})
        self._set(70, user_id=self.anna.id, company_id=other.id)
        (plan,) = self.metric.with_env(self._as(self.admin))._get_plans([FEB], "user")
        self.assertNotIn(self.anna.id, plan)

    # ------------------------------------------------------------
    # The sheet
    # ------------------------------------------------------------

    @freeze_time("2026-02-13 12:00:00")
    def test_sheet(self):
        Target = self._as(self.head)["crm.sales.target"]
        sheet = Target.get_sheet(self.metric.id)
        self.assertEqual((sheet["year"], sheet["months"][0]), (2026, date(2026, 1, 1)))
        rows = {row["key"]: row for row in sheet["rows"]}
        self.assertIn(f"team,{self.north.id}", rows)
        self.assertNotIn(f"user,{self.dan.id}", rows)
        self.assertNotIn(f"company,{self.company.id}", rows)
        key = f"user,{self.anna.id}"
        Target.set_sheet(
            self.metric.id,
            [
                {"key": key, "month": "2026-03-01", "value": 10},
                {"key": key, "month": "2026-04-01", "value": "20.5"},
            ],
        )
        Target.set_sheet(self.metric.id, [{"key": key, "month": "2026-03-01", "value": None}])
        rows = {row["key"]: row for row in Target.get_sheet(self.metric.id)["rows"]}
        self.assertEqual(rows[key]["values"][:5], [None, None, None, 20.5, None])
        with self.assertRaises(AccessError):
            Target.set_sheet(
                self.metric.id,
                [{"key": f"user,{self.dan.id}", "month": "2026-03-01", "value": 1}],
            )
        for value in ("much", -1, "nan"):
            with self.assertRaises(UserError):
                Target.set_sheet(
                    self.metric.id, [{"key": key, "month": "2026-03-01", "value": value}]
                )
        with self.assertRaises(UserError):
            Target.set_sheet(self.metric.id, [{"key": "x", "month": "2026-03-01", "value": 1}])

    def test_sheet_of_a_fiscal_year(self):
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        with freeze_time("2026-02-13"):
            sheet = self._as(self.admin)["crm.sales.target"].get_sheet(self.metric.id)
        self.assertEqual(sheet["months"][0], date(2025, 4, 1))
        self.assertEqual(sheet["months"][-1], date(2026, 3, 1))

    def test_sheet_of_a_salesman(self):
        rows = self._as(self.anna)["crm.sales.target"].get_sheet(self.metric.id)["rows"]
        self.assertEqual(
            {(row["key"], row["editable"]) for row in rows},
            {(f"user,{self.anna.id}", False), (f"team,{self.north.id}", False)},
        )

    @freeze_time("2026-02-13 12:00:00")
    def test_copy_with_growth(self):
        self._set(1000, month="2025-01-01", user_id=self.anna.id)
        self._make_order(self.anna, 500, datetime(2025, 2, 5, 12))
        Target = self._as(self.head)["crm.sales.target"]
        key = f"user,{self.anna.id}"
        self.assertEqual(Target.copy_last_year(self.metric.id, 2026, 10, [key]), 2)
        rows = {row["key"]: row for row in Target.get_sheet(self.metric.id, 2026)["rows"]}
        self.assertEqual(rows[key]["values"][:3], [1100, 550, None])

    @freeze_time("2026-02-13 12:00:00")
    def test_spread_by_season(self):
        for month in range(1, 13):
            amount = 300 if month == 12 else 100
            self._make_order(self.anna, amount, datetime(2025, month, 5, 12))
        Target = self._as(self.head)["crm.sales.target"]
        key = f"user,{self.anna.id}"
        Target.spread_year(self.metric.id, 2026, key, 2800)
        rows = {row["key"]: row for row in Target.get_sheet(self.metric.id, 2026)["rows"]}
        self.assertEqual(rows[key]["values"], [200] * 11 + [600])
        Target.spread_year(self.calls.id, 2026, key, 1000)  # no past: even
        rows = {row["key"]: row for row in Target.get_sheet(self.calls.id, 2026)["rows"]}
        self.assertEqual(sum(rows[key]["values"]), 1000)
        self.assertLessEqual(max(rows[key]["values"]) - min(rows[key]["values"]), 1)
