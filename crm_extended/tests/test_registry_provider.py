# ruff: noqa: RUF001 Cyrillic is meant
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from odoo import fields
from odoo.addons.crm_extended.models.crm_registry_request import KEEP
from odoo.addons.crm_extended.tools import registry_dadata, registry_fns, registry_http
from odoo.addons.crm_extended.tools.registry import Party, RegistryError, choose_status
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import BaseCase, new_test_user, tagged, users
from stdnum.eu import vat as stdnum_vat

from .common_registry import (
    BANK_BRANCH_KPP,
    BANK_INN,
    BANK_KPP,
    BANK_OGRN,
    KEY,
    NOBODY_INN,
    PERSON_INN,
    PERSON_OGRNIP,
    RegistryCommon,
    make_party,
)

LV_VAT = "LV40003000642"


@tagged("post_install", "-at_install")
class TestChooseStatus(BaseCase):
    """The status of a client by what a register has under its number. No database."""

    def test_choose_status(self):
        main, branch = Party(kpp="1"), Party(kpp="2", is_branch=True)
        self.assertEqual(choose_status([]), "not_found")
        self.assertEqual(choose_status([main, branch], "1"), "active")
        self.assertEqual(choose_status([main, branch], "2"), "active")
        self.assertEqual(choose_status([main, branch], "3"), "kpp_mismatch")
        self.assertEqual(choose_status([main, branch]), "active")
        closed = Party(kpp="2", is_branch=True, status="liquidated")
        self.assertEqual(choose_status([main, closed], "2"), "liquidated")
        self.assertEqual(choose_status([main, closed], "1"), "active")
        dying = Party(kpp="1", status="bankrupt")
        self.assertEqual(choose_status([dying], "3"), "bankrupt")
        person = Party(kind="entrepreneur", status="liquidated")
        self.assertEqual(choose_status([person], "3"), "liquidated")


