from datetime import date, datetime, timedelta

from freezegun import freeze_time
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tests import tagged

from .common_managers import ManagersCommon

FEB = (date(2026, 2, 1), date(2026, 2, 28))
JAN = (date(2026, 1, 1), date(2026, 1, 31))


@tagged("post_install", "-at_install")
class TestMetric(ManagersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deals = (
            cls._make_deal(cls.anna, 1000, cls._at(3))
            | cls._make_deal(cls.anna, 3000, cls._at(27))
            | cls._make_deal(cls.anna, 500, cls._at(10), won=False)
            | cls._make_deal(cls.boris, 700, cls._at(28, 20, minute=59))  # 23:59 in Moscow
            | cls._make_deal(cls.boris, 900, cls._at(28, 21))  # midnight: March
            | cls._make_deal(cls.boris, 400, cls._at(31, 21, month=1))  # already February
            | cls._make_deal(cls.boris, 800, cls._at(31, 20, month=1))  # still January
            | cls._make_deal(cls.dan, 5000, cls._at(15))
            | cls._make_deal(cls.clara, 100)
        )

    # ------------------------------------------------------------
    # Figures
    # ------------------------------------------------------------

    def test_figures_equal_plain_python(self):
        """Won, lost, amounts, averages and medians against a loop over the records."""
        figures = self._get_figures(
            ["deals_won", "deals_lost", "deals_won_amount", "win_rate", "cycle_days_median"],
            [FEB, JAN],
        )
        shift = timedelta(hours=3)
        for index, period in enumerate((FEB, JAN)):
            for user in self.anna | self.boris | self.dan:
                closed = self.deals.filtered(
                    lambda deal, user=user, period=period: deal.user_id == user
                    and deal.date_closed
                    and period[0] <= (deal.date_closed + shift).date() <= period[1]
                )
                won = closed.filtered(lambda deal: deal.won_status == "won")
                told = {code: figures[code][index].get(user.id) for code in figures}
                self.assertEqual(told["deals_won"] or 0, len(won), (user.login, period))
                self.assertEqual(told["deals_won_amount"] or 0, sum(won.mapped("expected_revenue")))
                self.assertEqual(told["deals_lost"] or 0, len(closed) - len(won))
                if closed:
                    self.assertAlmostEqual(told["win_rate"], 100 * len(won) / len(closed))
                days = sorted(won.mapped("day_close"))
                if days:
                    middle = len(days) // 2
                    median = (days[middle] + days[-middle - 1]) / 2
                    self.assertAlmostEqual(told["cycle_days_median"], median, 5)

    def test_time_zone_of_the_reader(self):
        """The same deals fall into other months for somebody in New York."""
        self.admin.tz = "America/New_York"
        figures = self._get_figures(["deals_won"], [FEB, JAN])["deals_won"]
        self.assertEqual(figures[0][self.boris.id], 2)  # both of 28 February
        self.assertEqual(figures[1][self.boris.id], 2)  # both of 31 January

    def test_leap_day(self):
        self._make_deal(self.anna, 10, datetime(2028, 2, 29, 12))
        leap = (date(2028, 2, 1), date(2028, 2, 29))
        figures = self._get_figures(["deals_won"], [leap])["deals_won"]
        self.assertEqual(figures[0][self.anna.id], 1)

    def test_open_at_the_end_of_the_period(self):
        """A deal is open at the end of January if it was entered by then and closed later."""
        deal = self.deals[1]  # closed on 27 February
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = '2026-01-10' WHERE id = %s", [deal.id]
        )
        figures = self._get_figures(["deals_open_amount"], [JAN, FEB])["deals_open_amount"]
        self.assertEqual(figures[0].get(self.anna.id), 3000)
        self.assertFalse(figures[1].get(self.anna.id))

    def test_drill_down_counts_the_same(self):
        """Every metric: as many records behind a figure as the figure says."""
        self._make_order(self.anna, 100, self._at(5))
        self._make_order(self.dan, 100, self._at(6))
        env = self.env(user=self.admin, context={})
        metrics = env["crm.metric"].search([("kind", "=", "own"), ("aggregate", "=", "count")])
        metrics = metrics.filtered(lambda metric: not metric.problem)
        figures = metrics._get_figures([FEB], "user")
        checked = 0
        for metric in metrics:
            for key, value in figures[metric.id][0].items():
                action = metric._get_drill_down_action(FEB, "user", key)
                records = env[action["res_model"]].with_context(action["context"])
                self.assertEqual(records.search_count(action["domain"]), value, (metric.code, key))
                checked += bool(value)
        self.assertGreater(checked, 8)

    def test_segment(self):
        segment = self.env["crm.segment"].create(
            {"name": "Buyers", "kind": "live", "domain": f"[('id', '=', {self.buyer.id})]"}
        )
        segment._refresh() if hasattr(segment, "_refresh") else segment.action_refresh()
        other = self.env["res.partner"].create({"name": "Another"})
        self._make_deal(self.anna, 10, self._at(4), partner_id=other.id)
        everything = self._get_figures(["deals_won"], [FEB])["deals_won"][0]
        members = self._get_figures(["deals_won"], [FEB], segment_ids=segment.ids)["deals_won"][0]
        self.assertEqual((everything[self.anna.id], members[self.anna.id]), (3, 2))

    def test_one_statement_a_model(self):
        """Ten metrics of deals, for everybody and two periods, are one statement."""
        env = self.env(user=self.admin, context={})
        metrics = env["crm.metric"].search([("model", "=", "crm.lead")])
        self.assertGreater(len(metrics), 9)
        metrics._get_figures([FEB, JAN], "user")  # fills the caches
        queries = env.cr.sql_log_count
        metrics._get_figures([FEB, JAN], "user")
        self.assertLessEqual(env.cr.sql_log_count - queries, 2)

    # ------------------------------------------------------------
    # People and teams
    # ------------------------------------------------------------

    def test_changed_team(self):
        """Deals stay with the team in which they were made."""
        self.north.member_ids -= self.anna
        self.south.member_ids |= self.anna
        self._make_deal(self.anna, 10, self._at(20), team=self.south)
        teams = self._get_figures(["deals_won"], [FEB], group="team")["deals_won"][0]
        self.assertEqual(teams[self.north.id], 4)  # two of Anna's, two of Boris's
        self.assertEqual(teams[self.south.id], 2)
        head = self._get_figures(["deals_won"], [FEB], user=self.head)["deals_won"][0]
        self.assertEqual(head[self.anna.id], 2, "what she did elsewhere is not the head's")

    def _make_call(self, user, moment, **values):
        return self.env["crm.interaction"].create(
            {
                "subject": "Call",
                "kind": "call",
                "state": "done",
                "direction": "out",
                "user_id": user.id,
                "date_start": moment,
                "partner_id": self.buyer.id,
                "company_id": self.company.id,
                **values,
            }
        )

    def test_changed_team_of_what_has_no_team(self):
        """Calls count for the team in which their person was on their day."""
        for day in (5, 9, 20):
            self._make_call(self.anna, self._at(day))
        self._make_call(self.boris, self._at(20))
        with freeze_time(self._at(10)):
            self.north.member_ids -= self.anna
            self.south.member_ids |= self.anna
        with freeze_time(self._at(25)):
            self.south.member_ids -= self.anna
            self.north.member_ids |= self.anna
        self._make_call(self.anna, self._at(26))
        teams = self._get_figures(["calls"], [FEB, JAN], group="team")["calls"][0]
        self.assertEqual((teams[self.north.id], teams[self.south.id]), (4, 1))
        head = self._get_figures(["calls"], [FEB], user=self.head)["calls"][0]
        self.assertEqual(head[self.anna.id], 3, "what she did elsewhere is not the head's")
        only = self._get_figures(["calls"], [FEB], team_ids=self.south.ids)["calls"][0]
        self.assertEqual(only, {self.anna.id: 1, None: 1})
        for user, filters, group, key, expected in (
            (self.admin, {}, "team", self.north.id, 4),
            (self.admin, {}, "team", self.south.id, 1),
            (self.admin, {"team_ids": self.south.ids}, "user", self.anna.id, 1),
            (self.head, {}, "user", self.anna.id, 3),
        ):
            metric = self.env(user=user, context={})["crm.metric"]._get_by_code("calls")
            action = metric._get_drill_down_action(FEB, group, key, filters)
            calls = self.env["crm.interaction"].search(action["domain"])
            self.assertEqual(len(calls), expected, (user.login, filters, key))

    def test_changed_team_by_days(self):
        """A date without a time: the day of the change counts for the team it began in."""
        metric = self.env["crm.metric"].create(
            {"name": "Due", "code": "own_due", "model": "crm.lead", "date_field": "date_deadline",
             "domain": f"[('id', 'in', {self.deals.ids})]"}
        )  # fmt: skip
        for deal, day in zip(self.deals[:3], (9, 10, 11), strict=True):
            deal.date_deadline = date(2026, 2, day)
        with freeze_time(self._at(10)):
            self.north.member_ids -= self.anna
            self.south.member_ids |= self.anna
        teams = self._get_figures(["own_due"], [FEB], group="team")["own_due"][0]
        self.assertEqual((teams[self.north.id], teams[self.south.id]), (2, 1))
        for team, expected in ((self.north, self.deals[:2]), (self.south, self.deals[2])):
            domain = metric._get_records_domain(FEB, "team", team.id)
            leads = self.env["crm.lead"].with_context(active_test=False)
            self.assertEqual(set(leads.search(domain).ids), set(expected.ids))

    def test_past_teams(self):
        """Every road out of a team is noted; what is corrected at once is not."""
        past = self.env["crm.team.past"]
        with freeze_time(self._at(10)):
            self.boris.action_archive()
            self.clara.crm_team_member_ids.unlink()
        row = past.search([("user_id", "=", self.boris.id)])
        self.assertEqual(
            (row.team_id, row.date_from, row.date_to), (self.north, False, self._at(10))
        )
        self.assertEqual(past.search([("user_id", "=", self.clara.id)]).team_id, self.north)
        with freeze_time(self._at(12)):
            self.south.member_ids |= self.clara
            self.north.member_ids |= self.clara  # put right
        rows = past.search([("user_id", "=", self.clara.id)])
        self.assertFalse(rows.filtered(lambda row: row.date_from == row.date_to))
        with self.assertRaises(AccessError):
            past.with_user(self.admin).create({"user_id": self.anna.id, "date_to": self._at(1)})
        with self.assertRaises(AccessError):
            past.with_user(self.anna).search([])
        self._make_call(self.boris, self._at(5))
        teams = self._get_figures(["calls"], [FEB], group="team")["calls"][0]
        self.assertEqual(teams[self.north.id], 1, "who has left counts for his team")

    def test_overdue_work(self):
        """Contacts, activities, whatever is late, of everybody, though nobody is told."""
        self.company.crm_overdue_report = False
        deal = self.deals[-1]
        with freeze_time(self._at(20)):
            deal.activity_schedule(
                "mail.mail_activity_data_todo", user_id=self.anna.id,
                date_deadline=date(2026, 2, 10),
            )  # fmt: skip
            self._make_call(self.anna, self._at(12), state="planned")
            self._make_call(self.boris, self._at(22), state="planned")
            self.env["crm.overdue"]._refresh(self._at(20))
        figures = self._get_figures(["overdue_work"], [FEB], user=self.head)["overdue_work"][0]
        self.assertEqual(figures, {self.anna.id: 2, None: 2})
        metric = self.env(user=self.head, context={})["crm.metric"]._get_by_code("overdue_work")
        action = metric._get_drill_down_action(FEB, "user", self.anna.id)
        self.assertEqual(
            set(self.env["crm.overdue"].with_user(self.head).search(action["domain"]).mapped(
                "res_model")),
            {"mail.activity", "crm.interaction"},
        )  # fmt: skip

    def test_left(self):
        self.boris.action_archive()
        figures = self._get_figures(["deals_won"], [FEB])["deals_won"][0]
        self.assertEqual(figures[self.boris.id], 2)

    def test_roles(self):
        def told(user):
            return self._get_figures(["deals_won"], [FEB], user=user)["deals_won"][0]

        self.assertEqual(told(self.anna), {self.anna.id: 2, None: 2})
        self.assertEqual(told(self.head), {self.anna.id: 2, self.boris.id: 2, None: 4})
        self.assertEqual(told(self.admin).get(self.dan.id), 1)
        self.assertGreaterEqual(told(self.admin)[None], 5)

    def test_head_with_own_documents_only(self):
        """He is told the figures of his team, and of no other."""
        self.head.write(
            {"group_ids": [(6, 0, [self.env.ref("sales_team.group_sale_salesman").id])]}
        )
        figures = self._get_figures(["deals_won"], [FEB], user=self.head)["deals_won"][0]
        self.assertEqual(figures, {self.anna.id: 2, self.boris.id: 2, None: 4})

    def test_filters_do_not_widen(self):
        """Asking for colleagues does not show their figures."""
        figures = self._get_figures(
            ["deals_won"], [FEB], user=self.anna, user_ids=[self.dan.id, self.boris.id]
        )
        self.assertFalse(figures["deals_won"][0].get(None))

    def test_team_average(self):
        env = self.env(user=self.anna, context={})
        metrics = env["crm.metric"].search([("code", "in", ("deals_won", "win_rate"))])
        averages = metrics._get_peer_averages([FEB])
        won, rate = (averages[metrics.filtered(lambda m, c=c: m.code == c).id][0]
                     for c in ("deals_won", "win_rate"))  # fmt: skip
        self.assertAlmostEqual(won, 4 / 3)  # of three people
        self.assertAlmostEqual(rate, 100 * 4 / 5)
        self.north.member_ids -= self.clara
        averages = metrics._get_peer_averages([FEB])
        self.assertEqual({value for (value,) in averages.values()}, {None}, "of two: disclosed")

    def test_conditions_ask_for_the_rights_of_the_reader(self):
        """The average of colleagues is read with all rights, and would tell anything."""
        metric = self.env["crm.metric"].create(
            {
                "name": "Oracle",
                "code": "oracle",
                "model": "crm.lead",
                "domain": "[('partner_id.signup_type', '!=', False)]",
                "timing": "now",
            }
        )
        own = metric.with_env(self.env(user=self.anna, context={}))
        self.assertTrue(own.problem)
        self.assertEqual(own._get_peer_averages([FEB]), {metric.id: [None]})
        self.assertEqual(own._get_figures([FEB]), {metric.id: [{}]})

    def test_links_lead_to_no_secret(self):
        metric = self.env["crm.metric"].create(
            {
                "name": "Lists",
                "code": "lists",
                "model": "sale.order",
                "timing": "now",
                "aggregate": "distinct",
                "measure": "pricelist_id.name",
            }
        )
        own = metric.with_env(self.env(user=self.admin, context={}))
        self.assertFalse(own.problem)
        self.env["crm.secrecy.rule"].create({"name": "Lists", "subject": "pricelist"})
        own.invalidate_recordset()
        self.assertIn("no right", own.problem)

    def test_app_without_right(self):
        plain = self.env["res.users"].create(
            {"name": "Plain", "login": "mgr_plain", "group_ids": [
                (6, 0, [self.env.ref("base.group_user").id])]}
        )  # fmt: skip
        metric = self.env(user=plain)["crm.metric"]._get_by_code("deals_won")
        self.assertIn("no right", metric.problem)
        self.assertEqual(metric._get_figures([FEB], "user"), {metric.id: [{}]})
        with self.assertRaises(AccessError):
            metric.name = "Mine"

    # ------------------------------------------------------------
    # Companies and money
    # ------------------------------------------------------------

    def test_two_companies(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.dan.company_ids |= other
        self._make_deal(self.dan, 50, self._at(2), company_id=other.id, team_id=False)
        self.admin.company_ids |= other
        env = self.env(user=self.admin, context={})
        metric = env["crm.metric"]._get_by_code("deals_won")

        def count(*companies):
            ids = [company.id for company in companies]
            told = metric.with_context(allowed_company_ids=ids)
            return told._get_figures([FEB], "user")[metric.id][0].get(self.dan.id, 0)

        self.assertEqual(count(self.company), 1)
        self.assertEqual(count(other), 1)
        self.assertEqual(count(self.company, other), 2)

    def test_money_at_the_rate_of_the_day(self):
        currency = self.env["res.currency"].create(
            {"name": "MTR", "symbol": "M", "rate_ids": [
                (0, 0, {"name": "2026-02-01", "rate": 2.0}),
                (0, 0, {"name": "2026-02-10", "rate": 4.0}),
            ]}
        )  # fmt: skip
        pricelist = self.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": currency.id}
        )
        orders = self._make_order(self.anna, 100, self._at(5), pricelist_id=pricelist.id)
        orders |= self._make_order(self.anna, 100, self._at(12), pricelist_id=pricelist.id)
        orders |= self._make_order(self.anna, 7, self._at(13))
        self.assertEqual(orders.currency_id, currency | self.company.currency_id)
        expected = sum(
            order.currency_id._convert(
                order.amount_untaxed, self.company.currency_id, self.company,
                order.date_order.date(), round=False,
            )
            for order in orders
        )  # fmt: skip
        figures = self._get_figures(["orders_amount", "average_cheque"], [FEB])
        self.assertAlmostEqual(figures["orders_amount"][0][self.anna.id], expected)
        self.assertAlmostEqual(figures["average_cheque"][0][self.anna.id], expected / 3)

    def test_clients(self):
        """First orders, returns after a year, and repeat orders; contacts are their company."""
        old, new = self.env["res.partner"].create(
            [{"name": "Old", "is_company": True}, {"name": "New", "is_company": True}]
        )
        contact = self.env["res.partner"].create({"name": "Contact", "parent_id": new.id})
        first = self._make_order(self.anna, 1, self._at(1, month=1, year=2025), partner=old)
        back = self._make_order(self.anna, 1, self._at(3), partner=old)
        fresh = self._make_order(self.anna, 1, self._at(4), partner=new)
        repeat = self._make_order(self.anna, 1, self._at(5), partner=contact)
        self.assertEqual(
            (first | back | fresh | repeat).mapped("client_turn"),
            ["new", "returned", "new", "repeat"],
        )
        figures = self._get_figures(["clients_new", "clients_returned", "clients_served"], [FEB])
        told = {code: figures[code][0].get(self.anna.id) for code in figures}
        self.assertEqual(told, {"clients_new": 1, "clients_returned": 1, "clients_served": 2})
        self.env["crm.sale.history"].create(
            {"partner_id": new.id, "date": "2025-12-01", "document": "A-1", "quantity": 1,
             "amount": 5, "company_id": self.company.id}
        )  # fmt: skip
        fresh.invalidate_recordset()
        self.assertEqual(fresh.client_turn, "repeat", "the imported past counts")

    # ------------------------------------------------------------
    # Definitions
    # ------------------------------------------------------------

    def test_definition_is_checked(self):
        valid = {"name": "Own", "code": "own_test", "model": "crm.lead",
                 "date_field": "create_date", "user_field": "user_id"}  # fmt: skip
        for wrong, words in (
            ({"model": "no.such"}, "no model"),
            ({"date_field": "nothing"}, "no field"),
            ({"date_field": "name"}, "right kind"),
            ({"date_field": False}, "missing"),
            ({"aggregate": "sum"}, "missing"),
            ({"aggregate": "sum", "measure": "company_currency"}, "right kind"),
            ({"aggregate": "sum", "measure": "duplicate_lead_count"}, "not stored"),
            ({"domain": "[('nothing', '=', 1)]"}, "cannot be understood"),
            ({"domain": "__import__('os')"}, "cannot be understood"),
            ({"user_field": "partner_id"}, "right kind"),
            ({"kind": "ratio"}, "two metrics"),
        ):
            with self.assertRaises(ValidationError) as caught:
                self.env["crm.metric"].create({**valid, **wrong})
            self.assertIn(words, str(caught.exception))
        metric = self.env["crm.metric"].create({**valid, "domain": "[('priority', '=', '3')]"})
        self._make_deal(self.anna, 1, priority="3")
        today = date.today()
        env = self.env(user=self.admin, context={})
        figures = metric.with_env(env)._get_figures([(today, today + timedelta(days=1))], "user")
        self.assertEqual(figures[metric.id][0][self.anna.id], 1)

    def test_uninstalled_app_is_left_out(self):
        """A metric whose model is gone says so and disturbs nobody."""
        gone = self.env["crm.metric"].create(
            {"name": "Gone", "code": "gone", "model": "crm.lead", "date_field": "create_date"}
        )
        self.env.cr.execute("UPDATE crm_metric SET model = 'x.gone' WHERE id = %s", [gone.id])
        gone.invalidate_recordset()
        self.assertIn("x.gone", gone.problem)
        self.assertEqual(gone._get_figures([FEB], "user")[gone.id], [{}])
        won = self.env["crm.metric"]._get_by_code("deals_won")
        self.assertTrue((gone | won)._get_figures([FEB], "user")[won.id][0])

    def test_every_ready_metric_can_be_told(self):
        """All that is shipped works, but for apps that are not installed."""
        metrics = self.env["crm.metric"].search([])
        self.assertGreaterEqual(len(metrics), 30)
        broken = metrics.filtered("problem")
        self.assertLessEqual(
            set(broken.mapped("code")), {"orders_margin", "margin_share"}, broken.mapped("problem")
        )
        figures = (metrics - broken)._get_figures([FEB, JAN], "team")
        self.assertEqual(set(figures), set((metrics - broken).ids))
        self.assertTrue(Domain(metrics[0]._get_domain()) is not None)
