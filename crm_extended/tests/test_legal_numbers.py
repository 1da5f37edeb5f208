from odoo.addons.base.tests.common import BaseCommon
from odoo.addons.crm_extended.tools.legal_numbers import (
    LegalNumberError,
    check_bic,
    check_bik_account,
    check_iban,
    check_inn,
    check_kpp,
    check_ogrn,
    check_tax_number,
    is_bik,
)
from odoo.exceptions import ValidationError
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

# numbers of public bodies and companies, as they publish them themselves
INN, KPP, OGRN = "7707083893", "773601001", "1027700132195"  # a large bank
INN_PERSON = "500100732259"
OGRNIP = "304500116000157"
BIK, CORRESPONDENT = "044525225", "30101810400000000225"


def make_account(bik, account):
    """An account whose ninth digit is the key that belongs to this bank."""
    for key in "0123456789":
        candidate = f"{account[:8]}{key}{account[9:]}"
        try:
            return check_bik_account(bik, candidate)
        except LegalNumberError:
            continue
    raise AssertionError("no key fits")


@tagged("post_install", "-at_install")
class TestLegalNumberTools(BaseCase):
    """Numbers checked without a database."""

    def _code(self, check, *args):
        with self.assertRaises(LegalNumberError) as caught:
            check(*args)
        return caught.exception.code

    def test_inn(self):
        self.assertEqual(check_inn("7707083893"), INN)
        self.assertEqual(check_inn(" ИНН: 77 0708 3893 "), INN)
        self.assertEqual(check_inn("RU7707083893"), INN)
        self.assertEqual(check_inn(INN_PERSON), INN_PERSON)
        self.assertEqual(self._code(check_inn, "7707083894"), "checksum")
        self.assertEqual(self._code(check_inn, "770708389"), "length")
        self.assertEqual(self._code(check_inn, "77O7083893"), "format")

    def test_every_single_digit_of_an_inn_counts(self):
        for place in range(len(INN)):
            for digit in set("0123456789") - {INN[place]}:
                wrong = INN[:place] + digit + INN[place + 1 :]
                self.assertEqual(self._code(check_inn, wrong), "checksum", wrong)

    def test_kpp(self):
        self.assertEqual(check_kpp(" 7736 01 001"), KPP)
        self.assertEqual(check_kpp("7736kc001"), "7736KC001")
        self.assertEqual(self._code(check_kpp, "77360100"), "length")
        self.assertEqual(self._code(check_kpp, "77360100A"), "format")
        self.assertEqual(self._code(check_kpp, "7736ЖЖ001"), "format")

    def test_ogrn(self):
        self.assertEqual(check_ogrn("ОГРН 1027700132195"), OGRN)
        self.assertEqual(check_ogrn(OGRNIP), OGRNIP)
        self.assertEqual(self._code(check_ogrn, "1027700132196"), "checksum")
        self.assertEqual(self._code(check_ogrn, "102770013219"), "length")
        self.assertEqual(self._code(check_ogrn, "10277001\u04172195"), "format")
        # a well-formed number of a single record in the register
        record = "202770013219"
        record += str(int(record) % 11 % 10)
        self.assertEqual(self._code(check_ogrn, record), "kind")

    def test_account_of_a_russian_bank(self):
        # a correspondent account is kept by the Bank of Russia, a client's by the bank
        self.assertEqual(check_bik_account(BIK, CORRESPONDENT), CORRESPONDENT)
        self.assertEqual(self._code(check_bik_account, BIK, "30101810500000000225"), "checksum")
        account = make_account(BIK, "40702810038000000001")
        for place in range(20):
            wrong = str((int(account[place]) + 1) % 10)
            with self.assertRaises(LegalNumberError, msg=f"place {place}"):
                check_bik_account(BIK, account[:place] + wrong + account[place + 1 :])
        self.assertEqual(self._code(check_bik_account, BIK, account[:-1]), "length")
        self.assertEqual(self._code(check_bik_account, "SABRRUMM", account), "format")
        self.assertTrue(is_bik("04 4525 225"))
        self.assertFalse(is_bik("844525225"))

    def test_other_countries(self):
        self.assertEqual(check_iban("LV80 BANK 0000 4351 9500 1"), "LV80BANK0000435195001")
        self.assertEqual(self._code(check_iban, "LV81BANK0000435195001"), "checksum")
        self.assertEqual(check_bic("DEUTDEFF"), "DEUTDEFF")
        self.assertEqual(self._code(check_bic, "DEUT"), "format")
        self.assertEqual(check_tax_number("DE", "DE 136 695 976"), "DE136695976")
        self.assertEqual(self._code(check_tax_number, "DE", "DE136695978"), "checksum")
        self.assertEqual(check_tax_number("AQ", "anything"), "ANYTHING")


