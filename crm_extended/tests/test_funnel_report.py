import io
import json
import random
from datetime import timedelta
from itertools import pairwise
from statistics import median

import openpyxl
from odoo import Command
from odoo.exceptions import AccessError
from odoo.fields import Datetime
from odoo.tests import HttpCase, tagged
from odoo.tests.common import new_test_user

from ..tools.funnel_xlsx import STAGE_FIGURES, build_funnel_workbook
from .test_stage_history import StageHistoryCommon

MEASURES = ("reached", "entered", "skipped", "passed", "still_there", "lost", "went_back", "won")


class FunnelCommon(StageHistoryCommon):
    def _get_domain(self):
        return [("team_id", "=", self.team.id)]

    def _get_stage(self, stage, domain=None, **context):
        self.env.flush_all()
        report = self.env["crm.funnel.report"]
        names = [*(f"{name}:sum" for name in MEASURES), "conversion:avg", "lost_share:avg"]
        names += ["days:avg", "days_median:avg", "started:sum"]
        (row,) = report._read_group(
            [*(domain or self._get_domain()), ("stage_id", "=", stage.id)], [], names
        )
        return {name.partition(":")[0]: value or 0 for name, value in zip(names, row, strict=True)}

    def _assert_stage(self, stage, **expected):
        found = self._get_stage(stage)
        self.assertEqual(
            {name: found[name] for name in MEASURES},
            dict.fromkeys(MEASURES, 0) | expected,
            f"stage {stage.name}",
        )
        return found


