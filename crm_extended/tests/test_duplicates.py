# ruff: noqa: RUF001 Cyrillic is meant
from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged, users

from .common_duplicates import DuplicatesCommon


@tagged("post_install", "-at_install")
class TestDuplicates(DuplicatesCommon):
    """Whoever enters a client that is known already, by whichever door, is told or stopped."""

    # ------------------------------------------------------------
    # THE FORM
    # ------------------------------------------------------------

    def test_reasons(self):
        user = self.user_sales
        number = {"vat": self.INN, "country_id": self.russia.id, "is_company": True}
        for values, reason in (
            (number | {"name": "Иное", "kpp": self.KPP}, "same INN and KPP"),
            (number | {"name": "Иное"}, "same tax number"),
            ({"name": "Иное", "phone": "8 (495) 7654321"}, "same phone"),
            ({"name": "Иное", "email": "INFO@zarechnaya.example"}, "same e-mail"),
            (
                {"name": "Иное", "bank_accounts": ["GB33 BUKB 2020 1555 5555 55"]},
                "same bank account",
            ),
            ({"name": "Иное", "ref": "z100200"}, "same reference"),
            ({"name": "Заричная кофейня"}, "names alike 0.97"),
            ({"name": "Zarechnaya Kofeynya LLC"}, "names alike 1.00"),
            ({"name": "Заречная", "street": "Мира 5", "city": "г. Казань"}, "same address"),
        ):
            with self.subTest(reason):
                row = self.ask(user, **values)
                self.assertTrue(row, "it must be shown")
                self.assertIn(reason, row["reasons"])
                self.assertEqual(row["kind"], "duplicate")
                self.assertGreater(row["score"], 0)
        self.assertIsNone(self.ask(user, name="Совсем другое", phone="+7 999 000-11-22"))
        self.assertIsNone(self.ask(user, name=False))

    def test_misspelt_names_are_among_the_first(self):
        """Slips that sounds hide, rare words beside frequent ones, and namesakes all around."""
        right = ["Колызяхы", "Гяребятит Дом", "Телебот Ямал", "Заречная Инициатива", "Рово"]
        crowd = ["Дом", "Ямал", "Инициатива", "Телеком", "Колызы", "Рива", "Рога"]
        self.env["res.partner"].create(
            [{"name": f"ООО «{name}»", "is_company": True} for name in right + crowd * 15]
        )
        self.env["crm.partner.fingerprint"]._count_words()
        for name, typed in (
            ("Колызяхы", "Колыязхы"),
            ("Гяребятит Дом", "Гряебятит Дом"),
            ("Телебот Ямал", "Телеблт Ямал"),
            ("Заречная Инициатива", "Заречная Инициатва"),
            ("Рово", "Роо"),
        ):
            found = self.env["res.partner"].get_duplicates({"name": typed, "is_company": True})
            names = [row["name"] for row in found["candidates"][:10]]
            self.assertIn(f"ООО «{name}»", names, typed)

    def test_probable_name_before_improbable_ones(self):
        """Of dozens of short names that are equally alike, the one that was probably meant is
        shown: by the commonest slip, or the name that most cards have."""
        others = "бвгджзклмнптфх"
        names = [f"{letter}ирон" for letter in others] + [f"нова{letter}а" for letter in others]
        self.env["res.partner"].create(
            [
                {"name": f"ООО «{name.title()}»", "is_company": True}
                for name in [*names, "Орион", *["Новара"] * 20]
            ]
        )
        self.env["crm.partner.fingerprint"]._count_words()
        for typed, meant in (("Оирон", "Орион"), ("Новаша", "Новара")):
            found = self.env["res.partner"].get_duplicates({"name": typed, "is_company": True})
            names = [row["name"] for row in found["candidates"]]
            self.assertEqual(len(names), 10)
            self.assertIn(f"ООО «{meant}»", names, typed)
            scores = [row["score"] for row in found["candidates"]]
            self.assertEqual(scores, sorted(scores, reverse=True))

    def test_branch(self):
        row = self.ask(
            self.user_sales, name="Заречная кофейня", vat=self.INN, kpp="770701001",
            country_id=self.russia.id, is_company=True,
        )  # fmt: skip
        self.assertEqual((row["kind"], row["is_certain"]), ("branch", False))
        self.assertIn("same INN, other KPP: a branch", row["reasons"])

    def test_namesake(self):
        row = self.ask(
            self.user_sales, name="Заречная кофейня", vat="7736050003", phone="+74957654321",
            country_id=self.russia.id, is_company=True,
        )  # fmt: skip
        self.assertEqual((row["kind"], row["is_certain"]), ("other_number", False))
        self.assertIn("same name, other INN", row["reasons"])

    def test_nothing_is_saved(self):
        before = self.env["res.partner"].search_count([])
        self.ask(self.user_sales, name="Заречная кофейня")
        self.assertEqual(self.env["res.partner"].search_count([]), before)
        self.assertFalse(self.pairs(self.client))

    def test_saved_card_is_not_its_own_duplicate(self):
        found = (
            self.env["res.partner"]
            .with_user(self.user_sales)
            .get_duplicates({"name": self.client.name, "vat": self.INN}, self.client.id)
        )
        self.assertFalse(found["candidates"])

    def test_archived_is_found(self):
        self.client.active = False
        row = self.ask(self.user_sales, name="Заречная кофейня", vat=self.INN)
        self.assertIn("archived", row["reasons"])

    def test_contact_of_the_company(self):
        """A contact has the number, telephone and address of its company by Odoo's own means."""
        contact = self.create_as(
            self.user_sales, name="Пётр Заречный", is_company=False, parent_id=self.client.id,
            phone=self.client.phone,
        )  # fmt: skip
        self.assertFalse(self.pairs(contact))

    @users("dup_sales")
    def test_public_door_takes_bad_input(self):
        Partner = self.env["res.partner"]
        for values in (
            {},
            {"name": "x" * 5000},
            {"phone": "\u0000", "parent_id": "nonsense"},
            {"bank_accounts": [1, None]},
            {"country_id": 10**8, "vat": "/"},
        ):
            self.assertIn("candidates", Partner.get_duplicates(values))

    # ------------------------------------------------------------
    # MODES
    # ------------------------------------------------------------

    def test_warn(self):
        partner = self.create_as(self.user_sales, vat=self.INN, kpp=self.KPP)
        pair = self.pairs(partner)
        self.assertEqual((pair.state, pair.partner_id), ("open", self.client))
        self.assertIn("same INN and KPP", pair.reason_text)
        self.assertEqual(partner.with_user(self.user_manager).crm_duplicate_count, 1)
        self.assertTrue(pair.group_id)

    def test_off(self):
        self.company.crm_duplicate_mode = "off"
        partner = self.create_as(self.user_sales, vat=self.INN)
        self.assertFalse(self.pairs(partner))
        self.assertFalse(
            self.env["res.partner"]
            .with_user(self.user_sales)
            .get_duplicates(self.values())["candidates"]
        )

    def test_block(self):
        self.company.crm_duplicate_mode = "block"
        for user in (self.user_sales, self.user_creator, self.user_manager):
            with (
                self.assertRaisesRegex(ValidationError, "Заречная Кофейня"),
                self.env.cr.savepoint(),
            ):
                self.create_as(user, vat=self.INN)
        other = self.create_as(self.user_sales, name="Полевая Пекарня")
        self.assertFalse(self.pairs(other))
        # a branch, and a namesake with another number
        self.create_as(self.user_sales, vat=self.INN, kpp="770701001")
        self.create_as(self.user_sales, vat="7736050003")

    def test_create_anyway(self):
        self.company.crm_duplicate_mode = "block"
        reason = {"crm_duplicate_reason": "Второй склад"}
        with (
            self.assertRaisesRegex(ValidationError, "right to create duplicates"),
            self.env.cr.savepoint(),
        ):
            self.create_as(self.user_sales, vat=self.INN, **reason)
        with self.assertRaisesRegex(ValidationError, "enter the reason"), self.env.cr.savepoint():
            self.create_as(self.user_creator, vat=self.INN, crm_duplicate_reason="  ")
        partner = self.create_as(self.user_creator, vat=self.INN, **reason)
        self.assertEqual(partner.crm_duplicate_reason, "Второй склад")
        pair = self.pairs(partner)
        self.assertEqual((pair.state, pair.decision_user_id), ("accepted", self.user_creator))
        bodies = " ".join(partner.message_ids.mapped("body"))
        self.assertIn("Второй склад", bodies)
        self.assertIn("Заречная Кофейня", bodies)
        # accepted once, it is not asked about again
        partner.with_user(self.user_sales).write({"phone": "+7 495 765-43-21"})

    def test_change_into_a_duplicate(self):
        self.company.crm_duplicate_mode = "block"
        other = self.create_as(self.user_sales, name="Полевая Пекарня")
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            other.write({"name": "Заречная кофейня", "vat": self.INN})
        other.invalidate_recordset()
        self.assertEqual(other.name, "Полевая Пекарня")
        other.write({"phone": "+7 495 111-22-33"})

    def test_old_duplicate_stays_editable(self):
        twin = self.env["res.partner"].create(self.values(vat=self.INN, kpp=self.KPP))
        self.company.crm_duplicate_mode = "block"
        twin.with_user(self.user_sales).write({"street": "ул. Мира, 7", "phone": "+7 495 0001122"})
        self.assertEqual(twin.street, "ул. Мира, 7")

    def test_account_of_another_client(self):
        self.company.crm_duplicate_mode = "block"
        other = self.create_as(self.user_creator, name="Заречная", city="Казань")
        Bank = self.env["res.partner.bank"].sudo()
        account = {"acc_number": "GB33BUKB20201555555555", "partner_id": other.id}
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.env["res.partner.bank"].with_user(self.user_manager).create(account)
        Bank.create(account)  # by a program: listed for review
        self.run_job("ir_cron_crm_partner_duplicate_check")
        self.assertTrue(self.pairs(other, "open"))

    # ------------------------------------------------------------
    # ROADS
    # ------------------------------------------------------------

    def test_import(self):
        self.company.crm_duplicate_mode = "block"
        Partner = self.env["res.partner"].with_user(self.user_sales)
        result = Partner.load(
            ["name", "is_company", "vat"],
            [["Полевая Пекарня", "1", ""], ["Заречная кофейня", "1", self.INN]],
        )
        self.assertFalse(result["ids"])
        self.assertIn("Заречная Кофейня", result["messages"][0]["message"])
        # twice in one file
        result = Partner.load(
            ["name", "phone"], [["Лесная Чайная", "+79161234567"], ["Лесная чайная", "89161234567"]]
        )
        self.assertFalse(result["ids"])
        self.company.crm_duplicate_mode = "warn"
        result = Partner.load(["name", "vat"], [["Заречная кофейня", self.INN]])
        self.assertEqual(self.pairs(Partner.browse(result["ids"])).state, "open")

    def test_name_create_and_copy(self):
        self.company.crm_duplicate_mode = "block"
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.env["res.partner"].with_user(self.user_sales).name_create("Заречная Кофейня")
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.client.with_user(self.user_sales).copy({"name": "Заречная кофейня"})

    def test_lead_conversion(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Coffee",
                "type": "lead",
                "partner_name": "Заречная кофейня",
                "email_from": "info@zarechnaya.example",
                "phone": "+7 495 765-43-21",
                "user_id": self.user_sales.id,
            }
        )
        convert = (
            self.env["crm.lead2opportunity.partner"]
            .with_user(self.user_sales)
            .with_context(active_model="crm.lead", active_id=lead.id, active_ids=lead.ids)
        )
        self.company.crm_duplicate_mode = "block"
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            convert.create({"name": "convert", "action": "create"}).action_apply()
        self.company.crm_duplicate_mode = "warn"
        convert.create({"name": "convert", "action": "create"}).action_apply()
        self.assertTrue(self.pairs(lead.partner_id.commercial_partner_id, "open"))

    def test_mail_is_never_lost(self):
        self.company.crm_duplicate_mode = "block"
        partner = (
            self.env["res.partner"]
            .with_user(self.user_sales)
            ._find_or_create_from_emails(["Заречная Кофейня <new@zarechnaya.example>"])
        )[0]
        self.assertTrue(partner.exists())
        self.assertFalse(self.pairs(partner))
        self.run_job("ir_cron_crm_partner_duplicate_check")
        self.assertEqual(self.pairs(partner).state, "open")

    def test_sign_up_is_never_lost(self):
        self.company.crm_duplicate_mode = "block"
        self.env["ir.config_parameter"].sudo().set_param("auth_signup.invitation_scope", "b2c")
        Users = self.env["res.users"].with_user(self.env.ref("base.public_user")).sudo()
        login, _password = Users.signup(
            {
                "login": "info@zarechnaya.example",
                "name": "Заречная кофейня",
                "password": "Zar3chnaya!",
            }
        )
        partner = self.env["res.users"].search([("login", "=", login)]).partner_id
        self.run_job("ir_cron_crm_partner_duplicate_check")
        self.assertTrue(self.pairs(partner, "open"))

    def test_users_and_companies(self):
        """The cards that Odoo makes itself are never refused."""
        self.company.crm_duplicate_mode = "block"
        admin = self.env.ref("base.user_admin")
        user = (
            self.env["res.users"]
            .with_user(admin)
            .create(
                {"name": "Заречная кофейня", "login": "zar", "email": "info@zarechnaya.example"}
            )
        )
        company = (
            self.env["res.company"]
            .with_user(admin)
            .create({"name": "Заречная Кофейня", "phone": "+7 495 765-43-21"})
        )
        self.assertTrue(user.partner_id and company.partner_id)
        user.with_user(admin).write({"email": self.client.email, "phone": self.client.phone})

    def test_no_context_unlocks(self):
        self.company.crm_duplicate_mode = "block"
        for context in (
            {"crm_duplicates_unasked": True},
            {"crm_duplicates_unasked": "UNASKED"},
            {"crm_duplicates_unasked": {}},
            {"install_mode": True, "import_file": True, "tracking_disable": True},
            {"no_vat_validation": True, "mail_create_nolog": True},
        ):
            Partner = self.env["res.partner"].with_user(self.user_sales).with_context(**context)
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                Partner.create(self.values(vat=self.INN))

    def test_no_door_to_the_list(self):
        """Pairs and groups are written by the program alone."""
        partner = self.create_as(self.user_sales, vat=self.INN)
        pair = self.pairs(partner)
        for user in (self.user_sales, self.user_creator):
            with self.assertRaises(AccessError):
                pair.with_user(user).action_reject()
            with self.assertRaises(AccessError):
                pair.group_id.with_user(user).action_merge()
            with self.assertRaises(AccessError):
                self.duplicates.with_user(user).create(
                    {"partner_id": self.client.id, "other_id": partner.id, "state": "rejected"}
                )
        # those who decide about them do it by the buttons, not by writing
        for record, values in (
            (pair, {"state": "rejected", "decision_user_id": self.user_sales.id}),
            (pair, {"score": 1.0}),
            (pair.group_id, {"score": 1.0}),
            (pair.group_id, {"pair_ids": [Command.update(pair.id, {"reasons": "[]"})]}),
        ):
            with self.assertRaises(AccessError):
                record.with_user(self.user_manager).write(values)
        for record in (pair, pair.group_id):
            with self.assertRaises(AccessError):
                record.with_user(self.user_manager).unlink()
        pair.with_user(self.user_manager).action_reject()
        self.assertEqual(pair.state, "rejected")

    # ------------------------------------------------------------
    # COMPANIES
    # ------------------------------------------------------------

    def test_two_companies(self):
        """Each company has its own mode; a card of another company is no use, and not shown."""
        other = self.env["res.company"].create({"name": "Duplicates Two"})
        other.crm_duplicate_mode = "block"
        self.user_sales.company_ids = [Command.link(other.id)]
        self.create_as(self.user_sales, vat=self.INN)  # warned only
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.create_as(self.user_sales, vat=self.INN, company_id=other.id)
        Partner = self.env["res.partner"].with_user(self.user_sales)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            Partner.with_company(other).create(self.values(vat=self.INN))

    def test_moved_into_a_strict_company(self):
        """Entered where nobody minds, then given to the company that does."""
        lax, strict = self.env["res.company"].create([{"name": "Lax"}, {"name": "Strict"}])
        lax.crm_duplicate_mode, strict.crm_duplicate_mode = "off", "block"
        self.user_sales.company_ids = [Command.link(lax.id), Command.link(strict.id)]
        partner = self.create_as(self.user_sales, vat=self.INN, company_id=lax.id)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            partner.company_id = strict

    def test_detached_from_the_known_client(self):
        """Entered below the known client and then taken out, a card is a duplicate all the same."""
        self.company.crm_duplicate_mode = "block"
        branch = self.create_as(
            self.user_sales,
            vat=self.INN,
            kpp=self.KPP,
            country_id=self.russia.id,
            parent_id=self.client.id,
        )
        with self.assertRaisesRegex(ValidationError, "already known"):
            branch.write({"parent_id": False})

    def test_unseen(self):
        other = self.env["res.company"].create({"name": "Duplicates Two"})
        hidden = self.env["res.partner"].create(
            {"name": "Тайный Орден", "company_id": other.id, "phone": "+7 495 999-88-77"}
        )
        self.company.crm_duplicate_mode = "block"
        found = (
            self.env["res.partner"]
            .with_user(self.user_sales)
            .get_duplicates({"name": "Тайный орден", "phone": "+74959998877"})
        )
        self.assertFalse(found["candidates"], "nobody here could use that card")
        partner = self.create_as(self.user_sales, name="Тайный орден", phone="+74959998877")
        self.assertFalse(self.pairs(partner))
        # a card of this company that a rule hides counts, unnamed
        hidden.company_id = self.company
        self.env["ir.rule"].create(
            {
                "name": "hide",
                "model_id": self.env["ir.model"]._get("res.partner").id,
                "domain_force": f"[('id', '!=', {hidden.id})]",
            }
        )
        Partner = self.env["res.partner"].with_user(self.user_sales)
        found = Partner.get_duplicates(
            {"name": "Тайный орден", "phone": "+74959998877"}, partner.id
        )["candidates"]
        (row,) = [row for row in found if not row["id"]]
        self.assertEqual(row["name"], "a client you cannot see")
        self.assertEqual(
            (row["id"], row["detail"], row["reasons"], row["percent"]), (False, "", [], "")
        )
        # what would not be refused is not told
        found = Partner.get_duplicates(
            {"name": "Другое дело", "phone": "+74959998877"}, partner.id
        )["candidates"]
        self.assertFalse([row for row in found if not row["id"]])
        with (
            self.assertRaisesRegex(ValidationError, "a client you cannot see") as caught,
            self.env.cr.savepoint(),
        ):
            self.create_as(self.user_sales, name="Тайный орден", email="new@orden.example")
        self.assertNotIn("999", str(caught.exception))

    # ------------------------------------------------------------
    # LEGAL FORMS
    # ------------------------------------------------------------

    def test_legal_forms_are_editable(self):
        Forms = self.env["crm.legal.form"]
        with self.assertRaises(AccessError):
            Forms.with_user(self.user_sales).create({"name": "ЫЫЫ"})
        self.assertNotEqual(
            self.ask(self.user_sales, name="ЫЫЫ Заречная Кофейня")["reasons"], ["names alike 1.00"]
        )
        Forms.with_user(self.user_manager).create({"name": "ЫЫЫ"})
        self.assertEqual(
            self.ask(self.user_sales, name="ЫЫЫ Заречная Кофейня")["reasons"], ["names alike 1.00"]
        )
        Fingerprint = self.env["crm.partner.fingerprint"]
        self.assertIn(self.client.id, Fingerprint._get_stale(10**6), "all are folded anew")
        self.run_job("ir_cron_crm_partner_fingerprint")
        self.assertFalse(Fingerprint._get_stale(10))

    def test_old_database(self):
        """Clients from before the installation are folded by the job."""
        self.env.cr.execute("DELETE FROM crm_partner_fingerprint")
        self.env.cr.execute("DELETE FROM crm_partner_key")
        self.assertIsNone(self.ask(self.user_sales, name="Заречная кофейня"))
        self.run_job("ir_cron_crm_partner_fingerprint")
        self.assertTrue(self.ask(self.user_sales, name="Заречная кофейня"))