@tagged("post_install", "-at_install")
class TestRegistryDadata(RegistryCommon):
    def test_organisation_with_branches(self):
        main, branch = self.dadata._find_parties(BANK_INN)
        self.assertEqual(
            (main.kind, main.inn, main.kpp, main.ogrn, main.status, main.is_branch),
            ("company", BANK_INN, BANK_KPP, BANK_OGRN, "active", False),
        )
        self.assertEqual(
            (main.name, main.full_name, main.head_name, main.head_position, main.industry_code),
            (
                "ПАО Сбербанк",
                "ПУБЛИЧНОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО «СБЕРБАНК РОССИИ»",
                "Греф Герман Оскарович",
                "Президент",
                "64.19",
            ),
        )
        address = main.address
        self.assertEqual(
            (address.street, address.street2, address.city, address.zip, address.state),
            ("ул Вавилова, д 19", "офис 5", "Москва", "117312", "Москва"),
        )
        self.assertEqual(
            (branch.kpp, branch.is_branch, branch.address.city),
            (BANK_BRANCH_KPP, True, "Новосибирск"),
        )
        path, headers, body = self.server.asked[0]
        self.assertEqual(path, "/findById/party")
        self.assertEqual(headers["Authorization"], f"Token {KEY}")
        self.assertIn(BANK_INN, body)

    def test_sole_entrepreneur(self):
        [person] = self.dadata._find_parties(PERSON_INN)
        self.assertEqual(
            (person.kind, person.name, person.kpp, person.ogrn, person.head_name),
            (
                "entrepreneur",
                "ИП Петров Иван Сергеевич",
                "",
                PERSON_OGRNIP,
                "Петров Иван Сергеевич",
            ),
        )
        self.assertEqual((person.phone, person.email), ("+7 916 123-45-67", "petrov@example.com"))
        self.assertEqual(
            (person.address.city, person.address.street), ("Балашиха", "Московская обл, г Балашиха")
        )

    def test_suggestions_by_name(self):
        names = [party.name for party in self.dadata._suggest_parties("сбер")]
        self.assertIn("ПАО Сбербанк", names)
        self.assertEqual(self.server.asked[0][0], "/suggest/party")

    def test_unknown_number(self):
        self.assertEqual(self.dadata._find_parties(NOBODY_INN), [])
        self.assertEqual(self._get_log().mapped("code"), ["not_found"])
        self.assertEqual(self.dadata.state, "ready")

    def test_every_status(self):
        for theirs, ours in registry_dadata.STATUS.items():
            self.server.parties[BANK_INN] = [make_party(status=theirs)]
            [party] = self.dadata._find_parties(BANK_INN)
            self.assertEqual(party.status, ours)
        self.server.parties[BANK_INN] = [make_party(status="SOMETHING_NEW")]
        self.assertEqual(self.dadata._find_parties(BANK_INN)[0].status, "active")

    def _ask(self):
        """The code of the failure (`assertRaises` would roll back what is kept of it)."""
        try:
            self.dadata._find_parties(BANK_INN)
        except RegistryError as error:
            return error.code
        return None

    def _assert_failure(self, failure, code, state, **headers):
        self._fail(failure, **headers)
        self.assertEqual(self._ask(), code)
        self.assertEqual(self._get_log()[0].code, code)
        self.dadata.invalidate_recordset()
        self.assertEqual(self.dadata.state, state)

    def test_time_out(self):
        self._short_timeout()
        self._assert_failure("hang", "timeout", "ready")

    def test_connection_dropped(self):
        self._assert_failure("drop", "timeout", "ready")

    def test_nobody_listens(self):
        self.dadata.url = "http://127.0.0.1:9"
        self._assert_failure(None, "timeout", "ready")

    def test_key_refused(self):
        self._assert_failure(401, "unauthorized", "unauthorized")
        # a new key is tried
        with freeze_time(fields.Datetime.now() + timedelta(seconds=2)):
            self.dadata.api_key = KEY
            self.assertEqual(self.dadata.state, "ready")

    def test_wrong_key(self):
        self.dadata.api_key = "mistyped"
        self.assertEqual(self._ask(), "unauthorized")

    def test_quota_used_up(self):
        with freeze_time("2026-03-10 12:00:00"):
            self._assert_failure(403, "quota", "quota")
            # midnight in Moscow
            self.assertEqual(str(self.dadata.paused_until), "2026-03-10 21:00:00")
        with freeze_time("2026-03-10 21:00:01"):
            self.dadata.invalidate_recordset()
            self.assertEqual(self.dadata.state, "ready")

    def test_too_many_requests(self):
        with freeze_time("2026-03-10 12:00:00"):
            self._assert_failure(429, "rate", "paused", Retry_After="90")
            self.assertEqual(str(self.dadata.paused_until), "2026-03-10 12:01:30")

    def test_failure_of_the_service(self):
        for status in (500, 502, 503):
            self._assert_failure(status, "server", "ready" if status == 500 else "paused")

    def test_unreadable_answers(self):
        for failure in ("json", "html"):
            self.dadata.reset_date = False
            self._assert_failure(failure, "broken", "ready" if failure == "json" else "paused")
        self.server.failure = None
        for answer in ({}, {"suggestions": None}, {"suggestions": [{}]}, {"suggestions": ["x"]}):
            with self.assertRaises(RegistryError):
                registry_dadata.parse_parties(answer)

    def test_redirects_are_not_followed(self):
        self._assert_failure("redirect", "server", "ready")
        self.assertEqual([path for path, *_rest in self.server.asked], ["/findById/party"])

    def test_endless_answer(self):
        self.startPatcher(patch.object(registry_http, "MAX_BYTES", 100))
        self._assert_failure(None, "broken", "ready")

    def test_pause_grows_and_ends(self):
        pauses = []
        for minute in range(0, 12 * 20, 20):
            with freeze_time(
                fields.Datetime.to_datetime("2026-03-10 09:00:00") + timedelta(minutes=minute)
            ):
                self.dadata.invalidate_recordset()
                self.assertEqual(self.dadata.state, "ready", "every pause is shorter")
                self._fail(500)
                self.assertEqual(self._ask(), "server")
                self.dadata.invalidate_recordset()
                until = self.dadata.paused_until
                pauses.append((until - fields.Datetime.now()).seconds if until else 0)
        self.assertEqual(pauses[:6], [0, 30, 60, 120, 240, 480])
        self.assertEqual(max(pauses), 900)
        with freeze_time("2026-03-10 14:00:00"):
            self.server.failure = None
            self.dadata._find_parties(BANK_INN)
            self.dadata.invalidate_recordset()
            self.assertFalse(self.dadata.paused_until)

    def test_our_own_count(self):
        self.dadata.daily_limit = 2
        self.dadata._find_parties(BANK_INN)
        self.dadata.invalidate_recordset()
        self.assertEqual((self.dadata.state, self.dadata.used_today), ("ready", 1))
        self.dadata._find_parties(PERSON_INN)
        self.dadata.invalidate_recordset()
        self.assertEqual((self.dadata.state, self.dadata.used_today), ("quota", 2))
        answer, provider, messages = self.env["crm.registry.provider"]._look_up(
            "find", BANK_INN, lambda provider: provider._find_parties(BANK_INN)
        )
        self.assertFalse(answer or provider)
        self.assertIn("used up for today", messages[0])
        self.assertEqual(len(self.server.asked), 2)

    def test_nothing_of_the_key_is_told(self):
        self._short_timeout()
        for failure in ("hang", 401, 403, 500, "json"):
            self._fail(failure)
            with self.assertLogs(level="DEBUG") as logs, self.assertRaises(RegistryError) as caught:
                self.dadata._find_parties(BANK_INN)
            told = [*logs.output, str(caught.exception), repr(caught.exception.__cause__)]
            self.assertFalse([line for line in told if KEY in line])
        self.assertNotIn(KEY, str(self._get_log().read()))

    @users("reg_sales")
    def test_salesperson_asks_but_sees_no_key(self):
        provider = self.dadata.with_user(self.env.user)
        self.assertEqual(provider._find_parties(BANK_INN)[0].kpp, BANK_KPP)
        for name in ("api_key", "url"):
            with self.assertRaises(AccessError):
                provider.read([name])
            with self.assertRaises(AccessError):
                provider.write({name: "http://127.0.0.1:1"})
            with self.assertRaises(AccessError):
                provider.search([(name, "like", "s")])
        self.assertTrue(provider.has_key)
        with self.assertRaises(AccessError):
            provider.write({"daily_limit": 1})
        with self.assertRaises(AccessError):
            provider.create({"kind": "fns"})
        with self.assertRaises(AccessError):
            self.env["crm.registry.request"].search([])

    def test_sales_managers_do_not_change_addresses(self):
        manager = new_test_user(self.env, "reg_manager", groups="sales_team.group_sale_manager")
        with self.assertRaises(AccessError):
            self.dadata.with_user(manager).write({"url": "http://127.0.0.1:1"})
        self.dadata.with_user(self.user_admin).write({"url": "https://registry.example.com"})

    def test_addresses(self):
        for url in (
            "file:///etc/passwd",
            "ftp://example.com",
            "https://",
            "https://a:b@example.com",
        ):
            with self.assertRaises(ValidationError):
                self.dadata.url = url

    def test_each_company_has_its_own(self):
        other = self.env["res.company"].create({"name": "Other"})
        Provider = self.env["crm.registry.provider"].with_company(other)
        answer, provider, messages = Provider._look_up(
            "find", BANK_INN, lambda provider: provider._find_parties(BANK_INN)
        )
        self.assertEqual((answer, provider, messages), (None, Provider.browse(), []))
        self.user_sales.write({"company_ids": other.ids, "company_id": other.id})
        self.assertFalse(Provider.with_user(self.user_sales).search([]))

    def test_the_next_service_is_asked(self):
        self.fns.sequence = 1
        self.fns.url = "http://127.0.0.1:9"
        answer, provider, messages = self.env["crm.registry.provider"]._look_up(
            "check", BANK_INN, lambda provider: provider._ask_statuses(self.bank)
        )
        self.assertEqual((answer, provider), (["active"], self.dadata))
        self.assertIn("did not answer in time", messages[0])

    def test_old_questions_are_forgotten(self):
        self.dadata._find_parties(BANK_INN)
        log = self._get_log()
        log._gc_requests()
        self.assertTrue(log.exists())
        log.date = fields.Datetime.now() - KEEP - timedelta(days=1)
        log._gc_requests()
        self.assertFalse(log.exists())


