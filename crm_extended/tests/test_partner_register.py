# ruff: noqa: RUF001 Cyrillic is meant
import base64

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged, users

from .common_registry import (
    BANK_BRANCH_KPP,
    BANK_INN,
    BANK_KPP,
    BANK_OGRN,
    NOBODY_INN,
    PERSON_INN,
    PERSON_OGRNIP,
    RegistryCommon,
    make_party,
)
from .common_telephony import TelephonyCase
from .test_contact_text import VCARD
from .test_legal_numbers import BIK, make_account

SIGNATURE = """С уважением,
Иванов Пётр Сергеевич
Коммерческий директор
ООО «Ромашка»
ИНН/КПП 7730588444/773001001
моб.: 8 916 123 45 67
P.Ivanov@romashka.ru, info@romashka.ru
123001, г. Москва, ул. Садовая, д. 5"""


class RegisterCommon(RegistryCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.russia
        cls.company.crm_duplicate_mode = "warn"
        cls.bank.unlink()
        cls.Register = cls.env["crm.partner.register"].with_user(cls.user_sales)
        cls.known = cls.env["res.partner"].create(
            {
                "name": "ООО «Вектор»",
                "is_company": True,
                "country_id": cls.russia.id,
                "vat": NOBODY_INN,
                "kpp": "773001001",
                "phone": "+7 495 777-88-99",
            }
        )

    def _new(self, **values):
        return self.Register.create({"name": "Ромашка", "country_id": self.russia.id} | values)


@tagged("post_install", "-at_install")
class TestPartnerRegister(RegisterCommon):
    def test_everything_in_one_step(self):
        tag = self.env["res.partner.category"].create({"name": "Wholesale"})
        account = make_account(BIK, "40702810038000000001")
        register = self._new(
            vat=BANK_INN,
            kpp=BANK_KPP,
            company_registry=BANK_OGRN,
            legal_name="Общество с ограниченной ответственностью «Ромашка»",
            head_name="Иванов",
            industry_code="46.74",
            phone="+7 495 123-45-67",
            email="info@romashka.ru",
            website="https://romashka.ru",
            street="Садовая, 5",
            city="Москва",
            zip="123001",
            bank_bic=BIK,
            bank_name="Сбербанк",
            acc_number=account,
            category_ids=tag.ids,
            comment="Платит <вовремя>",
            contact_ids=[
                Command.create(
                    {"name": "Анна", "function": "Закупки", "email": "anna@romashka.ru"}
                ),
                Command.create({"name": "Олег", "phone": "+7 916 000-00-01"}),
            ],
            address_ids=[
                Command.create({"type": "delivery", "name": "Склад", "city": "Тверь"}),
                Command.create({"type": "invoice", "street": "А/я 5"}),
            ],
        )
        action = register.action_register()
        client = self.env["res.partner"].browse(action["res_id"])
        self.assertEqual(
            (client.name, client.vat, client.kpp, client.company_registry, client.is_company),
            ("Ромашка", BANK_INN, BANK_KPP, BANK_OGRN, True),
        )
        self.assertEqual((client.crm_head_name, client.crm_industry_code), ("Иванов", "46.74"))
        self.assertEqual((client.user_id, client.category_id), (self.user_sales, tag))
        self.assertIn("Платит &lt;вовремя&gt;", client.comment)
        self.assertEqual(
            sorted(client.child_ids.mapped(lambda child: (child.type, child.name or ""))),
            [("contact", "Анна"), ("contact", "Олег"), ("delivery", "Склад"), ("invoice", "")],
        )
        self.assertEqual(client.child_ids.filtered(lambda c: c.name == "Анна").function, "Закупки")
        [bank_account] = client.bank_ids
        self.assertEqual(
            (bank_account.acc_number, bank_account.bank_id.bic, bank_account.allow_out_payment),
            (account, BIK, False),
        )
        self.assertEqual(client.create_uid, self.user_sales)

    def test_sole_entrepreneur_and_person(self):
        register = self._new(
            name="ИП Петров", kind="entrepreneur", vat=PERSON_INN, company_registry=PERSON_OGRNIP
        )
        client = self.env["res.partner"].browse(register.action_register()["res_id"])
        self.assertEqual((client.is_company, client.kpp), (True, False))
        register = self._new(
            name="Пётр", kind="person", parent_id=client.id, function="Снабженец", vat=PERSON_INN
        )
        person = self.env["res.partner"].browse(register.action_register()["res_id"])
        self.assertEqual(
            (person.is_company, person.parent_id, person.function), (False, client, "Снабженец")
        )

    def test_everything_wrong_is_told_at_once(self):
        count = self.env["res.partner"].search_count([])
        register = self._new(
            name=" ",
            vat="7707083894",
            kpp="77",
            company_registry="1",
            email="nonsense",
            bank_bic=BIK,
            acc_number="40702810038000000001"[:-1],
            contact_ids=[Command.create({"phone": "1"})],
        )
        with self.assertRaises(UserError) as caught:
            register.action_register()
        message = str(caught.exception)
        for words in (
            "Enter the name of the client",
            "INN 7707083894 has a wrong check digit",
            "KPP 77 has 2 characters",
            "OGRN 1 has 1 digits",
            "19 characters",
            "nonsense is not an e-mail address",
            "Enter the name of each contact",
        ):
            self.assertIn(words, message)
        self.assertEqual(self.env["res.partner"].search_count([]), count)
        self.assertIn("7707083894", register.number_warning)

    def test_kind_and_number_fit(self):
        self.assertIn("12 digits belongs", self._new(vat=PERSON_INN).number_warning)
        self.assertIn("10 digits belongs", self._new(vat=BANK_INN, kind="person").number_warning)
        self.assertFalse(self._new(vat=BANK_INN, kpp=BANK_KPP).number_warning)

    def test_other_countries(self):
        germany = self.env.ref("base.de")
        register = self._new(country_id=germany.id, vat="DE136695978", acc_number="DE00 1234 5678")
        self.assertIn("does not look like one of Germany", register.number_warning)
        self.assertIn("IBAN", register.number_warning)
        with self.assertRaisesRegex(UserError, "IBAN"):
            register.action_register()
        register.acc_number = "DE89 3704 0044 0532 0130 00"
        register.bank_bic = "COBADEFFXXX"
        register.vat = "DE136695976"
        self.assertFalse(register.number_warning)
        client = self.env["res.partner"].browse(register.action_register()["res_id"])
        self.assertEqual(client.bank_ids.sanitized_acc_number, "DE89370400440532013000")
        self.assertEqual(client.bank_ids.bank_id.bic, "COBADEFFXXX")

    def test_nothing_is_kept_when_something_fails(self):
        count = self.env["res.partner"].search_count([])
        register = self._new(lead_id=self._create_lead(self.user_admin).id)
        with self.assertRaises(AccessError):
            register.action_register()
        self.assertEqual(self.env["res.partner"].search_count([]), count)

    def _create_lead(self, user, **values):
        return self.env["crm.lead"].create(
            {"name": "Drills", "type": "opportunity", "user_id": user.id} | values
        )

    def test_accountants_and_outsiders(self):
        for groups in ("account.group_account_readonly", "base.group_portal"):
            user = new_test_user(self.env, f"reg {groups}", groups=groups)
            with self.assertRaises(AccessError):
                self.Register.with_user(user).create({"name": "X"})

    # ------------------------------------------------------------
    # TEXT
    # ------------------------------------------------------------

    def test_pasted_signature(self):
        with Form(self.Register) as form:
            form.text = SIGNATURE
            self.assertEqual(form.kind, "company")
            self.assertEqual(
                (form.name, form.vat, form.kpp), ("ООО «Ромашка»", NOBODY_INN, "773001001")
            )
            self.assertEqual(
                (form.city, form.zip, form.email), ("Москва", "123001", "info@romashka.ru")
            )
            self.assertIn("Tax Number", form.recognised)
            # what is there already stays
            form.name = "Ромашка плюс"
            form.text = SIGNATURE + "\nromashka.ru"
            self.assertEqual(form.name, "Ромашка плюс")
            self.assertEqual(form.website, "https://romashka.ru")
        register = form.record
        [contact] = register.contact_ids
        self.assertEqual(
            (contact.name, contact.function, contact.email, contact.phone),
            (
                "Иванов Пётр Сергеевич",
                "Коммерческий директор",
                "p.ivanov@romashka.ru",
                "+7 916 123-45-67",
            ),
        )

    def test_pasted_person_and_vcard(self):
        with Form(self.Register) as form:
            form.text = "Анна Смирнова\nменеджер\nanna@example.com\n8 916 123 45 67"
            self.assertEqual(
                (form.kind, form.name, form.function), ("person", "Анна Смирнова", "менеджер")
            )
        with Form(self.Register) as form:
            form.vcard = base64.b64encode(VCARD.encode())
            self.assertEqual(
                (form.name, form.street), ("Baltic Tools SIA", "Dzirnavu iela 10, Office 5")
            )
        self.assertEqual(form.record.contact_ids.phone, "+371 29 555 111")
        with Form(self.Register) as form:
            form.vcard = base64.b64encode(b"\xff\xd8\xff")
            self.assertIn("This file is not a vCard", form.recognised)
            form.text = "???"
            self.assertIn("Nothing new", form.recognised)

    # ------------------------------------------------------------
    # LOOK-UP
    # ------------------------------------------------------------

    def test_filled_by_number(self):
        register = self._new(name=False, vat=BANK_INN, phone="+7 495 000-00-00")
        action = register.action_look_up()
        self.assertEqual((action["res_id"], action["target"]), (register.id, "new"))
        self.assertEqual(
            (register.name, register.kpp, register.company_registry, register.head_position),
            ("ПАО Сбербанк", BANK_KPP, BANK_OGRN, "Президент"),
        )
        self.assertEqual(
            (register.city, register.zip, register.found_status), ("Москва", "117312", "active")
        )
        self.assertEqual(register.phone, "+7 495 000-00-00")
        self.assertEqual(register.party_ids.mapped("is_branch"), [False, True])
        client = self.env["res.partner"].browse(register.action_register()["res_id"])
        self.assertEqual(
            (client.counterparty_status, client.counterparty_source), ("active", "DaData")
        )

    def test_branch_is_chosen(self):
        register = self._new(name=False, vat=BANK_INN)
        register.action_look_up()
        asked = len(self.server.asked)
        register.party_ids[1].action_choose()
        self.assertEqual(len(self.server.asked), asked, "the answer has come already")
        self.assertEqual(
            (register.kpp, register.city, register.name),
            (BANK_BRANCH_KPP, "Новосибирск", "СИБИРСКИЙ БАНК ПАО СБЕРБАНК"),
        )
        self.assertEqual(register.found_status, "active")
        register.kpp = "770501001"
        self.assertEqual(register.found_status, "kpp_mismatch")
        register.vat = NOBODY_INN
        self.assertFalse(register.found_status, "nothing is known of another number")

    def test_found_by_ogrn_and_by_name(self):
        register = self._new(name=False, company_registry=BANK_OGRN)
        register.action_look_up()
        self.assertEqual((register.vat, register.found_status), (BANK_INN, "active"))
        register = self._new(name="Петров")
        register.action_look_up()
        self.assertEqual(len(register.party_ids), 5)
        self.assertFalse(register.vat)
        register.party_ids.filtered(lambda party: party.inn == PERSON_INN).action_choose()
        self.assertEqual(
            (register.kind, register.name, register.found_status),
            ("entrepreneur", "ИП Петров Иван Сергеевич", "active"),
        )
        with self.assertRaises(UserError):
            self._new(name=False).action_look_up()

    def test_liquidated(self):
        self.server.parties[BANK_INN] = [make_party(status="LIQUIDATED")]
        register = self._new(vat=BANK_INN)
        register.action_look_up()
        self.assertEqual((register.found_status, register.found_alert), ("liquidated", "danger"))
        client = self.env["res.partner"].browse(register.action_register()["res_id"])
        self.assertEqual(client.counterparty_alert, "danger")

    def test_unknown_and_failures(self):
        register = self._new(vat=NOBODY_INN)
        register.action_look_up()
        self.assertIn("knows nobody", register.lookup_message)
        self.assertEqual((register.lookup_failed, register.found_status), (False, "not_found"))
        for failure, words in (
            (401, "refuses our key"),
            (403, "used up"),
            (503, "failure of its own"),
        ):
            self.dadata.action_reset()
            self._get_log().unlink()
            self._fail(failure)
            register = self._new(vat=BANK_INN)
            register.action_look_up()
            self.assertTrue(register.lookup_failed)
            self.assertIn(words, register.lookup_message)
            self.assertEqual(register.name, "Ромашка")
            client = self.env["res.partner"].browse(self._register_anyway(register)["res_id"])
            self.assertFalse(client.counterparty_status)

    def _register_anyway(self, register):
        register.duplicate_reason = "Another one"
        return register.action_register()

    def test_without_any_register(self):
        (self.dadata + self.fns + self.vies).active = False
        register = self._new(vat=BANK_INN)
        self.assertFalse(register.has_register)
        register.action_look_up()
        self.assertIn("No register is set up", register.lookup_message)
        self.assertTrue(register.action_register()["res_id"])
        self.assertEqual(self.server.asked, [])

    @users("reg_sales")
    def test_nobody_forges_the_answer_of_a_register(self):
        answer = {
            "numbers": [BANK_INN],
            "provider_id": self.dadata.id,
            "parties": [{"kind": "company", "kpp": BANK_KPP, "status": "active"}],
        }
        register = self._new(vat=BANK_INN, found=answer)
        self.assertFalse(register.found_status)
        with self.assertRaises(AccessError):
            register.write({"found": answer})
        register = self.Register.with_context(default_found=answer).create(
            {"name": "X", "vat": BANK_INN, "country_id": self.russia.id}
        )
        client = self.env["res.partner"].browse(register.action_register()["res_id"])
        self.assertFalse(client.counterparty_status)

    # ------------------------------------------------------------
    # DUPLICATES
    # ------------------------------------------------------------

    def test_known_clients_are_listed_while_typing(self):
        with Form(self.Register) as form:
            form.country_id = self.russia
            form.vat = NOBODY_INN
            form.kpp = "773001001"
            form.name = "Вектор ООО"
            self.assertTrue(form.is_known)
            [row] = [row for row in form.duplicates["candidates"] if row["id"] == self.known.id]
            self.assertTrue(row["reasons"])

    def test_certain_duplicate_needs_a_reason(self):
        register = self._new(name="Вектор", vat=NOBODY_INN, kpp="773001001")
        with self.assertRaises(UserError) as caught:
            register.action_register()
        self.assertIn("ООО «Вектор»", str(caught.exception))
        register.duplicate_reason = "Separate contract of the parent"
        client = self.env["res.partner"].browse(register.action_register()["res_id"])
        self.assertEqual(client.crm_duplicate_reason, "Separate contract of the parent")

    def test_refused_without_the_right(self):
        self.company.crm_duplicate_mode = "block"
        register = self._new(
            name="Вектор", vat=NOBODY_INN, kpp="773001001", duplicate_reason="Because"
        )
        with self.assertRaisesRegex(UserError, "ask a colleague"):
            register.action_register()
        self.user_sales.group_ids |= self.env.ref("crm_extended.crm_duplicates_group_creator")
        client = self.env["res.partner"].browse(register.action_register()["res_id"])
        self.assertEqual(client.crm_duplicate_reason, "Because")

    def test_switched_off(self):
        self.company.crm_duplicate_mode = "off"
        register = self._new(name="Вектор", vat=NOBODY_INN, kpp="773001001")
        self.assertFalse(register.is_known)
        self.assertTrue(register.action_register()["res_id"])

    def test_branch_is_no_duplicate(self):
        register = self._new(name="Вектор", vat=NOBODY_INN, kpp="540601001")
        self.assertFalse(register.is_known)
        self.assertIn("branch", [row["kind"] for row in register.duplicates["candidates"]])

    def test_known_contact_is_shown(self):
        person = self.env["res.partner"].create(
            {"name": "Анна Смирнова", "email": "anna@vektor.example.com"}
        )
        register = self._new(
            name="Совсем другая",
            contact_ids=[
                Command.create({"name": "Анна Смирнова", "email": "anna@vektor.example.com"})
            ],
        )
        [row] = register.duplicates["candidates"]
        self.assertEqual((row["id"], row["contact"]), (person.id, "Анна Смирнова"))

    def test_complete_the_known_one(self):
        self.env["res.partner"].create(
            {"name": "Анна", "parent_id": self.known.id, "email": "anna@vektor.example.com"}
        )
        tag = self.env["res.partner.category"].create({"name": "Wholesale"})
        account = make_account(BIK, "40702810038000000001")
        register = self._new(
            name="Вектор",
            vat=NOBODY_INN,
            kpp="773001001",
            phone="+7 495 000-00-00",
            email="info@vektor.example.com",
            street="Беговая, 3",
            city="Москва",
            category_ids=tag.ids,
            comment="Новый склад",
            bank_bic=BIK,
            acc_number=account,
            contact_ids=[
                Command.create({"name": "Анна Петрова", "email": "ANNA@vektor.example.com"}),
                Command.create({"name": "Олег"}),
            ],
        )
        count = self.env["res.partner"].search_count([("is_company", "=", True)])
        action = register.action_complete(self.known.id)
        self.assertEqual(action["res_id"], self.known.id)
        self.assertEqual(self.env["res.partner"].search_count([("is_company", "=", True)]), count)
        known = self.known
        self.assertEqual((known.name, known.phone), ("ООО «Вектор»", "+7 495 777-88-99"))
        self.assertEqual((known.email, known.city), ("info@vektor.example.com", "Москва"))
        self.assertEqual(sorted(known.child_ids.mapped("name")), ["Анна", "Олег"])
        self.assertEqual((known.category_id, known.bank_ids.acc_number), (tag, account))
        note = known.message_ids[0].body
        for word in ("info@vektor.example.com", "Беговая, 3", "Олег"):
            self.assertIn(word, note)
        # once more changes nothing
        self._new(
            name="Вектор", email="other@vektor.example.com", acc_number=account, bank_bic=BIK
        ).action_complete(known.id)
        self.assertEqual((known.email, len(known.bank_ids)), ("info@vektor.example.com", 1))

    def test_address_is_completed_as_a_whole(self):
        self.known.city = "Тверь"
        self._new(street="Беговая, 3", city="Москва", zip="125284").action_complete(self.known.id)
        self.assertEqual(
            (self.known.street, self.known.city, self.known.zip), (False, "Тверь", False)
        )

    def test_whom_one_may_not_change_is_not_completed(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.known.company_id = other
        with self.assertRaises(AccessError):
            self._new(name="Вектор").action_complete(self.known.id)
        gone = self.env["res.partner"].create({"name": "Gone"})
        gone_id = gone.id
        gone.unlink()
        with self.assertRaises(UserError):
            self._new(name="Вектор").action_complete(gone_id)

    # ------------------------------------------------------------
    # WHERE IT WAS OPENED FROM
    # ------------------------------------------------------------

    def _open(self, action):
        self.assertEqual(action["res_model"], "crm.partner.register")
        return Form(self.Register.with_context(**action["context"]))

    def test_from_a_deal(self):
        lead = self._create_lead(
            self.user_sales,
            partner_name="Новая фирма",
            contact_name="Анна Новая",
            function="Закупки",
            email_from="anna@new.example.com",
            phone="+7 916 555-44-33",
            city="Тверь",
        )
        with self._open(lead.with_user(self.user_sales).action_register_partner()) as form:
            self.assertEqual((form.kind, form.name, form.city), ("company", "Новая фирма", "Тверь"))
        action = form.record.action_register()
        self.assertEqual(action["type"], "ir.actions.act_window_close")
        self.assertEqual(lead.partner_id.name, "Анна Новая")
        self.assertEqual(lead.partner_id.parent_id.name, "Новая фирма")
        self.assertEqual(lead.partner_id.function, "Закупки")

    def test_from_a_deal_of_a_person_who_is_known(self):
        lead = self._create_lead(self.user_sales, contact_name="Некто", phone="+7 495 777-88-99")
        with self._open(lead.with_user(self.user_sales).action_register_partner()) as form:
            self.assertEqual(form.kind, "person")
        form.record.action_complete(self.known.id)
        self.assertEqual(lead.partner_id, self.known)

    def test_from_a_participant(self):
        interaction = self.env["crm.interaction"].create(
            {
                "kind": "email",
                "subject": "Price list",
                "direction": "in",
                "date_start": fields.Datetime.now(),
                "user_id": self.user_sales.id,
                "participant_ids": [
                    Command.create({"role": "from", "email": "Boris <boris@new.example.com>"})
                ],
            }
        )
        participant = interaction.participant_ids.with_user(self.user_sales)
        with self._open(participant.action_register_partner()) as form:
            self.assertEqual(
                (form.kind, form.name, form.email), ("person", "Boris", "boris@new.example.com")
            )
            form.kind = "company"
            form.name = "Boris and Sons"
        form.record.action_register()
        self.assertEqual(participant.partner_id.name, "Boris and Sons")
        self.assertEqual(interaction.partner_id.name, "Boris and Sons")

    def test_dialog_of_somebody_else(self):
        groups = "base.group_user,crm_extended.crm_interactions_group_user"
        mine, other = (new_test_user(self.env, f"reg own {n}", groups=groups) for n in "12")
        register = (
            self.env["crm.partner.register"]
            .with_user(mine)
            .create({"name": "Alpha", "contact_ids": [Command.create({"name": "Anna"})]})
        )
        for record in (register, register.contact_ids):
            self.assertTrue(record.read(["name"]))
            with self.assertRaises(AccessError):
                record.with_user(other).read(["name"])


@tagged("post_install", "-at_install")
class TestPartnerRegisterCall(TelephonyCase):
    def test_from_an_unknown_call(self):
        self._send(self._ringing(number="+37129555199"))
        call = self._get_call().with_user(self.user_sales)
        self.assertIn("register", [button["name"] for button in call.get_card()["buttons"]])
        action = call.action_register_partner()
        Register = self.env["crm.partner.register"].with_user(self.user_sales)
        with Form(Register.with_context(**action["context"])) as form:
            self.assertEqual(form.phone, "+371 29 555 199")
            form.name = "New Yard"
            form.phone = False
            with form.contact_ids.new() as contact:
                contact.name = "Nora"
                contact.phone = "+371 29 555 199"
            with form.contact_ids.new() as contact:
                contact.name = "Else"
        form.record.action_register()
        card = call.get_card()
        self.assertEqual((card["client"]["name"], card["client"]["company"]), ("Nora", "New Yard"))
        self.assertNotIn("register", [button["name"] for button in card["buttons"]])

    def test_of_a_colleague(self):
        self._send(self._ringing(number="+37129555199"))
        call = self._get_call().with_user(self.user_sales2)
        with self.assertRaises(AccessError):
            call.action_register_partner()
        register = (
            self.env["crm.partner.register"]
            .with_user(self.user_sales2)
            .create({"name": "Stolen", "call_id": call.id})
        )
        with self.assertRaises(AccessError):
            register.action_register()
