from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time
from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import BaseCase, Form, new_test_user, tagged, users
from odoo.tools import mute_logger
from psycopg2.errors import CheckViolation

from ..tools.substitution import find_circle, find_holder
from .common_interaction import NOW, InteractionCommon

DAY = timedelta(days=1)


class TestSubstitution(BaseCase):
    """The chain of substitutes as a pure function."""

    def test_holder(self):
        self.assertEqual(find_holder(1, {}), 1, "who is there has his work")
        self.assertEqual(find_holder(1, {1: 2}), 2)
        self.assertEqual(find_holder(1, {1: 2, 2: 3, 3: 4}), 4, "the last of the chain")
        self.assertIsNone(find_holder(1, {1: None}))
        self.assertIsNone(find_holder(1, {1: 2, 2: None}))
        self.assertIsNone(find_holder(1, {1: 2, 2: 3, 3: 2}), "a circle further on, too")
        self.assertIsNone(find_holder(1, {1: 1}))

    def test_circle(self):
        others = [(2, 3, 5, 15), (3, 4, 0, 20)]
        self.assertIsNone(find_circle((1, 2, 0, 10), others))
        self.assertIsNone(find_circle((4, 1, 0, 10), others))
        self.assertEqual(find_circle((4, 2, 0, 10), others), ([4, 2, 3, 4], 5, 10))
        self.assertIsNone(
            find_circle((4, 2, 15, 30), others), "one after the other they may stand in"
        )
        self.assertIsNone(find_circle((1, 2, 0, 10), [(2, 3, 0, 9), (3, 2, 0, 9)]))