@tagged("post_install", "-at_install")
class TestRegistryFns(RegistryCommon):
    def _check(self, *clients):
        return registry_fns.check_clients(self.fns.url, clients, fields.Date.to_date("2026-11-27"))

    def test_states(self):
        clients = [(BANK_INN, BANK_KPP), (PERSON_INN, ""), (NOBODY_INN, "773001001")]
        for state, status in (
            ("0", "active"),
            ("1", "liquidated"),
            ("2", "active"),
            ("3", "kpp_mismatch"),
            ("4", "not_found"),
            ("5", None),
            ("10", None),
        ):
            self.server.states[NOBODY_INN, "773001001"] = state
            self.assertEqual(self._check(*clients), ["active", "active", status])
        body = self.server.asked[0][2]
        self.assertIn('DT="27.11.2026"', body)
        self.assertEqual(len(self.server.asked), 7, "one question for all clients")

    def test_branches_are_told_apart(self):
        self.server.states[BANK_INN, BANK_BRANCH_KPP] = "1"
        self.assertEqual(
            self._check((BANK_INN, BANK_KPP), (BANK_INN, BANK_BRANCH_KPP)), ["active", "liquidated"]
        )

    def test_without_kpp_it_is_not_wrong(self):
        self.assertEqual(self._check((BANK_INN, "")), ["active"])
        # the KPP of an entrepreneur is not sent
        self.assertEqual(self._check((PERSON_INN, "773001001")), ["active"])
        self.assertNotIn("KPP", self.server.asked[-1][2])

    def test_failures(self):
        self._short_timeout()
        for failure, code in (
            ("hang", "timeout"),
            ("drop", "timeout"),
            (401, "unauthorized"),
            (403, "quota"),
            (429, "rate"),
            (503, "server"),
            ("Service is down", "server"),
            ("json", "broken"),
            ("html", "broken"),
            ("redirect", "server"),
        ):
            with self.subTest(failure):
                self._fail(failure)
                with self.assertRaises(RegistryError) as caught:
                    self._check((BANK_INN, BANK_KPP))
                self.assertEqual(caught.exception.code, code)

    def test_empty_answer(self):
        with self.assertRaises(RegistryError):
            registry_fns.read_states([(BANK_INN, "")], None)


