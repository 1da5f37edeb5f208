from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, new_test_user, tagged, users

from ..tools.phone_digits import get_phone_patterns
from .common_interaction import InteractionCommon


class TestPhonePatterns(BaseCase):
    """Which digits are looked for, without a database."""

    def test_spellings(self):
        for text in ("8 (495) 765-43-21", "84957654321", "495-765-43-21", "495 765 43 21"):
            endings, _beginnings = get_phone_patterns(text)
            with self.subTest(text=text):
                self.assertTrue(any("74957654321".endswith(ending) for ending in endings))
        for text in ("+7 (495) 765-43-21", "007 495 765 43 21"):
            self.assertIn("74957654321", get_phone_patterns(text)[0])

    def test_unfinished(self):
        self.assertIn("7495765", get_phone_patterns("8 495 765", phone_code=7)[1])
        self.assertIn("7495765", get_phone_patterns("+7 495 765", phone_code=371)[1])
        self.assertNotIn("495765", get_phone_patterns("8 495 765", phone_code=7)[0])

    def test_too_little(self):
        for text in ("", "12", "Anna", None):
            self.assertEqual(get_phone_patterns(text), (set(), set()))


@tagged("post_install", "-at_install")
class TestInteractionParticipant(InteractionCommon):
    """Who took part: contacts are found, created and assigned, for one and for all."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.ru")
        cls.Participant = cls.env["crm.interaction.participant"]

    def _log_with(self, *participants, **values):
        values = {"document": self.lead, "partner_id": False, **values}
        return self._log(
            participant_ids=[Command.create(participant) for participant in participants], **values
        )

    def _log_alone(self, *participants, user=None, **values):
        """An interaction about no document, with unknown people."""
        return (
            self.env["crm.interaction"]
            .with_user(user or self.user_sales)
            .create(
                {
                    "subject": "Somebody",
                    "participant_ids": [Command.create(values) for values in participants],
                    **values,
                }
            )
        )

    # ------------------------------------------------------------
    # SEARCH BY NUMBER
    # ------------------------------------------------------------

    def test_phone_search(self):
        partner = self.env["res.partner"].create({"name": "Phil", "phone": "+7 495 765 43 99"})
        called = self._log_alone({"name": "Olga", "phone": "+7 495 765-43-21"})
        of_client = self._log(document=partner)
        self._log_alone({"name": "Other", "phone": "+7 812 765-43-22"})
        Interaction = self.env["crm.interaction"].with_user(self.user_sales)
        for number in (
            "8 (495) 765-43-21",
            "+7 (495) 765 43 21",
            "495-765-43-21",
            "84957654321",
            "765-43-21",
            "4321",
            "8 495 765 43 2",
        ):
            with self.subTest(number=number):
                found = Interaction.search([("phone_search", "ilike", number)])
                self.assertIn(called, found)
                chains = called.chain_id.search([("phone_search", "ilike", number)])
                self.assertIn(called.chain_id, chains)
                self.assertNotIn("Other", found.participant_ids.mapped("name"))
        self.assertEqual(Interaction.search([("phone_search", "=", "495 765 43 99")]), of_client)
        self.assertFalse(Interaction.search([("phone_search", "ilike", "8 495 111 22 33")]))
        self.assertEqual(
            self.Participant.search([("phone_search", "ilike", "765-43-21")]).name, "Olga"
        )
        for text in ("43", "Olga"):
            with self.assertRaises(UserError):
                Interaction.search([("phone_search", "ilike", text)])

    def test_phone_search_of_partners(self):
        partner = self.env["res.partner"].create({"name": "Phil", "phone": "8 495 765 43 21"})
        Partner = self.env["res.partner"].with_user(self.user_sales)
        for number in ("+7 (495) 765-43-21", "495 765 43 21", "43-21"):
            self.assertIn(partner, Partner.search([("phone_search", "ilike", number)]))
        # also by a number from which the client once called
        other = self._log_with({"phone": "+7 903 111-22-33"}).participant_ids
        other.partner_id = partner
        self.assertEqual(Partner.search([("phone_search", "ilike", "8 903 111-22-33")]), partner)
        # a number nobody could parse is found by its digits
        partner.phone = "12-34-56"
        self.assertIn(partner, Partner.search([("phone_search", "ilike", "123456")]))

    def test_phone_search_keeps_rights(self):
        called = self._log_with({"phone": "+7 903 111-22-33"})
        called.participant_ids.partner_id = self.client_contact
        for model, record in (
            ("crm.interaction", called),
            ("crm.interaction.chain", called.chain_id),
            ("res.partner", self.client_contact),
        ):
            for user, expected in ((self.user_sales, True), (self.user_sales2, False)):
                found = (
                    self.env[model].with_user(user).search([("phone_search", "ilike", "1112233")])
                )
                self.assertEqual(record.id in found.ids, expected, f"{model} {user.login}")
        with self.assertRaises(AccessError):
            self.env["crm.interaction"].with_user(self.user_accountant).search(
                [("phone_search", "ilike", "1112233")]
            )

    def test_phone_search_uses_indexes(self):
        interaction = self._log()
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO res_partner (name, phone, active, type, autopost_bills)
                 SELECT n, '+7 903 ' || n, true, 'contact', 'ask'
                   FROM generate_series(1000000, 1005000) n;
            INSERT INTO crm_interaction_participant (interaction_id, role, phone, phone_digits)
                 SELECT %s, 'other', '+7 903 ' || n, '7903' || n
                   FROM generate_series(1000000, 1005000) n;
            ANALYZE res_partner, crm_interaction_participant, crm_interaction
            """,
            [interaction.id],
        )
        for model, table in (
            ("crm.interaction", "crm_interaction_participant"),
            ("res.partner", "res_partner"),
        ):
            query = self.env[model]._search([("phone_search", "ilike", "8 495 765-43-21")]).select()
            self.env.cr.execute(f"EXPLAIN {query.code}", query.params)
            plan = "\n".join(line for (line,) in self.env.cr.fetchall())
            self.assertIn(f"{table}_phone_digits_reverse_idx", plan)
            # "p": the number is looked up; what is found may be joined to a small table anyhow
            self.assertNotIn(f"Seq Scan on {table} p", plan)

    # ------------------------------------------------------------
    # ENTERED BY HAND
    # ------------------------------------------------------------

    def test_known_at_once(self):
        """Who is entered with the address or number of a contact is that contact."""
        person = self.env["res.partner"].create(
            {"name": "Kira", "email": "kira@k.example.com", "phone": "+7 495 765 43 21"}
        )
        self.env["res.partner"].create(
            {"name": "K Ltd", "is_company": True, "email": "kira@k.example.com"}
        )
        by_email = self._log_with({"email": "KIRA@k.example.com"})
        by_phone = self._log_with({"phone": "8 495 765-43-21"})
        self.assertEqual((by_email + by_phone).participant_ids.partner_id, person)
        self.assertEqual((by_email + by_phone).partner_id, person)

    def test_known_in_own_company_only(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.env["res.partner"].create(
            {"name": "Kira", "email": "kira@k.example.com", "company_id": elsewhere.id}
        )
        self.assertFalse(self._log_with({"email": "kira@k.example.com"}).participant_ids.partner_id)

    # ------------------------------------------------------------
    # RESOLVED LATER
    # ------------------------------------------------------------

    def test_new_contact_is_recognised(self):
        """A contact created anywhere is found among those who took part."""
        by_email = self._log_alone({"name": "Z", "email": "zoe@z.example.com"})
        by_phone = self._log_alone({"name": "Z", "phone": "8 903 111-22-33"}, user=self.user_sales2)
        stranger = self._log_alone({"name": "Zoe"})
        partner = (
            self.env["res.partner"]
            .with_user(self.user_manager)
            .create({"name": "Zoe", "email": "Zoe <zoe@z.example.com>", "phone": "+79031112233"})
        )
        for interaction in (by_email + by_phone).sudo():
            self.assertEqual(interaction.participant_ids.partner_id, partner)
            self.assertEqual(interaction.partner_id, partner)
            self.assertEqual(interaction.chain_id.partner_id, partner)
        self.assertFalse(stranger.participant_ids.partner_id)

    def test_contact_gets_address_later(self):
        for name, value in (("email", "late@z.example.com"), ("phone", "+7 903 111-22-44")):
            interaction = self._log_alone({name: value})
            self.assertFalse(interaction.partner_id)
            self.client_contact.write({name: value})
            self.assertEqual(interaction.participant_ids.partner_id, self.client_contact)
            self.assertEqual(interaction.partner_id, self.client_contact)

    def test_portal_user_claims_nothing(self):
        interaction = self._log_alone({"email": "boss@z.example.com"})
        portal = new_test_user(self.env, "int_portal2", groups="base.group_portal")
        portal.partner_id.with_user(portal).sudo().email = "boss@z.example.com"
        self.assertFalse(interaction.participant_ids.partner_id)

    def test_many_contacts_at_once(self):
        interactions = [
            self._log_alone({"email": f"p{number % 10}@many.example.com"}) for number in range(30)
        ]
        partners = self.env["res.partner"].create(
            [{"name": f"P{n}", "email": f"p{n}@many.example.com"} for n in range(10)]
        )
        for number, interaction in enumerate(interactions):
            self.assertEqual(interaction.partner_id, partners[number % 10])

    def test_users_are_nobodys_client(self):
        """Everybody can be resolved; our own people do not become the client."""
        colleague = new_test_user(
            self.env, "int_colleague", groups="base.group_user", email="colleague@us.example.com"
        )
        interaction = self._log_alone(
            {"email": "colleague@us.example.com", "role": "from"},
            {"email": "guest@z.example.com", "role": "to"},
        )
        self.assertEqual(interaction.participant_ids[0].partner_id, colleague.partner_id)
        self.assertFalse(interaction.partner_id)
        guest = self.env["res.partner"].create({"name": "G", "email": "guest@z.example.com"})
        self.assertEqual(interaction.partner_id, guest)

    def test_company_and_person_alike(self):
        firm = self._log_alone({"email": "info@firm.example.com"})
        company = self.env["res.partner"].create(
            {"name": "Firm", "is_company": True, "email": "info@firm.example.com"}
        )
        self.assertEqual(firm.partner_id, company)

    def test_companies_stay_apart(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        here = self._log_alone({"email": "shared@z.example.com"})
        there = self.env["crm.interaction"].create(
            {
                "subject": "There",
                "company_id": elsewhere.id,
                "participant_ids": [Command.create({"email": "shared@z.example.com"})],
            }
        )
        partner = self.env["res.partner"].create(
            {"name": "S", "email": "shared@z.example.com", "company_id": elsewhere.id}
        )
        self.assertFalse(here.participant_ids.partner_id)
        self.assertEqual(there.participant_ids.partner_id, partner)
        # found by hand for a contact of all companies, it reaches both
        again = self._log_alone({"email": "both@z.example.com"})
        there.participant_ids = [Command.create({"email": "both@z.example.com"})]
        again.participant_ids.partner_id = self.client_contact
        self.assertEqual(there.participant_ids[1].partner_id, self.client_contact)

    def test_last_resolved_wins_and_resolved_stays(self):
        first = self._log_alone({"email": "one@z.example.com"}).participant_ids
        second = self._log_alone({"email": "one@z.example.com"}).participant_ids
        first.partner_id = self.client_contact
        self.assertEqual(second.partner_id, self.client_contact)
        first.partner_id = self.client_company
        self.assertEqual(second.partner_id, self.client_contact)

    def test_batch_is_one_statement(self):
        participants = self.Participant.concat(
            *(self._log_alone({"email": f"b{n}@b.example.com"}).participant_ids for n in range(20))
        )
        twins = self.Participant.concat(
            *(self._log_alone({"email": f"b{n}@b.example.com"}).participant_ids for n in range(20))
        )
        participants[:2].action_assign_partner(self.client_contact.id)
        self.assertEqual((participants[:2] + twins[:2]).partner_id, self.client_contact)
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(25):
            participants[2:].with_env(self.env).write({"partner_id": self.client_contact.id})
        self.assertEqual(twins.partner_id, self.client_contact)
        self.assertEqual(twins.interaction_id.partner_id, self.client_contact)

    def test_import_of_partners_is_cheap(self):
        """One look for a whole batch in which nobody is recognised."""
        Partner = self.env["res.partner"]

        def count(prefix):
            self.env.flush_all()
            before = self.cr.sql_log_count
            Partner.create(
                [
                    {
                        "name": f"N{n}",
                        "email": f"{prefix}{n}@x.example.com",
                        "phone": f"+7903{n:07}",
                    }
                    for n in range(100)
                ]
            )
            self.env.flush_all()
            return self.cr.sql_log_count - before

        count("warm")
        hooked = count("with")
        self.patch(type(Partner), "_resolve_participants", lambda self: None)
        self.assertLessEqual(hooked - count("without"), 1)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def test_create_contacts_one_for_each_person(self):
        participants = (
            self._log_alone({"name": "Ann", "email": "ann@z.example.com"})
            + self._log_alone({"email": "Ann <ann@z.example.com>", "phone": "8 903 111-22-33"})
            + self._log_alone({"phone": "+7 903 111 22 33"})
            + self._log_alone({"name": "Bob"})
            + self._log_alone({"name": "Bob"})
        ).participant_ids
        elsewhere = self._log_alone({"phone": "79031112233"}, user=self.user_sales2)
        participants.with_user(self.user_sales).action_create_partner()
        ann = participants[:3].partner_id
        self.assertEqual((len(ann), ann.name, ann.email), (1, "Ann", "ann@z.example.com"))
        self.assertEqual(ann.phone_sanitized, "+79031112233")
        self.assertEqual(len(participants[3:].partner_id), 2, "a name alone is no proof")
        self.assertEqual(elsewhere.partner_id, ann)
        self.assertEqual(participants[:3].interaction_id.partner_id, ann)

    @users("int_sales")
    def test_create_contact_of_nobody(self):
        interaction = self._log_alone({"name": "Real"}, {})
        with self.assertRaises(UserError):
            interaction.participant_ids.action_create_partner()
        self.assertFalse(interaction.participant_ids.partner_id, "all or nothing")

    def test_assign(self):
        first, second = (
            self._log_alone({"name": "A"}),
            self._log_alone({"email": "q@z.example.com"}),
        )
        other = self._log_alone({"email": "q@z.example.com"}, user=self.user_sales2)
        participants = (first + second).participant_ids
        wizard = (
            self.env["crm.interaction.participant.assign"]
            .with_user(self.user_sales)
            .with_context(participants.action_open_assign()["context"])
            .create({"partner_id": self.client_contact.id})
        )
        wizard.action_confirm()
        everybody = participants.sudo() + other.sudo().participant_ids
        self.assertEqual(everybody.partner_id, self.client_contact)
        with self.assertRaises(UserError):
            participants.with_user(self.user_sales).action_assign_partner(2**30)

    def test_rights(self):
        own = self._log_alone({"email": "r@z.example.com"})
        for user in (self.user_sales2, self.user_accountant, self.user_plain):
            participants = own.participant_ids.with_user(user)
            with self.assertRaises(AccessError):
                participants.action_create_partner()
            with self.assertRaises(AccessError):
                participants.action_assign_partner(self.client_contact.id)
        self.assertFalse(self.env["res.partner"].search([("email", "=", "r@z.example.com")]))
        # a dialog is nobody else's business
        wizard = (
            self.env["crm.interaction.participant.assign"]
            .with_user(self.user_sales)
            .create({"participant_ids": own.participant_ids.ids, "partner_id": 1})
        )
        with self.assertRaises(AccessError):
            wizard.with_user(self.user_sales2).action_confirm()
