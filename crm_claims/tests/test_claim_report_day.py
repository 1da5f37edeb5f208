from datetime import datetime

import pytz
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import ClaimCommon

# the last evening of a month and of a year in Moscow, New York and Auckland
MOMENTS = (
    "2024-03-31 20:59:59",
    "2024-03-31 21:00:00",
    "2024-04-01 03:59:59",
    "2024-04-01 04:00:00",
    "2024-03-31 10:59:59",
    "2024-03-31 11:00:00",
    "2024-12-31 22:30:00",
)
REPORTS = ("report", "outcome", "recurrence", "sla.report", "dynamics")


@tagged("post_install", "-at_install")
class TestClaimReportDay(ClaimCommon):
    """A claim counts on the day and in the month that its company had then."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.claims = cls.env["crm.claim"]
        companies = cls.company
        for zone in ("Europe/Moscow", "America/New_York", "Pacific/Auckland"):
            company = cls.company
            if zone != "Europe/Moscow":
                company = cls.env["res.company"].create({"name": f"Claims in {zone}"})
            company.partner_id.tz = zone
            companies |= company
        cls.companies = companies
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=companies.ids))
        cls.user_manager.company_ids = companies
        for company in companies:
            for moment in MOMENTS:
                cls.claims |= cls.env["crm.claim"].create(
                    {
                        "subject": moment,
                        "partner_id": cls.contact.id,
                        "company_id": company.id,
                        "date_registered": moment,
                        "line_ids": [Command.create({"name": "Saw", "quantity": 1})],
                    }
                )
        cls.env.flush_all()

    def _get_day(self, claim, moment=None):
        zone = pytz.timezone(claim.company_id.partner_id.tz)
        return pytz.utc.localize(moment or claim.date_registered).astimezone(zone).date()

    def _report(self, name, companies=None):
        companies = companies or self.companies
        return (
            self.env[f"crm.claim.{name}"]
            .with_user(self.user_manager)
            .with_context(allowed_company_ids=companies.ids)
        )

    def _read_months(self, report, domain, measure="__count"):
        return {
            (company.id, month.strftime("%Y-%m")): value
            for company, month, value in report._read_group(
                [("claim_id", "in", self.claims.ids), *domain],
                ["company_id", "date:month"],
                [measure],
            )
            if value
        }

    def test_days_and_months(self):
        wanted = {claim.id: self._get_day(claim) for claim in self.claims}
        self.assertEqual(len({day.month for day in wanted.values()}), 4, "all edges are met")
        months = {}
        for claim in self.claims:
            key = claim.company_id.id, wanted[claim.id].strftime("%Y-%m")
            months[key] = months.get(key, 0) + 1
        for name in REPORTS[:3]:
            with self.subTest(name):
                rows = self._report(name).search([("claim_id", "in", self.claims.ids)])
                self.assertEqual({row.claim_id.id: row.date for row in rows}, wanted)
                self.assertEqual(self._read_months(self._report(name), []), months)
        registered = self._read_months(self._report("dynamics"), [], "registered:sum")
        self.assertEqual(registered, months)
        for row in self._report("sla.report").search([("claim_id", "in", self.claims.ids)]):
            status = self.env["crm.claim.sla.status"].browse(row.id)
            self.assertEqual(row.date, self._get_day(status.claim_id, status.date_start))

    def test_period_of_each_company(self):
        """What a period holds is the same in groups, in the list, and by hand."""
        domain = [("date", ">=", "2024-04-01"), ("date", "<", "2024-12-31")]
        inside = self.claims.filtered(
            lambda claim: datetime(2024, 4, 1).date()
            <= self._get_day(claim)
            < datetime(2024, 12, 31).date()
        )
        self.assertTrue(inside)
        self.assertNotEqual(inside, self.claims)
        for companies in (self.companies, *self.companies):
            wanted = inside.filtered(lambda claim, own=companies: claim.company_id in own)
            for name in REPORTS[:3]:
                with self.subTest(name, companies=companies.mapped("name")):
                    report = self._report(name, companies)
                    own = [("claim_id", "in", self.claims.ids), *domain]
                    grouped = {claim for (claim,) in report._read_group(own, ["claim_id"])}
                    self.assertEqual({claim.id for claim in grouped}, set(wanted.ids))
                    self.assertEqual(set(report.search(own).claim_id.ids), set(wanted.ids))
                    everything = self.env[f"crm.claim.{name}"].sudo()
                    found = everything.search([*own, ("company_id", "in", companies.ids)])
                    self.assertEqual(set(found.claim_id.ids), set(wanted.ids), "superuser")

    def test_handled_and_stock(self):
        claim = self.claims.filtered(
            lambda claim: claim.company_id == self.company and claim.subject == MOMENTS[0]
        )
        self._decide(claim)
        # 1 May in Moscow, still April in UTC
        claim.sudo().date_decided = "2024-04-30 22:00:00"
        self.env.flush_all()
        [[handled]] = self._report("dynamics")._read_group(
            [("claim_id", "=", claim.id), ("date", "=", "2024-05-01")], [], ["handled:sum"]
        )
        self.assertEqual(handled, 1)
        stock = self._report("dynamics")._read_group(
            [("claim_id", "=", claim.id), ("unhandled", ">", 0)], ["date:month"], ["unhandled:sum"]
        )
        self.assertEqual(
            [(month.strftime("%Y-%m"), value) for month, value in stock],
            [("2024-03", 1), ("2024-04", 1)],
        )
        [outcome] = self._report("outcome").search([("claim_id", "=", claim.id)])
        self.assertEqual(str(outcome.date_handled), "2024-05-01")
        [row] = self._report("report").search([("claim_id", "=", claim.id)])
        self.assertEqual(str(row.date_decided), "2024-05-01")

    def test_cost(self):
        claim = self.claims[0]
        claim._move_to("acknowledged")
        claim._apply_decision(
            {"decision": "satisfied", "decision_text": "x", "cause_id": self.cause.id},
            [{"kind": "other", "amount": 5, "name": "Flowers"}],
            False,
        )
        claim.sudo().date_decided = "2024-04-30 22:00:00"
        self.env.flush_all()
        [row] = self._report("cost.report").search([("claim_id", "=", claim.id)])
        self.assertEqual(str(row.date), "2024-05-01")

    def test_late_today(self):
        """In Auckland it is tomorrow already."""
        late = {}
        with freeze_time("2024-04-02 13:00:00"):
            for company in self.companies:
                claim = self.claims.filtered(lambda claim, own=company: claim.company_id == own)[0]
                claim.date_promised = "2024-04-02"
                self.env.flush_all()
                [row] = self._report("outcome").search([("claim_id", "=", claim.id)])
                late[company.partner_id.tz] = row.late_count
        self.assertEqual(late, {"Europe/Moscow": 0, "America/New_York": 0, "Pacific/Auckland": 1})

    def test_another_zone_is_taken_at_once(self):
        claim = self.claims[0]
        before = self._report("report").search([("claim_id", "=", claim.id)]).date
        self.env.invalidate_all()
        claim.company_id.partner_id.tz = "Asia/Kamchatka"
        after = self._report("report").search([("claim_id", "=", claim.id)]).date
        self.assertEqual((str(before), str(after)), ("2024-03-31", "2024-04-01"))
        claim.company_id.partner_id.tz = False
        claim.company_id.resource_calendar_id.tz = "Pacific/Kiritimati"
        self.assertEqual(claim.company_id._get_claim_day_zone(), "Pacific/Kiritimati")

    def test_number_of_the_year(self):
        """Half past one on New Year's morning in Moscow belongs to the new year."""
        years = {
            claim.company_id.partner_id.tz: claim.name.split("/")[1]
            for claim in self.claims
            if claim.subject == MOMENTS[-1]
        }
        self.assertEqual(
            years,
            {"Europe/Moscow": "2025", "America/New_York": "2024", "Pacific/Auckland": "2025"},
        )

    def test_days_of_past_claims(self):
        """A day of a file stays that day, wherever who imports it sits."""
        for company in self.companies:
            for zone in ("America/Los_Angeles", "UTC", "Asia/Tokyo"):
                load = (
                    self.env["crm.claim"]
                    .with_user(self.user_manager)
                    .with_context(tz=zone, allowed_company_ids=company.ids)
                    .load
                )
                result = load(
                    ["subject", "date_registered", "date_closed", "source_result"],
                    [[f"{company.name}, {zone}", "2015-01-31", "2015-02-10", "Done"]],
                )
                self.assertFalse(result["messages"])
                [row] = self._report("outcome", company).search([("claim_id", "in", result["ids"])])
                self.assertEqual(
                    (str(row.date), str(row.date_handled)), ("2015-01-31", "2015-02-10")
                )