@tagged("post_install", "-at_install")
class TestLegalNumbers(BaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.russia = cls.env.ref("base.ru")
        cls.bank = cls.env["res.bank"].create(
            {"name": "Savings Bank", "bic": BIK, "country": cls.russia.id}
        )

    def _create(self, **values):
        return self.env["res.partner"].create(
            {"name": "Vostok", "is_company": True, "country_id": self.russia.id} | values
        )

    def test_written_officially(self):
        client = self._create(vat="ИНН 7707 083 893", kpp="7736 01001", company_registry=f" {OGRN}")
        self.assertEqual((client.vat, client.kpp, client.company_registry), (INN, KPP, OGRN))
        self.assertEqual(client.company_registry_label, "OGRN")

    def test_refused_with_name_field_and_remedy(self):
        for values, words in (
            ({"vat": "7707083894"}, "INN 7707083894 has a wrong check digit"),
            ({"vat": "77070838"}, "8 digits. An organisation has 10"),
            ({"vat": INN, "kpp": "77"}, "KPP 77 has 2 characters. It must have nine"),
            ({"vat": INN_PERSON, "kpp": KPP}, "cannot belong to a sole entrepreneur"),
            ({"company_registry": "1027700132196"}, "OGRN 1027700132196 has a wrong check"),
        ):
            with self.subTest(values), self.assertRaises(ValidationError) as caught:
                self._create(**values)
            self.assertIn("Vostok: ", str(caught.exception))
            self.assertIn(words, str(caught.exception))
        client = self._create(vat=INN)
        with self.assertRaises(ValidationError):
            client.vat = "7707083894"
        with self.assertRaises(ValidationError):
            client.kpp = "1"

    def test_other_countries_are_left_alone(self):
        for code in ("LV", "US", "KZ"):
            country = self.env["res.country"].search([("code", "=", code)])
            client = self._create(country_id=country.id, vat="/", company_registry="12")
            client.company_registry = "no number at all"
        client = self._create(country_id=False, vat="whatever", company_registry="12")
        self.assertEqual(client.vat, "whatever")
        # foreign tax number of a Russian client, and no tax number at all
        client = self._create(vat="/")
        self.assertEqual(client.vat, "/")

    def _spoil(self, client):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET vat = '123', kpp = '4', company_registry = '5' WHERE id = %s",
            [client.id],
        )
        client.invalidate_recordset()

    def test_old_mistakes_hinder_nothing(self):
        client = self._create(vat=INN)
        self._spoil(client)
        client.write({"phone": "+7 495 123-45-67", "name": "Vostok 2", "city": "Tver"})
        # as an import does: the same values again
        client.write({"name": "Vostok 3", "vat": "123", "kpp": "4", "company_registry": "5"})
        client.write({"country_id": self.russia.id})
        contact = self.env["res.partner"].create({"name": "Ivan", "parent_id": client.id})
        self.assertEqual(contact.vat, "123")
        client.write({"kpp": KPP})
        with self.assertRaises(ValidationError):
            client.write({"vat": "124"})
        client.write({"vat": INN})

    def test_contacts_have_the_numbers_of_their_company(self):
        client = self._create(vat=INN, kpp=KPP, company_registry=OGRN)
        contact = self.env["res.partner"].create({"name": "Ivan", "parent_id": client.id})
        self.assertEqual((contact.vat, contact.kpp), (INN, KPP))
        self.assertTrue(contact.is_legal_ru)

    def test_branch_has_its_own_kpp(self):
        client = self._create(vat=INN, kpp=KPP)
        branch = self._create(name="Branch", vat=INN, kpp="540643001", parent_id=client.id)
        self.assertEqual((client.kpp, branch.kpp), (KPP, "540643001"))

    def test_portal_asks_the_same(self):
        Partner = self.env["res.partner"]
        self.assertEqual(Partner._run_vat_checks(self.russia, f"RU{INN}"), (INN, "RU"))
        self.assertEqual(
            Partner._run_vat_checks(self.russia, "1", validation="setnull"), ("", "RU")
        )
        with self.assertRaisesRegex(ValidationError, "An organisation has 10"):
            Partner._run_vat_checks(self.russia, "12", "Vostok")
        latvia = self.env.ref("base.lv")
        self.assertEqual(Partner._run_vat_checks(latvia, "/")[0], "/")

    def test_account_and_bank(self):
        client = self._create()
        account = make_account(BIK, "40702810038000000001")
        Account = self.env["res.partner.bank"]
        kept = Account.create(
            {"acc_number": account, "partner_id": client.id, "bank_id": self.bank.id}
        )
        wrong = account[:-1] + str((int(account[-1]) + 1) % 10)
        with self.assertRaisesRegex(ValidationError, "does not belong to the bank"):
            kept.acc_number = wrong
        with self.assertRaisesRegex(ValidationError, "20 digits"):
            Account.create(
                {"acc_number": "12345", "partner_id": client.id, "bank_id": self.bank.id}
            )
        foreign = self.env["res.bank"].create({"name": "Foreign", "bic": "DEUTDEFF"})
        other = self._create()
        Account.create({"acc_number": wrong, "partner_id": other.id, "bank_id": foreign.id})
        with self.assertRaisesRegex(ValidationError, "BIK 44525225 of bank"):
            self.bank.bic = "44525225"

    @mute_logger("odoo.sql_db")
    def test_nothing_is_half_written(self):
        count = self.env["res.partner"].search_count([])
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.env["res.partner"].create(
                [
                    {"name": "Good"},
                    {"name": "Bad", "country_id": self.russia.id, "vat": "1"},
                ]
            )
        self.assertEqual(self.env["res.partner"].search_count([]), count)