@tagged("post_install", "-at_install")
class TestRegistryVies(RegistryCommon):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(stdnum_vat, "vies_wsdl", f"{self.server.url}/vies.wsdl"))

    def test_found(self):
        [party] = self.vies._find_parties(LV_VAT)
        self.assertEqual(
            (party.inn, party.name, party.status), (LV_VAT, "BALTIC TOOLS SIA", "active")
        )
        self.assertEqual(
            (party.address.street, party.address.street2, party.address.country_code),
            ("Dzirnavu 10", "LV-1010 Riga", "LV"),
        )

    def test_not_valid(self):
        self.server.vies["valid"] = False
        self.assertEqual(self.vies._find_parties(LV_VAT), [])

    def test_secret_name(self):
        self.server.vies |= {"name": "---", "address": "---"}
        [party] = self.vies._find_parties(LV_VAT)
        self.assertEqual((party.name, party.address.street), ("", ""))

    def test_failures(self):
        for failure, code in (
            ("drop", "timeout"),
            (503, "server"),
            ("MS_UNAVAILABLE", "server"),
            ("MS_MAX_CONCURRENT_REQ", "rate"),
            ("GLOBAL_MAX_CONCURRENT_REQ", "rate"),
            ("INVALID_INPUT", "request"),
            ("html", "broken"),
        ):
            with self.subTest(failure):
                self._fail(failure)
                with self.assertRaises(RegistryError) as caught:
                    self.vies._find_parties(LV_VAT)
                self.assertEqual(caught.exception.code, code)

    def test_other_numbers_are_not_asked_for(self):
        self.assertFalse(self.vies._supports("find", "40003000642"))
        self.assertFalse(self.vies._supports("find", BANK_INN))
        self.assertTrue(self.vies._supports("find", LV_VAT))
        self.assertFalse(self.vies._supports("suggest", LV_VAT))
