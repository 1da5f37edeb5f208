import datetime
import io

from freezegun import freeze_time
from odoo.addons.crm_scoring.tools import occasion_dates
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import BaseCase, tagged
from openpyxl import load_workbook

from .test_segment_forecast import ForecastCommon

DAY = datetime.date


@tagged("post_install", "-at_install")
class TestOccasionDates(BaseCase):
    def test_leap_day(self):
        self.assertEqual(
            occasion_dates.get_birthday_keys(DAY(2025, 2, 27), DAY(2025, 3, 1)),
            {DAY(2025, 2, 27): [227], DAY(2025, 2, 28): [228, 229], DAY(2025, 3, 1): [301]},
        )
        self.assertEqual(
            occasion_dates.get_birthday_keys(DAY(2024, 2, 28), DAY(2024, 2, 29)),
            {DAY(2024, 2, 28): [228], DAY(2024, 2, 29): [229]},
        )
        self.assertEqual(occasion_dates.get_fixed_day(2025, 2, 29), DAY(2025, 2, 28))

    def test_rules(self):
        self.assertEqual(occasion_dates.get_weekday(2026, 8, 6, 2), DAY(2026, 8, 9))
        self.assertEqual(occasion_dates.get_weekday(2026, 7, 4, 5), DAY(2026, 7, 31))
        self.assertEqual(occasion_dates.get_weekday(2026, 2, 4, 5), DAY(2026, 2, 27))
        self.assertEqual(occasion_dates.get_day_of_year(2026, 256), DAY(2026, 9, 13))
        self.assertEqual(occasion_dates.get_day_of_year(2024, 256), DAY(2024, 9, 12))
        self.assertEqual(occasion_dates.get_day_of_year(2025, 366), DAY(2025, 12, 31))


