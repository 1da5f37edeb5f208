from datetime import datetime, timedelta

import pytz
from freezegun import freeze_time
from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, Form, new_test_user, tagged, users

from ..tools.postpone import get_postponed
from .common_interaction import InteractionCommon


class TestPostponed(BaseCase):
    """Until when something is put off, without a database."""

    def test_presets(self):
        moscow = pytz.timezone("Europe/Moscow")
        # a Sunday, 23:30 in UTC: Monday in Moscow already
        now = datetime(2026, 11, 22, 23, 30)
        self.assertEqual(get_postponed("hour", now, moscow), datetime(2026, 11, 23, 0, 30))
        self.assertEqual(get_postponed("tomorrow", now, moscow), datetime(2026, 11, 24, 6))
        self.assertEqual(get_postponed("week", now, moscow), datetime(2026, 11, 30, 6))
        self.assertEqual(get_postponed("week", now, pytz.utc), datetime(2026, 11, 23, 9))

    def test_daylight_saving(self):
        berlin = pytz.timezone("Europe/Berlin")
        # clocks go back in the night to Sunday the 25th
        now = datetime(2026, 10, 24, 12)
        self.assertEqual(get_postponed("tomorrow", now, berlin), datetime(2026, 10, 25, 8))
        with self.assertRaises(ValueError):
            get_postponed("year", now, berlin)