@tagged("post_install", "-at_install")
class TestFunnelReport(FunnelCommon):
    """Figures worked out by hand."""

    def test_straight_way(self):
        lead = self._create()
        self._move(lead, self.b, days=2)
        self._move(lead, self.c, days=3)
        with self._later(4):
            lead.action_set_won()
        for stage, days in ((self.a, 2), (self.b, 3), (self.c, 4)):
            found = self._assert_stage(stage, reached=1, entered=1, passed=1)
            self.assertAlmostEqual(found["days_median"], days)
            self.assertEqual(found["conversion"], 100)
        self._assert_stage(self.won, reached=1, entered=1, won=1)

    def test_skipped_stage(self):
        lead = self._create()
        self._move(lead, self.c)
        self._assert_stage(self.a, reached=1, entered=1, passed=1)
        found = self._assert_stage(self.b, reached=1, skipped=1, passed=1)
        self.assertEqual(found["days"], 0, "no time was spent there")
        self._assert_stage(self.c, reached=1, entered=1, still_there=1)

    def test_won_directly(self):
        lead = self._create()
        with self._later(6):
            lead.action_set_won()
        self._assert_stage(self.a, reached=1, entered=1, passed=1)
        self._assert_stage(self.b, reached=1, skipped=1, passed=1)
        self._assert_stage(self.c, reached=1, skipped=1, passed=1)
        self._assert_stage(self.won, reached=1, entered=1, won=1)
        total = self.env["crm.funnel.report"].get_funnel(self._get_domain())["total"]
        self.assertEqual(total["won"], 1)
        self.assertAlmostEqual(total["days_to_win"], 6)

    def test_started_in_the_middle(self):
        self._create(stage_id=self.b.id)
        self._assert_stage(self.a)
        self._assert_stage(self.b, reached=1, entered=1, still_there=1)
        self.assertEqual(self._get_stage(self.b)["started"], 1)
        self._create(stage_id=self.won.id)
        self._assert_stage(self.c)
        self._assert_stage(self.won, reached=1, entered=1, won=1)

    def test_went_back(self):
        lead = self._create()
        self._move(lead, self.b, days=1)
        self._move(lead, self.c, days=2)
        self._move(lead, self.b, days=4)
        self._assert_stage(self.a, reached=1, entered=1, passed=1)
        self._assert_stage(self.b, reached=1, entered=1, passed=1, still_there=1)
        self._assert_stage(self.c, reached=1, entered=1, went_back=1)
        self._lose(lead, days=8)
        found = self._assert_stage(self.b, reached=1, entered=1, passed=1, lost=1)
        self.assertAlmostEqual(found["days"], 2 + 8, msg="both stays together")
        self._assert_stage(self.c, reached=1, entered=1, went_back=1)

    def test_came_back_to_a_skipped_stage(self):
        """It stands there now, so it has not been skipped, and has not passed it since."""
        lead = self._create()
        self._move(lead, self.c)
        self._move(lead, self.b)
        self._assert_stage(self.b, reached=1, entered=1, still_there=1)
        self._assert_stage(self.c, reached=1, entered=1, went_back=1)

    def test_lost_and_restored(self):
        lead = self._create()
        self._move(lead, self.b, days=1)
        self._lose(lead, days=2)
        found = self._assert_stage(self.b, reached=1, entered=1, lost=1)
        self.assertEqual(found["lost_share"], 100)
        self._assert_stage(self.a, reached=1, entered=1, passed=1)
        with self._later(50):
            lead.action_restore()
        self._assert_stage(self.b, reached=1, entered=1, still_there=1)
        self._move(lead, self.c, days=3)
        found = self._assert_stage(self.b, reached=1, entered=1, passed=1)
        self.assertAlmostEqual(found["days"], 2 + 3, msg="not the time when it was lost")

    def test_set_aside(self):
        lead = self._create(probability=30)
        with self._later():
            lead.action_archive()
        self._assert_stage(self.a, reached=1, entered=1, went_back=1)

    def test_reopened_after_winning(self):
        lead = self._create()
        with self._later():
            lead.action_set_won()
        self._move(lead, self.c)
        self._assert_stage(self.a, reached=1, entered=1, passed=1)
        self._assert_stage(self.b, reached=1, skipped=1, passed=1)
        self._assert_stage(self.c, reached=1, entered=1, still_there=1)
        self._assert_stage(self.won, reached=1, entered=1)

    def test_median_is_not_the_average(self):
        for days in (1, 2, 30):
            lead = self._create()
            self._move(lead, self.b, days=days)
        found = self._get_stage(self.a)
        self.assertAlmostEqual(found["days_median"], 2)
        self.assertAlmostEqual(found["days"], 11)
        sets = self.env["crm.funnel.report"].formatted_read_grouping_sets(
            self._get_domain(), [["stage_id"], []], ["days_median:avg"]
        )
        self.assertAlmostEqual(sets[1][0]["days_median:avg"], 2, msg="the pivot has medians, too")

    def test_stages_of_other_teams_are_not_skipped(self):
        other = self.env["crm.team"].create({"name": "Other", "company_id": False})
        stage = self.env["crm.stage"].create(
            {"name": "Theirs", "sequence": 501, "team_ids": [Command.set(other.ids)]}
        )
        everybodys = self.env["crm.stage"].create({"name": "All", "sequence": 501})
        lead = self._create()
        self._move(lead, self.c)
        self._assert_stage(stage)
        self._assert_stage(everybodys, reached=1, skipped=1, passed=1)

    def test_order_of_a_process(self):
        """C comes first there, B is no step: it is neither skipped nor first."""
        process = self.env["crm.sale.process"].create(
            {
                "name": "C first",
                "control": "manual",
                "step_ids": [
                    Command.create({"sequence": sequence, "stage_id": stage.id})
                    for sequence, stage in enumerate((self.c, self.a, self.won))
                ],
            }
        )
        lead, second = self._create(2, stage_id=self.c.id, process_id=process.id)
        self._move(lead, self.a, days=2)
        self._assert_stage(self.c, reached=2, entered=2, passed=1, still_there=1)
        self._assert_stage(self.a, reached=1, entered=1, still_there=1)
        self._assert_stage(self.b)
        with self._later():
            second.action_set_won()
        self._assert_stage(self.a, reached=2, entered=1, skipped=1, passed=1, still_there=1)
        self._assert_stage(self.b)
        report = self.env["crm.funnel.report"]
        funnel = report.get_funnel(self._get_domain(), "process_id")
        self.assertEqual([stage["name"] for stage in funnel["stages"]], ["C", "A", "Won"])
        self.assertEqual(funnel["groups"][0]["label"], "C first")
        self._create()
        funnel = report.get_funnel(self._get_domain())
        self.assertEqual([stage["name"] for stage in funnel["stages"]], ["A", "C", "Won"])

    def test_deleted_stage(self):
        lead = self._create()
        self._move(lead, self.b)
        self._move(lead, self.c)
        self.b.unlink()
        self._assert_stage(self.a, reached=1, entered=1, passed=1)
        self._assert_stage(self.c, reached=1, entered=1, still_there=1)

    def test_periods(self):
        """By the day the stage was reached, and by the day the deal started."""
        lead = self._create()
        self._move(lead, self.b, days=40)
        march, april = "2026-04-01", [("date", ">=", "2026-04-01"), *self._get_domain()]
        self.assertEqual(self._get_stage(self.a, april)["reached"], 0)
        self.assertEqual(self._get_stage(self.b, april)["reached"], 1)
        started = [("date_deal", "<", march), *self._get_domain()]
        self.assertEqual(self._get_stage(self.a, started)["reached"], 1)
        self.assertEqual(self._get_stage(self.b, started)["reached"], 1)

    def test_by_salesperson(self):
        """A deal counts for whoever worked on it in the stage."""
        lead = self._create()
        self._move(lead, self.b)
        with self._later():
            lead.user_id = self.sales2
        self._lose(lead)
        funnel = self.env["crm.funnel.report"].get_funnel(self._get_domain(), "user_id")
        groups = {group["label"]: group for group in funnel["groups"]}
        first, second = groups[self.sales.name], groups[self.sales2.name]
        self.assertEqual(first["stages"][self.a.id]["passed"], 1)
        self.assertNotIn(self.b.id, first["stages"])
        self.assertEqual(second["stages"][self.b.id]["lost"], 1)
        self.assertEqual((first["deals"], first["lost"]), (1, 0))
        self.assertEqual((second["deals"], second["lost"]), (1, 1))
        self.assertEqual(
            self.env["crm.funnel.report"].search_count([*self._get_domain(), *second["domain"]]), 1
        )

    def test_by_team_source_and_process(self):
        """Groups split the deals, and open those which they count."""
        self._lose(self._create(source_id=self.source.id))
        self._move(self._create(2), self.b)
        for groupby, labels in (
            ("team_id", {self.team.name: (3, 1)}),
            ("source_id", {self.source.name: (1, 1), None: (2, 0)}),
            ("process_id", {None: (3, 1)}),
        ):
            groups = self.env["crm.funnel.report"].get_funnel(self._get_domain(), groupby)["groups"]
            found = {}
            for group in groups:
                has_value = any(group["label"] == label for label in labels)
                found[group["label"] if has_value else None] = (group["deals"], group["lost"])
                deals = self.env["crm.funnel.report"].search(
                    [*self._get_domain(), *group["domain"]]
                )
                self.assertEqual(len(deals.lead_id), group["deals"], groupby)
            self.assertEqual(found, labels, groupby)

    def test_funnel_in_the_order_of_the_pipeline(self):
        self._move(self._create(), self.b)
        lost = self._create()
        self._lose(lost)
        funnel = self.env["crm.funnel.report"].get_funnel(self._get_domain(), "date_deal:month")
        self.assertEqual([stage["name"] for stage in funnel["stages"]], ["A", "B"])
        self.assertEqual(funnel["stages"][0]["conversion"], 50)
        self.assertEqual(funnel["total"]["deals"], 2)
        self.assertEqual(funnel["total"]["lost"], 1)
        self.assertEqual([group["label"] for group in funnel["groups"]], ["March 2026"])
        action = self.env["crm.funnel.report"].get_deals_action(
            [*self._get_domain(), ("lost", "=", 1)], "Lost"
        )
        found = self.env["crm.lead"].with_context(**action["context"]).search(action["domain"])
        self.assertEqual(found, lost)
        with self.assertRaises(ValueError):
            self.env["crm.funnel.report"].get_funnel([("no_field", "=", 1)])
        with self.assertRaises(ValueError):
            self.env["crm.funnel.report"].get_funnel([], "no_field")

    def test_nothing_there(self):
        funnel = self.env["crm.funnel.report"].get_funnel(self._get_domain(), "user_id")
        self.assertEqual(funnel["stages"], [])
        self.assertEqual(funnel["groups"], [])
        self.assertEqual(funnel["total"]["deals"], 0)
        self.assertTrue(self.env["crm.funnel.report"]._export_funnel_xlsx(self._get_domain()))

    def test_random_walks(self):
        """Deals wander at random; the report says what a simulation of each of them says."""
        random_ = random.Random(20260302)
        stages = [self.a, self.b, self.c, self.won]
        days = {}  # (deal, stage number) -> days, for stays that have ended
        walks = []
        for _number in range(40):
            place = random_.choice((0, 0, 0, 1, 2))
            lead = self._create(stage_id=stages[place].id, probability=random_.choice((10, 50)))
            walk = {"lead": lead, "places": [place], "state": "open", "since": self.now}
            walks.append(walk)
            for _step in range(random_.randrange(7)):
                pause = random_.randrange(1, 9)
                act = random_.choice(("move", "move", "move", "lose", "restore", "archive"))
                if act == "move":
                    target = random_.randrange(4)
                    if walk["state"] != "open" or target == walk["places"][-1]:
                        continue
                    self._move(lead, stages[target], days=pause)
                    self._end_stay(walk, days)
                    walk["places"].append(target)
                elif act == "restore":
                    if walk["state"] == "open":
                        continue
                    with self._later(pause):
                        lead.action_restore()
                    walk |= {"state": "open", "since": self.now}
                    walk["places"].append(walk["places"][-1])
                elif walk["state"] == "open" and walk["places"][-1] != 3:
                    with self._later(pause):
                        if act == "lose":
                            lead.action_set_lost()
                        else:
                            lead.action_archive()
                    self._end_stay(walk, days)
                    walk["state"] = "lost" if act == "lose" else "aside"
        self.assertIn("lost", {walk["state"] for walk in walks})
        for number, stage in enumerate(stages):
            expected = self._simulate(walks, number)
            found = self._get_stage(stage)
            self.assertEqual({name: found[name] for name in MEASURES}, expected, stage.name)
            if number == 3:
                continue
            spent = [
                days[walk["lead"], number]
                for walk in walks
                if (walk["lead"], number) in days
                and not (walk["state"] == "open" and walk["places"][-1] == number)
            ]
            self.assertAlmostEqual(found["days_median"], median(spent), 5)

    def _end_stay(self, walk, days):
        key = walk["lead"], walk["places"][-1]
        spent = (self.now - walk["since"]).total_seconds() / 86400
        days[key] = days.get(key, 0) + spent
        walk["since"] = self.now

    def _simulate(self, walks, stage):
        """The measures of one stage, deal by deal, from the places where the deal has been."""
        counts = dict.fromkeys(MEASURES, 0)
        for walk in walks:
            places, state = walk["places"], walk["state"]
            here = places[-1] == stage
            if stage in places:
                followed = places[places.index(stage) :]
                passed = stage != 3 and any(place > stage for place in followed)
                still = here and state == "open" and stage != 3
                lost = here and state == "lost"
                counts["entered"] += 1
                counts["passed"] += passed
                counts["still_there"] += still
                counts["lost"] += lost
                counts["won"] += here and stage == 3
                counts["went_back"] += stage != 3 and not (passed or still or lost)
            elif any(one < stage < other for one, other in pairwise(places)):
                counts["skipped"] += 1
                counts["passed"] += 1
        counts["reached"] = counts["entered"] + counts["skipped"]
        return counts

    def test_query_count(self):
        self._move(self._create(5), self.b)
        self.env.flush_all()
        with self.assertQueryCount(8):
            self.env["crm.funnel.report"].get_funnel(self._get_domain(), "user_id")

    def test_access(self):
        mine, others = self._create(), self._create(user_id=self.sales2.id)
        self._lose(mine)
        self.env.flush_all()
        Report = self.env["crm.funnel.report"]
        domain = self._get_domain()
        for user, leads in (
            (self.sales, mine),
            (self.sales2, others),
            (self.manager, mine | others),
            (self.accountant, mine | others),
        ):
            with self.subTest(user=user.login):
                report = Report.with_user(user)
                self.assertEqual(report.search(domain).lead_id, leads)
                self.assertEqual(report.get_funnel(domain)["total"]["deals"], len(leads))
                action = report.get_deals_action(domain, "All")
                self.assertEqual(set(action["domain"][0][2]), set(leads.ids))
        with self.assertRaises(AccessError):
            Report.with_user(new_test_user(self.env, "funnel_plain")).get_funnel(domain)

    def test_two_companies(self):
        company = self.env["res.company"].create({"name": "Funnel Abroad"})
        self._create(company_id=self.env.company.id, user_id=False)
        self._create(company_id=company.id, user_id=False)
        self.env.flush_all()
        report = self.env["crm.funnel.report"].with_user(self.manager)
        self.assertEqual(report.get_funnel(self._get_domain())["total"]["deals"], 1)
        self.manager.company_ids |= company
        both = report.with_context(allowed_company_ids=[self.env.company.id, company.id])
        self.assertEqual(both.get_funnel(self._get_domain())["total"]["deals"], 2)

    def test_workbook(self):
        self.b.name = "=1+1"
        self._move(self._create(4), self.b)
        self._lose(self._create())
        content = self.env["crm.funnel.report"]._export_funnel_xlsx(self._get_domain(), "user_id")
        book = openpyxl.load_workbook(io.BytesIO(content))
        funnel, comparison = book.worksheets
        rows = [row for row in funnel.iter_rows(values_only=True) if row[0]]
        head = next(row for row in rows if row[0] == "Stage")
        values = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
        self.assertEqual(values["A"]["Reached"], 5)
        self.assertAlmostEqual(values["A"]["Conversion (%)"], 0.8)
        self.assertEqual(values["A"]["Lost"], 1)
        self.assertEqual(values["=1+1"]["Still There"], 4)
        self.assertEqual(funnel.cell(2, 2).value, 5, "deals")
        self.assertEqual(len(funnel._charts), 1)
        table = list(comparison.iter_rows(values_only=True))
        self.assertEqual(table[0][:3], ("Salesperson", "Deals", "A"))
        self.assertEqual(table[1][:3], (self.sales.name, 5, 5))

    def test_workbook_without_database(self):
        labels = dict.fromkeys(
            (*STAGE_FIGURES, "title", "groups", "group", "deals", "win_rate", "stage_id"), "[x]/*"
        ) | {"days_to_win": "Days", "groups": "Other"}
        total = {"deals": 0, "won": 0, "lost": 0, "still_there": 0, "days_to_win": None}
        content = build_funnel_workbook(labels, {"total": total, "stages": [], "groups": []})
        (sheet,) = openpyxl.load_workbook(io.BytesIO(content)).worksheets
        self.assertEqual(sheet.title, "x")