@tagged("post_install", "-at_install")
class TestAbsence(InteractionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time(NOW))
        groups = "base.group_user,sales_team.group_sale_salesman"
        cls.user_sales3 = new_test_user(cls.env, "int_sales3", groups=groups)
        cls.user_leader = new_test_user(cls.env, "int_leader", groups=groups)
        cls.team = cls.env["crm.team"].create(
            {
                "name": "Yard",
                "user_id": cls.user_leader.id,
                "crm_team_member_ids": [
                    Command.create({"user_id": user.id})
                    for user in cls.user_sales | cls.user_sales2
                ],
            }
        )

    def _absence(self, user=None, substitute=None, start=-1, stop=2, **values):
        return self.env["crm.absence"].create(
            {
                "user_id": (user or self.user_sales).id,
                "substitute_id": (substitute or self.user_sales2).id,
                "date_from": NOW + start * DAY,
                "date_to": NOW + stop * DAY,
                **values,
            }
        )

    def _plan(self, days, user=None, **values):
        return self._log(
            user=user, state="planned", date_start=NOW + days * DAY, kind="call", **values
        )

    def _activity(self, days, user=None, record=None):
        user = user or self.user_sales
        return (
            (record or self.lead)
            .with_user(user)
            .activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=(NOW + days * DAY).date(),
                user_id=user.id,
            )
            .sudo()
        )

    def _run(self, **kwargs):
        """The job, without its commits."""
        cron = type(self.env["ir.cron"])
        with patch.object(cron, "_commit_progress", lambda *args, **kwargs: 60.0):
            self.env["crm.absence"]._cron_absences(**kwargs)
        self.env.invalidate_all()

    # ------------------------------------------------------------
    # HANDING OVER AND COMING BACK
    # ------------------------------------------------------------

    @users("int_sales")
    def test_own_absence_from_a_form(self):
        """Due work goes at once, later work and the deal stay, and what is open comes back."""
        due, late, later = self._plan(1), self._plan(-3), self._plan(5)
        todo, todo_later = self._activity(1), self._activity(9)
        new = self._log(state="new", direction="in", kind="email", document=self.client_company)
        private = self.env["mail.activity"].create(
            {
                "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
                "user_id": self.env.uid,
            }
        )
        form = Form(self.env["crm.absence"])
        form.substitute_id = self.user_sales2
        form.date_to = NOW + 2 * DAY
        absence = form.save()
        self.assertEqual(absence.state, "away")
        for work in (due, late, todo, new):
            self.assertEqual(work.sudo().user_id, self.user_sales2, work)
        for work in (later, todo_later, private, self.lead):
            self.assertEqual(work.sudo().user_id, self.user_sales, work)
        self.assertEqual(due.sudo().activity_id.user_id, self.user_sales2)
        log = self.env["crm.absence.transfer"].search([("absence_id", "=", absence.id)])
        self.assertEqual(
            {(row.res_model, row.res_id) for row in log},
            {(work._name, work.id) for work in (due, late, todo, new)},
        )
        self.assertEqual(log.mapped("state"), ["open"] * 4)
        # one is done meanwhile, one is given to somebody else by hand
        due.with_user(self.user_sales2).write({"state": "done"})
        late.with_user(self.user_sales2).action_hand_over(self.user_sales3.id)
        absence.action_back()
        self.assertEqual(absence.state, "over")
        self.assertEqual(due.sudo().user_id, self.user_sales2)
        self.assertEqual(late.sudo().user_id, self.user_sales3)
        self.assertEqual((todo | todo_later).user_id, self.user_sales)
        self.assertEqual(new.sudo().user_id, self.user_sales)
        states = {row.res_id: row.state for row in log if row.res_model == "crm.interaction"}
        self.assertEqual(states, {due.id: "done", late.id: "kept", new.id: "returned"})
        self.assertEqual(set(log.mapped("date_end")), {NOW})
        message = self.env["mail.message"].sudo().search(
            [("model", "=", "crm.absence"), ("res_id", "=", absence.id)], order="id"
        )  # fmt: skip
        self.assertIn(self.user_sales2.partner_id, message.partner_ids)
        self.assertIn("Came back to you: 2", message[-1].body)

    def test_absence_begins_and_ends_by_the_job(self):
        due = self._plan(3)
        absence = self._absence(start=2, stop=4)
        self.assertEqual(due.user_id, self.user_sales)
        triggers = self.env["ir.cron.trigger"].search(
            [("cron_id", "=", self.env.ref("crm_extended.ir_cron_crm_absence").id)]
        )
        self.assertLessEqual({NOW + 2 * DAY, NOW + 4 * DAY}, set(triggers.mapped("call_at")))
        self._run()
        self.assertEqual(due.user_id, self.user_sales, "too early")
        with freeze_time(NOW + 2 * DAY):
            self._run()
            self._run()
            self.assertEqual(due.user_id, self.user_sales2)
            self.assertEqual(len(absence.transfer_ids), 1, "handed over once")
            # given back by hand: not taken again
            due.user_id = self.user_sales
            self._run()
            self.assertEqual(due.user_id, self.user_sales)
        with freeze_time(NOW + 4 * DAY):
            self._run()
            self.assertEqual(absence.transfer_ids.state, "kept")
        self.assertTrue(absence.is_over_told)

    def test_killed_between_batches(self):
        """Every batch stands for itself, and the next run finishes the work."""
        work = [self._plan(1) for __ in range(5)]
        absence = self._absence(start=1, stop=3)
        with freeze_time(NOW + 1.5 * DAY):
            now = fields.Datetime.now()
            self.assertEqual(self.env["crm.absence"]._move_batch(now, 2), 2)
            self.assertEqual(len(absence.transfer_ids), 2)
            self._run(batch_size=2)
            self.assertEqual({row.user_id for row in work}, {self.user_sales2})
            self.assertEqual(len(absence.transfer_ids), 5)
        with freeze_time(NOW + 3 * DAY):
            self.assertEqual(self.env["crm.absence"]._move_batch(fields.Datetime.now(), 2), 2)
            self._run(batch_size=2)
            self.assertEqual({row.user_id for row in work}, {self.user_sales})
            self.assertEqual(set(absence.transfer_ids.mapped("state")), {"returned"})

    def test_one_that_fails_stops_no_other(self):
        first, second = self._plan(1), self._plan(1)
        absence = self._absence(start=1, stop=3)
        write = type(first).write

        def refuse(records, vals):
            if first in records and "user_id" in vals:
                raise UserError("no")
            return write(records, vals)

        self.patch(type(first), "write", refuse)
        with (
            freeze_time(NOW + 1.5 * DAY),
            self.assertLogs("odoo.addons.crm_extended.tools.apart", "ERROR"),
        ):
            self._run()
        self.assertEqual(second.user_id, self.user_sales2)
        self.assertEqual(first.user_id, self.user_sales)
        states = {row.res_id: row.state for row in absence.transfer_ids}
        self.assertEqual(states, {first.id: "failed", second.id: "open"})

    def test_shortened_and_cancelled(self):
        due = self._plan(1)
        absence = self._absence()
        self.assertEqual(due.user_id, self.user_sales2)
        absence.date_to = NOW - timedelta(hours=1)
        self.assertEqual(due.user_id, self.user_sales)
        absence = self._absence()
        self.assertEqual(due.user_id, self.user_sales2, "another absence takes it again")
        absence.action_cancel()
        self.assertEqual(due.user_id, self.user_sales)
        with self.assertRaisesRegex(UserError, "cancelled"):
            absence.with_user(self.user_sales).note = "Late"

    def test_other_substitute(self):
        due = self._plan(1)
        absence = self._absence()
        absence.substitute_id = self.user_sales3
        self.assertEqual(due.user_id, self.user_sales3)
        self.assertEqual(
            sorted(absence.transfer_ids.mapped(lambda row: (row.substitute_id.login, row.state))),
            [("int_sales2", "passed"), ("int_sales3", "open")],
        )

    # ------------------------------------------------------------
    # CHAINS
    # ------------------------------------------------------------

    def test_chain(self):
        due = self._plan(1)
        own = self._plan(1, user=self.user_sales2, document=self.client_company)
        second = self._absence(self.user_sales2, self.user_sales3, -1, 2)
        self.assertEqual(own.user_id, self.user_sales3)
        first = self._absence(stop=5)
        self.assertEqual(first.acting_user_id, self.user_sales3)
        self.assertEqual(due.user_id, self.user_sales3)
        second.action_back()
        self.assertEqual(due.user_id, self.user_sales2, "the nearer substitute is back")
        self.assertEqual(own.user_id, self.user_sales2)
        first.action_back()
        self.assertEqual(due.user_id, self.user_sales)

    def test_circle_is_refused(self):
        self._absence(start=0, stop=5)
        with self.assertRaisesRegex(
            ValidationError, "int_sales3 .*→ int_sales .*→ int_sales2 .*→ int_sales3 "
        ):
            self._absence(self.user_sales2, self.user_sales3, 1, 3)
            self._absence(self.user_sales3, self.user_sales, 2, 4)
        self._absence(self.user_sales2, self.user_sales, 5, 8)

    def test_circle_at_run_time_moves_nothing(self):
        """Two people who enter it at the same moment do not see each other's."""
        due = self._plan(1)
        self.patch(type(self.env["crm.absence"]), "_find_circle", lambda self: None)
        self._absence(start=1)
        self._absence(self.user_sales2, self.user_sales, 1)
        with freeze_time(NOW + 1.5 * DAY):
            self._run()
        self.assertEqual(due.user_id, self.user_sales)

    def test_bad_substitutes(self):
        with self.assertRaisesRegex(ValidationError, "himself"):
            self._absence(substitute=self.user_sales, start=10, stop=11)
        with self.assertRaisesRegex(ValidationError, "no access to the CRM"):
            self._absence(substitute=self.user_plain, start=12, stop=13)
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env,
            "int_stranger",
            groups="base.group_user,sales_team.group_sale_salesman",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        with self.assertRaisesRegex(ValidationError, "no access to the CRM"):
            self._absence(substitute=stranger, start=14, stop=15)
        with self.assertRaisesRegex(ValidationError, "does not work for"):
            self._absence(company_id=other.id)
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
            self._absence(start=2, stop=1)

    # ------------------------------------------------------------
    # NOTHING IS ASSIGNED TO SOMEBODY AWAY
    # ------------------------------------------------------------

    def test_new_work(self):
        absence = self._absence()
        robot = self.env["crm.interaction"].sudo()
        values = {"subject": "Web", "user_id": self.user_sales.id, "res_model": "crm.lead",
                  "res_id": self.lead.id}  # fmt: skip
        arrived = robot.create({**values, "state": "new", "direction": "in"})
        soon = robot.create({**values, "state": "planned", "date_start": NOW + DAY})
        later = robot.create({**values, "state": "planned", "date_start": NOW + 9 * DAY})
        done = robot.create({**values, "state": "done", "direction": "none"})
        self.assertEqual((arrived | soon).user_id, self.user_sales2)
        self.assertEqual((later | done).user_id, self.user_sales)
        todo = self.lead.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.user_sales.id
        )
        self.assertEqual(todo.user_id, self.user_sales2)
        self.assertEqual(self._plan(1).user_id, self.user_sales, "what he plans himself is his")
        lead = self.env["crm.lead"].sudo().create({"name": "Web", "user_id": self.user_sales.id})
        self.assertEqual(lead.user_id, self.user_sales2)
        member = self.team.crm_team_member_ids.filtered(lambda row: row.user_id == self.user_sales)
        self.assertEqual(member._get_assignment_quota(), 0)
        absence.action_cancel()
        self.assertEqual((arrived | soon).user_id, self.user_sales)
        self.assertEqual(todo.user_id, self.user_sales)
        self.assertEqual(lead.user_id, self.user_sales2, "new deals stay with who has begun them")

    def test_given_to_who_is_away(self):
        """On whatever road: what is given to somebody away goes on to the substitute."""
        self._absence()
        call = self._plan(1, user=self.user_all)
        todo = self.lead.activity_schedule("mail.mail_activity_data_todo", user_id=self.user_all.id)
        later = self._plan(20, user=self.user_all)
        for work in (call, todo, later):
            work.with_user(self.user_manager).write({"user_id": self.user_sales.id})
        self.assertEqual((call.user_id, todo.user_id), (self.user_sales2, self.user_sales2))
        self.assertEqual(later.user_id, self.user_sales, "he will be back by then")
        whose = [("res_id", "=", call.id), ("res_model", "=", call._name)]
        transfers = self.env["crm.absence.transfer"].search(whose)
        self.assertEqual((transfers.user_id, transfers.state), (self.user_sales, "open"))
        # given again: it stays where it is, in one row of the log
        call.with_user(self.user_manager).write({"user_id": self.user_sales.id})
        self.assertEqual(call.user_id, self.user_sales2)
        self.assertEqual(transfers.search_count(whose), 1)
        # he takes it himself, from where he is
        call.with_user(self.user_sales).sudo().write({"user_id": self.user_sales.id})
        self.assertEqual(call.user_id, self.user_sales)

    def test_mail_alias(self):
        """A deal that comes by mail to the alias of a team goes to who is there."""
        self._absence()
        self.env["mail.alias.domain"].create({"name": "absence.example.com"})
        team = self.env["crm.team"].create({"name": "Alias", "company_id": self.company.id})
        alias = team.alias_id
        defaults = {"team_id": team.id, "user_id": self.user_sales.id}
        alias.write(
            {
                "alias_name": "absence-sales",
                "alias_contact": "everyone",
                "alias_defaults": repr(defaults),
            }
        )
        mail = (
            "From: Web <web@client.example.com>\nTo: absence-sales@absence.example.com\n"
            "Subject: Alias deal\nMessage-Id: <alias-1@client.example.com>\n"
            "Content-Type: text/plain\n\nHello"
        )
        with mute_logger("odoo.addons.mail.models.mail_thread"):
            lead_id = self.env["mail.thread"].message_process(False, mail)
        lead = self.env["crm.lead"].browse(lead_id)
        self.assertEqual((lead.name, lead.user_id), ("Alias deal", self.user_sales2))

    def test_retry_ladder_and_mail(self):
        self._absence()
        attempt = self._log(kind="call", state="planned", date_start=NOW, user=self.user_sales2,
                            document=self.client_company)  # fmt: skip
        attempt.chain_id.sudo().user_id = self.user_sales
        attempt.with_user(self.user_sales2).action_record_outcome(self.missed.id)
        retry = self.env["crm.interaction"].search([("parent_id", "=", attempt.id)])
        self.assertEqual(retry.user_id, self.user_sales2)
        self.lead.message_post(
            body="When?", message_type="email", subtype_xmlid="mail.mt_comment",
            author_id=self.client_contact.id,
        )  # fmt: skip
        mail = self.env["crm.interaction"].search(
            [("res_model", "=", "crm.lead"), ("res_id", "=", self.lead.id), ("kind", "=", "email")]
        )
        self.assertEqual((mail.state, mail.user_id), ("new", self.user_sales2))
        self.assertTrue(
            self.env["crm.absence.transfer"].search_count(
                [("res_model", "=", mail._name), ("res_id", "=", mail.id), ("state", "=", "open")]
            )
        )

    # ------------------------------------------------------------
    # RIGHTS
    # ------------------------------------------------------------

    def test_substitute_reaches_the_deal_meanwhile(self):
        lead = self.lead.with_user(self.user_sales2)
        with self.assertRaises(AccessError):
            lead.read(["name"])
        absence = self._absence()
        lead.write({"priority": "1"})
        self.assertTrue(lead.read(["name"]))
        with self.assertRaises(AccessError):
            self.lead.with_user(self.user_sales3).read(["name"])
        absence.action_back()
        with self.assertRaises(AccessError):
            lead.read(["name"])

    def test_who_enters_for_whom(self):
        def enter(who, day=1, **values):
            return self.env["crm.absence"].with_user(who).create(
                {
                    "user_id": self.user_sales.id,
                    "substitute_id": self.user_sales2.id,
                    "date_from": NOW + day * DAY,
                    "date_to": NOW + (day + 1) * DAY,
                    **values,
                }
            )  # fmt: skip

        own = enter(self.user_sales)
        self.assertTrue(own.with_user(self.user_sales2).read(["note"]), "the substitute reads it")
        with self.assertRaises(AccessError):
            own.with_user(self.user_sales2).write({"note": "No"})
        with self.assertRaises(AccessError):
            own.with_user(self.user_sales2).action_cancel()
        with self.assertRaises(AccessError):
            enter(self.user_sales3, 9)
        with (
            self.assertRaisesRegex(ValidationError, "is away in that time already"),
            self.env.cr.savepoint(),
        ):
            enter(self.user_leader)
        enter(self.user_leader, 3)
        enter(self.user_manager, 5)
        with self.assertRaises(AccessError):
            enter(self.user_leader, user_id=self.user_sales3.id, substitute_id=self.user_sales.id)
        with self.assertRaises(AccessError):
            enter(self.user_plain, user_id=self.user_plain.id)
        seen = self.env["crm.absence"].with_user(self.user_sales3).search([])
        self.assertFalse(seen)
        self.assertEqual(len(self.env["crm.absence"].with_user(self.user_leader).search([])), 3)

    def test_own_absence_does_not_become_a_colleagues(self):
        """Nobody appoints himself the substitute of a colleague, to get his deals."""
        own = self._absence(self.user_sales2, self.user_sales3).with_user(self.user_sales2)
        forged = {"user_id": self.user_sales.id, "substitute_id": self.user_sales2.id}
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            own.write(forged)
        own.invalidate_recordset()
        with self.assertRaises(AccessError):
            self.lead.with_user(self.user_sales2).read(["name"])
        own.with_user(self.user_leader).write(forged)
        self.assertEqual(own.sudo().user_id, self.user_sales)

    def test_history_is_not_forged(self):
        absence = self._absence().with_user(self.user_sales)
        for vals in ({"is_cancelled": True}, {"source": "leave"}, {"is_announced": False}):
            with self.assertRaises(AccessError):
                absence.write(vals)
        with self.assertRaises(AccessError):
            self.env["crm.absence.transfer"].with_user(self.user_manager).create({})
        forged = (
            self.env["crm.absence"]
            .with_user(self.user_sales)
            .with_context(default_source="leave", default_is_cancelled=True)
            .create({"date_from": NOW + 5 * DAY, "date_to": NOW + 6 * DAY})
        )
        self.assertEqual((forged.source, forged.is_cancelled), ("manual", False))
        self._plan(1)
        absence.action_cancel()
        used = self._absence(start=-2)
        with self.assertRaisesRegex(UserError, "cancel it"):
            used.with_user(self.user_sales).unlink()

    def test_two_companies(self):
        """An absence from one company leaves the work of the other one alone."""
        other = self.env["res.company"].create({"name": "Second House"})
        for user in self.user_sales | self.user_sales2:
            user.company_ids = [Command.link(other.id)]
        due = self._plan(1)
        lead = self.env["crm.lead"].create(
            {"name": "Other", "user_id": self.user_sales.id, "company_id": other.id}
        )
        work = self.env["crm.interaction"].create(
            {
                "subject": "There",
                "user_id": self.user_sales.id,
                "res_model": "crm.lead",
                "res_id": lead.id,
                "company_id": other.id,
                "state": "planned",
                "date_start": NOW + DAY,
            }
        )
        todo = self._activity(1, record=lead)
        self._absence()
        self.assertEqual(due.user_id, self.user_sales2)
        self.assertEqual(work.user_id, self.user_sales)
        self.assertEqual(todo.user_id, self.user_sales)
        taker = self.user_sales2.with_context(allowed_company_ids=[self.company.id, other.id])
        with self.assertRaises(AccessError):
            lead.with_user(taker).read(["name"])
        self._absence(company_id=other.id, substitute=self.user_sales2)
        self.assertEqual((work.user_id, todo.user_id), (self.user_sales2, self.user_sales2))

    # ------------------------------------------------------------
    # TIME
    # ------------------------------------------------------------

    def test_days_are_those_of_who_is_away(self):
        """In Auckland the 16th begins while it is still the 15th in Greenwich."""
        self.user_sales.tz = "Pacific/Auckland"
        inside = self._activity(1)
        inside.date_deadline = "2026-01-15"
        outside = self._activity(1)
        outside.date_deadline = "2026-01-16"
        # back at midnight of the 16th there
        self._absence(date_to=datetime(2026, 1, 15, 11, 0))
        self.assertEqual(inside.user_id, self.user_sales2)
        self.assertEqual(outside.user_id, self.user_sales)

    def test_daylight_saving(self):
        """Midnight after the night in which the clock goes forward comes an hour earlier."""
        self.user_sales.tz = "Europe/Riga"
        with freeze_time("2026-03-28 12:00:00"):
            absence = self.env["crm.absence"].with_user(self.user_sales).create({})
            self.assertEqual(absence.date_from, datetime(2026, 3, 27, 22, 0))
            self.assertEqual(absence.date_to, datetime(2026, 3, 28, 22, 0))
        with freeze_time("2026-03-29 12:00:00"):
            absence = self.env["crm.absence"].with_user(self.user_sales).create({})
            self.assertEqual(absence.date_from, datetime(2026, 3, 28, 22, 0))
            self.assertEqual(absence.date_to, datetime(2026, 3, 29, 21, 0))
            self.assertIn("Europe/Riga", absence.period)

    # ------------------------------------------------------------
    # TIME OFF
    # ------------------------------------------------------------

    def test_calendar_leave(self):
        self.user_sales.crm_substitute_id = self.user_sales2
        resource = self.env["resource.resource"].create(
            {"name": "Sales", "user_id": self.user_sales.id, "company_id": self.company.id}
        )
        due = self._plan(1)
        leave = self.env["resource.calendar.leaves"].create(
            {"resource_id": resource.id, "date_from": NOW - DAY, "date_to": NOW + 2 * DAY}
        )
        absence = self.env["crm.absence"].search([("leave_id", "=", leave.id)])
        self.assertEqual(absence.source, "calendar")
        self.assertEqual(due.user_id, self.user_sales2)
        with self.assertRaisesRegex(UserError, "change them there"):
            absence.with_user(self.user_sales).date_to = NOW + 3 * DAY
        leave.date_to = NOW + 3 * DAY
        self.assertEqual(absence.date_to, NOW + 3 * DAY)
        leave.unlink()
        self.assertEqual(absence.state, "cancelled")
        self.assertEqual(due.user_id, self.user_sales)

    def test_own_leave_does_not_become_a_colleagues(self):
        """Every employee may write his own entries of the schedule; Odoo asks before the change."""
        self.user_sales.crm_substitute_id = self.user_sales2
        colleague, own = self.env["resource.resource"].create(
            [
                {"name": user.name, "user_id": user.id, "company_id": self.company.id}
                for user in self.user_sales | self.user_sales2
            ]
        )
        leave = (
            self.env["resource.calendar.leaves"]
            .with_user(self.user_sales2)
            .create({"resource_id": own.id, "date_from": NOW - DAY, "date_to": NOW + DAY})
        )
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            leave.write({"resource_id": colleague.id})
        self.env.invalidate_all()
        self.assertFalse(self.env["crm.absence"].search([("user_id", "=", self.user_sales.id)]))
        with self.assertRaises(AccessError):
            self.lead.with_user(self.user_sales2).read(["name"])

    def test_leave_without_substitute_asks_the_head(self):
        resource = self.env["resource.resource"].create(
            {"name": "Sales", "user_id": self.user_sales.id, "company_id": self.company.id}
        )
        due = self._plan(1)
        leave = self.env["resource.calendar.leaves"].create(
            {"resource_id": resource.id, "date_from": NOW - DAY, "date_to": NOW + 2 * DAY}
        )
        absence = self.env["crm.absence"].search([("leave_id", "=", leave.id)])
        self.assertEqual(absence.activity_ids.user_id, self.user_leader)
        self.assertEqual(due.user_id, self.user_sales)
        absence.with_user(self.user_leader).substitute_id = self.user_sales2
        self.assertEqual(due.user_id, self.user_sales2)

    def test_time_off(self):
        """Only what is approved counts, and what is refused later brings the work back."""
        if "hr.leave" not in self.env:
            self.skipTest("hr_holidays is not installed")
        self.user_sales.crm_substitute_id = self.user_sales2
        employee = self.env["hr.employee"].create(
            {"name": "Sales", "user_id": self.user_sales.id, "company_id": self.company.id}
        )
        kind = self.env["hr.leave.type"].create(
            {"name": "Free", "requires_allocation": False, "leave_validation_type": "hr"}
        )
        due = self._plan(0.01)
        leave = self.env["hr.leave"].create(
            {
                "employee_id": employee.id,
                "holiday_status_id": kind.id,
                "request_date_from": NOW.date(),
                "request_date_to": (NOW + DAY).date(),
            }
        )
        self.assertEqual(due.user_id, self.user_sales)
        leave.action_approve()
        absence = self.env["crm.absence"].search([("user_id", "=", self.user_sales.id)])
        self.assertEqual(absence.source, "leave")
        self.assertEqual(due.user_id, self.user_sales2)
        leave.action_refuse()
        self.assertEqual(absence.state, "cancelled")
        self.assertEqual(due.user_id, self.user_sales)
