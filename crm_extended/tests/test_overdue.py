from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time
from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common_interaction import NOW, InteractionCommon

DAY = timedelta(days=1)


@tagged("post_install", "-at_install")
class TestOverdue(InteractionCommon):
    """Overdue work is reported to its responsible, then to the head, once each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time(NOW))
        cls.user_leader = new_test_user(
            cls.env, "int_leader", groups="base.group_user,sales_team.group_sale_salesman"
        )
        cls.env["crm.team"].create(
            {
                "name": "Yard",
                "user_id": cls.user_leader.id,
                "crm_team_member_ids": [Command.create({"user_id": cls.user_sales.id})],
            }
        )
        # what others have left in the database is not looked at
        cls.env["res.company"].search([("id", "!=", cls.company.id)]).crm_overdue_report = False
        cls.env["crm.interaction"].search([("state", "!=", "done")]).write(
            {"date_deadline": NOW + 90 * DAY}
        )
        cls.env["mail.activity"].search([]).write({"date_deadline": NOW + 90 * DAY})
        cls.company.write({"crm_overdue_new_hours": 4, "crm_overdue_head_hours": 8})

    def _plan(self, days, **values):
        return self._log(state="planned", date_start=NOW + days * DAY, kind="call", **values)

    def _run(self):
        self.env.flush_all()
        known = self.env["mail.message"].search([], order="id desc", limit=1).id
        cron = type(self.env["ir.cron"])
        with patch.object(cron, "_commit_progress", lambda *args, **kwargs: 60.0):
            self.env["crm.overdue"]._cron_overdue()
        self.env.invalidate_all()
        return self.env["mail.message"].search(
            [("id", ">", known), ("message_type", "=", "user_notification")], order="id"
        )

    def _row(self, record):
        return self.env["crm.overdue"].search(
            [("res_model", "=", record._name), ("res_id", "=", record.id)]
        )

    def test_once_to_the_responsible_then_to_the_head(self):
        work = [self._plan(-2) for __ in range(3)]
        todo = self.lead.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.user_sales.id,
            date_deadline=(NOW - 3 * DAY).date(),
        )  # fmt: skip
        messages = self._run()
        self.assertEqual(len(messages), 1, "one message about all of them")
        self.assertEqual(messages.partner_ids, self.user_sales.partner_id)
        self.assertIn("Overdue with you: 4", messages.subject)
        self.assertFalse(self._run(), "told once")
        row = self._row(work[0])
        # Wednesday 11:00 in Riga: seven hours from 11 to 17 with an hour for lunch less, then the
        # rest on Thursday
        self.assertEqual(row.date_told, NOW)
        self.assertGreater(row.date_head, NOW + timedelta(hours=16))
        self.assertLess(row.date_head, NOW + timedelta(hours=26))
        work[1].write({"state": "done"})
        with freeze_time(row.date_head):
            messages = self._run()
            self.assertEqual(messages.partner_ids, self.user_leader.partner_id)
            self.assertIn("3", messages.subject)
            self.assertFalse(self._run(), "the head is told once, too")
        self.assertEqual(row.head_id, self.user_leader)
        self.assertFalse(self._row(work[1]), "what is done is not overdue")
        self.assertTrue(self._row(todo).with_user(self.user_leader).read(["name"]))
        with self.assertRaises(AccessError):
            self._row(todo).with_user(self.user_sales2).read(["name"])
        with self.assertRaises(AccessError):
            row.with_user(self.user_manager).write({"date_told": False})

    def test_moved_or_given_away_counts_anew(self):
        work = self._plan(-2)
        self.assertEqual(len(self._run()), 1)
        work.date_start = NOW + DAY
        self.assertFalse(self._run())
        self.assertFalse(self._row(work))
        work.date_start = NOW - DAY
        self.assertEqual(self._run().partner_ids, self.user_sales.partner_id)
        work.user_id = self.user_sales2
        self.assertEqual(self._run().partner_ids, self.user_sales2.partner_id)

    def test_not_outside_working_hours(self):
        self._plan(-2)
        with freeze_time(datetime(2026, 1, 17, 10, 0)):  # a Saturday
            self.assertFalse(self._run())
        with freeze_time(datetime(2026, 1, 19, 9, 0)):
            self.assertEqual(len(self._run()), 1)

    def test_what_arrives_is_overdue_after_working_hours(self):
        """Friday's last hour and three on Monday make four."""
        with freeze_time(datetime(2026, 1, 16, 14, 0)):  # Friday, 16:00 in Riga, until 17:00
            new = self._log(state="new", direction="in", kind="email")
        with freeze_time(datetime(2026, 1, 19, 8, 0)):  # Monday, 10:00
            self._run()
            self.assertFalse(self._row(new))
        with freeze_time(datetime(2026, 1, 19, 9, 30)):  # Monday, 11:30
            self._run()
            self.assertTrue(self._row(new))

    def test_day_of_an_activity_by_the_clock_of_its_responsible(self):
        self.user_sales.tz = "Pacific/Auckland"
        todo = self.lead.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.user_sales.id,
            date_deadline=datetime(2026, 1, 14).date(),
        )  # fmt: skip
        with freeze_time(datetime(2026, 1, 14, 10, 0)):
            self.env["crm.overdue"]._refresh(datetime(2026, 1, 14, 10, 0))
            self.assertFalse(self._row(todo))
        # midnight there is 11:00 in Greenwich
        self.env["crm.overdue"]._refresh(datetime(2026, 1, 14, 11, 1))
        self.assertTrue(self._row(todo))

    def test_company_switch_and_zero_hours(self):
        self._plan(-2)
        self.company.crm_overdue_report = False
        self.assertFalse(self._run())
        self.company.write({"crm_overdue_report": True, "crm_overdue_head_hours": 0})
        self.assertEqual(len(self._run()), 1)
        with freeze_time(NOW + 7 * DAY):
            self.assertFalse(self._run(), "the head is not told")

    def test_one_query_whatever_the_number(self):
        for __ in range(3):
            self._plan(-2)
        self.env["crm.overdue"]._refresh(NOW)
        for __ in range(20):
            self._plan(-2)
        self.env.flush_all()
        with self.assertQueryCount(14):
            self.env["crm.overdue"]._refresh(NOW)