@tagged("post_install", "-at_install")
class TestFunnelScreen(FunnelCommon, HttpCase):
    def test_chart(self):
        """The chart shows every stage with its figures; what was lost is one click away."""
        self.now = Datetime.now() - timedelta(days=20)
        self._move(self._create(), self.b)
        self._lose(self._create(name="Went to a competitor"))
        code = """
            const read = (node, name) => node.querySelector(name)?.textContent.trim();
            const stages = [...document.querySelectorAll(".o_crm_funnel_stage")].map((stage) => [
                read(stage, ".o_crm_funnel_name .fw-bold"),
                read(stage, ".o_crm_funnel_count"),
                parseFloat(read(stage, ".o_crm_funnel_conversion")),
                parseFloat(read(stage, ".o_crm_funnel_link_lost") || "0"),
            ]);
            const expected = [["A", "2", 50, 1], ["B", "1", null, 0]];
            if (JSON.stringify(stages) !== JSON.stringify(expected)) {
                console.error(`The funnel shows ${JSON.stringify(stages)}`);
            }
            document.querySelector(".o_crm_funnel_link_lost").click();
            const timer = setInterval(() => {
                const rows = [...document.querySelectorAll(".o_data_row, .o_kanban_record")];
                if (rows.some((row) => row.textContent.includes("Went to a competitor"))) {
                    clearInterval(timer);
                    console.log("test successful");
                }
            }, 100);
        """
        self.browser_js(
            "/odoo/funnel",
            code,
            ready="!!document.querySelector('.o_crm_funnel_stage')",
            login="hist_sales",
        )


@tagged("post_install", "-at_install")
class TestFunnelDownload(HttpCase):
    def test_download(self):
        new_test_user(self.env, "dl_sales", "base.group_user,sales_team.group_sale_salesman")
        new_test_user(self.env, "dl_none", "base.group_user")
        self.authenticate("dl_sales", "dl_sales")
        url = "/crm_extended/funnel.xlsx"
        domain = json.dumps([["date_deal", ">=", "-12m"]])
        answer = self.url_open(f"{url}?domain={domain}&groupby=date_deal:month")
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(openpyxl.load_workbook(io.BytesIO(answer.content)).active)
        for arguments in (
            "domain=nonsense",
            'domain=[["no_field", "=", 1]]',
            "domain=7",
            "groupby=no_field",
        ):
            self.assertEqual(self.url_open(f"{url}?{arguments}").status_code, 400, arguments)
        self.authenticate("dl_none", "dl_none")
        self.assertEqual(self.url_open(url).status_code, 403)