@tagged("post_install", "-at_install")
class TestOccasion(ForecastCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.occasions = cls.env["crm.occasion"]
        cls.contact = cls.create_contact("Anna", birthday="1990-06-20")
        cls.product = cls.env["product.product"].create(
            {"name": "Boiler", "service_interval": 6, "taxes_id": False}
        )

    @classmethod
    def create_contact(cls, name, **values):
        return cls.env["res.partner"].create(
            {
                "name": name,
                "company_id": cls.company.id,
                "user_id": cls.salesman.id,
                "email": f"{name.lower()}@occasion.example.com",
                **values,
            }
        )

    def plan(self, today):
        return self.occasions._plan(self.company, today)

    def test_birthday_once_a_year(self):
        self.assertFalse(self.plan(DAY(2024, 6, 16)), "four days before")
        occasion = self.plan(DAY(2024, 6, 17))
        self.assertEqual((occasion.kind, occasion.date), ("birthday", DAY(2024, 6, 20)))
        self.assertEqual(occasion.user_id, self.salesman)
        self.assertEqual(len(occasion.activity_ids), 1, "the rule of the automation")
        self.assertEqual(occasion.activity_ids.user_id, self.salesman)
        self.assertFalse(self.plan(DAY(2024, 6, 18)))
        occasion.action_done()
        self.assertFalse(self.plan(DAY(2024, 6, 19)), "never twice a year")
        self.contact.birthday = "1990-06-19"
        self.assertFalse(self.plan(DAY(2024, 6, 19)), "not for a corrected day either")
        self.assertEqual(self.plan(DAY(2025, 6, 18)).date, DAY(2025, 6, 19))

    def test_born_on_leap_day(self):
        self.contact.birthday = "1992-02-29"
        self.assertEqual(self.plan(DAY(2025, 2, 27)).date, DAY(2025, 2, 28))
        self.assertEqual(self.plan(DAY(2028, 2, 27)).date, DAY(2028, 2, 29))

    def test_turn_of_the_year(self):
        self.contact.birthday = "1990-01-01"
        self.assertEqual(self.plan(DAY(2024, 12, 30)).period, "2025")
        self.assertFalse(self.plan(DAY(2025, 1, 1)))

    def test_colleagues_and_companies_have_none(self):
        self.contact.birthday = False
        self.salesman.partner_id.write({"birthday": "1980-06-20", "company_id": self.company.id})
        self.create_contact("Firm", is_company=True, birthday="2000-06-20")
        self.create_contact("Gone", birthday="2000-06-20", active=False)
        self.assertFalse(self.plan(DAY(2024, 6, 20)))

    def test_professional_holiday(self):
        self.contact.birthday = False
        holiday = self.env.ref("crm_scoring.crm_professional_holiday_accountant_ru")
        self.contact.profession_id = holiday.profession_ids
        self.contact.country_id = self.germany
        self.assertFalse(self.plan(DAY(2024, 11, 20)), "kept in Russia")
        self.contact.country_id = self.env.ref("base.ru")
        occasion = self.plan(DAY(2024, 11, 20))
        self.assertEqual((occasion.holiday_id, occasion.date), (holiday, DAY(2024, 11, 21)))
        self.assertFalse(self.plan(DAY(2024, 11, 21)))

    def test_industry_of_the_company(self):
        holiday = self.env.ref("crm_scoring.crm_professional_holiday_builder_ru")
        firm = self.create_contact(
            "Firm",
            is_company=True,
            industry_id=holiday.industry_ids.id,
            country_id=self.env.ref("base.ru").id,
        )
        self.contact.write({"birthday": False, "parent_id": firm.id})
        self.assertEqual(self.plan(DAY(2026, 8, 8)).partner_id, self.contact)

    def test_holiday_needs_a_day_that_exists(self):
        with self.assertRaises(ValidationError):
            self.env["crm.professional.holiday"].create(
                {"name": "Wrong", "rule": "fixed", "month": "4", "day": 31}
            )

    def test_service(self):
        client = self.clients[0]
        history = self.add_facts([(client, DAY(2024, 1, 31), 900, "B")])
        history.write({"product_id": self.product.id, "quantity": 1})
        self.product.active = False
        self.contact.birthday = False
        self.assertFalse(self.plan(DAY(2024, 6, 30)))
        occasion = self.plan(DAY(2024, 7, 1))
        self.assertEqual(
            (occasion.date, occasion.date_source), (DAY(2024, 7, 31), DAY(2024, 1, 31))
        )
        self.assertFalse(self.plan(DAY(2024, 7, 31)))
        self.assertEqual(self.plan(DAY(2025, 1, 2)).date, DAY(2025, 1, 31), "and after six more")
        again = self.add_facts([(client, DAY(2025, 1, 5), 900, "C")])
        again.write({"product_id": self.product.id, "quantity": 1})
        self.plan(DAY(2025, 1, 6))
        planned = self.occasions.search(
            [("product_id", "=", self.product.id), ("state", "=", "planned")]
        )
        self.assertFalse(planned, "counted from the new one")
        back = self.add_facts([(client, DAY(2025, 2, 1), -1800, "R")])
        back.write({"product_id": self.product.id, "quantity": -2})
        self.assertFalse(self.plan(DAY(2025, 7, 1)), "both were given back")

    def test_letters(self):
        self.contact.tz = "Asia/Tokyo"
        occasion = self.plan(DAY(2024, 6, 18))
        self.assertEqual(str(occasion.date_mail), "2024-06-20 01:00:00", "ten in Tokyo")
        sent = self.env["mail.mail"].search_count([])
        with freeze_time("2024-06-20 02:00:00"):
            occasion._send_letters()
            self.assertEqual(self.env["mail.mail"].search_count([]), sent + 1)
            self.assertTrue(occasion.date_mailed)
            occasion._send_letters()
            self.assertEqual(self.env["mail.mail"].search_count([]), sent + 1, "once")

    def test_who_gets_no_letter(self):
        with freeze_time("2024-06-20 02:00:00"):
            occasion = self.plan(DAY(2024, 6, 18))
            self.assertTrue(occasion.can_mail)
            analysis = self.env["crm.customer.analysis"]._get_for(self.company)
            analysis.occasion_consent_required = True
            occasion.invalidate_recordset()
            self.assertFalse(occasion.can_mail, "nobody asked him")
            self.contact.occasion_consent = "agreed"
            occasion.invalidate_recordset()
            self.assertTrue(occasion.can_mail)
            self.env["mail.blacklist"]._add(self.contact.email)
            self.env.invalidate_all()
            self.assertFalse(occasion.can_mail)
            self.env["mail.blacklist"]._remove(self.contact.email)
            self.contact.occasion_consent = "refused"
            self.env.invalidate_all()
            self.assertFalse(occasion.can_mail)
            occasion._send_letters()
            self.assertFalse(occasion.date_mailed)
        self.contact.occasion_consent = "agreed"
        occasion.invalidate_recordset()
        with freeze_time("2024-06-25 02:00:00"):
            occasion._send_letters()
            self.assertFalse(occasion.date_mailed, "too late for a greeting")

    def test_workbook(self):
        self.contact.name = "=Anna"
        occasion = self.plan(DAY(2024, 6, 18))
        content = self.occasions.with_user(self.salesman)._export_xlsx("crm.occasion", [])
        book = load_workbook(io.BytesIO(content))
        self.assertEqual(book.sheetnames, ["Occasions", "By Month", "What Became of Them"])
        [row] = list(book["Occasions"].values)[1:]
        self.assertEqual((row[0].date(), row[1], row[2]), (DAY(2024, 6, 20), "Birthday", "=Anna"))
        self.assertEqual(list(book["By Month"].values)[1], ("2024-06", 1, 0, 0))
        occasion.action_done()
        book = load_workbook(io.BytesIO(self.occasions._export_xlsx("crm.occasion", [])))
        self.assertEqual(list(book["What Became of Them"].values)[1], ("Birthday", 0, 1, 0))
        for name in ("By Month", "What Became of Them"):
            self.assertTrue(book[name]._charts)
        other = self._new_user("occasion_xlsx", "sales_team.group_sale_salesman")
        content = self.occasions.with_user(other)._export_xlsx("crm.occasion", [])
        rows = list(load_workbook(io.BytesIO(content))["Occasions"].values)
        self.assertEqual(len(rows), 1, "the client of somebody else")
        with self.assertRaises(ValueError):
            self.occasions._export_xlsx("res.users", [])

    def test_rights(self):
        occasion = self.plan(DAY(2024, 6, 18))
        self.assertEqual(self.occasions.with_user(self.salesman).search([]), occasion)
        other = self._new_user("occasion_other", "sales_team.group_sale_salesman")
        self.assertFalse(self.occasions.with_user(other).search([]))
        self.assertEqual(self.occasions.with_user(self.leader).search([]), occasion)
        for vals in (
            {"partner_id": self.salesman.partner_id.id},
            {"date": DAY(2024, 6, 19)},
            {"date_mailed": False},
        ):
            with self.assertRaises(AccessError):  # that would write letters to anybody, and again
                occasion.with_user(self.salesman).write(vals)
        occasion.with_user(self.salesman).action_done()
        with self.assertRaises(AccessError):
            occasion.with_user(self.salesman).unlink()
        company = self.env["res.company"].create({"name": "Other occasion company"})
        self.assertFalse(self.occasions._plan(company, DAY(2024, 6, 18)))
        shared = self.create_contact(
            "Shared", birthday="1990-06-20", company_id=False, user_id=self.salesman.id
        )
        self.assertFalse(self.occasions._plan(company, DAY(2024, 6, 18)))
        self.assertEqual(self.plan(DAY(2024, 6, 18)).partner_id, shared, "in one company only")

    def test_job(self):
        today = self.env["crm.customer.profile"]._get_today(self.company)
        self.contact.birthday = datetime.date(1992, today.month, today.day)
        with self.enter_registry_test_mode():
            self.env.ref("crm_scoring.ir_cron_crm_occasion").method_direct_trigger()
        self.assertTrue(self.occasions.search([("partner_id", "=", self.contact.id)]))

    def test_merged_contacts(self):
        twin = self.create_contact("Anne", birthday="1990-06-20")
        self.assertEqual(len(self.plan(DAY(2024, 6, 18))), 2)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.contact | twin).ids, self.contact
        )
        self.assertEqual(self.occasions.search_count([("partner_id", "=", self.contact.id)]), 1)
        self.assertFalse(self.plan(DAY(2024, 6, 19)))