@tagged("post_install", "-at_install")
class TestWorkStatus(InteractionCommon):
    """Whether people are there, by their schedules and absences."""

    def _get(self, user, who=None):
        return (
            self.env["res.users"]
            .with_user(who or self.user_sales)
            .get_work_status(user.ids)[str(user.id)]
        )

    def test_states(self):
        self.user_sales2.tz = "Europe/Riga"
        with freeze_time(NOW):
            status = self._get(self.user_sales2)
            self.assertEqual(status["state"], "present")
            self.assertIn("11:00", status["text"].replace("\u202f", " "))
        with freeze_time(datetime(2026, 1, 14, 20, 0)):
            self.assertEqual(self._get(self.user_sales2)["state"], "off")
        with freeze_time(NOW):
            self.env["crm.absence"].create(
                {
                    "user_id": self.user_sales2.id,
                    "substitute_id": self.user_all.id,
                    "date_from": NOW - DAY,
                    "date_to": NOW + DAY,
                }
            )
            status = self._get(self.user_sales2)
            self.assertEqual(status["state"], "away")
            self.assertIn(self.user_all.name, status["text"])

    def test_summer_and_winter(self):
        """Eight in the morning in Riga is six in winter and five in summer."""
        self.user_sales2.tz = "Europe/Riga"
        for moment, state in (
            (datetime(2026, 3, 27, 5, 30), "off"),
            (datetime(2026, 3, 27, 6, 30), "present"),
            (datetime(2026, 3, 30, 5, 30), "present"),
        ):
            with freeze_time(moment):
                self.assertEqual(self._get(self.user_sales2)["state"], state, moment)

    def test_who_asks_and_for_whom(self):
        portal = new_test_user(self.env, "int_portal", groups="base.group_portal")
        Users = self.env["res.users"]
        self.assertEqual(Users.with_user(portal).get_work_status(self.user_sales.ids), {})
        self.assertEqual(Users.get_work_status([portal.id, 0, "x", 999999999]), {})
        self.assertIn(
            str(self.user_sales2.id),
            Users.with_user(self.user_plain).get_work_status(self.user_sales2.ids),
        )

    def test_many_cost_no_more(self):
        users = self.user_sales | self.user_sales2
        more = users | self.user_all | self.user_manager | self.user_accountant | self.user_plain
        Users = self.env["res.users"]
        Users.get_work_status(more.ids)

        def count(asked):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            Users.get_work_status(asked.ids)
            return self.env.cr.sql_log_count - before

        self.assertEqual(count(users), count(more))