@tagged("post_install", "-at_install")
class TestInteractionActions(InteractionCommon):
    """What people do with interactions and conversations, through the public doors."""

    def _log_alone(self, user=None, **values):
        """An interaction about no document, which arrived."""
        return (
            self.env["crm.interaction"]
            .with_user(user or self.user_sales)
            .create({"subject": "Somebody", "direction": "in", "state": "new", **values})
        )

    def _open(self, action, user=None, **values):
        """Fill in the dialog that an action opens, as a user does."""
        model = self.env[action["res_model"]].with_user(user or self.user_sales)
        return model.with_context(**action["context"]).create(values)

    # ------------------------------------------------------------
    # POSTPONE
    # ------------------------------------------------------------

    @users("int_sales")
    def test_postpone_presets(self):
        self.env.user.tz = "Europe/Riga"
        with freeze_time("2026-01-14 09:00:00"):
            for name, expected in (
                ("action_postpone_hour", datetime(2026, 1, 14, 10)),
                ("action_postpone_tomorrow", datetime(2026, 1, 15, 7)),
                ("action_postpone_week", datetime(2026, 1, 19, 7)),
            ):
                interactions = self._log(state="planned") + self._log(state="new", direction="in")
                getattr(interactions, name)()
                self.assertEqual(set(interactions.mapped("date_deadline")), {expected})
                self.assertEqual(set(interactions.mapped("state")), {"postponed"})
            self.assertEqual(
                interactions[0].activity_id.date_deadline, datetime(2026, 1, 19).date()
            )

    @users("int_sales")
    def test_postpone_until(self):
        interactions = self._log(state="planned") + self._log(state="planned")
        until = fields.Datetime.now() + timedelta(days=10)
        self._open(interactions.action_open_postpone(), preset="date", date=until).action_confirm()
        self.assertEqual(set(interactions.mapped("date_deadline")), {until})
        with self.assertRaises(UserError):
            interactions.action_postpone_until(fields.Datetime.now() - timedelta(minutes=1))
        with self.assertRaises(UserError):
            interactions.action_postpone_until(False)
        with self.assertRaises(UserError):
            interactions.action_postpone("never")
        with self.assertRaises(UserError):
            self._log(state="done").action_postpone_hour()
        with self.assertRaises(UserError):
            self._open(interactions.action_open_postpone(), preset="date").action_confirm()

    # ------------------------------------------------------------
    # PLAN NEXT
    # ------------------------------------------------------------

    @users("int_sales")
    def test_plan_next(self):
        arrived = self._log(
            state="new",
            direction="in",
            subject="Price?",
            participant_ids=[
                Command.create({"name": "Olga", "email": "olga@o.example.com", "role": "from"}),
                Command.create({"name": "Boss", "email": "boss@o.example.com", "role": "cc"}),
                Command.create({"partner_id": self.user_sales2.partner_id.id, "role": "to"}),
            ],
        )
        form = Form(
            self.env["crm.interaction.plan"].with_context(**arrived.action_open_plan()["context"])
        )
        self.assertFalse(form.handled)
        form.handled = True
        form.kind = "meeting"
        moment = fields.Datetime.now().replace(microsecond=0) + timedelta(days=2)
        form.date_start = moment
        form.save().action_confirm()
        self.assertEqual(arrived.state, "done")
        planned = arrived.child_ids
        self.assertEqual(
            (planned.state, planned.kind, planned.subject), ("planned", "meeting", "Price?")
        )
        self.assertEqual((planned.date_start, planned.date_deadline), (moment, moment))
        self.assertEqual(planned.chain_id, arrived.chain_id)
        self.assertEqual(planned.participant_ids.mapped("name"), ["Olga"])
        self.assertEqual(planned.activity_id.res_id, self.lead.id)

    @users("int_sales")
    def test_plan_next_for_many(self):
        """One for each conversation, after the last of the chosen interactions."""
        now = fields.Datetime.now()
        old = self._log(date_start=now - timedelta(days=2))
        new = self._log(date_start=now - timedelta(days=1))
        other = self._log(document=self.client_company)
        planned = (old + new + other).action_plan_next()
        self.assertEqual(planned.parent_id, new + other)
        self.assertEqual(planned.mapped("state"), ["planned", "planned"])
        with self.assertRaises(UserError):
            old.action_plan_next({"outcome_id": self.reached.id})
        with self.assertRaises(UserError):
            old.action_plan_next({"chain_id": other.chain_id.id})

    # ------------------------------------------------------------
    # REPLY
    # ------------------------------------------------------------

    @users("int_sales")
    def test_reply(self):
        mail = self._log(
            kind="email",
            direction="in",
            state="new",
            subject="Price?",
            participant_ids=[
                Command.create({"partner_id": self.client_contact.id, "role": "from"})
            ],
        )
        action = mail.action_reply()
        self.assertEqual(action["res_model"], "mail.compose.message")
        composer = (
            self.env["mail.compose.message"].with_context(**action["context"]).create({"body": "5"})
        )
        self.assertEqual(composer.partner_ids, self.client_contact)
        self.assertEqual(composer.subject, "Re: Price?")
        composer._action_send_mail()
        self.assertIn("Re: Price?", self.lead.message_ids.mapped("subject"))
        # what cannot be written to is answered by a log entry
        action = self._log_alone(kind="message").action_reply()
        form = Form(
            self.env["crm.interaction"].with_context(**action["context"]),
            view=action["views"][0][0],
        )
        answer = form.save()
        self.assertEqual((answer.direction, answer.subject), ("out", "Re: Somebody"))

    # ------------------------------------------------------------
    # HAND OVER
    # ------------------------------------------------------------

    def test_hand_over(self):
        self.user_sales2.notification_type = "inbox"
        about_deal = self._log(state="planned", body="<p>Before</p>")
        alone = self._log_alone()
        (about_deal + alone).with_user(self.user_sales)
        wizard = self._open(
            (about_deal + alone).action_open_hand_over(),
            user_id=self.user_sales2.id,
            note="Away <b>till</b> Monday",
        )
        wizard.action_confirm()
        about_deal, alone = about_deal.sudo(), alone.sudo()
        self.assertEqual((about_deal + alone).user_id, self.user_sales2)
        self.assertIn("Before", about_deal.body)
        self.assertIn("Away &lt;b&gt;till", about_deal.body)
        self.assertEqual(about_deal.activity_id.user_id, self.user_sales2)
        self.assertEqual(about_deal.chain_id.user_id, self.user_sales, "the deal stays")
        self.assertEqual(alone.chain_id.user_id, self.user_sales2)
        message = self.env["mail.message"].search(
            [("partner_ids", "=", self.user_sales2.partner_id.id)], order="id desc", limit=1
        )
        self.assertEqual(message.message_type, "user_notification")
        self.assertEqual(message.author_id, self.user_sales.partner_id)
        self.assertIn("Away &lt;b&gt;till", message.body)
        self.assertEqual(message.notification_ids.res_partner_id, self.user_sales2.partner_id)

    def test_hand_over_refused(self):
        interaction = self._log(state="planned")
        portal = new_test_user(self.env, "int_portal3", groups="base.group_portal")
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env,
            "int_stranger",
            groups="base.group_user,sales_team.group_sale_salesman",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        for user in (portal, self.user_plain, stranger):
            with self.assertRaises(UserError):
                interaction.action_hand_over(user.id)
        with self.assertRaises(UserError):
            interaction.action_hand_over(2**30)
        with self.assertRaises(UserError):
            (interaction + self._log()).action_hand_over(self.user_sales2.id)
        self.assertEqual(interaction.user_id, self.user_sales)
        with self.assertRaises(AccessError):
            interaction.with_user(self.user_sales2).action_hand_over(self.user_sales2.id)

    # ------------------------------------------------------------
    # DEALS
    # ------------------------------------------------------------

    @users("int_sales")
    def test_create_deal(self):
        arrived = self._log_alone(
            subject="Asked for drills",
            body="<p>Twenty of them</p>",
            participant_ids=[Command.create({"name": "Olga", "phone": "+371 67 000 399"})],
        )
        later = self._log_alone(chain_id=arrived.chain_id.id)
        old_chain = arrived.chain_id
        action = arrived.action_create_lead()
        lead = self.env["crm.lead"].browse(action["res_id"])
        self.assertEqual((lead.name, lead.type), ("Asked for drills", "opportunity"))
        self.assertEqual((lead.contact_name, lead.phone), ("Olga", "+371 67 000 399"))
        self.assertIn("Twenty", lead.description)
        self.assertEqual(lead.user_id, self.user_sales)
        self.assertEqual(
            lead.interaction_ids, arrived + later, "the conversation becomes the deal's"
        )
        self.assertFalse(old_chain.exists())
        with self.assertRaises(UserError):
            arrived.action_create_lead()

    @users("int_sales")
    def test_create_deal_of_client(self):
        """From the general conversation with a client only what was chosen moves."""
        chosen, other = (
            self._log(document=self.client_company),
            self._log(document=self.client_company),
        )
        lead = self.env["crm.lead"].browse(chosen.action_create_lead()["res_id"])
        self.assertEqual(lead.partner_id, self.client_company)
        self.assertEqual(lead.interaction_ids, chosen)
        self.assertEqual(other.res_model, "res.partner")

    @users("int_sales")
    def test_create_deals_for_many(self):
        many = self._log_alone(subject="A") + self._log_alone(subject="B")
        action = many.action_create_lead()
        leads = self.env["crm.lead"].search(action["domain"], order="id")
        self.assertEqual(leads.mapped("name"), ["A", "B"])
        self.assertEqual(many.mapped("res_id"), leads.ids)

    @users("int_sales")
    def test_link_to_deal(self):
        planned = self._log_alone(state="planned", direction="out")
        self.assertFalse(planned.activity_id)
        wizard = self._open(planned.action_open_link_lead(), lead_id=self.lead.id)
        self.assertEqual(wizard.destination, "lead")
        action = wizard.action_confirm()
        self.assertEqual(action["res_id"], self.lead.id)
        self.assertEqual(planned.res_id, self.lead.id)
        self.assertEqual(planned.partner_id, self.client_contact)
        self.assertEqual(planned.activity_id.res_id, self.lead.id, "it is planned there now")
        with self.assertRaises(UserError):
            self._log_alone().action_link_lead(False)

    def test_link_to_deal_out_of_reach(self):
        alone = self._log_alone(user=self.user_sales2)
        with self.assertRaises(AccessError):
            alone.action_link_lead(self.lead.id)
        self.assertFalse(alone.res_id)
        # a conversation in which a colleague takes part does not move as a whole
        self._log_alone(
            chain_id=alone.chain_id.id, user_id=self.user_manager.id, user=self.user_all
        )
        chain_sudo = alone.sudo().chain_id
        chain_sudo.user_id = self.user_manager
        alone.sudo().user_id = self.user_sales2
        own_lead = self.env["crm.lead"].create({"name": "Own", "user_id": self.user_sales2.id})
        with self.assertRaises(AccessError):
            alone.action_link_lead(own_lead.id)
        chain_sudo.user_id = self.user_sales2
        alone.action_link_lead(own_lead.id)
        self.assertEqual(alone.sudo().chain_id.interaction_count, 2)

    # ------------------------------------------------------------
    # MOVE, SPLIT
    # ------------------------------------------------------------

    @users("int_sales")
    def test_split(self):
        stays = self._log(subject="About drills")
        goes = self._log(subject="About bits", parent_id=stays.id, state="planned")
        follows = self._log(subject="Bits again", parent_id=goes.id)
        activity = goes.activity_id
        wizard = self._open((goes + follows).action_open_move(), name="Bits")
        wizard.action_confirm()
        chain = goes.chain_id
        self.assertEqual((chain.name, chain.res_id), ("Bits", 0))
        self.assertEqual(chain.interaction_ids, goes + follows)
        self.assertEqual((goes.state, goes.res_id), ("planned", 0), "the plan survives the move")
        self.assertFalse(activity.exists())
        self.assertFalse(goes.parent_id)
        self.assertEqual(follows.parent_id, goes)
        self.assertEqual(self.lead.interaction_ids, stays)
        self.assertEqual(stays.chain_id.interaction_count, 1)

    @users("int_sales")
    def test_split_to_document(self):
        interaction = self._log(state="planned")
        order = self.env["sale.order"].create({"partner_id": self.client_company.id})
        self._open(
            interaction.action_open_move(),
            destination="document",
            document=f"sale.order,{order.id}",
        ).action_confirm()
        self.assertEqual((interaction.res_model, interaction.res_id), ("sale.order", order.id))
        self.assertEqual(interaction.activity_id.res_model, "sale.order")
        self.assertEqual(self.lead.interaction_chain_id.interaction_count, 0)
        wizard = self._open(
            interaction.action_open_move(),
            destination="chain",
            chain_id=self.lead.interaction_chain_id.id,
        )
        wizard.action_confirm()
        self.assertEqual(interaction.res_id, self.lead.id)

    @users("int_sales")
    def test_move_refused(self):
        interaction = self._log()
        for values in (
            {},
            {"name": " "},
            {"chain_id": 2**30},
            {"res_model": "res.users", "res_id": self.env.uid},
            {"res_model": "crm.lead", "res_id": 2**30},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                interaction.action_move(**values)
        with self.assertRaises(UserError):
            self._open(interaction.action_open_move(), destination="chain").action_confirm()
        with self.assertRaises(UserError):
            self._open(interaction.action_open_move(), destination="document").action_confirm()
        self.assertEqual(interaction.res_id, self.lead.id)

    def test_move_keeps_rights(self):
        colleagues = self._log()
        own = self._log_alone(user=self.user_sales2)
        with self.assertRaises(AccessError):
            colleagues.with_user(self.user_sales2).action_move(name="Mine")
        with self.assertRaises(AccessError):
            own.action_move(chain_id=colleagues.chain_id.id)
        with self.assertRaises(AccessError):
            own.action_move(res_model="crm.lead", res_id=self.lead.id)
        with self.assertRaises(AccessError):
            own.with_user(self.user_accountant).action_move(name="Books")

    def test_move_keeps_companies(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = self.env["crm.interaction"].create(
            {"subject": "There", "company_id": elsewhere.id}
        )
        with self.assertRaises(UserError):
            foreign.action_move(res_model="crm.lead", res_id=self.lead.id)
        with self.assertRaises(UserError):
            (foreign + self._log()).action_move(name="Both")

    # ------------------------------------------------------------
    # MERGE
    # ------------------------------------------------------------

    def test_merge(self):
        about_deal = self._log()
        first, second = self._log_alone(), self._log_alone()
        chains = (second + about_deal + first).chain_id
        wizard = self._open(chains.with_user(self.user_sales).action_open_merge())
        self.assertEqual(wizard.chain_id, about_deal.chain_id)
        action = wizard.action_confirm()
        self.assertEqual(action["res_id"], about_deal.chain_id.id)
        self.assertEqual((first + second + about_deal).chain_id, about_deal.chain_id)
        self.assertEqual(chains.exists(), about_deal.chain_id)
        self.assertEqual(about_deal.chain_id.interaction_count, 3)
        self.assertEqual(first.partner_id, self.client_contact)

    @users("int_sales")
    def test_merge_without_document(self):
        first, second = self._log_alone(), self._log_alone()
        chains = (first + second).chain_id
        second.chain_id.partner_id = self.client_company
        kept = chains.action_merge(name="One")
        self.assertEqual(kept, chains[:1])
        self.assertEqual((kept.name, kept.partner_id), ("One", self.client_company))

    @users("int_sales")
    def test_merge_dialog_tells_what_cannot_be_merged(self):
        about_deal, about_client = self._log(), self._log(document=self.client_company)
        wizard = self._open((about_deal + about_client).chain_id.action_open_merge())
        self.assertIn(about_deal.chain_id.name, wizard.problem)
        wizard = self._open((about_deal + self._log_alone()).chain_id.action_open_merge())
        self.assertFalse(wizard.problem)

    def test_merge_refused(self):
        about_deal = self._log()
        about_client = self._log(document=self.client_company)
        alone = self._log_alone()
        with self.assertRaisesRegex(UserError, "Merge the documents"):
            (about_deal + about_client).chain_id.with_context(lang="en_US").action_merge()
        with self.assertRaises(UserError):
            about_deal.chain_id.action_merge()
        with self.assertRaises(UserError):
            (about_deal + alone).chain_id.action_merge(alone.chain_id.id)
        with self.assertRaises(UserError):
            (self._log_alone() + alone).chain_id.action_merge(about_deal.chain_id.id)
        self.assertTrue(alone.chain_id.exists())

    def test_merge_keeps_rights(self):
        own = self._log_alone(user=self.user_sales2)
        colleagues = self._log_alone()
        both = (own.sudo() + colleagues.sudo()).chain_id
        with self.assertRaises(AccessError):
            both.with_user(self.user_sales2).action_merge()
        # seen, because one takes part; but not all of it is one's own
        self._log_alone(
            user=self.user_all, user_id=self.user_sales2.id, chain_id=colleagues.chain_id.id
        )
        with self.assertRaises(AccessError):
            both.with_user(self.user_sales2).action_merge(own.chain_id.id)
        with self.assertRaises(AccessError):
            both.with_user(self.user_accountant).action_merge()
        self.assertEqual(len(both.with_user(self.user_all).action_merge()), 1)

    def test_merge_keeps_companies(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = self.env["crm.interaction"].create(
            {"subject": "There", "company_id": elsewhere.id}
        )
        with self.assertRaises(UserError):
            (foreign + self._log_alone().with_env(self.env)).chain_id.action_merge()

    # ------------------------------------------------------------
    # LISTS
    # ------------------------------------------------------------

    @users("int_sales")
    def test_unhandled_and_due_come_first(self):
        """My Interactions: conversations in the order in which somebody has to see to them."""
        now = fields.Datetime.now()
        self.env["crm.interaction"].search([("user_id", "=", self.env.uid)]).write(
            {"user_id": False}
        )
        soon = self._log(state="planned", date_start=now + timedelta(minutes=1))
        unhandled = self._log_alone(date_start=now - timedelta(hours=3))
        overdue = self._log(
            document=self.client_company, state="planned", date_start=now - timedelta(days=1)
        )
        groups = self.env["crm.interaction"].web_read_group(
            [("user_id", "=", self.env.uid), ("state", "!=", "done")],
            ["chain_id"],
            ["__count"],
            order="date_deadline asc, id desc",
        )["groups"]
        self.assertEqual(
            [group["chain_id"][0] for group in groups], [*(overdue + unhandled + soon).chain_id.ids]
        )
