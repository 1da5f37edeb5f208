from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.fields import Command, Date, Datetime
from odoo.tests import tagged

from .common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimDashboard(ClaimCommon):
    """Each figure equals the records that it opens, as far as the user reads them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        now = Datetime.now()
        closed = cls.env["crm.claim"]._get_stage_of_state("closed").id
        cls.claims = cls.env["crm.claim"]
        for days in (0, 2, 5, 20, 45, 100):
            cls.claims |= cls._create_claim(
                user_id=cls.user_own.id, date_registered=now - timedelta(days=days)
            )
        cls.claims |= cls._create_claim(
            date_registered=now - timedelta(days=8),
            stage_id=closed,
            decision="partly",
            decision_text="x",
            cause_id=cls.cause.id,
        )
        cls.claims[0].fault_ids = [
            Command.create({"department_id": cls.warehouse.id, "share": 70, "reason": "Seen"}),
            Command.create({"department_id": cls.production.id, "share": 30, "reason": "Seen"}),
        ]
        cls.secret = cls._create_claim(user_id=cls.user_manager.id, confidential=True)
        today = Date.today()
        cls.options = {
            "period": "custom",
            "date_from": str(today - timedelta(days=120)),
            "date_to": str(today + timedelta(days=1)),
        }
        cls.env.flush_all()

    def _get(self, user, **options):
        dashboard = self.env["crm.dashboard"].with_user(user)
        return dashboard.get_dashboard("claims", {**self.options, **options})

    def _count(self, user, action):
        return (
            self.env[action["res_model"]]
            .with_user(user)
            .with_context(**action["context"])
            .search_count(action["domain"])
        )

    def _check(self, user, **options):
        """Whatever opens records counts them."""
        data = self._get(user, **options)
        for tile in data["now"]:
            self.assertEqual(tile["value"], self._count(user, tile["action"]), tile["key"])
        for tile in data["tiles"]:
            if tile["key"] in ("claims_new", "claims_handled"):
                self.assertEqual(tile["value"], self._count(user, tile["action"]), tile["key"])
        for chart in data["charts"]:
            bars = [one for one in chart["series"] if not one.get("percent")]
            for index, actions in enumerate(chart["actions"]):
                actions = actions if isinstance(actions, list) else [actions]
                for one, action in zip(bars, actions, strict=True):
                    count = self._count(user, action)
                    self.assertEqual(one["data"][index], count, (chart["key"], index))
        return data

    def _chart(self, data, key):
        [chart] = [chart for chart in data["charts"] if chart["key"] == key]
        return chart

    def _now(self, data):
        return {tile["key"]: tile["value"] for tile in data["now"]}

    def test_figures(self):
        data = self._check(self.user_all)
        self.assertEqual(self._now(data)["open"], 6)
        self.assertEqual(self._chart(data, "open_age")["series"][0]["data"], [2, 1, 1, 2])
        registered, handled = self._chart(data, "trend")["series"]
        self.assertEqual((sum(registered["data"]), len(registered["data"])), (7, 12))
        self.assertEqual(sum(handled["data"]), 1)
        self.assertEqual(self._chart(data, "decision")["labels"], ["Partly Satisfied"])
        tiles = {tile["key"]: tile["text"] for tile in data["tiles"]}
        self.assertEqual((tiles["claims_new"], tiles["claims_handled"]), ("7", "1"))

    def test_pareto(self):
        data = self._check(self.user_all)
        chart = self._chart(data, "cause")
        self.assertEqual(chart["labels"], ["Not found yet", "Test Cause"])
        count, cumulated = chart["series"]
        self.assertEqual(count["data"], [6, 1])
        self.assertEqual(cumulated["data"], [85.7, 100.0])

    def test_structure(self):
        [table] = self._get(self.user_all)["tables"]
        rows = {row[0]["text"]: row for row in table["rows"]}
        self.assertEqual(
            list(rows), ["Not found yet", "Test Warehouse", "Test Production", "Total"]
        )
        texts = {name: [cell["text"] for cell in row[1:]] for name, row in rows.items()}
        self.assertEqual(texts["Test Warehouse"], ["0.7", "", "0.7", "10.0\N{NO-BREAK SPACE}%"])
        self.assertEqual(texts["Total"], ["6", "1", "7", "100.0\N{NO-BREAK SPACE}%"])
        for name, wanted in (("Test Warehouse", 1), ("Not found yet", 6), ("Total", 7)):
            action = rows[name][-2]["action"]
            self.assertEqual(self._count(self.user_all, action), wanted, name)

    def test_mine_and_team(self):
        mine = self._check(self.user_all, user_ids=self.user_own.ids)
        self.assertEqual(self._now(mine)["open"], 6)
        self.assertFalse(self._now(mine)["unassigned"])
        self.assertFalse(self._now(self._check(self.user_all, user_ids=self.user_all.ids))["open"])
        other = self.team.copy({"name": "Other Team"})
        self.claims[0].team_id = other
        data = self._check(self.user_all, team_ids=other.ids)
        self.assertEqual(self._now(data)["open"], 1)

    def test_choices(self):
        dashboard = self.env["crm.dashboard"]
        everybody = dashboard.with_user(self.user_all).get_choices("claims")
        self.assertIn(self.user_own.id, [user["id"] for user in everybody["users"]])
        self.assertEqual(everybody["mine"], self.user_all.id)
        self.assertIn(self.team.id, [team["id"] for team in everybody["teams"]])
        own = dashboard.with_user(self.user_own).get_choices("claims")
        self.assertEqual([user["id"] for user in own["users"]], self.user_own.ids)

    def test_segments_are_for_those_who_read_them(self):
        segment = self.env["crm.segment"].create({"name": "Best", "domain": "[]"})
        with self.assertRaises(AccessError):
            self._get(self.user_all, segment_ids=segment.ids)

    def test_secrets_are_not_counted(self):
        self.assertEqual(self._now(self._check(self.user_manager))["open"], 7)
        self.assertEqual(self._now(self._check(self.user_own))["open"], 6)
        for user in (self.user_employee, self.user_accountant):
            with self.assertRaises(AccessError):
                self._get(user)

    def test_accused_do_not_count_theirs(self):
        self._new_user("claims_blamed", "crm_claims.crm_claims_group_user_all")
        blamed = self.env["res.users"].search([("login", "=", "claims_blamed")])
        employee = self.env["hr.employee"].create(
            {"name": "Blamed", "company_id": self.company.id, "user_id": blamed.id}
        )
        self.claims[1].fault_ids = [
            Command.create({"employee_id": employee.id, "share": 100, "reason": "Seen"})
        ]
        data = self._check(blamed)
        self.assertEqual(self._now(data)["open"], 5)
        [table] = data["tables"]
        self.assertEqual(table["rows"][-1][-2]["text"], "6")

    def test_other_companies_are_not_counted(self):
        other = self.env["res.company"].create({"name": "Second Claims Ltd"})
        self.env["crm.claim"].create(
            {"subject": "Other", "partner_id": self.customer.id, "company_id": other.id}
        )
        self.user_manager.company_ids = [Command.link(other.id)]
        dashboard = self.env["crm.dashboard"].with_user(self.user_manager)
        data = dashboard.with_context(allowed_company_ids=other.ids).get_dashboard(
            "claims", self.options
        )
        self.assertEqual(self._now(data)["open"], 1)

    def test_time_zone_of_the_user(self):
        for zone in ("Asia/Tokyo", "America/Los_Angeles"):
            self.user_all.tz = zone
            self._check(self.user_all)

    def test_constant_number_of_queries(self):
        self._get(self.user_manager)
        self.env.invalidate_all()
        with self.assertQueryCount(60):
            self._get(self.user_manager)
