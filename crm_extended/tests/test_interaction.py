from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged, users
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

from .common_interaction import InteractionCommon


@tagged("post_install", "-at_install")
class TestInteraction(InteractionCommon):
    """Interactions, their chains, participants, states and activities."""

    # ------------------------------------------------------------
    # CHAINS
    # ------------------------------------------------------------

    @users("int_sales")
    def test_chain_of_a_document(self):
        first = self._log(subject="First")
        second = self._log(subject="Second", kind="email", direction="in", state="new")
        chain = first.chain_id
        self.assertEqual(second.chain_id, chain)
        self.assertEqual((chain.res_model, chain.res_id), ("crm.lead", self.lead.id))
        self.assertEqual(chain.user_id, self.user_sales)
        self.assertEqual(chain.partner_id, self.client_contact)
        self.assertEqual(first.partner_id, self.client_contact)
        self.assertEqual((first.res_model, first.res_id), ("crm.lead", self.lead.id))
        self.assertEqual((chain.interaction_count, chain.unhandled_count), (2, 1))
        lead = self.lead.with_env(self.env)
        self.assertEqual(lead.interaction_chain_id, chain)
        self.assertEqual(lead.interaction_ids, first + second)

    @users("int_sales")
    def test_chain_without_document(self):
        by_client = self.env["crm.interaction"].create(
            {"subject": "Hello", "partner_id": self.client_company.id}
        )
        self.assertEqual(by_client.chain_id.res_model, "res.partner")
        alone = self.env["crm.interaction"].create({"subject": "Wrong number"})
        self.assertEqual(alone.chain_id.name, "Wrong number")
        self.assertFalse(alone.chain_id.res_id)

    @users("int_sales")
    def test_batch(self):
        documents = [self.lead, self.client_company]
        interactions = self.env["crm.interaction"].create(
            [
                {
                    "subject": str(number),
                    "res_model": documents[number % 2]._name,
                    "res_id": documents[number % 2].id,
                }
                for number in range(6)
            ]
        )
        self.assertEqual(interactions.mapped("subject"), [str(number) for number in range(6)])
        self.assertEqual(len(interactions.chain_id), 2)
        self.assertEqual(interactions[0].res_model, "crm.lead")
        self.assertEqual(interactions[1].res_model, "res.partner")

    def test_one_chain_for_a_document(self):
        chain = self._log().chain_id
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.env["crm.interaction.chain"].create(
                {"name": "Twin", "res_model": "crm.lead", "res_id": chain.res_id}
            )

    @users("int_sales")
    def test_bad_documents(self):
        for values in (
            {"res_model": "res.users", "res_id": self.env.uid},
            {"res_model": "no.such.model", "res_id": 1},
            {"res_model": "crm.lead", "res_id": 2**30},
        ):
            with self.assertRaises(ValidationError):
                self.env["crm.interaction"].create({"subject": "x", **values})

    def test_chain_follows_document(self):
        """Whoever takes over the deal sees what was said about it."""
        interaction = self._log()
        self.assertFalse(interaction.with_user(self.user_sales2).has_access("read"))
        self.lead.write({"user_id": self.user_sales2.id, "name": "Renamed"})
        self.assertEqual(interaction.chain_id.user_id, self.user_sales2)
        self.assertEqual(interaction.chain_id.name, "Renamed")
        self.assertTrue(interaction.with_user(self.user_sales2).has_access("read"))

    def test_closed_chain_reopens(self):
        chain = self._log().chain_id
        chain.action_close()
        self._log()
        self.assertEqual(chain.state, "open")

    def test_document_deleted(self):
        done, planned = self._log(), self._log(state="planned")
        self.lead.unlink()
        self.assertEqual((done.state, planned.state), ("done", "cancelled"))
        self.assertFalse(done.chain_id.res_id)
        self.assertFalse(done.res_id)
        self.assertEqual(done.chain_id.state, "closed")

    def test_leads_merged(self):
        other = self.lead.copy({"name": "Twin"})
        interactions = self._log() + self._log(document=other)
        result = (self.lead + other).merge_opportunity()
        self.assertEqual(len(interactions.chain_id), 1)
        self.assertEqual(set(interactions.mapped("res_id")), {result.id})

    def test_partners_merged(self):
        twin = self.env["res.partner"].create({"name": "Amber Yard Ltd", "is_company": True})
        interactions = self._log(document=self.client_company) + self._log(document=twin)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.client_company + twin).ids, self.client_company
        )
        interactions.invalidate_recordset()
        self.assertEqual(len(interactions.chain_id), 1)
        self.assertEqual(interactions.partner_id, self.client_company)

    @users("int_sales")
    def test_next_contact(self):
        now = fields.Datetime.now()
        self._log(state="planned", date_start=now + timedelta(days=3))
        sooner = self._log(state="planned", date_start=now + timedelta(days=1))
        lead = self.lead.with_env(self.env)
        self.assertEqual(lead.interaction_next_id, sooner)
        self.assertEqual(lead.interaction_next_date, now + timedelta(days=1))
        self.assertEqual(lead.interaction_chain_id.date_next, now + timedelta(days=1))
        sooner.action_cancel()
        self.assertEqual(lead.interaction_next_date, now + timedelta(days=3))

    @users("int_sales")
    def test_client_counts_contacts_and_deals(self):
        self._log()
        self._log(document=self.client_company)
        client = self.client_company.with_env(self.env)
        self.assertEqual(client.interaction_count, 2)
        self.assertEqual(self.client_contact.with_env(self.env).interaction_count, 1)
        domain = client.action_view_interactions()["domain"]
        self.assertEqual(self.env["crm.interaction"].search_count(domain), 2)

    # ------------------------------------------------------------
    # STATES
    # ------------------------------------------------------------

    @users("int_sales")
    def test_transitions(self):
        """Every pair of states: the legal ones pass, the others are refused."""
        Interaction = self.env["crm.interaction"]
        transitions = Interaction._get_transitions()
        states = set(transitions)
        self.assertEqual(states, set(dict(Interaction._fields["state"].selection)))
        for old in states:
            for new in states - {old}:
                interaction = self._log(state=old)
                with self.subTest(old=old, new=new):
                    if new in transitions[old]:
                        interaction.state = new
                        self.assertEqual(interaction.state, new)
                    else:
                        with self.assertRaises(UserError):
                            interaction.state = new
                        self.assertEqual(interaction.state, old)

    @users("int_sales")
    def test_batch_transition_is_all_or_nothing(self):
        planned, done = self._log(state="planned"), self._log()
        with self.assertRaises(UserError):
            (planned + done).write({"state": "cancelled"})
        self.assertEqual(planned.state, "planned")

    @users("int_sales")
    def test_date_of_what_took_place(self):
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        interaction = self._log(state="planned", date_start=tomorrow)
        interaction.action_done()
        self.assertLessEqual(interaction.date_start, fields.Datetime.now())

    @users("int_sales")
    def test_postpone(self):
        interaction = self._log(state="planned")
        interaction.action_postpone_hour()
        self.assertEqual(interaction.state, "postponed")
        self.assertGreater(interaction.date_deadline, fields.Datetime.now())
        self.assertFalse(interaction.is_overdue)
        interaction.action_postpone_tomorrow()
        self.assertEqual(
            fields.Datetime.context_timestamp(
                interaction.with_context(tz=self.env.user.tz), interaction.date_deadline
            ).hour,
            9,
        )

    @users("int_sales")
    def test_overdue_is_searchable(self):
        past = fields.Datetime.now() - timedelta(days=1)
        late = self._log(state="planned", date_start=past)
        self._log(state="done", date_start=past)
        self._log(state="planned", date_start=past + timedelta(days=7))
        found = self.env["crm.interaction"].search(
            [("is_overdue", "=", True), ("res_id", "=", self.lead.id)]
        )
        self.assertEqual(found, late)

    @users("int_sales")
    def test_duration(self):
        interaction = self._log(duration=30)
        self.assertEqual(interaction.date_end - interaction.date_start, timedelta(minutes=30))
        interaction.date_end = interaction.date_start + timedelta(minutes=90)
        self.assertEqual(interaction.duration, 90)
        with self.assertRaises(ValidationError):
            interaction.date_end = interaction.date_start - timedelta(minutes=1)

    # ------------------------------------------------------------
    # ACTIVITIES
    # ------------------------------------------------------------

    @users("int_sales")
    def test_planned_has_activity(self):
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        interaction = self._log(state="planned", date_start=tomorrow)
        activity = interaction.activity_id
        self.assertEqual((activity.res_model, activity.res_id), ("crm.lead", self.lead.id))
        self.assertEqual(activity.activity_type_id, self.env.ref("mail.mail_activity_data_call"))
        self.assertEqual(activity.user_id, self.user_sales)
        interaction.date_start = tomorrow + timedelta(days=3)
        self.assertEqual(activity.date_deadline, (tomorrow + timedelta(days=3)).date())
        interaction.action_done()
        self.assertFalse(activity.active)

    @users("int_sales")
    def test_activity_closes_interaction(self):
        done, dropped = self._log(state="planned"), self._log(state="planned")
        done.activity_id.action_feedback(feedback="They agreed")
        self.assertEqual((done.state, done.result_note), ("done", "They agreed"))
        dropped.activity_id.unlink()
        self.assertEqual(dropped.state, "cancelled")

    # ------------------------------------------------------------
    # PARTICIPANTS
    # ------------------------------------------------------------

    def _log_with(self, **participant):
        return self._log(
            document=self.lead, partner_id=False, participant_ids=[Command.create(participant)]
        )

    def test_resolve_everywhere(self):
        """One resolved participant resolves all others with the same address or number."""
        by_email = self._log_with(name="A", email="Oscar <OSCAR@amber.example.com>")
        by_phone = self._log_with(name="B", phone="+371 67-000-302")
        other = self._log_with(name="C", email="other@amber.example.com")
        oscar = self._log_with(
            name="Oscar", email="oscar@amber.example.com", phone="00371 67000302"
        )
        oscar.participant_ids.partner_id = self.client_contact
        resolved = (by_email + by_phone + oscar).participant_ids
        self.assertEqual(resolved.mapped("partner_id"), self.client_contact)
        self.assertEqual((by_email + by_phone + oscar).mapped("partner_id"), self.client_contact)
        self.assertFalse(other.participant_ids.partner_id)

    def test_resolve_is_one_statement(self):
        for _number in range(20):
            self._log_with(name="X", email="many@amber.example.com")
        oscar = self._log_with(name="X", email="many@amber.example.com").participant_ids
        self.env.flush_all()
        updates = []
        execute = type(self.env.cr).execute

        def spy(cursor, query, *args, **kwargs):
            if "WITH key AS" in str(query):
                updates.append(query)
            return execute(cursor, query, *args, **kwargs)

        self.patch(type(self.env.cr), "execute", spy)
        oscar.partner_id = self.client_contact
        self.assertEqual(len(updates), 1)
        self.assertFalse(
            self.env["crm.interaction.participant"].search(
                [
                    ("email_normalized", "=", "many@amber.example.com"),
                    ("partner_id", "=", False),
                ]
            )
        )

    def test_resolve_keeps_companies_apart(self):
        other_company = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = self.env["crm.interaction"].create(
            {
                "subject": "Elsewhere",
                "company_id": other_company.id,
                "participant_ids": [Command.create({"email": "shared@amber.example.com"})],
            }
        )
        self.client_contact.company_id = self.company
        own = self._log_with(email="shared@amber.example.com")
        own.participant_ids.partner_id = self.client_contact
        self.assertFalse(foreign.participant_ids.partner_id)

    @users("int_sales")
    def test_create_contact(self):
        interaction = self.env["crm.interaction"].create(
            {
                "subject": "Catalogue",
                "participant_ids": [
                    Command.create({"name": "Zelda", "email": "zelda@new.example.com"})
                ],
            }
        )
        interaction.participant_ids.action_create_partner()
        self.assertEqual(interaction.partner_id.name, "Zelda")
        self.assertEqual(interaction.partner_id.email, "zelda@new.example.com")

    @users("int_sales")
    def test_participant_takes_data_of_contact(self):
        interaction = self._log(
            participant_ids=[
                Command.create({"partner_id": self.client_contact.id, "name": "Annie"})
            ]
        )
        participant = interaction.participant_ids
        self.assertEqual(participant.name, "Annie")
        self.assertEqual(participant.email_normalized, "anna@amber.example.com")

    # ------------------------------------------------------------
    # SCREENS
    # ------------------------------------------------------------

    @users("int_sales")
    def test_log_in_two_clicks(self):
        """The dialog opened from the deal can be saved as it is."""
        action = self.lead.with_env(self.env).action_log_interaction()
        self.assertEqual(action["target"], "new")
        form = Form(
            self.env["crm.interaction"].with_context(**action["context"]),
            view=action["views"][0][0],
        )
        interaction = form.save()
        self.assertEqual(interaction.res_id, self.lead.id)
        self.assertEqual(interaction.res_model, "crm.lead")
        self.assertEqual(interaction.state, "done")
        self.assertEqual(interaction.kind, "call")
        self.assertEqual(interaction.partner_id, self.client_contact)

    @users("int_sales")
    def test_log_in_two_clicks_elsewhere(self):
        """The same from a client, an order and an agreement, whose buttons then count it."""
        client = self.client_company.with_env(self.env)
        order = self.env["sale.order"].create({"partner_id": client.id})
        agreement = self.env["crm.agreement"].create({"partner_id": client.id})
        for document in (client, order, agreement):
            before = document.interaction_count
            action = document.action_log_interaction()
            form = Form(
                self.env["crm.interaction"].with_context(**action["context"]),
                view=action["views"][0][0],
            )
            interaction = form.save()
            self.assertEqual(
                (interaction.res_model, interaction.res_id, interaction.state),
                (document._name, document.id, "done"),
            )
            self.assertEqual(interaction.partner_id, client)
            document.invalidate_recordset()
            self.assertEqual(document.interaction_count, before + 1)
            domain = document.action_view_interactions()["domain"]
            self.assertIn(interaction, self.env["crm.interaction"].search(domain))

    @users("int_sales")
    def test_subject_and_direction_follow_the_kind(self):
        form = Form(self.env["crm.interaction"])
        self.assertEqual((form.subject, form.direction), ("Call", "out"))
        form.kind = "meeting"
        self.assertEqual((form.subject, form.direction), ("Meeting", "none"))
        form.kind = "email"
        self.assertEqual((form.subject, form.direction), ("Email", "out"))
        form.kind = "other"
        self.assertFalse(form.subject, "something else has to be named")
        form.subject = "Letter by post"
        form.kind = "call"
        self.assertEqual(form.subject, "Letter by post", "what was typed stays")
        meeting = Form(self.env["crm.interaction"].with_context(default_kind="meeting"))
        self.assertEqual((meeting.subject, meeting.direction), ("Meeting", "none"))

    @users("int_sales")
    def test_time_to_come_is_planned(self):
        form = Form(self.env["crm.interaction"])
        self.assertEqual(form.state, "done")
        form.partner_id = self.client_contact
        form.date_start = fields.Datetime.now() + timedelta(days=1)
        self.assertEqual(form.state, "planned")
        interaction = form.save()
        self.assertEqual(interaction.state, "planned")
        self.assertEqual(interaction.date_deadline, interaction.date_start)

    @users("int_sales")
    def test_form_without_chain(self):
        with Form(self.env["crm.interaction"]) as form:
            form.subject = "Met at the fair"
            form.partner_id = self.client_contact
        self.assertEqual(form.record.chain_id.res_id, self.client_contact.id)

    # ------------------------------------------------------------
    # RIGHTS
    # ------------------------------------------------------------

    def test_rights_of_salespeople(self):
        own = self._log()
        with self.assertRaises(AccessError):
            own.with_user(self.user_sales2).read(["subject"])
        with self.assertRaises(AccessError):
            own.with_user(self.user_sales2).write({"subject": "x"})
        with self.assertRaises(AccessError):
            own.with_user(self.user_sales).unlink()
        self.assertTrue(own.with_user(self.user_all).read(["body", "result_note"]))
        self.assertNotIn(
            own.chain_id, self.env["crm.interaction.chain"].with_user(self.user_sales2).search([])
        )
        own.with_user(self.user_manager).unlink()

    def test_rights_to_join(self):
        """Nobody talks in conversations or about documents that are out of reach."""
        chain = self._log().chain_id
        Interaction = self.env["crm.interaction"].with_user(self.user_sales2)
        with self.assertRaises(AccessError):
            Interaction.create({"subject": "x", "chain_id": chain.id})
        with self.assertRaises(AccessError):
            Interaction.with_context(default_chain_id=chain.id).create({"subject": "x"})
        with self.assertRaises(AccessError):
            self._log(user=self.user_sales2)
        own = Interaction.create({"subject": "x"})
        with self.assertRaises(AccessError):
            own.chain_id = chain
        # a client is everybody's: the colleague's conversation is joined by its document
        self._log(document=self.client_company)
        joined = self._log(user=self.user_sales2, document=self.client_company)
        self.assertTrue(joined.chain_id.with_user(self.user_sales2).has_access("read"))

    def test_rights_of_accountant(self):
        own = self._log(body="<p>secret</p>", result_note="secret")
        header = own.with_user(self.user_accountant)
        self.assertEqual(header.read(["subject"])[0]["subject"], "Contact")
        for name in ("body", "result_note", "participant_ids"):
            with self.assertRaises(AccessError):
                header.read([name])
        with self.assertRaises(AccessError):
            header.write({"subject": "x"})
        with self.assertRaises(AccessError):
            self._log(user=self.user_accountant, document=self.client_company)
        # a salesperson with accounting rights sees no more of colleagues than before
        self.user_sales2.group_ids += self.env.ref("account.group_account_invoice")
        self.assertFalse(own.with_user(self.user_sales2).has_access("read"))

    def test_attachments(self):
        """Files follow the notes: an accountant reaches the header only."""
        Attachment = self.env["ir.attachment"]
        own = Attachment.with_user(self.user_sales).create({"name": "a.txt", "raw": b"secret"})
        interaction = self._log(attachment_ids=[Command.link(own.id)])
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(interaction.attachment_ids, own)
        self.assertTrue(own.with_user(self.user_all).has_access("read"))
        for user in (self.user_accountant, self.user_sales2):
            with self.assertRaises(AccessError):
                own.with_user(user).read(["raw"])
            self.assertFalse(
                Attachment.with_user(user).search(
                    [("res_model", "=", "crm.interaction"), ("res_field", "!=", False)]
                )
            )
        foreign = Attachment.create(
            {"name": "b.txt", "raw": b"x", "res_model": "crm.lead", "res_id": self.lead.id}
        )
        with self.assertRaises(AccessError):
            interaction.write({"attachment_ids": [Command.link(foreign.id)]})
        later = Attachment.with_user(self.user_sales).create({"name": "c.txt", "raw": b"y"})
        interaction.write({"attachment_ids": [Command.link(later.id)]})
        self.assertEqual(interaction.attachment_ids, own + later)
        interaction.with_user(self.user_manager).unlink()
        self.assertFalse((own + later).exists())

    def test_rights_of_others(self):
        """A client's card opens for everybody; the interactions on it do not."""
        own = self._log(document=self.client_company)
        client = self.client_company.with_user(self.user_plain)
        self.assertEqual(client.interaction_count, 0)
        self.assertFalse(client.interaction_chain_id)
        self.assertNotIn("interaction_ids", client.fields_get())
        with self.assertRaises(AccessError):
            own.with_user(self.user_plain).read(["subject"])
        portal = new_test_user(self.env, "int_portal", groups="base.group_portal")
        with self.assertRaises(AccessError):
            own.with_user(portal).read(["subject"])

    @users("int_sales")
    def test_controlled_fields(self):
        interaction = self._log(state="planned")
        for values in (
            {"outcome_id": self.reached.id},
            {"attempt_number": 3},
            {"activity_id": False},
            {"call_uid": "abc"},
        ):
            with self.assertRaises(AccessError):
                interaction.write(values)
        with self.assertRaises(AccessError):
            self._log(call_uid="abc")
        with self.assertRaises(AccessError):
            self._log(document=self.lead.with_context(default_call_uid="abc"), call_uid="abc")
        Interaction = self.env["crm.interaction"].with_context(
            default_outcome_id=self.reached.id, crm_internal=True
        )
        with self.assertRaises(AccessError):
            Interaction.create({"subject": "x"})
        with self.assertRaises(AccessError):
            interaction.chain_id.write({"res_id": 1})
        with self.assertRaises(AccessError):
            self.env["crm.interaction.chain"].create(
                {"name": "x", "res_model": "crm.lead", "res_id": self.lead.id}
            )
        forged = (
            self.env["crm.interaction.chain"]
            .with_context(default_res_model="crm.lead", default_res_id=self.lead.id)
            .create({"name": "x"})
        )
        self.assertFalse(forged.res_id)

    def test_two_companies(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        colleague = new_test_user(
            self.env,
            "int_elsewhere",
            groups="base.group_user,sales_team.group_sale_salesman_all_leads",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        about_deal = self._log()
        about_client = self._log(document=self.client_company)
        self.assertFalse((about_deal + about_client).with_user(colleague)._filtered_access("read"))
        # the client belongs to both: one conversation, each company sees its own part
        there = self._log(user=colleague, document=self.client_company)
        self.assertEqual(there.company_id, other)
        self.assertEqual(there.chain_id, about_client.chain_id)
        self.assertEqual(self.client_company.with_user(colleague).interaction_count, 1)

    # ------------------------------------------------------------
    # SPEED
    # ------------------------------------------------------------

    @users("int_sales")
    def test_list_of_deals_has_no_query_per_deal(self):
        leads = self.env["crm.lead"].create(
            [{"name": f"Deal {number}", "user_id": self.env.uid} for number in range(40)]
        )
        self.env["crm.interaction"].create(
            [
                {"subject": "x", "state": "planned", "res_model": "crm.lead", "res_id": lead.id}
                for lead in leads
            ]
        )
        names = ["interaction_count", "interaction_next_date", "interaction_chain_id"]

        def count_queries(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            records.read(names)
            return self.cr.sql_log_count - before

        count_queries(leads)
        few, many = count_queries(leads[:5]), count_queries(leads)
        self.assertEqual(few, many)
        with self.assertQueryCount(12):
            self.env.invalidate_all()
            leads.read(names)

    @users("int_sales")
    def test_list_of_clients_has_no_query_per_client(self):
        clients = self.env["res.partner"].create([{"name": f"Client {n}"} for n in range(40)])
        self.env["crm.interaction"].create(
            [{"subject": "x", "partner_id": client.id} for client in clients]
        )
        self.env.flush_all()
        clients.read(["interaction_count"])
        self.env.invalidate_all()
        with self.assertQueryCount(10):
            self.assertEqual(clients.mapped("interaction_count"), [1] * 40)
