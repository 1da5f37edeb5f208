from datetime import datetime, timedelta

from freezegun import freeze_time
from odoo.tests import tagged, users

from .common_interaction import InteractionCommon

# a Thursday, 15:00 in Riga in winter
NOW = datetime(2026, 1, 15, 13, 0)


@tagged("post_install", "-at_install")
class TestInteractionAge(InteractionCommon):
    """How long a contact has been waiting, and the report on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user_sales.tz = cls.user_all.tz = "Europe/Riga"
        cls.team = cls.env["crm.team"].create(
            {"name": "Yards", "member_ids": [(6, 0, cls.user_sales.ids)]}
        )

    def setUp(self):
        super().setUp()
        frozen = freeze_time(NOW)
        frozen.start()
        self.addCleanup(frozen.stop)

    def _arrive(self, ago, **values):
        return self._log(
            **{
                "kind": "email",
                "direction": "in",
                "state": "new",
                "date_start": NOW - ago,
                "user_id": self.user_sales.id,
                **values,
            }
        )

    def _fill(self):
        """One for each band, from the youngest; then what has no age."""
        hour = timedelta(hours=1)
        bands = [
            self._arrive(hour / 2),
            self._arrive(2 * hour, kind="call"),
            self._arrive(14 * hour),  # one in the morning
            self._arrive(16 * hour),  # late yesterday
            self._arrive(80 * hour),
        ]
        planned = self._arrive(2 * hour, direction="out", state="planned")
        postponed = self._arrive(-2 * hour, direction="out", state="planned")
        postponed.write({"state": "postponed", "date_deadline": NOW - hour / 4})
        ageless = [
            self._arrive(-hour, direction="out", state="planned"),
            self._arrive(hour, direction="out", state="cancelled"),
        ]
        return bands, planned, postponed, ageless

    @users("int_sales")
    def test_bands(self):
        bands, planned, postponed, ageless = self._fill()
        keys = list(self.env["crm.interaction"]._get_age_bands())
        self.assertEqual([interaction.age_band for interaction in bands], keys)
        self.assertEqual((planned.age_band, postponed.age_band), ("2_hours", "1_hour"))
        self.assertEqual([interaction.age_band for interaction in ageless], [False, False])
        self.assertAlmostEqual(bands[4].age_hours, 80)
        self.assertAlmostEqual(postponed.age_hours, 0.3)

    @users("int_sales")
    def test_search_and_group_agree(self):
        """A group of the report shows what it counts, band by band."""
        self._fill()
        Interaction = self.env["crm.interaction"]
        domain = [("res_model", "=", "crm.lead"), ("res_id", "=", self.lead.id)]
        interactions = Interaction.search(domain)
        self.assertEqual(len(interactions), 9)
        counts = dict(Interaction._read_group(domain, ["age_band"], ["__count"]))
        self.assertEqual(
            counts,
            {"1_hour": 2, "2_hours": 2, "3_today": 1, "4_days": 1, "5_older": 1, False: 2},
        )
        for band, count in counts.items():
            found = Interaction.search([*domain, ("age_band", "=", band)])
            self.assertEqual(len(found), count, band)
            self.assertEqual(set(found.mapped("age_band")), {band})
            self.assertEqual(
                Interaction.search([*domain, ("age_band", "!=", band)]), interactions - found
            )
        older = Interaction.search([*domain, ("age_band", "in", ["4_days", "5_older"])])
        self.assertEqual(len(older), 2)

    @users("int_sales")
    def test_day_begins_where_the_user_is(self):
        arrived = self._arrive(timedelta(hours=14, minutes=30))  # 0:30 in Riga, 22:30 UTC
        self.assertEqual(arrived.age_band, "3_today")
        self.assertEqual(arrived.with_context(tz="UTC").age_band, "4_days")
        found = (
            self.env["crm.interaction"]
            .with_context(tz="UTC")
            .search([("age_band", "=", "3_today"), ("id", "=", arrived.id)])
        )
        self.assertFalse(found)

    @users("int_all")
    def test_report(self):
        """What the pivot asks for: by responsible, team and age, with the hours waited."""
        bands, planned, postponed, _ageless = self._fill()
        nobodys = self._arrive(timedelta(hours=2), user_id=False)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_interaction_unhandled_action"
        )
        domain = ["|", ("state", "=", "new"), ("is_overdue", "=", True)]
        self.assertEqual(action["domain"].replace("'", '"'), str(domain).replace("'", '"'))
        domain.append(("chain_id", "=", nobodys.chain_id.id))
        Interaction = self.env["crm.interaction"]
        self.assertEqual(
            Interaction.search(domain),
            (planned + postponed + nobodys + Interaction.concat(*bands)).sorted(
                lambda interaction: (interaction.date_start, interaction.id), reverse=True
            ),
        )
        groups = Interaction.formatted_read_group(
            domain, ["user_id", "age_band"], ["__count", "age_hours:avg"]
        )
        counts = {(group["user_id"] or [False])[0]: 0 for group in groups}
        for group in groups:
            counts[(group["user_id"] or [False])[0]] += group["__count"]
        self.assertEqual(counts, {self.user_sales.id: 7, False: 1})
        by_team = dict(Interaction._read_group(domain, ["team_id"], ["__count"]))
        self.assertEqual(by_team, {self.team: 7, self.env["crm.team"]: 1})
        [(hours,)] = Interaction._read_group(
            [*domain, ("user_id", "=", False)], [], ["age_hours:avg"]
        )
        self.assertAlmostEqual(float(hours), 2)

    @users("int_sales2")
    def test_report_shows_what_one_may_see(self):
        """Others' unhandled contacts are not counted, those of nobody are."""
        self._arrive(timedelta(hours=1), user=self.user_sales)
        mine = self._log(
            document=self.client_company, kind="email", direction="in", state="new",
            user=self.user_sales2, user_id=self.user_sales2.id,
        )  # fmt: skip
        domain = [("state", "=", "new"), ("partner_id", "child_of", self.client_company.id)]
        groups = self.env["crm.interaction"]._read_group(domain, ["user_id"], ["__count"])
        self.assertEqual(groups, [(self.user_sales2, 1)])
        self.assertEqual(self.env["crm.interaction"].search(domain), mine)

    @users("int_sales")
    def test_groupable_on_the_screen(self):
        fields = self.env["crm.interaction"].fields_get(
            ["age_band", "age_hours", "team_id", "answer_hours", "answer_hours_median"]
        )
        self.assertTrue(fields["age_band"]["groupable"])
        self.assertTrue(fields["team_id"]["groupable"])
        for name in ("age_hours", "answer_hours", "answer_hours_median"):
            self.assertEqual(fields[name]["aggregator"], "avg")

    @users("int_sales")
    def test_median_answer_time(self):
        for minutes in (10, 20, 90):
            arrived = self._arrive(timedelta(hours=5))
            self._log(kind="email", date_start=arrived.date_start + timedelta(minutes=minutes))
        self._arrive(timedelta(hours=1))
        [(median, average)] = self.env["crm.interaction"]._read_group(
            [("chain_id", "=", arrived.chain_id.id)],
            [],
            ["answer_hours_median:avg", "answer_hours:avg"],
        )
        self.assertAlmostEqual(median, 0.33, 2)
        self.assertAlmostEqual(average, 0.67, 2)
